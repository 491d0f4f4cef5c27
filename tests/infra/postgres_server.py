"""A PostgreSQL of a test's or benchmark's own: made in a folder, on a port of its own, stopped by its pid.

PostgreSQL refuses to run as root, so root starts it as the user `postgres`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType

VERSIONS = Path("/usr/lib/postgresql")
"""Where Debian has the binaries of each version."""
USER = "exchange"
PASSWORD = "a-secret"
START_S_MAX = 60.0


def find_binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL on this machine."""
    found = [folder for folder in VERSIONS.glob("*/bin") if (folder / "initdb").exists()]
    if found:
        return max(found, key=lambda folder: int(folder.parent.name))
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


WHY_NOT = "" if find_binaries() else "PostgreSQL is not installed (Debian: apt-get install postgresql)"
"""Why no server can be started here."""


class PostgresServer:
    """`with PostgresServer() as server`: a fresh server that asks for a password. durable: syncs its commits."""

    def __init__(self, *, durable: bool = False) -> None:
        binaries = find_binaries()
        assert binaries is not None, WHY_NOT
        self._binaries = binaries
        self._durable = durable
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    def __enter__(self) -> PostgresServer:
        self.folder = Path(tempfile.mkdtemp(prefix="exchange-postgres-"))
        owner = _unprivileged()
        if owner is not None:
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self._initialize()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str, *, password: str = PASSWORD, host: str = "127.0.0.1") -> str:
        """Return the address of a database, as `store_url` takes it."""
        return f"postgresql+psycopg://{USER}:{password}@{host}:{self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database; return its address."""
        name = f"exchange_{next(self._numbers)}"
        self.run_sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def run_sql(self, statement: str, database: str = "postgres") -> list[str]:
        """Run a statement with psql; return its rows as text."""
        ran = subprocess.run(
            [
                self._binaries / "psql",
                "-qAtX",
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                statement,
                self._plain(database),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        return ran.stdout.split()

    def start(self) -> None:
        """Start the server on its folder, and wait until it answers."""
        self._process = subprocess.Popen(
            [self._binaries / "postgres", "-D", self.folder / "data", *self._settings()],
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("ab"),
            cwd=self.folder,
            **_as_user(),
        )
        ends_s = time.monotonic() + START_S_MAX
        while not self._ask("SELECT 1"):
            is_late = self._process.poll() is not None or time.monotonic() > ends_s
            assert not is_late, (self.folder / "log").read_text()
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop the server: SIGQUIT as at a crash, its sessions end at once and it recovers at the next start."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_S_MAX)
            self._process = None

    def kill_sessions(self, application: str) -> None:
        """Kill -9 the processes that serve an application, once there are any; the server restarts them all."""
        question = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{application}'"
        ends_s = time.monotonic() + START_S_MAX
        while not (pids := self._ask(question)):
            assert time.monotonic() < ends_s, f"{application} has no session"
            time.sleep(0.02)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def deadlocks(self) -> int:
        """Return how many deadlocks the server has broken up."""
        return (self.folder / "log").read_text().count("deadlock detected")

    def database_of(self, application: str) -> str:
        """Return the database that an application uses now."""
        question = f"SELECT datname FROM pg_stat_activity WHERE application_name = '{application}' LIMIT 1"
        (name,) = self.run_sql(question)
        return name

    def _ask(self, question: str) -> list[str]:
        """Return the answer to a question; nothing while the server does not answer."""
        try:
            return self.run_sql(question)
        except subprocess.CalledProcessError:
            return []

    def _plain(self, database: str) -> str:
        return self.url(database).replace("+psycopg", "")

    def _initialize(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        subprocess.run(
            [
                self._binaries / "initdb", "-D", self.folder / "data", "-U", USER, "-A", "scram-sha-256",
                "--pwfile", password, "-E", "UTF8", "--locale", "C", "--no-sync", "--no-instructions",
            ],
            check=True,
            capture_output=True,
            cwd=self.folder,
            **_as_user(),
        )  # fmt: skip

    def _settings(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "on" if self._durable else "off",
            "shared_buffers": "256MB",
            "max_wal_size": "2GB",
        }
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _unprivileged() -> pwd.struct_passwd | None:
    """Return the user that the server runs as where we are root."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def _as_user() -> dict[str, int]:
    owner = _unprivileged()
    return {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
