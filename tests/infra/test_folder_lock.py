"""The lock on a folder: one owner, named to whoever comes second."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.infra.folder_lock import FolderLock, FolderLocked

HOLD = """
import sys
from pathlib import Path
from exchange.infra.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_owner_is_refused_and_told_who_holds_the_lock(tmp_path: Path) -> None:
    with FolderLock(tmp_path / "lock"), pytest.raises(FolderLocked, match=f"process {os.getpid()}") as caught:
        FolderLock(tmp_path / "lock")
    assert caught.value.holder == str(os.getpid())


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    FolderLock(tmp_path / "lock").release()
    FolderLock(tmp_path / "lock").release()


def test_readers_share_and_keep_an_owner_out(tmp_path: Path) -> None:
    one, other = (FolderLock(tmp_path / "lock", shared=True) for _ in range(2))
    with one, other, pytest.raises(FolderLocked, match="process unknown"):
        FolderLock(tmp_path / "lock")


def test_the_lock_of_a_process_that_is_killed_is_free(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(FolderLocked, match=f"process {process.pid}"):
        FolderLock(tmp_path / "lock")
    process.kill()
    process.communicate()
    FolderLock(tmp_path / "lock").release()
