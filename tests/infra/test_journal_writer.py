"""The journal's thread: batches in, word of durable ones out, seals and room prepared in between."""

from __future__ import annotations

import asyncio
import threading

import pytest

from exchange.infra.journal import CommandBatch, JournalFailed, JournalStats
from exchange.infra.journal_writer import JournalWriter

BATCH = CommandBatch(1, 1, 0, b"commands", 0, 0, 0, 0)


class ListedJournal:
    """A journal that lists what is asked of it."""

    partition = 0
    payload_bytes_max = 1000

    def __init__(self, fails: bool = False, steps: int = 0) -> None:
        self.calls: list[str] = []
        self.threads: set[str] = set()
        self.fails = fails
        self.steps = steps
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def append(self, batch: CommandBatch) -> None:
        self.may_go_on.wait(5)
        self.threads.add(threading.current_thread().name)
        self.calls.append("append")
        if self.fails:
            raise JournalFailed("the disk is gone")

    def seal(self) -> None:
        self.calls.append("seal")

    def prepare(self) -> bool:
        self.calls.append("prepare")
        self.steps -= 1
        return self.steps > 0

    def prepare_is_urgent(self) -> bool:
        return False

    def close(self, *, clean: bool) -> None:
        self.calls.append(f"close {clean}")

    def stats(self) -> JournalStats:
        raise NotImplementedError


async def until(condition: ListedJournal, *calls: str) -> None:
    """Wait until a journal was asked for these calls."""
    async with asyncio.timeout(30):
        while condition.calls[-len(calls) :] != list(calls):  # noqa: ASYNC110
            await asyncio.sleep(0.001)


class Heard:
    """What the writer said on the loop."""

    def __init__(self) -> None:
        self.durable: asyncio.Queue[int] = asyncio.Queue()
        self.failed: asyncio.Queue[str] = asyncio.Queue()


def started(journal: ListedJournal, seal_after_s: float = 0.001) -> tuple[JournalWriter, Heard]:
    heard = Heard()
    writer = JournalWriter(journal, seal_after_s=seal_after_s)
    writer.start(heard.durable.put_nowait, heard.failed.put_nowait)
    return writer, heard


async def test_a_batch_is_written_in_the_thread_and_told_on_the_loop() -> None:
    journal = ListedJournal()
    writer, heard = started(journal)
    writer.write(BATCH)
    assert await heard.durable.get() >= 0
    assert journal.threads == {"journal"}
    await writer.close(clean=True)
    assert journal.calls[-1] == "close True"


async def test_an_idle_writer_seals_and_then_prepares_room() -> None:
    journal = ListedJournal(steps=1)
    writer, heard = started(journal)
    writer.write(BATCH)
    await heard.durable.get()
    await until(journal, "append", "seal", "prepare")
    await writer.close(clean=True)


async def test_what_was_handed_over_is_written_before_the_close() -> None:
    journal = ListedJournal()
    writer, _ = started(journal, seal_after_s=5)
    journal.may_go_on.clear()
    writer.write(BATCH)
    closing = asyncio.create_task(writer.close(clean=True))
    journal.may_go_on.set()
    await closing
    assert journal.calls[-2:] == ["append", "close True"]


async def test_after_a_failure_nothing_is_said_to_be_durable_and_nothing_more_is_written() -> None:
    journal = ListedJournal(fails=True)
    writer, heard = started(journal)
    writer.write(BATCH)
    assert await heard.failed.get() == "the disk is gone"
    writer.write(BATCH)
    await writer.close(clean=True)
    assert heard.durable.empty()
    assert [call for call in journal.calls if call != "prepare"] == ["append", "close False"]


async def test_closing_twice_is_closing_once() -> None:
    journal = ListedJournal()
    writer, _ = started(journal)
    await asyncio.gather(writer.close(clean=False), writer.close(clean=False))
    assert journal.calls.count("close False") == 1


async def test_a_writer_that_was_never_started_closes_at_once() -> None:
    await JournalWriter(ListedJournal()).close(clean=True)


@pytest.mark.parametrize("clean", [True, False])
async def test_the_close_record_is_asked_for_only_after_a_clean_stop(clean: bool) -> None:
    journal = ListedJournal()
    writer, _ = started(journal)
    await writer.close(clean=clean)
    assert journal.calls[-1] == f"close {clean}"
