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


def trade_row(trade: Trade) -> dict[str, Any]:
    """Return the row of a trade."""
    return {
        "partition": trade.partition,
        "sequence": trade.sequence,
        "symbol_id": trade.symbol_id,
        "business_date": trade.business_date,
        "executed_ns": trade.executed_ns,
        "price": trade.price,
        "quantity": trade.quantity,
        "executed_price": trade.executed_price,
        "executed_quantity": trade.executed_quantity,
        "maker_sequence": sequence_of(trade.maker_order_id),
        "taker_sequence": sequence_of(trade.taker_order_id),
        "taker_side": int(trade.taker_side),
        "reference_price": trade.reference_price,
        "status": int(trade.status),
        "version": trade.version,
        "changed_sequence": trade.changed_sequence,
        "changed_ns": trade.changed_ns,
        "reason": int(trade.reason or 0),
        "ruling_id": trade.ruling_id,
    }


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


def candle_row(partition: int, candle: Candle) -> dict[str, Any]:
    """Return the row of a candle that has figures."""
    key, figures = candle.key, candle.figures
    assert figures is not None, "a candle without figures has no row"
    return {
        "partition": partition,
        "symbol_id": key.symbol_id,
        "interval_s": key.interval_s,
        "start_ns": key.start_ns,
        "business_date": key.business_date,
        "first_sequence": figures.first_sequence,
        "last_sequence": figures.last_sequence,
        "open": figures.open,
        "high": figures.high,
        "low": figures.low,
        "last": figures.last,
        "volume": figures.volume,
        "notional": figures.notional,
        "trades": figures.trades,
    }


def candle_of(row: Row[Any]) -> Candle:
    """Return the candle of a row of the table `candles`."""
    _, symbol_id, interval_s, start_ns, business_date, *figures = tuple(row)
    return Candle(CandleKey(symbol_id, interval_s, business_date, start_ns), Figures(*figures))
