"""The small OUCH client of the command line, against a server that says what a test tells it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exchange.wire import ouch, soupbintcp
from exchange.wire import ouch_messages as m
from tests.cli.conftest import KEYS, Run

ACCEPTED = m.Accepted(
    timestamp=1, user_ref_num=4, side="B", quantity=100, symbol="XYZ", price=99_900, time_in_force="0", display="Y",
    order_reference=42, capacity="A", intermarket_sweep="N", cross_type="N", state="L", cl_ord_id="MINE",
)  # fmt: skip
HEARTBEATS = soupbintcp.packet(soupbintcp.SERVER_HEARTBEAT) * 2


def said(*messages: m.Outbound) -> bytes:
    return b"".join(soupbintcp.packet(soupbintcp.SEQUENCED, ouch.encode(message)) for message in messages)


class StubGateway:
    """Answers one login, then to each message with what `answer` returns; keeps what it was sent."""

    def __init__(self) -> None:
        self.login: soupbintcp.LoginRequest | None = None
        self.messages: list[m.Inbound] = []
        self.greeting = soupbintcp.login_accepted(soupbintcp.LoginAccepted("2026112300", 7))
        self.answer: Callable[[m.Inbound], bytes] = lambda _: HEARTBEATS
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            data = b""
            while more := connection.recv(65_536):
                data += more
                packets, consumed = soupbintcp.split(data)
                data = data[consumed:]
                for kind, payload in packets:
                    if kind == soupbintcp.LOGIN_REQUEST:
                        self.login = soupbintcp.read_login_request(payload)
                        connection.sendall(self.greeting)
                    elif kind == soupbintcp.UNSEQUENCED:
                        self.messages.append(ouch.decode_inbound(payload))
                        connection.sendall(self.answer(self.messages[-1]))


@pytest.fixture
def gateway(data: Path) -> Iterator[StubGateway]:
    stub = StubGateway()
    keys = json.loads(json.dumps(KEYS))
    keys["participants"]["alice"] |= {"ouch_user": "ALICE", "ouch_password": "secret"}
    (data / "keys.json").write_text(json.dumps(keys))
    addresses = json.loads((data / "addresses.json").read_text()) | {"ouch": stub.address}
    (data / "addresses.json").write_text(json.dumps(addresses))
    yield stub
    stub._listener.close()


def test_an_order_gets_the_next_number_and_its_answers_are_shown(run: Run, gateway: StubGateway) -> None:
    gateway.answer = lambda message: (
        said(m.AccountQueryResponse(timestamp=1, next_user_ref_num=4))
        if isinstance(message, m.AccountQuery)
        else said(ACCEPTED) + HEARTBEATS
    )
    ran = run("ouch", "enter", "buy", "xyz", "100", "9.99", "--cl-ord-id", "MINE")
    assert ran.code == 0, ran.err
    assert "8  Accepted" in ran.out
    assert "price=9.99" in ran.out
    assert gateway.login == soupbintcp.LoginRequest("ALICE", "secret", "", 0)
    assert gateway.messages[1] == m.EnterOrder(
        user_ref_num=4, side="B", quantity=100, symbol="XYZ", price=99_900, cl_ord_id="MINE"
    )


def test_a_refused_order_says_why_and_ends_with_one(run: Run, gateway: StubGateway) -> None:
    gateway.answer = lambda _: (
        said(m.Rejected(timestamp=1, user_ref_num=4, reason=0x17, cl_ord_id="")) + HEARTBEATS
    )
    ran = run("ouch", "enter", "sell", "NONE", "1", "--number", "4")
    assert (ran.code, "reason=invalid_symbol" in ran.out) == (1, True)
    assert gateway.messages[0] == m.EnterOrder(
        user_ref_num=4, side="S", quantity=1, symbol="NONE", price=ouch.MARKET_PRICE, time_in_force="3"
    )


def test_a_cancel_is_sent(run: Run, gateway: StubGateway) -> None:
    gateway.answer = lambda _: (
        said(m.Canceled(timestamp=1, user_ref_num=4, decrement=60, reason="U")) + HEARTBEATS
    )
    ran = run("ouch", "cancel", "4", "40", "--json")
    assert ran.json == {
        "sequence": 7, "message": "Canceled", "timestamp": 1, "user_ref_num": 4, "decrement": 60, "reason": "U",
        "appendage": [],
    }  # fmt: skip
    assert gateway.messages == [m.CancelOrder(user_ref_num=4, quantity=40)]


def test_the_stream_is_shown_from_where_it_is_wanted(run: Run, gateway: StubGateway) -> None:
    gateway.greeting += said(ACCEPTED) + HEARTBEATS
    ran = run("ouch", "watch", "--from", "7", "--once")
    assert (ran.code, ran.out.split()[:2]) == (0, ["7", "Accepted"])
    assert gateway.login is not None
    assert gateway.login.sequence == 7


def test_a_refused_login_says_so(run: Run, gateway: StubGateway) -> None:
    gateway.greeting = soupbintcp.packet(soupbintcp.LOGIN_REJECTED, b"A")
    ran = run("ouch", "watch", "--once")
    assert (ran.code, "user or password is wrong" in ran.err) == (1, True)


def test_who_has_no_user_is_told_how_to_get_one(run: Run, gateway: StubGateway) -> None:
    ran = run("ouch", "watch", "--as", "bob")
    assert (ran.code, "exchange sessions add" in ran.err) == (2, True)


def test_a_gateway_that_is_not_there_is_said(run: Run, data: Path) -> None:
    ran = run("ouch", "watch", "--to", "127.0.0.1:1", "--user", "A", "--password", "B")
    assert (ran.code, "cannot reach the OUCH gateway" in ran.err) == (3, True)


def test_bytes_are_read(run: Run) -> None:
    ran = run("ouch", "decode", "00 0a 55 58 00 00 00 01 00 00 00 00 00 01")
    assert ran.code == 0
    assert "CancelOrder" in ran.out
    assert "2 bytes are left" in ran.out
    assert run("ouch", "decode", "zz").code == 2
    assert run("ouch", "decode", "00 02 55 5a").code == 2
