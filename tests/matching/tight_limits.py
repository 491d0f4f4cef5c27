"""Limits that the next orders meet, and orders that have nothing wrong in themselves: so that risk is what decides."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.risk import LimitKind, RiskScope
from tests.matching.small_world import pick

TIGHT: dict[int, tuple[tuple[int, ...], int]] = {
    LimitKind.SYMBOL_BARRED: ((1,), 0), LimitKind.MAX_QUANTITY: ((5, 10), 0),
    LimitKind.MAX_NOTIONAL: ((500_000, 1_000_000), 0), LimitKind.COLLAR: ((5, 15), 0),
    LimitKind.DUPLICATES: ((1, 2), 5), LimitKind.MESSAGES: ((1, 1_000), 3), LimitKind.POSITION: ((10, 30), 0),
    LimitKind.BUYING_POWER: ((0, 1_500_000, 10**9), 0), LimitKind.SHORT_SALES: ((1,), 0),
    LimitKind.GROSS: ((1_000_000, 5_000_000), 0), LimitKind.LOSS: ((100, 1_000), 0),
    LimitKind.EXECUTIONS: ((2, 3), 60_000),
}  # fmt: skip
"""Values and span by kind."""
OF_MEMBERS = (
    LimitKind.SYMBOL_BARRED, LimitKind.MAX_QUANTITY, LimitKind.MAX_NOTIONAL, LimitKind.COLLAR, LimitKind.DUPLICATES,
    LimitKind.MESSAGES, LimitKind.GROSS, LimitKind.EXECUTIONS,
)  # fmt: skip
"""Kinds that a participant may have as well as an account."""
ACCOUNTS = (1, 2, 3, 4)
"""The first three are of the participants 1 to 3."""


def tight_limit(eight: bytes) -> c.SetRiskLimit:
    """Set a limit of an account, or of a participant."""
    kind, (values, span) = pick(sorted(TIGHT.items()), eight[0])
    subject = pick(ACCOUNTS, eight[2])
    of_member = kind in OF_MEMBERS and eight[1] % 2 and subject != ACCOUNTS[-1]
    return c.SetRiskLimit(
        scope=RiskScope.PARTICIPANT if of_member else RiskScope.ACCOUNT, subject_id=subject, kind=kind, span=span,
        symbol_id=pick((1, 2), eight[4]) if kind == LimitKind.SYMBOL_BARRED else 0, value=pick(values, eight[3]),
    )  # fmt: skip


def sane(eight: bytes) -> c.EnterOrder:
    """Enter an order near the price."""
    order_type = pick((*(OrderType.LIMIT,) * 6, OrderType.MARKET, OrderType.MARKET_TO_LIMIT), eight[0])
    is_limit = order_type == OrderType.LIMIT
    return c.EnterOrder(
        account_id=pick(ACCOUNTS, eight[2]), symbol_id=pick((1, 1, 1, 2), eight[5]), side=pick(tuple(Side), eight[1]),
        order_type=order_type, quantity=2 + 2 * (eight[4] % 8),
        price=pick((100_000, 100_100, 99_900, 100_200, 99_800), eight[3]) if is_limit else 0,
        time_in_force=TimeInForce.GTC if eight[7] % 2 and is_limit else TimeInForce.DAY,
    )  # fmt: skip


def sane_stop(eight: bytes) -> c.EnterSpecialOrder:
    """Enter a stop order near the price."""
    buys = eight[1] % 2
    stop_price = pick((100_100, 100_200), eight[2]) if buys else pick((99_900, 99_800), eight[2])
    trails = eight[3] % 3 == 0
    return c.EnterSpecialOrder(
        account_id=pick(ACCOUNTS, eight[4]), symbol_id=1, side=Side.BUY if buys else Side.SELL,
        order_type=OrderType.STOP, time_in_force=TimeInForce.GTC, quantity=2 + eight[5] % 9,
        trail_amount=100 if trails else 0, stop_price=0 if trails else stop_price,
    )  # fmt: skip
