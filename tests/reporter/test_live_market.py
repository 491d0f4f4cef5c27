"""The present state, what is told of it and in which order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exchange.domain import commands as c
from exchange.domain.order import Side
from exchange.domain.symbol import DEFAULT_TICKS, SymbolState
from exchange.market_data.trade import TradeStatus
from exchange.reporter.live_market import LiveMarket
from tests.market_data.venue_flow import DATE
from tests.reporter.live_flow import INTERVALS, LiveFlow
from tests.reporter.reporter_stand import batch_of


@pytest.fixture
def live(tmp_path: Path) -> LiveFlow:
    return LiveFlow(tmp_path)


def test_a_command_is_told_as_trades_then_book_then_ticker_then_candles(live: LiveFlow) -> None:
    flow = live.flow
    live.feed(flow.open(), flow.limit(Side.SELL, 1_000_000, 10) + flow.limit(Side.SELL, 1_000_100, 10))
    told = live.feed(flow.market(Side.BUY, 20))
    assert told == [("trade", 14), ("trade", 15), ("book", 15), ("ticker", 15), *[("candle", 15)] * 3]


def test_a_ticker_is_told_only_where_best_quotes_or_figures_moved(live: LiveFlow) -> None:
    flow = live.flow
    live.feed(flow.open())
    assert live.feed(flow.limit(Side.BUY, 990_000)) == [("book", 11), ("ticker", 11)]
    assert live.feed(flow.limit(Side.BUY, 980_000)) == [("book", 12)]


def test_a_version_of_the_configuration_adds_symbols_and_changes_them(live: LiveFlow) -> None:
    flow = live.flow
    live.feed(flow.open())
    new = c.ConfigureSymbol(
        configuration_version=1, symbol="ACME", name="Acme", reference_price=250_000, round_lot=1,
        state=SymbolState.ACTIVE, ticks=DEFAULT_TICKS,
    )  # fmt: skip
    told = live.feed(
        flow.do(new), flow.do(c.ConfigureSymbol(configuration_version=1, symbol="AAPL", round_lot=10))
    )
    assert [kind for kind, _ in told if kind in ("symbol", "ticker")] == ["symbol", "ticker"]
    assert live.market.directory.symbols[1].round_lot == 10


def test_a_bust_is_told_before_what_it_moves(live: LiveFlow) -> None:
    flow = live.flow
    live.feed(flow.open(), flow.trade(1_000_000))
    told = live.feed(flow.bust(13))
    assert told == [
        ("announcement on trades", 14), ("announcement on status", 14), ("ticker", 14), *[("corrected candle", 14)] * 3,
    ]  # fmt: skip


def test_a_symbol_is_there_before_it_is_announced(live: LiveFlow) -> None:
    told = live.feed(live.flow.open())
    assert told.index(("symbol", 1)) < told.index(("announcement on status", 3))


def test_quotes_figures_and_latest_trades_are_those_of_the_last_command(live: LiveFlow) -> None:
    flow, market = live.flow, live.market
    live.feed(
        flow.open(), flow.trade(1_000_000, 10), flow.trade(1_000_100, 20), flow.limit(Side.BUY, 990_000)
    )
    day = market.day(1)
    assert day is not None
    assert (day.volume, day.last) == (30, 1_000_100)
    assert market.quotes(1) == ((990_000, 100, 1), None)
    assert [trade.price for trade in market.latest_trades(1, 5)] == [1_000_100, 1_000_000]
    assert (market.sequence, market.business_date, market.epoch) == (flow.venue.event_sequence, DATE, 1)
    assert market.time_ns == flow.time_ns


def test_a_busted_trade_stays_among_the_latest_and_is_marked(live: LiveFlow) -> None:
    flow, market = live.flow, live.market
    live.feed(flow.open(), flow.trade(1_000_000, 10), flow.trade(1_000_100, 20))
    live.feed(flow.bust(list(flow.trades)[-1]))
    assert [trade.status for trade in market.latest_trades(1, 5)] == [
        TradeStatus.BUSTED,
        TradeStatus.EXECUTED,
    ]
    assert [trade.price for trade in market.latest_trades(1, 5, include_busted=False)] == [1_000_000]


def test_only_so_many_trades_are_in_memory(tmp_path: Path) -> None:
    live = LiveFlow(tmp_path, trades_in_memory=2)
    live.feed(live.flow.open(), *[live.flow.trade(1_000_000 + 100 * at) for at in range(4)])
    assert [trade.price for trade in live.market.latest_trades(1, 9)] == [1_000_300, 1_000_200]


def test_a_new_date_begins_without_figures_and_with_the_last_close(live: LiveFlow) -> None:
    flow, market = live.flow, live.market
    live.feed(flow.open(), flow.trade(1_000_000))
    told = live.feed(flow.do(c.StartBusinessDay(date=DATE + 1)))
    assert [what for what, _ in told if what != "book"] == ["ticker", "ticker", "announcement on status"]
    assert (market.day(1), market.previous_close(1)) == (None, 1_000_000)


@pytest.mark.parametrize("in_one_batch", [False, True])
def test_a_bust_of_the_last_close_brings_back_the_one_before(live: LiveFlow, in_one_batch: bool) -> None:
    flow, market = live.flow, live.market
    live.feed(flow.open(), flow.trade(1_000_000), flow.trade(1_010_000))
    last = list(flow.trades)[-1]
    after = [flow.do(c.StartBusinessDay(date=DATE + 1)), flow.bust(last)]
    live.feed(*[b"".join(after)] if in_one_batch else after)
    assert market.previous_close(1) == 1_000_000
    live.feed(flow.bust(next(iter(flow.trades))))
    assert market.previous_close(1) == 0


def test_the_market_rests_between_slices_of_whole_commands(live: LiveFlow) -> None:
    flow = live.flow
    live.feed(flow.open())
    batch = batch_of(b"".join(flow.limit(Side.BUY, 990_000) for _ in range(1_200)))
    committed = live.store.commit(batch, live.market.builder)
    seen = [live.market.sequence for _ in live.market.advance(committed, live.notes)]
    assert seen == [510, 1_010, 1_210]


FACTS: dict[str, Callable[[LiveMarket, int], Any]] = {
    "quotes": lambda market, symbol_id: market.quotes(symbol_id),
    "day": lambda market, symbol_id: market.day(symbol_id),
    "previous close": lambda market, symbol_id: market.previous_close(symbol_id),
    "latest trades": lambda market, symbol_id: market.latest_trades(symbol_id, 20),
    "trade chain": lambda market, symbol_id: market.trade_chains.get(symbol_id, 0),
    "status chain": lambda market, symbol_id: market.status_chains.get(symbol_id, 0),
    "place": lambda market, _: (market.sequence, market.epoch, market.business_date, market.time_ns),
}


@pytest.mark.parametrize("seed", range(4))
def test_a_market_that_starts_again_knows_what_the_one_before_knew(tmp_path: Path, seed: int) -> None:
    live = LiveFlow(tmp_path, seed)
    live.feed(live.flow.open())
    for _ in range(4):
        live.feed(*live.flow.random_batches(8))
        again = live.restarted()
        for symbol_id in (1, 2):
            for name, fact in FACTS.items():
                assert fact(again, symbol_id) == fact(live.market, symbol_id), f"seed {seed}: {name}"


def test_the_newest_candles_are_there_after_a_start_too(live: LiveFlow) -> None:
    live.feed(live.flow.open(), live.flow.trade(1_000_000), live.flow.trade(1_000_100))
    assert live.restarted().newest == live.market.newest
    assert len(live.market.newest) == len(INTERVALS)
