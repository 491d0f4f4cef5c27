"""The files of the event log: what one holds, its sparse index, and the check of one that has none."""

from __future__ import annotations

import re
import struct
from array import array
from bisect import bisect_right
from pathlib import Path
from zlib import crc32

from exchange.infra import disk
from exchange.infra.errors import InfraError
from exchange.wire.envelope import HEADER, decode_batch
from exchange.wire.records import ProtocolError

INDEX_STEP_BYTES = 64 * 1024
"""An index has one entry for about so many bytes of events."""
_NAME = re.compile(r"(\d{20})\.events\Z", re.ASCII)
_INDEX_HEADER = struct.Struct("<4sIQQII")
_INDEX_MAGIC = b"XEVI"


class EventFile:
    """One file of the log: which events it holds, and where some of them begin."""

    __slots__ = ("_offsets", "_sequences", "first_sequence", "next_sequence", "path", "size_bytes")

    def __init__(self, path: Path, first_sequence: int) -> None:
        self.path = path
        self.first_sequence = first_sequence
        self.next_sequence = first_sequence
        self.size_bytes = 0
        self._sequences = array("Q")
        self._offsets = array("Q")

    def add(self, first_sequence: int, count: int, size_bytes: int) -> None:
        """Note that an envelope was written at the end."""
        if not self._offsets or self.size_bytes >= self._offsets[-1] + INDEX_STEP_BYTES:
            self._offsets.append(self.size_bytes)
            self._sequences.append(first_sequence)
        self.size_bytes += size_bytes
        self.next_sequence = first_sequence + count

    def offset_of(self, sequence: int) -> int:
        """Return where to begin looking for an event."""
        return self._offsets[bisect_right(self._sequences, sequence) - 1]

    def encode_index(self) -> bytes:
        """Write the index: what the file holds, then the entries, with a CRC-32."""
        entries = self._sequences.tobytes() + self._offsets.tobytes()
        front = (_INDEX_MAGIC, 1, self.next_sequence, self.size_bytes, len(self._offsets))
        checksum = crc32(entries, crc32(_INDEX_HEADER.pack(*front, 0)))
        return _INDEX_HEADER.pack(*front, checksum) + entries

    def take_index(self, data: bytes) -> bool:
        """Read an index; tell whether it is whole."""
        if len(data) < _INDEX_HEADER.size:
            return False
        magic, version, next_sequence, size_bytes, count, checksum = _INDEX_HEADER.unpack_from(data)
        entries = data[_INDEX_HEADER.size :]
        front = _INDEX_HEADER.pack(magic, version, next_sequence, size_bytes, count, 0)
        if (magic, version, len(entries)) != (_INDEX_MAGIC, 1, count * 16):
            return False
        if crc32(entries, crc32(front)) != checksum:
            return False
        self.next_sequence, self.size_bytes = next_sequence, size_bytes
        self._sequences = array("Q", entries[: count * 8])
        self._offsets = array("Q", entries[count * 8 :])
        return True


def event_path(folder: Path, first_sequence: int) -> Path:
    """Return the file whose first event has this sequence."""
    return folder / f"{first_sequence:020d}.events"


def index_path(path: Path) -> Path:
    """Return where the index of a file lies."""
    return path.with_suffix(".index")


def list_event_files(folder: Path) -> list[tuple[int, Path]]:
    """List (first event sequence, file), oldest first."""
    found = [(name, path) for path in folder.iterdir() if (name := _NAME.match(path.name))]
    return sorted((int(name[1]), path) for name, path in found)


def save_index(file: EventFile) -> None:
    """Write the index of a file that is on disk whole; from now on it is trusted unread."""
    disk.write_whole(index_path(file.path), file.encode_index())


def load_index(path: Path, first_sequence: int) -> EventFile | None:
    """Return what a file holds if it has a whole index and the size that stands there."""
    file = EventFile(path, first_sequence)
    try:
        known = file.take_index(index_path(path).read_bytes())
    except FileNotFoundError:
        return None
    return file if known and path.stat().st_size == file.size_bytes else None


def scan_events(path: Path, first_sequence: int, partition: int) -> tuple[EventFile, bool]:
    """Read a file as far as its envelopes are whole and follow each other; tell whether that was all of it."""
    data = path.read_bytes()
    file = EventFile(path, first_sequence)
    while file.size_bytes < len(data):
        at = file.size_bytes
        if at + HEADER.size > len(data):
            return file, False
        end = at + HEADER.size + HEADER.unpack_from(data, at)[7]
        try:
            batch = decode_batch(data[at:end])
        except ProtocolError:
            return file, False
        if batch.partition != partition:
            raise InfraError(
                f"{path} holds events of partition {batch.partition}, this engine has {partition};"
                " correct [engine] partition or the data folder"
            )
        if batch.first_sequence != file.next_sequence or not batch.count:
            return file, False
        file.add(batch.first_sequence, batch.count, end - at)
    return file, True


def survey_events(folder: Path, partition: int) -> tuple[int, int, str]:
    """Return the first and last event kept, and what is wrong after them, or empty. Changes nothing."""
    first, expected = 0, 0
    for first_sequence, path in list_event_files(folder) if folder.is_dir() else []:
        if expected and first_sequence != expected:
            return (
                first,
                expected - 1,
                f"events {expected} to {first_sequence - 1} are missing before {path.name}",
            )
        file, whole = scan_events(path, first_sequence, partition)
        first, expected = first or first_sequence, file.next_sequence
        if not whole:
            return first, expected - 1, f"{path.name} is torn or damaged at offset {file.size_bytes}"
    return first, max(expected - 1, 0), ""
