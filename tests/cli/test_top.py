"""`exchange top` shows what happens, live, once, or for machines, whatever is down."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from fcntl import ioctl
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.processes import command, started
from tests.cli.stub_component import StubComponent, StubPage

LIMIT_S = 60


def heed_interrupts() -> None:
    """Take SIGINT in a child also where the tests run in the background, and so ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def page(orders: int, ready: int = 1) -> bytes:
    return f"""# TYPE exchange_ready gauge
exchange_ready {ready}.0
# TYPE exchange_orders_total counter
exchange_orders_total {orders}.0
# TYPE exchange_clearing_trades gauge
exchange_clearing_trades{{state="held"}} 2.0
# TYPE exchange_breaks gauge
exchange_breaks{{component="reporter"}} 1.0
""".encode()


def test_once_reads_twice_and_tells_what_passed(run: Run, data: Path, component: StubComponent) -> None:
    component.answer("GET", "/metrics", [StubPage(page(10))] * 3 + [StubPage(page(20))] * 3)
    shown = run("top", "--once", "--every", "0.2", "--json", "--data", str(data)).json
    assert [each["state"] for each in shown["components"].values()] == ["ready"] * 3
    assert 10 < shown["market"]["orders_per_s"] <= 50
    assert shown["clearing"]["trades"] == {"held": 2}
    assert shown["clearing"]["breaks"] == {"reporter": 1}
    assert shown["market"]["trades_per_s"] is None


def test_people_get_a_picture(run: Run, data: Path, component: StubComponent) -> None:
    component.answer("GET", "/metrics", page(10))
    shown = run("top", "--once", "--every", "0.1", "--data", str(data))
    assert shown.code == 0
    assert "breaks: 1 in reporter" in shown.out
    assert "2 held" in shown.out


def test_a_component_that_is_down_is_shown_as_such(run: Run, data: Path, component: StubComponent) -> None:
    component.answer("GET", "/metrics", page(10, ready=0))
    component.answer("GET", "/readyz", {"ready": False, "reasons": ["catching up: at event 7"]}, 503)
    addresses = json.loads((data / "addresses.json").read_text())
    addresses["clearing"] = "http://127.0.0.1:1"
    (data / "addresses.json").write_text(json.dumps(addresses))
    shown = run("top", "--once", "--every", "0.1", "--json", "--data", str(data)).json
    assert shown["components"]["engine"]["state"] == "not_ready"
    assert shown["components"]["engine"]["reasons"] == ["catching up: at event 7"]
    assert shown["components"]["clearing"]["state"] == "unreachable"
    assert "Connection refused" in shown["components"]["clearing"]["reasons"][0]
    assert shown["clearing"]["trades"] == {}
    assert "clearing: cannot be reached" in run("top", "--once", "--every", "0.1", "--data", str(data)).out


def test_an_exchange_that_does_not_run_is_unreachable(run: Run, tmp_path: Path) -> None:
    ran = run("top", "--once", "--data", str(tmp_path / "none"), "--port-base", "64990")
    assert ran.code == 3
    assert "no component can be reached" in ran.err


@pytest.mark.parametrize("every", ["0", "-1", "nan", "1e9"])
def test_a_wrong_pace_is_refused(run: Run, every: str) -> None:
    ran = run("top", "--every", every)
    assert ran.code == 2
    assert "0.1 to 3600 seconds" in ran.err


def test_json_goes_on_line_by_line(data: Path, component: StubComponent) -> None:
    component.answer("GET", "/metrics", page(10))
    watching = subprocess.Popen(
        command("top", "--json", "--every", "0.1", "--data", str(data)),
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    try:
        assert watching.stdout
        lines = [json.loads(watching.stdout.readline()) for _ in range(3)]
    finally:
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=LIMIT_S)
    assert all(line["components"]["engine"]["state"] == "ready" for line in lines)
    assert watching.returncode == 130


@pytest.mark.integration
def test_on_a_terminal_it_draws_over_itself_while_components_come_and_go(tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
    seen = bytearray()

    def read_until(is_over: Callable[[], bool]) -> None:
        """Take what is drawn, for whoever draws waits when nobody does."""
        ends_s = time.monotonic() + LIMIT_S
        while not is_over():
            assert time.monotonic() < ends_s, seen[-3_000:].decode(errors="replace")
            if select.select([ours], [], [], 0.1)[0]:
                seen.extend(os.read(ours, 65_536))

    def wait_for(text: str) -> None:
        seen.clear()
        read_until(lambda: text.encode() in seen)

    with started("up", "--port-base", "0", "--data", folder):
        watching = subprocess.Popen(
            command("top", "--every", "0.2", "--data", folder), stdin=theirs, stdout=theirs, stderr=theirs,
            env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}, start_new_session=True,
            preexec_fn=heed_interrupts,
        )  # fmt: skip
        wait_for("gateway → disk")
        wait_for("ready")
        wait_for("no breaks")
    try:
        wait_for("unreachable")
    finally:
        watching.send_signal(signal.SIGINT)
        read_until(lambda: watching.poll() is not None)
        os.close(ours)
        os.close(theirs)
    assert watching.returncode == 130
