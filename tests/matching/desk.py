"""A desk that sends commands to a venue and reads the events: what most tests of the matcher begin with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.units import parse_time
from exchange.matching.venue import Venue
from exchange.wire.records import decode_events, encode_command

START_NS = parse_time("2026-11-23T09:00:00Z")
MIDNIGHT_NS = parse_time("2026-11-24T00:00:00Z")
BUSINESS_DATE = 20261123
XYZ = 1
ANN, BOB, CAT = 1, 2, 3
NAMES = ("ann", "bob", "cat")

OPENING: tuple[c.Command, ...] = (
    c.StartEngine(epoch=1),
    c.StartBusinessDay(date=BUSINESS_DATE, ends_ns=MIDNIGHT_NS),
    c.AddSymbol(symbol="XYZ", name="Xyzzy", reference_price=100_000),
    *(c.CreateParticipant(name=name) for name in NAMES),
    *(c.CreateAccount(participant_id=number, name=name) for number, name in enumerate(NAMES, 1)),
)
"""One symbol, three members with an account each: ann, bob and cat have the ids 1, 2 and 3."""


class Desk:
    """Sends commands, each numbered by the venue's next sequence, in batches of one."""

    def __init__(self, venue: Venue | None = None, opening: Sequence[c.Command] = OPENING) -> None:
        self.venue = venue or Venue()
        self.time_ns = START_NS
        self.opened = self.send(*opening)

    def send(self, *commands: c.Command) -> list[e.Event]:
        """Send commands one after the other; return all their events."""
        return [event for command in commands for event in self.send_record(encode_command(command))]

    def send_record(self, record: bytes) -> list[e.Event]:
        """Send one command record, whatever its sequence says; return its events."""
        numbered = numbered_record(record, self.venue.command_sequence + 1)
        return decode_events(self.venue.apply(numbered, self.time_ns))

    def only(self, command: c.Command) -> Any:
        """Send a command that has one event; return it."""
        (event,) = self.send(command)
        return event

    def enter(
        self, side: Side, quantity: int, price: int, account_id: int = ANN, **more: Any
    ) -> list[e.Event]:
        """Enter a limit order for the day, or what `more` says."""
        return self.send(order(side, quantity, price, account_id, **more))


def numbered_record(record: bytes, sequence: int) -> bytes:
    """Put the sequence into a command record, as the sequencer does."""
    return record[:8] + sequence.to_bytes(8, "little") + record[16:]


def order(side: Side, quantity: int, price: int, account_id: int = ANN, **more: Any) -> c.EnterOrder:
    """Make a limit order for the day, or what `more` says."""
    fields: dict[str, Any] = {
        "symbol_id": XYZ, "order_type": OrderType.LIMIT, "time_in_force": TimeInForce.DAY,
    }  # fmt: skip
    fields |= {"account_id": account_id, "side": side, "quantity": quantity, "price": price} | more
    return c.EnterOrder(**fields)


def kinds(events: Sequence[e.Event]) -> list[str]:
    """Return the names of the events' types."""
    return [type(event).__name__ for event in events]
