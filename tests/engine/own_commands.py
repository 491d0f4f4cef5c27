"""A venue with two members in AAPL, for tests that need real events of their own commands."""

from __future__ import annotations

from typing import Any

from exchange.domain import commands as c
from exchange.domain.events import Event
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.participant import Role
from exchange.domain.units import AccountId, ParticipantId, Price, Quantity, SymbolId
from exchange.engine.submission import number
from exchange.infra.auth import Principal
from exchange.matching.venue import Venue
from exchange.wire.records import decode_events, encode_command

ALICE = Principal(1, 1, Role.TRADER, "alice")
BOB = Principal(2, 2, Role.TRADER, "bob")
OPERATOR = Principal(3, 0, Role.OPERATOR, "operator")
AUDITOR = Principal(4, 0, Role.AUDITOR, "auditor")
TIME_NS = 1_795_435_200_000_000_000
SETTING = (
    c.StartEngine(epoch=1),
    c.StartBusinessDay(date=20261123),
    c.AddSymbol(symbol="AAPL", name="Apple Inc.", reference_price=Price(1_892_000)),
    c.CreateParticipant(name="alice"),
    c.CreateParticipant(name="bob"),
    c.CreateAccount(participant_id=ParticipantId(1), name="main"),
    c.CreateAccount(participant_id=ParticipantId(2), name="main"),
)


class Desk:
    """A venue to send commands to, by value or as records."""

    def __init__(self) -> None:
        self.venue = Venue(0)
        self.stream = b""
        for command in SETTING:
            self.do(command)
        self.symbols = self.venue.directory.symbols

    def do(self, *commands: c.Command) -> bytes:
        return self.apply(b"".join(map(encode_command, commands)), len(commands))

    def apply(self, records: bytes, count: int) -> bytes:
        numbered = number(records, self.venue.command_sequence + 1, 0)
        events = self.venue.apply(numbered, TIME_NS + self.venue.command_sequence + count)
        self.stream += events
        return events

    def events(self) -> list[Event]:
        return decode_events(self.stream)


def order(account: int, side: Side, quantity: int, price: int = 0, **more: Any) -> c.EnterOrder:
    """An order in AAPL; without a price at market. price: in 1/10,000."""
    return c.EnterOrder(
        account_id=AccountId(account),
        symbol_id=SymbolId(1),
        side=side,
        order_type=OrderType.LIMIT if price else OrderType.MARKET,
        time_in_force=more.pop("time_in_force", TimeInForce.DAY),
        quantity=Quantity(quantity),
        price=Price(price),
        **more,
    )
