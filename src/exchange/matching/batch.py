"""Several submissions carried out at one time: numbered, matched, and each with the events of its own commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from exchange.wire.numbering import number


class AppliedBatch(NamedTuple):
    """What became of submissions. commands: numbered; ends: where the events of each submission end in `events`."""

    commands: bytes
    events: bytes
    ends: list[int]


class Appliable(Protocol):
    """The part of a venue that is needed here."""

    @property
    def partition(self) -> int:
        """Return the partition that is filled in."""

    @property
    def command_sequence(self) -> int:
        """Return the sequence of the last command."""

    def apply(self, commands: bytes, time_ns: int) -> bytes:
        """Carry out numbered commands."""


def apply_batch(venue: Appliable, submissions: Sequence[bytes], time_ns: int) -> AppliedBatch:
    """Number the records of each submission on from the venue's last command, and carry them out.

    submissions: each a run of whole command records.
    """
    commands: list[bytes] = []
    events: list[bytes] = []
    ends: list[int] = []
    end = 0
    for submission in submissions:
        commands.append(number(submission, venue.command_sequence + 1, venue.partition))
        events.append(venue.apply(commands[-1], time_ns))
        end += len(events[-1])
        ends.append(end)
    return AppliedBatch(b"".join(commands), b"".join(events), ends)
