"""A venue and a translator with two sessions, ALICE (1) and BOB (2), and nothing between them: no socket, no file."""

from __future__ import annotations

from typing import Any

from exchange.domain import commands as c
from exchange.domain.participant import Role
from exchange.domain.units import AccountId, ParticipantId, Price
from exchange.matching.venue import Venue
from exchange.wire import ouch, soupbintcp
from exchange.wire import ouch_messages as m
from exchange.wire.ouch_inbound import Decoded
from exchange.wire.ouch_session import SessionTerms
from exchange.wire.ouch_translator import OuchTranslator
from exchange.wire.records import encode_command, split

ALICE, BOB = 1, 2
PRICE = 1_892_000
MANY = 1_000_000
HOUR_NS = 3_600_000_000_000


def packets_of(*messages: m.Inbound) -> bytes:
    """Write messages as a client sends them."""
    return b"".join(soupbintcp.packet(soupbintcp.UNSEQUENCED, ouch.encode(message)) for message in messages)


def messages_in(packets: bytes) -> list[Any]:
    """Read the messages of a session's stream."""
    return [ouch.decode_outbound(packet.payload) for packet in soupbintcp.split(packets)[0]]


def order(number: int, side: str = "B", quantity: int = 100, price: int = PRICE, **more: Any) -> m.EnterOrder:
    """Make an order in AAPL."""
    return m.EnterOrder(user_ref_num=number, side=side, quantity=quantity, symbol="AAPL", price=price, **more)


class Market:
    """Commands are numbered and matched at once; `streams` gathers what each session was sent since it was asked."""

    def __init__(self) -> None:
        self.venue = Venue()
        self.translator = OuchTranslator()
        self.events = b""
        self.time_ns = HOUR_NS
        self.streams: dict[int, bytes] = {}
        self.runs: list[Any] = []
        self.carry_out(
            c.StartEngine(epoch=1),
            c.StartBusinessDay(date=20261123),
            c.AddSymbol(symbol="AAPL", name="Apple", reference_price=Price(PRICE)),
            c.AddSymbol(symbol="MSFT", name="Microsoft", reference_price=Price(PRICE)),
        )
        for number, user in ((ALICE, "ALICE"), (BOB, "BOB")):
            label = SessionTerms(user, number, cancel_on_disconnect=False).label()
            self.carry_out(
                c.CreateParticipant(name=user),
                c.CreateAccount(participant_id=ParticipantId(number), name="main"),
                c.CreateKey(
                    participant_id=ParticipantId(number),
                    role=Role.TRADER,
                    sha256=bytes([number]) * 32,
                    label=label,
                ),
            )
        self.streams.clear()

    def carry_out(self, *commands: c.Command) -> bytes:
        """Have commands matched that come from elsewhere."""
        return self.apply(b"".join(map(encode_command, commands)))

    def apply(self, commands: bytes) -> bytes:
        """Have records matched, and what follows from them told to the sessions."""
        if not commands:
            return b""
        self.time_ns += 1
        applied = self.venue.apply_batch([commands], self.time_ns)
        events: bytes = applied.events
        self.events += events
        for run in self.translator.encode(events):
            self.runs.append(run)
            if run.session:
                self.streams[run.session] = self.streams.get(run.session, b"") + run.packets
        for follow_up in self.translator.follow_ups():
            self.apply(follow_up)
        return events

    def send(self, session: int, *messages: m.Inbound) -> Decoded:
        """Have a client's messages understood and matched, in as many turns as it takes."""
        data = packets_of(*messages)
        while True:
            decoded = self.translator.decode(session, data, MANY)
            assert sum(1 for _ in split(decoded.commands)) == decoded.command_count
            self.apply(decoded.commands)
            data = data[decoded.consumed :]
            if not data:
                return decoded
            assert decoded.commands or decoded.consumed, "it would wait for ever"

    def said(self, session: int) -> list[Any]:
        """Return what a session was sent since the last call."""
        return messages_in(self.streams.pop(session, b""))

    def answers(self, session: int, *messages: m.Inbound) -> list[Any]:
        """Send messages and return what the session was sent."""
        self.send(session, *messages)
        return self.said(session)

    def account(self, session: int) -> AccountId:
        return AccountId(session)
