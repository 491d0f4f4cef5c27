"""A recorder hears everything of a symbol up to a sequence, and says so where the stream does not answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiohttp import WSMsgType, web

from exchange.simulation import feed_recorder
from exchange.simulation.feed_recorder import STREAM_PATH, FeedRecorder
from exchange.simulation.lobster import Quotes
from exchange.simulation.rest import ConnectionFailed

Answer = Callable[[dict[str, Any]], list[dict[str, Any]]]


@asynccontextmanager
async def a_stream(answer: Answer) -> AsyncIterator[str]:
    """Serve a stream that answers each operation with messages; an empty one closes."""

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type != WSMsgType.TEXT:
                break
            for reply in answer(msgspec.json.decode(message.data)):
                if not reply:
                    await socket.close()
                else:
                    await socket.send_str(msgspec.json.encode(reply).decode())
        return socket

    application = web.Application()
    application.router.add_get(STREAM_PATH, serve)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


SNAPSHOT = {
    "channel": "book", "type": "snapshot", "symbol": "AAPL", "seq": 5,
    "bids": [["1.00", "10", 1]], "asks": [["1.02", "5", 1]], "checksum": 0,
}  # fmt: skip
DELTA = {
    "channel": "book", "type": "delta", "symbol": "AAPL", "prev_seq": 5, "seq": 7, "at": "",
    "bids": [["1.00", "4", 1]], "asks": [], "checksum": 0,
}  # fmt: skip
TRADE = {
    "channel": "trades", "type": "trade", "symbol": "AAPL", "prev_seq": 0, "seq": 7, "at": "",
    "trade": {
        "match_id": "7", "symbol": "AAPL", "seq": 7, "price": "1.00", "qty": "6", "taker_side": "sell",
        "maker_order_id": "3", "taker_order_id": "6", "reference_price": "1.00", "business_date": "2026-11-23",
        "executed_at": "", "status": "executed", "version": 1,
    },
}  # fmt: skip


def well_behaved(operation: dict[str, Any]) -> list[dict[str, Any]]:
    if operation["op"] == "ping":
        return [DELTA, TRADE, {"type": "pong", "id": "", "seq": 9}]
    return [SNAPSHOT] if operation["channel"] == "book" else [{"type": "subscribed", "channel": "trades"}]


async def test_what_the_feed_says_up_to_a_sequence_is_kept() -> None:
    async with a_stream(well_behaved) as url, FeedRecorder(url, "AAPL") as recorder:
        await recorder.caught_up(9)
    assert recorder.quotes.states == [(5, Quotes(10_200, 5, 10_000, 10)), (7, Quotes(10_200, 5, 10_000, 4))]
    assert [trade.maker_order_id for trade in recorder.trades] == ["3"]
    assert recorder.quotes.gaps == 0


async def test_a_symbol_that_comes_late_is_waited_for() -> None:
    asked = 0

    def late(operation: dict[str, Any]) -> list[dict[str, Any]]:
        nonlocal asked
        asked += operation.get("channel") == "book"
        if operation.get("channel") == "book" and asked < 3:
            return [{"type": "error", "message": "there is no symbol AAPL"}]
        return well_behaved(operation)

    async with a_stream(late) as url, FeedRecorder(url, "AAPL"):
        assert asked == 3


async def test_a_stream_that_ends_is_told() -> None:
    def ends(operation: dict[str, Any]) -> list[dict[str, Any]]:
        return [{}] if operation["op"] == "ping" else well_behaved(operation)

    async with a_stream(ends) as url, FeedRecorder(url, "AAPL") as recorder:
        with pytest.raises(ConnectionFailed, match=r"ended the stream after event 0|closed the stream"):
            await recorder.caught_up(9)


async def test_a_stream_that_stays_behind_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_recorder, "CAUGHT_UP_WITHIN_S", 0.1)
    async with a_stream(well_behaved) as url, FeedRecorder(url, "AAPL") as recorder:
        with pytest.raises(ConnectionFailed, match="is still at event 9, the engine at 10"):
            await recorder.caught_up(10)


async def test_where_nobody_listens_is_told() -> None:
    with pytest.raises(ConnectionFailed, match="does not answer"):
        async with FeedRecorder("http://127.0.0.1:1", "AAPL"):
            pass
