"""Numbered messages on disk, as SoupBinTCP sends them, to be sent again from any sequence.

One file per stream, be it the answers to one OUCH session or a day of ITCH: whole `S` packets, one after another. In
memory is one (sequence, offset) per `INDEX_STEP` messages. Files are not synced while written, for events make them
again: a checkpoint syncs them and says how long they are; a start cuts them there and goes on with later events.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from contextlib import suppress
from pathlib import Path

import msgspec

from exchange.infra import disk

INDEX_STEP = 1_024
READ_BYTES = 128 * 1024
GATHER_BYTES = 16 * 1024
"""Of one stream, in memory until they are written, where that is wanted: few writes, and little to hold."""


class StreamExtent(msgspec.Struct):
    """How far a stream's file goes. messages: how many it has; index: (sequence, offset), lowest first."""

    messages: int = 0
    size_bytes: int = 0
    index: list[tuple[int, int]] = msgspec.field(default_factory=lambda: [(1, 0)])


class MessageStreams:
    """The files of several streams, by their numbers, in a folder of their own."""

    def __init__(
        self, folder: Path, extents: dict[int, StreamExtent] | None = None, *, gather_bytes: int = 0
    ) -> None:
        """Take a folder over; what is beyond the extents is cut, and files without one are removed.

        gather_bytes: write a stream once so many are new, or somebody asks for them; all of it in one thread then.
        """
        self.folder = folder
        self._extents = extents or {}
        self._descriptors: dict[int, int] = {}
        self._gather_bytes = gather_bytes
        self._gathered: dict[int, bytearray] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if not (path.stem.isdigit() and int(path.stem) in self._extents):
                path.unlink()
        for stream, extent in self._extents.items():
            os.ftruncate(self._descriptor(stream), extent.size_bytes)

    def append(self, stream: int, packets: bytes, count: int) -> None:
        """Add whole packets, `count` of them. Raise `OSError`."""
        extent = self._extents.get(stream)
        if extent is None:
            extent = self._extents[stream] = StreamExtent()
        elif extent.messages + 1 - extent.index[-1][0] >= INDEX_STEP:
            extent.index.append((extent.messages + 1, extent.size_bytes))
        if not self._gather_bytes:
            disk.write_at(self._descriptor(stream), extent.size_bytes, packets)
        extent.size_bytes += len(packets)
        extent.messages += count  # last, so that a reader in another thread finds all that it counts
        if self._gather_bytes:
            gathered = self._gathered.setdefault(stream, bytearray())
            gathered += packets
            if len(gathered) >= self._gather_bytes:
                self._write(stream)

    def last(self, stream: int) -> int:
        """Return the sequence of a stream's last message, 0 where it has none."""
        extent = self._extents.get(stream)
        return extent.messages if extent else 0

    def size_bytes(self) -> int:
        """Return the size of all files together."""
        return sum(extent.size_bytes for extent in self._extents.values())

    def read(self, stream: int, sequence: int) -> tuple[bytes, int]:
        """Return whole packets from a message on, about `READ_BYTES` or to the end, and how many they are.

        Raise `OSError`.
        """
        extent = self._extents.get(stream)
        if extent is None or not 1 <= sequence <= extent.messages:
            return b"", 0
        entry = bisect_right(extent.index, sequence, key=lambda pair: pair[0]) - 1
        at_sequence, offset = extent.index[entry]
        self._write(stream)
        while True:
            data = os.pread(self._descriptor(stream), min(READ_BYTES, extent.size_bytes - offset), offset)
            at, skipped = _skip(data, sequence - at_sequence)
            at_sequence += skipped
            if at_sequence == sequence and at < len(data):
                end, count = _skip(data[at:], extent.messages + 1 - sequence)
                if count:
                    return data[at : at + end], count
            assert at, f"message {sequence} of stream {stream} is not where the index says"
            offset += at

    def extents(self) -> dict[int, StreamExtent]:
        """Return copies of how far the files go now. Raise `OSError`."""
        for stream in self._gathered:
            self._write(stream)
        return {
            stream: StreamExtent(extent.messages, extent.size_bytes, list(extent.index))
            for stream, extent in self._extents.items()
        }

    def drop(self, stream: int) -> None:
        """Remove a stream and its file. Raise `OSError`."""
        if self._extents.pop(stream, None) is not None:
            self._gathered.pop(stream, None)
            os.close(self._descriptor(stream))
            del self._descriptors[stream]
            self._path(stream).unlink()

    def sync(self) -> None:
        """Make what was written durable; for a thread, beside which files may go away. Raise `OSError`."""
        with suppress(FileNotFoundError):
            for stream in list(self._extents):
                descriptor = os.open(self._path(stream), os.O_RDONLY | os.O_CLOEXEC)
                try:
                    disk.sync_data(descriptor)
                finally:
                    os.close(descriptor)
            disk.sync_folder(self.folder)

    def close(self) -> None:
        """Close all files; what was not written yet is forgotten, as after a crash, unless `extents` was asked last."""
        self._gathered.clear()
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()

    def remove(self) -> None:
        """Close and remove all files, and the folder."""
        self.close()
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()

    def _write(self, stream: int) -> None:
        """Write what was gathered of a stream."""
        if gathered := self._gathered.get(stream):
            begin = self._extents[stream].size_bytes - len(gathered)
            disk.write_at(self._descriptor(stream), begin, gathered)
            gathered.clear()

    def _path(self, stream: int) -> Path:
        return self.folder / f"{stream}.stream"

    def _descriptor(self, stream: int) -> int:
        descriptor = self._descriptors.get(stream)
        if descriptor is None:
            descriptor = os.open(self._path(stream), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._descriptors[stream] = descriptor
        return descriptor


def _skip(data: bytes, count: int) -> tuple[int, int]:
    """Return how many bytes the first `count` whole packets are, and how many packets that is."""
    at, skipped, end = 0, 0, len(data)
    while skipped < count and at + 2 <= end:
        following = at + 2 + (data[at] << 8 | data[at + 1])
        if following > end:
            break
        at = following
        skipped += 1
    return at, skipped
