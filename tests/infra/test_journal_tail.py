"""Following a journal that is being written: only what is durable, in order, across files."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.infra.journal import CommandBatch, SegmentedJournal
from exchange.infra.journal_format import HEADER_BYTES, Kind, Link
from exchange.infra.journal_segments import Batch, JournalDamaged, JournalEnd, list_segments
from exchange.infra.journal_tail import READ_BYTES, JournalTail

RECORD = b"one command record, say"


def opened(folder: Path, segment_bytes: int = 1024) -> SegmentedJournal:
    return SegmentedJournal(
        folder,
        JournalEnd(None, 0, Link(1)),
        partition=0,
        rules_version=1,
        epoch=1,
        segment_bytes=segment_bytes,
    )


def append(journal: SegmentedJournal, sequence: int, payload: bytes = RECORD) -> None:
    journal.append(CommandBatch(sequence, 1, sequence, payload, 0, 0, 0, 0))


def sequences(batches: list[Batch]) -> list[int]:
    return [batch.header.first_sequence for batch in batches if batch.header.kind == Kind.COMMANDS]


def test_a_batch_is_held_back_until_something_stands_behind_it(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    tail = JournalTail(tmp_path, 0, 0)
    assert tail.read() == []
    append(journal, 1)
    assert sequences(tail.read()) == []
    append(journal, 2)
    assert sequences(tail.read()) == [1]
    journal.seal()
    assert sequences(tail.read()) == [2]
    assert tail.read() == []
    assert [batch.header.kind for batch in tail.read_held()] == [Kind.SEAL]
    tail.close()


def test_the_journal_is_followed_from_file_to_file(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    tail = JournalTail(tmp_path, 0, 0)
    seen: list[int] = []
    for sequence in range(1, 60):
        append(journal, sequence)
        seen += sequences(tail.read()) + sequences(tail.read())
    assert len(list_segments(tmp_path)) > 3
    journal.close(clean=True)
    for _ in range(3):
        seen += sequences(tail.read())
    assert seen == list(range(1, 60))
    tail.close()


def test_following_begins_behind_a_command_in_a_later_file(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for sequence in range(1, 41):
        append(journal, sequence)
    journal.close(clean=True)
    tail = JournalTail(tmp_path, 0, 30)
    seen: list[int] = []
    for _ in range(6):
        seen += sequences(tail.read())
    assert seen == list(range(31, 41))
    tail.close()


def test_a_half_written_batch_is_waited_for(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    append(journal, 1)
    append(journal, 2)
    journal.seal()
    path = list_segments(tmp_path)[0].path
    whole = path.read_bytes()
    half = (HEADER_BYTES + len(RECORD)) * 2 - 5
    path.write_bytes(whole[:half] + bytes(len(whole) - half))
    tail = JournalTail(tmp_path, 0, 0)
    assert sequences(tail.read()) == []
    tail.check_damage()
    path.write_bytes(whole)
    assert sequences(tail.read()) == [1, 2]
    tail.close()


def test_a_batch_larger_than_one_read_is_read_whole(tmp_path: Path) -> None:
    journal = opened(tmp_path, segment_bytes=READ_BYTES * 3)
    append(journal, 1, bytes(READ_BYTES + 77))
    append(journal, 2)
    tail = JournalTail(tmp_path, 0, 0)
    seen = tail.read() + tail.read()
    assert [len(batch.payload) for batch in seen] == [READ_BYTES + 77]
    tail.close()


def test_damage_that_nothing_repairs_is_told(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for sequence in (1, 2, 3):
        append(journal, sequence)
    path = list_segments(tmp_path)[0].path
    data = bytearray(path.read_bytes())
    data[HEADER_BYTES + len(RECORD) + 70] ^= 1
    path.write_bytes(data)
    tail = JournalTail(tmp_path, 0, 0)
    assert sequences(tail.read()) == []
    assert tail.read() == []
    with pytest.raises(JournalDamaged, match="does not match its checksum"):
        tail.check_damage()
    tail.close()


def test_a_journal_that_does_not_reach_back_so_far_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalDamaged, match="no file holds command 7"):
        JournalTail(tmp_path, 0, 7)
