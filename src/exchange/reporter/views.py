"""From the values of the core to what REST and the stream show."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from msgspec import UNSET

from exchange.domain.units import format_date, format_money
from exchange.market_data.book import BookOrder, LevelTotal
from exchange.market_data.candles import SECOND_NS, Candle
from exchange.market_data.statistics import Figures
from exchange.market_data.trade import Trade, TradeStatus
from exchange.wire.rest.admin import BUST_REASON_TEXT
from exchange.wire.rest.book import BookRow
from exchange.wire.rest.market import (
    TRADE_STATUSES,
    CandleView,
    FiguresView,
    TradeView,
    price_text,
    time_text,
)
from exchange.wire.rest.orders import SIDE_TEXT
from exchange.wire.rest.stream import LevelText

STATUS_TEXT = {int(status): text for status, text in zip(TradeStatus, TRADE_STATUSES, strict=True)}


def trade_view(trade: Trade, symbol: str) -> TradeView:
    """Show a trade."""
    view = TradeView(
        match_id=str(trade.match_id),
        symbol=symbol,
        seq=trade.sequence,
        price=price_text(trade.price),
        qty=str(trade.quantity),
        taker_side=SIDE_TEXT[trade.taker_side],
        maker_order_id=str(trade.maker_order_id),
        taker_order_id=str(trade.taker_order_id),
        reference_price=price_text(trade.reference_price),
        business_date=format_date(trade.business_date),
        executed_at=time_text(trade.executed_ns),
        status=STATUS_TEXT[trade.status],
        version=trade.version,
    )
    if trade.changed_sequence:
        view.executed_price = price_text(trade.executed_price)
        view.executed_qty = str(trade.executed_quantity)
        view.changed_seq = trade.changed_sequence
        view.changed_at = time_text(trade.changed_ns)
        view.reason = BUST_REASON_TEXT[trade.reason] if trade.reason is not None else UNSET
        view.ruling_id = str(trade.ruling_id)
    return view


def figures_view(figures: Figures | None) -> FiguresView:
    """Show the figures of trades; None where there are none."""
    return FiguresView(**figures_fields(figures))


def figures_fields(figures: Figures | None) -> dict[str, Any]:
    """Return the fields that show figures."""
    if figures is None:
        return {}
    return {
        "open": price_text(figures.open),
        "high": price_text(figures.high),
        "low": price_text(figures.low),
        "last": price_text(figures.last),
        "volume": str(figures.volume),
        "notional": format_money(figures.notional),
        "vwap": price_text(figures.vwap),
        "trades": figures.trades,
    }


def candle_view(candle: Candle, close_before: int = 0) -> CandleView:
    """Show a candle. close_before: the price that holds where it has no trades, 0 for none."""
    key, figures = candle.key, candle.figures
    open_, high, low, close = (
        (figures.open, figures.high, figures.low, figures.last) if figures else (close_before,) * 4
    )
    return CandleView(
        start=time_text(key.start_ns),
        end=time_text(key.start_ns + key.interval_s * SECOND_NS),
        business_date=format_date(key.business_date),
        open=price_or_none(open_),
        high=price_or_none(high),
        low=price_or_none(low),
        close=price_or_none(close),
        volume=str(figures.volume) if figures else "0",
        notional=format_money(figures.notional) if figures else "0.00",
        vwap=price_text(figures.vwap) if figures else None,
        trades=figures.trades if figures else 0,
    )


def price_or_none(price: int) -> str | None:
    """Show a price; 0 is none."""
    return price_text(price) if price else None


def level_texts(levels: list[LevelTotal]) -> list[LevelText]:
    """Show price levels as the stream does."""
    return [(price_text(price), str(quantity), orders) for price, quantity, orders in levels]


def level_views(levels: list[LevelTotal]) -> list[BookRow]:
    """Show price levels as REST does."""
    return [
        BookRow(price=price_text(price), qty=str(quantity), orders=orders)
        for price, quantity, orders in levels
    ]


def order_views(queue: Iterable[BookOrder], limit: int) -> list[BookRow]:
    """Show orders of a queue as REST does, so many at most."""
    return [
        BookRow(id=str(order.order_id), price=price_text(order.price), qty=str(order.leaves))
        for order in islice(queue, limit)
    ]
