"""What a service manager is told, and that its absence or death changes nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.infra.service_notice import STATUS_CHARACTERS_MAX, ServiceNotice


class Manager:
    """The socket of a service manager; said: what has come in."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.setblocking(False)
        self.env = {"NOTIFY_SOCKET": address}

    def said(self) -> str:
        return self.socket.recv(4_096).decode()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    address = (
        str(tmp_path / "notify") if request.param == "path" else f"@exchange-test-{os.getpid()}-{id(request)}"
    )
    made = Manager(address)
    yield made
    made.socket.close()


def test_the_manager_hears_of_start_life_and_end(manager: Manager) -> None:
    notice = ServiceNotice({**manager.env, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())})
    assert (notice.is_wanted, notice.watchdog_s) == (True, 3.0)
    notice.ready()
    assert manager.said() == "READY=1"
    notice.alive("engine: halted,\nlook at it")
    assert manager.said() == "WATCHDOG=1\nSTATUS=engine: halted, look at it"
    notice.stopping()
    assert manager.said() == "STOPPING=1\nSTATUS=stopping"


def test_a_long_status_is_cut(manager: Manager) -> None:
    ServiceNotice(manager.env).alive("x" * 10_000)
    assert manager.said() == "STATUS=" + "x" * STATUS_CHARACTERS_MAX


@pytest.mark.parametrize(
    "watchdog",
    [
        {},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "-5"},
        {"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "1"},
    ],
)
def test_a_watchdog_that_is_absent_unreadable_or_anothers_is_not_fed(
    manager: Manager, watchdog: dict[str, str]
) -> None:
    notice = ServiceNotice({**manager.env, **watchdog})
    assert notice.watchdog_s == 0
    notice.alive("ready")
    assert manager.said() == "STATUS=ready"


@pytest.mark.parametrize("env", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1234"}])
def test_without_a_manager_that_we_know_nothing_is_said(env: dict[str, str]) -> None:
    notice = ServiceNotice({**env, "WATCHDOG_USEC": "3000000"})
    assert (notice.is_wanted, notice.watchdog_s) == (False, 0)
    notice.ready()
    notice.alive()
    notice.stopping()


def test_a_manager_that_is_gone_is_logged_once_and_survived(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notice = ServiceNotice({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    notice.ready()
    notice.alive("ready")
    assert capsys.readouterr().out.count("service_manager_lost") == 1
