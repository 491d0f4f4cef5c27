"""Between the values of the tape and the rows of the store. Ids of 64 bits are kept as their sequences."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from exchange.domain.order import Side
from exchange.domain.trade import BustReason
from exchange.domain.units import public_id, sequence_of
from exchange.market_data.candles import Candle, CandleKey
from exchange.market_data.statistics import Figures
from exchange.market_data.trade import Trade, TradeStatus


def trade_row(trade: Trade) -> tuple[Any, ...]:
    """Return the row of a trade: the columns of the table `trades` in their order."""
    return (
        trade.partition, trade.sequence, trade.symbol_id, trade.business_date, trade.executed_ns, trade.price,
        trade.quantity, trade.executed_price, trade.executed_quantity, sequence_of(trade.maker_order_id),
        sequence_of(trade.taker_order_id), trade.taker_side, trade.reference_price, trade.status, trade.version,
        trade.changed_sequence, trade.changed_ns, trade.reason or 0, trade.ruling_id,
    )  # fmt: skip


def trade_of(row: Row[Any]) -> Trade:
    """Return the trade of a row of the table `trades`."""
    values = list(row)
    partition = values[0]
    values[9] = public_id(partition, values[9])
    values[10] = public_id(partition, values[10])
    values[11] = Side(values[11])
    values[13] = TradeStatus(values[13])
    values[17] = BustReason(values[17]) if values[17] else None
    return Trade(*values)


def candle_row(partition: int, candle: Candle) -> tuple[Any, ...]:
    """Return the row of a candle that has figures: the columns of the table `candles` in their order."""
    key, figures = candle.key, candle.figures
    assert figures is not None, "a candle without figures has no row"
    return (
        partition, key.symbol_id, key.interval_s, key.start_ns, key.business_date, figures.first_sequence,
        figures.last_sequence, figures.open, figures.high, figures.low, figures.last, figures.volume,
        figures.notional, figures.trades,
    )  # fmt: skip


def candle_of(row: Row[Any]) -> Candle:
    """Return the candle of a row of the table `candles`."""
    _, symbol_id, interval_s, start_ns, business_date, *figures = tuple(row)
    return Candle(CandleKey(symbol_id, interval_s, business_date, start_ns), Figures(*figures))
