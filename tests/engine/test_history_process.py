"""A process of its own writes the table of orders: what it answers is in the table, and its death loses nothing."""

from __future__ import annotations

import io
import os
import signal
from pathlib import Path

import msgspec
import pytest

from exchange.domain.order import Side
from exchange.engine.history_process import (
    Answer,
    HistoryProcess,
    HistoryWriter,
    PythonWriter,
    serve,
    writer_kind,
)
from exchange.engine.order_store import OrderStore
from exchange.infra.errors import EventsGone, InfraError
from exchange.infra.event_log import MIB, EventLog
from exchange.infra.event_log_run import EventRun
from tests.engine.own_commands import Desk, order


def logged(folder: Path, desk: Desk) -> EventLog:
    log = EventLog.open(folder / "events", epoch=1)
    log.append(desk.stream, 1, desk.venue.event_sequence)
    return log


def one_order(log: EventLog, desk: Desk) -> int:
    after = desk.venue.event_sequence
    events = desk.do(order(1, Side.BUY, 10, 1_892_000))
    log.append(events, after + 1, desk.venue.event_sequence - after)
    return desk.venue.command_sequence


def line_of(run: EventRun) -> bytes:
    return msgspec.json.encode(run) + b"\n"


def served(path: Path, runs: bytes, kind: type[HistoryWriter] = PythonWriter) -> list[Answer]:
    answers = io.BytesIO()
    serve(path, 0, io.BytesIO(runs), answers, kind)
    return [msgspec.json.decode(line, type=Answer) for line in answers.getvalue().splitlines()]


def test_what_was_committed_is_in_the_table(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    OrderStore(path, 0).close()
    desk = Desk()
    log, process = logged(tmp_path, desk), HistoryProcess(path, 0)
    before = process.commit(log.run_after(0, MIB))
    order_id = one_order(log, desk)
    assert process.commit(log.run_after(before, MIB)) == log.last_sequence
    process.stop()
    log.close()
    store = OrderStore(path, 0)
    assert store.position == desk.venue.event_sequence
    assert store.order(order_id) is not None
    store.close()


def test_what_was_written_to_the_log_after_it_was_told_to_go_on_is_not_stored_yet(tmp_path: Path) -> None:
    path, desk = tmp_path / "orders.sqlite", Desk()
    log = logged(tmp_path, desk)
    run, released = log.run_after(0, MIB), log.last_sequence
    one_order(log, desk)
    assert served(path, line_of(run)) == [Answer(last_sequence=released)]
    log.close()
    store = OrderStore(path, 0)
    assert store.position == released
    store.close()


def test_a_table_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    log, process = logged(tmp_path, Desk()), HistoryProcess(tmp_path / "missing" / "orders.sqlite", 0)
    with pytest.raises(InfraError, match="unable to open"):
        process.commit(log.run_after(0, MIB))
    process.stop()
    log.close()


def test_events_that_were_removed_before_they_were_read_are_said_to_be_gone(tmp_path: Path) -> None:
    path, desk = tmp_path / "orders.sqlite", Desk()
    OrderStore(path, 0).close()
    log, process = logged(tmp_path, desk), HistoryProcess(path, 0)
    run = log.run_after(0, MIB)
    log.begin_at(100)
    with pytest.raises(EventsGone) as gone:
        process.commit(run)
    assert gone.value.first_kept == desk.venue.event_sequence + 1
    process.stop()
    log.close()


@pytest.mark.parametrize("at", [0, 40, 100, -1])
def test_events_that_are_damaged_in_the_log_are_not_stored(at: int, tmp_path: Path) -> None:
    path, desk = tmp_path / "orders.sqlite", Desk()
    log = logged(tmp_path, desk)
    run = log.run_after(0, MIB)
    log.close()
    data = bytearray(Path(run.path).read_bytes())
    data[at] ^= 1
    Path(run.path).write_bytes(data)
    [answer] = served(path, line_of(run))
    assert "the event log is damaged in" in answer.problem
    store = OrderStore(path, 0)
    assert store.position == 0
    store.close()


def test_after_its_death_it_is_started_again(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    OrderStore(path, 0).close()
    desk = Desk()
    log, process = logged(tmp_path, desk), HistoryProcess(path, 0)
    before = process.commit(log.run_after(0, MIB))
    order_id = one_order(log, desk)
    assert process._process
    os.kill(process._process.pid, signal.SIGKILL)
    process._process.wait()
    with pytest.raises(InfraError, match=r"is gone|ended"):
        process.commit(log.run_after(before, MIB))
    process.commit(log.run_after(before, MIB))
    process.stop()
    log.close()
    store = OrderStore(path, 0)
    assert store.order(order_id) is not None
    store.close()


KINDS = tuple(dict.fromkeys((PythonWriter, writer_kind())))
"""The definition, and the native one where it is installed."""


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_stored_is_answered_in_one_line_and_the_next_is_taken(
    kind: type[HistoryWriter], tmp_path: Path
) -> None:
    desk = Desk()
    log = logged(tmp_path, desk)
    whole = log.run_after(0, MIB)
    late = log.run_after(3, MIB)
    first, second = served(tmp_path / "orders.sqlite", line_of(late) + line_of(whole), kind)
    assert "holds events up to 0, and those that came begin with 4" in first.problem
    assert second == Answer(last_sequence=log.last_sequence)
    log.close()


@pytest.mark.parametrize("kind", KINDS)
def test_it_serves_until_its_input_ends_also_within_a_line(kind: type[HistoryWriter], tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    desk = Desk()
    log = logged(tmp_path, desk)
    line = line_of(log.run_after(0, MIB))
    assert served(path, line + line[:-1], kind) == [Answer(last_sequence=log.last_sequence)]
    log.close()
    store = OrderStore(path, 0)
    assert store.position == desk.venue.event_sequence
    store.close()
