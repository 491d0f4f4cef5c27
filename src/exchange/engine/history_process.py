"""Writes the table of orders in a process of its own, so that a busy engine gives it no time of its interpreter.

The engine sends batches of events as envelopes over a pipe, one at a time; this process stores each in one
transaction and answers with a line: empty, or what went wrong. It has a lower priority than the engine, and ends when
its standard input is closed, which happens when the engine dies.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import IO

from exchange.engine.order_store import OrderStore
from exchange.infra.errors import InfraError
from exchange.wire.envelope import HEADER, EventBatch, decode_batch, encode_batch
from exchange.wire.records import ProtocolError

NICENESS = 10
STOP_WAIT_S = 10.0


class HistoryProcess:
    """The engine's side: starts the process when it is first needed, and again where it has died. For one thread."""

    def __init__(self, path: Path, partition: int) -> None:
        self._arguments = [str(path), str(partition)]
        self._process: subprocess.Popen[bytes] | None = None

    def commit(self, batch: EventBatch) -> None:
        """Have events stored; they are in the table on return. Raise `InfraError`."""
        try:
            process = self._process or self._start()
            assert process.stdin
            assert process.stdout
            process.stdin.write(encode_batch(batch))
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError as error:
            self._forget()
            raise InfraError(f"the process that writes the table of orders is gone: {error}") from error
        if not answer.endswith(b"\n"):
            self._forget()
            raise InfraError("the process that writes the table of orders ended; it is started again")
        if problem := answer.decode("utf-8", "replace").strip():
            raise InfraError(problem)

    def stop(self) -> None:
        """End the process after what it is doing."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin
        assert process.stdout
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "exchange.engine.history_process", *self._arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._process

    def _forget(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with contextlib.suppress(OSError):
                        pipe.close()


def serve(path: Path, partition: int, events: IO[bytes], answers: IO[bytes]) -> None:
    """Store what comes until the end of the input."""
    store: OrderStore | None = None
    while (batch := read_envelope(events)) is not None:
        try:
            store = store or OrderStore(path, partition)
            store.commit(batch)
            said = ""
        except (InfraError, sqlite3.Error) as error:
            said = " ".join(str(error).split())
        answers.write(said.encode() + b"\n")
        answers.flush()
    if store is not None:
        store.close()


def read_envelope(stream: IO[bytes]) -> EventBatch | None:
    """Read one envelope; None at the end, also where it comes within one. Raise `ProtocolError` for anything else."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    size = HEADER.unpack(header)[7]
    events = stream.read(size)
    return decode_batch(header + events) if len(events) == size else None


def main(arguments: list[str]) -> int:
    """Serve the engine that started this process; return the exit code."""
    os.nice(NICENESS)
    try:
        serve(Path(arguments[0]), int(arguments[1]), sys.stdin.buffer, sys.stdout.buffer)
    except (ProtocolError, BrokenPipeError) as error:
        sys.stderr.write(f"order history: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    # A signal to the whole group (Ctrl-C, systemd) is for the engine; this process ends when its input does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(main(sys.argv[1:]))
