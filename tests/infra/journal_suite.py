"""What every journal must do, whatever it is written in: each test of it takes a function that opens one."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from exchange.infra import journal_format as form
from exchange.infra.journal import CommandBatch, Journal
from exchange.infra.journal_format import HEADER_BYTES, Kind
from exchange.infra.journal_segments import JournalEnd, JournalReader, list_segments

SEGMENT_BYTES = 1024
RECORD = b"one command record, say"


class Opener(Protocol):
    """Opens a journal in a folder, behind what stands there."""

    def __call__(self, folder: Path, epoch: int = 1, *, durability: str = "fsync") -> Journal:
        """Open it."""


def end_of(folder: Path) -> JournalEnd:
    """Return where the journal of a folder ends."""
    reader = JournalReader(folder, 0)
    for _ in reader.batches():
        pass
    return reader.end


def batch(first_sequence: int, payload: bytes = RECORD) -> CommandBatch:
    """Return a batch of one command."""
    return CommandBatch(
        first_sequence, 1, first_sequence * 10, payload, first_sequence, first_sequence + 1, 0, 0
    )


def read(folder: Path) -> list[tuple[Kind, int]]:
    """List the kinds and first sequences of what stands in a folder."""
    return [
        (Kind(found.header.kind), found.header.first_sequence) for found in JournalReader(folder, 0).batches()
    ]


class JournalSuite:
    """Inherit it and give `opened`."""

    @pytest.fixture
    def opened(self) -> Opener:
        """Return the function that opens the journal under test."""
        raise NotImplementedError

    def test_batches_are_read_back_in_order_over_several_segments(
        self, tmp_path: Path, opened: Opener
    ) -> None:
        journal = opened(tmp_path)
        for sequence in range(1, 41):
            journal.append(batch(sequence))
        journal.close(clean=True)
        assert len(list_segments(tmp_path)) > 2
        assert read(tmp_path) == [*((Kind.COMMANDS, n) for n in range(1, 41)), (Kind.CLOSE, 41)]
        assert all(segment.path.stat().st_size == SEGMENT_BYTES for segment in list_segments(tmp_path))

    def test_a_segment_is_named_by_its_first_command_and_begins_with_it(
        self, tmp_path: Path, opened: Opener
    ) -> None:
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
        self, tmp_path: Path, opened: Opener, size: int
    ) -> None:
        for number in range(1, 30):
            journal = opened(tmp_path, epoch=number)
            journal.append(batch(number, bytes(size)))
            journal.seal()
            journal.close(clean=True)
        assert {segment.path.stat().st_size for segment in list_segments(tmp_path)} == {SEGMENT_BYTES}
        assert len(read(tmp_path)) == 29 * 3

    def test_a_seal_is_written_once_and_only_after_commands(self, tmp_path: Path, opened: Opener) -> None:
        journal = opened(tmp_path)
        journal.seal()
        journal.append(batch(1))
        journal.seal()
        journal.seal()
        journal.close(clean=False)
        assert read(tmp_path) == [(Kind.COMMANDS, 1), (Kind.SEAL, 2)]

    def test_opening_and_closing_without_commands_writes_nothing(
        self, tmp_path: Path, opened: Opener
    ) -> None:
        journal = opened(tmp_path)
        journal.append(batch(1))
        journal.close(clean=True)
        for epoch in (2, 3, 4):
            opened(tmp_path, epoch).close(clean=True)
        assert read(tmp_path) == [(Kind.COMMANDS, 1), (Kind.CLOSE, 2)]

    def test_a_journal_goes_on_behind_its_close_record(self, tmp_path: Path, opened: Opener) -> None:
        for epoch in (1, 2, 3):
            journal = opened(tmp_path, epoch)
            journal.append(batch(epoch))
            journal.close(clean=True)
        assert [sequence for kind, sequence in read(tmp_path) if kind is Kind.COMMANDS] == [1, 2, 3]

    def test_a_torn_tail_is_zeroed_at_the_opening_so_that_nothing_stale_is_left(
        self, tmp_path: Path, opened: Opener
    ) -> None:
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

    def test_a_segment_that_was_trimmed_is_filled_up_again(self, tmp_path: Path, opened: Opener) -> None:
        journal = opened(tmp_path)
        journal.append(batch(1))
        journal.close(clean=False)
        path = list_segments(tmp_path)[0].path
        path.write_bytes(path.read_bytes()[: HEADER_BYTES + len(RECORD)])
        opened(tmp_path, 2).close(clean=False)
        assert path.stat().st_size == SEGMENT_BYTES

    def test_what_a_reused_segment_still_holds_is_never_taken(self, tmp_path: Path, opened: Opener) -> None:
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

    def test_the_next_segment_is_prepared_step_by_step_and_then_taken(
        self, tmp_path: Path, opened: Opener
    ) -> None:
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
