"""The configuration that a component runs with, for operators."""

from __future__ import annotations

import msgspec

from exchange.infra.config import Config
from exchange.infra.config_api import READERS, config_route, flat_values
from exchange.infra.config_sections import ClearingConfig, RedisConfig
from exchange.infra.http_routes import Call


def test_every_value_has_its_path_and_no_password_is_shown() -> None:
    config = Config(
        redis=RedisConfig(url="redis://:hush@127.0.0.1:1/0"),
        clearing=ClearingConfig(store_url="postgresql://me:hush@db/x?sslmode=require&sslpassword=hush"),
    )
    values = flat_values(config)
    assert values["engine.snapshots_kept"] == 3
    assert values["clearing.rules.version"] == 1
    assert [row["symbol"] for row in values["symbols"]] == ["AAPL", "MSFT", "NVDA", "TSLA", "XYZ"]
    assert values["redis.url"] == "redis://:***@127.0.0.1:1/0"
    assert values["clearing.store_url"] == "postgresql://me:***@db/x?sslmode=require&sslpassword=***"


async def test_the_route_is_for_operators_and_auditors() -> None:
    route = config_route("engine", Config(), lambda: None)
    assert route.roles == READERS
    call = Call(raw=None, request_id="r")  # type: ignore[arg-type]
    answer = msgspec.to_builtins(await route.handler(call))
    assert (answer["component"], answer["shared_version"], answer["shared_problem"]) == ("engine", None, "")
    assert answer["values"]["engine.durability"] == "fsync"
