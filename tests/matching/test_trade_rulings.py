"""Busts and corrections, as whole events; `tests/scenarios/bust_and_correct.txt` has their rules."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.reasons import Reason
from exchange.domain.trade import BustReason
from exchange.domain.units import public_id
from exchange.matching.venue import TradeState, Venue
from tests.matching.desk import ANN, BOB, START_NS, XYZ, Desk

FACTS: dict[str, Any] = {
    "match_id": 12, "symbol_id": XYZ, "price": 100_000, "quantity": 40, "buy_account_id": ANN, "sell_account_id": BOB,
    "buy_order_id": 10, "sell_order_id": 11, "executed_ns": START_NS,
}  # fmt: skip


@pytest.fixture
def desk() -> Desk:
    """Return a desk where ann has bought 40 from bob at 10.00: event 12."""
    desk = Desk()
    desk.enter(Side.BUY, 40, 100_000, ANN)
    assert isinstance(desk.enter(Side.SELL, 40, 100_000, BOB)[1], e.TradeExecuted)
    return desk


def header(command: int, event: int) -> dict[str, Any]:
    return {"command_sequence": command, "sequence": event, "time_ns": START_NS, "epoch": 1, "symbol_id": XYZ}


def test_a_bust_is_told_with_what_the_trade_stood_at(desk: Desk) -> None:
    correct = c.CorrectTrade(
        **FACTS, ruling_id=7, reason=BustReason.CONSENT, new_price=99_000, new_quantity=30
    )
    bust = c.BustTrade(**FACTS, ruling_id=8, reason=BustReason.ERRONEOUS)
    said = {name: value for name, value in FACTS.items() if name not in ("symbol_id", "price", "quantity")}
    assert desk.send(correct, bust) == [
        e.TradeCorrected(
            **header(12, 13), **said, ruling_id=7, reason=BustReason.CONSENT, price=100_000, quantity=40,
            new_price=99_000, new_quantity=30,
        ),
        e.TradeBusted(
            **header(13, 14), **said, ruling_id=8, reason=BustReason.ERRONEOUS, price=99_000, quantity=30
        ),
    ]  # fmt: skip


def test_the_state_of_a_trade_can_be_asked_for(desk: Desk) -> None:
    assert desk.venue.trade_state(12) is None
    desk.send(
        c.CorrectTrade(**FACTS, ruling_id=7, reason=BustReason.CONSENT, new_price=99_000, new_quantity=30)
    )
    assert desk.venue.trade_state(12) == TradeState(busted=False, price=99_000, quantity=30)
    desk.send(c.BustTrade(**FACTS, ruling_id=8, reason=BustReason.ERRONEOUS))
    assert desk.venue.trade_state(12) == TradeState(busted=True)


def test_a_corrected_price_follows_the_ticks_at_that_price(desk: Desk) -> None:
    correct = {**FACTS, "ruling_id": 7, "reason": BustReason.CONSENT, "new_quantity": 40}
    assert desk.only(c.CorrectTrade(**correct, new_price=10_001)).reason is Reason.CORRECTION_INVALID
    assert isinstance(desk.only(c.CorrectTrade(**correct, new_price=9_999)), e.TradeCorrected)


def test_a_trade_of_another_partition_is_unknown() -> None:
    desk = Desk(Venue(partition=2))
    desk.enter(Side.BUY, 40, 100_000, ANN)
    desk.enter(Side.SELL, 40, 100_000, BOB)
    bust = {**FACTS, "ruling_id": 0, "reason": BustReason.EXTERNAL}
    assert desk.only(c.BustTrade(**bust)).reason is Reason.UNKNOWN_TRADE
    assert isinstance(desk.only(c.BustTrade(**{**bust, "match_id": public_id(2, 12)})), e.TradeBusted)


def test_rulings_on_the_largest_trades_do_not_overflow(desk: Desk) -> None:
    most = {**FACTS, "price": 2**32 - 1, "quantity": 2**32 - 1, "ruling_id": 2**64 - 1}
    for match_id in range(1, 13):
        event = desk.only(c.BustTrade(**{**most, "match_id": match_id}, reason=BustReason.ERRONEOUS))
        assert isinstance(event, e.TradeBusted)
    assert desk.venue.balance(ANN, 0) > 2**63
    assert Venue.restore(desk.venue.snapshot()).balance(BOB, 0) == desk.venue.balance(BOB, 0)
    withdrawn = desk.only(c.Withdraw(account_id=ANN, symbol_id=0, amount=1))
    assert withdrawn.balance == 2**63 - 1
    assert desk.only(c.Deposit(account_id=ANN, symbol_id=0, amount=1)).reason is Reason.AMOUNT_NOT_POSITIVE


def test_a_refused_ruling_names_trade_and_symbol(desk: Desk) -> None:
    bust = c.BustTrade(**FACTS, ruling_id=8, reason=BustReason.ERRONEOUS)
    _, refused = desk.send(bust, bust)
    assert isinstance(refused, e.CommandRejected)
    assert (refused.symbol_id, refused.subject) == (XYZ, FACTS["match_id"])
