"""The commands of one journal batch while it gathers, and those who wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from exchange.engine.replay import ReplayableVenue
from exchange.engine.submission import Submission
from exchange.infra.journal import CommandBatch
from exchange.matching.batch import AppliedBatch
from exchange.wire.envelope import EventBatch


class Generation:
    """Matched commands that become one batch. Everything in it has been applied to the venue.

    received_ns: when each submission came, by `perf_counter_ns`.
    """

    __slots__ = (
        "_answers",
        "_commands",
        "_event_runs",
        "_venue",
        "barriers",
        "count",
        "events_after",
        "events_before",
        "first_sequence",
        "hash_before",
        "pending",
        "received_ns",
        "size_bytes",
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
        self.pending = 0
        self.received_ns: list[int] = []
        self._answers: list[tuple[asyncio.Future[bytes], bytes, int, int]] = []
        self.barriers: list[asyncio.Future[None]] = []
        self._commands: list[bytes] = []
        self._event_runs: list[bytes] = []

    def apply(self, submissions: Sequence[bytes], count: int) -> AppliedBatch:
        """Have runs of records, so many commands in all, numbered and matched."""
        venue = self._venue
        expected = venue.command_sequence + count
        applied = venue.apply_batch(submissions, self.time_ns)
        assert venue.command_sequence == expected, "the venue left out a command"
        self.count += count
        self.size_bytes += len(applied.commands)
        self._commands.append(applied.commands)
        self._event_runs.append(applied.events)
        return applied

    def take(self, submissions: Sequence[Submission]) -> None:
        """Have submissions matched, in one call; their answers wait until this generation is durable."""
        sequence, start = self._venue.command_sequence + 1, 0
        count = sum(submission.count for submission in submissions)
        applied = self.apply([submission.commands for submission in submissions], count)
        self.pending += count
        for submission, end in zip(submissions, applied.ends, strict=True):
            self.received_ns.append(submission.received_ns)
            if submission.matched:
                submission.matched(sequence)
            if submission.answer:
                self._answers.append((submission.answer, applied.events, start, end))
            sequence += submission.count
            start = end

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
        for answer, events, start, end in self._answers:
            if not answer.done():
                answer.set_result(events[start:end])
        for barrier in self.barriers:
            if not barrier.done():
                barrier.set_result(None)

    def waiting(self) -> list[asyncio.Future[Any]]:
        """List all who wait."""
        return [*(answer for answer, *_ in self._answers), *self.barriers]
