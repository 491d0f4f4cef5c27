"""Writes the table of orders in a process of its own, so that a busy engine gives it no time of its interpreter.

The engine says over a pipe where in its event log the next events lie, one run of them a line; this process reads them
there, stores them in one transaction, and answers with a line: how far the table is, or what went wrong. So the engine
touches no event for it, and what was not released, which no run names, is never stored. Natively
where that is installed, else by the definition: the rows are the same. It has a lower priority than the engine, and
ends when its standard input is closed, which happens when the engine dies.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import IO, ClassVar, Protocol

import msgspec

from exchange.engine.order_store import OrderStore
from exchange.infra.child_process import (
    end_process,
    leave_signals_to_the_parent,
    stand_back,
    start_process,
)
from exchange.infra.errors import EventsGone, InfraError
from exchange.infra.event_log_run import EventRun, read_run
from exchange.wire.envelope import decode_batch, encode_batch
from exchange.wire.records import ProtocolError

STOP_WAIT_S = 10.0


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a run. last_sequence: in the table now; problem: what went wrong.

    first_kept: the oldest event that is kept, where those of the run are not.
    """

    last_sequence: int = 0
    problem: str = ""
    first_kept: int = 0


class HistoryProcess:
    """The engine's side: starts the process when it is first needed, and again where it has died. For one thread."""

    def __init__(self, path: Path, partition: int) -> None:
        self._arguments = [str(path), str(partition)]
        self._process: subprocess.Popen[bytes] | None = None

    def commit(self, run: EventRun) -> int:
        """Have the events of a run stored; return the last one, which is in the table then.

        Raise `EventsGone` where the log no longer has them, and `InfraError`.
        """
        try:
            process = self._process or self._start()
            assert process.stdin
            assert process.stdout
            process.stdin.write(msgspec.json.encode(run) + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError as error:
            self._end(0)
            raise InfraError(f"the process that writes the table of orders is gone: {error}") from error
        if not line.endswith(b"\n"):
            self._end(0)
            raise InfraError("the process that writes the table of orders ended; it is started again")
        answer = msgspec.json.decode(line, type=Answer)
        if answer.first_kept:
            raise EventsGone(answer.first_kept)
        if answer.problem:
            raise InfraError(answer.problem)
        return answer.last_sequence

    def stop(self) -> None:
        """End the process after what it is doing."""
        self._end(STOP_WAIT_S)

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = start_process("exchange.engine.history_process", *self._arguments)
        return self._process

    def _end(self, wait_s: float) -> None:
        process, self._process = self._process, None
        if process is not None:
            end_process(process, wait_s)


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
    runs: IO[bytes],
    answers: IO[bytes],
    kind: type[HistoryWriter] = PythonWriter,
) -> None:
    """Store what is named, a run a line, until the end of the input; a line that is cut is none."""
    writer: HistoryWriter | None = None
    while (line := runs.readline()).endswith(b"\n"):
        try:
            writer = writer or kind(path, partition)
            batch = read_run(msgspec.json.decode(line, type=EventRun))
            writer.commit(encode_batch(batch))
            answer = Answer(last_sequence=batch.last_sequence)
        except EventsGone as gone:
            answer = Answer(first_kept=gone.first_kept)
        except (InfraError, OSError, sqlite3.Error) as error:
            answer = Answer(problem=" ".join(str(error).split()) or "it did not say why")
        answers.write(msgspec.json.encode(answer) + b"\n")
        answers.flush()
    if writer is not None:
        writer.close()


def main(arguments: list[str]) -> int:
    """Serve the engine that started this process; return the exit code."""
    # Were it given next to nothing, reads of orders would fail, and in the end the engine would brake for it.
    stand_back()
    try:
        serve(Path(arguments[0]), int(arguments[1]), sys.stdin.buffer, sys.stdout.buffer, writer_kind())
    except (ProtocolError, msgspec.DecodeError, BrokenPipeError) as error:
        sys.stderr.write(f"order history: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    leave_signals_to_the_parent()
    sys.exit(main(sys.argv[1:]))
