"""The description of the WebSockets in AsyncAPI 3.0, made from the types that they send.

The reporter serves it at `/asyncapi.json`; `docs/asyncapi.json` is the same, written by
`python -m exchange.reporter.asyncapi`, and a test holds it so.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from exchange import __version__
from exchange.infra.http_routes import Call, Route
from exchange.infra.openapi import outdent
from exchange.infra.websocket import CloseReason, ErrorMessage
from exchange.wire.rest import drop_copy as d
from exchange.wire.rest import private_stream as p
from exchange.wire.rest import stream as s

VERSION = "3.0.0"
SCHEMA_PATH = "#/components/schemas/{name}"

_CHANNELS: dict[str, tuple[str, str, tuple[type, ...], tuple[type, ...]]] = {
    "stream": (
        "/api/v1/stream",
        "Market data: trades, book, queue, ticker, candles and status, each a chain of messages. No key is needed.",
        (s.Operation,),
        (
            s.Welcome, s.Subscribed, s.Unsubscribed, s.Pong, s.Heartbeat, ErrorMessage, s.Resumed, s.TradesSnapshot,
            s.TradeMessage, s.TradeChanged, s.BookSnapshot, s.BookDelta,
            s.QueueSnapshot, s.QueueDelta, s.TickerMessage, s.CandleMessage,
            s.StatusSnapshot, s.StatusMessage,
        ),
    ),
    "dropCopy": (
        "/api/v1/drop-copy/stream",
        "What became of one participant's orders: executions, cancels, busts, corrections. Needs a bearer key.",
        (d.DropCopyOperation,),
        (d.DropCopyBegun, d.DropCopy, d.DropCopyHeartbeat, ErrorMessage),
    ),
    "privateStream": (
        "/api/v1/private/stream",
        "What happens to one participant's own orders, as it happens. Needs a bearer key, or a login with a signature.",
        (p.PrivateOperation,),
        (
            p.Challenge, p.LoggedIn, p.PrivateBegun, p.PrivateEvent, d.DropCopy, p.PrivateHeartbeat, ErrorMessage,
        ),
    ),
}  # fmt: skip
"""Each WebSocket: its path, what it is, what clients send, what the server sends."""
_CLOSE_TEXT = "The reason of a close frame is JSON: `CloseReason`; `resume_from` is good for `from_seq`."


def describe() -> dict[str, Any]:
    """Return the description as plain values."""
    kinds = list(dict.fromkeys(kind for _, _, sent, heard in _CHANNELS.values() for kind in (*sent, *heard)))
    _, schemas = msgspec.json.schema_components([*kinds, CloseReason], ref_template=SCHEMA_PATH)
    outdent(schemas)
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for name, (path, text, sent, heard) in _CHANNELS.items():
        messages = {
            kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"} for kind in (*sent, *heard)
        }
        channels[name] = {"address": path, "description": text, "messages": messages}
        for action, of in (("receive", sent), ("send", heard)):
            operations[f"{name}{action.capitalize()}"] = {
                "action": action,
                "channel": {"$ref": f"#/channels/{name}"},
                "messages": [{"$ref": f"#/channels/{name}/messages/{kind.__name__}"} for kind in of],
            }
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "stock-exchange reporter",
            "version": __version__,
            "description": f"docs/websocket.md says how the messages play together. {_CLOSE_TEXT}",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"reporter": {"host": "127.0.0.1:8002", "protocol": "ws"}},
        "channels": channels,
        "operations": operations,
        "components": {"messages": {kind.__name__: _message(kind) for kind in kinds}, "schemas": schemas},
    }


def _message(kind: type) -> dict[str, Any]:
    summary = " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
    payload = {"$ref": SCHEMA_PATH.format(name=kind.__name__)}
    return {"name": kind.__name__, "summary": summary, "payload": payload}


def text() -> bytes:
    """Return the description as JSON, the same bytes for the same types."""
    return msgspec.json.format(msgspec.json.encode(describe(), order="sorted"), indent=1) + b"\n"


def routes() -> list[Route]:
    """List the route that serves it."""

    async def asyncapi(_: Call) -> dict[str, Any]:
        return describe()

    return [
        Route(
            "GET",
            "/asyncapi.json",
            asyncapi,
            "Describe the WebSockets in AsyncAPI",
            "system",
            returns=dict[str, Any],
        )
    ]


if __name__ == "__main__":
    sys.stdout.buffer.write(text())
