"""Two engines for one partition: on one folder the second refuses; on a copy, the higher epoch fences the first."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra.nsq_daemons import binary, free_ports
from tests.integration.exchange_process import EXCHANGE, READY_S, Client, wait_for
from tests.integration.fault_stand import FaultRow
from tests.integration.nsq_stand import NAMES, NsqStand
from tests.integration.test_full_disk import enter

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[NsqStand]:
    binary("nsqd"), binary("nsqlookupd")
    with NsqStand(tmp_path) as made:
        yield made


def test_a_second_engine_on_the_folder_refuses_and_the_first_goes_on(stand: NsqStand) -> None:
    with stand.load():
        second = subprocess.run(
            [*EXCHANGE, "engine", "--config", str(stand.config_of("engine"))],
            capture_output=True, text=True, timeout=READY_S,
        )  # fmt: skip
        assert second.returncode != 0
        first = stand.running["engine"].pid
        assert f"is in use by process {first}" in second.stderr
        assert "stop that process, or use another data folder" in second.stderr
    stand.wait_until_equal()


def test_an_engine_on_a_copy_of_the_folder_fences_the_first(stand: NsqStand) -> None:
    row = FaultRow("a second engine on a copy of the data folder; the first is fenced, then replaced")
    with stand.load():
        pass
    stand.wait_until_equal()
    second = SecondEngine(stand)
    try:
        wait_for(lambda: epochs(stand) == {2}, "consumers that know the second engine's epoch")
        for number in range(20):
            enter(stand.client("engine", ("alice", "bob")[number % 2]), number, ("buy", "sell")[number % 2])
        wait_for(lambda: fenced(stand) >= 1, "batches of the first engine that are fenced")
        for name in NAMES[1:]:
            wait_for(
                lambda name=name: problem(stand, name), f"{name} says that it is asking a replaced engine"
            )
        stand.end("engine", signal.SIGKILL)
        begun = time.monotonic()
        second.move_in()
        wait_for(lambda: not stand.behind(), "consumers that hold what the second engine holds", 60)
        row.healed(time.monotonic() - begun)
        with stand.load():
            pass
        stand.wait_until_equal()
    finally:
        second.end()
    row.report()


class SecondEngine:
    """An engine on a copy of the stand's data, publishing on the same topic."""

    def __init__(self, stand: NsqStand) -> None:
        self._stand = stand
        self._port = free_ports(1)[0]
        self._data = stand.folder / "copy"
        shutil.copytree(stand.folder / "data" / "engine", self._data / "engine")
        shutil.copy2(stand.folder / "data" / "keys.json", self._data / "keys.json")
        self._start(self._port)

    def _start(self, port: int) -> None:
        text = self._stand.config_of("engine").read_text()
        text = text.replace(json.dumps(str(self._stand.folder / "data")), json.dumps(str(self._data)))
        text = text.replace(f"[engine]\nport = {self._stand.ports['engine']}\n", f"[engine]\nport = {port}\n")
        config = self._stand.folder / "second.toml"
        config.write_text(text)
        with (self._stand.folder / "second.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*EXCHANGE, "engine", "--config", str(config), "--json"], stdout=log, stderr=log
            )
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: is_ready(url), "a second engine", READY_S)

    def move_in(self) -> None:
        """Take the first one's address, as an operator does with a replacement."""
        self.end()
        self._start(self._stand.ports["engine"])

    def end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(READY_S)


def is_ready(url: str) -> bool:
    try:
        return Client(url).call("GET", "/readyz")[0] == 200
    except OSError:
        return False


def feed_of(stand: NsqStand, name: str) -> dict[str, Any]:
    found: dict[str, Any] = stand.stats(name)["feed"]
    return found


def epochs(stand: NsqStand) -> set[int]:
    return {int(feed_of(stand, name)["epoch"]) for name in NAMES[1:]}


def problem(stand: NsqStand, name: str) -> bool:
    return "epoch" in json.dumps(Client(stand.url(name)).call("GET", "/readyz")[1])


def fenced(stand: NsqStand) -> int:
    return sum("feed_fenced" in (stand.folder / f"{name}.log").read_text() for name in NAMES[1:])
