"""A docker daemon for the test: the one that runs here, else one of its own, on its own socket and folder."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TextIO

PID_FILE = "docker.pid"
START_S = 120
STOP_S = 60
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stock-exchange" / "compose-test"
"""Images are kept here from run to run."""


def compose_command() -> list[str]:
    """Return the command of Compose, version 1 or 2, empty where there is none."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    done = subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=60, check=False)
    return ["docker", "compose"] if done.returncode == 0 else []


class DockerDaemon:
    """host: what DOCKER_HOST must be, empty for the machine's own daemon. is_own: whether this test started it."""

    def __init__(self, folder: Path = CACHE) -> None:
        self.folder = folder
        self.host = ""
        self.is_own = False
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: TextIO | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment in which docker commands reach it and build in the old way, without BuildKit."""
        found = {**os.environ, "DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}
        return found | ({"DOCKER_HOST": self.host} if self.host else {})

    def missing(self) -> str:
        """Say what keeps the test from running here, empty where nothing does."""
        if not shutil.which("docker"):
            return "docker is not installed (Debian: docker.io)"
        if not compose_command():
            return "Compose is not installed (Debian: docker-compose)"
        if os.geteuid() != 0:
            return "only root can start a docker daemon and kill what runs in containers"
        lacking = [name for name in ("dockerd", "mmdebstrap") if not shutil.which(name)]
        if lacking and not self.is_there():
            return f"no docker daemon runs, and {' and '.join(lacking)} is not installed to start one"
        return ""

    def is_there(self) -> bool:
        """Tell whether a daemon of this machine runs already."""
        return self._answers("")

    def start(self) -> None:
        """Use the daemon that runs, else start one; raise `AssertionError` with its log where it does not come up."""
        if self.is_there():
            return
        self.is_own = True
        self.folder.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        self.host = f"unix://{self.folder / 'docker.sock'}"
        self._end_left_over()
        log = self.folder / "dockerd.log"
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                [
                    "dockerd", "--host", self.host, "--data-root", str(self.folder / "data"),
                    "--exec-root", str(self.folder / "exec"), "--pidfile", str(self.folder / PID_FILE),
                ],
                stdout=stream, stderr=stream, start_new_session=True,
            )  # fmt: skip
        limit = time.monotonic() + START_S
        while not self._answers(self.host):
            ended = self._process.poll()
            if ended is not None or time.monotonic() > limit:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
                raise AssertionError(f"dockerd did not come up (exit code {ended}):\n{tail}")
            time.sleep(0.2)

    def _take_lock(self) -> None:
        """Make sure that no other run uses the folder; the system gives the lock back when this process ends."""
        self._lock = (self.folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AssertionError(
                f"another run of this test works in {self.folder}; wait for its end"
            ) from None

    def _end_left_over(self) -> None:
        """End the daemon of a run that was killed, known by the file it wrote here and by its command line."""
        try:
            number = int((self.folder / PID_FILE).read_text())
            command = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return
        if str(self.folder / PID_FILE).encode() not in command:
            return
        os.kill(number, signal.SIGTERM)
        limit = time.monotonic() + STOP_S
        while Path(f"/proc/{number}").exists():
            assert time.monotonic() < limit, f"the docker daemon {number} of an earlier run does not end"
            time.sleep(0.2)

    def stop(self) -> None:
        """End the daemon that this test started, by its own process, and nothing else."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answers(self, host: str) -> bool:
        command = ["docker", *(("--host", host) if host else ()), "info", "--format", "{{.ServerVersion}}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode == 0 and bool(done.stdout.strip())
