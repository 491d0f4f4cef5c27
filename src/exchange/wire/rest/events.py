"""The event stream as JSON for people; machines take it in binary (`wire/envelope.py`)."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec.structs import fields

from exchange.domain.configuration import change_names
from exchange.domain.events import CommandRejected, Event, OrderRejected
from exchange.domain.reasons import sentence
from exchange.domain.units import format_date, format_money, format_price, format_time

EVENTS_PAGE_MAX = 10_000
EVENTS_PAGE_DEFAULT = 1_000
WAIT_S_MAX = 30

_PRICES = ("price", "old_price", "new_price", "reference_price")
_TIMES = ("executed_ns", "ends_ns")
_HEADER = tuple(field.name for field in fields(Event))
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


EventLimit = Annotated[int, Meta(ge=1, le=EVENTS_PAGE_MAX, description="At most; never half a command.")]


class EventsQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which events: those after a sequence. wait_s: how long to wait where there is none yet."""

    after: Annotated[
        int, Meta(ge=0, lt=10**18, description="Sequence of the last event already known; 0 for none.")
    ] = 0
    wait_s: Annotated[float, Meta(ge=0, le=WAIT_S_MAX)] = 0
    limit: (
        Annotated[int, Meta(ge=1, le=EVENTS_PAGE_MAX, description="Events at most; never half a command.")]
        | None
    ) = None


class EventView(Struct, kw_only=True):
    """One event: its name, where and when it happened, and what it says."""

    type: str
    seq: int
    command_seq: int
    at: str
    epoch: int
    last_of_command: bool
    data: dict[str, Any]


class EventList(Struct):
    """Events of whole commands without a gap. next: the value of `after` for what follows."""

    items: list[EventView]
    next: str
    epoch: int
    partition: int


def event_view(event: Event) -> EventView:
    """Write an event for people: names instead of numbers, decimals instead of integers."""
    data: dict[str, Any] = {"symbol_id": str(event.symbol_id)} if event.symbol_id else {}
    for field in fields(event):
        if field.name not in _HEADER:
            data[_shown_name(field.name)] = _shown(event, field.name, getattr(event, field.name))
    if isinstance(event, OrderRejected | CommandRejected):
        data["sentence"] = sentence(event.reason)
    return EventView(
        type=event_name(type(event)),
        seq=event.sequence,
        command_seq=event.command_sequence,
        at=format_time(event.time_ns),
        epoch=event.epoch,
        last_of_command=event.last_of_command,
        data=data,
    )


def event_name(event_type: type[Event]) -> str:
    """Return an event's name as JSON has it: `order_accepted`."""
    return _WORDS.sub("_", event_type.__name__).lower()


def _shown_name(name: str) -> str:
    return name.removesuffix("_ns") + "_at" if name in _TIMES else name


def _shown(event: Event, name: str, value: Any) -> Any:
    if name in _TIMES:
        return format_time(value) if value else None
    if name in _PRICES:
        return format_price(value)
    if name in ("amount", "balance"):
        return str(value) if event.symbol_id else format_money(value)
    if name == "date":
        return format_date(value)
    if name == "changes":
        return change_names(value)
    if name == "ticks":
        return [{"from": format_price(row.from_price), "tick": format_price(row.tick)} for row in value]
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, bytes):
        return value.hex()
    if name.endswith(("_id", "quantity", "leaves", "round_lot")):
        return str(value)
    return value
