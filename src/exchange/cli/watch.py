"""Follows a reporter's stream: `exchange book --watch` and `exchange tape --follow`, until Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp

from exchange.cli.failures import RefusedError, UnreachableError
from exchange.cli.options import Options
from exchange.cli.output import print_json
from exchange.cli.pictures import book_lines, trade_line

STREAM_PATH = "/api/v1/stream"
CONFLATED_MS = 100
MESSAGE_BYTES_MAX = 16 << 20
CLEAR = "\x1b[H\x1b[J"
"""Moves to the upper left corner and clears what is below."""


def watch_book(options: Options, symbol: str, depth: int) -> None:
    """Show the book whenever it changes, at most ten times a second."""
    wanted = {
        "op": "subscribe",
        "channel": "book",
        "symbols": [symbol],
        "depth": depth,
        "conflated": CONFLATED_MS,
    }
    book = WatchedBook(symbol)

    def take(message: dict[str, Any]) -> None:
        if message.get("channel") == "book" and book.take(message):
            _show_book(book.picture(depth), options.json)

    _follow(options, wanted, take)


def follow_tape(options: Options, symbol: str, after: int) -> None:
    """Print each trade as it happens, and each that is busted or corrected. after: sequence already printed."""
    wanted = {"op": "subscribe", "channel": "trades", "symbols": [symbol], "from_seq": after + 1}

    def take(message: dict[str, Any]) -> None:
        for trade in trades_in(message, after):
            if options.json:
                print_json(trade)
            else:
                print(trade_line(trade), flush=True)

    _follow(options, wanted, take)


def trades_in(message: dict[str, Any], after: int) -> list[dict[str, Any]]:
    """Return the trades of a message. Where the past is no longer kept it is a snapshot, with some already shown."""
    if message.get("channel") != "trades":
        return []
    known = [trade for trade in message.get("trades", []) if trade["seq"] > after]
    return [*known, message["trade"]] if "trade" in message else known


class WatchedBook:
    """A book rebuilt from snapshot and deltas: price → (shares, orders) a side."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.seq = 0
        self._levels: dict[str, dict[str, tuple[str, int]]] = {"bids": {}, "asks": {}}

    def take(self, message: dict[str, Any]) -> bool:
        """Take a message in; tell whether it was one of the book."""
        if message["type"] not in ("snapshot", "delta"):
            return False
        self.seq = message["seq"]
        for side, levels in self._levels.items():
            if message["type"] == "snapshot":
                levels.clear()
            for price, quantity, orders in message[side]:
                if quantity == "0":
                    levels.pop(price, None)
                else:
                    levels[price] = (quantity, orders)
        return True

    def picture(self, depth: int) -> dict[str, Any]:
        """Return the book as `GET /api/v1/book` has it."""
        sides = {
            side: [
                {"price": price, "qty": levels[price][0], "orders": levels[price][1]}
                for price in sorted(levels, key=_scaled, reverse=side == "bids")[:depth]
            ]
            for side, levels in self._levels.items()
        }
        return {"symbol": self.symbol, "seq": self.seq, **sides}


def _scaled(price: str) -> int:
    from exchange.domain.units import parse_price

    return parse_price(price)


def _show_book(book: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(book)
        return
    if sys.stdout.isatty():
        sys.stdout.write(CLEAR)
    print("\n".join(book_lines(book)), flush=True)


def _follow(options: Options, wanted: dict[str, Any], take: Callable[[dict[str, Any]], None]) -> None:
    url = options.url or options.address("reporter")

    async def follow() -> None:
        async for message in stream(url, wanted):
            if message.get("type") == "error":
                raise RefusedError(message.get("message", "the reporter refused"), **message)
            take(message)
        raise UnreachableError(f"the reporter at {url} ended the stream")

    asyncio.run(follow())


async def stream(url: str, wanted: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """Subscribe and give every message of the stream. Raise `UnreachableError`."""
    address = url.rstrip("/").replace("http", "ws", 1) + STREAM_PATH
    try:
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(address, max_msg_size=MESSAGE_BYTES_MAX) as socket,
        ):
            await socket.send_str(json.dumps(wanted))
            async for message in socket:
                if message.type == aiohttp.WSMsgType.TEXT:
                    yield json.loads(message.data)
    except (aiohttp.ClientError, OSError) as error:
        raise UnreachableError(
            f"cannot reach the reporter at {url}: {error}; start it with `exchange up`"
        ) from error
