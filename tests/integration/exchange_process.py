"""A whole exchange as a process of its own, started, killed and started again as a user or a power cut would."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

READY_S = 60
LOG_LINES_SHOWN = 20
"""Of an exchange that did not start."""
EXCHANGE = [sys.executable, "-m", "exchange"]


PORTS_EACH = 20
PORT_FIRST, PORT_END = 21_000, 31_000
_places = itertools.count(os.getpid())
"""Tests that run at the same time begin to look in different places, and each look goes on behind the last."""


def free_port_base() -> int:
    """Return a port base whose next twenty ports are free."""
    choices = (PORT_END - PORT_FIRST) // PORTS_EACH
    for place in itertools.islice(_places, choices):
        base = PORT_FIRST + place % choices * PORTS_EACH
        try:
            for port in range(base, base + PORTS_EACH):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base
    raise AssertionError("no twenty free ports in a row between 21000 and 31000")


class ExchangeProcess:
    """`exchange up --json` (or `demo`) over a data folder; keys and addresses as its ready line says them."""

    def __init__(self, data: Path, command: str = "up", *arguments: str) -> None:
        self.data = data
        self.command = [*EXCHANGE, command, "--data", str(data), "--json", *arguments]
        self.port_base = free_port_base()
        self.process: subprocess.Popen[str] | None = None
        self.ready: dict[str, Any] = {}

    def start(self) -> None:
        """Start it and wait for its ready line."""
        path = self.data.parent / f"{self.data.name}.log"
        with path.open("a") as log:
            self.process = subprocess.Popen(
                [*self.command, "--port-base", str(self.port_base)],
                stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True,
            )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        said = "" if line else "\n".join(path.read_text().splitlines()[-LOG_LINES_SHOWN:])
        assert line, f"the exchange ended with {self.process.wait(READY_S)}: {said}"
        self.ready = json.loads(line)

    def kill(self) -> None:
        """End the process; those that it started notice by themselves, a moment later."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(READY_S)

    def cut_power(self) -> None:
        """End it with all that it started, and wait until nobody writes into its folder any more."""
        assert self.process is not None
        group = self.process.pid
        os.killpg(group, signal.SIGKILL)
        self.process.wait(READY_S)
        wait_for(lambda: not is_group_alive(group), "the end of what the exchange started", READY_S)

    def stop(self) -> int:
        """End it as an operator does; return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(READY_S)

    def __enter__(self) -> ExchangeProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(READY_S)

    def keys(self) -> dict[str, Any]:
        """Return the keys of the exchange and its demo participants."""
        found: dict[str, Any] = json.loads((self.data / "keys.json").read_text())
        return found

    def url(self, component: str) -> str:
        """Return where a component is."""
        return f"http://127.0.0.1:{self.port_base + {'engine': 1, 'reporter': 2, 'clearing': 3}[component]}"


class Client:
    """One keep-alive connection that speaks JSON."""

    def __init__(self, url: str, key: str = "", timeout_s: float = 10) -> None:
        self._address = urlsplit(url).netloc
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._connection = http.client.HTTPConnection(self._address, timeout=timeout_s)

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return (status, answer). Raise OSError or HTTPException where the connection breaks."""
        headers = dict(self._headers)
        text = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            text = json.dumps(body)
        try:
            self._connection.request(method, path, text, headers)
            reply = self._connection.getresponse()
            content = reply.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        return reply.status, json.loads(content) if content else None

    def get(self, path: str) -> Any:
        """Return what a GET answers; it must be 200."""
        status, found = self.call("GET", path)
        assert status == 200, f"GET {path} answered {status}: {found}"
        return found


def is_group_alive(group: int) -> bool:
    """Tell whether a process of a group still runs; one that only waits to be reaped does not."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text().rpartition(") ")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state not in "ZX":
            return True
    return False


def wait_for(condition: Any, what: str, seconds: float = 60) -> Any:
    """Ask again and again until a condition gives something; return it."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come true within {seconds} s")
