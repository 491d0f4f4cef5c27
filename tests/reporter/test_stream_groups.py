"""Groups: the chain of messages, snapshots that fit it, and conflation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from exchange.domain import commands as c
from exchange.domain.order import Side
from exchange.domain.units import SymbolId
from exchange.market_data.candles import Candle, CandleKey
from exchange.market_data.statistics import figures_of_trade
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.stream_groups import (
    BookGroup,
    CandleGroup,
    Group,
    StatusGroup,
    TickerGroup,
    TradesGroup,
)
from tests.reporter.fake_connection import FakeConnection
from tests.reporter.live_flow import LiveFlow


@pytest.fixture
def live(tmp_path: Path) -> LiveFlow:
    live = LiveFlow(tmp_path)
    live.feed(live.flow.open(), live.flow.limit(Side.BUY, 990_000), live.flow.trade(1_000_000))
    return live


GROUPS: list[Callable[[LiveMarket], Group]] = [
    lambda market: TradesGroup(market, 1),
    lambda market: StatusGroup(market, 1),
    lambda market: BookGroup(market, 1, 0, 0),
    lambda market: BookGroup(market, 1, 3, 0),
    lambda market: TickerGroup(market, 1),
    lambda market: CandleGroup(market, 1, 60, 0),
]


@pytest.mark.parametrize("make", GROUPS)
def test_who_joins_begins_with_a_snapshot_and_who_leaves_gets_nothing(
    live: LiveFlow, make: Callable[[LiveMarket], Group]
) -> None:
    group, connection = make(live.market), FakeConnection()
    group.join(connection.real)
    (snapshot,) = connection.take()
    assert (snapshot["channel"], snapshot["type"], snapshot["symbol"]) == (group.channel, "snapshot", "AAPL")
    assert "note" not in snapshot
    group.join(connection.real, "because")
    assert connection.take()[0]["note"] == "because"
    group.leave(connection.real)
    group.touch() if not isinstance(group, TradesGroup | StatusGroup) else None
    assert connection.take() == []


def test_the_whole_exchange_has_a_status_too(live: LiveFlow) -> None:
    group, connection = StatusGroup(live.market, 0), FakeConnection()
    group.join(connection.real)
    (snapshot,) = connection.take()
    assert (snapshot["symbol"], snapshot["state"], snapshot["business_date"]) == ("", None, "2026-11-23")


def test_the_status_of_a_symbol_has_its_bands_while_they_hold(live: LiveFlow) -> None:
    group, connection = StatusGroup(live.market, 1), FakeConnection()
    live.feed(live.flow.do(c.SetPriceBands(symbol_id=SymbolId(1), tier=1)))
    group.join(connection.real)
    bands = connection.take()[-1]["bands"]
    assert (sorted(bands), bands["state"]) == (
        ["highest_price", "lowest_price", "reference_price", "state"], "normal"
    )  # fmt: skip
    live.feed(live.flow.do(c.HaltTrading(symbol_id=SymbolId(1), reason="news")))
    group.join(connection.real)
    assert connection.take()[-1]["bands"] is None


def test_the_status_of_the_exchange_has_where_the_breaker_stands(live: LiveFlow) -> None:
    group, connection = StatusGroup(live.market, 0), FakeConnection()
    group.join(connection.real)
    assert connection.take()[-1]["breaker"] is None
    live.feed(live.flow.do(c.SetMarketBreaker(close_level=50_000_000)))
    live.feed(live.flow.do(c.ReportIndexLevel(level=46_000_000)))
    group.join(connection.real)
    found = connection.take()[-1]["breaker"]
    assert found | {"ends_at": "soon"} == {
        "close_level": "5000.00", "index_level": "4600.00", "fall_bps": 800, "tripped_level": 1, "ends_at": "soon"
    }  # fmt: skip
    assert found["ends_at"] is not None
    symbol = StatusGroup(live.market, 1)
    symbol.join(connection.real)
    assert connection.take()[-1]["breaker"] is None
    live.feed(live.flow.do(c.StartBusinessDay(date=20261124)))
    group.join(connection.real)
    assert connection.take()[-1]["breaker"] == {
        "close_level": "4600.00", "index_level": None, "fall_bps": 0, "tripped_level": 0, "ends_at": None
    }  # fmt: skip


def test_a_level_that_goes_out_of_view_is_told_and_the_checksum_is_of_the_view(live: LiveFlow) -> None:
    group, connection = BookGroup(live.market, 1, 1, 0), FakeConnection()
    group.join(connection.real)
    (snapshot,) = connection.take()
    live.feed(live.flow.limit(Side.BUY, 995_000))
    group.touch()
    (delta,) = connection.take()
    assert delta["bids"] == [["99.00", "0", 0], ["99.50", "100", 1]]
    assert delta["prev_seq"] == snapshot["seq"]
    second = FakeConnection()
    group.join(second.real)
    (other,) = second.take()
    assert (other["checksum"], other["seq"]) == (delta["checksum"], delta["seq"])


def test_a_command_out_of_view_is_not_told(live: LiveFlow) -> None:
    group, connection = BookGroup(live.market, 1, 1, 0), FakeConnection()
    group.join(connection.real)
    connection.take()
    live.feed(live.flow.limit(Side.BUY, 980_000))
    group.touch()
    assert connection.take() == []


async def test_a_conflated_group_sends_once_for_many_changes_and_before_someone_joins(live: LiveFlow) -> None:
    group, first, second = TickerGroup(live.market, 1, 5_000), FakeConnection(), FakeConnection()
    group.join(first.real)
    first.take()
    for _ in range(3):
        live.feed(live.flow.limit(Side.BUY, 991_000))
        group.touch()
    assert first.take() == []
    group.join(second.real)
    (message,) = first.take()
    (snapshot,) = second.take()
    assert (message["type"], message["ticker"]["bid_qty"]) == ("ticker", "300")
    assert message["seq"] == snapshot["seq"] == live.market.sequence


async def test_a_conflated_group_sends_when_it_is_time_and_not_after_the_last_has_left(
    live: LiveFlow,
) -> None:
    group, connection = TickerGroup(live.market, 1, 10), FakeConnection()
    group.join(connection.real)
    connection.take()
    group.touch()
    await connection.heard()
    connection.take()
    group.touch()
    group.leave(connection.real)
    await asyncio.sleep(0.02)
    assert connection.take() == []


async def test_conflated_candles_are_sent_whole_and_say_whether_they_are_corrected(live: LiveFlow) -> None:
    group, connection = CandleGroup(live.market, 1, 60, 1_000), FakeConnection()
    group.join(connection.real)
    (snapshot,) = connection.take()
    old, new = (
        Candle(CandleKey(1, 60, 20261123, start_ns), figures_of_trade(1, 1_000_000, 10))
        for start_ns in (0, 60 * 10**9)
    )
    for candle, corrected in ((old, True), (new, False), (old, False)):
        group.take(candle, corrected)
    group.flush()
    messages = connection.take()
    assert [(each["candle"]["start"][14:16], each["corrected"]) for each in messages] == [
        ("00", True),
        ("01", False),
    ]
    assert [each["prev_seq"] for each in messages] == [snapshot["seq"], messages[0]["seq"]]
