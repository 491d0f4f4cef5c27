"""The writer of a journal that is not synced: on the event loop itself, for there is no disk to wait for.

Two wake-ups of a thread cost more than such a write does. A batch is told of in the next turn of the loop, never within
`write`. Seals are written, and the next segment prepared, when nothing came for a moment.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from exchange.infra.errors import InfraError
from exchange.infra.journal import CommandBatch, Journal
from exchange.infra.journal_writer import SEAL_AFTER_S


class BufferedWriter:
    """Hands batches to a journal whose durability is "buffered". What each method means says `JournalWriter`."""

    def __init__(self, journal: Journal, *, seal_after_s: float = SEAL_AFTER_S) -> None:
        self._journal = journal
        self._seal_after_s = seal_after_s
        self._failed = False
        self._stored: bool | None = None
        self._batches = self._batches_seen = 0
        self._idle: asyncio.TimerHandle | None = None

    def start(self, on_durable: Callable[[int], None], on_failure: Callable[[str], None]) -> None:
        """Begin. on_durable: called on the loop with the nanoseconds the write took; on_failure: with the reason."""
        self._loop = asyncio.get_running_loop()
        self._on_durable = on_durable
        self._on_failure = on_failure
        self._look_later()

    def write(self, batch: CommandBatch) -> None:
        """Store a batch. The next one may follow when this one was said to be stored."""
        if self._failed or self._stored is not None:
            return
        started_ns = time.perf_counter_ns()
        try:
            self._journal.append(batch)
            if self._journal.prepare_is_urgent():
                self._journal.prepare()
        except InfraError as error:
            self._fail(error)
            return
        self._batches += 1
        self._loop.call_soon(self._on_durable, time.perf_counter_ns() - started_ns)
        if self._idle is None:
            self._look_later()

    async def close(self, *, clean: bool) -> bool:
        """End the journal; tell whether all of it was stored."""
        if self._stored is None:
            if self._idle is not None:
                self._idle.cancel()
            self._stored = not self._failed
            try:
                self._journal.close(clean=clean and not self._failed)
            except (InfraError, OSError):
                self._stored = False
        return self._stored

    def _look_later(self) -> None:
        self._batches_seen = self._batches
        self._idle = self._loop.call_later(self._seal_after_s, self._look)

    def _look(self) -> None:
        """Seal where nothing came since the last look, then prepare a little; rest when there is nothing to do."""
        self._idle = None
        try:
            if self._batches != self._batches_seen:
                self._look_later()
                return
            self._journal.seal()
            if self._journal.prepare():
                self._look_later()
        except InfraError as error:
            self._fail(error)

    def _fail(self, error: InfraError) -> None:
        self._failed = True
        self._loop.call_soon(self._on_failure, str(error))
