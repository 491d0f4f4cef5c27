"""The reporter ends with the same history whatever happens to its PostgreSQL in mid-stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from exchange.infra.store import StoreError
from exchange.reporter import intake
from tests.infra.postgres_faults import FAULTS, lose_an_answer
from tests.infra.postgres_server import WHY_NOT, PostgresServer
from tests.market_data.venue_flow import VenueFlow
from tests.reporter.reporter_stand import Stand
from tests.reporter.test_app import answers
from tests.reporter.test_store import INTERVALS, batch_of, facts, feed, open_at


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    with PostgresServer() as server:
        yield server


@pytest.mark.integration
@pytest.mark.parametrize("fault", FAULTS)
async def test_the_reporter_goes_on_and_ends_equal(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(intake, "JOINED_BYTES_MAX", 1)
    flow = VenueFlow(9)
    batches = [flow.open(), *flow.random_batches(120)]
    async with Stand(tmp_path / "straight") as straight:
        await straight.publish(*batches)
        expected = await answers(straight)
    async with Stand(tmp_path / "faulty", store_url=server.new_database()) as stand:
        await stand.publish(*batches[:20])
        publishing = asyncio.create_task(publish(stand, batches[20:]))
        for _ in range(2):
            await asyncio.sleep(0.05)
            await asyncio.to_thread(FAULTS[fault], server, "exchange reporter")
        await publishing
        assert await answers(stand) == expected
        assert stand.app.ready() == []


async def publish(stand: Stand, batches: list[bytes]) -> None:
    for batch in batches:
        stand.source.add(batch)
        await asyncio.sleep(0.002)
    await stand.publish()


@pytest.mark.parametrize("after", [1, 20])
def test_a_commit_whose_answer_was_lost_is_not_done_twice(
    new_store_url: Callable[[str], str], after: int
) -> None:
    flow = VenueFlow(5)
    batches = [flow.open(), *flow.random_batches(40)]
    whole, faulty = open_at(new_store_url("whole")), open_at(new_store_url("faulty"))
    one = feed(whole, whole.restore(10).builder, batches)
    builder = faulty.restore(10).builder
    two = feed(faulty, builder, batches[:after])
    lose_an_answer(faulty.engine)
    with pytest.raises(StoreError, match="answer was lost"):
        faulty.commit(batch_of(batches[after]), builder)
    two += feed(faulty, builder, batches[after:])
    assert [(each.updates, each.announcements) for each in one] == [
        (each.updates, each.announcements) for each in two
    ]
    assert facts(whole.restore(10)) == facts(faulty.restore(10))
    for store in (whole, faulty):
        store.close()


def test_a_batch_that_failed_may_be_committed_again(new_store_url: Callable[[str], str]) -> None:
    flow = VenueFlow(5)
    batches = [flow.open(), *flow.random_batches(10)]
    whole, faulty = open_at(new_store_url("whole")), open_at(new_store_url("faulty"))
    one = feed(whole, whole.restore(10).builder, batches)
    builder = faulty.restore(10).builder
    two = feed(faulty, builder, batches[:5])
    rename(faulty, "event_batches", "gone")
    with pytest.raises(StoreError, match="event_batches"):
        faulty.commit(batch_of(batches[5]), builder)
    rename(faulty, "gone", "event_batches")
    two += feed(faulty, builder, batches[5:])
    assert [(each.updates, each.announcements) for each in one] == [
        (each.updates, each.announcements) for each in two
    ]
    assert facts(whole.restore(10)) == facts(faulty.restore(10))


def test_a_store_that_has_lost_what_it_had_is_told(new_store_url: Callable[[str], str]) -> None:
    flow = VenueFlow(5)
    batches = [flow.open(), *flow.random_batches(10)]
    store = open_at(new_store_url("store"), INTERVALS)
    builder = store.restore(10).builder
    feed(store, builder, batches[:5])
    rename(store, "event_batches", "gone")
    with pytest.raises(StoreError, match="event_batches"):
        store.commit(batch_of(batches[5]), builder)
    rename(store, "gone", "event_batches")
    last = batch_of(batches[3]).last_sequence
    with store.engine.begin() as connection:
        connection.execute(text(f"UPDATE feed_positions SET sequence = {last}"))
        connection.execute(text(f"DELETE FROM event_batches WHERE last_sequence > {last}"))
    with pytest.raises(StoreError, match=f"has lost the events {last + 1} to .* start the reporter again"):
        store.commit(batch_of(batches[5]), builder)


def rename(store: Any, table: str, name: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))
