"""What a client hands to the sequencer at once: checked before anything is numbered, numbered when its turn comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter_ns

from exchange.wire.numbering import count as count_records
from exchange.wire.numbering import number
from exchange.wire.records import COMMAND_HEADER, LENGTH, ProtocolError

__all__ = ["Submission", "check_framing", "number"]


class Submission:
    """Command records and who hears of them.

    answer: takes their events once they are durable; matched: called with the sequence of the first command when they
    are matched, before anything is released. Either may be missing. received_ns: when they came, by `perf_counter_ns`.
    """

    __slots__ = ("answer", "commands", "count", "matched", "received_ns")

    def __init__(
        self,
        commands: bytes,
        count: int,
        answer: asyncio.Future[bytes] | None = None,
        matched: Callable[[int], None] | None = None,
    ) -> None:
        self.commands = commands
        self.count = count
        self.answer = answer
        self.matched = matched
        self.received_ns = perf_counter_ns()


def check_framing(commands: bytes, count: int, bytes_max: int) -> None:
    """Raise `ProtocolError` unless these are so many whole command records, within the size of a batch."""
    size = len(commands)
    if not size or size > bytes_max:
        raise ProtocolError(f"submission: {size} bytes, allowed are 1 to {bytes_max}")
    if count == 1 and size >= COMMAND_HEADER.size and LENGTH.unpack_from(commands)[0] == size:
        return
    found = count_records(commands)
    if found != count:
        raise ProtocolError(f"count: {count}, the submission has {found} records")
