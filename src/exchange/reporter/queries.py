"""What is read from the store for REST and for subscribers who come back; safe beside a commit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

import msgspec
from sqlalchemy import Connection, Engine, Select, and_, func, or_, select

from exchange.infra.store import read_position
from exchange.infra.store_retry import begin_read
from exchange.market_data.candles import DAY_S, Candle
from exchange.market_data.trade import Trade, TradeStatus
from exchange.reporter.drop_copies import records_of
from exchange.reporter.rows import candle_of, trade_of
from exchange.reporter.schema import announcements, candles, drop_copies, trades

_DROP_COPY_ROWS = 16


class Span(msgspec.Struct, frozen=True):
    """From when to when candles begin; those up to one start and business date left out."""

    from_ns: int
    to_ns: int
    after_ns: int = -1
    after_date: int = 0


class DayStatistics(msgspec.Struct):
    """A business date after an event: candles of symbols, trades that were changed, the closes before."""

    sequence: int
    days: dict[int, Candle]
    changed: dict[tuple[int, TradeStatus], int]
    closes: dict[int, int]


class Queries:
    """The reading side of the store of one partition."""

    def __init__(self, engine: Engine, partition: int) -> None:
        self.engine = engine
        self.partition = partition

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Begin a transaction that sees one state of the store. Raise `StoreUnavailable` while that cannot be."""
        with begin_read(self.engine) as connection:
            yield connection

    # --- trades -----------------------------------------------------------------------------------

    def trade(self, sequence: int) -> Trade | None:
        """Return the trade of an event sequence."""
        with self.read() as connection:
            found = select(trades).where(trades.c.partition == self.partition, trades.c.sequence == sequence)
            row = connection.execute(found).first()
        return trade_of(row) if row else None

    def trades(self, symbol_id: int, before: int, limit: int, include_busted: bool) -> list[Trade]:
        """Return trades, newest first. symbol_id: 0 for all; before: an event sequence, 0 for the newest."""
        with self.read() as connection:
            return self.trades_before(connection, symbol_id, before, limit, include_busted)

    def trades_before(
        self,
        connection: Connection,
        symbol_id: int,
        before: int = 0,
        limit: int = 1,
        include_busted: bool = True,
    ) -> list[Trade]:
        """Return what `trades` does, in a transaction that is open."""
        columns = trades.c
        found = select(trades).where(columns.partition == self.partition)
        if symbol_id:
            found = found.where(columns.symbol_id == symbol_id)
        if before:
            found = found.where(columns.sequence < before)
        if not include_busted:
            found = found.where(columns.status != int(TradeStatus.BUSTED))
        found = found.order_by(columns.sequence.desc()).limit(limit)
        return [trade_of(row) for row in connection.execute(found)]

    def trades_of(self, symbol_ids: Collection[int], after: int, upto: int, limit: int) -> list[Trade]:
        """Return trades of several symbols after one event and up to another, oldest first. symbol_ids: empty for
        all.
        """
        columns = trades.c
        found = select(trades).where(columns.partition == self.partition)
        found = found.where(columns.sequence > after, columns.sequence <= upto)
        if symbol_ids:
            found = found.where(columns.symbol_id.in_(symbol_ids))
        with self.read() as connection:
            return [
                trade_of(row) for row in connection.execute(found.order_by(columns.sequence).limit(limit))
            ]

    # --- candles ----------------------------------------------------------------------------------

    def newest_candle(
        self,
        connection: Connection,
        symbol_id: int,
        interval_s: int,
        *,
        before_date: int = 0,
        before_ns: int = 0,
    ) -> Candle | None:
        """Return a symbol's newest candle that has figures, before a date or time where one is given."""
        columns = candles.c
        found = select(candles).where(
            columns.partition == self.partition,
            columns.symbol_id == symbol_id,
            columns.interval_s == interval_s,
        )
        if before_date:
            found = found.where(columns.business_date < before_date)
        if before_ns:
            found = found.where(columns.start_ns < before_ns)
        found = found.order_by(columns.start_ns.desc(), columns.business_date.desc()).limit(1)
        row = connection.execute(found).first()
        return candle_of(row) if row else None

    def candles(
        self, symbol_id: int, interval_s: int, span: Span, limit: int, newest: bool = False
    ) -> list[Candle]:
        """Return candles that begin in a span, oldest first. newest: those at its end where there are more."""
        columns = candles.c
        start, date = columns.start_ns, columns.business_date
        found = select(candles).where(
            columns.partition == self.partition,
            columns.symbol_id == symbol_id,
            columns.interval_s == interval_s,
            start >= span.from_ns,
            start < span.to_ns,
            or_(start > span.after_ns, and_(start == span.after_ns, date > span.after_date)),
        )
        order = (start.desc(), date.desc()) if newest else (start, date)
        with self.read() as connection:
            rows = [candle_of(row) for row in connection.execute(found.order_by(*order).limit(limit))]
        return rows[::-1] if newest else rows

    def candle_before(self, symbol_id: int, interval_s: int, before_ns: int) -> Candle | None:
        """Return the last candle that begins before a time."""
        with self.read() as connection:
            return self.newest_candle(connection, symbol_id, interval_s, before_ns=before_ns)

    def statistics(self, date: int) -> DayStatistics:
        """Return what a business date looks like, all at one event."""
        columns = trades.c
        counts = (
            select(columns.symbol_id, columns.status, func.count())
            .where(columns.partition == self.partition, columns.business_date == date, columns.status > 1)
            .group_by(columns.symbol_id, columns.status)
        )
        days = select(candles).where(
            candles.c.partition == self.partition,
            candles.c.interval_s == DAY_S,
            candles.c.business_date == date,
        )
        with self.read() as connection:
            found = DayStatistics(read_position(connection, self.partition).sequence, {}, {}, {})
            for symbol_id, status, count in connection.execute(counts):
                found.changed[symbol_id, TradeStatus(status)] = count
            for row in connection.execute(days):
                found.days[row.symbol_id] = candle_of(row)
            for symbol_id in connection.execute(_symbols_traded(self.partition)).scalars():
                previous = self.newest_candle(connection, symbol_id, DAY_S, before_date=date)
                if previous is not None and previous.figures is not None:
                    found.closes[symbol_id] = previous.figures.last
        return found

    # --- drop copies ------------------------------------------------------------------------------

    def drop_copies(
        self, accounts: Iterable[int], after: int, upto: int, limit: int
    ) -> list[tuple[int, int, bytes]]:
        """Return (sequence, account, record) of events that concern accounts, after one and up to another, in order."""
        with self.read() as connection:
            found = [
                (sequence, account_id, record)
                for account_id in accounts
                for sequence, record in islice(self._copies(connection, account_id, after, upto), limit)
            ]
        return sorted(found)[:limit]

    def _copies(
        self, connection: Connection, account_id: int, after: int, upto: int
    ) -> Iterator[tuple[int, bytes]]:
        """Give (sequence, record) of an account's events, a few rows at a time."""
        columns = drop_copies.c
        reached = after
        while reached < upto:
            found = (
                select(columns.sequence, columns.events)
                .where(
                    columns.partition == self.partition,
                    columns.account_id == account_id,
                    columns.sequence > reached,
                )
                .order_by(columns.sequence)
                .limit(_DROP_COPY_ROWS)
            )
            rows = connection.execute(found).all()
            for row in rows:
                yield from (each for each in records_of(row.events) if after < each[0] <= upto)
            if len(rows) < _DROP_COPY_ROWS:
                return
            reached = rows[-1].sequence

    # --- announcements ----------------------------------------------------------------------------

    def announcements_of(
        self, channel: str, symbol_ids: Collection[int], after: int, upto: int, limit: int
    ) -> list[tuple[int, int, bytes]]:
        """Return kept messages of several symbols as (sequence, symbol, JSON), oldest first. symbol_ids: empty for
        all.
        """
        columns = announcements.c
        found = (
            select(columns.sequence, columns.symbol_id, columns.message)
            .where(columns.partition == self.partition, columns.channel == channel)
            .where(columns.sequence > after, columns.sequence <= upto)
        )
        if symbol_ids:
            found = found.where(columns.symbol_id.in_(symbol_ids))
        with self.read() as connection:
            rows = connection.execute(found.order_by(columns.sequence).limit(limit))
            return [(sequence, symbol_id, message) for sequence, symbol_id, message in rows]

    def last_announcement(self, connection: Connection, channel: str, symbol_id: int, before: int = 0) -> int:
        """Return the sequence of a symbol's last kept message on a channel, 0 for none."""
        columns = announcements.c
        found = select(func.max(columns.sequence)).where(
            columns.partition == self.partition, columns.channel == channel, columns.symbol_id == symbol_id
        )
        if before:
            found = found.where(columns.sequence < before)
        return connection.execute(found).scalar() or 0

    def link_before(self, channel: str, symbol_id: int, before: int) -> int:
        """Return the sequence of a symbol's last message before another on trades or status, 0 for none."""
        with self.read() as connection:
            told = self.last_announcement(connection, channel, symbol_id, before)
            if channel != "trades":
                return told
            last = self.trades_before(connection, symbol_id, before)
            return max([told, *(trade.sequence for trade in last)])


def _symbols_traded(partition: int) -> Select[int]:
    columns = candles.c
    is_day = and_(columns.partition == partition, columns.interval_s == DAY_S)
    return select(columns.symbol_id).where(is_day).distinct()
