"""Short sales as values: what is told of a restriction, and that the marks stay with an order."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain import corporate_events as ce
from exchange.domain.order import OrderFlag, Side
from exchange.domain.reasons import Reason
from exchange.domain.risk import LimitKind, RiskScope
from tests.matching.desk import ANN, BOB, XYZ, Desk, order

SHORT = OrderFlag.SHORT.value
PERMISSION = c.SetRiskLimit(
    scope=RiskScope.ACCOUNT, subject_id=ANN, kind=LimitKind.SHORT_SALES, value=1, symbol_id=XYZ
)


def test_a_decline_is_told_once_with_its_price() -> None:
    desk = Desk()
    desk.send(c.SetShortSaleTerms(symbol_id=XYZ, trigger_bps=500))
    events = desk.send(
        order(Side.BUY, 5, 95_000, BOB), order(Side.BUY, 5, 94_900, BOB), order(Side.SELL, 10, 94_900, BOB)
    )
    told = [event for event in events if isinstance(event, ce.ShortSaleRestricted)]
    assert [(each.is_restricted, each.days, each.price, each.closing_price) for each in told] == [
        (True, 2, 95_000, 100_000)
    ]
    assert desk.venue.directory.symbols[XYZ].is_short_restricted


def test_the_mark_stays_with_the_order() -> None:
    desk = Desk()
    desk.send(PERMISSION)
    (accepted,) = desk.send(order(Side.SELL, 5, 101_000, ANN, flags=SHORT))
    live = desk.venue.order(accepted.order_id)
    assert live is not None
    assert live.flags == accepted.flags == SHORT


def test_a_restricted_price_names_the_best_bid() -> None:
    desk = Desk()
    desk.send(
        PERMISSION, c.SetShortSaleTerms(symbol_id=XYZ, trigger_bps=500), order(Side.BUY, 5, 95_000, BOB),
        order(Side.SELL, 4, 95_000, BOB),
    )  # fmt: skip
    (rejected,) = desk.send(order(Side.SELL, 5, 95_000, ANN, flags=SHORT))
    assert (rejected.reason, rejected.measured, rejected.limit) == (Reason.SHORT_SALE_PRICE, 95_000, 95_000)
