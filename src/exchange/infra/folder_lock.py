"""One owner at a time: an exclusive lock on a folder, held by the open file and so released by any death."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from exchange.infra.errors import InfraError

TRIES = 5
TRY_AGAIN_S = 0.02


class FolderLocked(InfraError):
    """Another process holds the lock. holder: what it wrote into the lock file, its process id."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(
            f"{path.parent} is in use by process {holder or 'unknown'}, which holds {path.name};"
            " stop that process, or use another data folder"
        )
        self.holder = holder


class FolderLock:
    """A lock file. shared: many readers may hold it together while nobody holds it alone."""

    def __init__(self, path: Path, *, shared: bool = False, wait: bool = False) -> None:
        """Take the lock. Raise `FolderLocked` where another process holds it and `wait` is not set."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        if wait:
            fcntl.flock(self._descriptor, how)
        elif not self._try(how):
            holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise FolderLocked(path, holder)
        if not shared:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def _try(self, how: int) -> bool:
        """Try a few times: someone may hold the lock for a moment, only to see whether it is free."""
        for attempt in range(TRIES):
            try:
                fcntl.flock(self._descriptor, how | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                time.sleep(TRY_AGAIN_S if attempt < TRIES - 1 else 0)
        return False

    def release(self) -> None:
        """Give the lock back; the file stays."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
