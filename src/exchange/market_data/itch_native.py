"""The ITCH stream in Rust behind the interface of `ItchStream`: the same messages from the same events.

Importing this raises `ImportError` where the wheel `exchange-native` is not installed. While events are taken in, other
threads run.
"""

from __future__ import annotations

from typing import NoReturn

import msgspec

from exchange.domain.directory import Directory
from exchange.domain.symbol import Symbol
from exchange.market_data.book_builder import BookBuilder
from exchange.market_data.itch_stream import DayPart, ItchStream, Snapshot, blocked_in, read_snapshot
from exchange.wire import itch, native
from exchange.wire.fields import refuse_unknown
from exchange.wire.records import BY_NUMBER, ProtocolError, decode_events

_KNOWN = bytes(number for number, layout in BY_NUMBER.items() if layout.is_event)
_NO_BOOKS = BookBuilder().snapshot()


class NativeItchStream(ItchStream):
    """What each method means says `ItchStream`; there is no `builder`, the books live in the compiled module."""

    def __init__(self, state: Snapshot | None = None) -> None:
        self._go_on_from(state or Snapshot(0, [], _NO_BOOKS, {}, {}))

    def _go_on_from(self, state: Snapshot) -> None:
        self._directory = Directory()
        self._directory.symbols.update((symbol.symbol_id, symbol) for symbol in state.symbols)
        self._directory.breaker_close = state.breaker_close
        # The definition reads older snapshots too, and says what is wrong with others.
        books = BookBuilder.restore(state.books).snapshot()
        rows = [_row(symbol) for symbol in state.symbols]
        try:
            self._core = native.ItchStream(
                _KNOWN, books,
                (state.date, state.breaker_close, rows, list(state.refs.items()), list(state.matches.items()),
                 state.blocked),
            )  # fmt: skip
        except ValueError as error:
            raise ProtocolError(f"snapshot of ITCH: {error}") from error

    @property
    def date(self) -> int:  # type: ignore[override]
        """Return the present business date, 0 before any."""
        return self._core.date

    @property
    def sequence(self) -> int:
        """Return the sequence of the last event taken in."""
        return self._core.sequence

    @property
    def time_ns(self) -> int:
        """Return the time of the last event taken in."""
        return self._core.time_ns

    def apply(self, events: bytes) -> list[DayPart]:
        """Take event records of whole commands in; return the messages they make."""
        try:
            rows = self._core.apply(events)
        except ValueError as error:
            _complain(error)
        for event in decode_events(self._core.take_directory_events()):
            self._directory.apply(event)
        return [DayPart(*row) for row in rows]

    def begin(self, directory: Directory, books: bytes, date: int) -> list[DayPart]:
        """Begin in the middle of a market, a date with what stands there; return its first messages."""
        symbols = list(directory.symbols.values())
        self._go_on_from(
            Snapshot(self.date, symbols, books, {}, {}, blocked_in(directory), directory.breaker_close)
        )
        return [DayPart(*row) for row in self._core.begin(date)]

    def snapshot(self) -> bytes:
        """Write the state between two commands."""
        date, breaker_close, refs, matches, blocked = self._core.state()
        symbols = list(self._directory.symbols.values())
        return msgspec.msgpack.encode(
            Snapshot(date, symbols, self._core.books(), dict(refs), dict(matches), blocked, breaker_close)
        )

    @classmethod
    def restore(cls, data: bytes) -> NativeItchStream:
        """Read what `snapshot` wrote. Raise `ProtocolError` where it is something else."""
        return cls(read_snapshot(data))


def _row(symbol: Symbol) -> tuple[int, bytes, int, int, int, int, int, bool]:
    return (
        symbol.symbol_id, itch.text(symbol.symbol), symbol.round_lot, symbol.state, symbol.phase,
        symbol.volatility.tier, symbol.short_sales.trigger_bps, symbol.is_short_restricted,
    )  # fmt: skip


def _complain(error: ValueError) -> NoReturn:
    """Raise the `ProtocolError` for what the compiled module found broken."""
    offset, *kind = error.args
    if not kind:
        raise ProtocolError(f"length at offset {offset}: the record there is cut, or less than any event has")
    if kind[0] is not None:
        refuse_unknown(kind[0], offset)
    raise ProtocolError(f"event at offset {offset}: it does not follow from those before it; begin anew")
