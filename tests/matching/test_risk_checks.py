"""Limits are never exceeded by what the market does, and cancels are never refused by them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.reasons import Reason
from exchange.domain.risk import LimitKind, RiskScope
from exchange.matching.risk_checks import Proposal, worst_price
from exchange.matching.venue import Venue
from tests.matching.desk import ANN, BOB, CAT, XYZ, Desk
from tests.matching.small_world import WORLD, SmallWorld, runs_of_commands

CREDIT, GROSS, POSITION = 20_000_000, 60_000_000, 30
LIMITS = (
    (RiskScope.ACCOUNT, ANN, LimitKind.POSITION, POSITION),
    (RiskScope.ACCOUNT, ANN, LimitKind.GROSS, GROSS),
    (RiskScope.ACCOUNT, BOB, LimitKind.BUYING_POWER, CREDIT),
    (RiskScope.PARTICIPANT, ANN, LimitKind.GROSS, 2 * GROSS),
    (RiskScope.ACCOUNT, CAT, LimitKind.MAX_NOTIONAL, 4_000_000),
)
LIMITED = (c.Deposit, c.Withdraw, c.BustTrade, c.CorrectTrade, c.StartBusinessDay)
"""What a ruling, a deposit or a new date does to a position or a day is not for orders to keep within a limit."""
OF_RISK = range(Reason.MARKET_BLOCKED, Reason.LOSS_LIMIT + 1)


def limited_desk() -> Desk:
    """A small world with limits, and shares that one of its members may sell."""
    desk = Desk(opening=WORLD)
    desk.send(
        c.Deposit(account_id=BOB, symbol_id=XYZ, amount=50), c.Deposit(account_id=BOB, symbol_id=2, amount=50)
    )
    for scope, subject_id, kind, value in LIMITS:
        desk.send(c.SetRiskLimit(scope=scope, subject_id=subject_id, kind=kind, value=value))
    return desk


def check_limits(venue: Venue, notional: Counter[int]) -> None:
    """Check every limit against what is there, counted from the live orders and the trades alone."""
    live = [order for symbol in (1, 2) for order in live_orders(venue, symbol)]
    for symbol in (1, 2):
        held = venue.balance(ANN, symbol)
        buys, sells = (
            sum(o.leaves for o in live if (o.account_id, o.symbol_id, o.side) == (ANN, symbol, side)) for side in Side
        )  # fmt: skip
        assert held + buys <= POSITION
        assert held - sells >= -POSITION
        sells = sum(o.leaves for o in live if (o.account_id, o.symbol_id, o.side) == (BOB, symbol, Side.SELL))
        assert venue.balance(BOB, symbol) >= sells
    reserved = sum(o.leaves * o.price for o in live if (o.account_id, o.side) == (BOB, Side.BUY))
    assert venue.balance(BOB, 0) + CREDIT >= reserved
    open_now: Counter[int] = Counter()
    for order in live:
        open_now[order.account_id] += order.leaves * order.price
    assert notional[ANN] + open_now[ANN] <= GROSS
    assert sum(notional[account] + open_now[account] for account in (ANN, 4)) <= 2 * GROSS
    usage = venue.risk_usage(RiskScope.ACCOUNT, ANN)
    assert usage is not None
    assert (usage.gross, usage.open_buys + usage.open_sells) == (notional[ANN], open_now[ANN])


def live_orders(venue: Venue, symbol: int) -> list:  # type: ignore[type-arg]
    """Return all live orders of a symbol: shown, hidden, and waiting."""
    found = (venue.orders(symbol), venue.hidden_orders(symbol), venue.stop_orders(symbol))
    return [order for sides in found for side in sides for order in side]


@settings(max_examples=60, deadline=None)
@given(drawn=runs_of_commands)
def test_no_limit_is_ever_exceeded_and_no_cancel_refused(drawn: list[bytes]) -> None:
    desk, world = limited_desk(), SmallWorld()
    notional: Counter[int] = Counter()
    for eight in drawn:
        command = world.any_command(eight)
        if isinstance(command, LIMITED):
            continue
        events = desk.send(command)
        world.note(events)
        for event in events:
            if isinstance(event, e.TradeExecuted):
                for account in (event.maker_account_id, event.taker_account_id):
                    notional[account] += event.price * event.quantity
                if CAT in (event.maker_account_id, event.taker_account_id):
                    assert event.price * event.quantity <= 4_000_000
            if isinstance(event, e.CommandRejected) and isinstance(command, c.CancelOrder | c.CancelOrders):
                assert event.reason not in OF_RISK
        check_limits(desk.venue, notional)
        assert Venue.restore(desk.venue.snapshot()).digest() == desk.venue.digest()


def test_a_live_order_can_always_be_cancelled() -> None:
    desk = Desk()
    desk.enter(Side.BUY, 10, 100_000)
    (order,) = desk.venue.orders(XYZ)[0]
    desk.send(
        c.SetRiskLimit(scope=RiskScope.ACCOUNT, subject_id=ANN, kind=LimitKind.MESSAGES, value=1, span=1),
        c.SetRiskLimit(scope=RiskScope.ACCOUNT, subject_id=ANN, kind=LimitKind.POSITION, value=0),
        c.BlockTrading(scope=RiskScope.MARKET, subject_id=0, key_id=1, role=5, cancels_orders=False),
    )
    cancelled = desk.only(c.CancelOrder(order_id=order.order_id, participant_id=ANN))
    assert isinstance(cancelled, e.OrderCancelled)


@pytest.mark.parametrize(("quantity", "expected"), [(5, 100_100), (50, 100_100)])
def test_a_market_order_is_measured_at_the_far_end_of_the_book(quantity: int, expected: int) -> None:
    desk = Desk()
    desk.enter(Side.SELL, 5, 100_000, BOB)
    desk.enter(Side.SELL, 5, 100_100, BOB)
    market = desk.venue._state.markets[XYZ]
    assert worst_price(market, Proposal(ANN, Side.BUY, 1, 0, 0, quantity, quantity, 0)) == expected
    assert worst_price(market, Proposal(ANN, Side.SELL, 1, 0, 0, quantity, quantity, 0)) == 0


def test_books_begin_with_the_first_limit_and_end_with_the_last() -> None:
    desk = Desk()
    desk.enter(Side.BUY, 10, 100_000)
    limit = {"scope": RiskScope.ACCOUNT, "subject_id": ANN, "kind": LimitKind.POSITION}
    assert desk.venue.risk_usage(RiskScope.ACCOUNT, ANN) is None
    desk.send(c.SetRiskLimit(**limit, value=10))
    usage = desk.venue.risk_usage(RiskScope.ACCOUNT, ANN)
    assert usage is not None
    assert usage.open_buys == 1_000_000
    desk.send(c.SetRiskLimit(**limit, is_set=False))
    assert desk.venue.risk_usage(RiskScope.ACCOUNT, ANN) is None
