"""The stream against a running reporter: books that are kept, messages across connections, one reporter for another."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from exchange.client.book import Book
from exchange.client.errors import Refused, StreamClosed, Unreachable
from exchange.client.stream import MarketStream
from exchange.domain.order import Side
from exchange.wire.rest.stream import TradeMessage
from tests.market_data.venue_flow import VenueFlow
from tests.reporter.reporter_stand import Stand

WITHIN_S = 30


def same_as(book: Book, stand: Stand) -> bool:
    """Tell whether a client's book is the reporter's."""
    kept = stand.app.market.builder.book(1)
    seen = [
        [(int(level.price * 10_000), level.quantity, level.orders) for level in side]
        for side in (book.bids, book.asks)
    ]
    return book.is_live and book.seq == kept.sequence and seen == [*kept.totals()]


async def until_same(stream: MarketStream, book: Book, stand: Stand) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not same_as(book, stand):
            await stream.changed(book)


async def test_a_book_follows_the_reporters_through_random_flow(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand, MarketStream(stand.http, [stand.app.url]) as stream:
        await stand.publish(stand.flow.open())
        book = await stream.book("AAPL")
        for events in stand.flow.random_batches(20):
            await stand.publish(events)
        await until_same(stream, book, stand)
        assert stream.problem == ""


async def test_a_refused_subscription_raises_with_the_reason(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand, MarketStream(stand.http, [stand.app.url]) as stream:
        await stand.publish(stand.flow.open())
        with pytest.raises(Refused, match="there is no symbol 'NONE'"):
            await stream.book("NONE")
        with pytest.raises(Refused, match="channel must be one of"):
            await stream.subscribe("weather", "AAPL")


async def test_messages_are_read_in_order_and_end_with_the_stream(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        async with MarketStream(stand.http, [stand.app.url]) as stream:
            await stream.subscribe("trades", "AAPL")
            assert (await stream.next()).type == "snapshot"
            await stand.publish(stand.flow.trade(1_000_000), stand.flow.trade(1_010_000))
            prices = []
            for _ in range(2):
                message = await stream.next()
                assert isinstance(message, TradeMessage)
                prices.append(message.trade.price)
            assert prices == ["100.00", "101.00"]
        with pytest.raises(StreamClosed):
            await stream.next()


async def test_nobody_there_is_said_in_time(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http, MarketStream(http, ["http://127.0.0.1:1"], 0.3) as stream:
        with pytest.raises(
            Unreachable, match=r"the book of AAPL did not come within 0.3 s: http://127.0.0.1:1"
        ):
            await stream.book("AAPL")


async def test_another_reporter_takes_over_without_a_gap_or_a_double(tmp_path: Path) -> None:
    flow = VenueFlow()
    async with Stand(tmp_path / "one", flow) as one, Stand(tmp_path / "two", flow) as two:
        opened = flow.open()
        await one.publish(opened)
        await two.publish(opened)
        async with (
            aiohttp.ClientSession() as http,
            MarketStream(http, [one.app.url, two.app.url]) as stream,
        ):
            await stream.subscribe("trades", "AAPL")
            book = await stream.book("AAPL")
            resting = flow.limit(Side.BUY, 500_000, 10)
            await one.publish(resting, flow.trade(1_000_000))
            await until_same(stream, book, one)
            missed = [flow.limit(Side.BUY, 510_000, 10), flow.trade(1_010_000), flow.trade(1_020_000)]
            for events in one.source.batches[len(two.source.batches) :]:
                two.source.add(events.events)
            await two.publish(*missed)
            await one.app.stop()
            await until_same(stream, book, two)
            await two.publish(flow.trade(1_030_000))
            await until_same(stream, book, two)
            seen = []
            async with asyncio.timeout(WITHIN_S):
                while len(seen) < 4:
                    message = await stream.next()
                    seen += [message.trade.price] if isinstance(message, TradeMessage) else []
            assert seen == ["100.00", "101.00", "102.00", "103.00"]
        await one.app.start()


async def test_a_queue_that_nobody_reads_makes_the_books_stale_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.client.stream.MESSAGES_MAX", 3)
    async with Stand(tmp_path) as stand, MarketStream(stand.http, [stand.app.url]) as stream:
        await stand.publish(stand.flow.open())
        book = await stream.book("AAPL")
        await stream.subscribe("trades", "AAPL")
        await stand.publish(*[stand.flow.trade(1_000_000 + 10_000 * number) for number in range(8)])
        async with asyncio.timeout(WITHIN_S):
            while book.is_live:
                await stream.changed(book)
        assert "wait to be read" in book.stale
        prices = []
        async with asyncio.timeout(WITHIN_S):
            while len(prices) < 8:
                message = await stream.next()
                prices += [message.trade.price] if isinstance(message, TradeMessage) else []
        assert prices == [f"{100 + number}.00" for number in range(8)]
        await until_same(stream, book, stand)
