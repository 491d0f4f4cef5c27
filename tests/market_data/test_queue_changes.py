"""Changes of the queues: applied as the protocol says they make the queues of the book, in order."""

from __future__ import annotations

import struct
from itertools import islice
from zlib import crc32

from exchange.domain.order import Side
from exchange.market_data.book_builder import BookBuilder
from exchange.market_data.queue_changes import QueueChanges, queue_checksum
from tests.market_data.venue_flow import VenueFlow


def test_the_changes_of_random_flow_make_the_queues() -> None:
    flow, changes = VenueFlow(seed=9), QueueChanges()
    builder = BookBuilder()
    builder.watch(changes)
    changes.want(1)
    known: dict[int, dict[int, tuple[int, int]]] = {Side.BUY: {}, Side.SELL: {}}
    seen = 0
    for events in [flow.open(), *flow.random_batches(60)]:
        builder.apply(events)
        for side, order_id, price, leaves in changes.take(1):
            seen += 1
            if leaves:
                known[side][order_id] = price, leaves
            else:
                del known[side][order_id]
        for side, queue in zip((Side.BUY, Side.SELL), builder.book(1).queues(), strict=True):
            sign = -1 if side == Side.BUY else 1
            in_line = sorted(known[side].items(), key=lambda each: each[1][0] * sign)
            assert in_line == [(order.order_id, (order.price, order.leaves)) for order in queue]
    assert seen > 100
    assert changes.take(2) == [], "nobody wants that symbol"
    changes.leave(1)
    builder.apply(flow.limit(Side.BUY, 900_000))
    assert changes.take(1) == []


def test_the_checksum_is_that_of_the_page() -> None:
    flow, builder = VenueFlow(), BookBuilder()
    builder.apply(flow.open() + flow.limit(Side.BUY, 900_000, 7) + flow.limit(Side.SELL, 1_100_000, 9))
    bid, ask = flow.live
    bids, asks = builder.book(1).queues()
    expected = crc32(struct.pack("<6q", bid, 900_000, 7, ask, 1_100_000, 9))
    assert queue_checksum(islice(bids, 10), islice(asks, 10)) == expected
