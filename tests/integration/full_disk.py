"""A small disk of a test's own that can be filled to the last byte: a tmpfs, which takes root to mount."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

PIECE = 1 << 16


class SmallDisk:
    """`with SmallDisk(folder, mib) as disk`: a file system of its own in that folder."""

    def __init__(self, folder: Path, mib: int) -> None:
        self.folder = folder
        self._mib = mib
        self._ballast = folder / "ballast"

    def __enter__(self) -> SmallDisk:
        self.folder.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={self._mib}m", "tmpfs", str(self.folder)]
        if os.geteuid() != 0 or subprocess.run(["mount", *options], capture_output=True).returncode:
            pytest.skip("a full disk needs a mount of its own: run this as root, with CAP_SYS_ADMIN")
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True, capture_output=True)

    def fill(self, leave: int = 0) -> None:
        """Leave so many bytes."""
        with self._ballast.open("ab", buffering=0) as ballast:
            size = PIECE
            while size:
                try:
                    ballast.write(bytes(size))
                except OSError:
                    size //= 2
        if leave:
            os.truncate(self._ballast, max(0, self._ballast.stat().st_size - leave))

    def make_room(self) -> None:
        """Take the ballast away."""
        self._ballast.unlink(missing_ok=True)
