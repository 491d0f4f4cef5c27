"""The thread that owns the journal: batches go in on the event loop, durable ones come back on it.

A thread of its own, for a shared executor adds 0.15 ms. While it has nothing to do it writes the seal and prepares the
next segment.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable

from exchange.infra.errors import InfraError
from exchange.infra.journal import CommandBatch, Journal

SEAL_AFTER_S = 0.005


class _Close:
    """The last word to the thread."""

    def __init__(self, clean: bool) -> None:
        self.clean = clean


class JournalWriter:
    """Hands one batch at a time to a journal. Its methods belong to the event loop."""

    def __init__(self, journal: Journal, *, seal_after_s: float = SEAL_AFTER_S) -> None:
        self._journal = journal
        self._seal_after_s = seal_after_s
        self._queue: queue.SimpleQueue[CommandBatch | _Close] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._closed: asyncio.Future[bool] | None = None

    def start(self, on_durable: Callable[[int], None], on_failure: Callable[[str], None]) -> None:
        """Begin. on_durable: called on the loop with the nanoseconds the write took; on_failure: with the reason."""
        self._loop = asyncio.get_running_loop()
        self._on_durable = on_durable
        self._on_failure = on_failure
        self._thread.start()

    def write(self, batch: CommandBatch) -> None:
        """Store a batch. The next one may follow when this one was said to be durable."""
        self._queue.put(batch)

    async def close(self, *, clean: bool) -> bool:
        """End the thread and the journal, after what was handed over; tell whether all of it was stored.

        clean: write the close record.
        """
        if self._closed is None and self._thread.is_alive():
            self._closed = self._loop.create_future()
            self._queue.put(_Close(clean))
        return await asyncio.shield(self._closed) if self._closed else True

    def _run(self) -> None:
        stored = True
        try:
            clean = self._serve()
        except Exception as error:
            self._call(self._on_failure, str(error) or repr(error))
            self._wait_for_close()
            clean = stored = False
        try:
            self._journal.close(clean=clean)
        except (InfraError, OSError):
            stored = False
        self._call(self._finish, stored)

    def _serve(self) -> bool:
        """Write until told to end; tell whether cleanly."""
        sealed, preparing = True, True
        while True:
            item = self._next_item(sealed, preparing)
            if isinstance(item, _Close):
                return item.clean
            if item is None and preparing and sealed:
                preparing = self._journal.prepare()
            elif item is None:
                self._journal.seal()
                sealed = True
            else:
                started_ns = time.perf_counter_ns()
                self._journal.append(item)
                self._call(self._on_durable, time.perf_counter_ns() - started_ns)
                sealed, preparing = False, True
                if self._journal.prepare_is_urgent():
                    self._journal.prepare()

    def _next_item(self, sealed: bool, preparing: bool) -> CommandBatch | _Close | None:
        try:
            if not sealed:
                return self._queue.get(timeout=self._seal_after_s)
            return self._queue.get(block=not preparing)
        except queue.Empty:
            return None

    def _wait_for_close(self) -> None:
        """Drop what still comes after a failure: nobody is told that it was stored."""
        while not isinstance(self._queue.get(), _Close):
            pass

    def _call(self, callback: Callable[..., None], *arguments: object) -> None:
        # The loop is closed only where a process ends without stopping its engine; then nobody is left to be told.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _finish(self, stored: bool) -> None:
        if self._closed and not self._closed.done():
            self._closed.set_result(stored)
