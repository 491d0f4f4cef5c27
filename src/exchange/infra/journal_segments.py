"""The journal's files: their names, and reading them in order with every link of the chain checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from exchange.infra import journal_format as form
from exchange.infra.errors import InfraError
from exchange.infra.journal_format import BatchHeader, Link, Rest

_NAME = re.compile(r"(\d{20})\.journal\Z", re.ASCII)


class JournalDamaged(InfraError):
    """The journal is not what was once durable. path, offset: where; seen: what stands there."""

    def __init__(self, path: Path, offset: int, seen: str) -> None:
        super().__init__(
            f"the journal is damaged in {path} at offset {offset}: {seen}. Nothing was changed;"
            " look at it with `exchange journal check`, then restore a backup with `exchange restore`"
        )
        self.path = path
        self.offset = offset
        self.seen = seen


class Segment(NamedTuple):
    """One file of the journal. first_sequence: of its first command; it is the file's name."""

    first_sequence: int
    path: Path


class Batch(NamedTuple):
    """A good batch and where it stands. payload: its command records."""

    header: BatchHeader
    payload: bytes
    path: Path
    offset: int


class JournalEnd(msgspec.Struct, frozen=True):
    """Where the good part of a journal ends.

    path: the last segment, None for an empty folder; offset: the end of its last good batch; link: what the next batch
    must follow; kind: of the last batch, 0 where none was read; torn_bytes: what is to be cut.
    """

    path: Path | None
    offset: int
    link: Link
    kind: int = 0
    torn_bytes: int = 0


def segment_path(folder: Path, first_sequence: int) -> Path:
    """Return the file whose first command has this sequence."""
    return folder / f"{first_sequence:020d}.journal"


def list_segments(folder: Path) -> list[Segment]:
    """List a journal's files, oldest first."""
    if not folder.is_dir():
        return []
    found = [(name, path) for path in folder.iterdir() if (name := _NAME.match(path.name))]
    return sorted(Segment(int(name[1]), path) for name, path in found)


class JournalReader:
    """Reads a journal that nobody is writing. `end` is known when `batches` has been read to its end."""

    def __init__(self, folder: Path, partition: int) -> None:
        self.folder = folder
        self.partition = partition
        self.segments = list_segments(folder)
        self.end = JournalEnd(None, 0, Link(1))

    @property
    def first_sequence(self) -> int:
        """Return the sequence of the oldest command there is, or of the first one to come."""
        return self.segments[0].first_sequence if self.segments else 1

    def batches(self, after: int | None = None) -> Iterator[Batch]:
        """Give every batch with commands after a sequence, and seals and close records from there on; None: all.

        Reading starts with the segment that holds this command, so that the chain into the next one is known. Raise
        `JournalDamaged` at the first damage.
        """
        if after is None:
            after = self.first_sequence - 1
            needed = self.first_sequence
        else:
            needed = max(after, 1)
        segments = [s for s in self.segments if s.first_sequence > needed]
        held = [s for s in self.segments if s.first_sequence <= needed]
        if segments and not held:
            gap = f"the oldest file begins with command {segments[0].first_sequence}, needed from {needed} on"
            raise JournalDamaged(segments[0].path, 0, gap)
        segments = held[-1:] + segments
        first = segments[0].first_sequence if segments else 1
        link = Link(first, 0 if first == 1 else None)
        for index, segment in enumerate(segments):
            following = segments[index + 1] if index + 1 < len(segments) else None
            for batch in self._batches_of(segment, link, following):
                link = form.link_after(batch.header)
                if batch.header.next_sequence > after + 1 or batch.header.first_sequence > after:
                    yield batch

    def _batches_of(self, segment: Segment, link: Link, following: Segment | None) -> Iterator[Batch]:
        data = segment.path.read_bytes()
        offset, kind = 0, self.end.kind
        for offset, header in form.batches_in(data, 0, link):
            if header.partition != self.partition:
                raise JournalDamaged(
                    segment.path, offset, f"partition {header.partition}, this engine has {self.partition}"
                )
            payload = data[offset + form.HEADER_BYTES : offset + header.size_bytes]
            yield Batch(header, payload, segment.path, offset)
            link, kind = form.link_after(header), header.kind
            offset += header.size_bytes
        rest, good_at = form.examine_rest(data, offset, link)
        if rest is Rest.BROKEN:
            seen = form.describe(data, offset, link)
            if good_at > offset:
                seen += f"; a good batch follows at offset {good_at}, so this is no torn tail"
            raise JournalDamaged(segment.path, offset, seen)
        if following and following.first_sequence != link.next_sequence:
            seen = form.describe(data, offset, link)
            raise JournalDamaged(
                segment.path,
                offset,
                f"{seen}; commands {link.next_sequence} to {following.first_sequence - 1} are missing, for the next"
                f" file is {following.path.name}",
            )
        torn = len(data[offset:].rstrip(b"\0")) if rest is Rest.TORN else 0
        self.end = JournalEnd(segment.path, offset, link, kind, torn)
