"""A real redis-server of a test's own: on a socket in a folder of its own, nothing written to disk, ended by its id."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

START_S = 20
PROGRAM = shutil.which("redis-server")
needs_server = pytest.mark.skipif(
    PROGRAM is None, reason="redis-server is not here; on Debian: apt-get install redis-server"
)
needs_redis = [pytest.mark.integration, needs_server]


class RedisServer:
    """A server that can be killed and started again at the same address, empty. The path of a socket must be short."""

    def __init__(self, password: str = "") -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="redis-")
        self._password = password
        self._process: subprocess.Popen[bytes] | None = None
        self.path = Path(self._folder.name, "redis.sock")

    @property
    def url(self) -> str:
        """Where it is, with its password."""
        return self.url_with(self._password)

    def url_with(self, password: str) -> str:
        """Where it is, with another password."""
        return f"unix://:{password}@{self.path}" if password else f"unix://{self.path}"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        assert PROGRAM is not None
        options = ["--port", "0", "--unixsocket", str(self.path), "--save", "", "--appendonly", "no"]
        options += ["--requirepass", self._password] if self._password else []
        with Path(self._folder.name, "log").open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, *options, "--dir", self._folder.name], stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_S
        while not self._takes_connections():
            assert self._process.poll() is None, Path(self._folder.name, "log").read_text()
            assert time.monotonic() < deadline, "redis-server does not take connections"
            time.sleep(0.01)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._folder.cleanup()

    def _takes_connections(self) -> bool:
        with socket.socket(socket.AF_UNIX) as trial:
            try:
                trial.connect(str(self.path))
            except OSError:
                return False
            return True
