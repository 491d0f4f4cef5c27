"""Engine, reporter and clearing as processes on real nsqd and nsqlookupd, under load, with what proves them equal."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.infra.nsq_daemons import Daemon, free_ports
from tests.integration.comparison import NAMES, Comparison
from tests.integration.exchange_process import EXCHANGE, READY_S, Client, wait_for

ORDERS_PER_REQUEST = 20


ANSWER_S = 120
"""A proof of a long run takes its time on a busy machine."""


class NsqStand(Comparison):
    """The whole stand. Two nsqd: the engine publishes to both, the consumers know one and find the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lookupd = Daemon("nsqlookupd", folder / "nsqlookupd")
        flags = (f"--lookupd-tcp-address={self.lookupd.address}",)
        self.nsqd = [Daemon("nsqd", folder / f"nsqd{number}", *flags) for number in (0, 1)]
        self.ports = dict(zip(NAMES, free_ports(3), strict=True))
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    # --- life ---------------------------------------------------------------------------------------

    def __enter__(self) -> NsqStand:
        try:
            for daemon in (self.lookupd, *self.nsqd):
                daemon.start()
            for name in NAMES:
                self.start(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.running):
            self.end(name, signal.SIGKILL)
        for daemon in (self.lookupd, *self.nsqd):
            daemon.end(signal.SIGKILL)

    def config_of(self, name: str) -> Path:
        known = self.nsqd if name == "engine" else self.nsqd[:1]
        file = self.folder / f"{name}.toml"
        file.write_text(
            f"[exchange]\ndata = {json.dumps(str(self.folder / 'data'))}\n"
            + "".join(f"[{each}]\nport = {port}\n" for each, port in self.ports.items())
            + f'[bus]\nkind = "nsq"\nnsqd = {json.dumps([daemon.address for daemon in known])}\n'
            f'nsqlookupd = ["{self.lookupd.url}"]\nlookup_ms = 300\nannounce_ms = 500\n'
            "heartbeat_ms = 1000\nmessage_timeout_ms = 1000\nanswer_timeout_ms = 1000\n"
        )
        return file

    def start(self, name: str, wait: bool = True) -> None:
        """Start a component and wait until it is ready."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [*EXCHANGE, name, "--config", str(self.config_of(name)), "--json"], stdout=log, stderr=log
            )
        if wait:
            wait_for(lambda: self.is_ready(name), f"a ready {name}", READY_S)

    def end(self, name: str, number: signal.Signals = signal.SIGTERM) -> int:
        process = self.running.pop(name)
        process.send_signal(number)
        return process.wait(READY_S)

    def is_ready(self, name: str) -> bool:
        try:
            return Client(self.url(name)).call("GET", "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    # --- what is seen from outside ------------------------------------------------------------------

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def client(self, name: str, who: str = "operator") -> Client:
        keys = json.loads((self.folder / "data" / "keys.json").read_text())
        key = keys[who] if who in keys else keys["participants"][who]["key"]
        return Client(self.url(name), key, ANSWER_S)

    def feeds(self) -> dict[str, dict[str, int]]:
        """Return the feed's figures of each consumer."""
        return {
            name: {
                key: int(value) for key, value in self.stats(name)["feed"].items() if isinstance(value, int)
            }
            for name in NAMES[1:]
            if name in self.running
        }

    def forget_clearing(self) -> None:
        """Throw the books of clearing away, as if it had never run."""
        shutil.rmtree(self.folder / "data" / "clearing")

    @contextmanager
    def load(self) -> Iterator[Load]:
        """Trade while something happens."""
        load = Load(self)
        load.start()
        try:
            wait_for(lambda: load.acknowledged > 100 or load.failure, "some load")
            yield load
        finally:
            load.stopping.set()
            load.join()
        assert not load.failure, load.failure


class Load(threading.Thread):
    """Alice and bob trade in two symbols as fast as they are answered; an engine that is away is waited for."""

    def __init__(self, stand: NsqStand) -> None:
        super().__init__(daemon=True)
        self.stand = stand
        self.stopping = threading.Event()
        self.acknowledged = 0
        self.failure = ""

    def run(self) -> None:
        clients = {name: self.stand.client("engine", name) for name in ("alice", "bob")}
        turn = 0
        while not self.stopping.is_set():
            turn += 1
            name = ("alice", "bob")[turn % 2]
            try:
                status, answer = clients[name].call("POST", "/api/v1/orders", _orders(name, turn))
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
                continue
            if status == 503:
                time.sleep(0.05)
            elif status >= 300:
                self.failure = f"{status}: {str(answer)[:300]}"
                return
            else:
                self.acknowledged += ORDERS_PER_REQUEST
            time.sleep(0.005)


def _orders(name: str, turn: int) -> list[dict[str, Any]]:
    side = "sell" if name == "alice" else "buy"
    return [
        {
            "symbol": ("AAPL", "MSFT")[number % 2], "side": side, "qty": str(1 + number % 3), "type": "limit",
            "price": ("189.", "415.")[number % 2] + f"{(turn + number) % 5 + 10:02d}", "time_in_force": "gtc",
            "client_order_id": f"{os.getpid()}-{time.monotonic_ns()}-{number}",
        }
        for number in range(ORDERS_PER_REQUEST)
    ]  # fmt: skip
