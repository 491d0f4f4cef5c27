"""Two reporters side by side: one is killed while everybody trades, and a client of both misses nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from exchange.client import AsyncClient
from exchange.client.book import Book
from exchange.client.stream import MarketStream
from exchange.wire.rest.stream import TradeMessage
from tests.integration.parts import Parts

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

WITHIN_S = 120
TRADES = 60
KILLED_AFTER = 20


async def trade(parts: Parts, first: int, count: int) -> None:
    """Let alice sell to bob, at a price that says which trade it is."""
    keys = parts.client_keys()
    async with (
        AsyncClient(keys["alice"], engine=parts.url("engine")) as alice,
        AsyncClient(keys["bob"], engine=parts.url("engine")) as bob,
    ):
        for number in range(first, first + count):
            price = f"189.{number:02d}"
            await alice.sell("AAPL", 1, price)
            await bob.buy("AAPL", 1, price)
        await alice.sell("AAPL", 7, "195.00")


async def levels_of(url: str) -> list[tuple[str, int]]:
    """Return the asks of a reporter."""
    async with AsyncClient(reporter=url) as client:
        return [(row.price, int(row.qty)) for row in (await client.book_now("AAPL")).asks]


async def hear(stream: MarketStream, heard: list[str], wanted: int) -> None:
    async with asyncio.timeout(WITHIN_S):
        while len(heard) < wanted:
            message = await stream.next()
            if isinstance(message, TradeMessage):
                heard.append(message.trade.price)


async def until_live_and_same(stream: MarketStream, book: Book, url: str) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            wanted = await levels_of(url)
            seen = [(f"{level.price}", level.quantity) for level in book.asks]
            if book.is_live and seen == wanted:
                return
            await asyncio.sleep(0.05)


async def test_a_client_of_two_reporters_misses_nothing_when_one_is_killed(tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    with Parts(tmp_path) as parts, Parts(tmp_path / "two") as other:
        parts.start("engine", tmp_path / "engine")
        parts.start("reporter", tmp_path / "reporter")
        other.joins(parts)
        other.start("reporter", tmp_path / "replica")
        urls = [parts.url("reporter"), other.url("reporter")]
        async with aiohttp.ClientSession() as http, MarketStream(http, urls) as stream:
            await stream.subscribe("trades", "AAPL")
            book = await stream.book("AAPL")
            heard: list[str] = []
            await trade(parts, 0, KILLED_AFTER)
            await hear(stream, heard, KILLED_AFTER // 2)
            killed = parts.processes["reporter"]
            killed.kill()
            killed.wait()
            await trade(parts, KILLED_AFTER, TRADES - KILLED_AFTER)
            await hear(stream, heard, TRADES)
            assert heard == [f"189.{number:02d}" for number in range(TRADES)], "each once, in order"
            await until_live_and_same(stream, book, urls[1])
