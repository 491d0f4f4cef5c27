"""House traders act through the public REST with keys of their own, leave a market with two sides, and clean up."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from exchange.infra.config import SimulationConfig
from exchange.simulation.house import House
from exchange.simulation.rest import RestSession, items
from exchange.wire.rest.admin import KeyView, ParticipantView
from exchange.wire.rest.book import Book
from exchange.wire.rest.orders import CanceledOrders, Order
from tests.simulation.running import running_engine

FAST = SimulationConfig(seed=7, orders_per_second=10_000)
SYMBOLS = ("AAPL", "XYZ")


async def trade_for(house: House, turns: int) -> None:
    """Let the house trade for a number of turns."""
    running = asyncio.create_task(house.run())
    wanted = house.counts.turns + turns
    while house.counts.turns < wanted:
        assert not running.done()
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_market_is_open_at_once_and_trades_soon(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as engine:
        house = House(engine.url, engine.keys.operator, SYMBOLS, FAST)
        await house.open()
        async with RestSession(engine.url) as anyone:
            for symbol in SYMBOLS:
                (book,) = await items(anyone, "/api/v1/book", Book, symbol=symbol)
                assert len(book.bids) >= 2
                assert len(book.asks) >= 2
        await trade_for(house, 40)
        assert engine.venue.counters.trades > 0
        assert house.counts.refused <= house.counts.orders // 4
        await house.close()


async def test_only_the_symbols_given_are_traded(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as engine:
        house = House(engine.url, engine.keys.operator, ["XYZ"], FAST)
        await house.open()
        await trade_for(house, 10)
        async with RestSession(engine.url, engine.keys.operator) as operator:
            assert {order.symbol for order in await items(operator, "/api/v1/orders", Order)} == {"XYZ"}
        await house.close()


async def test_the_house_trades_a_symbol_no_more_until_it_comes_back(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as engine:
        house = House(engine.url, engine.keys.operator, SYMBOLS, FAST)
        await house.open()
        listed = engine.venue.directory.symbol_named("AAPL")
        assert listed is not None
        await house.stand_back("AAPL")
        still = engine.venue.depth(listed.symbol_id, 100)
        await trade_for(house, 20)
        assert engine.venue.depth(listed.symbol_id, 100) == still
        house.come_back("AAPL")
        await trade_for(house, 40)
        assert engine.venue.depth(listed.symbol_id, 100) != still
        await house.close()


async def test_a_market_maker_keeps_no_more_quotes_than_it_says(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as engine:
        config = msgspec.structs.replace(FAST, traders=("market_maker",))
        house = House(engine.url, engine.keys.operator, ["XYZ"], config)
        await house.open()
        await trade_for(house, 30)
        bids, asks = engine.venue.orders(engine.venue.directory.symbol_ids["XYZ"])
        assert 0 < len(bids) + len(asks) <= 20
        await house.close()


async def test_the_end_leaves_neither_orders_nor_keys(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as engine:
        house = House(engine.url, engine.keys.operator, SYMBOLS, FAST)
        await house.open()
        await house.close()
        async with RestSession(engine.url, engine.keys.operator) as operator:
            assert await items(operator, "/api/v1/orders", Order, status="open") == []
            assert not [key for key in await items(operator, "/api/v1/keys", KeyView) if "house" in key.label]


async def test_after_a_crash_the_same_members_go_on_with_fresh_keys(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as engine:
        crashed = House(engine.url, engine.keys.operator, SYMBOLS, FAST)
        await crashed.open()
        again = House(engine.url, engine.keys.operator, SYMBOLS, FAST)
        await again.open()
        async with RestSession(engine.url, engine.keys.operator) as operator:
            names = [each.name for each in await items(operator, "/api/v1/participants", ParticipantView)]
            assert [name for name in names if name.startswith("house")] == [
                "house noise",
                "house market maker",
                "house momentum",
            ]
            keys = [key for key in await items(operator, "/api/v1/keys", KeyView) if "house" in key.label]
            assert len(keys) == 3
        await again.close()
        await crashed.close()


async def test_an_engine_that_is_away_is_waited_for(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as engine:
        house = House(engine.url, engine.keys.operator, SYMBOLS, FAST)
        await house.open()
    running = asyncio.create_task(house.run())
    for _ in range(500):
        if house.counts.missed:
            break
        await asyncio.sleep(0.01)
    assert house.counts.missed
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await house.close()


async def test_all_orders_of_a_key_can_be_cancelled_where_there_are_none(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as engine:
        alice = engine.keys.participants["alice"].key
        async with RestSession(engine.url, alice) as session:
            assert (await session.ask("DELETE", "/api/v1/orders", CanceledOrders)).count == 0
