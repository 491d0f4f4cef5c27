"""Reading a journal while another process writes it: only batches that are durable, and without ever disturbing it.

A batch is known to be on disk when another one stands behind it, for the engine writes the next one only then. So the
last batch is held back until its successor comes, which an idle engine sees to with a seal.
"""

from __future__ import annotations

import os
from pathlib import Path

from exchange.infra import journal_format as form
from exchange.infra.journal_format import Link, Rest
from exchange.infra.journal_segments import Batch, JournalDamaged, list_segments, segment_path

READ_BYTES = 1 << 20


class JournalTail:
    """Follows a journal from one command on. `close` it."""

    def __init__(self, folder: Path, partition: int, after: int) -> None:
        """Begin behind a command that a kept segment holds. Raise `JournalDamaged` where none does."""
        self.folder = folder
        self.partition = partition
        self._after = after
        self._held: Batch | None = None
        segments = [s for s in list_segments(folder) if s.first_sequence <= max(after, 1)]
        if not segments:
            raise JournalDamaged(
                segment_path(folder, max(after, 1)), 0, f"no file holds command {max(after, 1)}"
            )
        first = segments[-1].first_sequence
        self._link = Link(first, 0 if first == 1 else None)
        self._open(segments[-1].path)

    def read(self) -> list[Batch]:
        """Return the next durable batches with commands after the first one asked for, seals among them.

        None at all means that there is nothing more to be had now.
        """
        durable: list[Batch] = []
        while not durable:
            start = self._at
            self._read_once(durable)
            if self._at == start and not self._open_next():
                break
        return durable

    def read_held(self) -> list[Batch]:
        """Return the last batch although nothing stands behind it; for a journal that nobody is writing."""
        durable: list[Batch] = []
        if self._held and self._held.header.first_sequence > self._after:
            durable.append(self._held)
        self._held = None
        return durable

    def check_damage(self) -> None:
        """Raise `JournalDamaged` where what comes next is broken; for when there was no progress for long."""
        data = os.pread(self._descriptor, os.fstat(self._descriptor).st_size - self._at, self._at)
        rest, _ = form.examine_rest(data, 0, self._link)
        if rest is Rest.BROKEN and not list(form.batches_in(data, 0, self._link)):
            raise JournalDamaged(self._path, self._at, form.describe(data, 0, self._link))

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _read_once(self, durable: list[Batch]) -> None:
        data = os.pread(self._descriptor, READ_BYTES, self._at)
        if wanted := self._whole_batch_bytes(data):
            data = os.pread(self._descriptor, wanted, self._at)
        start = self._at
        for offset, header in form.batches_in(data, 0, self._link):
            if header.partition != self.partition:
                raise JournalDamaged(
                    self._path,
                    start + offset,
                    f"partition {header.partition}, this engine has {self.partition}",
                )
            payload = data[offset + form.HEADER_BYTES : offset + header.size_bytes]
            self._advance(Batch(header, payload, self._path, start + offset), durable)

    def _advance(self, batch: Batch, durable: list[Batch]) -> None:
        durable += self.read_held()
        self._held = batch
        self._at = batch.offset + batch.header.size_bytes
        self._link = form.link_after(batch.header)

    def _whole_batch_bytes(self, data: bytes) -> int:
        """Return the size of the first batch where it is larger than what was read, else 0."""
        if len(data) < form.HEADER_BYTES or data[:4] != form.MAGIC:
            return 0
        size = form.HEADER_BYTES + form.HEADER.unpack_from(data)[8]
        return size if len(data) == READ_BYTES < size else 0

    def _open_next(self) -> bool:
        following = segment_path(self.folder, self._link.next_sequence)
        if following == self._path or not following.exists():
            return False
        os.close(self._descriptor)
        self._open(following)
        return True

    def _open(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._at = 0
