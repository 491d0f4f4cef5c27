"""Starting and stopping components that do nothing else."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import signal
from contextlib import AsyncExitStack

import pytest

from exchange.infra.config import Address
from exchange.infra.errors import InfraError
from exchange.launch.life import run_until_signal, start, wait_until_ready

ADDRESS = Address("127.0.0.1", 8001)


class Recorder:
    """A component that writes down what is done with it. not_ready: how often it says that it is not ready."""

    url = "http://127.0.0.1:8001"
    fails_below = 0

    def __init__(self, log: list[str], error: Exception | None = None, not_ready: int = 0) -> None:
        self.log = log
        self.error = error
        self.not_ready = not_ready

    async def start(self) -> None:
        self.log.append("start")
        if self.error:
            raise self.error

    async def stop(self) -> None:
        self.log.append("stop")

    def ready(self) -> list[str]:
        self.not_ready -= 1
        return ["it is reading"] if self.not_ready >= 0 else []

    def failure(self) -> str:
        return "its store is another one's" if self.not_ready < self.fails_below else ""


async def test_what_started_is_stopped_with_the_stack() -> None:
    log: list[str] = []
    async with AsyncExitStack() as stack:
        await start("engine", Recorder(log), ADDRESS, stack)
        log.append("run")
    assert log == ["start", "run", "stop"]


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EADDRINUSE, r"port 8001 of 127\.0\.0\.1 is taken, the engine cannot listen.*--port-base"),
        (errno.EADDRNOTAVAIL, r"the engine cannot listen on 127\.0\.0\.1 port 8001: .*set host and port"),
        (errno.EACCES, "cannot listen"),
    ],
)
async def test_an_address_that_cannot_be_had_is_told_with_what_to_do(number: int, message: str) -> None:
    log: list[str] = []
    component = Recorder(log, OSError(number, os.strerror(number)))
    with pytest.raises(InfraError, match=message):
        async with AsyncExitStack() as stack:
            await start("engine", component, ADDRESS, stack)
    assert log == ["start", "stop"]


async def test_a_file_that_may_not_be_written_is_not_taken_for_an_address() -> None:
    component = Recorder([], PermissionError(errno.EACCES, "Permission denied", "/data/engine/journal"))
    with pytest.raises(PermissionError, match="journal"):
        async with AsyncExitStack() as stack:
            await start("engine", component, ADDRESS, stack)


async def test_other_failures_of_a_start_pass_as_they_are() -> None:
    with pytest.raises(OSError, match="No space"):
        async with AsyncExitStack() as stack:
            await start("engine", Recorder([], OSError(errno.ENOSPC, "No space")), ADDRESS, stack)


async def test_readiness_is_waited_for() -> None:
    component = Recorder([], not_ready=3)
    await wait_until_ready("engine", component)
    assert component.not_ready == -1


async def test_a_component_that_never_gets_ready_is_told_with_its_reasons() -> None:
    with pytest.raises(InfraError, match=r"the reporter was not ready within 0\.01 s: it is reading"):
        await wait_until_ready("reporter", Recorder([], not_ready=1_000_000), limit_s=0.01)


async def test_a_component_that_has_failed_is_not_waited_for() -> None:
    component = Recorder([], not_ready=1_000_000)
    component.fails_below = 999_998
    with pytest.raises(InfraError, match="the clearing cannot start: its store is another one's"):
        await wait_until_ready("clearing", component)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_what_runs(number: signal.Signals) -> None:
    log: list[str] = []

    async def begin(stack: AsyncExitStack) -> None:
        await start("engine", Recorder(log), ADDRESS, stack)
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)

    await run_until_signal(begin)
    assert log == ["start", "stop"]


async def test_what_has_started_is_out_of_the_garbage_collectors_way() -> None:
    async def begin(stack: AsyncExitStack) -> None:
        await start("engine", Recorder([]), ADDRESS, stack)
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)

    try:
        await run_until_signal(begin)
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()


async def test_a_signal_ends_a_start_that_hangs() -> None:
    log: list[str] = []

    async def begin(stack: AsyncExitStack) -> None:
        await start("engine", Recorder(log), ADDRESS, stack)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    await run_until_signal(begin)
    assert log == ["start", "stop"]


async def test_a_start_that_fails_stops_what_runs_already() -> None:
    log: list[str] = []

    async def begin(stack: AsyncExitStack) -> None:
        await start("engine", Recorder(log), ADDRESS, stack)
        raise InfraError("no reporter")

    with pytest.raises(InfraError, match="no reporter"):
        await run_until_signal(begin)
    assert log == ["start", "stop"]
