"""Commands as processes of their own: those that serve, and those that ask."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.cli.conftest import Ran


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", "import sys; from exchange.cli import main; sys.exit(main())", *words]


@contextmanager
def started(*words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Start a command that serves, wait for its line of JSON, and end it with SIGTERM."""
    process = subprocess.Popen(
        command(*words, "--json"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout
        yield process, json.loads(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        finally:
            process.kill()
            process.communicate()


def ask(*words: str) -> Ran:
    done = subprocess.run(command(*words), capture_output=True, text=True, check=False, timeout=60)
    return Ran(done.returncode, done.stdout, done.stderr)
