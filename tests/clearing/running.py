"""A clearing that runs against a fake engine, and a client that speaks with it, for tests."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp
import msgspec

from exchange.clearing.app import ClearingApp
from exchange.infra.config import Config
from exchange.infra.config_sections import ClearingConfig, ExchangeConfig
from tests.clearing.fake_engine import COMPONENT_KEY, FakeEngine, eventually, key_of, stream_with_keys


class RunningClearing:
    """`async with RunningClearing(folder) as clearing`: a fake engine and a clearing on ports of their own."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.settings = settings
        self.stream = stream_with_keys()
        self.engine = FakeEngine(self.stream)
        self.app: ClearingApp
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> RunningClearing:
        await self.engine.start()
        (self.folder / "keys.json").write_bytes(msgspec.json.encode({"component": COMPONENT_KEY}))
        self._session = aiohttp.ClientSession()
        await self.start()
        await self.caught_up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.app.stop()
        await self._session.close()
        await self.engine.stop()

    async def start(self) -> None:
        config = Config(
            exchange=ExchangeConfig(data=str(self.folder), port_base=0),
            clearing=ClearingConfig(engine_url=self.engine.url, **self.settings),
        )
        self.app = ClearingApp(config, source=self.engine.source)
        await self.app.start()

    async def restart(self) -> None:
        await self.app.stop()
        await self.start()

    async def get(self, path: str, key: str = "auditor") -> Any:
        """Answer the body of a GET that must succeed."""
        status, body = await self.ask("GET", path, key)
        assert status == 200, body
        return body

    async def ask(self, method: str, path: str, key: str = "operator", body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {key_of(key)}"} if key else {}
        url = f"{self.app.url}/api/v1{path}" if not path.startswith("/readyz") else self.app.url + path
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def caught_up(self) -> None:
        """Wait until everything in the stream is committed, and known to who answers."""
        self.engine.source.wake()
        last = len(self.stream.events)

        async def check() -> bool:
            return self.app.office.consumer.stats.committed_sequence >= last

        await eventually(check)

    async def in_state(self, match_id: int, state: str) -> Any:
        """Wait until a trade is in a state; return its story."""

        async def check() -> Any:
            status, story = await self.ask("GET", f"/trades/{match_id}", "auditor")
            return story if status == 200 and story["state"] == state else None

        return await eventually(check)
