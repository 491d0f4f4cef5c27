"""A well-behaved session beside the bad ones: it trades and watches the market, and notices any disturbance."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import aiohttp

from tests.integration.exchange_process import Client

STEP_S = 0.02


class Bystander:
    """Enters and cancels orders, and follows their book, in two threads; `stop` it and ask what it has seen."""

    def __init__(self, engine: str, reporter: str, key: str, symbol: str) -> None:
        self.orders = 0
        self.messages = 0
        self.troubles: list[str] = []
        self._engine, self._reporter, self._key, self._symbol = engine, reporter, key, symbol
        self._over = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._trade, self._watch)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop after what is under way."""
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def _trade(self) -> None:
        client = Client(self._engine, self._key)
        order = {"symbol": self._symbol, "side": "buy", "qty": "1", "price": "1.00"}
        while not self._over.is_set():
            try:
                status, entered = client.call("POST", "/api/v1/order", order)
                cancelled = client.call("DELETE", f"/api/v1/order/{entered['id']}")[0]
            except OSError as error:
                self.troubles.append(f"the trader's connection broke: {error!r}")
                return
            if (status, cancelled) != (201, 200):
                self.troubles.append(f"an order was answered {status}, its cancel {cancelled}")
            self.orders += 1
            time.sleep(STEP_S)

    def _watch(self) -> None:
        asyncio.run(self._follow())

    async def _follow(self) -> None:
        operation = {"op": "subscribe", "channel": "book", "symbols": [self._symbol]}
        async with aiohttp.ClientSession() as session, session.ws_connect(self._reporter) as socket:
            await socket.send_json(operation)
            last = 0
            while not self._over.is_set():
                message = await socket.receive(timeout=10)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    self.troubles.append(f"the stream ended: {message}")
                    return
                last = self._take(message.json(), last)

    def _take(self, message: dict[str, Any], last: int) -> int:
        """Follow the chain of the book's messages; return the last sequence."""
        if message["type"] not in ("snapshot", "delta"):
            return last
        if message["type"] == "delta" and message["prev_seq"] != last:
            self.troubles.append(f"a delta follows {message['prev_seq']}, the last one was {last}")
        self.messages += 1
        sequence: int = message["seq"]
        return sequence
