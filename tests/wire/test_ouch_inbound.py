"""From OUCH to commands: what each message asks for, what is refused and why, and what must wait."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain import commands as c
from exchange.domain.order import OrderFlag, OrderType, Side, TimeInForce
from exchange.domain.units import parse_time
from exchange.wire import ouch, soupbintcp
from exchange.wire import ouch_messages as m
from exchange.wire import ouch_reference as ref
from exchange.wire.ouch_codes import RejectReason, Tag
from exchange.wire.ouch_inbound import CANCELS_MAX, Port
from exchange.wire.ouch_session import Session
from exchange.wire.records import ProtocolError, decode_commands, split
from tests.wire.ouch_market import ALICE, BOB, MANY, PRICE, Market, order, packets_of

AAPL = b"AAPL    "


def port() -> Port:
    return Port(Session(7, "ALICE", 3, 2, False), {AAPL: 1}, 20261123)


def commands_of(messages: list[m.Inbound], of: Port | None = None) -> list[c.Command]:
    decoded = (of or port()).decode(packets_of(*messages))
    assert decoded.messages == len(messages)
    return [command for _, command in decode_commands(decoded.commands)]


def test_an_enter_becomes_an_order_that_carries_its_reference() -> None:
    message = order(9, "S", 300, 1_891_900, time_in_force="3", capacity="P", cl_ord_id="MY-1")
    assert commands_of([message]) == [
        c.EnterOrder(
            account_id=3, symbol_id=1, side=Side.SELL, order_type=OrderType.LIMIT, time_in_force=TimeInForce.IOC,
            quantity=300, price=1_891_900, client_order_id="~0000700000009SYP~~~~MY-1",
        )
    ]  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"price": ouch.MARKET_PRICE, "time_in_force": "3"}, {"order_type": OrderType.MARKET, "price": 0}),
        ({"display": "P"}, {"flags": OrderFlag.POST_ONLY}),
        ({"display": "A"}, {"flags": 0}),
        ({"appendage": ((Tag.POST_ONLY, b"P"),)}, {"flags": OrderFlag.POST_ONLY}),
        (
            {"time_in_force": "3", "appendage": ((Tag.MIN_QUANTITY, (100).to_bytes(4)),)},
            {"time_in_force": TimeInForce.FOK},
        ),
        ({"side": "T"}, {"side": Side.SELL, "flags": OrderFlag.SHORT | OrderFlag.LOCATED}),
        ({"side": "E"}, {"side": Side.SELL, "flags": OrderFlag.SHORT_EXEMPT | OrderFlag.LOCATED}),
        ({"cross_type": "O"}, {"time_in_force": TimeInForce.AT_THE_OPEN}),
        ({"cross_type": "C"}, {"time_in_force": TimeInForce.AT_THE_CLOSE}),
        ({"cross_type": "H"}, {"time_in_force": TimeInForce.GOOD_FOR_AUCTION}),
        (
            {"cross_type": "O", "price": ouch.MARKET_PRICE},
            {"time_in_force": TimeInForce.AT_THE_OPEN, "order_type": OrderType.MARKET, "price": 0},
        ),
        (
            {"time_in_force": "6", "appendage": ((Tag.EXPIRE_TIME, (36_000).to_bytes(4)),)},
            {"time_in_force": TimeInForce.GTD, "expires_ns": parse_time("2026-11-23T10:00:00Z")},
        ),
        ({"appendage": ((Tag.FIRM, b"ABCD"), (Tag.MAX_FLOOR, bytes(4)), (Tag.CUSTOMER_TYPE, b"N"))}, {"flags": 0}),
    ],
)  # fmt: skip
def test_what_the_market_can_do_is_asked_for(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    (command,) = commands_of([order(1, **changes)])
    assert {name: getattr(command, name) for name in expected} == expected
    assert command.order_type != 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"side": "X"}, RejectReason.INVALID_SIDE),
        ({"cross_type": "S"}, RejectReason.INVALID_CROSS_ORDER),
        ({"cross_type": "O", "time_in_force": "3"}, RejectReason.INVALID_CROSS_ORDER),
        ({"time_in_force": "6", "appendage": ((Tag.EXPIRE_TIME, (86_400).to_bytes(4)),)}, RejectReason.OTHER),
        ({"appendage": ((Tag.EXPIRE_TIME, (36_000).to_bytes(4)),)}, RejectReason.OTHER),
        ({"price": ouch.MARKET_PRICE}, RejectReason.INVALID_CROSS_ORDER),
        ({"display": "N", "time_in_force": "3"}, RejectReason.INVALID_DISPLAY),
        ({"display": "M"}, RejectReason.INVALID_DISPLAY),
        ({"intermarket_sweep": "Y"}, RejectReason.ISO_NOT_ALLOWED),
        ({"time_in_force": "5"}, RejectReason.OTHER),
        ({"time_in_force": "6"}, RejectReason.OTHER),
        ({"capacity": "Q"}, RejectReason.OTHER),
        ({"cl_ord_id": "TWO WORDS"}, RejectReason.OTHER),
        ({"price": 2_000_000_000}, RejectReason.INVALID_PRICE),
        ({"price": 2**64 - 1}, RejectReason.INVALID_PRICE),
        ({"appendage": ((Tag.MIN_QUANTITY, (101).to_bytes(4)),)}, RejectReason.INVALID_MIN_QUANTITY),
        ({"appendage": ((Tag.MAX_FLOOR, (101).to_bytes(4)),)}, RejectReason.INVALID_MAX_FLOOR),
        ({"display": "N", "appendage": ((Tag.MAX_FLOOR, (50).to_bytes(4)),)}, RejectReason.INVALID_DISPLAY),
        ({"appendage": ((Tag.PRICE_TYPE, b"P"),)}, RejectReason.INVALID_PEG_TYPE),
        ({"appendage": ((Tag.PEG_OFFSET, b"\0\0\0\1"),)}, RejectReason.PEGGING_NOT_ALLOWED),
        ({"appendage": ((Tag.ROUTE, b"SCAN"),)}, RejectReason.ROUTING_NOT_ALLOWED),
        ({"appendage": ((Tag.CUSTOMER_TYPE, b"R"),)}, RejectReason.RETAIL_NOT_ALLOWED),
        ({"appendage": ((Tag.FIRM, b"A~CD"),)}, RejectReason.FIRM_NOT_AUTHORISED),
        ({"appendage": ((Tag.FIRM, b"ABC"),)}, RejectReason.OTHER),
        ({"appendage": ((8, b"x"),)}, RejectReason.OTHER),
        ({"appendage": ((21, b""),)}, RejectReason.OTHER),
        ({"appendage": ((Tag.REFERENCE_PRICE, bytes(8)),)}, RejectReason.OTHER),
    ],
)
def test_what_the_market_cannot_do_is_refused_as_a_command_that_says_why(
    changes: dict[str, Any], reason: RejectReason
) -> None:
    market = Market()
    (answer,) = market.answers(ALICE, order(1, **changes))
    assert isinstance(answer, m.Rejected)
    assert (answer.user_ref_num, RejectReason(answer.reason)) == (1, reason)


def test_an_appendage_that_is_broken_inside_refuses_the_order_only() -> None:
    market = Market()
    good = ouch.encode(order(1))
    broken = good[:-2] + b"\x00\x03\x09\x02A"
    decoded = market.translator.decode(ALICE, soupbintcp.packet(b"U", broken), MANY)
    market.apply(decoded.commands)
    (answer,) = market.said(ALICE)
    assert (type(answer), answer.reason) == (m.Rejected, RejectReason.OTHER)


def test_a_number_that_does_not_rise_is_silently_ignored() -> None:
    of = port()
    assert len(commands_of([order(5), order(5), order(4), order(6)], of)) == 2
    assert of.last_number == 6


def test_an_order_whose_answer_is_not_there_yet_makes_what_names_it_wait() -> None:
    of = port()
    data = packets_of(order(1), m.CancelOrder(user_ref_num=1), order(2))
    decoded = of.decode(data)
    assert (decoded.command_count, decoded.blocked, decoded.messages) == (1, True, 1)
    assert of.decode(data[decoded.consumed :]).consumed == 0
    market = Market()
    accepted, cancelled, second = market.answers(ALICE, order(1), m.CancelOrder(user_ref_num=1), order(2))
    assert [accepted.user_ref_num, cancelled.user_ref_num, second.user_ref_num] == [1, 1, 2]


def test_no_more_orders_wait_than_are_allowed() -> None:
    of = port()
    data = packets_of(order(1), order(2), order(3))
    decoded = of.decode(data, waiting_max=2)
    assert (decoded.command_count, decoded.blocked) == (2, True)
    of.waiting.clear()
    assert of.decode(data[decoded.consumed :], waiting_max=2).command_count == 1


def test_a_cancel_of_what_is_not_live_is_silently_ignored() -> None:
    assert (
        commands_of([m.CancelOrder(user_ref_num=1), m.ModifyOrder(user_ref_num=1, side="B", quantity=1)])
        == []
    )


def test_a_cancel_is_sent_once_however_often_it_comes() -> None:
    market = Market()
    market.send(ALICE, order(1))
    data = packets_of(m.CancelOrder(user_ref_num=1), m.CancelOrder(user_ref_num=1))
    assert market.translator.decode(ALICE, data, MANY).command_count == 1


def test_a_cancel_to_a_size_that_is_executed_already_takes_the_rest_out() -> None:
    market = Market()
    market.send(ALICE, order(1))
    market.send(BOB, order(1, "S", 60))
    market.said(ALICE)
    (cancelled,) = market.answers(ALICE, m.CancelOrder(user_ref_num=1, quantity=60))
    assert (cancelled.decrement, cancelled.reason) == (40, "U")


def test_a_modify_changes_no_side_and_never_makes_larger() -> None:
    market = Market()
    market.send(ALICE, order(1, "S"))
    market.said(ALICE)
    assert market.answers(ALICE, m.ModifyOrder(user_ref_num=1, side="T", quantity=50)) == []
    assert market.answers(ALICE, m.ModifyOrder(user_ref_num=1, side="S", quantity=100)) == []
    (modified,) = market.answers(ALICE, m.ModifyOrder(user_ref_num=1, side="S", quantity=50))
    assert (type(modified), modified.quantity) == (m.Modified, 50)


def test_order_entry_that_is_disabled_refuses_orders_in_the_same_write_and_takes_cancels() -> None:
    market = Market()
    market.send(ALICE, order(1))
    market.said(ALICE)
    answers = market.answers(
        ALICE,
        m.DisableOrderEntry(user_ref_num=2, firm="ABCD"),
        order(3),
        m.CancelOrder(user_ref_num=1),
        m.EnableOrderEntry(user_ref_num=4, firm="ABCD"),
        order(5),
    )
    kinds = [type(answer) for answer in answers]
    assert kinds == [
        m.DisableOrderEntryResponse,
        m.Rejected,
        m.Canceled,
        m.EnableOrderEntryResponse,
        m.Accepted,
    ]
    assert (answers[0].firm, answers[1].reason) == ("ABCD", RejectReason.FIRM_NOT_AUTHORISED)


def test_a_mass_cancel_goes_in_pieces_and_answers_at_the_end() -> None:
    market = Market()
    count = CANCELS_MAX + 10
    market.send(ALICE, *(order(number, price=PRICE - 100 * (number % 50)) for number in range(1, count + 1)))
    market.said(ALICE)
    answers = market.answers(ALICE, m.MassCancel(user_ref_num=count + 1, firm="ABCD", symbol="AAPL"))
    assert [type(answer) for answer in answers[:-1]] == [m.Canceled] * count
    assert answers[-1] == m.MassCancelResponse(
        timestamp=answers[-1].timestamp, user_ref_num=count + 1, firm="ABCD", symbol="AAPL"
    )


def test_a_mass_cancel_of_a_symbol_leaves_the_others_and_an_unknown_one_is_refused() -> None:
    market = Market()
    msft = m.EnterOrder(user_ref_num=2, side="B", quantity=1, symbol="MSFT", price=PRICE)
    market.send(ALICE, order(1), msft)
    market.said(ALICE)
    cancelled, done = market.answers(ALICE, m.MassCancel(user_ref_num=3, symbol="MSFT"))
    assert (cancelled.user_ref_num, done.symbol) == (2, "MSFT")
    (refused,) = market.answers(ALICE, m.MassCancel(user_ref_num=4, symbol="NONE"))
    assert refused.reason == RejectReason.INVALID_SYMBOL
    assert market.translator.live_orders(ALICE) == 1


@pytest.mark.parametrize("changes", [{"time_in_force": "3"}, {"display": "P"}, {"price": ouch.MARKET_PRICE}])
def test_a_replacement_that_cannot_be_is_refused_and_the_order_stays(changes: dict[str, Any]) -> None:
    market = Market()
    market.send(ALICE, order(1))
    market.said(ALICE)
    terms = {"quantity": 50, "price": PRICE} | changes
    (refused,) = market.answers(
        ALICE, m.ReplaceOrder(orig_user_ref_num=1, user_ref_num=2, cl_ord_id="N", **terms)
    )
    assert (type(refused), refused.user_ref_num, refused.cl_ord_id) == (m.Rejected, 2, "N")
    assert market.translator.live_orders(ALICE) == 1


def test_packets_that_are_no_messages_are_handed_on() -> None:
    data = soupbintcp.packet(b"R") + packets_of(order(1)) + soupbintcp.packet(b"O")
    decoded = port().decode(data)
    assert [packet.kind for packet in decoded.packets] == [b"R", b"O"]
    assert (decoded.consumed, decoded.command_count) == (len(data), 1)


@pytest.mark.parametrize(
    "bad",
    [
        b"\x00\x00",
        b"\x10\x00U",
        soupbintcp.packet(b"U"),
        soupbintcp.packet(b"U", b"Z"),
        soupbintcp.packet(b"U", b"O" * 46),
        soupbintcp.packet(b"U", ouch.encode(order(1)) + b"x"),
        soupbintcp.packet(b"U", ouch.encode(m.CancelOrder(user_ref_num=1)) + b"x"),
        soupbintcp.packet(b"U", b"Q\0"),
    ],
)
def test_what_is_no_message_ends_the_session(bad: bytes) -> None:
    with pytest.raises(ProtocolError):
        port().decode(bad)


def test_what_is_whole_before_broken_bytes_is_understood_first() -> None:
    of = port()
    data = packets_of(order(1), order(2)) + soupbintcp.packet(b"U", b"Z") + packets_of(order(3))
    decoded = of.decode(data)
    assert (decoded.command_count, decoded.blocked, data[decoded.consumed :][:4]) == (2, False, b"\x00\x02UZ")
    with pytest.raises(ProtocolError):
        of.decode(data[decoded.consumed :])


@given(st.binary(max_size=200))
def test_garbage_raises_nothing_but_a_protocol_error(data: bytes) -> None:
    try:
        decoded = port().decode(data)
    except ProtocolError:
        return
    assert decoded.consumed <= len(data)


@given(
    st.lists(st.tuples(st.sampled_from(sorted(ouch.INBOUND)), st.binary(min_size=0, max_size=50)), max_size=6)
)
def test_garbage_behind_known_types_gives_whole_commands_or_a_protocol_error(
    parts: list[tuple[str, bytes]],
) -> None:
    data = b"".join(soupbintcp.packet(b"U", kind.encode() + rest) for kind, rest in parts)
    try:
        decoded = port().decode(data)
    except ProtocolError:
        return
    assert len(list(split(decoded.commands))) == decoded.command_count


@given(st.lists(st.integers(1, 400), max_size=5))
def test_messages_are_understood_wherever_the_bytes_are_cut(cuts: list[int]) -> None:
    data = packets_of(*(order(number) for number in range(1, 9)))
    whole = port().decode(data)
    of, commands, buffer, start = port(), b"", b"", 0
    for cut in [*sorted(cuts), len(data)]:
        buffer += data[start:cut]
        start = max(start, cut)
        decoded = of.decode(buffer)
        commands += decoded.commands
        buffer = buffer[decoded.consumed :]
    assert commands == whole.commands


def test_one_call_gives_no_more_than_its_limit() -> None:
    of = port()
    data = packets_of(*(order(number) for number in range(1, 4_001)))
    decoded = of.decode(data)
    assert not decoded.blocked
    assert 0 < decoded.consumed < len(data)
    rest = of.decode(data[decoded.consumed :])
    assert decoded.command_count + rest.command_count <= 4_000


def test_a_reference_says_what_is_echoed() -> None:
    (command,) = commands_of([order(1, display="A", appendage=((Tag.FIRM, b"AB  "),))])
    reference = command.client_order_id.encode()  # type: ignore[attr-defined]
    assert ref.firm_of(reference) == b"AB  "
    assert reference[ref.DISPLAY_AT : ref.DISPLAY_AT + 1] == b"A"
