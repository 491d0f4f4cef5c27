"""The tape: every trade in the order of the stream, the candles it goes into, and their repair after a bust.

New trades only ever need the newest candles, which are kept here. A bust or correction looks back: the
shortest candle it concerns is added up again from its trades, each longer one from the candles inside it.
What is looked back into is a `History`, to which the tape itself writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Protocol

import msgspec

from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.units import date_number, sequence_of
from exchange.market_data.candles import Candle, CandleKey, candle_start
from exchange.market_data.statistics import Figures, combine, figures_of_trade
from exchange.market_data.trade import Trade
from exchange.wire.fields import RECORD_START, field_struct, kind_of
from exchange.wire.records import decode_event

REBUILD_CANDLES = 10_000
"""Candles that `rebuild` holds before it writes them."""

_EXECUTED = field_struct(
    e.TradeExecuted, "partition", "sequence", "time_ns", "symbol_id", "maker_order_id", "taker_order_id",
    "price", "quantity", "reference_price", "taker_side",
)  # fmt: skip
_TRADE = kind_of(e.TradeExecuted)
_LOOKED_AT = {
    kind_of(e.TradeBusted): True,
    kind_of(e.TradeCorrected): True,
    kind_of(e.BusinessDayStarted): True,
}
_SIDES = {int(side): side for side in Side}


class History(Protocol):
    """Where the tape's trades and candles are kept."""

    def save(self, new: list[Trade], changed: list[Trade], candles: list[Candle]) -> None:
        """Write trades and candles; a candle without figures is removed."""

    def trade(self, sequence: int) -> Trade | None:
        """Return the trade of an event sequence."""

    def figures(self, key: CandleKey) -> Figures | None:
        """Return a candle's figures."""

    def trades_of(self, key: CandleKey) -> Iterable[Trade]:
        """Return the trades in a candle, busted ones too."""

    def figures_within(self, key: CandleKey, interval_s: int) -> Iterable[Figures]:
        """Return the figures of the candles of a shorter interval that lie inside a candle."""


class TapeUpdate(msgspec.Struct, frozen=True, gc=False):
    """A trade came onto the tape, or was changed there.

    sequence: of the event; prev_sequence: that of the symbol's update before, 0 for the first; trade: as it
    is after it; before: as it was, None where it is new. Its candles are given as bases, shortest first, and as the
    figures of the trades since then, this one among them; they are only added up where somebody looks.
    """

    sequence: int
    prev_sequence: int
    time_ns: int
    trade: Trade
    bases: tuple[Candle, ...]
    before: Trade | None = None
    since: Figures | None = None

    @property
    def candles(self) -> tuple[Candle, ...]:
        """Return the candles that it changed, as they are after it, shortest first."""
        since = self.since
        return self.bases if since is None else tuple([base.with_figures(since) for base in self.bases])

    @property
    def day(self) -> Candle:
        """Return the candle of the trade's business date."""
        base = self.bases[-1]
        return base if self.since is None else base.with_figures(self.since)

    def candle_at(self, place: int) -> Candle:
        """Return one of the candles, counted from the shortest."""
        base = self.bases[place]
        return base if self.since is None else base.with_figures(self.since)


class Run:
    """New trades of one symbol that all are in the same candles, the newest: their figures are added up once.

    bases: the candles as they were before; since: the figures of the trades, None before the first.
    """

    __slots__ = ("bases", "business_date", "end_ns", "since", "start_ns")

    def __init__(self, bases: tuple[Candle, ...]) -> None:
        self.bases = bases
        self.since: Figures | None = None
        shortest = bases[0]
        self.business_date = shortest.key.business_date
        self.start_ns, self.end_ns = shortest.key.start_ns, shortest.end_ns


class Tape:
    """The tape of one partition. intervals_s: shortest first, the business date last.

    business_date: YYYYMMDD, 0 before the first; chains: sequence of each symbol's last update.
    """

    def __init__(self, history: History, intervals_s: tuple[int, ...], business_date: int = 0) -> None:
        self.history = history
        self.intervals_s = intervals_s
        self.business_date = business_date
        self.chains: dict[int, int] = {}
        self._current: dict[tuple[int, int], Candle] = {}
        self._new: list[Trade] = []
        self._changed: list[Trade] = []
        self._dirty: dict[CandleKey, Candle] = {}
        self._runs: dict[int, Run] = {}

    def apply(self, events: bytes) -> list[TapeUpdate]:
        """Take event records in; return what they put on the tape. `save` then writes it."""
        updates: list[TapeUpdate] = []
        offset, end = 0, len(events)
        while offset < end:
            length, kind, _ = RECORD_START.unpack_from(events, offset)
            if kind == _TRADE:
                updates.append(self._print(events, offset))
            elif kind in _LOOKED_AT:
                match decode_event(events, offset):
                    case e.TradeBusted() | e.TradeCorrected() as event:
                        updates += self._change(event)
                    case e.BusinessDayStarted(date=date):
                        self.business_date = date
            offset += length
        return updates

    def save(self) -> None:
        """Write what has not been written yet."""
        self._end_runs()
        if self._new or self._changed or self._dirty:
            self.history.save(self._new, self._changed, list(self._dirty.values()))
            self._new, self._changed, self._dirty = [], [], {}

    def rebuild(self, trades: Iterable[Trade]) -> None:
        """Add trades to their candles that are kept already: for a history whose candles were removed."""
        for trade in trades:
            if trade.stands:
                for interval_s in self.intervals_s:
                    self._add(trade, interval_s)
            if len(self._dirty) >= REBUILD_CANDLES:
                self.save()
        self.save()

    def _print(self, events: bytes, offset: int) -> TapeUpdate:
        (
            partition, sequence, time_ns, symbol_id, maker_order_id, taker_order_id, price, quantity,
            reference_price, taker_side,
        ) = _EXECUTED.unpack_from(events, offset)  # fmt: skip
        date = self.business_date or date_number(time_ns)
        trade = Trade(
            partition, sequence, symbol_id, date, time_ns, price, quantity, price, quantity, maker_order_id,
            taker_order_id, _SIDES[taker_side], reference_price,
        )  # fmt: skip
        self._new.append(trade)
        run = self._runs.get(symbol_id)
        if run is None or run.business_date != date or not run.start_ns <= time_ns < run.end_ns:
            return self._print_first(trade)
        if run.since is None:
            run.since = figures_of_trade(sequence, price, quantity)
        else:
            run.since = run.since.with_trade(sequence, price, quantity)
        prev_sequence = self._link(symbol_id, sequence)
        return TapeUpdate(sequence, prev_sequence, time_ns, trade, run.bases, None, run.since)

    def _print_first(self, trade: Trade) -> TapeUpdate:
        """Print a trade that is in other candles than the one before, and begin a run where they are the newest."""
        symbol_id = trade.symbol_id
        self._end_run(symbol_id)
        candles = tuple([self._add(trade, interval_s) for interval_s in self.intervals_s])
        if all(self._current[symbol_id, candle.key.interval_s] is candle for candle in candles):
            self._runs[symbol_id] = Run(candles)
        prev_sequence = self._link(symbol_id, trade.sequence)
        return TapeUpdate(trade.sequence, prev_sequence, trade.executed_ns, trade, candles)

    def _end_run(self, symbol_id: int) -> None:
        """Let the newest candles be what the run of a symbol has made of them."""
        run = self._runs.pop(symbol_id, None)
        if run is None or run.since is None:
            return
        for base in run.bases:
            candle = base.with_figures(run.since)
            self._current[symbol_id, candle.key.interval_s] = self._dirty[candle.key] = candle

    def _end_runs(self) -> None:
        for symbol_id in list(self._runs):
            self._end_run(symbol_id)

    def _add(self, trade: Trade, interval_s: int) -> Candle:
        """Add a new trade to its candle of one interval."""
        date = trade.business_date
        start_ns = candle_start(interval_s, date, trade.executed_ns)
        slot = trade.symbol_id, interval_s
        current = self._current.get(slot)
        if current is not None and current.key.start_ns == start_ns and current.key.business_date == date:
            key, figures = current.key, current.figures
        else:
            key = CandleKey(trade.symbol_id, interval_s, date, start_ns)
            is_new = current is not None and start_ns > current.key.start_ns
            figures = None if is_new else self._figures(key)
        if figures is None:
            figures = figures_of_trade(trade.sequence, trade.price, trade.quantity)
        else:
            figures = figures.with_trade(trade.sequence, trade.price, trade.quantity)
        candle = self._dirty[key] = Candle(key, figures)
        if current is None or start_ns >= current.key.start_ns:
            self._current[slot] = candle
        return candle

    def _figures(self, key: CandleKey) -> Figures | None:
        """Look a candle up that is not the newest known."""
        if key in self._dirty:
            return self._dirty[key].figures
        return self.history.figures(key)

    def _change(self, event: e.TradeBusted | e.TradeCorrected) -> list[TapeUpdate]:
        self.save()
        before = self.history.trade(sequence_of(event.match_id))
        assert before is not None, f"event {event.sequence} changes trade {event.match_id}, which is not kept"
        assert before.stands, f"event {event.sequence} changes trade {event.match_id}, which is busted"
        trade = before.changed(event)
        self.history.save([], [trade], [])
        return [
            TapeUpdate(
                event.sequence,
                self._link(trade.symbol_id, event.sequence),
                event.time_ns,
                trade,
                tuple(self._repair(trade)),
                before,
            )
        ]

    def _repair(self, trade: Trade) -> list[Candle]:
        """Add up again every candle that a changed trade is in, from the shortest to the longest."""
        keys = [
            CandleKey(
                trade.symbol_id,
                interval_s,
                trade.business_date,
                candle_start(interval_s, trade.business_date, trade.executed_ns),
            )
            for interval_s in self.intervals_s
        ]
        candles = [self._repaired(keys[0], figures_of_trades(self.history.trades_of(keys[0])))]
        for shorter, longer in pairwise(keys):
            within = self.history.figures_within(longer, shorter.interval_s)
            candles.append(self._repaired(longer, combine(within)))
        return candles

    def _repaired(self, key: CandleKey, figures: Figures | None) -> Candle:
        candle = Candle(key, figures)
        self.history.save([], [], [candle])
        slot = key.symbol_id, key.interval_s
        current = self._current.get(slot)
        if current is not None and current.key == key:
            self._current[slot] = candle
        return candle

    def _link(self, symbol_id: int, sequence: int) -> int:
        """Put an update at the end of its symbol's chain; return the sequence of the one before."""
        previous = self.chains.get(symbol_id, 0)
        self.chains[symbol_id] = sequence
        return previous


def figures_of_trades(trades: Iterable[Trade]) -> Figures | None:
    """Return the figures of those trades that stand."""
    return combine(
        figures_of_trade(trade.sequence, trade.price, trade.quantity) for trade in trades if trade.stands
    )
