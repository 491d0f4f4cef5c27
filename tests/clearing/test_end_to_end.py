"""Clearing with the real engine and reporter: from two orders to a trade that is busted, released or corrected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from exchange.clearing.app import ClearingApp
from exchange.engine.app import EngineApp
from exchange.infra.config import Config
from exchange.infra.config_sections import ClearingConfig, EngineConfig, ExchangeConfig, ReporterConfig
from exchange.reporter.app import ReporterApp
from tests.clearing.fake_engine import eventually


class Exchange:
    """Engine, reporter and clearing as they run apart: each asks the engine over HTTP, without a bus."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports: dict[str, int] = {}
        self.engine: EngineApp
        self.reporter: ReporterApp
        self.clearing: ClearingApp
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Exchange:
        self._session = aiohttp.ClientSession()
        await self.start_engine()
        self.reporter = ReporterApp(self.config())
        await self.reporter.start()
        self.ports["reporter"] = port_of(self.reporter.url)
        self.clearing = ClearingApp(self.config())
        await self.clearing.start()
        await eventually(self.is_ready)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.clearing.stop()
        await self.reporter.stop()
        await self.engine.stop()
        await self._session.close()

    def config(self) -> Config:
        engine = EngineConfig(port=self.ports.get("engine", 0), snapshot_every_commands=0)
        return Config(
            exchange=ExchangeConfig(data=str(self.folder), port_base=0),
            engine=engine,
            reporter=ReporterConfig(port=self.ports.get("reporter", 0)),
            clearing=ClearingConfig(),
        )

    async def start_engine(self) -> None:
        self.engine = EngineApp(self.config())
        await self.engine.start()
        self.ports["engine"] = port_of(self.engine.url)

    async def is_ready(self) -> bool:
        return not self.clearing.ready() and not self.reporter.ready()

    async def ask(self, method: str, url: str, key: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def trade(self, price: str, quantity: str = "100") -> None:
        members = self.engine.keys.participants
        for name, side in (("bob", "sell"), ("alice", "buy")):
            order = {"symbol": "AAPL", "side": side, "qty": quantity, "price": price}
            await self.ask("POST", f"{self.engine.url}/api/v1/order", members[name].key, order)

    async def clearing_says(self, path: str) -> Any:
        return await self.ask("GET", f"{self.clearing.url}/api/v1{path}", self.engine.keys.auditor)

    async def rule(self, match_id: str, act: str, **body: Any) -> Any:
        url = f"{self.clearing.url}/api/v1/trades/{match_id}/{act}"
        return await self.ask("POST", url, self.engine.keys.operator, {"reason": "a person looked"} | body)

    async def newest_in(self, state: str) -> Any:
        """Wait until the newest trade is in a state; return it."""

        async def check() -> Any:
            items = (await self.clearing_says("/trades?limit=1"))["items"]
            return items[0] if items and items[0]["state"] == state else None

        return await eventually(check)

    async def all_agree(self) -> Any:
        """Wait until the break report says that all three have the same."""

        async def check() -> Any:
            report = await self.clearing_says("/break-report")
            return report if report["status"] == "agree" else None

        return await eventually(check)


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


@pytest.mark.integration
async def test_the_ways_of_a_trade_with_real_components(tmp_path: Path) -> None:
    async with Exchange(tmp_path) as exchange:
        await exchange.trade("189.20")
        await exchange.newest_in("accepted")

        await exchange.trade("230.00")
        busted = await exchange.newest_in("busted")
        story = await exchange.clearing_says(f"/trades/{busted['match_id']}")
        assert [step["state"] for step in story["steps"]] == ["captured", "bust_pending", "busted"]

        await exchange.trade("195.00")
        held = await exchange.newest_in("held")
        assert (await exchange.rule(held["match_id"], "release"))["state"] == "accepted"

        await exchange.trade("195.10")
        held = await exchange.newest_in("held")
        await exchange.rule(held["match_id"], "correct", code="C", price="190.00", qty="60")
        corrected = await exchange.newest_in("corrected")
        assert (corrected["price"], corrected["qty"], corrected["version"]) == ("190.00", "60", 2)

        await exchange.rule(corrected["match_id"], "bust", code="S")
        await exchange.newest_in("busted")

        report = await exchange.all_agree()
        (aapl,) = [item for item in report["items"] if item["symbol"] == "AAPL"]
        assert (aapl["engine"]["trades"], aapl["engine"]["qty"], aapl["engine"]["busted"]) == (2, "200", 2)
        proof = await exchange.clearing_says("/prove")
        assert proof["holds"], proof["faults"]


@pytest.mark.integration
async def test_a_bust_ordered_while_the_engine_is_down_waits_for_it(tmp_path: Path) -> None:
    async with Exchange(tmp_path) as exchange:
        await exchange.trade("189.20")
        trade = await exchange.newest_in("accepted")
        await exchange.engine.stop()
        assert (await exchange.rule(trade["match_id"], "bust"))["state"] == "bust_pending"

        async def was_tried() -> bool:
            story = await exchange.clearing_says(f"/trades/{trade['match_id']}")
            return bool(story["requests"][0]["attempts"] >= 1)

        await eventually(was_tried)
        await exchange.start_engine()
        await exchange.newest_in("busted")
        await exchange.all_agree()
        balances = (await exchange.clearing_says("/balances?account=1"))["items"]
        assert {balance["due"] for balance in balances} <= {"0", "0.00"}


@pytest.mark.integration
async def test_a_correction_the_engine_refuses_is_shown_with_its_sentence(tmp_path: Path) -> None:
    async with Exchange(tmp_path) as exchange:
        await exchange.trade("189.20")
        trade = await exchange.newest_in("accepted")
        await exchange.rule(trade["match_id"], "correct", price="189.2001")

        async def refused() -> Any:
            story = await exchange.clearing_says(f"/trades/{trade['match_id']}")
            return story if story["requests"][0]["state"] == "refused" else None

        story = await eventually(refused)
        assert "correction_invalid" in story["requests"][0]["answer"]
        assert (story["state"], story["price"]) == ("accepted", "189.20")
