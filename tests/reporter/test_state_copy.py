"""A store that took another one's state is that store, webhooks aside; a state that does not fit changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from exchange.infra.store import begin_write
from exchange.reporter import state_copy
from exchange.reporter.schema import webhooks
from exchange.reporter.state_copy import COPIED, check_fits, state_frames, take_state
from exchange.reporter.state_stream import StateReader, StateRefused, StateRows, StateWriter
from exchange.reporter.store import ReporterStore
from tests.market_data.venue_flow import VenueFlow
from tests.reporter.test_store import INTERVALS, NewUrl, facts, feed, open_at

WEBHOOK = {
    "partition": 0, "webhook_id": 1, "participant_id": 1, "url": "http://localhost/x", "channel": "trades",
    "symbol_ids": "", "secret": "s", "is_active": True, "sent_sequence": 0, "delivered": 0, "problem": "",
    "created_ns": 1,
}  # fmt: skip


def reader_of(store: ReporterStore) -> StateReader:
    return StateReader(BytesIO(b"".join(state_frames(store.engine, 0))).read)


def rows_of(store: ReporterStore) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything that is copied."""
    with store.engine.connect() as connection:
        return {
            name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for name, table in COPIED.items()
        }


def take(
    store: ReporterStore, reader: StateReader, progress: Callable[[int, int], None] | None = None
) -> None:
    take_state(store.engine, 0, reader, progress or (lambda _rows, _total: None))


def full(url: str, flow: VenueFlow, batches: int = 60) -> ReporterStore:
    store = open_at(url)
    feed(store, store.restore(10).builder, [flow.open(), *flow.random_batches(batches)])
    return store


def test_a_copied_store_starts_and_goes_on_like_the_first(
    new_store_url: NewUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_copy, "PIECE_ROWS", 50)
    flow = VenueFlow(5)
    peer, mine = full(new_store_url("peer"), flow), open_at(new_store_url("mine"))
    told: list[tuple[int, int]] = []
    take(mine, reader_of(peer), lambda rows, total: told.append((rows, total)))
    assert rows_of(mine) == rows_of(peer)
    assert told[-1][0] == told[-1][1] == sum(map(len, rows_of(peer).values()))
    assert max(map(len, rows_of(peer).values())) > 50, "some table comes in several pieces"
    one, two = mine.restore(10), peer.restore(10)
    assert facts(one) == facts(two)
    more = flow.random_batches(20)
    feed(mine, one.builder, more)
    feed(peer, two.builder, more)
    assert rows_of(mine) == rows_of(peer), "busts of copied trades too"


def test_a_store_that_is_far_behind_is_replaced_and_keeps_its_webhooks(new_store_url: NewUrl) -> None:
    flow = VenueFlow(5)
    batches = [flow.open(), *flow.random_batches(30)]
    peer, mine = open_at(new_store_url("peer")), open_at(new_store_url("mine"))
    feed(peer, peer.restore(10).builder, batches)
    feed(mine, mine.restore(10).builder, batches[:5])
    with begin_write(mine.engine) as connection:
        connection.execute(webhooks.insert().values(WEBHOOK))
    take(mine, reader_of(peer))
    assert rows_of(mine) == rows_of(peer)
    with mine.engine.connect() as connection:
        assert connection.execute(select(webhooks.c.webhook_id)).scalars().all() == [1]
    with peer.engine.connect() as connection:
        assert connection.execute(select(webhooks)).all() == [], "nor was anything written at the peer"


def test_candles_of_other_intervals_are_made_anew_from_copied_trades(new_store_url: NewUrl) -> None:
    peer = full(new_store_url("peer"), VenueFlow(5))
    other = open_at(new_store_url("mine"), (300, 86_400))
    take(other, reader_of(peer))
    other.restore(10)
    with other.engine.connect() as connection:
        kept = set(connection.execute(select(COPIED["candles"].c.interval_s)).scalars())
    assert kept == {300, 86_400}


@pytest.mark.parametrize("part", range(1, 10))
def test_a_state_cut_on_the_way_leaves_the_store_as_it_was(new_store_url: NewUrl, part: int) -> None:
    flow = VenueFlow(5)
    mine = full(new_store_url("mine"), flow, 3)
    before = rows_of(mine)
    data = b"".join(state_frames(full(new_store_url("peer"), VenueFlow(6)).engine, 0))
    with pytest.raises(StateRefused):
        take(mine, StateReader(BytesIO(data[: len(data) * part // 10]).read))
    assert rows_of(mine) == before


def test_a_state_says_what_is_of_one_moment_while_the_store_goes_on(new_store_url: NewUrl) -> None:
    flow = VenueFlow(5)
    peer, mine = full(new_store_url("peer"), flow), open_at(new_store_url("mine"))
    before = rows_of(peer)
    frames = state_frames(peer.engine, 0)
    begun = next(frames)
    feed(peer, peer.restore(10).builder, flow.random_batches(5))
    take(mine, StateReader(BytesIO(begun + b"".join(frames)).read))
    assert rows_of(mine) == before


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"migration": "0000"}, "of version 0000"),
        ({"partition": 3}, "of partition 3"),
        ({"rows": {"trades": 1}}, "has the tables"),
        ({"sequence": 0}, "no event yet"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_by_name(
    new_store_url: NewUrl, changed: dict[str, Any], said: str
) -> None:
    peer = full(new_store_url("peer"), VenueFlow(5), 2)
    check_fits(reader_of(peer).header, 0)
    with pytest.raises(StateRefused, match=said):
        check_fits(msgspec.structs.replace(reader_of(peer).header, **changed), 0)


@pytest.mark.parametrize(
    ("piece", "said"),
    [
        (StateRows("webhooks", [[1]]), "no table 'webhooks'"),
        (StateRows("trades", [[1, 2]]), "has 2 values"),
        (StateRows("business_dates", [[0, 99, "x", 1]]), "business_dates.date"),
        (StateRows("feed_positions", [[0, 1, 1]]), "cannot be stored"),
    ],
)
def test_rows_that_are_none_of_ours_are_refused(new_store_url: NewUrl, piece: StateRows, said: str) -> None:
    peer, mine = full(new_store_url("peer"), VenueFlow(5), 2), open_at(new_store_url("mine"))
    writer, reader = StateWriter(), reader_of(peer)
    frames = [writer.frame(reader.header)]
    while (good := reader.next()) is not None:
        frames.append(writer.frame(good))
    data = b"".join([*frames, writer.frame(piece), writer.end(reader.header.rows)])
    with pytest.raises(StateRefused, match=said):
        take(mine, StateReader(BytesIO(data).read))
    assert mine.position() == (0, 0)
    assert mine.intervals_s == INTERVALS
