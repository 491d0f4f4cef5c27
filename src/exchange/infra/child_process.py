"""Processes of our own that are spoken to over pipes: beginning one, what it does about itself, and ending it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

NICENESS = 10
"""A tenth of its parent's share where both want the same core. Not the idle class, which on a full machine has next to
nothing.
"""


def start_process(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Run a module in a process whose input and output are pipes. Raise `OSError`."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def stand_back() -> None:
    """Give way to the parent; never to be called in another process than this one."""
    os.nice(NICENESS)


def leave_signals_to_the_parent() -> None:
    """Ignore a signal to the whole group (Ctrl-C, systemd): this process ends when its input does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def end_process(process: subprocess.Popen[bytes], wait_s: float) -> None:
    """Close the input of a process, which ends it, and wait so long before it is killed; 0 kills it at once."""
    if not wait_s:
        process.kill()
    if process.stdin:
        with contextlib.suppress(OSError):
            process.stdin.close()
    try:
        process.wait(wait_s or None)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
