"""Server-sent events of a running reporter: the messages of the stream, and coming back with Last-Event-ID."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from tests.reporter.reporter_stand import WITHIN_S, Stand


class Hearing:
    """A client of server-sent events, as simple as a browser's."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.last_id = ""

    async def next(self) -> tuple[str, dict[str, Any]]:
        """Return the name and data of the next event."""
        name, data = "message", ""
        while True:
            async with asyncio.timeout(WITHIN_S):
                line = (await self.answer.content.readline()).decode()
            assert line, "the answer has ended"
            field, _, value = line.rstrip("\n").partition(": ")
            match field:
                case "id":
                    self.last_id = value
                case "event":
                    name = value
                case "data":
                    data = value
                case "" if data:
                    return name, msgspec.json.decode(data)

    async def until(self, kind: str) -> dict[str, Any]:
        """Return the next message of a type, or the event of a name."""
        while True:
            name, data = await self.next()
            if kind in (name, data.get("type")):
                return data


async def hear(stand: Stand, last_id: str = "", **query: str) -> Hearing:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    answer = await stand.http.get("/api/v1/sse", params=query, headers=headers)
    assert answer.status == 200, await answer.text()
    return Hearing(answer)


async def test_snapshots_come_first_then_what_happens_with_its_id(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        heard = await hear(stand, channel="trades", symbols="AAPL,MSFT")
        assert heard.answer.headers["Content-Type"] == "text/event-stream"
        assert [(await heard.until("snapshot"))["symbol"] for _ in range(2)] == ["AAPL", "MSFT"]
        assert heard.last_id == "", "a snapshot is no place to come back to"
        assert (await heard.until("begun"))["seq"] == stand.source.last_sequence
        await stand.publish(stand.flow.trade(1_000_000))
        trade = await heard.until("trade")
        assert trade["trade"]["price"] == "100.00"
        assert heard.last_id == str(trade["seq"])
        await stand.publish(stand.flow.bust(int(trade["trade"]["match_id"])))
        assert (await heard.until("bust"))["match_id"] == trade["trade"]["match_id"]
        heard.answer.close()


async def test_who_comes_back_with_its_last_id_has_missed_nothing(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        for channel, kind in (("trades", "trade"), ("book", "delta")):
            heard = await hear(stand, channel=channel, symbols="AAPL")
            await heard.until("begun")
            await stand.publish(stand.flow.trade(1_000_000))
            first = await heard.until(kind)
            heard.answer.close()
            await stand.publish(stand.flow.trade(1_010_000))
            again = await hear(stand, str(first["seq"]), channel=channel, symbols="AAPL")
            assert (await again.until("resumed"))["from_seq"] == first["seq"]
            assert await again.until(kind) == first
            assert (await again.until(kind))["prev_seq"] == first["seq"]
            again.answer.close()


async def test_who_comes_back_with_its_last_id_hears_the_bust_that_it_missed(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        heard = await hear(stand, channel="trades", symbols="AAPL")
        await heard.until("begun")
        await stand.publish(stand.flow.trade(1_000_000))
        trade = await heard.until("trade")
        heard.answer.close()
        await stand.publish(stand.flow.bust(int(trade["trade"]["match_id"])))
        again = await hear(stand, heard.last_id, channel="trades", symbols="AAPL")
        assert (await again.until("trade"))["seq"] == trade["seq"], "the last one again"
        bust = await again.until("bust")
        assert (bust["match_id"], bust["trade"]["status"]) == (trade["trade"]["match_id"], "busted")
        assert bust["prev_seq"] == trade["seq"]
        await again.until("begun")
        again.answer.close()


async def test_a_heartbeat_comes_where_nothing_else_does(tmp_path: Path) -> None:
    async with Stand(tmp_path, heartbeat_ms=100) as stand:
        await stand.publish(stand.flow.open())
        heard = await hear(stand, channel="status")
        assert (await heard.until("heartbeat"))["seq"] == stand.source.last_sequence
        heard.answer.close()


async def test_what_makes_no_sense_is_refused_before_it_begins(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        path = "/api/v1/sse"
        assert (await stand.get(path, 400))["field"] == "channel"
        assert "there is no symbol" in (await stand.get(path, 422, channel="book", symbols="NONE"))["message"]
        assert (await stand.get(path, 400, channel="weather", symbols="AAPL"))["reason"] == "unknown_channel"
        too_many = ",".join(["A"] * 201)
        assert (await stand.get(path, 400, channel="book", symbols=too_many))["field"] == "symbols"
        headers = {"Last-Event-ID": "not a number"}
        async with stand.http.get(path, params={"channel": "status"}, headers=headers) as answer:
            assert answer.status == 400
            assert "Last-Event-ID must be the id of a message" in (await answer.json())["message"]


async def test_more_symbols_than_a_connection_may_have_are_refused_before_it_begins(tmp_path: Path) -> None:
    async with Stand(tmp_path, websocket_subscriptions_max=1) as stand:
        await stand.publish(stand.flow.open())
        quick = await hear(stand, channel="book", symbols="AAPL")
        await quick.until("begun")
        # The status of a symbol brings that of the whole exchange, so it counts as two.
        refused = await stand.get("/api/v1/sse", 400, channel="status", symbols="AAPL")
        assert refused["reason"] == "too_many_subscriptions"
        assert "at most 1 subscriptions; it has 0, got 2 more" in refused["message"]
        assert len(stand.app.hub.subscribers) == 1
        quick.answer.close()


async def test_too_many_clients_are_refused_and_a_stop_ends_the_others(tmp_path: Path) -> None:
    async with Stand(tmp_path, websocket_connections_max=1) as stand:
        await stand.publish(stand.flow.open())
        heard = await hear(stand, channel="status")
        await heard.until("begun")
        assert (await stand.get("/api/v1/sse", 503, channel="status"))["reason"] == "too_many_connections"
        await stand.app.stop()
        async with asyncio.timeout(WITHIN_S):
            assert b"data" not in await heard.answer.content.read() or heard.answer.content.at_eof()
        await stand.app.start()
