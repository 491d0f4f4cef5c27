"""The watcher of another process is the watcher of this one, its death is noticed, and it dies with its parent."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from exchange.clearing.surveillance.watcher_process import (
    _HEAD,
    Ask,
    WatcherGone,
    WatcherProcess,
    serve,
)
from exchange.surveillance.settings import Settings, WashTrades
from exchange.surveillance.watcher import StateRefused, Watcher
from exchange.wire.records import VERSION_OFFSET, ProtocolError, encode_event
from tests.post_trade.stream import Stream

LIMIT_S = 120


def records(trades: int = 12) -> list[bytes]:
    stream = Stream()
    for number in range(trades):
        stream.trade(1, 1 if number % 3 == 0 else 2, 10)
    return [encode_event(event) for event in stream.events]


@pytest.fixture
def process() -> Iterator[WatcherProcess]:
    process = WatcherProcess(Settings(), 0)
    process.begin()
    yield process
    process.stop()


def test_alerts_and_state_are_those_of_a_watcher_in_this_process(process: WatcherProcess) -> None:
    all_of_it = b"".join(records())
    here = Watcher()
    raised = here.take(all_of_it)
    assert len(raised) == 4
    assert process.take(all_of_it, 0) == raised
    assert process.dump() == here.dump()
    assert (process.suppressed, process.orders) == (here.suppressed, len(here.market.orders))


def test_it_goes_on_from_a_dump_and_begins_anew_when_told(process: WatcherProcess) -> None:
    events = records()
    first, second = b"".join(events[:-6]), b"".join(events[-6:])
    here = Watcher()
    here.take(first)
    process.load(here.dump())
    assert process.take(first + second, len(events) - 6) == here.take(second)
    assert process.dump() == here.dump()
    process.begin()
    assert process.dump() == Watcher().dump()


def test_a_state_of_other_settings_and_what_is_no_record_are_refused_and_it_lives_on(
    process: WatcherProcess,
) -> None:
    other = Watcher(Settings(wash_trades=WashTrades(enabled=False)))
    for state in (other.dump(), b"no state"):
        with pytest.raises(StateRefused, match="state"):
            process.load(state)
    broken = bytearray(b"".join(records()))
    broken[VERSION_OFFSET] += 1
    with pytest.raises(ProtocolError, match="version"):
        process.take(bytes(broken), 0)
    process.begin()
    assert len(process.take(b"".join(records()), 0)) == 4


def test_a_death_is_noticed_and_never_passed_over_with_an_empty_watcher(process: WatcherProcess) -> None:
    assert process._process is not None
    os.kill(process._process.pid, signal.SIGKILL)
    with pytest.raises(WatcherGone, match="ended with code -9"):
        process.take(b"".join(records()), 0)
    with pytest.raises(WatcherGone, match="is not running"):
        process.take(b"".join(records()), 0)
    process.begin()
    assert len(process.take(b"".join(records()), 0)) == 4


def test_after_a_stop_it_does_not_begin_again() -> None:
    process = WatcherProcess(Settings(), 0)
    process.begin()
    process.stop()
    process.stop()
    with pytest.raises(WatcherGone, match="being stopped"):
        process.begin()


def test_a_frame_that_is_cut_is_none() -> None:
    answers = io.BytesIO()
    serve(io.BytesIO(_HEAD.pack(Ask.TAKE, 0, 100) + b"too short"), answers)
    serve(io.BytesIO(b"\x01\x02"), answers)
    assert answers.getvalue() == b""


def test_it_ends_when_its_parent_is_killed() -> None:
    code = (
        "import os, signal\n"
        "from exchange.clearing.surveillance.watcher_process import WatcherProcess\n"
        "from exchange.surveillance.settings import Settings\n"
        "process = WatcherProcess(Settings(), 0)\n"
        "process.begin()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    # Its standard error is inherited, so that pipe ends only when the last process that has it is gone.
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, timeout=LIMIT_S)
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, "")
