"""The stream over real sockets, as docs/websocket.md promises it."""

from __future__ import annotations

import struct
from decimal import Decimal
from pathlib import Path
from socket import SO_RCVBUF, SO_SNDBUF, SOL_SOCKET
from typing import Any
from zlib import crc32

import aiohttp
import pytest

from exchange.domain import commands as c
from exchange.domain.order import Side
from exchange.domain.symbol import SymbolState
from exchange.domain.units import ParticipantId, Price, SymbolId
from exchange.reporter import stream_resume
from tests.market_data.venue_flow import VenueFlow
from tests.reporter.reporter_stand import Listening, Stand


class BookClient:
    """A subscriber's book, written from the protocol page alone."""

    def __init__(self) -> None:
        self.sides: dict[str, dict[Decimal, tuple[str, int]]] = {"bids": {}, "asks": {}}
        self.seq = 0

    def take(self, message: dict[str, Any]) -> None:
        if message["type"] == "snapshot":
            self.sides = {"bids": {}, "asks": {}}
        else:
            assert message["prev_seq"] == self.seq, "a gap"
        self.seq = message["seq"]
        for side, levels in self.sides.items():
            for price, qty, orders in message[side]:
                if qty == "0":
                    levels.pop(Decimal(price), None)
                else:
                    levels[Decimal(price)] = qty, orders
        assert self.checksum() == message["checksum"]

    def levels(self, side: str) -> list[list[Any]]:
        prices = sorted(self.sides[side], reverse=side == "bids")
        return [[price, *self.sides[side][price]] for price in prices]

    def checksum(self) -> int:
        best = [*self.levels("bids")[:10], *self.levels("asks")[:10]]
        numbers = [int(value) for price, qty, _ in best for value in (price * 10_000, qty)]
        return crc32(struct.pack(f"<{len(numbers)}q", *numbers))


def rest_levels(book: dict[str, Any], side: str) -> list[list[Any]]:
    return [[Decimal(row["price"]), row["qty"], row["orders"]] for row in book[side]]


async def test_a_connection_begins_with_a_welcome(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        client = await stand.listen()
        assert await client.receive() == {
            "type": "welcome", "version": 1, "partition": 0, "epoch": 1, "seq": 10, "heartbeat_ms": 1000,
            "subscriptions_max": 200, "channels": ["trades", "book", "queue", "ticker", "candles", "status"],
        }  # fmt: skip


@pytest.mark.parametrize("fields", [{}, {"depth": 3}, {"conflated": 20}, {"depth": 1, "conflated": True}])
async def test_snapshot_and_deltas_rebuild_the_book(tmp_path: Path, fields: dict[str, Any]) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open(), *stand.flow.random_batches(4))
        client, book = await stand.listen(), BookClient()
        book.take(await client.subscribe("book", ["AAPL"], **fields))
        await stand.publish(*stand.flow.random_batches(10))
        # A last change that is in every view, so that it shows when all before it has come.
        await stand.publish(stand.flow.do(c.CancelOrders(participant_id=ParticipantId(0))))
        await stand.publish(stand.flow.limit(Side.BUY, 990_000), stand.flow.limit(Side.SELL, 1_010_000))
        while book.seq < stand.source.last_sequence:
            book.take(await client.receive())
        found = (await stand.get("/api/v1/book", symbol="AAPL", depth=1000))["items"][0]
        assert [book.levels(side) for side in ("bids", "asks")] == [
            rest_levels(found, side) for side in ("bids", "asks")
        ]


async def test_the_whole_book_unconflated_has_one_delta_per_command(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        client = await stand.listen()
        await client.subscribe("book", ["AAPL"])
        await stand.publish(b"".join(stand.flow.limit(Side.BUY, 990_000 + 100 * at) for at in range(700)))
        deltas = await client.everything()
        assert [each["bids"] for each in deltas][:2] == [[["99.00", "100", 1]], [["99.01", "100", 1]]]
        assert [each["seq"] for each in deltas] == list(range(11, 711))
        assert [each["prev_seq"] for each in deltas] == [0, *range(11, 710)]


async def test_the_best_level_alone_is_told_after_each_command_that_changes_it(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        client = await stand.listen()
        await client.subscribe("book", ["AAPL"], depth=1)
        orders = [990_000, 980_000, 991_000, 970_000, 992_000]
        await stand.publish(b"".join(stand.flow.limit(Side.BUY, price) for price in orders))
        assert [each["bids"] for each in await client.everything()] == [
            [["99.00", "100", 1]],
            [["99.00", "0", 0], ["99.10", "100", 1]],
            [["99.10", "0", 0], ["99.20", "100", 1]],
        ]


async def test_a_conflated_book_sends_less_and_ends_the_same(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        client, book = await stand.listen(), BookClient()
        book.take(await client.subscribe("book", ["AAPL"], conflated=50))
        await stand.publish(b"".join(stand.flow.limit(Side.BUY, 990_000 + 100 * at) for at in range(300)))
        count = 0
        while len(book.sides["bids"]) < 300:
            book.take(await client.receive())
            count += 1
        assert count < 100


async def test_trades_are_chained_from_the_snapshot_on(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open(), stand.flow.trade(1_000_000))
        client = await stand.listen()
        snapshot = await client.subscribe("trades", ["AAPL"])
        assert [each["price"] for each in snapshot["trades"]] == ["100.00"]
        await stand.publish(stand.flow.trade(1_000_100, symbol_id=2), stand.flow.trade(1_000_200, 70))
        (message,) = await client.everything()
        assert (message["prev_seq"], message["seq"]) == (snapshot["seq"], stand.source.last_sequence)
        trade = message["trade"]
        assert (trade["price"], trade["qty"], trade["status"], trade["taker_side"]) == (
            "100.02",
            "70",
            "executed",
            "buy",
        )
        assert trade["match_id"] == str(message["seq"])
        assert int(trade["maker_order_id"]) < int(trade["taker_order_id"])
        assert not any("account" in name for name in trade)


async def test_a_bust_reaches_every_channel(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        flow = stand.flow
        await stand.publish(
            flow.open(), flow.trade(1_000_000), flow.trade(1_500_000, 10), flow.trade(1_000_100)
        )
        erroneous = list(flow.trades)[1]
        client = await stand.listen()
        for channel in ("trades", "ticker", "status"):
            await client.subscribe(channel, ["AAPL"])
        for interval in ("1s", "1m", "1d"):
            await client.subscribe("candles", ["AAPL"], interval=interval)
        await client.everything()
        await stand.publish(flow.bust(erroneous))
        by_channel: dict[str, list[dict[str, Any]]] = {}
        for message in await client.everything():
            by_channel.setdefault(message["channel"], []).append(message)
        (bust,) = by_channel["trades"]
        assert (bust["type"], bust["match_id"], bust["executed_seq"]) == ("bust", str(erroneous), erroneous)
        assert (bust["price"], bust["qty"], bust["reason"], bust["ruling_id"]) == (
            "150.00",
            "10",
            "erroneous",
            "9",
        )
        assert (bust["version"], bust["trade"]["status"]) == (2, "busted")
        assert bust["executed_at"] == bust["trade"]["executed_at"] < bust["at"]
        tape = {
            name: bust["tape"][name]
            for name in ("open", "high", "low", "last", "volume", "notional", "trades")
        }
        assert tape == {
            "open": "100.00", "high": "100.01", "low": "100.00", "last": "100.01", "volume": "200",
            "notional": "20001.00", "trades": 2,
        }  # fmt: skip
        (status,) = by_channel["status"]
        assert (status["type"], status["match_id"]) == ("bust", str(erroneous))
        (ticker,) = by_channel["ticker"]
        assert (ticker["ticker"]["high"], ticker["ticker"]["volume"]) == ("100.01", "200")
        candles = {each["interval"]: each for each in by_channel["candles"]}
        assert candles.keys() == {"1s", "1m", "1d"}
        assert all(each["corrected"] and each["candle"]["high"] == "100.01" for each in candles.values())
        rest = await stand.get(f"/api/v1/trades/{erroneous}")
        assert (rest["status"], rest["changed_seq"], rest["reason"]) == ("busted", bust["seq"], "erroneous")


async def test_a_correction_says_what_holds_now_and_what_held_before(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        flow = stand.flow
        await stand.publish(flow.open(), flow.trade(1_500_000))
        (match_id,) = flow.trades
        client = await stand.listen()
        await client.subscribe("trades", ["AAPL"])
        await stand.publish(flow.correct(match_id, 1_000_000, 60))
        (message,) = await client.everything()
        names = ("type", "price", "qty", "new_price", "new_qty")
        assert [message[name] for name in names] == ["correction", "150.00", "100", "100.00", "60"]
        assert (message["trade"]["executed_price"], message["tape"]["volume"]) == ("150.00", "60")


async def test_candles_grow_with_each_command_and_begin_with_the_newest(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        client = await stand.listen()
        snapshot = await client.subscribe("candles", ["AAPL"], interval="1m")
        assert (snapshot["type"], snapshot["candle"]) == ("snapshot", None)
        sells = stand.flow.limit(Side.SELL, 1_000_000) + stand.flow.limit(Side.SELL, 1_000_500)
        await stand.publish(sells, stand.flow.market(Side.BUY, 200))
        (message,) = await client.everything()
        candle = message["candle"]
        assert [candle[name] for name in ("open", "high", "low", "close", "volume", "trades")] == [
            "100.00", "100.05", "100.00", "100.05", "200", 2,
        ]  # fmt: skip
        assert message["prev_seq"] == snapshot["seq"]
        assert candle["start"].endswith("09:30:00.000000000Z")


async def test_status_tells_of_symbols_days_and_engine_starts(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        flow = stand.flow
        await stand.publish(flow.open())
        client = await stand.listen()
        exchange = await client.subscribe("status", ["AAPL"])
        symbol = await client.receive()
        assert (exchange["symbol"], exchange["business_date"], exchange["epoch"]) == ("", "2026-11-23", 1)
        assert (symbol["symbol"], symbol["state"], symbol["reference_price"]) == ("AAPL", "active", "100.00")
        await stand.publish(
            flow.do(c.SetSymbolState(symbol_id=SymbolId(1), state=SymbolState.SUSPENDED, reason="news")),
            flow.do(c.SetReferencePrice(symbol_id=SymbolId(2), reference_price=Price(1_000_100))),
            flow.do(c.SetReferencePrice(symbol_id=SymbolId(1), reference_price=Price(1_000_200))),
            flow.do(c.StartBusinessDay(date=20261124)),
            flow.do(c.StartEngine(epoch=2)),
        )
        told = await client.everything()
        assert [(each["type"], each["symbol"]) for each in told] == [
            ("symbol_state", "AAPL"), ("reference_price", "AAPL"), ("business_date", ""), ("engine_started", ""),
        ]  # fmt: skip
        assert (told[0]["state"], told[0]["reason"], told[0]["prev_seq"]) == (
            "suspended",
            "news",
            symbol["seq"],
        )
        assert (told[2]["business_date"], told[3]["epoch"]) == ("2026-11-24", 2)
        assert (told[2]["prev_seq"], told[3]["prev_seq"]) == (exchange["seq"], told[2]["seq"])


async def test_everything_takes_in_symbols_that_come_later(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        flow = stand.flow
        await stand.publish(flow.open())
        client = await stand.listen()
        assert (await client.subscribe("book", ["*"]))["symbol"] == "AAPL"
        assert (await client.receive())["symbol"] == "MSFT"
        await client.ask(op="subscribe", channel="status", symbols=["*"])
        await stand.publish(
            flow.do(c.AddSymbol(symbol="NEW", name="New Inc.", reference_price=Price(1_000_000)))
        )
        await stand.publish(flow.limit(Side.BUY, 990_000, symbol_id=3))
        news = [each for each in await client.everything() if each.get("symbol") == "NEW"]
        assert [(each["channel"], each["type"]) for each in news] == [
            ("book", "snapshot"), ("status", "snapshot"), ("status", "symbol_added"), ("book", "delta"),
        ]  # fmt: skip


async def test_an_ended_subscription_is_silent_and_may_begin_again(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        client = await stand.listen()
        for symbols in (["AAPL", "MSFT"], ["*"]):
            await client.subscribe("book", symbols)
            await client.everything()
            await client.ask(op="unsubscribe", id="u", channel="book", symbols=symbols)
            assert await client.receive() == {
                "type": "unsubscribed",
                "id": "u",
                "channel": "book",
                "symbols": symbols,
            }
            await stand.publish(stand.flow.limit(Side.BUY, 990_000))
            assert await client.everything() == []
        assert stand.app.hub._book_groups == {1: {}, 2: {}}


async def test_a_ping_is_answered_with_the_last_sequence(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        client = await stand.listen()
        await client.ask(op="ping", id="p")
        assert await client.until("pong") == {"type": "pong", "id": "p", "seq": 10}


async def test_silence_is_broken_by_heartbeats_with_the_last_sequence(tmp_path: Path) -> None:
    async with Stand(tmp_path, heartbeat_ms=100) as stand:
        await stand.publish(stand.flow.open())
        client = await stand.listen()
        assert await client.until("heartbeat") == {"type": "heartbeat", "seq": 10}
        assert (await client.receive(heartbeats=True))["type"] == "heartbeat"


async def test_the_status_of_the_exchange_goes_with_that_of_the_last_symbol(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        client = await stand.listen()
        for symbol in ("AAPL", "MSFT"):
            await client.subscribe("status", [symbol])
        await client.everything()
        for symbol, expected in (("AAPL", ["business_date"]), ("MSFT", [])):
            await client.ask(op="unsubscribe", channel="status", symbols=[symbol])
            await client.until("unsubscribed")
            await stand.publish(stand.flow.do(c.StartBusinessDay(date=stand.flow.venue.business_date + 1)))
            assert [each["type"] for each in await client.everything()] == expected
        await client.ask(op="subscribe", channel="status")
        await client.until("subscribed")
        assert (await client.receive())["symbol"] == ""


async def test_a_heartbeat_says_why_nothing_new_comes(tmp_path: Path) -> None:
    async with Stand(tmp_path, heartbeat_ms=100) as stand:
        await stand.publish(stand.flow.open())
        client = await stand.listen()
        assert "problem" not in await client.until("heartbeat")
        stand.app._problem = "the engine is another one"
        while "problem" not in (message := await client.until("heartbeat")):
            pass
        assert message["problem"] == "the engine is another one"


async def test_a_snapshot_larger_than_the_queue_is_refused_and_a_part_of_it_is_not(tmp_path: Path) -> None:
    async with Stand(tmp_path, websocket_queue_kib=16) as stand:
        await stand.publish(stand.flow.open())
        await stand.publish(b"".join(stand.flow.limit(Side.BUY, 100_000 + 100 * at) for at in range(600)))
        client = await stand.listen()
        await client.ask(op="subscribe", id="x", channel="book", symbols=["AAPL"])
        error = await client.until("error")
        assert (error["field"], error["request_id"]) == ("depth", "x")
        assert "ask for a depth" in error["message"]
        assert len((await client.subscribe("book", ["AAPL"], depth=10))["bids"]) == 10


# --- resuming -------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["trades", "book", "status"])
@pytest.mark.parametrize("restarted", [False, True])
async def test_from_seq_goes_on_where_a_connection_ended(
    tmp_path: Path, channel: str, restarted: bool
) -> None:
    async with Stand(tmp_path, VenueFlow(9)) as stand:
        await stand.publish(stand.flow.open(), *stand.flow.random_batches(3))
        listener = await stand.listen()
        seen = await listener.subscribe(channel, ["AAPL"])
        if channel == "status":
            seen = await listener.receive()
        await stand.publish(*stand.flow.random_batches(6))
        missed = [each for each in await listener.everything() if each["symbol"] == "AAPL"]
        assert missed
        if restarted:
            await stand.restart()
        client = await stand.listen()
        await client.ask(op="subscribe", channel=channel, symbols=["AAPL"], from_seq=seen["seq"] + 1)
        await stand.publish(*stand.flow.random_batches(2))
        found = [each for each in await client.everything() if each.get("symbol") == "AAPL"]
        if channel == "book" and restarted:
            assert (found[0]["type"], found[0]["note"]) == (
                "snapshot", f"messages from sequence {seen['seq'] + 1} on are no longer kept"
            )  # fmt: skip
        else:
            assert found[0] == {
                "channel": channel,
                "type": "resumed",
                "symbol": "AAPL",
                "from_seq": seen["seq"] + 1,
            }
            assert found[1 : len(missed) + 1] == missed
            chain = [seen["seq"], *(each["seq"] for each in found[1:])]
            assert [each["prev_seq"] for each in found[1:]] == chain[:-1]


async def test_who_missed_nothing_in_a_book_resumes_after_a_restart_too(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open(), stand.flow.limit(Side.BUY, 990_000))
        await stand.restart()
        client = await stand.listen()
        resumed = await client.subscribe("book", ["AAPL"], from_seq=stand.source.last_sequence + 1)
        assert resumed["type"] == "resumed"
        await stand.publish(stand.flow.limit(Side.BUY, 991_000))
        (delta,) = await client.everything()
        assert delta["prev_seq"] == stand.source.last_sequence - 1


async def test_a_sequence_that_cannot_be_resumed_from_gets_a_snapshot_that_says_why(tmp_path: Path) -> None:
    async with Stand(tmp_path, websocket_replay_messages=2) as stand:
        await stand.publish(stand.flow.open())
        await stand.publish(*[stand.flow.limit(Side.BUY, 990_000 + 100 * at) for at in range(5)])
        client = await stand.listen()
        for from_seq, note in (
            (11, "from sequence 11 on are no longer kept"),
            (99, "sequence 99 has not come yet"),
        ):
            snapshot = await client.subscribe("book", ["AAPL"], from_seq=from_seq)
            assert snapshot["type"] == "snapshot"
            assert note in snapshot["note"]
            await client.ask(op="unsubscribe", channel="book", symbols=["AAPL"])
        snapshot = await client.subscribe("ticker", ["AAPL"], from_seq=11)
        assert "is not resumed from a sequence" in snapshot["note"]


async def test_who_missed_more_than_can_be_sent_again_gets_a_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_resume, "RESUMED_MESSAGES_MAX", 5)
    monkeypatch.setattr(stream_resume, "RESUMED_AT_ONCE", 4)
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open(), *[stand.flow.trade(1_000_000) for _ in range(20)])
        await stand.restart()
        client = await stand.listen()
        await client.subscribe("trades", ["AAPL"], from_seq=1)
        messages = await client.everything()
        assert [each["type"] for each in messages] == ["trade"] * 8 + ["snapshot"]
        assert messages[-1]["note"] == "more than 5 messages were missed"


async def test_a_long_history_is_read_page_by_page_without_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_resume, "RESUMED_AT_ONCE", 3)
    async with Stand(tmp_path, VenueFlow(4)) as stand:
        await stand.publish(stand.flow.open(), *stand.flow.random_batches(12))
        await stand.restart()
        client = await stand.listen()
        await client.subscribe("trades", ["AAPL"], from_seq=0)
        messages = await client.everything()
        assert {"trade", "bust", "correction"} <= {each["type"] for each in messages}
        assert [each["prev_seq"] for each in messages] == [0, *(each["seq"] for each in messages[:-1])]
        assert messages[-1]["seq"] == stand.app.market.trade_chains[1]
        assert all(each["trade"]["status"] == "executed" for each in messages if each["type"] == "trade")


# --- what is refused ------------------------------------------------------------------------------


REFUSALS = [
    ({"op": "dance", "id": "1"}, 1051, "op", "op must be one of subscribe, unsubscribe, ping, got 'dance'"),
    ({"op": "subscribe", "id": "1", "channel": "news", "symbols": ["AAPL"]}, 1052, "channel", "got 'news'"),
    ({"op": "subscribe", "id": "1", "channel": "book", "symbols": ["NOPE"]}, 6, "symbols", "'NOPE'"),
    ({"op": "subscribe", "id": "1", "channel": "book"}, 1002, "symbols", "got none"),
    ({"op": "subscribe", "id": "1", "channel": "book", "symbols": ["*", "AAPL"]}, 1002, "symbols", '"*" alone'),
    ({"op": "subscribe", "id": "1", "channel": "trades", "symbols": ["AAPL"], "depth": 5}, 1002, "depth", "book only"),
    ({"op": "subscribe", "id": "1", "channel": "trades", "symbols": ["AAPL"], "conflated": 50}, 1002, "conflated", ""),
    ({"op": "subscribe", "id": "1", "channel": "book", "symbols": ["AAPL"], "conflated": 3}, 1002, "conflated", "10"),
    ({"op": "subscribe", "id": "1", "channel": "book", "symbols": ["AAPL"], "depth": -1}, 1002, "depth", ""),
    ({"op": "subscribe", "id": "1", "channel": "candles", "symbols": ["*"], "interval": "7m"}, 1002, "interval", "5"),
    ({"op": "subscribe", "id": "1", "channel": "candles", "symbols": ["*"], "interval": "x"}, 1002, "interval", "as"),
    ({"op": "subscribe", "id": "1", "chanel": "book"}, 1003, "chanel", "did you mean channel?"),
    ({"op": "unsubscribe", "id": "1", "channel": "book", "symbols": ["AAPL"]}, 1002, "symbols", "not subscribed"),
    ({"id": "1"}, 1004, "op", "op is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "code", "field", "text"), REFUSALS)
async def test_a_wrong_operation_is_refused_with_its_id_and_the_connection_lives(
    tmp_path: Path, operation: dict[str, Any], code: int, field: str, text: str
) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        client = await stand.listen()
        await client.ask(**operation)
        error = await client.until("error")
        assert (error["code"], error["field"], error["request_id"]) == (code, field, "1"), error
        assert text in error["message"]
        assert await client.everything() == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '"x"', '{"op": NaN}', '{"op": "ping", "id": 5}', "\x00", "[" * 100]
)
async def test_malformed_text_is_refused_and_the_connection_lives(tmp_path: Path, text: str) -> None:
    async with Stand(tmp_path) as stand:
        client = await stand.listen()
        await client.socket.send_str(text)
        error = await client.until("error")
        assert 1000 <= error["code"] < 1010
        assert await client.everything() == []


async def test_the_same_symbol_twice_is_refused_until_it_is_left(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        client = await stand.listen()
        await client.subscribe("book", ["AAPL"])
        await client.ask(op="subscribe", channel="book", symbols=["AAPL"], depth=5)
        assert "subscribed to already" in (await client.until("error"))["message"]
        await client.subscribe("ticker", ["*"])
        await client.ask(op="subscribe", channel="ticker", symbols=["AAPL"])
        assert "all subscribed to already" in (await client.until("error"))["message"]
        await client.ask(op="unsubscribe", channel="ticker", symbols=["AAPL"])
        assert 'unsubscribe from "*"' in (await client.until("error"))["message"]
        assert (await client.subscribe("candles", ["AAPL"], interval="1s"))["interval"] == "1s"
        assert (await client.subscribe("candles", ["AAPL"], interval="1m"))["interval"] == "1m"


async def test_more_subscriptions_than_allowed_are_refused(tmp_path: Path) -> None:
    async with Stand(tmp_path, websocket_subscriptions_max=2) as stand:
        await stand.publish(stand.flow.open())
        client = await stand.listen()
        await client.subscribe("book", ["*"])
        await client.subscribe("ticker", ["AAPL"])
        await client.everything()
        await client.ask(op="subscribe", id="third", channel="trades", symbols=["AAPL"])
        error = await client.until("error")
        assert (error["code"], error["request_id"]) == (1053, "third")
        assert "at most 2 subscriptions; it has 2" in error["message"]


async def test_a_slow_reader_is_cut_off_with_where_to_resume_and_others_go_on(tmp_path: Path) -> None:
    async with Stand(tmp_path, websocket_queue_kib=16) as stand:
        await stand.publish(stand.flow.open())
        slow, quick = await stand.listen(), await stand.listen()
        await slow.subscribe("book", ["AAPL"])
        await quick.subscribe("book", ["AAPL"])
        transport = slow.socket._response.connection.transport  # type: ignore[union-attr]
        transport.pause_reading()
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
        for connection in stand.app.hub.subscribers:
            assert connection.raw.transport is not None
            connection.raw.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, 4096)
        for _ in range(400):
            await stand.publish(b"".join(stand.flow.limit(Side.BUY, 990_000) for _ in range(50)))
            await quick.everything()
            if len(stand.app.hub.subscribers) == 1:
                break
        assert len(stand.app.hub.subscribers) == 1
        transport.resume_reading()
        seen = 0
        while (message := await slow.socket.receive()).type is aiohttp.WSMsgType.TEXT:
            seen = message.json().get("seq", seen)
        assert seen < stand.source.last_sequence
        await quick.ask(op="ping")
        await quick.until("pong")


async def test_the_stream_refuses_a_request_that_is_no_websocket(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        assert (await stand.get("/api/v1/stream", status=426))["reason"] == "upgrade_required"


async def test_a_listener_that_goes_leaves_nothing_behind(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open())
        client = await stand.listen()
        for channel in ("trades", "book", "ticker", "candles", "status"):
            await client.subscribe(channel, ["*"])
        await client.everything()
        await client.socket.close()
        await stand.publish(stand.flow.trade(1_000_000))
        hub = stand.app.hub
        assert not hub.subscribers
        groups = (
            hub._trade_groups,
            hub._status_groups,
            *hub._book_groups.values(),
            *hub._ticker_groups.values(),
        )
        assert not any(groups)
        assert not any(hub._candle_groups.values())
        assert isinstance(client, Listening)
