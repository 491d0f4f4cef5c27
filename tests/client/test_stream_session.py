"""The client's side of the stream, message by message, without a socket."""

from __future__ import annotations

from typing import Any

import msgspec

from exchange.client.stream_session import StreamSession
from exchange.wire.rest.stream import StatusMessage, TradeMessage, TradesSnapshot
from tests.client.test_book import SNAPSHOT, delta

TRADE = {
    "match_id": "7", "symbol": "AAPL", "seq": 7, "price": "1.00", "qty": "1", "taker_side": "buy",
    "maker_order_id": "1", "taker_order_id": "2", "reference_price": "1.00", "business_date": "2026-11-23",
    "executed_at": "2026-11-23T14:30:00Z", "status": "executed", "version": 1,
}  # fmt: skip


def text(**fields: Any) -> bytes:
    return msgspec.json.encode(fields)


def trade(prev_seq: int, seq: int, symbol: str = "AAPL") -> bytes:
    found = {"channel": "trades", "type": "trade", "symbol": symbol, "at": "2026-11-23T14:30:00Z"}
    return text(**found, prev_seq=prev_seq, seq=seq, trade=TRADE | {"seq": seq})


def trades_snapshot(seq: int, symbol: str = "AAPL") -> bytes:
    return text(channel="trades", type="snapshot", symbol=symbol, seq=seq, trades=[])


def book(message: Any) -> bytes:
    return msgspec.json.encode(message)


def sent(session: StreamSession) -> list[dict[str, Any]]:
    """Return what the session wants to be sent, without fields that say nothing."""
    found = [msgspec.to_builtins(operation) for operation in session.outgoing]
    session.outgoing.clear()
    plain = ("", [], None, 0, False)
    return [
        {
            name: value
            for name, value in each.items()
            if value not in plain and (name, value) != ("interval", "1m")
        }
        for each in found
    ]


def welcomed(seq: int = 100) -> StreamSession:
    session = StreamSession()
    session.connected()
    session.take(text(type="welcome", version=1, epoch=1, seq=seq, heartbeat_ms=1000))
    return session


def test_a_subscription_is_asked_for_and_settled_when_it_is_confirmed() -> None:
    session = welcomed()
    wanted = session.subscribe("trades", "AAPL")
    assert sent(session) == [
        {"op": "subscribe", "id": "1", "channel": "trades", "symbols": ["AAPL"]},
        {"op": "ping", "id": "2"},
    ]
    assert not wanted.is_settled
    session.take(text(type="subscribed", id="1", channel="trades", symbols=["AAPL"]))
    assert wanted.is_settled
    assert session.heartbeat_ms == 1000


def test_messages_are_given_in_their_types() -> None:
    session = welcomed()
    session.subscribe("trades", "AAPL")
    assert [type(each) for each in session.take(trades_snapshot(5))] == [TradesSnapshot]
    (given,) = session.take(trade(5, 7))
    assert isinstance(given, TradeMessage)
    assert given.trade.match_id == "7"


def test_a_refused_subscription_has_its_reason_and_is_not_asked_for_again() -> None:
    session = welcomed()
    wanted = session.keep_book("NONE")
    error = {"code": 1, "reason": "unknown_symbol", "message": "there is no symbol", "field": "symbols"}
    session.take(text(type="error", request_id="1", **error))
    assert wanted.refused is not None
    assert wanted.refused.error.reason == "unknown_symbol"
    assert wanted.book is not None
    assert wanted.book.stale == "refused: there is no symbol"
    session.outgoing.clear()
    session.connected()
    assert sent(session) == []


def test_a_new_connection_goes_on_after_the_last_message() -> None:
    session = welcomed()
    session.subscribe("trades", "AAPL")
    session.take(trades_snapshot(5))
    session.take(trade(5, 7))
    session.disconnected("it broke")
    session.connected()
    operation, _ = sent(session)
    assert operation["from_seq"] == 8
    session.take(text(channel="trades", type="resumed", symbol="AAPL", from_seq=8))
    assert len(session.take(trade(7, 9))) == 1


def test_what_was_given_once_is_not_given_again() -> None:
    session = welcomed()
    session.subscribe("trades", "AAPL")
    session.take(trades_snapshot(5))
    session.take(trade(5, 7))
    session.disconnected("it broke")
    session.connected()
    session.take(trades_snapshot(5))
    assert session.take(trade(5, 7)) == []
    assert len(session.take(trade(7, 9))) == 1


def test_a_missing_message_is_asked_for_on_the_same_connection() -> None:
    session = welcomed()
    session.subscribe("trades", "AAPL")
    session.take(trades_snapshot(5))
    sent(session)
    assert session.take(trade(6, 7)) == []
    leave, ask, _ = sent(session)
    assert leave == {"op": "unsubscribe", "channel": "trades", "symbols": ["AAPL"]}
    assert ask["from_seq"] == 6
    assert session.take(trade(7, 8)) == [], "what comes before it is resumed is not its turn"
    session.take(text(channel="trades", type="resumed", symbol="AAPL", from_seq=6))
    assert [len(session.take(each)) for each in (trade(5, 6), trade(6, 7), trade(7, 8))] == [1, 1, 1]


def test_a_book_is_kept_and_a_wrong_checksum_brings_a_snapshot() -> None:
    session = welcomed()
    kept = session.keep_book("AAPL").book
    assert kept is not None
    assert session.take(book(SNAPSHOT)) == []
    assert kept.is_live
    sent(session)
    session.take(book(delta(checksum=1)))
    assert "checksum" in kept.stale
    leave, ask, _ = sent(session)
    assert leave["op"] == "unsubscribe"
    assert "from_seq" not in ask
    session.take(book(SNAPSHOT))
    assert kept.is_live


def test_the_same_book_asked_for_twice_is_one() -> None:
    session = welcomed()
    assert session.keep_book("AAPL") is session.keep_book("AAPL")
    assert len(list(session.books())) == 1


def test_a_book_that_was_resumed_is_live_again_with_the_pong() -> None:
    session = welcomed()
    kept = session.keep_book("AAPL").book
    assert kept is not None
    session.take(book(SNAPSHOT))
    session.disconnected("it broke")
    assert kept.stale == "the connection is lost: it broke"
    session.connected()
    ask, ping = sent(session)
    assert ask["from_seq"] == 119
    session.take(text(channel="book", type="resumed", symbol="AAPL", from_seq=119))
    assert not kept.is_live
    session.take(text(type="pong", id=ping["id"], seq=130))
    assert kept.is_live
    assert (kept.seq, kept.as_of) == (118, 130)


def test_an_exchange_that_says_that_nothing_new_comes_makes_books_stale() -> None:
    session = welcomed()
    kept = session.keep_book("AAPL").book
    assert kept is not None
    session.take(book(SNAPSHOT))
    session.take(text(type="heartbeat", seq=118, problem="engine: gone"))
    assert kept.stale == "nothing new comes: engine: gone"
    session.take(text(type="heartbeat", seq=140))
    assert kept.is_live
    assert kept.as_of == 140


def test_everything_goes_on_from_the_last_message_once_all_symbols_had_their_first() -> None:
    session = welcomed()
    session.subscribe("trades", "*")
    _, ping = sent(session)
    session.take(trades_snapshot(5))
    session.take(trades_snapshot(6, "MSFT"))
    session.connected()
    ask, ping = sent(session)
    assert "from_seq" not in ask, "some may have had no snapshot yet"
    session.take(trades_snapshot(5))
    session.take(trades_snapshot(6, "MSFT"))
    session.take(text(type="pong", id=ping["id"], seq=6))
    session.take(trade(6, 9, "MSFT"))
    session.connected()
    assert sent(session)[0]["from_seq"] == 10


def test_messages_of_an_unknown_type_or_channel_are_let_go_by() -> None:
    session = welcomed()
    session.subscribe("trades", "AAPL")
    session.take(trades_snapshot(5))
    assert session.take(text(channel="trades", type="poem", symbol="AAPL", prev_seq=5, seq=6)) == []
    assert session.take(text(channel="weather", type="rain", symbol="AAPL", prev_seq=5, seq=6)) == []
    assert session.take(text(type="news")) == []
    assert len(session.take(trade(5, 7))) == 1


def test_status_brings_what_concerns_the_whole_exchange_too() -> None:
    session = welcomed()
    session.subscribe("status", "AAPL")
    message = {"channel": "status", "type": "engine_started", "symbol": "", "at": "2026-11-23T14:30:00Z"}
    (given,) = session.take(
        text(channel="status", type="snapshot", symbol="", seq=1, state=None, reference_price=None,
             business_date=None, epoch=1)
    )  # fmt: skip
    assert given.symbol == ""
    (given,) = session.take(text(**message, prev_seq=1, seq=2, epoch=2))
    assert isinstance(given, StatusMessage)
    assert given.epoch == 2


def test_what_is_no_longer_wanted_is_left() -> None:
    session = welcomed()
    wanted = session.subscribe("candles", "AAPL", interval="5m")
    sent(session)
    session.unsubscribe(wanted)
    assert sent(session) == [
        {"op": "unsubscribe", "channel": "candles", "symbols": ["AAPL"], "interval": "5m"}
    ]
