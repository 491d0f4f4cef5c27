"""Tests of exchange.engine.bootstrap: what a first start makes, and what a later one leaves alone."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from exchange.domain.units import parse_money, parse_price
from exchange.engine.bootstrap import DAY_NS, KeyFile, day_end_after, read_keys, write_keys
from exchange.infra.config_sections import PriceLimitsConfig, SymbolConfig
from exchange.infra.errors import InfraError
from tests.engine.running_engine import RunningEngine, config_for

HOUR_NS = DAY_NS // 24


async def test_a_first_start_makes_keys_members_and_symbols(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path) as engine:
        path = engine.config.key_file_for()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        keys = read_keys(path)
        assert keys == engine.app.keys
        assert list(keys.participants) == ["alice", "bob", "carol"]
        assert (keys.participants["bob"].participant_id, keys.participants["bob"].account_id) == (2, 2)
        balances = (await engine.get("/api/v1/accounts/2", "bob")).body
        assert balances["cash"] == "1000000.00"
        assert {holding["qty"] for holding in balances["holdings"]} == {"10000"}
        assert len(balances["holdings"]) == 5
        assert (await engine.get("/api/v1/business-day")).body["ends_at"].endswith("T00:00:00.000000000Z")


async def test_a_later_start_leaves_everything_as_it_is(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path) as engine:
        keys, commands = engine.app.keys, engine.app.venue.command_sequence
        await engine.restart()
        assert engine.app.keys == keys
        assert engine.app.venue.command_sequence == commands + 1, "only the start itself"


async def test_without_the_demo_there_are_only_the_exchanges_keys(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path, config_for(tmp_path, demo=False)) as engine:
        assert engine.app.keys.participants == {}
        assert (await engine.get("/api/v1/participants", "operator")).items == []


async def test_a_lost_key_file_is_made_again_for_those_who_are_there(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path) as engine:
        lost = engine.app.keys
        await engine.post("/api/v1/participants", "operator", {"name": "dora"})
        engine.config.key_file_for().unlink()
        await engine.restart()
        assert list(engine.app.keys.participants) == ["alice", "bob", "carol"]
        assert engine.app.keys.operator != lost.operator
        assert (await engine.order("alice", "buy", "1", "189.00")).body["account"] == "1"
        assert (await engine.get("/api/v1/accounts/1", "alice")).body["cash"] == "1000000.00"


async def test_keys_of_another_exchange_are_replaced(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path) as engine:
        other = KeyFile(operator="xk_a", component="xk_b", clearing="xk_c", auditor="xk_d")
        write_keys(engine.config.key_file_for(), other)
        await engine.restart()
        assert engine.app.keys.operator != "xk_a"
        assert (await engine.get("/api/v1/stats", "operator")).status == 200


async def test_a_symbol_that_is_new_in_the_configuration_is_listed_and_a_changed_one_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with RunningEngine(tmp_path) as engine:
        listed = engine.config.symbols
        changed = msgspec.structs.replace(listed[0], name="Apple Computer")
        added = SymbolConfig(symbol="ACME", name="Acme", reference_price=parse_price("25.00"))
        engine.config = msgspec.structs.replace(engine.config, symbols=(changed, *listed[1:], added))
        await engine.restart()
        assert (await engine.get("/api/v1/symbols/ACME")).body["reference_price"] == "25.00"
        assert (await engine.get("/api/v1/symbols/AAPL")).body["name"] == "Apple Inc."
        assert "symbol_differs_from_configuration" in capsys.readouterr().out


async def test_a_symbol_of_the_configuration_gets_its_bands_or_its_corridor(tmp_path: Path) -> None:
    symbols = (
        SymbolConfig(symbol="BND", name="In bands", reference_price=parse_price("10.00"), bands_tier=2),
        SymbolConfig(
            symbol="COR", name="In a corridor", reference_price=parse_price("10.00"), corridor_static_bps=300
        ),
    )
    async with RunningEngine(tmp_path) as engine:
        engine.config = msgspec.structs.replace(
            engine.config, symbols=(*engine.config.symbols[:1], *symbols[:2])
        )
        await engine.restart()
        symbols = (*symbols[:2], engine.config.symbols[0])
        limits = [(await engine.get(f"/api/v1/symbols/{each.symbol}/limits")).body for each in symbols]
    assert [(each["mode"], each["lowest_price"]) for each in limits] == [
        ("bands", "9.00"), ("corridor", "9.70"), ("none", None)
    ]  # fmt: skip


async def test_a_market_of_the_configuration_gets_its_breaker_and_bands_but_where_it_says_without(
    tmp_path: Path,
) -> None:
    limits = PriceLimitsConfig(breaker_close=parse_money("5000.00"), bands_tier=1, without_bands=("XYZ",))
    config = config_for(tmp_path)
    engine_config = msgspec.structs.replace(config.engine, price_limits=limits)
    async with RunningEngine(tmp_path, msgspec.structs.replace(config, engine=engine_config)) as engine:
        modes = {}
        for each in engine.config.symbols:
            modes[each.symbol] = (await engine.get(f"/api/v1/symbols/{each.symbol}/limits")).body["mode"]
        assert modes.pop("XYZ") == "none"
        assert set(modes.values()) == {"bands"}
        assert (await engine.get("/api/v1/market/breaker")).body["close_level"] == "5000.00"
        await engine.ask("PUT", "/api/v1/market/breaker", "operator", {"close_level": "4000.00"})
        await engine.restart()
        assert (await engine.get("/api/v1/market/breaker")).body["close_level"] == "4000.00"


async def test_partitions_share_the_symbols_without_overlap(tmp_path: Path) -> None:
    seen: list[str] = []
    for number in range(2):
        folder = tmp_path / str(number)
        async with RunningEngine(folder, config_for(folder, partition=f"{number}/2")) as engine:
            seen += [symbol["symbol"] for symbol in (await engine.get("/api/v1/symbols")).items]
            order = await engine.post(
                "/api/v1/order", "alice", {"symbol": seen[-1], "side": "buy", "qty": 1, "price": "1"}
            )
            assert int(order.body["id"]) >> 56 == number
            shown = await engine.get(f"/api/v1/order/{order.body['id']}", "alice")
            assert shown.body == order.body
    assert sorted(seen) == ["AAPL", "MSFT", "NVDA", "TSLA", "XYZ"]


def test_a_business_day_ends_at_the_next_such_time() -> None:
    assert day_end_after(5 * HOUR_NS, "00:00") == DAY_NS
    assert day_end_after(5 * HOUR_NS, "05:30") == 5 * HOUR_NS + HOUR_NS // 2
    assert day_end_after(5 * HOUR_NS, "05:00") == DAY_NS + 5 * HOUR_NS
    assert day_end_after(5 * HOUR_NS, "never") == 0


def test_a_key_file_that_is_not_whole_says_so(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with pytest.raises(InfraError, match="first start"):
        read_keys(path)
    path.write_text("{")
    with pytest.raises(InfraError, match="cannot be read"):
        read_keys(path)


async def test_a_key_of_the_environment_lets_components_in_and_is_admitted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "0123456789abcdef" * 4
    monkeypatch.setenv("EXCHANGE_COMPONENT_KEY", key)
    async with RunningEngine(tmp_path) as engine:
        for _ in range(2):
            listed = (await engine.get("/api/v1/keys", "operator")).items
            assert [each["role"] for each in listed if each["label"] == "component (environment)"] == [
                "component"
            ]
            await engine.restart()
        assert key not in engine.config.key_file_for().read_text()
        engine.keys["environment"] = key
        assert (await engine.get("/api/v1/events?after=0", "environment")).status == 200
