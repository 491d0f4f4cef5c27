"""The journal in Rust: the rules of every journal, the bytes of the definition, its thread, and a disk that fails."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from exchange.infra.journal import CommandBatch, Journal, JournalFailed, SegmentedJournal
from exchange.infra.journal_format import Kind
from exchange.infra.journal_segments import list_segments
from tests.infra.journal_suite import SEGMENT_BYTES, JournalSuite, Opener, batch, end_of, read

pytest.importorskip("exchange.infra.journal_native", reason="the wheel exchange-native is not installed")
from exchange.infra.journal_native import NativeJournal, NativeJournalWriter

SEED = 20261123


def opened(folder: Path, epoch: int = 1, *, durability: str = "fsync") -> NativeJournal:
    return NativeJournal(
        folder, end_of(folder), partition=0, rules_version=1, epoch=epoch, segment_bytes=SEGMENT_BYTES,
        durability=durability,
    )  # fmt: skip


def defined(folder: Path, epoch: int = 1) -> SegmentedJournal:
    return SegmentedJournal(
        folder, end_of(folder), partition=0, rules_version=1, epoch=epoch, segment_bytes=SEGMENT_BYTES
    )


class TestNativeJournal(JournalSuite):
    """The journal in Rust keeps the rules of every journal."""

    @pytest.fixture
    def opened(self) -> Opener:
        return opened


def drive(open_one: Callable[..., Journal], folder: Path, seed: int) -> list[object]:
    """Do to a journal what a generator says; return what it said of itself."""
    chance = random.Random(seed)
    said: list[object] = []
    sequence = 1
    for epoch in range(1, 5):
        journal = open_one(folder, epoch)
        for _ in range(chance.randrange(30)):
            match chance.randrange(6):
                case 0:
                    journal.seal()
                case 1:
                    said.append(journal.prepare())
                case 2:
                    said.append(journal.prepare_is_urgent())
                case _:
                    count = chance.randrange(1, 50)
                    payload = chance.randbytes(chance.randrange(300))
                    numbers = [chance.randrange(2**64) for _ in range(4)]
                    journal.append(CommandBatch(sequence, count, chance.randrange(2**63), payload, *numbers))
                    sequence += count
            said.append(journal.stats())
        journal.close(clean=bool(chance.randrange(2)))
        said.append(journal.stats())
    return said


@pytest.mark.parametrize("seed", range(SEED, SEED + 20))
def test_the_same_calls_make_the_same_files_and_counters_as_the_definition(tmp_path: Path, seed: int) -> None:
    folders = [tmp_path / "native", tmp_path / "defined"]
    said = [drive(opened, folders[0], seed), drive(defined, folders[1], seed)]
    assert said[0] == said[1]
    files = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders]
    assert files[0] == files[1]


def test_a_full_disk_stops_the_journal_at_once_and_for_good(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append(batch(1))
    journal.close(clean=False)
    path = list_segments(tmp_path)[0].path
    at = end_of(tmp_path)
    path.unlink()
    path.symlink_to("/dev/full")
    from exchange.wire import native

    assert at.link.checksum is not None
    core = native.Journal(
        (str(tmp_path), str(path), at.offset, SEGMENT_BYTES, 2, at.link.checksum),
        (0, 1, 1),
        SEGMENT_BYTES,
        False,
    )
    journal.core = core
    for _ in range(2):
        with pytest.raises(JournalFailed, match=r"offset 87.*No space left.*nothing more is taken"):
            journal.append(batch(2))
    assert journal.stats().batches == 0


# --- its thread ---------------------------------------------------------------------------------------


class Heard:
    """What the writer said on the loop."""

    def __init__(self) -> None:
        self.durable: asyncio.Queue[int] = asyncio.Queue()
        self.failed: asyncio.Queue[str] = asyncio.Queue()


def started(journal: NativeJournal, seal_after_s: float = 0.001) -> tuple[NativeJournalWriter, Heard]:
    heard = Heard()
    writer = NativeJournalWriter(journal, seal_after_s=seal_after_s)
    writer.start(heard.durable.put_nowait, heard.failed.put_nowait)
    return writer, heard


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_batches_are_told_of_on_the_loop_when_they_can_be_read(tmp_path: Path) -> None:
    writer, heard = started(opened(tmp_path))
    for sequence in range(1, 60):
        writer.write(batch(sequence))
        assert await heard.durable.get() > 0
        assert (Kind.COMMANDS, sequence) in read(tmp_path)
    assert await writer.close(clean=True)
    assert read(tmp_path)[-1] == (Kind.CLOSE, 60)


async def test_an_idle_writer_seals_and_then_prepares_room(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    writer, heard = started(journal)
    writer.write(batch(1))
    await heard.durable.get()
    await until(lambda: journal.stats().seals == 1 and (tmp_path / "next.segment").exists())
    assert read(tmp_path) == [(Kind.COMMANDS, 1), (Kind.SEAL, 2)]
    await writer.close(clean=False)
    assert read(tmp_path) == [(Kind.COMMANDS, 1), (Kind.SEAL, 2)]
    assert not (tmp_path / "next.segment").exists()


async def test_what_was_handed_over_is_written_before_the_close(tmp_path: Path) -> None:
    writer, _ = started(opened(tmp_path), seal_after_s=5)
    writer.write(batch(1))
    assert await writer.close(clean=True)
    assert read(tmp_path) == [(Kind.COMMANDS, 1), (Kind.CLOSE, 2)]


async def test_after_a_failure_nothing_is_said_to_be_durable_and_nothing_more_is_written(
    tmp_path: Path,
) -> None:
    writer, heard = started(opened(tmp_path))
    writer.write(batch(1))
    await heard.durable.get()
    writer.write(batch(7))
    assert "bug in the journal's thread" in await heard.failed.get()
    writer.write(batch(2))
    assert not await writer.close(clean=True)
    assert heard.durable.empty()
    assert read(tmp_path)[:1] == [(Kind.COMMANDS, 1)]
    assert all(kind is not Kind.CLOSE for kind, _ in read(tmp_path))


async def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    writer, _ = started(journal)
    writer.write(batch(1))
    assert await asyncio.gather(writer.close(clean=True), writer.close(clean=True)) == [True, True]
    journal.close(clean=True)
    assert read(tmp_path) == [(Kind.COMMANDS, 1), (Kind.CLOSE, 2)]


async def test_a_writer_that_was_never_started_closes_at_once(tmp_path: Path) -> None:
    assert await NativeJournalWriter(opened(tmp_path)).close(clean=True)


async def test_a_journal_that_has_a_thread_cannot_be_used_beside_it(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    writer, _ = started(journal)
    with pytest.raises(JournalFailed, match="belongs to its thread"):
        journal.append(batch(1))
    await writer.close(clean=False)
