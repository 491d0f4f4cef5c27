"""Fields read alone are those of the whole record."""

from __future__ import annotations

import pytest

from exchange.domain import events as e
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.units import (
    AccountId,
    CommandSequence,
    EventSequence,
    OrderId,
    Price,
    Quantity,
    SymbolId,
    TimeNs,
)
from exchange.wire.fields import RECORD_START, field_struct, kind_of, refuse_unknown
from exchange.wire.records import LAST_OF_COMMAND, ProtocolError, encode_event

EVENT = e.OrderAccepted(
    sequence=EventSequence(7),
    command_sequence=CommandSequence(3),
    time_ns=TimeNs(11),
    epoch=2,
    partition=1,
    symbol_id=SymbolId(5),
    order_id=OrderId(2**56 + 3),
    account_id=AccountId(9),
    side=Side.SELL,
    order_type=OrderType.LIMIT,
    time_in_force=TimeInForce.GTC,
    flags=1,
    price=Price(1_892_000),
    quantity=Quantity(100),
    client_order_id="abc",
)


def test_fields_of_header_and_body_are_read_in_record_order() -> None:
    fields = field_struct(
        e.OrderAccepted, "partition", "sequence", "symbol_id", "order_id", "side", "quantity"
    )
    assert fields.unpack_from(b"??" + encode_event(EVENT), 2) == (1, 7, 5, 2**56 + 3, Side.SELL, 100)


def test_fields_of_the_header_alone_are_read_from_any_event() -> None:
    fields = field_struct(e.Event, "sequence", "epoch")
    assert fields.size <= 40
    assert fields.unpack_from(encode_event(EVENT)) == (7, 2)


def test_a_struct_of_no_field_spans_the_record_all_the_same() -> None:
    assert field_struct(e.OrderAccepted).size == len(encode_event(EVENT))


@pytest.mark.parametrize("names", [("colour",), ("quantity", "side")])
def test_a_field_that_is_unknown_or_out_of_order_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="OrderAccepted has no"):
        field_struct(e.OrderAccepted, *names)


def test_the_start_of_a_record_tells_its_kind_and_its_place_in_the_command() -> None:
    record = encode_event(EVENT)
    assert RECORD_START.unpack_from(record) == (len(record), kind_of(e.OrderAccepted), LAST_OF_COMMAND)


def test_a_known_kind_passes_and_others_are_refused_by_name() -> None:
    refuse_unknown(kind_of(e.OrderAccepted), 0)
    with pytest.raises(ProtocolError, match="type at offset 44: 40 is no event"):
        refuse_unknown(40 | 1 << 8, 40)
    with pytest.raises(ProtocolError, match="version at offset 45: 9, this version reads 1"):
        refuse_unknown(140 | 9 << 8, 40)
