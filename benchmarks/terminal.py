"""What the terminal costs a browser: `python -m benchmarks.terminal [--updates 1000] [--seconds 20]`.

A stream server of its own sends made-up messages at a steady rate to the built terminal in headless Chromium: four of
five change the book of the shown symbol, one of five is a trade. The CPU time is that of the page's renderer process.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import re
import shutil
import struct
import sys
import time
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
from aiohttp import WSMsgType, web
from playwright.async_api import CDPSession, async_playwright

from benchmarks.run_info import describe
from exchange.reporter.web_page import MEDIA

STATIC = Path(str(files("exchange.reporter"))) / "static"
SYMBOL = "AAPL"
LEVELS = 25
BATCHES_PER_S = 100
BOOK_MS = 100
TICKS_PER_UNIT = 100
SEED = 7
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
encode = msgspec.json.encode


class Market:
    """A made-up book of one symbol, and the messages that change it. Prices in cents."""

    def __init__(self) -> None:
        self.random = random.Random(SEED)
        self.sides = {
            "bids": {18_900 - n: 100 + n for n in range(LEVELS)},
            "asks": {18_901 + n: 100 + n for n in range(LEVELS)},
        }
        self.seq = 1
        self.last: dict[str, int] = {}
        self.waiting: dict[str, list[int]] = {"bids": [], "asks": []}

    def chained(self, channel: str, kind: str, **more: Any) -> bytes:
        """Make a message of a channel that follows the one before it."""
        message = {"channel": channel, "type": kind, "symbol": SYMBOL, "seq": self.seq, **more}
        if kind != "snapshot":
            message["prev_seq"] = self.last[channel]
        self.last[channel] = self.seq
        return encode(message)

    def snapshot(self, channel: str, interval: str) -> bytes:
        """Make the first message of a channel."""
        more: dict[str, Any] = {"trades": []} if channel == "trades" else {}
        if channel == "candles":
            more = {"interval": interval, "candle": None}
        if channel == "book":
            more = {name: self.rows(name, list(side)) for name, side in self.sides.items()} | {
                "checksum": self.checksum()
            }
        return self.chained(channel, "snapshot", **more)

    def change(self) -> None:
        """Change one level of the book."""
        self.seq += 1
        side = self.random.choice(("bids", "asks"))
        price = self.random.choice(list(self.sides[side]))
        self.sides[side][price] = self.random.randrange(1, 2_000)
        self.waiting[side].append(price)

    def delta(self) -> bytes:
        """Make one message of all the changes since the last one, as a conflated book does."""
        changed = {name: self.rows(name, prices) for name, prices in self.waiting.items()}
        self.waiting = {"bids": [], "asks": []}
        return self.chained("book", "delta", checksum=self.checksum(), **changed)

    def trade(self) -> bytes:
        """Make a trade."""
        self.seq += 1
        price = text(18_900 + self.random.randrange(-5, 6))
        made = {
            "match_id": str(self.seq), "symbol": SYMBOL, "price": price, "qty": str(self.random.randrange(1, 900)),
            "taker_side": self.random.choice(("buy", "sell")), "executed_at": "2026-11-23T14:30:01.123456789Z",
            "status": "executed",
        }  # fmt: skip
        return self.chained("trades", "trade", trade=made)

    def rows(self, name: str, prices: list[int]) -> list[tuple[str, str, int]]:
        return [(text(price), str(self.sides[name][price]), 1) for price in dict.fromkeys(prices)]

    def checksum(self) -> int:
        best = [
            *sorted(self.sides["bids"].items(), reverse=True)[:10],
            *sorted(self.sides["asks"].items())[:10],
        ]
        numbers = [number for price, quantity in best for number in (price * TICKS_PER_UNIT, quantity)]
        return crc32(struct.pack(f"<{len(numbers)}q", *numbers))


def text(cents: int) -> str:
    """Write a price."""
    return f"{cents // 100}.{cents % 100:02}"


class Server:
    """Serves the built terminal and the stream, its book conflated as the page asks. updates: per second."""

    def __init__(self, updates: int) -> None:
        self.updates = updates
        self.market = Market()
        self.sent = 0

    async def start(self) -> str:
        """Listen on a free port; return the address."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer whatever the page asks for."""
        path, here = request.path.lstrip("/") or "index.html", f"http://127.0.0.1:{self.port}"
        if path == "stream":
            return await self.stream(request)
        if path == "config.json":
            places = dict.fromkeys(("engine", "reporter", "clearing"), here)
            about = {"name": "bench", "version": "0", "currency": "USD", "stream": f"ws{here[4:]}/stream"}
            return web.json_response(about | places)
        if path == "api/v1/symbols":
            item = {
                "symbol": SYMBOL,
                "name": "Made up",
                "state": "active",
                "round_lot": "1",
                "reference_price": "189.00",
            }
            return web.json_response({"items": [item | {"ticks": []}], "next": None})
        if path.startswith("api/"):
            return web.json_response({"items": [], "next": None})
        return web.Response(
            body=(STATIC / path).read_bytes(), headers={"Content-Type": MEDIA[Path(path).suffix]}
        )

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        sender: asyncio.Task[None] | None = None
        async for message in socket:
            asked = json.loads(message.data) if message.type is WSMsgType.TEXT else {}
            if asked.get("op") != "subscribe" or asked["symbols"] == ["*"]:
                continue
            await socket.send_str(self.market.snapshot(asked["channel"], asked.get("interval", "")).decode())
            if asked["channel"] == "candles":
                sender = asyncio.create_task(self.send(socket))
        if sender:
            sender.cancel()
        return socket

    async def send(self, socket: web.WebSocketResponse) -> None:
        """Send for as long as the page listens, a little, a hundred times a second."""
        loop = asyncio.get_running_loop()
        due, done, flushed = loop.time(), 0, loop.time()
        started = due
        while not socket.closed:
            due += 1 / BATCHES_PER_S
            await asyncio.sleep(max(0, due - loop.time()))
            wanted = int((loop.time() - started) * self.updates)
            for number in range(done, wanted):
                if number % 5 == 0:
                    await socket.send_str(self.market.trade().decode())
                else:
                    self.market.change()
            if loop.time() - flushed >= BOOK_MS / 1000:
                flushed = loop.time()
                await socket.send_str(self.market.delta().decode())
            self.sent += wanted - done
            done = wanted


async def measure(updates: int, seconds: int) -> dict[str, float]:
    """Measure one run; return its figures."""
    server = Server(updates)
    address = await server.start()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        await page.goto(f"{address}/#{SYMBOL}")
        await page.wait_for_selector(".light.live")
        paint = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        await asyncio.sleep(3)
        client = await page.context.new_cdp_session(page)
        await client.send("Performance.enable")
        before, sent, began = await spent(client), server.sent, time.monotonic()
        await asyncio.sleep(seconds)
        after, elapsed = await spent(client), time.monotonic() - began
        assert await page.locator(".light.live").count() == 1, "the page fell behind"
        await browser.close()
    return {
        "updates/s": (server.sent - sent) / elapsed,
        "first paint ms": paint,
        **{name: (after[name] - before[name]) / elapsed * 100 for name in after},
    }


async def spent(client: CDPSession) -> dict[str, float]:
    """Return the seconds that the page's scripts and its whole process have taken so far."""
    found = {one["name"]: one["value"] for one in (await client.send("Performance.getMetrics"))["metrics"]}
    return {
        "scripts % of a core": found["ScriptDuration"],
        "renderer % of a core": found["ProcessTime"],
    }


def first_view(static: Path) -> set[Path]:
    """Return the files that a browser fetches until the market is shown, its chart included; other views come later."""
    first = {static / "index.html", static / "icon.svg", static / "assets" / "style.css"}
    waiting = [static / "assets" / "terminal.js", static / "assets" / "price_chart.js"]
    while waiting:
        script = waiting.pop()
        first.add(script)
        linked = re.findall(r'(?:from|import)\s*"\./([\w.-]+\.js)"', script.read_text())
        waiting += [other for name in linked if (other := script.parent / name) not in first]
    return first


def gzipped_bytes(paths: Iterable[Path]) -> int:
    """Return how large files are, each compressed by itself."""
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def main() -> int:
    """Print the size of the bundle and what each run costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--seconds", type=int, default=20)
    arguments = parser.parse_args()
    if not (STATIC / "index.html").is_file() or not shutil.which("chromium"):
        print(
            "skipped: needs Chromium, and the terminal that `make setup` builds with Node.js", file=sys.stderr
        )
        return 0
    for what, value in [*describe(), ("seed", str(SEED))]:
        print(f"{what:10} {value}")
    parts = [path for path in STATIC.rglob("*") if path.suffix in {".html", ".js", ".css", ".svg"}]
    sizes = (gzipped_bytes(first_view(STATIC)) / 1024, gzipped_bytes(parts) / 1024)
    print(f"bundle: {sizes[0]:.1f} KiB gzipped until the market is shown, {sizes[1]:.1f} KiB with all views")
    for updates in arguments.updates:
        figures = asyncio.run(measure(updates, arguments.seconds))
        print(f"{updates} updates/s: " + ", ".join(f"{name} {value:.1f}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
