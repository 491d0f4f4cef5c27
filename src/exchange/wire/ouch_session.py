"""The state of OUCH sessions, which the events make: numbers used, live orders, recent trades.

A session is a key of the exchange with a label like `ouch:ALICE1 account=1 cancel_on_disconnect`; the key's number is
the session's. Nothing here is known that the event stream does not tell, but what waits for its answer.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from exchange.wire.ouch_reference import SESSIONS_MAX
from exchange.wire.soupbintcp import USER_CHARACTERS_MAX

TRADES_REMEMBERED = 65_536
"""Latest trades of sessions, which Broken Trade and Trade Correction can name; older ones are not announced here."""
LABEL = re.compile(
    rf"ouch:([A-Z0-9]{{1,{USER_CHARACTERS_MAX}}}) account=(\d{{1,10}})( cancel_on_disconnect)?\Z"
)


class SessionTerms(NamedTuple):
    """What an operator decided about a session."""

    user: str
    account_id: int
    cancel_on_disconnect: bool

    def label(self) -> str:
        """Return the label of the session's key."""
        ending = " cancel_on_disconnect" if self.cancel_on_disconnect else ""
        return f"ouch:{self.user} account={self.account_id}{ending}"


def terms_of(label: str, key_id: int) -> SessionTerms | None:
    """Return the terms of the session that a key is, None where it is none."""
    found = LABEL.match(label)
    if found is None or key_id > SESSIONS_MAX:
        return None
    return SessionTerms(found[1], int(found[2]), bool(found[3]))


class OuchOrder(msgspec.Struct, array_like=True, gc=False):
    """A live order. reference: its client order id; quantity: whole, filled part included."""

    order_id: int
    session: int
    number: int
    reference: bytes
    symbol_id: int
    order_type: int
    price: int
    quantity: int
    leaves: int
    is_post_only: bool
    is_cancelling: bool = False


class OuchTrade(msgspec.Struct, array_like=True, gc=False):
    """A side of a recent trade. added: whether it was the resting one."""

    session: int
    order_id: int
    number: int
    added: bool
    cl_ord_id: bytes


class Session(msgspec.Struct, array_like=True):
    """One OUCH user. last_number: the highest user reference number seen; sequence: of its last message."""

    session: int
    user: str
    account_id: int
    participant_id: int
    cancel_on_disconnect: bool
    last_number: int = 0
    sequence: int = 0
    is_disabled: bool = False
    """Whether the stream says that order entry is disabled."""


class Announced(NamedTuple):
    """What a note said of the command right after it. number: the user reference number it is about."""

    command: int = 0
    session: int = 0
    kind: int = 0
    number: int = 0


class State(msgspec.Struct):
    """All sessions of an engine, as its events made them."""

    event_sequence: int = 0
    business_date: int = 0
    sessions: dict[int, Session] = {}
    orders: dict[int, OuchOrder] = {}
    """Live orders of sessions by order id."""
    trades: dict[int, list[OuchTrade]] = {}
    """Recent trades by match id, oldest first."""
    symbols: dict[int, bytes] = {}
    """Symbols of 8 bytes by id."""
    announced: Announced = Announced()
    firm: int = 0x2020_2020
    symbol_id: int = 0
    """What notes have said for the note after them."""
