"""Subscribers of the channel `queue`: a book order by order, in the sequence in which they would trade, anonymously."""

from __future__ import annotations

from itertools import islice

from msgspec import UNSET

from exchange.domain.order import Side
from exchange.infra.websocket import json_frame
from exchange.market_data.book import BookOrder
from exchange.market_data.book_builder import BookUpdate
from exchange.market_data.queue_changes import CHECKSUM_ORDERS, QueueChange, queue_checksum
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.stream_groups import Group
from exchange.wire.rest.market import price_text, time_text
from exchange.wire.rest.stream import OrderText, QueueDelta, QueueSnapshot


class QueueGroup(Group):
    """The queues of one symbol. Its chain is that of the book."""

    channel = "queue"

    def __init__(self, market: LiveMarket, symbol_id: int) -> None:
        super().__init__(market, symbol_id)
        self.sequence = market.builder.book(symbol_id).sequence

    def snapshot(self, note: str) -> QueueSnapshot:
        """Return all orders."""
        bids, asks = self.market.builder.book(self.symbol_id).queues()
        return QueueSnapshot(
            symbol=self.symbol,
            seq=self.sequence,
            note=note or UNSET,
            bids=[_order_text(order) for order in bids],
            asks=[_order_text(order) for order in asks],
            checksum=self._checksum(),
        )

    def take(self, update: BookUpdate, changes: list[QueueChange]) -> None:
        """Send what a command changed."""
        found: dict[int, list[OrderText]] = {Side.BUY: [], Side.SELL: []}
        for side, order_id, price, leaves in changes:
            found[side].append((str(order_id), price_text(price), str(leaves)))
        message = QueueDelta(
            symbol=self.symbol,
            prev_seq=self.sequence,
            seq=update.sequence,
            at=time_text(update.time_ns),
            bids=found[Side.BUY],
            asks=found[Side.SELL],
            checksum=self._checksum(),
        )
        self.send(json_frame(message), update.sequence)

    def _checksum(self) -> int:
        bids, asks = self.market.builder.book(self.symbol_id).queues()
        return queue_checksum(islice(bids, CHECKSUM_ORDERS), islice(asks, CHECKSUM_ORDERS))


def _order_text(order: BookOrder) -> OrderText:
    return str(order.order_id), price_text(order.price), str(order.leaves)
