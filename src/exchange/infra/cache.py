"""The cache beside the components: what it is asked for, and its form within one process.

A cache is never the truth: it may be empty, behind or gone, and everything goes on. It holds named tables, each from
a field to bytes, and one mark that says up to which event they are whole, and since when. One writer at a time: it
begins by emptying the tables, and holds them as long as it writes at least every `LEASE_S`. While it fills them there
is no mark, so that nobody takes a part for the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from time import monotonic
from typing import NamedTuple, Protocol

import msgspec

from exchange.infra.errors import InfraError

LEASE_S = 2.0
"""A writer that was silent for so long may be relieved by another."""
FIELDS_MAX = 1_000
"""Most fields of one write or look; a caller with more takes several."""


class CacheUnavailable(InfraError):
    """The cache does not answer now, or refuses; who asks goes on without it."""


class Outcome(Enum):
    """What became of a write."""

    DONE = "done"
    LOST = "lost"
    """The tables are no longer this writer's: emptied, or in another's hands. Nothing was written; begin again."""
    HELD = "held"
    """Another writer holds the tables. Nothing was written."""


class Mark(NamedTuple):
    """Up to which event the tables are whole. age_s: since the writer said so."""

    sequence: int
    time_ns: int
    age_s: float


class Look(NamedTuple):
    """What was found at one moment. mark: None while the tables are not whole; values: None where there is none."""

    mark: Mark | None
    values: list[bytes | None]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is written at once. begin: empty all tables first; sequence: 0 where more is to come, else the mark."""

    entries: Sequence[tuple[str, str, bytes]] = ()
    """(table, field, value), at most `FIELDS_MAX`."""
    begin: bool = False
    sequence: int = 0
    time_ns: int = 0


class Cache(Protocol):
    """Tables that one writes and many read. Every question may raise `CacheUnavailable`."""

    @property
    def problem(self) -> str:
        """Why the cache cannot be used now, empty where it can."""

    async def write(self, writer: str, change: Change) -> Outcome:
        """Write in one step, or not at all."""

    async def look(self, wanted: Sequence[tuple[str, str]]) -> Look:
        """Read (table, field) pairs in one step, at most `FIELDS_MAX`."""

    async def whole(self, table: str) -> Look:
        """Read all values of a table in one step, in no order."""


class MemoryCache:
    """A cache within one process. now_s: the clock of lease and age."""

    def __init__(self, tables: Sequence[str], now_s: Callable[[], float] = monotonic) -> None:
        self.problem = ""
        self._now_s = now_s
        self._names = tuple(tables)
        self._tables: dict[str, dict[str, bytes]] = {name: {} for name in tables}
        self._writer = ""
        self._written_s = 0.0
        self._sequence, self._time_ns = 0, 0

    async def write(self, writer: str, change: Change) -> Outcome:
        """Write in one step, or not at all."""
        assert len(change.entries) <= FIELDS_MAX
        now_s = self._now_s()
        if self._writer not in ("", writer) and now_s - self._written_s < LEASE_S:
            return Outcome.HELD
        if change.begin:
            self.clear()
        elif self._writer != writer:
            return Outcome.LOST
        for table, field, value in change.entries:
            self._tables[table][field] = value
        self._writer, self._written_s = writer, now_s
        if change.sequence:
            self._sequence, self._time_ns = change.sequence, change.time_ns
        return Outcome.DONE

    async def look(self, wanted: Sequence[tuple[str, str]]) -> Look:
        """Read (table, field) pairs in one step."""
        assert len(wanted) <= FIELDS_MAX
        return Look(self._mark(), [self._tables[table].get(field) for table, field in wanted])

    async def whole(self, table: str) -> Look:
        """Read all values of a table in one step."""
        return Look(self._mark(), [*self._tables[table].values()])

    def clear(self) -> None:
        """Forget everything, as a restart would."""
        self._tables = {name: {} for name in self._names}
        self._writer, self._sequence = "", 0

    def _mark(self) -> Mark | None:
        if not self._sequence:
            return None
        return Mark(self._sequence, self._time_ns, max(0.0, self._now_s() - self._written_s))
