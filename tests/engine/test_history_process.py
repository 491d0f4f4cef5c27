"""A process of its own writes the table of orders: what it answers is in the table, and its death loses nothing."""

from __future__ import annotations

import io
import os
import signal
from pathlib import Path

import pytest

from exchange.domain.order import Side
from exchange.engine.history_process import (
    HistoryProcess,
    HistoryWriter,
    PythonWriter,
    read_envelope,
    serve,
    writer_kind,
)
from exchange.engine.order_store import OrderStore
from exchange.infra.errors import InfraError
from exchange.wire.envelope import EventBatch, encode_batch
from tests.engine.own_commands import Desk, order


def batch_of(desk: Desk, after: int, events: bytes) -> EventBatch:
    return EventBatch(0, 1, after + 1, desk.venue.event_sequence - after, events)


def one_order(desk: Desk) -> tuple[int, EventBatch]:
    after = desk.venue.event_sequence
    events = desk.do(order(1, Side.BUY, 10, 1_892_000))
    return desk.venue.command_sequence, batch_of(desk, after, events)


def test_what_was_committed_is_in_the_table(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    OrderStore(path, 0).close()
    desk = Desk()
    process = HistoryProcess(path, 0)
    process.commit(batch_of(desk, 0, desk.stream))
    order_id, batch = one_order(desk)
    process.commit(batch)
    process.stop()
    store = OrderStore(path, 0)
    assert store.position == desk.venue.event_sequence
    assert store.order(order_id) is not None
    store.close()


def test_a_table_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    process = HistoryProcess(tmp_path / "missing" / "orders.sqlite", 0)
    with pytest.raises(InfraError, match="unable to open"):
        process.commit(EventBatch(0, 1, 1, 0, b""))
    process.stop()


def test_after_its_death_it_is_started_again(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    OrderStore(path, 0).close()
    desk = Desk()
    process = HistoryProcess(path, 0)
    process.commit(batch_of(desk, 0, desk.stream))
    order_id, batch = one_order(desk)
    assert process._process
    os.kill(process._process.pid, signal.SIGKILL)
    process._process.wait()
    with pytest.raises(InfraError, match=r"is gone|ended"):
        process.commit(batch)
    process.commit(batch)
    process.stop()
    store = OrderStore(path, 0)
    assert store.order(order_id) is not None
    store.close()


KINDS = tuple(dict.fromkeys((PythonWriter, writer_kind())))
"""The definition, and the native one where it is installed."""


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_stored_is_answered_in_one_line_and_the_next_is_taken(
    kind: type[HistoryWriter], tmp_path: Path
) -> None:
    path, desk, answers = tmp_path / "orders.sqlite", Desk(), io.BytesIO()
    whole = encode_batch(batch_of(desk, 0, desk.stream))
    late = encode_batch(EventBatch(0, 1, 1_000, 1, desk.stream))
    serve(path, 0, io.BytesIO(late + whole), answers, kind)
    first, second, rest = answers.getvalue().split(b"\n")
    assert b"holds events up to 0, and those that came begin with 1000" in first
    assert (second, rest) == (b"", b"")


@pytest.mark.parametrize("kind", KINDS)
def test_it_serves_until_its_input_ends_also_within_an_envelope(
    kind: type[HistoryWriter], tmp_path: Path
) -> None:
    path = tmp_path / "orders.sqlite"
    desk = Desk()
    whole = encode_batch(batch_of(desk, 0, desk.stream))
    answers = io.BytesIO()
    serve(path, 0, io.BytesIO(whole + whole[:-1]), answers, kind)
    assert answers.getvalue() == b"\n"
    assert read_envelope(io.BytesIO(whole[:10])) is None
    store = OrderStore(path, 0)
    assert store.position == desk.venue.event_sequence
    store.close()
