"""Where events come from when the bus does not bring them: the engine's event log, in this process or behind
HTTP.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol

from exchange.wire.envelope import EventBatch

FETCH_BYTES_MAX = 1 << 20
"""Size of one answer; one command's events are never cut, so an answer may be a little longer."""
WAIT_S_MAX = 30
"""Longest that a fetch waits for new events."""


class EventSource(Protocol):
    """Gives events by their number."""

    async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
        """Return the events after a sequence, whole commands, as many as fit one answer.

        With none, wait up to `wait_s` seconds for one. With none still, the batch is empty and its
        `first_sequence` is the one the next event will have: less than after + 1 where the engine is behind
        the asker. `epoch` is the engine's. Raise `EventsGone`, `SourceUnavailable` or `AccessRefused`.
        """


class EventLogReader(Protocol):
    """The part of the event log that a source needs. epoch: of the engine now."""

    partition: int
    epoch: int
    last_sequence: int

    def read(self, after: int, max_bytes: int) -> EventBatch:
        """Return whole commands after a sequence, in any thread; an empty batch where there are none."""
        ...


class LocalEventSource:
    """The event log of an engine in this process; call `wake` whenever events were added to it."""

    def __init__(self, event_log: EventLogReader) -> None:
        self._event_log = event_log
        self._added = asyncio.Event()

    def wake(self) -> None:
        """Let those who wait for events look again."""
        self._added.set()
        self._added = asyncio.Event()

    async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
        """Return the events after a sequence; see `EventSource.fetch`."""
        event_log = self._event_log
        if after == event_log.last_sequence and wait_s > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(wait_s, WAIT_S_MAX)):
                    await self._added.wait()
        last = event_log.last_sequence
        if after >= last:
            return EventBatch(event_log.partition, event_log.epoch, last + 1, 0, b"")
        return await asyncio.to_thread(event_log.read, after, FETCH_BYTES_MAX)
