"""The journal's bytes: every cut, every flipped bit, every torn write and every stale batch has a known outcome."""

from __future__ import annotations

from itertools import product

import pytest

from exchange.infra import journal_format as form
from exchange.infra.journal_format import BatchHeader, Kind, Link, Rest

RECORDS = [b"first command record", b"second record, a little longer than the first", b"third\0\0\0\0"]
ROOM = bytes(160)


def header(kind: Kind, first_sequence: int, count: int, previous: int, epoch: int = 1) -> BatchHeader:
    return BatchHeader(kind, 0, 1, epoch, first_sequence, count, 0, 1_000 + first_sequence, 77, 5, previous)


def journal(ending: Kind | None = None) -> tuple[bytes, list[int]]:
    """Three batches of one command each, and a seal or close record; with where each ends."""
    data, ends, previous = b"", [], 0
    for number, record in enumerate(RECORDS):
        batch = form.encode(header(Kind.COMMANDS, number + 1, 1, previous), record)
        previous = form.checksum_of(batch)
        data += batch
        ends.append(len(data))
    if ending:
        data += form.encode(header(ending, 4, 0, previous), b"")
        ends.append(len(data))
    return data, ends


def read(data: bytes) -> tuple[int, Rest]:
    """Return how many batches are taken, and what stands after them."""
    found, offset, link = 0, 0, Link(1)
    for offset, seen in form.batches_in(data, 0, link):
        found, offset, link = found + 1, offset + seen.size_bytes, form.link_after(seen)
    return found, form.examine_rest(data, offset, link)[0]


def flipped(data: bytes, bit: int) -> bytes:
    return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


def test_a_batch_comes_back_as_it_was_written() -> None:
    data, _ = journal(Kind.SEAL)
    seen = [(found.kind, found.first_sequence, found.count) for _, found in form.batches_in(data, 0, Link(1))]
    assert seen == [(Kind.COMMANDS, 1, 1), (Kind.COMMANDS, 2, 1), (Kind.COMMANDS, 3, 1), (Kind.SEAL, 4, 0)]
    first = form.header_at(data, 0)
    assert first
    assert (first.time_ns, first.running_hash, first.event_sequence, first.length) == (1_001, 77, 5, 20)


@pytest.mark.parametrize("ending", [None, Kind.SEAL, Kind.CLOSE])
def test_a_whole_journal_ends_clean(ending: Kind | None) -> None:
    data, ends = journal(ending)
    assert read(data + ROOM) == (len(ends), Rest.CLEAN)


@pytest.mark.parametrize("ending", [None, Kind.SEAL, Kind.CLOSE])
@pytest.mark.parametrize("room", [b"", ROOM], ids=["end of file", "zeroes"])
def test_a_journal_cut_at_any_byte_keeps_what_was_whole_and_is_never_refused(
    ending: Kind | None, room: bytes
) -> None:
    data, ends = journal(ending)
    for cut in range(len(data)):
        found, rest = read(data[:cut] + room)
        # A batch whose last bytes are zeroes is whole again when zeroes stand behind it.
        regained = [end for end in ends if end > cut and not data[cut:end].strip(b"\0") and room]
        assert found == sum(1 for end in ends if end <= cut) + len(regained[:1]), f"cut at {cut}"
        assert rest is (Rest.CLEAN if cut in [0, *ends] or regained else Rest.TORN), f"cut at {cut}"


@pytest.mark.parametrize("ending", [None, Kind.SEAL, Kind.CLOSE])
def test_every_flipped_bit_is_refused_unless_it_is_in_the_last_batch(ending: Kind | None) -> None:
    data, ends = journal(ending)
    last_begins = ends[-2]
    version_at = last_begins + 4
    for bit in range(len(data) * 8):
        found, rest = read(flipped(data, bit) + ROOM)
        assert found == sum(1 for end in ends if end <= bit // 8), f"bit {bit}"
        if bit // 8 < last_begins:
            assert rest is Rest.BROKEN, f"bit {bit}"
        elif bit // 8 in (version_at, version_at + 1) and bit != version_at * 8:
            assert rest is Rest.BROKEN, f"bit {bit}: a batch of an unknown version is never cut"
        else:
            assert rest is Rest.TORN, f"bit {bit}"


@pytest.mark.parametrize("ending", [Kind.SEAL, Kind.CLOSE])
def test_behind_a_seal_or_close_record_no_flipped_bit_loses_a_command(ending: Kind) -> None:
    data, _ = journal(ending)
    for bit in range(len(data) * 8):
        found, rest = read(flipped(data, bit) + ROOM)
        assert found >= 3 or rest is Rest.BROKEN, f"bit {bit}"


def test_a_flipped_bit_behind_the_end_loses_nothing_and_is_cut() -> None:
    data, _ = journal()
    for bit in range(len(ROOM) * 8):
        assert read(data + flipped(ROOM, bit)) == (3, Rest.TORN)


def test_a_last_write_of_which_any_sectors_arrived_is_torn_and_takes_nothing_with_it() -> None:
    data, ends = journal()
    sector = 16
    last = data[ends[1] :]
    sectors = [last[at : at + sector] for at in range(0, len(last), sector)]
    for arrived in product((True, False), repeat=len(sectors)):
        parts = [part if here else bytes(len(part)) for part, here in zip(sectors, arrived, strict=True)]
        torn = b"".join(parts)
        if torn != last:
            expected = Rest.TORN if any(torn) else Rest.CLEAN
            assert read(data[: ends[1]] + torn + ROOM) == (2, expected)


def test_stale_batches_behind_the_end_of_a_reused_segment_are_never_taken() -> None:
    old, _ = journal(Kind.CLOSE)
    link = Link(9, 0xAAAA, 2)
    fresh = form.encode(header(Kind.COMMANDS, 9, 1, 0xAAAA, epoch=2), RECORDS[0])
    data = fresh + old[len(fresh) :]
    found = list(form.batches_in(data, 0, link))
    assert [seen.first_sequence for _, seen in found] == [9]
    assert form.examine_rest(data, len(fresh), form.link_after(found[0][1]))[0] is Rest.TORN


def test_a_stale_batch_right_at_the_end_is_not_taken_although_it_is_whole() -> None:
    stale = form.encode(header(Kind.COMMANDS, 3, 1, 5), RECORDS[2])
    assert list(form.batches_in(stale, 0, Link(9, 0xAAAA, 2))) == []
    assert form.examine_rest(stale, 0, Link(9, 0xAAAA, 2))[0] is Rest.TORN


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (header(Kind.COMMANDS, 5, 1, 9), "begins with command 5, expected 4"),
        (header(Kind.COMMANDS, 4, 1, 8, epoch=2), "follows one with checksum 00000008, expected 00000009"),
        (header(Kind.COMMANDS, 4, 1, 9, epoch=1), "of epoch 1, the one before it of 2"),
    ],
)
def test_a_whole_batch_that_does_not_follow_is_no_torn_tail(wrong: BatchHeader, said: str) -> None:
    data = form.encode(wrong, RECORDS[0])
    link = Link(4, 9, 2)
    assert list(form.batches_in(data, 0, link)) == []
    assert form.examine_rest(data, 0, link) == (Rest.BROKEN, 0)
    assert said in form.describe(data, 0, link)


def test_the_chain_binds_batches_that_are_equal_in_everything_else() -> None:
    one = form.encode(header(Kind.COMMANDS, 1, 1, 0), b"buy")
    other = form.encode(header(Kind.COMMANDS, 1, 1, 0), b"sell")
    second = form.encode(header(Kind.COMMANDS, 2, 1, form.checksum_of(one)), b"more")
    assert read(one + second) == (2, Rest.CLEAN)
    assert read(other + second) == (1, Rest.BROKEN)


def test_the_end_of_a_segment_is_found_though_its_last_record_ends_in_zeroes() -> None:
    data, ends = journal()
    assert data.endswith(b"\0\0\0\0")
    assert form.used_bytes(data + ROOM, 1) == ends[-1]
    assert form.used_bytes(ROOM, 1) == 0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xf5XJ", "3 bytes are left, a batch header has 64"),
        (b"junk" + bytes(80), "6a 75 6e 6b stands where a batch would begin with f5 58 4a 42"),
        (form.MAGIC + b"\x09" + bytes(80), "batch version 9, this program reads 1"),
        (
            journal()[0][:70] + bytes(80),
            "the batch of 1 commands from 1, 20 bytes, does not match its checksum",
        ),
    ],
)
def test_what_is_no_batch_is_described_for_people(data: bytes, said: str) -> None:
    assert form.describe(data, 0, Link(1)) == said
