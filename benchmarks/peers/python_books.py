"""Drives an order book in Python over an order stream: `python_books.py ENGINE FILE RECORDS PASSES`.

It runs in the virtual environment of the peers and so imports nothing of this project.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from struct import Struct
from typing import Any

HEADER = Struct("<6I")
RECORD = Struct("<BBHIIIII")
ADD, CANCEL = 0, 1
HASH_FACTOR = 0x9E3779B97F4A7C15
Message = tuple[int, int, int, int, int, int, int, int]
"""type, side (0 buy, 1 sell), symbol, price, quantity, id, reference, old price"""


class Fills:
    """Counts and hashes what was filled."""

    def __init__(self) -> None:
        self.trades = self.volume = self.notional = self.hash = self.rejects = 0

    def fill(self, maker: int, taker: int, price: int, quantity: int) -> None:
        self.trades += 1
        self.volume += quantity
        self.notional += quantity * price
        self.hash = (self.hash * HASH_FACTOR + (maker << 32 | taker) + quantity) & (1 << 64) - 1


class LightMatching:
    """lightmatchingengine: numbers orders itself, and names in a trade one side at a time."""

    def __init__(self) -> None:
        from lightmatchingengine.lightmatchingengine import LightMatchingEngine

        self.engine = LightMatchingEngine()
        self.numbered: dict[int, int] = {}
        self.known_as: dict[int, int] = {}

    def apply(self, messages: list[Message], fills: Fills) -> None:
        """Carry messages out; a replacement is a cancel and a new order."""
        engine = self.engine
        for kind, side, symbol, price, quantity, order_id, reference, _ in messages:
            if kind != ADD and engine.cancel_order(self.numbered[reference], symbol) is None:
                fills.rejects += 1
            if kind == CANCEL:
                continue
            order, trades = engine.add_order(symbol, price, quantity, side + 1)
            self.numbered[order_id] = order.order_id
            self.known_as[order.order_id] = order_id
            for trade in trades:
                if trade.order_id != order.order_id:
                    maker = self.known_as[trade.order_id]
                    fills.fill(maker, order_id, trade.trade_price, trade.trade_qty)


class OrderMatching:
    """order-matching: places an order, then matches at a time that rises with each message."""

    def __init__(self) -> None:
        from loguru import logger
        from order_matching.matching_engine import MatchingEngine

        logger.remove()
        self.engine = MatchingEngine(seed=1)
        self.time = datetime(2024, 1, 1)  # noqa: DTZ001 (the library compares with times without a zone)

    def apply(self, messages: list[Message], fills: Fills) -> None:
        """Carry messages out; one book, so only a stream of one symbol."""
        from order_matching.enums import Side
        from order_matching.order import LimitOrder
        from order_matching.orders import Orders

        for kind, side, _, price, quantity, order_id, reference, _ in messages:
            self.time += timedelta(microseconds=1)
            if kind != ADD:
                self.engine.cancel_order(str(reference))
            if kind == CANCEL:
                continue
            order = LimitOrder(
                side=(Side.BUY, Side.SELL)[side], price=price, size=quantity, timestamp=self.time,
                order_id=str(order_id), trader_id="t",
            )  # fmt: skip
            self.engine.place(Orders([order]))
            for trade in self.engine.match(timestamp=self.time).trades:
                fills.fill(
                    int(trade.book_order_id), int(trade.incoming_order_id), int(trade.price), int(trade.size)
                )


ENGINES: dict[str, Callable[[], Any]] = {
    "lightmatchingengine": LightMatching,
    "order-matching": OrderMatching,
}


def main() -> int:
    engine_name, path, records, passes = sys.argv[1:]
    data = Path(path).read_bytes()
    _, prefill, _, _, _, _ = HEADER.unpack_from(data)
    end = HEADER.size + (prefill + int(records)) * RECORD.size
    messages = list(RECORD.iter_unpack(memoryview(data)[HEADER.size : end]))
    for seconds, fills in _passes(engine_name, messages, prefill, int(passes)):
        print(
            f"pass {seconds:.6f} {fills.trades} {fills.volume} {fills.notional} {fills.hash} {fills.rejects}",
            flush=True,
        )
    return 0


def _passes(name: str, messages: list[Message], prefill: int, count: int) -> Iterator[tuple[float, Fills]]:
    for _ in range(count):
        engine = ENGINES[name]()
        engine.apply(messages[:prefill], Fills())
        fills, timed = Fills(), messages[prefill:]
        gc.collect()
        started = time.perf_counter()
        engine.apply(timed, fills)
        yield time.perf_counter() - started, fills


if __name__ == "__main__":
    sys.exit(main())
