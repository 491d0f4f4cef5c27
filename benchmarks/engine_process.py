"""An engine alone in a process of its own, as `exchange engine` starts it, for benchmarks that drive it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

READY_S_MAX = 20


@contextmanager
def started_engine(data: Path, port_base: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start an engine, give its process once it is ready, and stop it."""
    log = data.with_suffix(".log")
    with log.open("wb") as stderr:
        engine = subprocess.Popen(
            [sys.executable, "-m", "exchange", "engine", "--data", str(data), "--port-base", str(port_base)],
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    try:
        _await_ready(engine, port_base, log)
        yield engine
    finally:
        engine.terminate()
        engine.wait(timeout=60)


def _await_ready(engine: subprocess.Popen[bytes], port_base: int, log: Path) -> None:
    end = time.monotonic() + READY_S_MAX
    while time.monotonic() < end:
        try:
            with urlopen(f"http://127.0.0.1:{port_base + 1}/readyz", timeout=1):
                if engine.poll() is None:
                    return
        except (URLError, OSError):
            if engine.poll() is not None:
                said = log.read_text()[-400:]
                raise SystemExit(
                    f"the engine ended with {engine.returncode} before it was ready: {said}"
                ) from None
            time.sleep(0.05)
    raise SystemExit(f"the engine was not ready within {READY_S_MAX} s")
