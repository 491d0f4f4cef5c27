"""Webhooks as JSON: where a participant wants to be told, what is sent there, and what could not be."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from exchange.wire.rest.texts import Id, IdOrEmpty, SymbolText, TimeText, text

URL_CHARACTERS_MAX = 500
SYMBOLS_MAX = 200
Sequence = Annotated[int, Meta(ge=0, lt=10**18)]
Channel = Literal["drop_copy", "trades", "status"]
State = Literal["active", "stopped"]
UrlText = Annotated[str, text("Where to send to.", "https?://.+", "http://127.0.0.1:9000/hook")]


class NewWebhook(Struct, kw_only=True, forbid_unknown_fields=True):
    """A webhook to make.

    channel: `drop_copy`, what became of the participant's own orders; `trades` and `status`, as on the stream. symbols:
    for these two; empty: all. from_seq: the first sequence wanted; left out: only what is new.
    """

    url: UrlText
    channel: Channel = "drop_copy"
    symbols: Annotated[list[SymbolText], Meta(max_length=SYMBOLS_MAX)] = []
    from_seq: Sequence | None = None


class WebhookView(Struct, kw_only=True):
    """A webhook. sent_seq: everything up to this event was delivered, or is a dead letter; failures: tries of the
    delivery in hand that failed; problem: why the last one did; state: `stopped` takes nothing until it is started.
    """

    id: Id
    participant: Id
    url: UrlText
    channel: Channel
    symbols: list[SymbolText]
    state: State
    sent_seq: int
    delivered: int
    dead_letters: int
    failures: int
    problem: str
    created_at: TimeText


class CreatedWebhook(WebhookView, kw_only=True):
    """A new webhook. secret: deliveries are signed with it; shown here once and never again."""

    secret: str


class WebhookQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whose webhooks. participant: for keys of the exchange itself; empty: all."""

    participant: IdOrEmpty = ""


class WebhookList(Struct):
    """Webhooks, oldest first."""

    items: list[WebhookView]


class Delivery(Struct, kw_only=True):
    """What is posted to a webhook: messages as they stand on its channel, in order.

    first_seq, last_seq: of the first and last message; a delivery that is repeated has the same id in its header.
    """

    webhook: Id
    channel: Channel
    first_seq: int
    last_seq: int
    messages: list[Any]


class DeadLetter(Struct, kw_only=True):
    """A delivery that nobody took. id: as in its header; body: what was posted."""

    id: str
    first_seq: int
    last_seq: int
    tries: int
    problem: str
    at: TimeText
    body: Any


class DeadLetterList(Struct):
    """A webhook's dead letters, oldest first; at most 100."""

    items: list[DeadLetter]


class Redelivered(Struct, kw_only=True):
    """What came of sending dead letters again: how many were taken, how many are left, and why the next was not."""

    delivered: int
    left: int
    problem: str = ""
