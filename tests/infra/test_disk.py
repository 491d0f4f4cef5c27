"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from exchange.infra import disk


def test_a_whole_file_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"old")
    disk.write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"old")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk.os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        disk.write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    disk.remove_unfinished(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_writing_at_an_offset_goes_on_after_a_short_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    whole = os.pwrite

    def short(descriptor: int, data: bytes, offset: int) -> int:
        return whole(descriptor, bytes(data[:3]), offset)

    monkeypatch.setattr(disk.os, "pwrite", short)
    disk.write_at(descriptor, 2, b"0123456789")
    os.close(descriptor)
    assert (tmp_path / "file").read_bytes() == b"\0\x000123456789"


def test_the_names_of_a_folder_can_be_synced(tmp_path: Path) -> None:
    disk.sync_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        disk.sync_folder(tmp_path / "absent")
