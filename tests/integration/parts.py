"""Engine, reporter and clearing as processes with a data folder each, without any secondary component."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.infra.nsq_daemons import free_ports
from tests.integration.exchange_process import EXCHANGE, READY_S, Client, wait_for

NAMES = ("engine", "reporter", "clearing")


class Parts:
    """`with Parts(folder) as parts`: start and stop them by name. more, bus: lines for every configuration."""

    def __init__(self, folder: Path, more: str = "", bus: str = 'kind = "none"\n') -> None:
        self.folder = folder
        self.ports = dict(zip(NAMES, free_ports(3), strict=True))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._more, self._bus = more, bus
        self._keys: dict[str, Any] = {}

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait(READY_S)

    def start(
        self, name: str, data: Path, *, environment: dict[str, str] | None = None, own: str = ""
    ) -> None:
        """Start a component over a data folder, and wait until it is ready. own: lines of its own section."""
        config = self.folder / f"{name}.toml"
        key = f"key_file = {json.dumps(str(self._keys['file']))}\n" if name != "engine" else ""
        sections = {each: f"[{each}]\nport = {port}\n" for each, port in self.ports.items()}
        sections[name] += key + own
        config.write_text(
            f"[exchange]\ndata = {json.dumps(str(data))}\n" + "".join(sections.values())
            + f"[bus]\n{self._bus}{self._more}"
        )  # fmt: skip
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*EXCHANGE, name, "--config", str(config), "--json"], stdout=log, stderr=log,
                env=os.environ | (environment or {}),
            )  # fmt: skip
        wait_for(lambda: self.is_ready(name), f"a ready {name}", READY_S)
        if name == "engine":
            self._keys = json.loads((data / "keys.json").read_text()) | {"file": data / "keys.json"}

    def is_ready(self, name: str) -> bool:
        process = self.processes[name]
        assert process.poll() is None, (self.folder / f"{name}.log").read_text()[-2_000:]
        try:
            return Client(self.url(name)).call("GET", "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def stop(self, name: str) -> int:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(READY_S)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def client(self, name: str, who: str) -> Client:
        keys = self._keys
        key = keys[who] if who in keys else keys["participants"][who]["key"]
        return Client(self.url(name), key, timeout_s=60)

    def client_keys(self) -> dict[str, str]:
        """Return the participants' keys by name."""
        return {name: each["key"] for name, each in self._keys["participants"].items()}

    def joins(self, others: Parts) -> None:
        """Let what is started here belong to the engine of others."""
        self.ports["engine"], self._keys = others.ports["engine"], others._keys

    def orders_of(self, who: str) -> set[str]:
        """Return the ids of everything a participant has ever ordered."""
        client, cursor, found = self.client("engine", who), "", set[str]()
        while True:
            page = client.get(f"/api/v1/orders?limit=1000{cursor}")
            found |= {order["id"] for order in page["items"]}
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"

    def wait_until_equal(self) -> None:
        """Wait until reporter and clearing hold what the engine holds, and prove it."""
        clearing = self.client("clearing", "operator")

        def agrees() -> bool:
            report = clearing.get("/api/v1/break-report")
            wanted = report["engine"]["seq"]
            return (
                report["status"] == "agree"
                and report["clearing"]["seq"] == report["reporter"]["seq"] == wanted
            )

        wait_for(agrees, "a break report that agrees", 90)
        assert clearing.get("/api/v1/prove")["holds"]
        self.prove_by_command()

    def prove_by_command(self) -> None:
        """Let `exchange clearing prove` make the ledger anew from the engine's events."""
        words = ["clearing", "prove", "--url", self.url("clearing"), "--engine", self.url("engine"), "--json"]
        proved = subprocess.run(
            [*EXCHANGE, *words, "--key", self._keys["operator"]],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert proved.returncode == 0, proved.stdout + proved.stderr
