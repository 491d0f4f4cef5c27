"""Processes that are spoken to over pipes end when their input does, or are killed."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from exchange.infra.child_process import end_process

LIMIT_S = 120


def started(code: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    return process


READS = "import sys\nprint('ready', flush=True)\nsys.exit(len(sys.stdin.read()) + 7)"
STAYS = "import time\nprint('ready', flush=True)\ntime.sleep(600)"


@pytest.mark.parametrize(
    ("code", "wait_s", "ended_with"),
    [(READS, LIMIT_S, 7), (STAYS, 0.01, -signal.SIGKILL), (STAYS, 0, -signal.SIGKILL)],
    ids=["it ends by itself", "it does not, and is killed", "it is not waited for"],
)
def test_a_process_has_ended_and_its_pipes_are_closed(code: str, wait_s: float, ended_with: int) -> None:
    process = started(code)
    end_process(process, wait_s)
    assert process.returncode == ended_with
    assert process.stdin
    assert process.stdout
    assert process.stdin.closed
    assert process.stdout.closed


def test_one_that_is_dead_already_is_ended_too() -> None:
    process = started(STAYS)
    process.kill()
    process.wait(LIMIT_S)
    end_process(process, LIMIT_S)
    assert process.returncode == -signal.SIGKILL
