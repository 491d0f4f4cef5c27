"""OUCH sessions as JSON: who may log in, and how each session stands."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from exchange.wire.rest.texts import Id

UserText = Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,6}$", examples=["ALICE"])]


class NewSession(Struct, kw_only=True, forbid_unknown_fields=True):
    """An OUCH user to make. account: for which it enters orders."""

    user: UserText
    account: Id
    cancel_on_disconnect: bool = False


class CreatedSession(Struct, kw_only=True):
    """A new OUCH user. password: shown here once and never again."""

    id: Id
    user: UserText
    password: str
    participant: Id
    account: Id
    cancel_on_disconnect: bool
    port: int


class SessionView(Struct, kw_only=True):
    """An OUCH session. id: of its key; session: the SoupBinTCP session's name; sequence: of its last message;
    sent: of the last message that was sent on this connection; waiting_orders: not answered yet.
    """

    id: Id
    user: UserText
    participant: Id
    account: Id
    cancel_on_disconnect: bool
    connected: bool
    address: str
    session: str
    sequence: int
    sent: int
    next_user_ref_num: int
    live_orders: int
    waiting_orders: int
    received_messages: int


class SessionList(Struct):
    """The OUCH sessions that the key may see."""

    items: list[SessionView]


class RemovedSession(Struct, kw_only=True):
    """An OUCH user that is no more; its orders were cancelled."""

    id: Id
    user: UserText
    seq: int
