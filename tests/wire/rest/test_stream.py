"""The messages of the stream as JSON."""

from __future__ import annotations

import msgspec
import pytest

from exchange.wire.rest import stream as s


def test_an_operation_needs_nothing_but_its_name() -> None:
    operation = msgspec.json.decode(b'{"op": "ping"}', type=s.Operation)
    assert (operation.op, operation.id, operation.symbols, operation.from_seq) == ("ping", "", [], None)


@pytest.mark.parametrize(
    "text",
    [
        b'{"op": "subscribe", "colour": 1}',
        b'{"op": "subscribe", "from_seq": -1}',
        b'{"op": "subscribe", "depth": 1001}',
        b'{"op": "subscribe", "conflated": "yes"}',
        b'{"op": "subscribe", "symbols": "AAPL"}',
        b'{"op": 1}',
        b"{}",
    ],
)
def test_an_operation_that_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=s.Operation)


def test_every_message_of_a_channel_names_channel_type_symbol_and_sequence() -> None:
    delta = s.BookDelta(symbol="AAPL", prev_seq=1, seq=2, at="", bids=[("1.00", "5", 1)], asks=[], checksum=7)
    status = s.StatusMessage(
        channel="status", type="engine_started", symbol="", prev_seq=1, seq=2, at="", epoch=3
    )
    assert msgspec.json.decode(msgspec.json.encode(delta)) == {
        "channel": "book", "type": "delta", "symbol": "AAPL", "prev_seq": 1, "seq": 2, "at": "",
        "bids": [["1.00", "5", 1]], "asks": [], "checksum": 7,
    }  # fmt: skip
    assert msgspec.to_builtins(status) == {
        "channel": "status", "type": "engine_started", "symbol": "", "prev_seq": 1, "seq": 2, "at": "", "epoch": 3,
    }  # fmt: skip


def test_messages_about_the_connection_name_their_type() -> None:
    assert msgspec.to_builtins(s.Pong("x", 5)) == {"type": "pong", "id": "x", "seq": 5}
    assert msgspec.to_builtins(s.Heartbeat(5)) == {"type": "heartbeat", "seq": 5}
