"""Who takes part: participants, their accounts, their keys, and what a key allows."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from exchange.domain.order import SelfTradeMode
from exchange.domain.printable import is_printable
from exchange.domain.units import AccountId, KeyId, ParticipantId

NAME_BYTES_MAX = 64
PARTICIPANTS_MAX = 100_000
ACCOUNTS_MAX = 1_000_000
KEYS_MAX = 1_000_000


class Role(IntEnum):
    """What a key allows its holder to do."""

    VIEWER = 1
    """Reads what belongs to its participant."""
    TRADER = 2
    """Enters and cancels orders for its participant's accounts."""
    RISK = 3
    """Cancels any order and suspends symbols."""
    CLEARING = 4
    """Holds, releases, busts and corrects trades."""
    OPERATOR = 5
    """Manages symbols, participants, accounts, keys, deposits; does what risk and clearing do."""
    AUDITOR = 6
    """Reads everything, changes nothing."""
    COMPONENT = 7
    """Another component of the exchange: reads the event stream; clearing busts with it."""


class Participant(msgspec.Struct, frozen=True, gc=False):
    """A member of the exchange. Members of one self-trade group, 0 for none, do not trade with each other."""

    participant_id: ParticipantId
    name: str
    self_trade_group: int = 0
    self_trade_mode: SelfTradeMode = SelfTradeMode.NONE


class Account(msgspec.Struct, frozen=True, gc=False):
    """An account of a participant; cash and shares are held per account."""

    account_id: AccountId
    participant_id: ParticipantId
    name: str


class Key(msgspec.Struct, frozen=True, gc=False):
    """A bearer key, known by its SHA-256 only. participant_id: 0 for a key of the exchange itself."""

    key_id: KeyId
    participant_id: ParticipantId
    role: Role
    sha256: bytes
    label: str


_MADE_BY = " (of "


def made_by(label: str, maker: str) -> str:
    """Return the label of a key of the exchange that a person had made: it names whose it is for ever."""
    return f"{label}{_MADE_BY}{person_of(maker)})"


def person_of(label: str) -> str:
    """Return who answers for a key: who had it made, and the keys before it; its own label where nobody did.

    Keys that somebody had made for himself, however many and by whatever way, are of one person.
    """
    own, mark, maker = label.rpartition(_MADE_BY)
    return maker[:-1] if mark and own and maker.endswith(")") else label


def is_valid_name(text: str) -> bool:
    """Tell whether a text can be a name: 1 to 64 bytes of UTF-8, printable, no blank at either end.

    What is printable is fixed (`domain/printable.py`), and the only printable blank is the space.
    """
    return (
        0 < len(text) <= NAME_BYTES_MAX
        and is_printable(text)
        and len(text.encode()) <= NAME_BYTES_MAX
        and not text.startswith(" ")
        and not text.endswith(" ")
    )
