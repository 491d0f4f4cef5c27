"""Ending a process of our own that is spoken to over pipes."""

from __future__ import annotations

import contextlib
import subprocess


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
