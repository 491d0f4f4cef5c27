"""The writer on the event loop: batches in, word of them in the next turn, seals and room in between."""

from __future__ import annotations

import asyncio

from exchange.infra.journal_buffered import BufferedWriter
from tests.infra.test_journal_writer import BATCH, Heard, ListedJournal, until


def started(journal: ListedJournal, seal_after_s: float = 0.001) -> tuple[BufferedWriter, Heard]:
    heard = Heard()
    writer = BufferedWriter(journal, seal_after_s=seal_after_s)
    writer.start(heard.durable.put_nowait, heard.failed.put_nowait)
    return writer, heard


async def test_a_batch_is_written_at_once_and_told_of_in_the_next_turn() -> None:
    journal = ListedJournal()
    writer, heard = started(journal)
    writer.write(BATCH)
    assert journal.threads == {"MainThread"}
    assert heard.durable.empty()
    assert await heard.durable.get() >= 0
    assert await writer.close(clean=True)
    assert journal.calls[-1] == "close True"


async def test_an_idle_writer_seals_and_then_prepares_room_step_by_step() -> None:
    journal = ListedJournal(steps=2)
    writer, heard = started(journal, seal_after_s=0.02)
    writer.write(BATCH)
    await heard.durable.get()
    await until(journal, "append", "seal", "prepare", "seal", "prepare")
    await writer.close(clean=True)


async def test_after_a_failure_nothing_is_said_to_be_stored_and_nothing_more_is_written() -> None:
    journal = ListedJournal(fails=True)
    writer, heard = started(journal)
    writer.write(BATCH)
    assert await heard.failed.get() == "the disk is gone"
    writer.write(BATCH)
    assert not await writer.close(clean=True)
    assert heard.durable.empty()
    assert journal.calls.count("append") == 1
    assert journal.calls[-1] == "close False"


async def test_closing_twice_is_closing_once() -> None:
    journal = ListedJournal()
    writer, _ = started(journal)
    await asyncio.gather(writer.close(clean=True), writer.close(clean=True))
    assert journal.calls.count("close True") == 1
