"""Writing the journal: segments, seals, cuts, and what a failing disk does."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.infra import journal_format as form
from exchange.infra.journal import (
    CommandBatch,
    JournalFailed,
    SegmentedJournal,
    SegmentFile,
)
from exchange.infra.journal_format import HEADER_BYTES, Kind
from exchange.infra.journal_segments import JournalDamaged, JournalReader, list_segments

SEGMENT_BYTES = 1024
RECORD = b"one command record, say"


class BrokenFile(SegmentFile):
    """A file whose disk fails at a chosen moment: after so many good syncs."""

    syncs_left = 0
    attempts = 0

    def sync(self) -> None:
        type(self).attempts += 1
        if type(self).syncs_left <= 0:
            raise OSError(5, "Input/output error")
        type(self).syncs_left -= 1
        super().sync()


def opened(folder: Path, epoch: int = 1, **options: object) -> SegmentedJournal:
    reader = JournalReader(folder, 0)
    for _ in reader.batches():
        pass
    return SegmentedJournal(
        folder,
        reader.end,
        **({"partition": 0, "rules_version": 1, "epoch": epoch, "segment_bytes": SEGMENT_BYTES} | options),  # type: ignore[arg-type]
    )


def batch(first_sequence: int, payload: bytes = RECORD) -> CommandBatch:
    return CommandBatch(
        first_sequence, 1, first_sequence * 10, payload, first_sequence, first_sequence + 1, 0, 0
    )


def read(folder: Path) -> list[tuple[Kind, int]]:
    return [
        (Kind(found.header.kind), found.header.first_sequence) for found in JournalReader(folder, 0).batches()
    ]


def test_batches_are_read_back_in_order_over_several_segments(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for sequence in range(1, 41):
        journal.append(batch(sequence))
    journal.close(clean=True)
    assert len(list_segments(tmp_path)) > 2
    assert read(tmp_path) == [*((Kind.COMMANDS, n) for n in range(1, 41)), (Kind.CLOSE, 41)]
    assert all(segment.path.stat().st_size == SEGMENT_BYTES for segment in list_segments(tmp_path))


def test_a_segment_is_named_by_its_first_command_and_begins_with_it(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for sequence in range(1, 41):
        journal.append(batch(sequence))
        journal.seal()
    journal.close(clean=True)
    for segment in list_segments(tmp_path):
        first = form.header_at(segment.path.read_bytes(), 0)
        assert first
        assert (first.kind, first.first_sequence) == (Kind.COMMANDS, segment.first_sequence)


@pytest.mark.parametrize("size", range(1, 200, 9))
def test_there_is_always_room_for_a_seal_and_a_close_record_behind_the_last_batch(
    tmp_path: Path, size: int
) -> None:
    for number in range(1, 30):
        journal = opened(tmp_path, epoch=number)
        journal.append(batch(number, bytes(size)))
        journal.seal()
        journal.close(clean=True)
    assert {segment.path.stat().st_size for segment in list_segments(tmp_path)} == {SEGMENT_BYTES}
    assert len(read(tmp_path)) == 29 * 3


def test_a_seal_is_written_once_and_only_after_commands(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.seal()
    journal.append(batch(1))
    journal.seal()
    journal.seal()
    journal.close(clean=False)
    assert read(tmp_path) == [(Kind.COMMANDS, 1), (Kind.SEAL, 2)]


def test_opening_and_closing_without_commands_writes_nothing(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append(batch(1))
    journal.close(clean=True)
    for epoch in (2, 3, 4):
        opened(tmp_path, epoch).close(clean=True)
    assert read(tmp_path) == [(Kind.COMMANDS, 1), (Kind.CLOSE, 2)]


def test_a_journal_goes_on_behind_its_close_record(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        journal = opened(tmp_path, epoch)
        journal.append(batch(epoch))
        journal.close(clean=True)
    assert [sequence for kind, sequence in read(tmp_path) if kind is Kind.COMMANDS] == [1, 2, 3]


def test_a_torn_tail_is_zeroed_at_the_opening_so_that_nothing_stale_is_left(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for sequence in (1, 2, 3):
        journal.append(batch(sequence))
    journal.close(clean=False)
    path = list_segments(tmp_path)[0].path
    size = HEADER_BYTES + len(RECORD)
    data = bytearray(path.read_bytes())
    data[size * 3 - 1] ^= 1
    path.write_bytes(data)
    opened(tmp_path, 2).close(clean=False)
    assert path.read_bytes()[size * 2 :] == bytes(SEGMENT_BYTES - size * 2)
    assert read(tmp_path) == [(Kind.COMMANDS, 1), (Kind.COMMANDS, 2)]


def test_a_segment_that_was_trimmed_is_filled_up_again(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append(batch(1))
    journal.close(clean=False)
    path = list_segments(tmp_path)[0].path
    path.write_bytes(path.read_bytes()[: HEADER_BYTES + len(RECORD)])
    opened(tmp_path, 2).close(clean=False)
    assert path.stat().st_size == SEGMENT_BYTES


def test_what_a_reused_segment_still_holds_is_never_taken(tmp_path: Path) -> None:
    """The spare is filled with zeroes; were it not, the chain would still refuse what stands there."""
    journal = opened(tmp_path)
    for sequence in range(1, 13):
        journal.append(batch(sequence))
    stale = list_segments(tmp_path)[0].path.read_bytes()
    journal.close(clean=False)
    last = list_segments(tmp_path)[-1]
    data = last.path.read_bytes()
    used = form.used_bytes(data, last.first_sequence)
    last.path.write_bytes(data[:used] + stale[used:])
    assert read(tmp_path) == [(Kind.COMMANDS, n) for n in range(1, 13)]
    reader = JournalReader(tmp_path, 0)
    assert len(list(reader.batches())) == 12
    assert reader.end.torn_bytes > 0
    opened(tmp_path, 2).close(clean=False)
    assert not last.path.read_bytes()[used:].strip(b"\0")


def test_the_next_segment_is_prepared_step_by_step_and_then_taken(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    assert not journal.prepare_is_urgent()
    assert not journal.prepare(), "a small segment is one step"
    assert (tmp_path / "next.segment").stat().st_size == SEGMENT_BYTES
    sequence = 0
    while journal.stats().segments_begun == 0:
        sequence += 1
        journal.append(batch(sequence))
    assert not (tmp_path / "next.segment").exists()
    journal.close(clean=True)
    assert len(read(tmp_path)) == sequence + 1


def test_a_failed_sync_is_final_and_never_tried_again(tmp_path: Path) -> None:
    BrokenFile.syncs_left, BrokenFile.attempts = 3, 0
    journal = opened(tmp_path, open_file=BrokenFile)
    journal.append(batch(1))
    journal.append(batch(2))
    for _ in range(3):
        with pytest.raises(JournalFailed, match=r"Input/output error.*nothing more is taken"):
            journal.append(batch(3))
    assert BrokenFile.attempts == 4
    journal.close(clean=False)


def test_a_full_disk_stops_the_journal_only_when_the_next_segment_is_needed(tmp_path: Path) -> None:
    BrokenFile.syncs_left = 1
    journal = opened(tmp_path, open_file=BrokenFile)
    BrokenFile.syncs_left = 0
    assert not journal.prepare()
    assert "Input/output error" in journal.stats().spare_failure
    BrokenFile.syncs_left = 100
    for sequence in range(1, 20):
        journal.append(batch(sequence))
    assert journal.stats().segments_begun > 0
    assert journal.stats().spare_failure == ""
    journal.close(clean=True)


def test_a_buffered_journal_syncs_nothing_and_says_so(tmp_path: Path) -> None:
    BrokenFile.syncs_left = 1
    journal = opened(tmp_path, open_file=BrokenFile, durability="buffered")
    BrokenFile.syncs_left, BrokenFile.attempts = 0, 0
    for sequence in range(1, 30):
        journal.append(batch(sequence))
    assert (BrokenFile.attempts, journal.stats().durability) == (0, "buffered")
    journal.close(clean=True)


def test_the_journal_of_another_partition_is_refused(tmp_path: Path) -> None:
    journal = opened(tmp_path, partition=2)
    journal.append(batch(1))
    journal.close(clean=True)
    with pytest.raises(JournalDamaged, match="partition 2, this engine has 0"):
        list(JournalReader(tmp_path, 0).batches())
