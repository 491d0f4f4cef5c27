"""Tests of exchange.wire.rest.events: every event can be shown to people."""

from __future__ import annotations

import typing
from typing import Any

import msgspec

from exchange.domain import events as e
from exchange.domain.order import CancelReason, OrderType, Side, TimeInForce
from exchange.domain.participant import Role
from exchange.domain.reasons import Reason
from exchange.domain.symbol import DEFAULT_TICKS, SymbolState
from exchange.domain.trade import BustReason
from exchange.wire.records import LAYOUTS
from exchange.wire.rest.events import EventsQuery, event_name, event_view

HEADER: dict[str, Any] = {
    "sequence": 9, "command_sequence": 8, "time_ns": 1_795_435_200_000_000_000, "epoch": 2, "symbol_id": 1,
}  # fmt: skip
SAMPLES: dict[Any, Any] = {
    Side: Side.BUY, OrderType: OrderType.LIMIT, TimeInForce: TimeInForce.DAY, Role: Role.TRADER,
    SymbolState: SymbolState.ACTIVE, Reason: Reason.UNKNOWN_ORDER, CancelReason: CancelReason.REQUESTED,
    BustReason: BustReason.ERRONEOUS, str: "text", bytes: b"\x01" * 32, bool: True,
}  # fmt: skip


def sample(event_type: type[e.Event]) -> e.Event:
    """An event of a type with a plausible value in each field."""
    values = dict(HEADER)
    for name, kind in typing.get_type_hints(event_type).items():
        if name not in values and name not in ("partition", "last_of_command"):
            values[name] = DEFAULT_TICKS if name == "ticks" else SAMPLES.get(kind, 20_261_123)
    return event_type(**values)


def test_every_event_is_shown_in_words_that_json_can_carry() -> None:
    for event_type, layout in LAYOUTS.items():
        if layout.is_event:
            view = event_view(sample(event_type))
            assert view.type == event_name(event_type)
            assert msgspec.json.decode(msgspec.json.encode(view))["seq"] == 9


def test_names_and_decimals_stand_for_numbers() -> None:
    view = event_view(sample(e.OrderRejected))
    assert view.type == "order_rejected"
    assert view.at == "2026-11-23T12:00:00.000000000Z"
    assert view.data["reason"] == "unknown_order"
    assert view.data["sentence"] == "No live order has this id."
    assert view.data["price"] == "2026.1123"
    assert view.data["order_id"] == "20261123"


def test_amounts_are_shares_with_a_symbol_and_money_without() -> None:
    shares = sample(e.Deposited)
    assert event_view(shares).data["amount"] == "20261123"
    money = msgspec.structs.replace(shares, symbol_id=0)
    assert event_view(money).data["amount"] == "2026.1123"
    assert "symbol_id" not in event_view(money).data


def test_a_query_takes_fractions_of_a_second_and_bounds_them() -> None:
    assert msgspec.convert({"wait_s": "0.5", "after": "7"}, EventsQuery, strict=False).wait_s * 2 == 1


def test_what_a_version_of_the_configuration_changed_is_named() -> None:
    view = event_view(msgspec.structs.replace(sample(e.SymbolConfigured), changes=8 + 32))
    assert (view.type, view.data["changes"]) == ("symbol_configured", ["round_lot", "ticks"])
