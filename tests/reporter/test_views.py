"""Values of the core as REST and stream show them."""

from __future__ import annotations

import msgspec

from exchange.domain.order import Side
from exchange.domain.trade import BustReason
from exchange.market_data.book import BookOrder
from exchange.market_data.candles import Candle, CandleKey
from exchange.market_data.statistics import figures_of_trade
from exchange.market_data.trade import Trade, TradeStatus
from exchange.reporter.views import (
    candle_view,
    figures_fields,
    figures_view,
    level_texts,
    level_views,
    order_views,
    price_or_none,
    trade_view,
)

TRADE = Trade(0, 7, 1, 20261123, 10**18, 1_892_000, 50, 1_892_000, 50, 3, 4, Side.SELL, 1_890_000)
KEY = CandleKey(1, 60, 20261123, 60 * 10**9)


def test_a_trade_is_shown_with_texts_and_without_accounts() -> None:
    assert msgspec.to_builtins(trade_view(TRADE, "AAPL")) == {
        "match_id": "7", "symbol": "AAPL", "seq": 7, "price": "189.20", "qty": "50", "taker_side": "sell",
        "maker_order_id": "3", "taker_order_id": "4", "reference_price": "189.00", "business_date": "2026-11-23",
        "executed_at": "2001-09-09T01:46:40.000000000Z", "status": "executed", "version": 1,
    }  # fmt: skip


def test_a_changed_trade_says_what_changed_it() -> None:
    changed = msgspec.structs.replace(
        TRADE,
        status=TradeStatus.BUSTED,
        changed_sequence=9,
        changed_ns=10**18,
        reason=BustReason.CONSENT,
        ruling_id=5,
    )
    view = msgspec.to_builtins(trade_view(changed, "AAPL"))
    assert {name: view[name] for name in ("status", "executed_price", "executed_qty", "changed_seq", "reason")} == {
        "status": "busted", "executed_price": "189.20", "executed_qty": "50", "changed_seq": 9, "reason": "consent",
    }  # fmt: skip


def test_figures_of_nothing_are_null_and_zero() -> None:
    view = figures_view(None)
    assert (view.open, view.volume, view.notional, view.vwap, view.trades) == (None, "0", "0.00", None, 0)
    assert figures_fields(None) == {}


def test_figures_are_shown_with_their_average_price() -> None:
    view = figures_view(figures_of_trade(1, 10_000, 10).with_trade(2, 20_000, 10))
    assert (view.open, view.last, view.volume, view.notional, view.vwap) == (
        "1.00",
        "2.00",
        "20",
        "30.00",
        "1.50",
    )


def test_a_candle_without_trades_stands_at_the_close_before_it() -> None:
    empty = candle_view(Candle(KEY, None), 10_000)
    assert (empty.open, empty.high, empty.low, empty.close) == ("1.00",) * 4
    assert (empty.volume, empty.vwap, empty.trades) == ("0", None, 0)
    assert candle_view(Candle(KEY, None)).close is None


def test_a_candle_says_when_it_begins_and_ends() -> None:
    view = candle_view(Candle(KEY, figures_of_trade(1, 10_000, 10)))
    assert (view.start[11:19], view.end[11:19], view.close, view.business_date) == (
        "00:01:00", "00:02:00", "1.00", "2026-11-23",
    )  # fmt: skip


def test_levels_and_orders_are_shown_best_first_as_they_come() -> None:
    assert level_texts([(10_000, 5, 1)]) == [("1.00", "5", 1)]
    assert msgspec.to_builtins(level_views([(10_000, 5, 1)])) == [{"price": "1.00", "qty": "5", "orders": 1}]
    queue = [BookOrder(1, Side.BUY, number, 10_000, 5) for number in (7, 8)]
    assert msgspec.to_builtins(order_views(queue, 1)) == [{"price": "1.00", "qty": "5", "id": "7"}]


def test_no_price_is_null() -> None:
    assert (price_or_none(0), price_or_none(1)) == (None, "0.0001")
