"""The event log: whole commands in bounded answers, retention, damage found, tails cut."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from exchange.domain.events import OrdersCancelled
from exchange.domain.units import CommandSequence, EventSequence, ParticipantId, TimeNs
from exchange.infra.errors import EventsGone
from exchange.infra.event_log import EventLog, EventLogDamaged
from exchange.infra.event_log_files import event_path, index_path, list_event_files
from exchange.wire.records import decode_events, encode_event

SIZE = len(
    encode_event(
        OrdersCancelled(
            sequence=EventSequence(1),
            command_sequence=CommandSequence(1),
            time_ns=TimeNs(0),
            epoch=1,
            participant_id=ParticipantId(0),
            count=0,
        )
    )
)


def command(first_sequence: int, events: int = 1) -> bytes:
    """The events of one command."""
    return b"".join(
        encode_event(
            OrdersCancelled(
                sequence=EventSequence(sequence),
                command_sequence=CommandSequence(first_sequence),
                time_ns=TimeNs(0),
                epoch=1,
                last_of_command=sequence == first_sequence + events - 1,
                participant_id=ParticipantId(0),
                count=sequence,
            )
        )
        for sequence in range(first_sequence, first_sequence + events)
    )


def filled(folder: Path, commands: int = 10, events: int = 3, **options: int) -> EventLog:
    """A log with one command in each batch."""
    log = EventLog.open(folder, **options)
    for number in range(commands):
        first = log.last_sequence + 1
        log.append(command(first, events), first, events)
        assert log.last_sequence == (number + 1) * events
    return log


def sequences(log: EventLog, after: int, max_bytes: int = 1 << 20) -> list[int]:
    batch = log.read(after, max_bytes)
    found = [event.sequence for event in decode_events(batch.events)]
    assert len(found) == batch.count
    assert not found or batch.first_sequence == found[0]
    return [int(sequence) for sequence in found]


def everything(log: EventLog, max_bytes: int) -> list[int]:
    found: list[int] = []
    while more := sequences(log, found[-1] if found else log.first_sequence - 1, max_bytes):
        found += more
    return found


def test_an_empty_log_has_nothing_and_says_what_comes_next(tmp_path: Path) -> None:
    log = EventLog.open(tmp_path)
    assert (log.first_sequence, log.last_sequence) == (1, 0)
    assert (log.read(0).count, log.read(0).first_sequence) == (0, 1)
    assert log.event_at(1) is None


@pytest.mark.parametrize("after", range(31))
def test_reading_begins_right_behind_the_sequence_even_within_a_command(tmp_path: Path, after: int) -> None:
    assert sequences(filled(tmp_path), after) == list(range(after + 1, 31))


@pytest.mark.parametrize("max_bytes", [1, SIZE, SIZE * 3, SIZE * 4, SIZE * 7, 1 << 20])
def test_bounded_answers_end_at_whole_commands_and_lose_nothing(tmp_path: Path, max_bytes: int) -> None:
    log = EventLog.open(tmp_path, file_bytes=SIZE * 40)
    while log.last_sequence < 120:
        first = log.last_sequence + 1
        log.append(command(first, 3) + command(first + 3, 1) + command(first + 4, 2), first, 6)
    assert len(list_event_files(tmp_path)) > 2
    assert everything(log, max_bytes) == list(range(1, 121))
    batch = log.read(0, max_bytes)
    assert len(batch.events) <= max(max_bytes, SIZE * 3)
    assert decode_events(batch.events)[-1].last_of_command


def test_an_answer_has_the_engines_epoch_and_partition(tmp_path: Path) -> None:
    log = EventLog.open(tmp_path, 5, epoch=8)
    log.append(command(1), 1, 1)
    assert (log.read(0).partition, log.read(0).epoch) == (5, 8)


def test_a_single_event_is_found_by_its_sequence(tmp_path: Path) -> None:
    log = filled(tmp_path, file_bytes=SIZE * 10)
    for sequence in range(1, 31):
        record = log.event_at(sequence)
        assert record
        assert decode_events(record)[0].sequence == sequence
    assert log.event_at(31) is None
    assert log.event_at(0) is None


def test_an_append_that_would_leave_a_gap_is_a_bug(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        filled(tmp_path).append(command(40), 40, 1)


def test_the_oldest_files_go_when_there_is_too_much(tmp_path: Path) -> None:
    log = filled(tmp_path, commands=100, file_bytes=SIZE * 20, size_bytes_max=SIZE * 100)
    assert 1 < log.first_sequence < 250
    assert log.stats().size_bytes < SIZE * 150
    with pytest.raises(EventsGone) as caught:
        log.read(0)
    assert caught.value.first_kept == log.first_sequence
    assert everything(log, 1 << 20) == list(range(log.first_sequence, 301))
    log.close()
    assert {path.suffix for path in tmp_path.iterdir()} == {".events", ".index"}
    assert len(list(tmp_path.iterdir())) == 2 * len(list_event_files(tmp_path))


def test_a_closed_log_opens_by_its_indexes_and_goes_on(tmp_path: Path) -> None:
    filled(tmp_path, file_bytes=SIZE * 10).close()
    assert all(index_path(path).exists() for _, path in list_event_files(tmp_path))
    log = EventLog.open(tmp_path, file_bytes=SIZE * 10)
    assert log.last_sequence == 30
    assert not index_path(list_event_files(tmp_path)[-1][1]).exists(), "it will grow"
    log.append(command(31), 31, 1)
    assert everything(log, 1 << 20) == list(range(1, 32))


def test_a_log_cut_at_any_byte_is_cut_to_whole_batches_and_goes_on(tmp_path: Path) -> None:
    filled(tmp_path / "whole", commands=4, events=2).close()
    data = event_path(tmp_path / "whole", 1).read_bytes()
    each = len(data) // 4
    for cut in range(len(data) + 1):
        folder = tmp_path / str(cut)
        folder.mkdir()
        event_path(folder, 1).write_bytes(data[:cut])
        log = EventLog.open(folder)
        assert event_path(folder, 1).stat().st_size == cut // each * each, (
            "nothing stale is left behind the end"
        )
        kept = cut // each * 2
        assert (log.first_sequence, log.last_sequence) == (1, kept)
        log.append(command(kept + 1), kept + 1, 1)
        assert everything(log, 1 << 20) == list(range(1, kept + 2))
        log.close()


def test_the_newest_file_is_checked_though_it_has_an_index(tmp_path: Path) -> None:
    filled(tmp_path, file_bytes=SIZE * 10).close()
    newest = list_event_files(tmp_path)[-1][1]
    assert index_path(newest).exists()
    with newest.open("r+b") as file:
        file.seek(-3, os.SEEK_END)
        file.write(b"?")
    log = EventLog.open(tmp_path)
    assert log.last_sequence < 30
    assert everything(log, 1 << 20) == list(range(1, log.last_sequence + 1))


def test_what_follows_a_damaged_file_without_index_goes_too(tmp_path: Path) -> None:
    filled(tmp_path, file_bytes=SIZE * 10).close()
    damaged = list_event_files(tmp_path)[1][1]
    index_path(damaged).unlink()
    with damaged.open("r+b") as file:
        file.seek(-3, os.SEEK_END)
        file.write(b"?")
    log = EventLog.open(tmp_path)
    assert len(list_event_files(tmp_path)) == 2
    assert everything(log, 1 << 20) == list(range(1, log.last_sequence + 1))
    assert 12 <= log.last_sequence < 24


def test_files_behind_a_hole_go(tmp_path: Path) -> None:
    filled(tmp_path, file_bytes=SIZE * 10).close()
    list_event_files(tmp_path)[1][1].unlink()
    log = EventLog.open(tmp_path)
    assert len(list_event_files(tmp_path)) == 1
    assert log.last_sequence < 15


def test_damage_in_a_trusted_file_is_found_when_it_is_read(tmp_path: Path) -> None:
    filled(tmp_path, file_bytes=SIZE * 10).close()
    with list_event_files(tmp_path)[0][1].open("r+b") as file:
        file.seek(40)
        file.write(b"?")
    log = EventLog.open(tmp_path)
    with pytest.raises(EventLogDamaged, match="it is made anew from the journal"):
        log.read(0)
    assert sequences(log, 20)[0] == 21


def test_a_damaged_count_never_makes_a_gap(tmp_path: Path) -> None:
    log = filled(tmp_path)
    path = list_event_files(tmp_path)[0][1]
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 10 + 12)
        file.write(b"\x01")
    with pytest.raises(EventLogDamaged, match="event 7 follows 4"):
        log.read(0)


def test_a_log_that_is_begun_anew_forgets_everything(tmp_path: Path) -> None:
    log = filled(tmp_path)
    log.begin_at(101)
    assert (log.first_sequence, log.last_sequence) == (101, 100)
    with pytest.raises(EventsGone):
        log.read(30)
    log.append(command(101), 101, 1)
    log.close()
    assert sequences(EventLog.open(tmp_path), 100) == [101]


def test_a_reader_whose_file_is_removed_meanwhile_is_told_that_it_is_gone(tmp_path: Path) -> None:
    log = filled(tmp_path, file_bytes=SIZE * 10)
    list_event_files(tmp_path)[0][1].unlink()
    with pytest.raises(EventsGone):
        log.read(0)


def test_events_are_nearly_lost_when_most_of_the_log_was_filled_since_them(tmp_path: Path) -> None:
    log = EventLog.open(tmp_path, size_bytes_max=4_000, file_bytes=500)
    while not log.is_nearly_lost(0):
        first = log.last_sequence + 1
        assert first < 200
        log.append(command(first), first, 1)
    assert log.first_sequence == 1, "nothing was removed yet"
    assert not log.is_nearly_lost(log.last_sequence)
    log.close()
