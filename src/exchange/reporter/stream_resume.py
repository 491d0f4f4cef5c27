"""How a subscriber goes on from a sequence: first what the store has, then what is kept in memory, then what comes.

The step from memory to what comes is made in one turn of the loop, so nothing is missed and nothing comes twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

import msgspec

from exchange.domain.directory import Directory
from exchange.infra.websocket import Frame, Outlet, json_frame, text_frame
from exchange.market_data.book_builder import BookUpdate
from exchange.market_data.tape import TapeUpdate
from exchange.reporter.announcements import Announcement
from exchange.reporter.queries import Queries
from exchange.reporter.stream_groups import book_message, trade_message
from exchange.reporter.stream_hub import Selection, StreamHub, Subscriber
from exchange.wire.rest.stream import Resumed

RESUMED_MESSAGES_MAX = 100_000
"""Who has missed more begins anew with a snapshot."""
RESUMED_AT_ONCE = 1_000
"""Messages read from the store at a time."""
ROOM_SHARE = 4
"""Before more is sent than the client asked for at once, its queue must have emptied to this part."""
ROOM_WAIT_S = 0.005
_encode = msgspec.json.Encoder().encode

Kept = TapeUpdate | Announcement | BookUpdate


class Resumption:
    """Lets subscribers go on from a sequence."""

    def __init__(self, hub: StreamHub, queries: Queries) -> None:
        self._hub = hub
        self._queries = queries

    async def resume(
        self, subscriber: Subscriber, selection: Selection, symbol_id: int, from_seq: int
    ) -> None:
        """Send everything from a sequence on, then what follows.

        Where that cannot be, a snapshot that says so comes instead.
        """
        note = self._why_not(selection, symbol_id, from_seq)
        if note:
            self._hub.join(subscriber, selection, symbol_id, note)
            return
        connection, channel = subscriber.connection, selection.channel
        symbol = self._hub.market.directory.symbols.get(symbol_id)
        name = symbol.symbol if symbol else ""
        connection.send_json(Resumed(channel=channel, symbol=name, from_seq=from_seq))
        sent, from_seq = 0, max(1, from_seq)
        while (kept := self._kept(channel, symbol_id, from_seq)) is None:
            last = self._hub.market.sequence
            stored = await asyncio.to_thread(
                told_messages, self._queries, self._hub.market.directory, channel, [symbol_id],
                from_seq - 1, last, RESUMED_AT_ONCE,
            )  # fmt: skip
            for sequence, message in stored:
                connection.send(text_frame(message), sequence)
            await wait_for_room(connection)
            sent += len(stored)
            from_seq = stored[-1][0] + 1 if len(stored) == RESUMED_AT_ONCE else last + 1
            if connection.is_closing:
                return
            if sent > RESUMED_MESSAGES_MAX:
                note = f"more than {RESUMED_MESSAGES_MAX} messages were missed"
                self._hub.join(subscriber, selection, symbol_id, note)
                return
        for item in kept:
            connection.send(_frame_of(item, name), item.sequence)
        self._hub.resume(subscriber, selection, symbol_id)

    def _why_not(self, selection: Selection, symbol_id: int, from_seq: int) -> str:
        """Return why messages cannot be sent again; empty where they can."""
        market = self._hub.market
        if not selection.is_resumable:
            return (
                "this is not resumed from a sequence, for each message can stand alone or is made of several"
            )
        if from_seq > market.sequence + 1:
            return f"sequence {from_seq} has not come yet; the last is {market.sequence}"
        if selection.channel == "book" and self._kept("book", symbol_id, from_seq) is None:
            return f"messages from sequence {from_seq} on are no longer kept"
        return ""

    def _kept(self, channel: str, symbol_id: int, from_seq: int) -> Sequence[Kept] | None:
        """Return the messages in memory from a sequence on; None where some are no longer there."""
        hub = self._hub
        if channel == "trades":
            return hub.trades.since(symbol_id, from_seq)
        if channel == "status":
            return hub.status.since(symbol_id, from_seq)
        if from_seq > hub.market.builder.book(symbol_id).sequence:
            return []
        return hub.books.since(symbol_id, from_seq)


def told_messages(
    queries: Queries,
    directory: Directory,
    channel: str,
    symbol_ids: Collection[int],
    after: int,
    upto: int,
    limit: int,
) -> list[tuple[int, bytes]]:
    """Read messages of trades or status as (sequence, JSON), oldest first; for a thread.

    symbol_ids: empty for all; after, upto: sequences of events.
    """
    told = queries.announcements_of(channel, symbol_ids, after, upto, limit)
    found: list[tuple[int, int, bytes | None]] = list(told)
    executed = {}
    if channel == "trades":
        executed = {each.sequence: each for each in queries.trades_of(symbol_ids, after, upto, limit)}
        found += [(trade.sequence, trade.symbol_id, None) for trade in executed.values()]
    links: dict[int, int] = {}
    messages = []
    for sequence, symbol_id, message in sorted(found, key=lambda each: each[0])[:limit]:
        if message is None:
            if symbol_id not in links:
                links[symbol_id] = queries.link_before(channel, symbol_id, sequence)
            name = directory.symbols[symbol_id].symbol
            message = _encode(trade_message(executed[sequence], links[symbol_id], name))
        links[symbol_id] = sequence
        messages.append((sequence, message))
    return messages


async def wait_for_room(connection: Outlet) -> None:
    """Wait until a connection's queue has emptied, so that a long answer does not make its reader a slow one."""
    room = connection.limits.queue_bytes_max // ROOM_SHARE
    while connection.queued_bytes > room and not connection.is_closing:  # noqa: ASYNC110
        await asyncio.sleep(ROOM_WAIT_S)


def _frame_of(item: Kept, symbol: str) -> Frame:
    if isinstance(item, Announcement):
        return text_frame(item.message)
    if isinstance(item, TapeUpdate):
        return json_frame(trade_message(item.trade, item.prev_sequence, symbol))
    return json_frame(book_message(item, symbol))
