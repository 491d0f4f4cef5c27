"""The channel `queue`: a client that does what docs/websocket.md says has the queues of the reporter."""

from __future__ import annotations

import struct
from itertools import islice
from pathlib import Path
from typing import Any
from zlib import crc32

from tests.reporter.reporter_stand import Stand

Orders = dict[str, tuple[int, int]]


class Queue:
    """One side of a book by order; a dictionary keeps the sequence in which they came."""

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.orders: Orders = {}

    def put(self, order_id: str, price: str, left: str) -> None:
        if left == "0":
            del self.orders[order_id]
        else:
            self.orders[order_id] = round(float(price) * 10_000), int(left)

    def in_line(self) -> list[tuple[int, int, int]]:
        rows = [(int(order_id), *of) for order_id, of in self.orders.items()]
        return sorted(rows, key=lambda row: row[1] * self.sign)


def take(queues: dict[str, Queue], message: dict[str, Any]) -> None:
    """Take a message in, and compare the checksum."""
    for side, queue in queues.items():
        if message["type"] == "snapshot":
            queue.orders.clear()
        for order in message[side]:
            queue.put(*order)
    values = [value for queue in queues.values() for row in islice(queue.in_line(), 10) for value in row]
    assert crc32(struct.pack(f"<{len(values)}q", *values)) == message["checksum"]


async def test_a_client_that_does_what_the_page_says_has_the_queues(tmp_path: Path) -> None:
    queues = {"bids": Queue(-1), "asks": Queue(1)}
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open(), *stand.flow.random_batches(10))
        heard = await stand.listen()
        snapshot = await heard.subscribe("queue", ["AAPL"])
        assert snapshot["type"] == "snapshot"
        take(queues, snapshot)
        for events in stand.flow.random_batches(20):
            await stand.publish(events)
        seq = snapshot["seq"]
        messages = await heard.everything()
        for message in messages:
            assert message["prev_seq"] == seq
            take(queues, message)
            seq = message["seq"]
        assert len(messages) > 20
        for queue, kept in zip(queues.values(), stand.app.market.builder.book(1).queues(), strict=True):
            assert queue.in_line() == [(order.order_id, order.price, order.leaves) for order in kept]


async def test_who_leaves_and_comes_again_begins_with_a_snapshot(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open(), stand.flow.trade(1_000_000))
        heard = await stand.listen()
        await heard.subscribe("queue", ["AAPL"])
        await heard.ask(op="unsubscribe", channel="queue", symbols=["AAPL"])
        await heard.until("unsubscribed")
        await stand.publish(*stand.flow.random_batches(2))
        again = await heard.subscribe("queue", ["AAPL"], from_seq=1)
        assert again["type"] == "snapshot"
        assert "not resumed" in again["note"]
        await stand.publish(*stand.flow.random_batches(2))
        assert {each["type"] for each in await heard.everything()} <= {"delta"}
