"""What may go, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.infra import journal_format as form
from exchange.infra.errors import InfraError
from exchange.infra.folder_lock import FolderLock, FolderLocked
from exchange.infra.journal_format import BatchHeader, Kind
from exchange.infra.journal_segments import Segment, segment_path
from exchange.infra.retention import LOCK_NAME, removable_segments, retire, whole_snapshots
from exchange.infra.snapshot import Snapshot, snapshot_path, write_snapshot

RECORD = b"a record that ends in zeroes\0\0"


def snapshot(sequence: int) -> Snapshot:
    return Snapshot(0, 1, 1, sequence, sequence, 0, 0, "00", b"state")


def engine_folder(path: Path, snapshots: tuple[int, ...], segments: tuple[int, ...]) -> Path:
    for sequence in snapshots:
        write_snapshot(path / "snapshots", snapshot(sequence))
    (path / "journal").mkdir()
    for first in segments:
        batch = form.encode(BatchHeader(Kind.COMMANDS, 0, 1, 1, first, 10, 0, 0, 0, 0), RECORD)
        segment_path(path / "journal", first).write_bytes(batch + bytes(100))
    return path


def names(folder: Path) -> list[int]:
    return sorted(int(path.name.split(".")[0]) for path in folder.iterdir())


def test_segments_before_the_one_with_the_oldest_kept_snapshot_may_go() -> None:
    segments = [Segment(first, Path(str(first))) for first in (1, 11, 21)]
    expected = {9: [], 10: [], 11: [1], 20: [1], 21: [1, 11], 99: [1, 11]}
    found = {oldest: [s.first_sequence for s in removable_segments(segments, oldest)] for oldest in expected}
    assert found == expected


def test_old_snapshots_and_their_journal_go_the_newest_stay(tmp_path: Path) -> None:
    folder = engine_folder(tmp_path, (5, 15, 25, 28), (1, 11, 21))
    retired = retire(folder, snapshots_kept=2)
    assert names(folder / "snapshots") == [25, 28]
    assert names(folder / "journal") == [21]
    assert (len(retired.snapshots), len(retired.segments)) == (2, 2)


def test_nothing_goes_before_there_are_enough_whole_snapshots(tmp_path: Path) -> None:
    folder = engine_folder(tmp_path, (15, 25), (1, 11, 21))
    snapshot_path(folder / "snapshots", 28).write_bytes(b"damaged")
    retire(folder, snapshots_kept=3)
    assert names(folder / "snapshots") == [15, 25, 28]
    assert names(folder / "journal") == [1, 11, 21]
    assert [sequence for sequence, _ in whole_snapshots(folder / "snapshots")] == [25, 15]


def test_the_archive_gets_a_segment_without_its_empty_end_before_it_goes(tmp_path: Path) -> None:
    folder = engine_folder(tmp_path / "engine", (15,), (1, 11))
    written = segment_path(folder / "journal", 1).read_bytes()
    retire(folder, snapshots_kept=1, archive=tmp_path / "archive")
    assert segment_path(tmp_path / "archive", 1).read_bytes() == written[:-100]
    assert names(folder / "journal") == [11]


def test_nothing_goes_where_the_archive_cannot_be_written(tmp_path: Path) -> None:
    folder = engine_folder(tmp_path / "engine", (5, 15), (1, 11))
    (tmp_path / "archive").write_text("a file, not a folder")
    with pytest.raises(InfraError, match="no journal file is removed before it is archived"):
        retire(folder, snapshots_kept=1, archive=tmp_path / "archive")
    assert names(folder / "snapshots") == [5, 15]
    assert names(folder / "journal") == [1, 11]


def test_nothing_goes_while_a_backup_copies(tmp_path: Path) -> None:
    folder = engine_folder(tmp_path, (15,), (1, 11))
    with FolderLock(folder / LOCK_NAME, shared=True), pytest.raises(FolderLocked):
        retire(folder, snapshots_kept=1)
    assert names(folder / "journal") == [1, 11]
