"""Two reporters side by side: one is killed while everybody trades, and a client of both misses nothing."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

import aiohttp
import pytest

from exchange.client import AsyncClient
from exchange.client.book import Book
from exchange.client.stream import MarketStream
from exchange.wire.rest.stream import TradeMessage
from tests.integration.exchange_process import wait_for
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


@contextmanager
def dies_on_the_way(peer: str) -> Iterator[tuple[str, list[int]]]:
    """A peer that sends half of another one's state and is gone; gives its address and how much it sent each time."""
    sent: list[int] = []

    class Half(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = Request(peer + self.path, headers={"Authorization": self.headers["Authorization"]})
            with urlopen(asked) as answer:
                state = answer.read()
            self.send_response(200)
            self.send_header("Content-Length", str(len(state)))
            self.end_headers()
            sent.append(self.wfile.write(state[: len(state) // 2]))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Half) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}", sent
        server.shutdown()
        serving.join()


async def test_a_reporter_begins_with_the_state_of_a_peer_though_another_one_dies_meanwhile(
    tmp_path: Path,
) -> None:
    (tmp_path / "two").mkdir()
    with Parts(tmp_path) as parts, Parts(tmp_path / "two") as other:
        parts.start("engine", tmp_path / "engine")
        parts.start("reporter", tmp_path / "reporter")
        await trade(parts, 0, KILLED_AFTER)
        other.joins(parts)
        wait_for(lambda: len(trades_of(parts)) == KILLED_AFTER, "all trades at the peer", WITHIN_S)
        with dies_on_the_way(parts.url("reporter")) as (dying, sent):
            peers = json.dumps([dying, parts.url("reporter")])
            other.start("reporter", tmp_path / "replica", own=f"peers = {peers}\n")
        log = (tmp_path / "two" / "reporter.log").read_text()
        assert len(sent) == 1
        assert "its state was cut before its end" in log
        assert "state_taken" in log
        assert trades_of(other) == trades_of(parts)
        parts.processes["reporter"].kill()
        await trade(parts, KILLED_AFTER, KILLED_AFTER)
        wait_for(lambda: len(trades_of(other)) == 2 * KILLED_AFTER, "the trades after it", WITHIN_S)


def trades_of(parts: Parts) -> list[object]:
    """Return the trades of a reporter, newest first."""
    found: list[object] = parts.client("reporter", "operator").get("/api/v1/trades?symbol=AAPL&limit=1000")[
        "items"
    ]
    return found
