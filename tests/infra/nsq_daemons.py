"""Real nsqd and nsqlookupd on loopback ports of their own, started, killed and started again, and stopped by pid."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

BINARIES = Path(os.environ.get("NSQ_BIN", Path(__file__).parents[2] / ".venv" / "nsq"))
START_S = 15


def binary(name: str) -> str:
    """Return the path of a program of NSQ, or skip the test."""
    found = shutil.which(name, path=str(BINARIES)) or shutil.which(name)
    if found is None:
        pytest.skip(f"no {name}: `make nsq` builds it into .venv/nsq (needs go), or NSQ_BIN says where it is")
    return found


def free_ports(count: int) -> list[int]:
    """Let the system choose ports, all different."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Daemon:
    """One nsqd or nsqlookupd over a folder of its own; it keeps ports and folder when it starts again."""

    def __init__(self, name: str, folder: Path, *arguments: str) -> None:
        self.name = name
        self.folder = folder
        self.tcp_port, self.http_port = free_ports(2)
        self.arguments = arguments
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.tcp_port}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        program = binary(self.name)
        self.folder.mkdir(parents=True, exist_ok=True)
        flags = [f"--tcp-address={self.address}", f"--http-address=127.0.0.1:{self.http_port}"]
        flags += ["--broadcast-address=127.0.0.1"]
        if self.name == "nsqd":
            flags.append(f"--data-path={self.folder}")
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen([program, *flags, *self.arguments], stdout=log, stderr=log)
        limit = time.monotonic() + START_S
        while not self.answers():
            assert self.process.poll() is None, (self.folder / "log.txt").read_text()[-2_000:]
            assert time.monotonic() < limit, f"{self.name} did not answer"
            time.sleep(0.02)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=1) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=5) as reply:
            content: bytes = reply.read()
            return content

    def kill(self) -> None:
        """End it as a power cut does."""
        self.end(signal.SIGKILL)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(START_S)
            self.process = None

    def __enter__(self) -> Daemon:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGKILL)
