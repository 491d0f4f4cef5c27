"""From events to what sessions are told: each event's messages, compared whole, and nothing that is not theirs."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.domain import commands as c
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.symbol import SymbolState
from exchange.domain.trade import BustReason
from exchange.domain.units import AccountId, OrderId, ParticipantId, Price, Quantity, SymbolId
from exchange.wire import ouch
from exchange.wire import ouch_messages as m
from exchange.wire.ouch_codes import RejectReason, Tag
from exchange.wire.ouch_reference import write_reference
from tests.wire.ouch_market import ALICE, BOB, PRICE, Market, order


@pytest.fixture
def market() -> Market:
    return Market()


def shape(message: Any, *names: str) -> tuple[Any, ...]:
    """Return a message's kind and some of its fields."""
    return (type(message), *(getattr(message, name) for name in names))


def test_an_accepted_order_is_told_as_it_was_sent(market: Market) -> None:
    sent = order(
        7, quantity=300, display="A", capacity="P", cl_ord_id="MINE", appendage=((Tag.FIRM, b"ABCD"),)
    )
    (accepted,) = market.answers(ALICE, sent)
    assert accepted == m.Accepted(
        timestamp=market.time_ns, user_ref_num=7, side="B", quantity=300, symbol="AAPL", price=PRICE,
        time_in_force="0", display="A", order_reference=market.venue.command_sequence, capacity="P",
        intermarket_sweep="N", cross_type="N", state="L", cl_ord_id="MINE", appendage=((Tag.FIRM, b"ABCD"),),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "price", "time_in_force", "appendage"),
    [
        ({"price": ouch.MARKET_PRICE, "time_in_force": "3"}, ouch.MARKET_PRICE, "3", ()),
        ({"appendage": ((Tag.POST_ONLY, b"P"),)}, PRICE, "0", ((Tag.POST_ONLY, b"P"),)),
        ({"display": "P"}, PRICE, "0", ()),
        (
            {"time_in_force": "3", "appendage": ((Tag.MIN_QUANTITY, (100).to_bytes(4)),)},
            PRICE,
            "3",
            ((Tag.MIN_QUANTITY, (100).to_bytes(4)),),
        ),
    ],
)
def test_what_was_asked_for_is_echoed(
    market: Market, changes: dict[str, Any], price: int, time_in_force: str, appendage: m.Appendage
) -> None:
    accepted = market.answers(ALICE, order(1, **changes))[0]
    assert shape(accepted, "price", "time_in_force", "appendage") == (
        m.Accepted,
        price,
        time_in_force,
        appendage,
    )


def test_both_sides_of_a_trade_are_told_the_resting_one_first(market: Market) -> None:
    market.send(ALICE, order(1))
    market.said(ALICE)
    market.send(BOB, order(1, "S", 40))
    (added,) = market.said(ALICE)
    _, removed = market.said(BOB)
    names = ("user_ref_num", "quantity", "price", "liquidity", "match_number")
    assert shape(added, *names) == (m.Executed, 1, 40, PRICE, "A", market.venue.event_sequence)
    assert shape(removed, *names) == (m.Executed, 1, 40, PRICE, "R", market.venue.event_sequence)
    own = market.answers(ALICE, order(2, "S", 60))
    assert [shape(message, "user_ref_num", "liquidity") for message in own[1:]] == [
        (m.Executed, 1, "A"),
        (m.Executed, 2, "R"),
    ]
    assert market.translator.live_orders(ALICE) == 0


def test_what_an_ioc_leaves_is_cancelled_with_its_reason(market: Market) -> None:
    accepted, cancelled = market.answers(ALICE, order(1, time_in_force="3"))
    assert shape(accepted, "state") == (m.Accepted, "L")
    assert shape(cancelled, "decrement", "reason") == (m.Canceled, 100, "I")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"quantity": 0}, RejectReason.INVALID_QUANTITY),
        ({"price": PRICE + 1}, RejectReason.INVALID_PRICE),
        ({"symbol": "NONE"}, RejectReason.INVALID_SYMBOL),
        ({"quantity": 4_000_000_000, "price": 1_999_999_900}, RejectReason.EXCEEDS_MAX_NOTIONAL),
    ],
)
def test_the_venue_s_reasons_become_ouch_s(
    market: Market, changes: dict[str, Any], reason: RejectReason
) -> None:
    terms = {
        "user_ref_num": 3,
        "side": "B",
        "quantity": 1,
        "symbol": "AAPL",
        "price": PRICE,
        "cl_ord_id": "C",
    }
    (refused,) = market.answers(ALICE, m.EnterOrder(**(terms | changes)))  # type: ignore[arg-type]
    assert shape(refused, "user_ref_num", "reason", "cl_ord_id") == (m.Rejected, 3, reason, "C")


def test_a_suspended_symbol_is_halted_and_a_post_only_order_that_would_trade_crosses(market: Market) -> None:
    market.send(BOB, order(1, "S"))
    (crossed,) = market.answers(ALICE, order(1, display="P"))
    market.carry_out(c.SetSymbolState(symbol_id=SymbolId(1), state=SymbolState.SUSPENDED))
    (halted,) = market.answers(ALICE, order(2))
    assert (crossed.reason, halted.reason) == (RejectReason.CROSSED_MARKET, RejectReason.HALTED)


def test_a_replaced_order_has_a_new_number_and_reference(market: Market) -> None:
    market.send(ALICE, order(1, cl_ord_id="OLD"))
    market.said(ALICE)
    (replaced,) = market.answers(
        ALICE,
        m.ReplaceOrder(orig_user_ref_num=1, user_ref_num=2, quantity=50, price=PRICE - 100, cl_ord_id="NEW"),
    )
    names = ("orig_user_ref_num", "user_ref_num", "quantity", "price", "order_reference", "cl_ord_id")
    assert shape(replaced, *names) == (
        m.Replaced,
        1,
        2,
        50,
        PRICE - 100,
        market.venue.command_sequence,
        "NEW",
    )
    assert market.answers(ALICE, m.CancelOrder(user_ref_num=1)) == []
    (cancelled,) = market.answers(ALICE, m.CancelOrder(user_ref_num=2))
    assert shape(cancelled, "user_ref_num", "decrement") == (m.Canceled, 2, 50)


def test_a_replacement_that_the_venue_refuses_is_told_and_the_order_stays(market: Market) -> None:
    market.send(ALICE, order(1))
    market.said(ALICE)
    (refused,) = market.answers(
        ALICE, m.ReplaceOrder(orig_user_ref_num=1, user_ref_num=2, quantity=50, price=PRICE + 1)
    )
    assert shape(refused, "user_ref_num", "reason") == (m.Rejected, 2, RejectReason.INVALID_PRICE)
    assert market.translator.waiting(ALICE) == 0
    assert market.translator.live_orders(ALICE) == 1


def test_a_second_replacement_of_the_same_order_is_silently_ignored(market: Market) -> None:
    market.send(ALICE, order(1))
    market.said(ALICE)
    twice = [m.ReplaceOrder(orig_user_ref_num=1, user_ref_num=n, quantity=50, price=PRICE) for n in (2, 3)]
    assert [type(message) for message in market.answers(ALICE, *twice)] == [m.Replaced]
    assert market.translator.waiting(ALICE) == 0


def test_a_reduction_tells_the_decrement_and_a_modify_the_new_size(market: Market) -> None:
    market.send(ALICE, order(1))
    market.said(ALICE)
    reduced, modified = market.answers(
        ALICE,
        m.CancelOrder(user_ref_num=1, quantity=70),
        m.ModifyOrder(user_ref_num=1, side="B", quantity=60),
    )
    assert shape(reduced, "decrement", "reason") == (m.Canceled, 30, "U")
    assert shape(modified, "side", "quantity") == (m.Modified, "B", 60)


def test_a_reduction_that_an_execution_has_overtaken_takes_the_rest_out(market: Market) -> None:
    market.send(ALICE, order(1))
    decoded = market.translator.decode(
        ALICE, b"\x00\x0aU" + ouch.encode(m.CancelOrder(user_ref_num=1, quantity=50)), 10
    )
    market.send(BOB, order(1, "S", 80))
    market.said(ALICE)
    market.apply(decoded.commands)
    (cancelled,) = market.said(ALICE)
    assert shape(cancelled, "decrement", "reason") == (m.Canceled, 20, "U")


def test_a_change_by_rest_is_told(market: Market) -> None:
    market.send(ALICE, order(1))
    market.said(ALICE)
    order_id = OrderId(market.venue.command_sequence)
    owner = ParticipantId(ALICE)
    market.carry_out(
        c.AmendOrder(order_id=order_id, participant_id=owner, quantity=Quantity(80), price=Price(PRICE)),
        c.AmendOrder(
            order_id=order_id, participant_id=owner, quantity=Quantity(90), price=Price(PRICE - 100)
        ),
        c.CancelOrder(order_id=order_id, participant_id=ParticipantId(0)),
    )
    reduced, restated, cancelled = market.said(ALICE)
    assert shape(reduced, "decrement", "reason") == (m.Canceled, 20, "U")
    assert shape(restated, "reason", "appendage") == (
        m.Restated,
        "P",
        ((Tag.DISPLAY_QUANTITY, (90).to_bytes(4)), (Tag.DISPLAY_PRICE, (PRICE - 100).to_bytes(8))),
    )
    assert shape(cancelled, "decrement", "reason") == (m.Canceled, 90, "S")


def test_a_replacement_by_rest_ends_the_order_for_the_session(market: Market) -> None:
    market.send(ALICE, order(1))
    market.said(ALICE)
    order_id = OrderId(market.venue.command_sequence)
    market.carry_out(
        c.ReplaceOrder(
            order_id=order_id, participant_id=ParticipantId(ALICE), quantity=Quantity(10), price=Price(PRICE)
        )
    )
    (cancelled,) = market.said(ALICE)
    assert shape(cancelled, "decrement", "reason") == (m.Canceled, 100, "U")
    assert market.translator.live_orders(ALICE) == 0


def facts(market: Market, number: int = -1) -> dict[str, Any]:
    """Return the facts of a trade, which is the last event."""
    return {
        "match_id": market.venue.event_sequence, "symbol_id": 1, "price": PRICE, "quantity": 100,
        "buy_account_id": ALICE, "sell_account_id": BOB, "buy_order_id": market.venue.command_sequence - 1,
        "sell_order_id": market.venue.command_sequence, "executed_ns": market.time_ns, "ruling_id": 5,
        "reason": BustReason.ERRONEOUS,
    }  # fmt: skip


def test_a_broken_trade_reaches_both_sides_though_their_orders_are_long_gone(market: Market) -> None:
    market.send(ALICE, order(1, cl_ord_id="A1"))
    market.send(BOB, order(9, "S", cl_ord_id="B9"))
    market.said(ALICE), market.said(BOB)
    bust = c.BustTrade(**facts(market))
    market.carry_out(bust)
    names = ("user_ref_num", "match_number", "reason", "cl_ord_id")
    assert [shape(message, *names) for message in market.said(ALICE)] == [
        (m.BrokenTrade, 1, bust.match_id, "E", "A1")
    ]
    assert [shape(message, *names) for message in market.said(BOB)] == [
        (m.BrokenTrade, 9, bust.match_id, "E", "B9")
    ]
    market.carry_out(bust)
    assert market.said(ALICE) == []


def test_a_corrected_trade_has_its_new_price_and_quantity(market: Market) -> None:
    market.send(ALICE, order(1))
    market.send(BOB, order(9, "S"))
    market.said(ALICE), market.said(BOB)
    market.carry_out(c.CorrectTrade(**facts(market), new_price=Price(PRICE - 100), new_quantity=Quantity(60)))
    names = ("user_ref_num", "quantity", "price", "liquidity")
    assert [shape(message, *names) for message in market.said(ALICE)] == [
        (m.TradeCorrection, 1, 60, PRICE - 100, "A")
    ]
    assert [shape(message, *names) for message in market.said(BOB)] == [
        (m.TradeCorrection, 9, 60, PRICE - 100, "R")
    ]


def test_the_next_number_is_told_in_the_order_of_the_stream(market: Market) -> None:
    asked, accepted, again = market.answers(ALICE, m.AccountQuery(), order(5), m.AccountQuery())
    assert shape(asked, "next_user_ref_num") == (m.AccountQueryResponse, 1)
    assert type(accepted) is m.Accepted
    assert shape(again, "next_user_ref_num") == (m.AccountQueryResponse, 6)


def test_orders_that_are_not_a_session_s_are_not_told(market: Market) -> None:
    for client_order_id in (
        "mine",
        "~mine",
        write_reference(ALICE, 5, b"B", b"Y", b"A", b"    ", b"").decode(),
    ):
        market.carry_out(
            c.EnterOrder(
                account_id=AccountId(BOB), symbol_id=SymbolId(1), side=Side.BUY, order_type=OrderType.LIMIT,
                time_in_force=TimeInForce.DAY, quantity=Quantity(1), price=Price(PRICE),
                client_order_id=client_order_id,
            )
        )  # fmt: skip
    assert market.streams == {}


def test_a_new_session_s_stream_begins_with_the_start_of_day(market: Market) -> None:
    market.carry_out(
        c.CreateKey(
            participant_id=ParticipantId(1),
            role=2,
            sha256=b"x" * 32,
            label="ouch:NEW account=1",  # type: ignore[arg-type]
        )
    )
    (started,) = market.said(3)
    assert shape(started, "event") == (m.SystemEvent, "S")


def test_a_session_that_is_removed_is_told_nothing_more(market: Market) -> None:
    market.send(ALICE, order(1))
    market.said(ALICE)
    market.carry_out(c.RevokeKey(key_id=ALICE))  # type: ignore[arg-type]
    market.send(BOB, order(1, "S"))
    assert ALICE not in market.streams
    assert market.translator.session(ALICE) is None


def test_a_new_business_date_ends_the_streams_and_begins_them_anew(market: Market) -> None:
    market.send(ALICE, order(5))
    market.runs.clear()
    market.streams.clear()
    market.carry_out(c.StartBusinessDay(date=20261124))
    of_day = [(run.session, run.message_count) for run in market.runs]
    assert of_day == [(ALICE, 2), (BOB, 1), (0, 20261124), (ALICE, 1), (BOB, 1)]
    cancelled, ended, started = market.said(ALICE)
    assert shape(cancelled, "reason") == (m.Canceled, "T")
    assert (ended.event, started.event) == ("E", "S")
    session = market.translator.session(ALICE)
    assert session is not None
    assert (session.sequence, session.last_number) == (1, 0)
    (accepted,) = market.answers(ALICE, order(1))
    assert shape(accepted, "user_ref_num") == (m.Accepted, 1)
