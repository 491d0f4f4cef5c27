"""What may go: snapshots beyond the kept number, and the journal before the oldest kept one."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import msgspec

from exchange.infra import disk
from exchange.infra.errors import InfraError
from exchange.infra.folder_lock import FolderLock
from exchange.infra.journal_format import used_bytes
from exchange.infra.journal_segments import Segment, list_segments
from exchange.infra.snapshot import SnapshotDamaged, list_snapshots, read_snapshot

LOCK_NAME = "retention.lock"
"""Held alone while files are removed, and together with others while they are copied."""


class Retired(msgspec.Struct, frozen=True):
    """What was removed, by file name."""

    snapshots: tuple[str, ...]
    segments: tuple[str, ...]


def whole_snapshots(folder: Path) -> list[tuple[int, Path]]:
    """List (command sequence, file) of the snapshots that are whole, newest first."""
    return [(sequence, path) for sequence, path in list_snapshots(folder) if _is_whole(path)]


def removable_segments(segments: list[Segment], oldest_kept: int) -> list[Segment]:
    """List the segments that end before the command of the oldest kept snapshot; its own segment stays."""
    return [segment for segment, following in pairwise(segments) if following.first_sequence <= oldest_kept]


def retire(
    engine_folder: Path, *, snapshots_kept: int, archive: Path | None = None, wait: bool = False
) -> Retired:
    """Remove what is no longer needed; segments are copied to the archive first.

    Nothing goes before there are `snapshots_kept` whole snapshots. wait: for a backup that is running, else raise
    `FolderLocked`. Raise `InfraError` where the archive cannot be written; nothing is removed then.
    """
    assert snapshots_kept >= 1
    with FolderLock(engine_folder / LOCK_NAME, wait=wait):
        kept = whole_snapshots(engine_folder / "snapshots")[:snapshots_kept]
        if len(kept) < snapshots_kept:
            return Retired((), ())
        oldest_kept = kept[-1][0]
        gone = [
            path for sequence, path in list_snapshots(engine_folder / "snapshots") if sequence < oldest_kept
        ]
        segments = removable_segments(list_segments(engine_folder / "journal"), oldest_kept)
        if archive and segments:
            _archive(segments, archive)
        for path in [*gone, *(segment.path for segment in segments)]:
            path.unlink(missing_ok=True)
        return Retired(tuple(path.name for path in gone), tuple(segment.path.name for segment in segments))


def _archive(segments: list[Segment], archive: Path) -> None:
    try:
        archive.mkdir(parents=True, exist_ok=True)
        for segment in segments:
            data = segment.path.read_bytes()
            disk.write_whole(archive / segment.path.name, data[: used_bytes(data, segment.first_sequence)])
    except OSError as error:
        raise InfraError(
            f"archive {archive}: {error}; no journal file is removed before it is archived, so the data folder grows"
        ) from error


def _is_whole(path: Path) -> bool:
    try:
        read_snapshot(path)
    except (SnapshotDamaged, OSError):
        return False
    return True
