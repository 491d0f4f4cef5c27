"""One file of the event log: its index, and the check of a file that has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.infra.errors import InfraError
from exchange.infra.event_log_files import (
    INDEX_STEP_BYTES,
    EventFile,
    event_path,
    index_path,
    list_event_files,
    load_index,
    save_index,
    scan_events,
    survey_events,
)
from exchange.wire.envelope import EventBatch, encode_batch
from exchange.wire.records import VERSION

RECORD = bytes([0, 0, 0, 0, 0, VERSION, 0])
"""What an envelope takes for a record; nobody looks further into it here."""


def envelopes(first: int, counts: tuple[int, ...], partition: int = 0) -> bytes:
    data = b""
    for count in counts:
        data += encode_batch(EventBatch(partition, 1, first, count, RECORD * count))
        first += count
    return data


def write(folder: Path, first: int, counts: tuple[int, ...]) -> Path:
    path = event_path(folder, first)
    path.write_bytes(envelopes(first, counts))
    return path


def test_an_index_finds_a_place_before_every_event() -> None:
    file = EventFile(Path("x"), 1)
    for number in range(100):
        file.add(1 + number * 10, 10, 5_000)
    assert file.next_sequence == 1_001
    for sequence in range(1, 1_001):
        begins = (sequence - 1) // 10 * 5_000
        assert begins - INDEX_STEP_BYTES - 5_000 < file.offset_of(sequence) <= begins


def test_an_index_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = write(tmp_path, 5, (2, 3))
    file, whole = scan_events(path, 5, 0)
    assert whole
    save_index(file)
    loaded = load_index(path, 5)
    assert loaded
    assert (loaded.next_sequence, loaded.size_bytes, loaded.offset_of(9)) == (10, path.stat().st_size, 0)


def test_every_flipped_bit_of_an_index_makes_it_none(tmp_path: Path) -> None:
    path = write(tmp_path, 5, (2, 3))
    save_index(scan_events(path, 5, 0)[0])
    data = index_path(path).read_bytes()
    for bit in range(len(data) * 8):
        at = bit // 8
        assert not EventFile(path, 5).take_index(
            data[:at] + bytes([data[at] ^ 1 << bit % 8]) + data[at + 1 :]
        )


def test_an_index_of_a_file_with_another_size_is_not_believed(tmp_path: Path) -> None:
    path = write(tmp_path, 5, (2, 3))
    save_index(scan_events(path, 5, 0)[0])
    path.write_bytes(path.read_bytes() + b"more")
    assert load_index(path, 5) is None
    index_path(path).unlink()
    assert load_index(path, 5) is None


def test_a_scan_ends_at_any_cut_with_what_is_whole_before_it(tmp_path: Path) -> None:
    path = write(tmp_path, 1, (1, 2, 1))
    data = path.read_bytes()
    ends = {0: 1, 39: 2, 39 + 46: 4, len(data): 5}
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        file, whole = scan_events(path, 1, 0)
        last = max(end for end in ends if end <= cut)
        assert (file.size_bytes, file.next_sequence, whole) == (last, ends[last], cut in ends)


def test_the_events_of_another_partition_are_refused(tmp_path: Path) -> None:
    path = event_path(tmp_path, 1)
    path.write_bytes(envelopes(1, (2,), partition=3))
    with pytest.raises(InfraError, match="partition 3, this engine has 0"):
        scan_events(path, 1, 0)


def test_a_survey_changes_nothing_and_tells_where_it_ends(tmp_path: Path) -> None:
    assert survey_events(tmp_path / "absent", 0) == (0, 0, "")
    write(tmp_path, 1, (2, 2))
    later = write(tmp_path, 5, (1,))
    assert survey_events(tmp_path, 0) == (1, 5, "")
    later.rename(event_path(tmp_path, 6))
    assert survey_events(tmp_path, 0)[2] == "events 5 to 5 are missing before 00000000000000000006.events"
    event_path(tmp_path, 1).write_bytes(envelopes(1, (2, 2))[:-1])
    assert survey_events(tmp_path, 0) == (1, 2, "00000000000000000001.events is torn or damaged at offset 46")
    assert len(list_event_files(tmp_path)) == 2
