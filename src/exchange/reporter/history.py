"""The tape's history in the store: what the tape writes, and what it looks back into after a bust."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, select, update

from exchange.infra.bulk_insert import bulk_insert
from exchange.market_data.candles import DAY_S, SECOND_NS, Candle, CandleKey
from exchange.market_data.statistics import Figures
from exchange.market_data.trade import Trade
from exchange.reporter.rows import candle_of, candle_row, trade_of, trade_row
from exchange.reporter.schema import candles, trades

_TRADE_COLUMNS = tuple(trades.c.keys())
_CANDLE_COLUMNS = tuple(candles.c.keys())
_KEY = ("symbol_id", "interval_s", "start_ns", "business_date")
_REMOVE_CANDLE = delete(candles).where(
    candles.c.partition == bindparam("_partition"),
    *[candles.c[name] == bindparam(f"_{name}") for name in _KEY],
)


class StoredHistory:
    """The history of one partition. connection: of the transaction in which the tape works now."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.connection: Connection | None = None

    def save(self, new: list[Trade], changed: list[Trade], updated: list[Candle]) -> None:
        """Write trades and candles; a candle without figures is removed."""
        connection = self._connection
        if new:
            bulk_insert(connection, trades, _TRADE_COLUMNS, map(trade_row, new))
        for trade in changed:
            values = dict(zip(_TRADE_COLUMNS, trade_row(trade), strict=True))
            connection.execute(update(trades).where(self._is_trade(trade.sequence)).values(values))
        if updated:
            connection.execute(_REMOVE_CANDLE, [self._key_values(candle.key) for candle in updated])
        rows = [candle_row(self.partition, candle) for candle in updated if candle.figures is not None]
        bulk_insert(connection, candles, _CANDLE_COLUMNS, rows)

    def trade(self, sequence: int) -> Trade | None:
        """Return the trade of an event sequence."""
        row = self._connection.execute(select(trades).where(self._is_trade(sequence))).first()
        return trade_of(row) if row else None

    def figures(self, key: CandleKey) -> Figures | None:
        """Return a candle's figures."""
        row = self._connection.execute(select(candles).where(self._is_candle(key))).first()
        return candle_of(row).figures if row else None

    def trades_of(self, key: CandleKey) -> Iterator[Trade]:
        """Give the trades in a candle, busted ones too."""
        known = self.figures(key)
        if known is None:
            return
        columns = trades.c
        found = select(trades).where(
            columns.partition == self.partition,
            columns.symbol_id == key.symbol_id,
            columns.sequence.between(known.first_sequence, known.last_sequence),
            columns.business_date == key.business_date,
            columns.executed_ns >= key.start_ns,
            columns.executed_ns < key.start_ns + key.interval_s * SECOND_NS,
        )
        for row in self._connection.execute(found):
            yield trade_of(row)

    def figures_within(self, key: CandleKey, interval_s: int) -> Iterator[Figures]:
        """Give the figures of the candles of a shorter interval that lie inside a candle."""
        columns = candles.c
        found = select(candles).where(
            columns.partition == self.partition,
            columns.symbol_id == key.symbol_id,
            columns.interval_s == interval_s,
            columns.business_date == key.business_date,
        )
        if key.interval_s != DAY_S:
            end_ns = key.start_ns + key.interval_s * SECOND_NS
            found = found.where(columns.start_ns >= key.start_ns, columns.start_ns < end_ns)
        for row in self._connection.execute(found):
            figures = candle_of(row).figures
            if figures is not None:
                yield figures

    @property
    def _connection(self) -> Connection:
        assert self.connection is not None, "the tape is used outside a transaction"
        return self.connection

    def _is_trade(self, sequence: int) -> ColumnElement[bool]:
        return and_(trades.c.partition == self.partition, trades.c.sequence == sequence)

    def _key_values(self, key: CandleKey) -> dict[str, int]:
        values = {f"_{name}": getattr(key, name) for name in _KEY}
        return {"_partition": self.partition, **values}

    def _is_candle(self, key: CandleKey) -> ColumnElement[bool]:
        return and_(
            candles.c.partition == self.partition,
            candles.c.symbol_id == key.symbol_id,
            candles.c.interval_s == key.interval_s,
            candles.c.start_ns == key.start_ns,
            candles.c.business_date == key.business_date,
        )
