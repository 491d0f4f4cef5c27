"""Reading a journal of several files: what is cut, what is refused, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exchange.infra import journal_format as form
from exchange.infra.journal_format import BatchHeader, Kind
from exchange.infra.journal_segments import JournalDamaged, JournalReader, list_segments, segment_path

RECORD = b"command"
SIZE = form.HEADER_BYTES + len(RECORD)
ROOM = bytes(80)


def write_journal(folder: Path, files: tuple[int, ...] = (2, 2, 1), ending: Kind | None = None) -> None:
    """Write a journal of one command a batch, so many batches a file, and a seal or close record at its end."""
    folder.mkdir(exist_ok=True)
    sequence, previous = 1, 0
    for number, batches in enumerate(files):
        path, data = segment_path(folder, sequence), b""
        for _ in range(batches):
            header = BatchHeader(Kind.COMMANDS, 0, 1, 1, sequence, 1, 0, sequence, 0, 0, previous)
            batch = form.encode(header, RECORD)
            sequence, previous, data = sequence + 1, form.checksum_of(batch), data + batch
        if ending and number == len(files) - 1:
            data += form.encode(BatchHeader(ending, 0, 1, 1, sequence, 0, 0, sequence, 0, 0, previous), b"")
        path.write_bytes(data + ROOM)


def read(folder: Path, after: int | None = None) -> list[int]:
    return [batch.header.first_sequence for batch in JournalReader(folder, 0).batches(after)]


def test_an_empty_or_absent_folder_is_an_empty_journal(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path / "absent", 0)
    assert list(reader.batches(0)) == []
    assert (reader.first_sequence, reader.end.path, reader.end.link.next_sequence) == (1, None, 1)


def test_batches_are_read_in_order_over_all_files(tmp_path: Path) -> None:
    write_journal(tmp_path, ending=Kind.CLOSE)
    reader = JournalReader(tmp_path, 0)
    assert [(b.header.first_sequence, b.payload) for b in reader.batches()][:5] == [
        (n, RECORD) for n in range(1, 6)
    ]
    assert (reader.end.kind, reader.end.link.next_sequence, reader.end.torn_bytes) == (Kind.CLOSE, 6, 0)


@pytest.mark.parametrize(("after", "expected"), [(0, [1, 2, 3, 4, 5]), (2, [3, 4, 5]), (3, [4, 5]), (5, [])])
def test_reading_begins_behind_a_command(tmp_path: Path, after: int, expected: list[int]) -> None:
    write_journal(tmp_path)
    assert read(tmp_path, after) == expected


def test_reading_behind_a_command_does_not_need_the_files_before_it(tmp_path: Path) -> None:
    write_journal(tmp_path)
    segment_path(tmp_path, 1).unlink()
    assert read(tmp_path, 3) == [4, 5]
    assert read(tmp_path) == [3, 4, 5]
    with pytest.raises(JournalDamaged, match="oldest file begins with command 3, needed from 2 on"):
        read(tmp_path, 2)


def test_the_seal_behind_the_last_command_is_read_for_its_hash(tmp_path: Path) -> None:
    write_journal(tmp_path, ending=Kind.SEAL)
    assert [batch.header.kind for batch in JournalReader(tmp_path, 0).batches(5)] == [Kind.SEAL]


def test_a_torn_tail_is_told_with_its_place_and_size(tmp_path: Path) -> None:
    write_journal(tmp_path)
    path = segment_path(tmp_path, 5)
    path.write_bytes(path.read_bytes()[: SIZE - 2] + ROOM)
    reader = JournalReader(tmp_path, 0)
    assert [batch.header.first_sequence for batch in reader.batches()] == [1, 2, 3, 4]
    assert (reader.end.path, reader.end.offset, reader.end.torn_bytes) == (path, 0, SIZE - 2)


def test_an_empty_last_file_is_where_the_journal_goes_on(tmp_path: Path) -> None:
    write_journal(tmp_path, (2, 2))
    segment_path(tmp_path, 5).write_bytes(ROOM)
    reader = JournalReader(tmp_path, 0)
    assert len(list(reader.batches(4))) == 0
    assert (reader.end.path, reader.end.offset) == (segment_path(tmp_path, 5), 0)
    assert reader.end.link.checksum, "the chain into the empty file is known"


Damage = Callable[[Path], None]


def remove(first: int) -> Damage:
    return lambda folder: segment_path(folder, first).unlink()


def cut(first: int, size: int) -> Damage:
    return lambda folder: segment_path(folder, first).write_bytes(
        segment_path(folder, first).read_bytes()[:size]
    )


def swap(folder: Path) -> None:
    one, other = segment_path(folder, 1), segment_path(folder, 3)
    one_bytes = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(one_bytes)


@pytest.mark.parametrize(
    ("damage", "where", "said"),
    [
        (remove(3), (1, SIZE * 2), "commands 3 to 4 are missing"),
        (cut(1, SIZE), (1, SIZE), "0 bytes are left, a batch header has 64; commands 2 to 2 are missing"),
        (cut(3, 0), (3, 0), "commands 3 to 4 are missing"),
        (swap, (1, 0), "the batch begins with command 3, expected 1"),
    ],
    ids=["a file is gone", "a file is cut", "a file is empty", "files are swapped"],
)
def test_a_journal_with_a_hole_is_refused_with_file_offset_and_command(
    tmp_path: Path, damage: Damage, where: tuple[int, int], said: str
) -> None:
    write_journal(tmp_path)
    damage(tmp_path)
    with pytest.raises(JournalDamaged, match="exchange journal check") as caught:
        read(tmp_path)
    assert (caught.value.path, caught.value.offset) == (segment_path(tmp_path, where[0]), where[1])
    assert said in caught.value.seen


@pytest.mark.parametrize("ending", [None, Kind.SEAL])
def test_every_flipped_bit_of_a_journal_of_several_files_is_refused_or_costs_the_last_batch(
    tmp_path: Path, ending: Kind | None
) -> None:
    write_journal(tmp_path, (1, 1, 1), ending)
    segments = list_segments(tmp_path)
    whole = read(tmp_path)
    for number, segment in enumerate(segments):
        data = segment.path.read_bytes()
        for bit in range((len(data) - len(ROOM)) * 8):
            at = bit // 8
            segment.path.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit % 8]) + data[at + 1 :])
            is_last = number == 2 and (ending is None or at >= SIZE)
            known = _is_refused(tmp_path) or (is_last and read(tmp_path) == whole[:-1])
            assert known, f"{segment.path.name}, bit {bit}"
        segment.path.write_bytes(data)


def _is_refused(folder: Path) -> bool:
    try:
        read(folder)
    except JournalDamaged:
        return True
    return False


def test_every_cut_of_the_last_file_keeps_what_was_whole(tmp_path: Path) -> None:
    write_journal(tmp_path, (2, 2))
    path = segment_path(tmp_path, 3)
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        assert read(tmp_path) == [1, 2, *[3, 4][: size // SIZE]], f"cut at {size}"
