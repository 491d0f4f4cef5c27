"""The private stream as JSON: everything that happens to one participant's own orders and accounts, as it happens."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from exchange.wire.rest.drop_copy import Sequence
from exchange.wire.rest.texts import Id, IdOrEmpty, SymbolOrEmpty, TimeText

SIGNATURE_CHARACTERS = 64


class PrivateOperation(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a client sends: `login` where it came without a key, then `subscribe`.

    signature: hexadecimal HMAC-SHA256 of the challenge's nonce; the secret is the SHA-256 of the key's text.
    from_seq: the first sequence wanted; left out: only what is new. participant: for keys of the exchange itself.
    """

    op: Literal["login", "subscribe"]
    key_id: IdOrEmpty = ""
    signature: Annotated[str, Meta(max_length=SIGNATURE_CHARACTERS)] = ""
    from_seq: Sequence | None = None
    participant: IdOrEmpty = ""


class Challenge(Struct, tag_field="type", tag="challenge"):
    """First of all to who came without a key: sign this and log in."""

    nonce: str


class LoggedIn(Struct, tag_field="type", tag="logged_in"):
    """The signature was right."""

    key_id: Id
    participant: Id


class PrivateBegun(Struct, tag_field="type", tag="subscribed"):
    """The subscription stands; what happened from from_seq on follows, then what happens."""

    participant: Id
    from_seq: int


class PrivateHeartbeat(Struct, tag_field="type", tag="heartbeat"):
    """Nothing happened for a while. seq: everything up to this event was sent."""

    seq: int


class PrivateEvent(Struct, kw_only=True):
    """What happened to one of the participant's orders or accounts.

    type: the event's name, such as `order_accepted`; data: its fields. Executions, cancels, busts and corrections
    come as `DropCopy` instead. account: empty where all of the participant is meant. Nothing of another is in it.
    """

    type: str
    seq: int
    at: TimeText
    account: IdOrEmpty
    symbol: SymbolOrEmpty
    data: dict[str, Any]
