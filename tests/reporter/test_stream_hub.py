"""Who gets what, and that nothing stays when nobody listens."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from exchange.reporter.stream_hub import Selection, StreamHub, unknown_symbol
from tests.reporter.fake_connection import FakeConnection
from tests.reporter.live_flow import LiveFlow

SELECTIONS = [
    Selection("trades"),
    Selection("status"),
    Selection("ticker"),
    Selection("ticker", conflated_ms=100),
    Selection("candles", interval_s=60),
    Selection("book"),
    Selection("book", depth=5),
    Selection("book", conflated_ms=100),
]


@pytest.fixture
def live(tmp_path: Path) -> LiveFlow:
    live = LiveFlow(tmp_path)
    live.feed(live.flow.open())
    return live


def hub_of(live: LiveFlow) -> StreamHub:
    return StreamHub(live.market, replay_messages=100, heartbeat_s=0.02)


@pytest.mark.parametrize("selection", SELECTIONS)
def test_all_of_one_selection_share_a_group_that_goes_with_the_last(
    live: LiveFlow, selection: Selection
) -> None:
    hub, connections = hub_of(live), [FakeConnection(), FakeConnection()]
    subscribers = [hub.enter(connection.real) for connection in connections]
    for subscriber in subscribers:
        hub.join(subscriber, selection, 1)
        hub.join(subscriber, selection, 1)
        assert subscriber.count == 1
    group = hub.group(selection, 1)
    assert len(group.members) == 2
    assert [len(connection.take()) for connection in connections] == [1, 1]
    hub.leave(subscribers[0])
    assert hub.group(selection, 1) is group
    hub.leave(subscribers[1])
    assert hub.group(selection, 1) is not group
    assert hub.subscribers == {}


def test_each_subscriber_hears_of_its_symbols_only_and_all_get_the_same_bytes(live: LiveFlow) -> None:
    hub, apple, microsoft = hub_of(live), FakeConnection(), FakeConnection()
    for connection, symbol_id in ((apple, 1), (microsoft, 2)):
        subscriber = hub.enter(connection.real)
        for selection in (Selection("trades"), Selection("book"), Selection("ticker")):
            hub.join(subscriber, selection, symbol_id)
        connection.take()
    live.feed(live.flow.trade(1_000_000), listener=hub)
    assert microsoft.take() == []
    assert [message["channel"] for message in apple.take()] == ["book", "ticker", "trades", "book", "ticker"]


def test_messages_are_kept_whether_anyone_listens_or_not(live: LiveFlow) -> None:
    hub = hub_of(live)
    since = live.market.sequence
    live.feed(live.flow.trade(1_000_000), live.flow.bust(since + 3), listener=hub)
    assert [len(kept.since(1, since + 1) or []) for kept in (hub.trades, hub.books, hub.status)] == [2, 2, 1]


def test_a_selection_that_stands_alone_or_is_merged_cannot_be_resumed() -> None:
    assert [selection.is_resumable for selection in SELECTIONS] == [True, True] + [False] * 3 + [True] + [
        False
    ] * 2


def test_everything_of_status_is_the_exchange_and_its_symbols(live: LiveFlow) -> None:
    hub = hub_of(live)
    assert list(hub.symbol_ids(Selection("status"))) == [0, 1, 2]
    assert list(hub.symbol_ids(Selection("book"))) == [1, 2]


async def test_a_silent_connection_gets_heartbeats_and_a_lively_one_none(live: LiveFlow) -> None:
    hub, silent, lively = hub_of(live), FakeConnection(), FakeConnection()
    for connection in (silent, lively):
        hub.enter(connection.real)
    lively.last_sent_s = asyncio.get_running_loop().time() + 60
    beating = asyncio.create_task(hub.beat())
    await silent.heard()
    beating.cancel()
    with suppress(asyncio.CancelledError):
        await beating
    assert silent.take()[0] == {"type": "heartbeat", "seq": live.market.sequence}
    assert lively.take() == []


def test_an_unknown_symbol_is_refused_by_name() -> None:
    error = unknown_symbol("NOPE")
    assert (error.field, "'NOPE'" in error.message) == ("symbols", True)
