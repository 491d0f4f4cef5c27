"""Tests of exchange.infra.event_log_run: what a run names is read as the log itself would read it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from exchange.domain.order import Side
from exchange.infra.event_log import EventLog
from exchange.infra.event_log_run import EventRun, read_run
from tests.engine.own_commands import Desk, order


def log_of_orders(folder: Path, orders: int) -> EventLog:
    """Return a log of small files with an envelope for each order."""
    desk, log = Desk(), EventLog.open(folder, epoch=1, file_bytes=700)
    log.append(desk.stream, 1, desk.venue.event_sequence)
    for _ in range(orders):
        before = desk.venue.event_sequence
        events = desk.do(order(1, Side.BUY, 10, 1_892_000))
        log.append(events, before + 1, desk.venue.event_sequence - before)
    return log


@pytest.mark.parametrize("max_bytes", [1, 300, 1 << 20])
def test_every_run_read_elsewhere_is_what_the_log_gives(max_bytes: int, tmp_path: Path) -> None:
    log = log_of_orders(tmp_path, 30)
    assert log.stats().files > 3
    for after in range(log.last_sequence + 2):
        told = msgspec.json.encode(log.run_after(after, max_bytes))
        batch = read_run(msgspec.json.decode(told, type=EventRun))
        assert batch == log.read(after, max_bytes)
        assert bool(batch.count) == (after < log.last_sequence)
    log.close()


def test_a_run_ends_with_what_was_in_the_log_when_it_was_told(tmp_path: Path) -> None:
    log = log_of_orders(tmp_path, 1)
    run, last = log.run_after(0, 1 << 20), log.last_sequence
    log.append(b"\0" * 40, last + 1, 1)
    assert read_run(run).last_sequence <= last
    log.close()
