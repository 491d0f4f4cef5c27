"""An engine that serves over a real Redis, and operators who change its configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from exchange.infra.config import Config, RedisConfig
from tests.engine.running_engine import Answer, RunningEngine, config_for
from tests.infra.redis_server import RedisServer

PATH = "/api/v1/config"
NICKEL = {"symbol": "AAPL", "ticks": [{"from": "0", "tick": "0.05"}]}
ACME = {"symbol": "ACME", "name": "Acme Corporation", "reference_price": "25.00"}
MARKET = {
    "symbols": [ACME, NICKEL],
    "clearing": {"rule": [{"id": "HALTED", "kind": "halted", "action": "hold"}]},
}


def config_with(folder: Path, server: RedisServer, **exchange: Any) -> Config:
    """Return the configuration of an engine beside a Redis."""
    config = config_for(folder)
    redis = RedisConfig(url=server.url, timeout_ms=5_000)
    changed = msgspec.structs.replace(config.exchange, **exchange)
    return msgspec.structs.replace(config, redis=redis, exchange=changed)


async def second_operator(engine: RunningEngine, name: str = "second") -> str:
    """Make a second key of the operator; return its text."""
    made = await engine.post("/api/v1/keys", "operator", {"role": "operator", "label": name})
    assert made.status == 201, made
    return str(made.body["key"])


async def applied(
    engine: RunningEngine, document: dict[str, Any], who: str = "operator", **more: Any
) -> Answer:
    """Apply a document."""
    return await engine.post(PATH, who, {"document": document, **more})
