"""Clearing as a component, over real HTTP with a fake engine: lives, stops, starts again, and halts when it must."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from exchange.clearing.app import ClearingApp
from exchange.domain.events import TradeExecuted
from exchange.infra.bus import MemoryBus, events_topic
from exchange.infra.config import Config
from exchange.infra.config_keys import ConfigError
from exchange.infra.config_sections import ClearingConfig, ExchangeConfig
from exchange.wire.envelope import encode_batch
from tests.clearing.fake_engine import eventually
from tests.clearing.running import RunningClearing


async def test_a_trade_is_captured_judged_and_booked(tmp_path: Path) -> None:
    async with RunningClearing(tmp_path) as clearing:
        clearing.stream.deposit(1, 1_000_000_0000)
        match_id = clearing.stream.trade(1, 2, 100)
        await clearing.caught_up()
        story = await clearing.get(f"/trades/{match_id}")
        assert (story["state"], story["price"], story["qty"]) == ("accepted", "189.20", "100")
        assert [step["state"] for step in story["steps"]] == ["captured", "accepted"]
        assert [(entry["asset"], entry["amount"]) for entry in story["ledger"]] == [
            ("cash", "18920.00"),
            ("cash", "18920.00"),
            ("AAPL", "100"),
            ("AAPL", "100"),
        ]


async def test_an_erroneous_trade_is_busted_by_the_engine_and_reversed(tmp_path: Path) -> None:
    async with RunningClearing(tmp_path) as clearing:
        before = (await clearing.get("/prove"))["ledger_hash"]
        match_id = clearing.stream.trade(1, 2, 100, price="230.00")
        clearing.engine.source.wake()
        story = await clearing.in_state(match_id, "busted")
        assert [step["state"] for step in story["steps"]] == ["captured", "bust_pending", "busted"]
        (request,) = story["requests"]
        assert (request["kind"], request["state"], request["code"]) == ("bust", "done", "E")
        (ruling,) = story["rulings"]
        assert ruling["hits"][0]["sentence"].startswith(
            "The price 230.00 is 40.80 above the reference price 189.20"
        )
        assert len(story["ledger"]) == 8
        assert clearing.engine.asked == [("bust", match_id, {"reason": "erroneous", "ruling_id": "1"})]
        for position in (await clearing.get("/positions"))["items"]:
            assert (position["qty"], position["cost"]) == ("0", "0.00")
        proof = await clearing.get("/prove")
        assert proof["holds"]
        assert proof["ledger_hash"] != before


async def test_a_restart_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with RunningClearing(tmp_path) as clearing:
        clearing.stream.deposit(1, 5_000_0000)
        held = clearing.stream.trade(1, 2, 10, price="195.00")
        await clearing.caught_up()
        await clearing.restart()
        clearing.stream.bust(held)
        clearing.stream.withdraw(1, 5_000_0000)
        await clearing.caught_up()
        assert (await clearing.get(f"/trades/{held}"))["state"] == "busted"
        proof = await clearing.get("/prove")
        assert proof["holds"], proof["faults"]
        assert proof["seq"] == len(clearing.stream.events)


async def test_batches_come_over_the_bus_and_what_it_loses_is_fetched(tmp_path: Path) -> None:
    async with RunningClearing(tmp_path) as clearing:
        await clearing.app.stop()
        bus = MemoryBus()
        clearing.app = ClearingApp(clearing.app.config, bus=bus, source=clearing.engine.source)
        await clearing.app.start()
        seen = len(clearing.stream.events)
        for quantity in range(1, 21):
            clearing.stream.trade(1, 2, quantity)
        batches = clearing.stream.batches([seen, 5, 5, 5, 5])[1:]
        for batch in (batches[3], batches[0], batches[0], batches[2]):
            await bus.publish(events_topic(0), encode_batch(batch))
        await clearing.caught_up()
        assert (await clearing.get("/stats"))["trades"]["accepted"] == 20


async def test_an_event_that_contradicts_the_books_halts_clearing_at_what_it_stored(tmp_path: Path) -> None:
    async with RunningClearing(tmp_path) as clearing:
        first = clearing.stream.trade(1, 2, 10)
        await clearing.caught_up()
        clearing.stream.holdings[1, 0] += 1
        clearing.stream.deposit(1, 100)
        clearing.engine.source.wake()

        async def halted() -> str:
            return clearing.app.office.halted

        reason = await eventually(halted)
        assert "the engine says that account 1 has" in reason
        status, readiness = await clearing.ask("GET", "/readyz", "")
        assert status == 503
        assert readiness["reasons"] == [f"halted: {reason}"]
        assert (await clearing.get(f"/trades/{first}"))["state"] == "accepted"
        status, error = await clearing.ask("POST", f"/trades/{first}/bust", body={"reason": "x"})
        assert (status, error["reason"]) == (503, "not_ready")


async def test_an_engine_that_cannot_be_reached_is_waited_for_and_said(tmp_path: Path) -> None:
    async with RunningClearing(tmp_path) as clearing:
        clearing.engine.source.is_down = True
        await clearing.restart()

        async def unready() -> bool:
            status, body = await clearing.ask("GET", "/readyz", "")
            return status == 503 and "the engine is down" in str(body)

        await eventually(unready)
        clearing.engine.source.is_down = False
        match_id = clearing.stream.trade(1, 2, 10)
        await clearing.in_state(match_id, "accepted")
        assert (await clearing.ask("GET", "/readyz", ""))[0] == 200


async def test_the_page_of_the_reporter_may_ask_and_no_other(tmp_path: Path) -> None:
    async with RunningClearing(tmp_path) as clearing, aiohttp.ClientSession() as session:
        own = clearing.app.config.page_origins()[0]
        for origin, allowed in ((own, own), ("https://evil.example", None)):
            headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            async with session.options(f"{clearing.app.url}/api/v1/trades/7/bust", headers=headers) as answer:
                assert answer.headers.get("Access-Control-Allow-Origin") == allowed


async def test_a_bad_rule_keeps_clearing_from_starting(tmp_path: Path) -> None:
    rule = {"id": "A", "kind": "price_bnd"}
    config = Config(
        exchange=ExchangeConfig(data=str(tmp_path), port_base=0), clearing=ClearingConfig(rule=(rule,))
    )
    with pytest.raises(
        ConfigError, match=r"\[\[clearing.rule\]\]: clearing rule 'A', key 'kind'.* did you mean 'price_band'"
    ):
        ClearingApp(config)


async def test_rules_of_the_configuration_replace_the_built_in_ones(tmp_path: Path) -> None:
    async with RunningClearing(tmp_path, rule=({"id": "Q", "kind": "max_quantity", "limit": 5},)) as clearing:
        wild = clearing.stream.trade(1, 2, 1, price="900.00")
        large = clearing.stream.trade(1, 2, 6)
        await clearing.caught_up()
        assert (await clearing.get(f"/trades/{wild}"))["state"] == "accepted"
        assert (await clearing.get(f"/trades/{large}"))["state"] == "held"
        assert [rule["id"] for rule in (await clearing.get("/rules"))["items"]] == ["Q"]


async def test_rules_of_the_stream_are_shown_at_once_and_after_a_restart(tmp_path: Path) -> None:
    small = '{"id": "SMALL", "kind": "max_quantity", "limit": 5, "action": "hold"}'
    async with RunningClearing(tmp_path) as clearing:
        assert (await clearing.get("/rules"))["version"] == "1"
        clearing.stream.configure_rules(7, small)
        await clearing.caught_up()
        for _ in range(2):
            rules = await clearing.get("/rules")
            assert (rules["version"], [rule["id"] for rule in rules["items"]]) == (
                "2 (configuration 7)",
                ["SMALL"],
            )
            held = clearing.stream.trade(1, 2, 6)
            await clearing.caught_up()
            assert (await clearing.get(f"/trades/{held}"))["state"] == "held"
            await clearing.restart()
        clearing.stream.configure_rules(8)
        await clearing.caught_up()
        assert (await clearing.get("/rules"))["version"] == "1"


async def test_rules_of_the_stream_that_cannot_be_read_halt_clearing(tmp_path: Path) -> None:
    async with RunningClearing(tmp_path) as clearing:
        clearing.stream.configure_rules(7, '{"id": "A", "kind": "from_the_future"}')
        clearing.engine.source.wake()

        async def check() -> bool:
            return "has rules that this program cannot read" in clearing.app.office.halted

        await eventually(check)
        status, readiness = await clearing.ask("GET", "/readyz")
        assert (status, "configuration version 7" in readiness["reasons"][0]) == (503, True)


async def test_a_start_that_fails_gives_everything_back(tmp_path: Path) -> None:
    async with RunningClearing(tmp_path) as clearing:
        port = int(clearing.app.url.rpartition(":")[2])
        folder = tmp_path / "second"
        folder.mkdir()
        config = Config(
            exchange=ExchangeConfig(data=str(folder), port_base=0),
            clearing=ClearingConfig(port=port, engine_url=clearing.engine.url),
        )
        second = ClearingApp(config, source=clearing.engine.source)
        with pytest.raises(OSError, match="address already in use"):
            await second.start()
        assert second.ready() == ["clearing is starting or stopping"]


async def test_the_same_events_give_the_same_ledger_hash_however_they_come(tmp_path: Path) -> None:
    hashes = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        async with RunningClearing(tmp_path / name) as clearing:
            for quantity in range(1, 30):
                clearing.stream.trade(1, 2, quantity, price="195.00" if quantity % 5 == 0 else "189.20")
                if name == "two" and quantity % 7 == 0:
                    await clearing.caught_up()
                    await clearing.restart()
            trade = next(event for event in clearing.stream.events if isinstance(event, TradeExecuted))
            clearing.stream.correct(trade.sequence, "189.00", 1)
            await clearing.caught_up()
            hashes.append((await clearing.get("/prove"))["ledger_hash"])
    assert hashes[0] == hashes[1]
