"""Snapshot files: whole, or said to be damaged; never taken for something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.infra.snapshot import (
    Snapshot,
    SnapshotDamaged,
    encode_snapshot,
    list_snapshots,
    read_snapshot,
    write_snapshot,
)

SNAPSHOT = Snapshot(3, 2, 7, 120, 340, 0xFEED, 99, "ab" * 16, b"the state of the venue")


def test_a_snapshot_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = write_snapshot(tmp_path / "snapshots", SNAPSHOT)
    assert path.name == "00000000000000000120.snapshot"
    assert read_snapshot(path) == SNAPSHOT


def test_snapshots_are_listed_newest_first_and_nothing_else_is(tmp_path: Path) -> None:
    for name in ("00000000000000000007.snapshot", "00000000000000000120.snapshot", "1.snapshot", "notes.txt"):
        (tmp_path / name).touch()
    assert [sequence for sequence, _ in list_snapshots(tmp_path)] == [120, 7]
    assert list_snapshots(tmp_path / "absent") == []


def test_every_flipped_bit_and_every_cut_of_a_snapshot_is_found(tmp_path: Path) -> None:
    path = tmp_path / "00000000000000000120.snapshot"
    whole = encode_snapshot(SNAPSHOT)
    damaged = [whole[:cut] for cut in range(len(whole))] + [whole + b"\0"]
    damaged += [
        whole[: bit // 8] + bytes([whole[bit // 8] ^ 1 << bit % 8]) + whole[bit // 8 + 1 :]
        for bit in range(len(whole) * 8)
    ]
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(SnapshotDamaged, match="snapshot"):
            read_snapshot(path)


def test_a_snapshot_under_another_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "00000000000000000121.snapshot"
    path.write_bytes(encode_snapshot(SNAPSHOT))
    with pytest.raises(SnapshotDamaged, match="it is the snapshot after command 120"):
        read_snapshot(path)
