"""Bad input of every kind against a running exchange: answered in the one form, in bounds, and nobody else notices.

The tables are to be read: what is sent, and which status, reason and field come back.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from tests.integration.bystander import Bystander
from tests.integration.exchange_process import Client, ExchangeProcess

pytestmark = pytest.mark.integration
PORTS = {"engine": 1, "reporter": 2, "clearing": 3}
ANSWER_BYTES_MAX = 2_000
LATE_S = 30
"""Slow requests are cut off after 10 s, on a busy machine a little later."""
DIGITS_30 = 10**29
SYMBOL = {"symbol": "ACME", "name": "Acme", "reference_price": "25.00"}
ORDER = {"symbol": "AAPL", "side": "buy", "qty": "10", "price": "189.20"}
MISSING = object()
MEDIA = "media_type_not_supported"


class Bad(NamedTuple):
    """A request and what it is answered. path: `POST /api/v1/order`; body: JSON, or bytes as they are."""

    what: str
    path: str
    body: object
    status: int
    reason: str
    field: str = ""
    who: str = "alice"
    at: str = "engine"
    header: str = ""


def order(**changes: object) -> dict[str, object]:
    """Return a good order with changes; MISSING leaves a field out."""
    return {name: value for name, value in {**ORDER, **changes}.items() if value is not MISSING}


def enter(what: str, body: object, status: int, reason: str, field: str = "") -> Bad:
    return Bad(what, "POST /api/v1/order", body, status, reason, field)


def look(what: str, where: str, status: int, reason: str, field: str, who: str = "alice") -> Bad:
    component, path = where.split()
    return Bad(what, f"GET /api/v1{path}", None, status, reason, field, who, component)


def rule(
    what: str, path: str, body: object, status: int, reason: str, field: str = "", at: str = "engine"
) -> Bad:
    who = "clearing" if at == "clearing" else "operator"
    return Bad(what, f"POST /api/v1{path}", body, status, reason, field, who, at)


def subscribe(**fields: object) -> bytes:
    """Return an operation on the stream; a channel and a symbol are named unless given."""
    return json.dumps({"op": "subscribe", "channel": "book", "symbols": ["AAPL"], **fields}).encode()


# fmt: off
JSON = [
    enter("cut off",               b'{"symbol": "AAPL", "qty":', 400, "malformed_json"),
    enter("nothing",               b"", 400, "malformed_json"),
    enter("not JSON",              b"symbol=AAPL&qty=10", 400, "malformed_json"),
    enter("NaN",                   b'{"symbol": "AAPL", "side": "buy", "qty": NaN}', 400, "malformed_json"),
    enter("Infinity",              b'{"symbol": "AAPL", "side": "buy", "qty": Infinity}', 400, "malformed_json"),
    enter("a number of 1e999",     b'{"symbol": "AAPL", "side": "buy", "qty": 1e999}', 400, "number_too_long", "qty"),
    enter("no UTF-8",              b'{"symbol": "\xff\xfe", "side": "buy", "qty": 1}', 400, "malformed_json"),
    enter("half a surrogate",      b'{"symbol": "\\ud800", "side": "buy", "qty": 1}', 400, "malformed_json"),
    enter("something behind it",   json.dumps(ORDER).encode() + b" {}", 400, "malformed_json"),
    enter("an array",              [ORDER], 400, "invalid_field"),
    enter("null",                  b"null", 400, "invalid_field"),
    enter("deep nesting",          b'{"symbol": ' + b"[" * 30_000, 400, "invalid_field", "symbol"),
    enter("deep nesting, unknown", b'{"x": ' + b"[" * 30_000, 400, "unknown_field", "x"),
    enter("only open brackets",    b"[" * 60_000, 400, "invalid_field"),
    enter("an unknown field",      order(colour="red"), 400, "unknown_field", "colour"),
    enter("a missing field",       order(qty=MISSING), 400, "missing_field", "qty"),
    enter("70,000 bytes",          order(symbol="A" * 70_000), 413, "body_too_large"),
    Bad("an order for an array",   "POST /api/v1/orders", ORDER, 400, "invalid_field"),
    Bad("1,001 orders",            "POST /api/v1/orders", [ORDER] * 1_001, 413, "body_too_large"),
    Bad("brackets in an array",    "POST /api/v1/orders", b"[" * 500_000, 400, "invalid_field", "[0]"),
]

NUMBERS = [
    enter("a quantity of 30 digits",       order(qty=DIGITS_30), 400, "invalid_field", "qty"),
    enter("a quantity of 400 digits",      order(qty="1" * 400), 400, "invalid_field", "qty"),
    enter("more shares than fit",          order(qty=2**32), 422, "notional_overflow", "qty"),
    enter("price × quantity too large",    order(qty=2**32 - 1, price="199999.99"), 422, "notional_overflow", "qty"),
    enter("no shares",                     order(qty=0), 422, "quantity_not_positive", "qty"),
    enter("no shares, as a text",          order(qty="0"), 422, "quantity_not_positive", "qty"),
    enter("fewer than no shares",          order(qty=-5), 422, "quantity_not_positive", "qty"),
    enter("half a share",                  order(qty="1.5"), 400, "invalid_field", "qty"),
    enter("a quantity with a fraction",    order(qty=1.5), 400, "invalid_field", "qty"),
    enter("a quantity of true",            order(qty=True), 400, "invalid_field", "qty"),
    enter("a quantity of null",            order(qty=None), 400, "invalid_field", "qty"),
    enter("Arabic digits",                 order(qty="\u0661\u0662"), 400, "invalid_field", "qty"),
    enter("a price of 1e5",                order(price="1e5"), 400, "invalid_field", "price"),
    enter("a price as a number",           order(price=189.2), 400, "invalid_field", "price"),
    enter("a price with a comma",          order(price="189,20"), 400, "invalid_field", "price"),
    enter("a price with a blank",          order(price=" 189.20"), 400, "invalid_field", "price"),
    enter("too many decimals",             order(price="189.20001"), 400, "invalid_field", "price"),
    enter("between two ticks",             order(price="189.205"), 422, "price_not_on_tick", "price"),
    enter("a price of zero",               order(price="0.00"), 400, "invalid_field", "price"),
    enter("a price below zero",            order(price="-1"), 400, "invalid_field", "price"),
    enter("a price above all",             order(price="200000.00"), 400, "invalid_field", "price"),
    enter("no price",                      order(price=MISSING), 422, "price_missing", "price"),
    enter("a market order with a price",   order(type="market"), 422, "price_not_allowed", "price"),
]

VALUES = [
    enter("an unknown symbol",             order(symbol="NOPE"), 422, "unknown_symbol", "symbol"),
    enter("a long symbol",                 order(symbol="A" * 5_000), 422, "unknown_symbol", "symbol"),
    enter("a symbol of NUL",               order(symbol="\0"), 422, "unknown_symbol", "symbol"),
    enter("an unknown side",               order(side="hold"), 422, "side_invalid", "side"),
    enter("an unknown type",               order(type="haggle"), 422, "order_type_invalid", "type"),
    enter("an unknown time in force",      order(time_in_force="ever"), 422, "time_in_force_invalid", "time_in_force"),
    enter("a stop with a limit's price",   order(type="stop"), 422, "price_not_allowed", "price"),
    enter("a stop limit without its stop", order(type="stop_limit"), 422, "stop_price_missing", "stop_price"),
    enter("good till no date",             order(time_in_force="gtd"), 422, "expiry_invalid", "expires_at"),
    enter("a minimum above the quantity",  order(min_qty="1000000"), 422, "minimum_quantity_invalid", "min_qty"),
    enter("all or none in parts",          order(all_or_none=True, display_qty="1"), 422, "display_not_allowed",
          "display_qty"),
    enter("post-only of yes",              order(post_only="yes"), 400, "invalid_field", "post_only"),
    enter("a name with a blank",           order(client_order_id="a b"), 400, "invalid_field", "client_order_id"),
    enter("a name of 37 characters",       order(client_order_id="x" * 37), 400, "invalid_field", "client_order_id"),
    enter("an account of letters",         order(account="x"), 400, "invalid_field", "account"),
    enter("an account of 30 digits",       order(account=str(DIGITS_30)), 400, "invalid_field", "account"),
    enter("somebody else's account",       order(account="2"), 422, "unknown_account", "account"),
]

DOORS = [
    Bad("no key",             "POST /api/v1/order", ORDER, 401, "key_missing", who=""),
    Bad("a wrong key",        "POST /api/v1/order", ORDER, 401, "key_unknown", who="nobody"),
    Bad("a key of 5,000",     "POST /api/v1/order", ORDER, 401, "key_unknown", who="x" * 5_000),
    Bad("another scheme",     "POST /api/v1/order", ORDER, 401, "key_unknown", who="", header="Authorization: Basic x"),
    Bad("the wrong role",     "POST /api/v1/order", ORDER, 403, "role_not_allowed", who="operator"),
    Bad("a trader's keys",    "POST /api/v1/keys", {"role": "operator"}, 403, "role_not_allowed"),
    Bad("a trader's events",  "GET /api/v1/events", None, 403, "role_not_allowed"),
    Bad("a trader's bust",    "POST /api/v1/trades/5/bust", {"reason": "x"}, 403, "role_not_allowed", at="clearing"),
    Bad("the wrong method",   "PUT /api/v1/order", ORDER, 405, "method_not_allowed"),
    Bad("no method at all",   "FETCH /api/v1/order", None, 400, "malformed_request"),
    Bad("an unknown path",    "GET /api/v1/nothing", None, 404, "unknown_path"),
    Bad("a way out",          "GET /../../etc/passwd", None, 404, "unknown_path", at="reporter"),
    Bad("a hidden way out",   "GET /%2e%2e/%2e%2e/etc/passwd", None, 404, "unknown_path", at="reporter"),
    Bad("a form",             "POST /api/v1/order", b"a=1", 415, MEDIA, header="Content-Type: text/x"),
    Bad("a compressed body",  "POST /api/v1/order", b"\x1f", 415, MEDIA, header="Content-Encoding: gzip"),
    Bad("REST at the stream", "GET /api/v1/stream", None, 426, "upgrade_required", at="reporter"),
]

PARAMETERS = [
    look("an id of letters",     "engine /order/abc", 400, "invalid_parameter", "order_id"),
    look("an id below zero",     "engine /order/-1", 400, "invalid_parameter", "order_id"),
    look("an id of 30 digits",   f"engine /order/{DIGITS_30}", 400, "invalid_parameter", "order_id"),
    look("an id of NUL",         "engine /order/%00", 400, "invalid_parameter", "order_id"),
    look("the largest id",       f"engine /order/{2**64 - 1}", 404, "unknown_order", "order_id"),
    look("an unknown symbol",    "engine /book?symbol=NOPE", 422, "unknown_symbol", "symbol"),
    look("no depth",             "engine /book?depth=0", 400, "invalid_parameter", "depth"),
    look("a depth of letters",   "engine /book?depth=abc", 400, "invalid_parameter", "depth"),
    look("a depth of 30 digits", f"engine /book?depth={DIGITS_30}", 400, "invalid_parameter", "depth"),
    look("unknown",              "engine /book?colour=red", 400, "unknown_parameter", "colour"),
    look("given twice",          "engine /book?symbol=AAPL&symbol=MSFT", 400, "invalid_parameter", "symbol"),
    look("too large a page",     "engine /orders?limit=1001", 400, "invalid_parameter", "limit"),
    look("a made-up cursor",     "engine /orders?cursor=x", 400, "invalid_parameter", "cursor"),
    look("a wait of NaN",        "engine /events?wait_s=nan", 400, "invalid_parameter", "wait_s", "auditor"),
    look("an endless wait",      "engine /events?wait_s=inf", 400, "invalid_parameter", "wait_s", "auditor"),
    look("a day there is not",   "reporter /statistics?date=2026-02-30", 400, "invalid_parameter", "date"),
    look("a time of day",        "reporter /candles?symbol=AAPL&from=noon", 400, "invalid_parameter", "from"),
    look("an odd interval",      "reporter /candles?symbol=AAPL&interval=7m", 404, "not_found", "interval"),
    look("a symbol left out",    "reporter /candles", 400, "missing_parameter", "symbol"),
    look("an unknown state",     "clearing /trades?state=odd", 400, "invalid_parameter", "state"),
    look("another's account",    "clearing /trades?account=2", 404, "unknown_account", "account"),
    look("a pair that is none",  "clearing /positions?cursor=5", 400, "invalid_parameter", "cursor"),
    look("an asset nobody has",  "clearing /ledger?asset=NOPE", 404, "unknown_symbol", "asset"),
]

OFFICE = [
    rule("cash below zero",     "/accounts/1/deposits", {"amount": "-5"}, 422, "amount_not_positive", "amount"),
    rule("a grain of cash",     "/accounts/1/deposits", {"amount": "0.00001"}, 400, "invalid_field", "amount"),
    rule("all the cash",        "/accounts/1/deposits", {"amount": "9" * 18}, 400, "invalid_field", "amount"),
    rule("cash and shares",     "/accounts/1/deposits", {"amount": 1, "symbol": "XYZ"}, 400, "invalid_field", "amount"),
    rule("more than there is",  "/accounts/1/withdrawals", {"amount": 10**9}, 422, "insufficient_balance", "amount"),
    rule("nobody's account",    "/accounts/999/deposits", {"amount": "1"}, 404, "not_found"),
    rule("a bell for a name",   "/participants", {"name": "\a"}, 422, "name_invalid", "name"),
    rule("a name that is taken", "/participants", {"name": "alice"}, 409, "name_taken", "name"),
    rule("an unknown role",     "/keys", {"role": "god"}, 422, "role_invalid", "role"),
    rule("a small symbol",      "/symbols", {**SYMBOL, "symbol": "acme"}, 400, "invalid_field", "symbol"),
    rule("no ticks",            "/symbols", {**SYMBOL, "ticks": []}, 422, "tick_table_invalid", "ticks"),
    rule("off its own ticks",   "/symbols", {**SYMBOL, "reference_price": "1.005"},
         422, "reference_price_invalid", "reference_price"),
    rule("a bell for a reason", "/symbols/AAPL/suspend", {"reason": "\a"}, 422, "name_invalid", "reason"),
    rule("yesterday",           "/business-day", {"date": "2020-01-01"}, 422, "business_date_not_later", "date"),
    rule("a bust without why",  "/trades/5/bust", {}, 400, "missing_field", "reason", "clearing"),
    rule("a bust of nothing",   "/trades/5/bust", {"reason": "x"}, 404, "unknown_trade", "match_id", "clearing"),
]

GET = b"GET /readyz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v1/order HTTP/1.1\r\nHost: x\r\n"
GARBAGE = [
    ("a TLS handshake",            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ("a line of text",             b"HELLO\r\n\r\n", 400),
    ("NULs",                       bytes(1_000) + b"\r\n\r\n", 400),
    ("every byte there is",        bytes(range(256)) * 40 + b"\r\n\r\n", 400),
    ("a line of 100,000 bytes",    b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", 400),
    ("a header of 100,000 bytes",  GET + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\n", 400),
    ("1,000 headers",              GET + b"".join(b"X-%d: y\r\n" % number for number in range(1_000)) + b"\r\n", 400),
    ("a length below zero",        GET + b"Content-Length: -1\r\n\r\n", 400),
    ("two lengths",                GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    ("a length beyond reason",     POST + b"Content-Length: 99999999999\r\n\r\n", 401),
    ("a chunk that is none",       POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", 400),
    ("HTTP/9.9",                   b"GET / HTTP/9.9\r\n\r\n", 400),
]

SLOW = [
    ("nothing at all",             "", b"", 408),
    ("half a request line",        "", b"GET /read", 408),
    ("headers without end",        "", GET, 408),
    ("a body that never comes",    "alice", b"Content-Length: 50\r\n\r\n", 408),
    ("half a body",                "alice", b'Content-Length: 50\r\n\r\n{"symbol": "AAPL"', 408),
]

STREAM = [
    ("not JSON",                   b"hello", "malformed_json", ""),
    ("cut off",                    b'{"op": "ping"', "malformed_json", ""),
    ("NaN",                        b'{"op": "subscribe", "depth": NaN}', "malformed_json", ""),
    ("an array",                   b"[]", "invalid_field", ""),
    ("deep nesting",               b'{"op": ' + b"[" * 30_000, "invalid_field", "op"),
    ("no operation",               b"{}", "missing_field", "op"),
    ("an unknown operation",       b'{"op": "dance"}', "unknown_operation", "op"),
    ("an unknown field",           b'{"op": "ping", "colour": "red"}', "unknown_field", "colour"),
    ("an id of 65 characters",     subscribe(id="x" * 65), "invalid_field", "id"),
    ("no channel",                 subscribe(channel=""), "unknown_channel", "channel"),
    ("an unknown channel",         subscribe(channel="gossip"), "unknown_channel", "channel"),
    ("an unknown symbol",          subscribe(symbols=["NOPE"]), "unknown_symbol", "symbols"),
    ("no symbols",                 subscribe(symbols=[]), "invalid_field", "symbols"),
    ("symbols of numbers",         subscribe(symbols=[5]), "invalid_field", "symbols[0]"),
    ("201 symbols",                subscribe(symbols=["A"] * 201), "invalid_field", "symbols"),
    ("a depth below zero",         subscribe(depth=-1), "invalid_field", "depth"),
    ("a depth of 30 digits",       subscribe(depth=DIGITS_30), "number_too_long", ""),
    ("a sequence below zero",      subscribe(from_seq=-1), "invalid_field", "from_seq"),
    ("an odd interval",            subscribe(channel="candles", interval="7m"), "invalid_field", "interval"),
    ("what was not subscribed to", subscribe(op="unsubscribe"), "invalid_field", "symbols"),
]
# fmt: on


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangeProcess]:
    """Run an exchange, with a bystander who must not notice any of this."""
    with ExchangeProcess(tmp_path_factory.mktemp("bad_input") / "data") as running:
        key = running.keys()["participants"]["carol"]["key"]
        stream = running.url("reporter") + "/api/v1/stream"
        bystander = Bystander(running.url("engine"), stream, key, "MSFT")
        yield running
        bystander.stop()
        assert bystander.troubles == []
        assert bystander.orders > 0
        assert bystander.messages > bystander.orders, "each order came and went in the book"
        check_it_is_whole(running)


@pytest.mark.parametrize(
    "bad",
    [*JSON, *NUMBERS, *VALUES, *DOORS, *PARAMETERS, *OFFICE],
    ids=lambda bad: f"{bad.path.split('?')[0][:30]}: {bad.what}",
)
def test_a_bad_request_is_answered_in_the_one_form(exchange: ExchangeProcess, bad: Bad) -> None:
    method, path = bad.path.split(" ", 1)
    body = (
        b""
        if bad.body is None
        else bad.body
        if isinstance(bad.body, bytes)
        else json.dumps(bad.body).encode()
    )
    head = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", f"Content-Length: {len(body)}"]
    if bad.who:
        head.append(f"Authorization: Bearer {key_of(exchange, bad.who)}")
    head += [bad.header] if bad.header else []
    status, error = ask(exchange, bad.at, "\r\n".join(head).encode() + b"\r\n\r\n" + body)
    assert (status, error["reason"], error["field"]) == (bad.status, bad.reason, bad.field), error


@pytest.mark.parametrize("component", list(PORTS))
@pytest.mark.parametrize(("what", "sent", "status"), GARBAGE, ids=[row[0] for row in GARBAGE])
def test_garbage_on_a_port_is_answered_and_the_connection_closed(
    exchange: ExchangeProcess, component: str, what: str, sent: bytes, status: int
) -> None:
    if component != "engine" and sent.startswith(b"POST"):
        pytest.skip("only the engine takes orders")
    assert ask(exchange, component, sent)[0] == status, what


def test_slow_requests_are_cut_off_with_a_word(exchange: ExchangeProcess) -> None:
    with ThreadPoolExecutor(len(SLOW)) as pool:
        answers = list(pool.map(lambda row: ask(exchange, "engine", slow_request(exchange, row)), SLOW))
    assert [answer[0] for answer in answers] == [row[3] for row in SLOW]
    assert {answer[1]["reason"] for answer in answers} == {"request_timeout"}


def test_the_orders_of_others_cannot_be_seen_or_touched(exchange: ExchangeProcess) -> None:
    alice, bob = (Client(exchange.url("engine"), key_of(exchange, name)) for name in ("alice", "bob"))
    status, mine = alice.call("POST", "/api/v1/order", order(price="150.00", client_order_id="secret"))
    assert status == 201
    path = f"/api/v1/order/{mine['id']}"
    requests = [
        ("GET", path, None), ("DELETE", path, None), ("PATCH", path, {"qty": "1"}),
        ("POST", path + "/replace", {"qty": "1"}),
    ]  # fmt: skip
    for method, path, body in requests:
        status, error = bob.call(method, path, body)
        assert (status, error["reason"]) == (404, "unknown_order"), method
        assert "secret" not in json.dumps(error)
    entry = bob.get(f"/api/v1/book/{mine['id']}")
    assert "account" not in entry
    assert "client_order_id" not in entry
    assert alice.get(f"/api/v1/order/{mine['id']}")["status"] == "new"


def test_a_bad_item_of_an_array_spoils_no_other(exchange: ExchangeProcess) -> None:
    alice = Client(exchange.url("engine"), key_of(exchange, "alice"))
    bad = [order(price="x"), order(qty=0), order(symbol="NOPE"), order(side="hold"), order(price="189.205")]
    status, answer = alice.call("POST", "/api/v1/orders", [*bad, order(price="150.00")])
    assert status == 200
    assert [item["status"] for item in answer["items"]] == [400, 422, 422, 422, 422, 201]
    assert all(item["error"]["reason"] and item["error"]["field"] for item in answer["items"][:-1])


def test_bad_operations_on_the_stream_are_refused_in_band_and_the_stream_goes_on(
    exchange: ExchangeProcess,
) -> None:
    async def talk() -> list[tuple[str, str, str]]:
        address = exchange.url("reporter") + "/api/v1/stream"
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as stream:
            assert (await stream.receive_json())["type"] == "welcome"
            refused = []
            for what, sent, _, _ in STREAM:
                await stream.send_str(sent.decode())
                error = await answer_of(stream)
                assert error["type"] == "error", what
                refused.append((what, error["reason"], error["field"]))
            await stream.send_json({"op": "ping", "id": "still here"})
            assert (await answer_of(stream))["id"] == "still here"
            return refused

    assert asyncio.run(talk()) == [(what, reason, field) for what, _, reason, field in STREAM]


@pytest.mark.parametrize(
    ("what", "frame", "code"),
    [
        ("a binary message", b"\x82\x84\0\0\0\0ping", 1003),
        ("a frame of reserved bits", b"\xf1\x84\0\0\0\0ping", 1002),
        (
            "a message of 70,000 bytes",
            b"\x81\xff" + (70_000).to_bytes(8, "big") + bytes(4) + b"x" * 70_000,
            1009,
        ),
        ("a message that is no UTF-8", b"\x81\x82\0\0\0\0\xff\xfe", 1007),
        ("a message of 2^63 bytes", b"\x81\xff\x7f" + b"\xff" * 7 + bytes(4), 1009),
    ],
)
def test_a_frame_that_may_not_be_closes_the_stream_with_its_code(
    exchange: ExchangeProcess, what: str, frame: bytes, code: int
) -> None:
    upgrade = (
        b"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port_of(exchange, "reporter")), timeout=LATE_S) as connection:
        connection.sendall(upgrade)
        assert b" 101 " in connection.recv(4_096)
        connection.sendall(frame)
        received = read_to_the_end(connection)
    assert b"\x88" in received, what
    close = received[received.rindex(b"\x88") :]
    assert int.from_bytes(close[2:4], "big") == code, what


def test_a_stream_that_is_talked_to_without_end_is_closed(exchange: ExchangeProcess) -> None:
    async def talk() -> int | None:
        address = exchange.url("reporter") + "/api/v1/stream"
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as stream:
            with suppress(ConnectionError):
                for _ in range(1_000):
                    await stream.send_str('{"op": "ping"}')
            while (await stream.receive(timeout=LATE_S)).type is aiohttp.WSMsgType.TEXT:
                pass
            return stream.close_code

    assert asyncio.run(talk()) == 1008


# --- how it is asked ------------------------------------------------------------------------------


def key_of(exchange: ExchangeProcess, who: str) -> str:
    """Return the key of a participant or of the exchange itself; a stranger's name is its key."""
    keys = exchange.keys()
    key: str = keys["participants"][who]["key"] if who in keys["participants"] else keys.get(who, who)
    return key


def port_of(exchange: ExchangeProcess, component: str) -> int:
    return exchange.port_base + PORTS[component]


def ask(exchange: ExchangeProcess, component: str, sent: bytes) -> tuple[int, dict[str, Any]]:
    """Send bytes and read to the end; return the status and the error, which has the one form and is short."""
    with socket.create_connection(("127.0.0.1", port_of(exchange, component)), timeout=LATE_S) as connection:
        with suppress(ConnectionError):  # the answer may be there before all was sent
            connection.sendall(sent)
        received = read_to_the_end(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    assert len(received) < ANSWER_BYTES_MAX
    error: dict[str, Any] = json.loads(body)
    assert {"code", "reason", "message", "field", "retry", "request_id"} <= error.keys()
    assert error["message"]
    return int(head.split()[1]), error


def read_to_the_end(connection: socket.socket) -> bytes:
    """Read until the other side closes."""
    received = b""
    with suppress(ConnectionError):
        while chunk := connection.recv(65_536):
            received += chunk
    return received


def slow_request(exchange: ExchangeProcess, row: tuple[str, str, bytes, int]) -> bytes:
    """Return a request that stops in the middle."""
    _, who, sent, _ = row
    if not who:
        return sent
    key = key_of(exchange, who)
    return f"POST /api/v1/order HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n".encode() + sent


async def answer_of(stream: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """Return the next message that is not a heartbeat."""
    while (message := await stream.receive_json(timeout=LATE_S))["type"] == "heartbeat":
        pass
    found: dict[str, Any] = message
    return found


def check_it_is_whole(exchange: ExchangeProcess) -> None:
    """The same process still serves, agrees with itself, and has logged no failure of its own."""
    assert exchange.process is not None
    assert exchange.process.poll() is None
    for component in PORTS:
        assert Client(exchange.url(component)).call("GET", "/readyz")[0] == 200
    assert Client(exchange.url("clearing"), exchange.keys()["operator"]).get("/api/v1/prove")["holds"]
    log = Path(exchange.data.parent / f"{exchange.data.name}.log").read_text()
    assert "Traceback" not in log
    assert '"level":"error"' not in log
    assert exchange.stop() == 0
