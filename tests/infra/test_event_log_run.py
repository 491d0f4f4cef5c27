"""Tests of exchange.infra.event_log_run: what a run names is read as the log itself would read it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from exchange.domain.order import Side
from exchange.infra.event_log import EventLog
from exchange.infra.event_log_files import INDEX_STEP_BYTES
from exchange.infra.event_log_run import EventRun, read_run
from exchange.wire.envelope import HEADER
from exchange.wire.records import SEQUENCE, SEQUENCE_OFFSET, VERSION
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


@pytest.mark.parametrize("short_by", [1, 8, HEADER.size - 1, HEADER.size, HEADER.size + 1])
def test_an_event_is_found_right_before_the_next_entry_of_the_index(tmp_path: Path, short_by: int) -> None:
    """The bytes that are read at first end within its envelope's header, or just before or behind it."""
    log = EventLog.open(tmp_path, epoch=1)
    filling = INDEX_STEP_BYTES - short_by - 2 * HEADER.size
    first, second = event_of(1, filling // 2), event_of(2, filling - filling // 2)
    for sequence, record in enumerate((first, second, last := event_of(3, 64)), 1):
        log.append(record, sequence, 1)
    assert log.event_at(3) == last
    log.close()


def event_of(sequence: int, size_bytes: int) -> bytes:
    """Return a record of a size with nothing but its sequence, which is all that the log looks at."""
    record = bytearray(size_bytes)
    record[:4] = size_bytes.to_bytes(4, "little")
    record[5] = VERSION
    SEQUENCE.pack_into(record, SEQUENCE_OFFSET, sequence)
    return bytes(record)
