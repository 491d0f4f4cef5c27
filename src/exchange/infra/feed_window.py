"""Batches that came too early wait here, in order of their sequence and within a bound; and what is done with
batches.

Pure: it knows neither the bus nor the engine.
"""

from __future__ import annotations

import struct
from bisect import insort

from exchange.wire.envelope import EventBatch
from exchange.wire.records import EVENT_HEADER, LAST_OF_COMMAND, LENGTH, RECORD_BYTES_MAX, ProtocolError

_HEADER_BEGIN = struct.Struct("<IBBBBQ")
"""The first 16 bytes of an event: length, type, version, flags, partition, sequence."""
WINDOW_BYTES_MAX = 16 << 20
"""When the window is full, the batch that is farthest ahead is dropped; it is fetched when its turn comes."""
BATCH_BYTES_MAX = 1 << 20
"""Neighbouring batches are handed over as one up to this size."""
BATCH_OVERHEAD_BYTES = 256
"""Counted for each batch in the window beside its events, so that many small ones are bounded too."""


class ReorderWindow:
    """Batches waiting for those before them."""

    def __init__(self, bytes_max: int = WINDOW_BYTES_MAX) -> None:
        self.bytes_max = bytes_max
        self.bytes = 0
        self._batches: list[EventBatch] = []

    def __len__(self) -> int:
        return len(self._batches)

    @property
    def is_filling(self) -> bool:
        """Tell whether more than half is taken: whoever fills it for a slow reader should pause."""
        return self.bytes > self.bytes_max // 2

    def continues(self, position: int) -> bool:
        """Tell whether the next event after a position is here."""
        for batch in self._batches:
            if batch.last_sequence > position:
                return batch.first_sequence <= position + 1
        return False

    def put(self, batch: EventBatch) -> bool:
        """Keep a batch; False where it, or one farther ahead, was dropped for lack of room."""
        insort(self._batches, batch, key=_first_sequence)
        self.bytes += _weight(batch)
        kept = True
        while self.bytes > self.bytes_max and len(self._batches) > 1:
            self.bytes -= _weight(self._batches.pop())
            kept = False
        return kept

    def take(self, position: int, bytes_max: int = BATCH_BYTES_MAX) -> tuple[EventBatch | None, int]:
        """Take what follows a position without a gap, as one batch; with it the number of batches seen
        before.
        """
        parts: list[EventBatch] = []
        duplicates = size = taken = 0
        for batch in self._batches:
            if batch.first_sequence > position + 1 or size >= bytes_max:
                break
            taken += 1
            self.bytes -= _weight(batch)
            if batch.last_sequence <= position:
                duplicates += 1
                continue
            parts.append(trim(batch, position))
            position = batch.last_sequence
            size += len(batch.events)
        del self._batches[:taken]
        return (merge(parts) if parts else None), duplicates


def trim(batch: EventBatch, position: int) -> EventBatch:
    """Return a batch without the events up to a position."""
    seen = min(position + 1 - batch.first_sequence, batch.count)
    if seen <= 0:
        return batch
    rest = batch.events[_offset_of(batch, seen) :]
    return EventBatch(batch.partition, batch.epoch, batch.first_sequence + seen, batch.count - seen, rest)


def merge(parts: list[EventBatch]) -> EventBatch:
    """Make one batch of neighbours."""
    if len(parts) == 1:
        return parts[0]
    first, last = parts[0], parts[-1]
    count = last.last_sequence + 1 - first.first_sequence
    return EventBatch(
        first.partition, last.epoch, first.first_sequence, count, b"".join(part.events for part in parts)
    )


def check_batch(batch: EventBatch) -> None:
    """Raise `ProtocolError` unless the records are what the batch says: numbered without gap, whole commands."""
    events, end = batch.events, len(batch.events)
    expected, flags, offset = batch.first_sequence, LAST_OF_COMMAND, 0
    while offset < end:
        if end - offset < EVENT_HEADER.size:
            raise ProtocolError(f"header at offset {offset}: {end - offset} bytes are left")
        length, _, _, flags, partition, sequence = _HEADER_BEGIN.unpack_from(events, offset)
        if not EVENT_HEADER.size <= length <= min(RECORD_BYTES_MAX, end - offset):
            raise ProtocolError(f"length at offset {offset}: {length}, with {end - offset} bytes left")
        if sequence != expected or partition != batch.partition:
            raise ProtocolError(
                f"sequence at offset {offset}: event {sequence} of partition {partition}, "
                f"{expected} of {batch.partition} should follow"
            )
        expected += 1
        offset += length
    if expected != batch.first_sequence + batch.count:
        found = expected - batch.first_sequence
        raise ProtocolError(f"count: {batch.count} in the envelope, {found} events in it")
    if not flags & LAST_OF_COMMAND:
        raise ProtocolError(f"flags of event {expected - 1}: the batch ends within a command")


def epoch_of(batch: EventBatch, sequence: int) -> int:
    """Return the epoch in which an event of a batch happened."""
    epoch: int = EVENT_HEADER.unpack_from(batch.events, _offset_of(batch, sequence - batch.first_sequence))[8]
    return epoch


def record_of(batch: EventBatch, sequence: int) -> bytes:
    """Return the record of an event of a batch."""
    index = sequence - batch.first_sequence
    return batch.events[_offset_of(batch, index) : _offset_of(batch, index + 1)]


def _offset_of(batch: EventBatch, index: int) -> int:
    """Return where a record begins in a batch that was checked; for the one after the last, the end."""
    offset = 0
    for _ in range(index):
        offset += LENGTH.unpack_from(batch.events, offset)[0]
    return offset


def _first_sequence(batch: EventBatch) -> int:
    return batch.first_sequence


def _weight(batch: EventBatch) -> int:
    return len(batch.events) + BATCH_OVERHEAD_BYTES
