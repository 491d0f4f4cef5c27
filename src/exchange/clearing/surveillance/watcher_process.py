"""Runs the watcher in a process of its own, so that no detector ever takes time of the interpreter that judges trades.

Clearing reads the stream and keeps the store; this process only looks. They talk over pipes, one frame each way at a
time: what is to be done, and what came of it. So nothing piles up between them: what is not looked through yet stays
with clearing's reader, and then with the engine. It has a lower priority than clearing, stores nothing, and ends when
its standard input is closed, which happens when clearing dies. Should it die itself, clearing begins another one with
what was stored last.
"""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys
import threading
from enum import IntEnum
from struct import Struct
from typing import IO

import msgspec

from exchange.infra.child_process import (
    end_process,
    leave_signals_to_the_parent,
    stand_back,
    start_process,
)
from exchange.infra.errors import InfraError
from exchange.surveillance.alert import Alert
from exchange.surveillance.settings import Settings
from exchange.surveillance.watcher import StateRefused, Watcher, settings_hash
from exchange.wire.records import ProtocolError

STOP_WAIT_S = 10.0
GARBAGE_AFTER = 200_000
"""Objects between two looks for garbage: a watcher makes none in circles, and walking over its market takes time."""
_HEAD = Struct("<BQI")
"""kind, after, length of what follows."""
_LENGTH = Struct("<I")


class WatcherGone(InfraError):
    """The process that looks has ended; what it remembered since the last store is to be looked through again."""


class Ask(IntEnum):
    """What a frame wants: a new watcher, one as it was dumped, to take events in, a dump."""

    BEGIN = 1
    LOAD = 2
    TAKE = 3
    DUMP = 4


class Terms(msgspec.Struct, frozen=True):
    """What a watcher begins with."""

    partition: int
    settings: Settings


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of a frame. refused: why a state is of no use; unreadable: why a record is none."""

    alerts: list[Alert] = []
    suppressed: int = 0
    orders: int = 0
    state: bytes = b""
    refused: str = ""
    unreadable: str = ""


_decode_answer = msgspec.msgpack.Decoder(Answer).decode


class WatcherProcess:
    """Clearing's side: a watcher like any other, but elsewhere. Calls wait; from any thread, one at a time.

    suppressed, orders: alerts beyond the most of their day, and live orders, as of the last answer.
    """

    def __init__(self, settings: Settings, partition: int) -> None:
        self.settings = settings
        self.settings_hash = settings_hash(settings)
        self.suppressed = 0
        self.orders = 0
        self._terms = msgspec.msgpack.encode(Terms(partition, settings))
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._has_stopped = False

    def begin(self) -> None:
        """Begin with a watcher that has seen nothing, in a new process where there is none. Raise `WatcherGone`."""
        with self._lock:
            if self._process is None:
                self._start()
        self._ask(Ask.BEGIN, self._terms)

    def load(self, state: bytes) -> None:
        """Go on where a dump was taken. Raise `StateRefused`, `WatcherGone`."""
        answer = self._ask(Ask.LOAD, state)
        if answer.refused:
            raise StateRefused(answer.refused)

    def take(self, records: bytes, after: int) -> list[Alert]:
        """Have a run of whole commands' events looked through. Raise `ProtocolError`, `WatcherGone`."""
        answer = self._ask(Ask.TAKE, records, after)
        if answer.unreadable:
            raise ProtocolError(answer.unreadable)
        return answer.alerts

    def dump(self) -> bytes:
        """Return all that it remembers. Raise `WatcherGone`."""
        return self._ask(Ask.DUMP).state

    def stop(self) -> None:
        """End the process after what it is doing; it may not begin again."""
        self._has_stopped = True
        is_free = self._lock.acquire(timeout=STOP_WAIT_S)
        process, self._process = self._process, None
        try:
            if process is not None:
                end_process(process, STOP_WAIT_S if is_free else 0)
        finally:
            if is_free:
                self._lock.release()

    def _start(self) -> None:
        if self._has_stopped:
            raise WatcherGone("surveillance is being stopped")
        try:
            self._process = start_process("exchange.clearing.surveillance.watcher_process")
        except OSError as error:
            raise WatcherGone(
                f"the process of surveillance cannot be started with {sys.executable}: {error}"
            ) from error

    def _ask(self, ask: Ask, body: bytes = b"", after: int = 0) -> Answer:
        with self._lock:
            process = self._process
            if process is None:
                raise WatcherGone("the process of surveillance is not running")
            try:
                assert process.stdin
                assert process.stdout
                process.stdin.write(_HEAD.pack(ask, after, len(body)))
                process.stdin.write(body)
                process.stdin.flush()
                answer = _read_answer(process.stdout)
            except (OSError, ValueError) as error:
                answer, reason = None, f": {error}"
            else:
                reason = ""
            if answer is None:
                self._process = None
                end_process(process, 0)
                raise WatcherGone(f"the process of surveillance ended with code {process.returncode}{reason}")
        self.suppressed, self.orders = answer.suppressed, answer.orders
        return answer


def _read_answer(answers: IO[bytes]) -> Answer | None:
    """Read an answer; None where the process has ended. Raise `ValueError` where it is none."""
    head = answers.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = answers.read(length)
    return _decode_answer(body) if len(body) == length else None


def serve(asked: IO[bytes], answers: IO[bytes]) -> None:
    """Do what is asked, frame by frame, until the end of the input; a frame that is cut is none."""
    watcher = Watcher()
    while len(head := asked.read(_HEAD.size)) == _HEAD.size:
        ask, after, length = _HEAD.unpack(head)
        body = asked.read(length)
        if len(body) < length:
            break
        state, refused, unreadable = b"", "", ""
        alerts: list[Alert] = []
        if ask == Ask.BEGIN:
            terms = msgspec.msgpack.decode(body, type=Terms)
            watcher = Watcher(terms.settings, terms.partition)
        elif ask == Ask.LOAD:
            try:
                watcher.load(body)
            except StateRefused as error:
                refused = str(error)
        elif ask == Ask.TAKE:
            try:
                alerts = watcher.take(body, after)
            except ProtocolError as error:
                unreadable = str(error)
        else:
            state = watcher.dump()
        answer = Answer(alerts, watcher.suppressed, len(watcher.market.orders), state, refused, unreadable)
        encoded = msgspec.msgpack.encode(answer)
        answers.write(_LENGTH.pack(len(encoded)) + encoded)
        answers.flush()


def main() -> int:
    """Serve the clearing that started this process; return the exit code."""
    stand_back()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer)
    return 0


if __name__ == "__main__":
    leave_signals_to_the_parent()
    sys.exit(main())
