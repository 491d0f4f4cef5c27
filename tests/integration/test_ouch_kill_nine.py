"""kill -9 of the engine while OUCH orders come in: each client comes back and has every answer exactly once."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from exchange.wire import ouch, soupbintcp
from exchange.wire import ouch_messages as m
from tests.integration.exchange_process import Client, ExchangeProcess, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
SEED = 20261123
ROUNDS = int(os.environ.get("KILL_ROUNDS", "4"))
WINDOW = 200
"""Requests that a trader has unanswered at most."""
PRICE = 100_000


class Trader(threading.Thread):
    """A client as the recipe of OUCH says: it keeps what it was sent, and what was not answered it sends again."""

    def __init__(self, port: int, user: str, password: str, seed: int) -> None:
        super().__init__(daemon=True)
        self.address = ("127.0.0.1", port)
        self.user, self.password = user, password
        self.chance = random.Random(seed)
        self.stream: list[bytes] = []
        self.requests: dict[int, m.Inbound] = {}
        self.answered: set[int] = set()
        self.live: list[int] = []
        self.session = ""
        self.stopping = False
        self.error = ""

    def connect(self) -> socket.socket:
        """Log in from the message that is due."""
        connection = socket.create_connection(self.address, timeout=20)
        wanted = len(self.stream) + 1
        login = soupbintcp.LoginRequest(self.user, self.password, self.session, wanted)
        connection.sendall(soupbintcp.login_request(login))
        self.buffer = b""
        kind, payload = self.packet(connection)
        assert kind == soupbintcp.LOGIN_ACCEPTED, (kind, payload)
        accepted = soupbintcp.read_login_accepted(payload)
        assert accepted.sequence == wanted
        assert self.session in ("", accepted.session)
        self.session = accepted.session
        return connection

    def packet(self, connection: socket.socket) -> soupbintcp.Packet:
        while True:
            if len(self.buffer) > 1 and len(self.buffer) >= (end := 2 + int.from_bytes(self.buffer[:2])):
                (packet,) = soupbintcp.split(self.buffer[:end])[0]
                self.buffer = self.buffer[end:]
                return packet
            data = connection.recv(65_536)
            if not data:
                raise ConnectionResetError
            self.buffer += data

    def run(self) -> None:
        """Trade until the engine is gone."""
        try:
            with self.connect() as connection:
                self.send_again(connection)
                while not self.stopping:
                    while len(self.requests) - len(self.answered) < WINDOW:
                        self.send(connection, *(self.make(number) for number in self.next_numbers(20)))
                    self.take(connection)
        except OSError:
            return
        except AssertionError as error:
            self.error = repr(error)
            raise

    def finish(self) -> None:
        """Come back a last time and read until everything is answered, and what came behind the last answer."""
        with self.connect() as connection:
            self.send_again(connection)
            while len(self.answered) < len(self.requests):
                self.take(connection)
            self.send(connection, m.AccountQuery())
            while not isinstance(self.take(connection), m.AccountQueryResponse):
                pass

    def send_again(self, connection: socket.socket) -> None:
        """Read what was missed, up to the answer of a query, then send what has no answer, with its number."""
        self.send(connection, m.AccountQuery())
        while not isinstance(self.take(connection), m.AccountQueryResponse):
            pass
        unanswered = sorted(set(self.requests) - self.answered)
        self.send(connection, *(self.requests[number] for number in unanswered))

    def next_numbers(self, count: int) -> range:
        return range(len(self.requests) + 1, len(self.requests) + 1 + count)

    def make(self, number: int) -> m.Inbound:
        order = m.EnterOrder(
            user_ref_num=number, side=self.chance.choice("BS"), quantity=self.chance.randint(1, 9), symbol="XYZ",
            price=PRICE + 100 * self.chance.randint(-5, 5) + (self.chance.random() < 0.02),
            time_in_force=self.chance.choice("003"), cl_ord_id=f"{self.user}{number}",
        )  # fmt: skip
        self.requests[number] = order
        return order

    def send(self, connection: socket.socket, *messages: m.Inbound) -> None:
        packets = (soupbintcp.packet(soupbintcp.UNSEQUENCED, ouch.encode(message)) for message in messages)
        connection.sendall(b"".join(packets))

    def take(self, connection: socket.socket) -> Any:
        """Take one message in; every answer of a number comes once."""
        while True:
            kind, payload = self.packet(connection)
            if kind == soupbintcp.SERVER_HEARTBEAT:
                connection.sendall(soupbintcp.packet(soupbintcp.CLIENT_HEARTBEAT))
            if kind != soupbintcp.SEQUENCED:
                continue
            self.stream.append(payload)
            message = ouch.decode_outbound(payload)
            if isinstance(message, m.Accepted | m.Rejected):
                assert message.user_ref_num not in self.answered, f"{message.user_ref_num} was answered twice"
                assert message.cl_ord_id == f"{self.user}{message.user_ref_num}"
                self.answered.add(message.user_ref_num)
            return message


def test_every_answer_comes_exactly_once_whatever_was_killed(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with ExchangeProcess(tmp_path / "data") as exchange:
        members = {name: exchange.keys()["participants"][name] for name in ("alice", "bob")}
        port = exchange.port_base + 11
        traders = {
            name: Trader(port, found["ouch_user"], found["ouch_password"], number)
            for number, (name, found) in enumerate(members.items())
        }
        for _ in range(ROUNDS):
            running = [carry_on(trader) for trader in traders.values()]
            wait_for_answers(running, 500)
            time.sleep(chance.uniform(0, 0.5))
            exchange.kill()
            for trader in running:
                trader.join(60)
                assert not trader.is_alive()
                assert not trader.error, trader.error
            traders = dict(zip(traders, running, strict=True))
            exchange.start()
        for name, trader in traders.items():
            trader.finish()
            check_against_rest(exchange, trader, members[name]["key"])
            check_whole_stream(trader)


def wait_for_answers(traders: list[Trader], more: int) -> None:
    """Wait until the traders have so many more answers than now."""
    wanted = sum(len(trader.answered) for trader in traders) + more
    wait_for(lambda: sum(len(trader.answered) for trader in traders) >= wanted, f"{more} more answers")


def carry_on(trader: Trader) -> Trader:
    """Start a thread that goes on where another ended."""
    following = Trader(trader.address[1], trader.user, trader.password, trader.chance.randrange(2**32))
    following.stream, following.requests, following.answered = trader.stream, trader.requests, trader.answered
    following.session = trader.session
    following.start()
    return following


def check_against_rest(exchange: ExchangeProcess, trader: Trader, key: str) -> None:
    """Whatever was executed over OUCH is what REST says of the same orders."""
    client = Client(exchange.url("engine"), key)
    executed: dict[int, int] = {}
    references: dict[int, int] = {}
    for payload in trader.stream:
        message = ouch.decode_outbound(payload)
        if isinstance(message, m.Accepted):
            references[message.user_ref_num] = message.order_reference
        elif isinstance(message, m.Executed):
            executed[message.user_ref_num] = executed.get(message.user_ref_num, 0) + message.quantity
    assert set(executed) <= set(references)
    for number in random.Random(SEED).sample(sorted(references), min(200, len(references))):
        order = client.get(f"/api/v1/order/{references[number]}")
        assert int(order["filled_qty"]) == executed.get(number, 0), order


def check_whole_stream(trader: Trader) -> None:
    """Read from sequence 1: it is what came piece by piece."""
    whole = Trader(trader.address[1], trader.user, trader.password, 0)
    with whole.connect() as connection:
        whole.requests = trader.requests
        while len(whole.stream) < len(trader.stream):
            whole.take(connection)
    assert whole.stream == trader.stream
