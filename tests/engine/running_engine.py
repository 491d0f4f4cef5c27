"""An engine that serves on a port of its own over a folder of its own, and a client that speaks with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp

from exchange.engine.app import EngineApp
from exchange.infra.bus import Bus
from exchange.infra.clock import Clock
from exchange.infra.config import Config
from exchange.infra.config_sections import EngineConfig, ExchangeConfig


def config_for(folder: Path, **engine: Any) -> Config:
    """A configuration without follower process, on a port that the system chooses; buffered, for speed."""
    settings: dict[str, Any] = {"snapshot_every_commands": 0, "durability": "buffered", **engine}
    exchange = ExchangeConfig(data=str(folder / "data"), port_base=0)
    return Config(exchange=exchange, engine=EngineConfig(**settings))


class Answer(NamedTuple):
    """What the engine answered."""

    status: int
    body: Any
    headers: Any

    @property
    def items(self) -> list[Any]:
        found: list[Any] = self.body["items"]
        return found


class RunningEngine:
    """`async with RunningEngine(folder) as engine`; keys: by member's name (alice, …) or role (operator, …)."""

    def __init__(
        self,
        folder: Path,
        config: Config | None = None,
        *,
        bus: Bus | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.config = config or config_for(folder)
        self._bus, self._clock = bus, clock
        self.app = EngineApp(self.config, bus=bus, clock=clock)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        await self.app.start()
        self._http = aiohttp.ClientSession()
        keys = self.app.keys
        self.keys = {name: member.key for name, member in keys.participants.items()}
        self.keys |= {role: getattr(keys, role) for role in ("operator", "component", "clearing", "auditor")}

    async def stop(self) -> None:
        await self._http.close()
        await self.app.stop()

    async def restart(self) -> None:
        await self.stop()
        self.app = EngineApp(self.config, bus=self._bus, clock=self._clock)
        await self.start()

    async def ask(
        self,
        method: str,
        path: str,
        who: str = "",
        body: Any = None,
        *,
        accept: str = "",
        data: bytes | None = None,
    ) -> Answer:
        headers = {"Content-Type": "application/json"} if data is not None else {}
        if who:
            headers["Authorization"] = f"Bearer {self.keys.get(who, who)}"
        if accept:
            headers["Accept"] = accept
        async with self._http.request(
            method, self.app.url + path, json=body, data=data, headers=headers
        ) as answer:
            is_json = answer.content_type == "application/json"
            content = (await answer.json() if is_json else await answer.read()) if method != "HEAD" else None
            return Answer(answer.status, content, answer.headers)

    async def get(self, path: str, who: str = "") -> Answer:
        return await self.ask("GET", path, who)

    async def post(self, path: str, who: str, body: Any) -> Answer:
        return await self.ask("POST", path, who, body)

    async def order(self, who: str, side: str, qty: str, price: str | None = None, **more: Any) -> Answer:
        """Enter an order in AAPL."""
        body = {"symbol": "AAPL", "side": side, "qty": qty, **more}
        if price is not None:
            body["price"] = price
        return await self.post("/api/v1/order", who, body)

    async def trade(self, qty: str = "100", price: str = "189.20") -> tuple[str, str, str]:
        """Have alice buy from bob; return (her order, his order, match id)."""
        bought = await self.order("alice", "buy", qty, price)
        sold = await self.order("bob", "sell", qty, price)
        assert sold.body["status"] == "filled", sold
        fills = await self.get(f"/api/v1/fills?order_id={sold.body['id']}", "bob")
        return bought.body["id"], sold.body["id"], fills.items[0]["match_id"]


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until something holds."""
    for _ in range(30_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came true")


def shape(body: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return some fields of an answer."""
    return {name: body.get(name) for name in names}
