"""Storing the ledger of a long batch while the rest of it is still being judged, so that both cores have work.

Only transfers go early: they are most of what a batch stores, are only ever appended, and nothing reads them meanwhile.
Everything is in the one transaction of the batch, so a batch is stored whole or not at all, as ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from sqlalchemy import Connection

from exchange.clearing.store import read_trade, save_transfers
from exchange.domain.events import Event
from exchange.post_trade.books import Books, FindTrade
from exchange.post_trade.trade import Trade

EVENTS_PER_PIECE = 500
"""Events whose transfers go to the database together; a batch of fewer is not worth a thread."""


def take_events(connection: Connection, partition: int, books: Books, events: list[Event]) -> None:
    """Take events into the books, in their order. Raise `BooksBroken`, or `DBAPIError` where the store fails.

    SQLite works in this process and has nothing to gain, so there everything is stored in the end.
    """
    if connection.dialect.name == "postgresql" and len(events) > EVENTS_PER_PIECE:
        with ThreadPoolExecutor(1, thread_name_prefix="clearing ledger") as writer:
            _take_in_pieces(connection, partition, books, events, writer)
    else:
        for event in events:
            books.take(event, lambda match_id: read_trade(connection, match_id))


def _take_in_pieces(
    connection: Connection, partition: int, books: Books, events: Iterable[Event], writer: ThreadPoolExecutor
) -> None:
    writing: list[Future[None]] = []
    find = _finder(connection, writing)
    left = iter(events)
    while piece := list(islice(left, EVENTS_PER_PIECE)):
        for event in piece:
            books.take(event, find)
        chains = books.ledger.take_unstored()
        writing.append(writer.submit(save_transfers, connection, partition, chains))
    _wait_for(writing)


def _finder(connection: Connection, writing: list[Future[None]]) -> FindTrade:
    """Look trades up on the connection when nothing is being written on it; a connection does one thing at a time."""

    def find(match_id: int) -> Trade | None:
        _wait_for(writing)
        return read_trade(connection, match_id)

    return find


def _wait_for(writing: list[Future[None]]) -> None:
    """Wait until everything is written. Raise the first failure."""
    while writing:
        writing[0].result()
        writing.pop(0)
