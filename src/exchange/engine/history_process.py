"""Writes the table of orders in a process of its own, so that a busy engine gives it no time of its interpreter.

The engine sends batches of events as envelopes over a pipe, one at a time; this process stores each in one
transaction and answers with a line: empty, or what went wrong. Natively where that is installed, else by the
definition: the rows are the same. It has a lower priority than the engine, and ends when its standard input is closed,
which happens when the engine dies.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import IO, ClassVar, Protocol

from exchange.engine.order_store import OrderStore
from exchange.infra.errors import InfraError
from exchange.wire.envelope import HEADER, EventBatch, decode_batch, encode_header
from exchange.wire.records import ProtocolError

NICENESS = 10
"""A tenth of the engine's share where both want the same core. Not the idle class, which on a full machine has next to
nothing: then reads of orders fail, and in the end the engine brakes for events that it can no longer keep.
"""
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
            process.stdin.write(encode_header(batch))
            # Not in one piece with its header: to copy megabytes would hold the engine's interpreter up.
            process.stdin.write(batch.events)
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


class HistoryWriter(Protocol):
    """What writes the table of orders here. name: native or python."""

    name: ClassVar[str]

    def __init__(self, path: Path, partition: int) -> None:
        """Open the table, or make it. Raise `InfraError` or `sqlite3.Error`."""

    def commit(self, message: bytes) -> None:
        """Take in an envelope with the next run of events. Raise `InfraError`, or `ProtocolError` for no envelope."""

    def close(self) -> None:
        """Close the table."""


class PythonWriter:
    """The definition: `OrderStore`."""

    name: ClassVar[str] = "python"

    def __init__(self, path: Path, partition: int) -> None:
        self._store = OrderStore(path, partition)

    def commit(self, message: bytes) -> None:
        """Take in an envelope with the next run of events."""
        self._store.commit(decode_batch(message))

    def close(self) -> None:
        """Close the table."""
        self._store.close()


def writer_kind() -> type[HistoryWriter]:
    """Return the native writer where it is installed, else the definition."""
    try:
        from exchange.engine.order_store_native import NativeWriter
    except ImportError:
        return PythonWriter
    return NativeWriter


def serve(
    path: Path,
    partition: int,
    events: IO[bytes],
    answers: IO[bytes],
    kind: type[HistoryWriter] = PythonWriter,
) -> None:
    """Store what comes until the end of the input."""
    writer: HistoryWriter | None = None
    while (message := read_envelope(events)) is not None:
        try:
            writer = writer or kind(path, partition)
            writer.commit(message)
            said = ""
        except (InfraError, sqlite3.Error) as error:
            said = " ".join(str(error).split())
        answers.write(said.encode() + b"\n")
        answers.flush()
    if writer is not None:
        writer.close()


def read_envelope(stream: IO[bytes]) -> bytes | None:
    """Read one envelope, not looked into; None at the end, also where it comes within one."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    size = HEADER.unpack(header)[7]
    events = stream.read(size)
    return header + events if len(events) == size else None


def main(arguments: list[str]) -> int:
    """Serve the engine that started this process; return the exit code."""
    os.nice(NICENESS)
    try:
        serve(Path(arguments[0]), int(arguments[1]), sys.stdin.buffer, sys.stdout.buffer, writer_kind())
    except (ProtocolError, BrokenPipeError) as error:
        sys.stderr.write(f"order history: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    # A signal to the whole group (Ctrl-C, systemd) is for the engine; this process ends when its input does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(main(sys.argv[1:]))
