"""The price that a symbol's next trade is compared with, and the recent trades it can fall back to.

The reference is the last trade that is neither an outlier nor busted, among the recent ones that are kept;
where there is none, the listed reference price. So an erroneous print does not make the next honest trade
look erroneous.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from exchange.domain.trade import is_outlier

REFERENCE_TRADES_MAX = 1_024
"""Trades kept per symbol; the oldest goes when full, and a bust of one that is gone changes nothing."""


class ReferencePrice:
    """One symbol's reference price. listed: the price set at listing or by an operator since."""

    __slots__ = ("listed", "price", "trades")

    def __init__(self, listed: int) -> None:
        self.listed = listed
        self.price = listed
        self.trades: deque[tuple[int, int]] = deque(maxlen=REFERENCE_TRADES_MAX)
        """(match id, price) of the eligible trades since the price was set, oldest first."""

    def set(self, price: int) -> None:
        """Take an operator's price; trades before it no longer count."""
        self.listed = self.price = price
        self.trades.clear()

    def trade(self, match_id: int, price: int, compared_with: int) -> None:
        """Move to a trade's price unless it is an outlier against the price its event was compared with."""
        if not is_outlier(price, compared_with):
            self.trades.append((match_id, price))
            self.price = price

    def bust(self, match_id: int) -> None:
        """Forget a trade: the reference goes back to the last eligible one that is left."""
        self.restore([trade for trade in self.trades if trade[0] != match_id])

    def correct(self, match_id: int, price: int) -> None:
        """Give a trade that counts its corrected price."""
        self.restore([(match_id, price) if trade[0] == match_id else trade for trade in self.trades])

    def restore(self, trades: Iterable[tuple[int, int]]) -> None:
        """Let these trades count, (match id, price) with the oldest first, and no others."""
        kept = list(trades)
        self.trades.clear()
        self.trades.extend(kept)
        self.price = kept[-1][1] if kept else self.listed
