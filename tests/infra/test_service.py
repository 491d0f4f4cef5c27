"""The life of a process that serves."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys

import pytest

from exchange.infra.service import stop_within, wait_for_signal

PROGRAM = """
import asyncio
from exchange.infra.service import run_service, wait_for_signal

async def main():
    print(type(asyncio.get_running_loop()).__module__, flush=True)
    waiting = asyncio.create_task(wait_for_signal())
    await asyncio.sleep(0)
    print("ready", flush=True)
    print("got", await waiting, flush=True)
    {after}

run_service(main)
"""


def start(after: str = "pass") -> subprocess.Popen[str]:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(after=after)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert program.stdout.readline().startswith("uvloop")
    assert program.stdout.readline() == "ready\n"
    return program


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_in_order(number: signal.Signals) -> None:
    program = start()
    program.send_signal(number)
    out, _ = program.communicate(timeout=20)
    assert f"got {number.name}" in out
    assert program.returncode == 0


def test_a_second_signal_ends_it_at_once() -> None:
    program = start("await asyncio.sleep(60)")
    program.send_signal(signal.SIGTERM)
    assert program.stdout is not None
    while "got SIGTERM" not in program.stdout.readline():
        pass
    program.send_signal(signal.SIGTERM)
    assert program.wait(timeout=20) == -signal.SIGTERM


async def test_a_stop_in_time_is_waited_for_and_a_late_one_is_cut_off() -> None:
    assert await stop_within(asyncio.sleep(0), 5)
    assert not await stop_within(asyncio.sleep(60), 0.01)


async def test_waiting_for_a_signal_can_be_given_up() -> None:
    waiting = asyncio.create_task(wait_for_signal())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
