"""The commands of one journal batch while it gathers, and those who wait for it."""

from __future__ import annotations

import asyncio
from typing import Any

from exchange.engine.replay import ReplayableVenue
from exchange.engine.submission import Submission, number
from exchange.infra.journal import CommandBatch
from exchange.wire.envelope import EventBatch


class Generation:
    """Matched commands that become one batch. Everything in it has been applied to the venue."""

    __slots__ = (
        "_commands",
        "_event_runs",
        "_venue",
        "barriers",
        "count",
        "events_after",
        "events_before",
        "first_sequence",
        "hash_before",
        "size_bytes",
        "submissions",
        "time_ns",
    )

    def __init__(self, venue: ReplayableVenue, time_ns: int) -> None:
        self._venue = venue
        self.time_ns = time_ns
        self.first_sequence = venue.command_sequence + 1
        self.hash_before = venue.running_hash
        self.events_before = self.events_after = venue.event_sequence
        self.count = 0
        self.size_bytes = 0
        self.submissions: list[Submission] = []
        self.barriers: list[asyncio.Future[None]] = []
        self._commands: list[bytes] = []
        self._event_runs: list[bytes] = []

    def apply(self, commands: bytes, count: int) -> bytes:
        """Number commands and have them matched; return their events."""
        venue = self._venue
        numbered = number(commands, venue.command_sequence + 1, venue.partition)
        expected = venue.command_sequence + count
        events = venue.apply(numbered, self.time_ns)
        assert venue.command_sequence == expected, "the venue left out a command"
        self.count += count
        self.size_bytes += len(numbered)
        self._commands.append(numbered)
        self._event_runs.append(events)
        return events

    def take(self, submission: Submission) -> None:
        """Have a submission matched; its answer waits until this generation is durable."""
        submission.events = self.apply(submission.commands, submission.count)
        self.submissions.append(submission)

    def batch(self) -> CommandBatch:
        """Return what goes to disk; called once nothing more is added, and before anything else is matched."""
        venue = self._venue
        self.events_after = venue.event_sequence
        return CommandBatch(
            self.first_sequence,
            self.count,
            self.time_ns,
            b"".join(self._commands),
            self.hash_before,
            venue.running_hash,
            self.events_before,
            self.events_after,
        )

    def events(self, epoch: int) -> EventBatch:
        """Return all its events, once `batch` was called."""
        count = self.events_after - self.events_before
        return EventBatch(
            self._venue.partition, epoch, self.events_before + 1, count, b"".join(self._event_runs)
        )

    def release(self) -> None:
        """Give everybody who waits his answer; those who went away get none."""
        for submission in self.submissions:
            if not submission.answer.done():
                submission.answer.set_result(submission.events)
        for barrier in self.barriers:
            if not barrier.done():
                barrier.set_result(None)

    def waiting(self) -> list[asyncio.Future[Any]]:
        """List all who wait."""
        return [*(submission.answer for submission in self.submissions), *self.barriers]
