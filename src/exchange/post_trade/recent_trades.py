"""A bounded memory of the latest trades, for rules that look for the same trade again."""

from __future__ import annotations

from collections import deque

import msgspec

from exchange.post_trade.trade import Trade

RECENT_TRADES_MAX = 10_000
"""Trades remembered; with one more the oldest is forgotten, so no window reaches back further than these."""

Likeness = tuple[int, int, int, int, int]


class _Seen(msgspec.Struct, gc=False):
    executed_ns: int
    taker_order_id: int
    trades: int = 1


class RecentTrades:
    """The latest trades by buyer, seller, symbol, price and quantity.

    It depends only on the trades that came.
    """

    def __init__(self) -> None:
        self._order: deque[Likeness] = deque()
        self._alike: dict[Likeness, deque[_Seen]] = {}

    def __len__(self) -> int:
        return len(self._order)

    def remember(self, trade: Trade) -> None:
        """Take a trade in, after it was judged."""
        if len(self._order) == RECENT_TRADES_MAX:
            self._forget_oldest()
        key = likeness(trade)
        self._order.append(key)
        alike = self._alike.setdefault(key, deque())
        if alike and alike[-1].taker_order_id == trade.taker_order_id:
            alike[-1].trades += 1
        else:
            alike.append(_Seen(trade.executed_ns, trade.taker_order_id))

    def repetitions(self, trade: Trade, within_ns: int, at_most: int) -> int:
        """Count the incoming orders that made the same trade within the time before it, its own included.

        One incoming order that meets several equal resting ones counts once. Counting ends at `at_most`.
        """
        orders: set[int] = {trade.taker_order_id}
        for seen in reversed(self._alike.get(likeness(trade), ())):
            if len(orders) >= at_most or seen.executed_ns < trade.executed_ns - within_ns:
                break
            orders.add(seen.taker_order_id)
        return len(orders)

    def _forget_oldest(self) -> None:
        key = self._order.popleft()
        alike = self._alike[key]
        alike[0].trades -= 1
        if alike[0].trades == 0:
            alike.popleft()
        if not alike:
            del self._alike[key]


def likeness(trade: Trade) -> Likeness:
    """Return what two trades have in common when one repeats the other."""
    return trade.buy_account_id, trade.sell_account_id, trade.symbol_id, trade.price, trade.quantity
