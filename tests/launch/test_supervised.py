"""A service manager hears that a component serves, how it is again and again, and that it stops."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from exchange.infra.service_notice import ServiceNotice
from exchange.launch.supervised import keep_informed

WAIT_S = 60


class Manager:
    """The socket of a service manager in a folder."""

    def __init__(self, folder: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "notify"))
        self.socket.setblocking(False)
        self.env = {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "30000"}

    async def hears(self) -> str:
        async with asyncio.timeout(WAIT_S):
            return (await asyncio.get_running_loop().sock_recv(self.socket, 4_096)).decode()


async def test_the_manager_hears_reasons_as_they_change_until_the_end(tmp_path: Path) -> None:
    manager = Manager(tmp_path)
    reasons = ["waiting for the engine", "catching up"]
    async with AsyncExitStack() as stack:
        keep_informed(lambda: reasons, stack, ServiceNotice(manager.env))
        assert await manager.hears() == "READY=1"
        assert await manager.hears() == "WATCHDOG=1\nSTATUS=waiting for the engine; catching up"
        reasons.clear()
        while (said := await manager.hears()) != "WATCHDOG=1\nSTATUS=ready":
            assert said.endswith("catching up")
    while (said := await manager.hears()) != "STOPPING=1\nSTATUS=stopping":
        assert said == "WATCHDOG=1\nSTATUS=ready"
    manager.socket.close()


async def test_without_a_manager_nothing_runs_beside(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    async with AsyncExitStack() as stack:
        keep_informed(list, stack, ServiceNotice({}))
        assert asyncio.all_tasks() == before


@pytest.mark.integration
@pytest.mark.parametrize("command", ["engine", "up"])
async def test_a_real_process_says_ready_when_it_serves_and_stopping_when_it_ends(
    tmp_path: Path, command: str
) -> None:
    manager = Manager(tmp_path)
    env = {**os.environ, **manager.env, "WATCHDOG_USEC": "30000000"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exchange", command, "--data", str(tmp_path / "data"), "--port-base", "0",
        env=env, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await manager.hears() == "READY=1"
    assert await manager.hears() == "WATCHDOG=1\nSTATUS=ready"
    process.send_signal(signal.SIGTERM)
    assert await manager.hears() == "STOPPING=1\nSTATUS=stopping"
    async with asyncio.timeout(WAIT_S):
        assert await process.wait() == 0
    manager.socket.close()
