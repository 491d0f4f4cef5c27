"""What a batch causes is stored at once, or not at all, and a start finds it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select, text

from exchange.domain import commands as c
from exchange.infra.store import StoreError, read_position
from exchange.market_data.book_builder import BookBuilder
from exchange.reporter.schema import book_snapshots, candles, event_batches
from exchange.reporter.store import Committed, ReporterStore, Restored
from tests.market_data.venue_flow import DATE, VenueFlow
from tests.reporter.reporter_stand import batch_of

INTERVALS = (1, 60, 86_400)


NewUrl = Callable[[str], str]


def open_at(url: str, intervals_s: tuple[int, ...] = INTERVALS, snapshot_events: int = 200) -> ReporterStore:
    return ReporterStore(url, 0, intervals_s, snapshot_events)


def feed(store: ReporterStore, builder: BookBuilder, batches: list[bytes]) -> list[Committed]:
    done = []
    for events in batches:
        done.append(store.commit(batch_of(events), builder))
        builder.apply(events)
    return done


def facts(restored: Restored) -> tuple[object, ...]:
    """Return everything that is restored as values that compare."""
    directory = restored.directory
    return (
        restored.position, restored.builder.snapshot(), restored.business_date, restored.days,
        restored.previous_days, restored.newest, restored.latest, restored.trade_chains, restored.status_chains,
        directory.symbols, directory.participants, directory.accounts, directory.keys,
    )  # fmt: skip


@pytest.mark.parametrize("stop_after", [1, 2, 17, 39])
def test_a_store_opened_again_mid_stream_ends_like_one_that_never_stopped(
    new_store_url: NewUrl, stop_after: int
) -> None:
    flow = VenueFlow(5)
    batches = [flow.open(), *flow.random_batches(40)]
    whole = open_at(new_store_url("whole"))
    one = feed(whole, whole.restore(10).builder, batches)
    stopped = open_at(new_store_url("stopped"))
    two = feed(stopped, stopped.restore(10).builder, batches[:stop_after])
    stopped.close()
    again = open_at(new_store_url("stopped"))
    restored = again.restore(10)
    assert restored.position.sequence == batch_of(batches[stop_after - 1]).last_sequence
    two += feed(again, restored.builder, batches[stop_after:])
    assert [(c.updates, c.announcements) for c in one] == [(c.updates, c.announcements) for c in two]
    assert facts(whole.restore(10)) == facts(again.restore(10))
    for store in (whole, again):
        store.close()


def test_a_new_store_begins_at_nothing(store_url: str) -> None:
    store = open_at(store_url)
    restored = store.restore(10)
    assert (tuple(restored.position), restored.business_date, restored.builder.sequence) == ((0, 0), 0, 0)
    store.close()


def test_books_are_written_again_after_many_events_and_the_events_before_are_removed(store_url: str) -> None:
    flow, store = VenueFlow(6), open_at(store_url)
    builder = store.restore(1).builder
    feed(store, builder, [flow.open(), *flow.random_batches(60)])
    with store.engine.connect() as connection:
        (sequence,) = connection.execute(select(book_snapshots.c.sequence)).scalars().all()
        oldest = connection.execute(select(func.min(event_batches.c.last_sequence))).scalar()
    assert oldest is not None
    assert sequence < oldest
    assert builder.sequence - sequence <= 200 + 200
    store.close()


def test_a_batch_that_cannot_be_stored_leaves_nothing(store_url: str) -> None:
    flow, store = VenueFlow(), open_at(store_url)
    builder = store.restore(1).builder
    feed(store, builder, [flow.open()])
    with store.engine.begin() as connection:
        connection.execute(text("DROP TABLE event_batches"))
    with pytest.raises(StoreError, match=r"events 11 to 13 cannot be stored: .*event_batches.*start again"):
        store.commit(batch_of(flow.trade(1_000_000)), builder)
    with store.engine.connect() as connection:
        assert read_position(connection, 0).sequence == 10
        assert connection.execute(select(func.count()).select_from(candles)).scalar() == 0
    store.close()


def test_other_intervals_make_the_candles_anew_from_the_trades(new_store_url: NewUrl) -> None:
    flow = VenueFlow(7)
    batches = [flow.open(), *flow.random_batches(20)]
    for name, intervals_s in (("one", INTERVALS), ("two", (5, 300, 86_400))):
        store = open_at(new_store_url(name), intervals_s)
        feed(store, store.restore(1).builder, batches)
        store.close()
    changed, expected = (
        open_at(new_store_url("one"), (5, 300, 86_400)),
        open_at(new_store_url("two"), (5, 300, 86_400)),
    )
    changed.restore(1)
    expected.restore(1)
    rows = []
    for store in (changed, expected):
        with store.engine.connect() as connection:
            rows.append(sorted(map(tuple, connection.execute(select(candles)))))
        store.close()
    assert rows[0] == rows[1] != []


def test_books_that_do_not_reach_the_position_are_refused(store_url: str) -> None:
    flow, store = VenueFlow(), open_at(store_url)
    feed(store, store.restore(1).builder, [flow.open(), flow.trade(1_000_000)])
    with store.engine.begin() as connection:
        connection.execute(text("DELETE FROM event_batches WHERE last_sequence > 10"))
    with pytest.raises(StoreError, match="its books stand at event 10, its position at 13; move it away"):
        store.restore(1)
    store.close()


def test_a_bust_of_an_earlier_date_brings_the_close_before_the_present_one(store_url: str) -> None:
    flow, store = VenueFlow(), open_at(store_url)
    builder = store.restore(1).builder
    trades = [flow.open(), flow.trade(1_000_000), flow.trade(1_010_000)]
    match_id = list(flow.trades)[-1]
    *_, committed = feed(
        store, builder, [*trades, flow.do(c.StartBusinessDay(date=DATE + 1)), flow.bust(match_id)]
    )
    candle = committed.previous_days[1]
    assert candle is not None
    assert candle.figures is not None
    assert (candle.key.business_date, candle.figures.last) == (DATE, 1_000_000)
    assert store.restore(1).previous_days[1] == candle
    store.close()
