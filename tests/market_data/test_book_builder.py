"""The builder's books against the venue's, after every command of random flow."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.domain import commands as c
from exchange.domain.order import OrderFlag, Side, TimeInForce
from exchange.domain.units import OrderId, ParticipantId, Price, Quantity
from exchange.market_data.book import LevelTotal, checksum_of
from exchange.market_data.book_builder import BookBuilder, BookUpdate
from exchange.wire.records import ProtocolError, decode_events
from tests.market_data.venue_flow import SYMBOLS, VenueFlow

SYMBOL_IDS = range(1, len(SYMBOLS) + 1)


def venue_queues(flow: VenueFlow, symbol_id: int) -> list[list[tuple[int, int, int]]]:
    return [[(o.order_id, o.price, o.displayed) for o in side] for side in flow.venue.orders(symbol_id)]


def built_queues(builder: BookBuilder, symbol_id: int) -> list[list[tuple[int, int, int]]]:
    return [[(o.order_id, o.price, o.leaves) for o in side] for side in builder.book(symbol_id).queues()]


@pytest.mark.parametrize("seed", range(8))
def test_books_equal_the_venues_after_every_command(seed: int) -> None:
    flow, builder = VenueFlow(seed), BookBuilder()
    builder.apply(flow.open())
    if seed % 2:
        builder.apply(flow.share_out(2))
    for _ in range(400):
        builder.apply(flow.random_events())
        for symbol_id in SYMBOL_IDS:
            assert built_queues(builder, symbol_id) == venue_queues(flow, symbol_id), f"seed {seed}"
    assert builder.sequence == flow.venue.event_sequence
    assert sorted(builder.orders) == sorted(
        each.order_id
        for symbol_id in SYMBOL_IDS
        for find in (flow.venue.orders, flow.venue.hidden_orders, flow.venue.stop_orders)
        for side in find(symbol_id)
        for each in side
    )


class Follower:
    """A subscriber: knows levels only, and applies updates as the protocol page says."""

    def __init__(self) -> None:
        self.sequence = 0
        self.sides: tuple[dict[int, LevelTotal], dict[int, LevelTotal]] = ({}, {})

    def take(self, update: BookUpdate) -> None:
        assert update.prev_sequence == self.sequence
        self.sequence = update.sequence
        for side, changes in zip(self.sides, (update.bids, update.asks), strict=True):
            for level in changes:
                side[level[0]] = level
                if not level[1]:
                    del side[level[0]]

    def levels(self) -> tuple[list[LevelTotal], list[LevelTotal]]:
        bids, asks = self.sides
        return sorted(bids.values(), reverse=True), sorted(asks.values())


@pytest.mark.parametrize("seed", range(8))
def test_a_subscriber_that_applies_every_update_has_the_book(seed: int) -> None:
    flow, builder = VenueFlow(seed), BookBuilder()
    followers = {symbol_id: Follower() for symbol_id in SYMBOL_IDS}
    builder.apply(flow.open())
    for _ in range(400):
        for update in builder.apply(flow.random_events()):
            follower = followers[update.symbol_id]
            follower.take(update)
            bids, asks = follower.levels()
            assert (bids, asks) == builder.book(update.symbol_id).totals()
            assert update.checksum == checksum_of(bids, asks), f"seed {seed}"
            assert (update.best_bid, update.best_ask) == (
                bids[0] if bids else None,
                asks[0] if asks else None,
            )


def test_one_update_per_command_however_events_are_batched() -> None:
    flow = VenueFlow(3)
    batches = [flow.open(), *flow.random_batches(10)]
    whole, single = BookBuilder(), BookBuilder()
    updates = whole.apply(b"".join(batches))
    assert updates == [update for batch in batches for update in single.apply(batch)]
    assert len({(update.symbol_id, update.sequence) for update in updates}) == len(updates)
    last_of_commands = {each.sequence for b in batches for each in decode_events(b) if each.last_of_command}
    assert {update.sequence for update in updates} <= last_of_commands


def test_a_command_that_touches_several_books_updates_each_with_its_last_event() -> None:
    flow, builder = VenueFlow(), BookBuilder()
    builder.apply(flow.open() + flow.limit(Side.BUY, 990_000, symbol_id=1))
    builder.apply(flow.limit(Side.BUY, 980_000, symbol_id=2))
    updates = builder.apply(flow.do(c.CancelOrders(participant_id=ParticipantId(0))))
    assert [(each.symbol_id, each.sequence, each.bids) for each in updates] == [
        (1, flow.venue.event_sequence, [(990_000, 0, 0)]),
        (2, flow.venue.event_sequence, [(980_000, 0, 0)]),
    ]


def test_an_order_that_trades_on_arrival_rests_with_what_is_left() -> None:
    flow, builder = VenueFlow(), BookBuilder()
    builder.apply(flow.open() + flow.limit(Side.SELL, 1_000_000, 30))
    (update,) = builder.apply(flow.limit(Side.BUY, 1_000_000, 100))
    assert (update.bids, update.asks) == ([(1_000_000, 70, 1)], [(1_000_000, 0, 0)])
    assert (update.best_bid, update.best_ask) == ((1_000_000, 70, 1), None)


def test_an_order_that_may_not_rest_changes_nothing_but_what_it_takes() -> None:
    flow, builder = VenueFlow(), BookBuilder()
    builder.apply(flow.open() + flow.limit(Side.SELL, 1_000_000, 30))
    assert builder.apply(flow.limit(Side.BUY, 999_000, 10, time_in_force=TimeInForce.IOC)) == []
    (update,) = builder.apply(flow.limit(Side.BUY, 1_000_000, 100, time_in_force=TimeInForce.IOC))
    assert (update.bids, update.asks) == ([], [(1_000_000, 0, 0)])


def test_an_amendment_keeps_the_place_only_for_less_quantity() -> None:
    flow, builder = VenueFlow(), BookBuilder()
    builder.apply(flow.open() + flow.limit(Side.BUY, 990_000) + flow.limit(Side.BUY, 990_000))
    first, second = (each.order_id for each in builder.book(1).queues()[0])
    for quantity, expected in ((50, [first, second]), (70, [second, first])):
        command = c.AmendOrder(
            order_id=OrderId(first),
            participant_id=ParticipantId(0),
            quantity=Quantity(quantity),
            price=Price(990_000),
        )
        builder.apply(flow.do(command))
        assert [each.order_id for each in builder.book(1).queues()[0]] == expected


def test_the_end_of_the_day_takes_day_orders_out() -> None:
    flow, builder = VenueFlow(), BookBuilder()
    builder.apply(flow.open() + flow.limit(Side.BUY, 990_000))
    builder.apply(flow.limit(Side.BUY, 980_000, time_in_force=TimeInForce.GTC))
    builder.apply(flow.do(c.StartBusinessDay(date=20261124)))
    assert builder.book(1).totals()[0] == [(980_000, 100, 1)]


@pytest.mark.parametrize("seed", range(3))
def test_a_restored_builder_goes_on_as_if_nothing_had_happened(seed: int) -> None:
    flow, builder = VenueFlow(seed), BookBuilder()
    builder.apply(flow.open() + b"".join(flow.random_batches(10)))
    restored = BookBuilder.restore(builder.snapshot())
    assert restored.snapshot() == builder.snapshot()
    following = b"".join(flow.random_batches(5))
    assert restored.apply(following) == builder.apply(following)
    assert restored.snapshot() == builder.snapshot()


def test_a_hidden_order_changes_no_book_before_it_trades() -> None:
    flow, builder = VenueFlow(), BookBuilder()
    builder.apply(flow.open())
    assert builder.apply(flow.limit(Side.SELL, 1_000_000, 50, flags=OrderFlag.HIDDEN)) == []
    assert builder.apply(flow.limit(Side.BUY, 1_000_000, 20)) == []
    restored = BookBuilder.restore(builder.snapshot())
    (update,) = restored.apply(flow.limit(Side.BUY, 1_000_000, 40))
    assert (update.bids, update.asks, restored.orders.keys()) == ([(1_000_000, 10, 1)], [], {13})


def test_a_refreshed_order_is_last_with_its_next_part() -> None:
    flow, builder = VenueFlow(), BookBuilder()
    builder.apply(flow.open())
    (update,) = builder.apply(flow.limit(Side.SELL, 1_000_000, 50, display_quantity=20))
    assert update.asks == [(1_000_000, 20, 1)]
    builder.apply(flow.limit(Side.SELL, 1_000_000, 5))
    (update,) = builder.apply(flow.limit(Side.BUY, 1_000_000, 22))
    assert update.asks == [(1_000_000, 23, 2)]
    assert [(each.order_id, each.leaves) for each in builder.book(1).queues()[1]] == [(12, 3), (11, 20)]


def test_a_snapshot_of_books_in_which_all_is_shown_is_read() -> None:
    flow, builder = VenueFlow(), BookBuilder()
    builder.apply(flow.open() + flow.limit(Side.SELL, 1_000_000, 50))
    data = builder.snapshot()
    old = b"XBK1" + data[4:-9]
    assert BookBuilder.restore(old).snapshot() == data


def test_a_snapshot_that_is_cut_or_foreign_is_refused() -> None:
    data = BookBuilder().snapshot()
    for wrong in (b"", data[:-1], data + b"x", b"????" + data[4:]):
        with pytest.raises(ProtocolError, match="book snapshot"):
            BookBuilder.restore(wrong)


def test_a_record_of_an_unknown_type_version_or_length_is_refused() -> None:
    flow = VenueFlow()
    events = bytearray(flow.open())
    for at, value, said in ((4, 99, "type"), (5, 7, "version"), (0, 0, "length")):
        changed = bytearray(events)
        changed[at] = value
        with pytest.raises(ProtocolError, match=said):
            BookBuilder().apply(bytes(changed))


def test_a_book_nobody_traded_in_is_empty() -> None:
    assert BookBuilder().book(7).totals() == ([], [])


def test_a_trade_without_an_incoming_order_is_a_broken_invariant() -> None:
    flow, builder = VenueFlow(), BookBuilder()
    builder.apply(flow.open() + flow.limit(Side.SELL, 1_000_000))
    crossing: Any = flow.limit(Side.BUY, 1_000_000)
    accepted, _ = decode_events(crossing)
    assert accepted.command_sequence > 0
    without_acceptance = crossing[crossing[0] :]
    with pytest.raises(AssertionError, match="no order is coming in"):
        builder.apply(without_acceptance)


def test_an_account_number_is_nowhere_in_a_book() -> None:
    flow, builder = VenueFlow(), BookBuilder()
    builder.apply(flow.open() + flow.limit(Side.BUY, 990_000))
    (order,) = builder.book(1).queues()[0]
    assert not any("account" in name for name in order.__slots__)
