"""Looks through a day of wash trades as surveillance does, and dies at the commit that it is told of, for tests.

`python -m tests.clearing.surveillance.killed_lookout STORE_URL before|after NUMBER`: at the NUMBER-th commit SIGKILL,
before the database has heard of it, or after it has said yes; with 0 it lives.
"""

from __future__ import annotations

import asyncio
import sys

from exchange.clearing.surveillance import lookout as looking
from exchange.clearing.surveillance.lookout import Lookout
from exchange.clearing.surveillance.office import MIGRATIONS
from exchange.infra.feed import Feed
from exchange.infra.store import open_store
from exchange.surveillance.settings import Settings
from tests.clearing import fake_engine
from tests.clearing.deadly_commits import die_at_commit
from tests.clearing.fake_engine import StreamSource, eventually
from tests.post_trade.stream import Stream

TRADES = 24


def day() -> Stream:
    """Return a stream in which every third trade is a wash trade."""
    stream = Stream()
    for number in range(TRADES):
        stream.trade(1, 1 if number % 3 == 0 else 2, 10)
    return stream


async def look(url: str, when: str, number: int) -> None:
    """Look through the day in small pieces, storing the place after each, and die at a commit."""
    fake_engine.EVENTS_PER_FETCH = 5
    looking.TAKEN_BYTES_MAX = 1
    looking.STATE_STORED_EVERY_S = 0.02
    store = open_store(url, MIGRATIONS, synchronous="FULL")
    die_at_commit(store, when, number)
    source = StreamSource(day())

    async def make_feed(after: int, epoch: int) -> Feed:
        return Feed(source, None, partition=0, after=after, epoch=epoch)

    lookout = Lookout(store, Settings(), 0, make_feed)
    lookout.start()

    async def is_done() -> bool:
        return lookout.stats.sequence >= len(source.stream.events) or bool(lookout.stats.problem)

    await eventually(is_done)
    await lookout.stop()
    store.dispose()
    assert not lookout.stats.problem, lookout.stats.problem


if __name__ == "__main__":
    asyncio.run(look(sys.argv[1], sys.argv[2], int(sys.argv[3])))
