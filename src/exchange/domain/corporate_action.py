"""The words and the arithmetic of corporate actions: splits, and what is left over by them."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

SPLIT_SHARES_MAX = 10_000
"""The most shares on either side of a split's ratio."""


class HoldingCause(IntEnum):
    """Why a corporate action changed what an account has."""

    SPLIT = 1
    """Shares for shares."""
    CASH_IN_LIEU = 2
    """Money for the fraction of a share that a split left."""
    DIVIDEND = 3
    """Money per share."""


class Split(NamedTuple):
    """So many new shares for so many old ones."""

    new_shares: int
    old_shares: int

    @property
    def lowers_prices(self) -> bool:
        """Tell whether there are more shares afterwards."""
        return self.new_shares > self.old_shares

    def shares(self, old: int) -> tuple[int, int]:
        """Return the whole shares that become of old ones, and what is left over in parts of `old_shares`.

        Both are rounded towards zero and have the sign of the old shares, so that nobody gets more than is there.
        """
        whole, rest = divmod(abs(old) * self.new_shares, self.old_shares)
        return (whole, rest) if old >= 0 else (-whole, -rest)

    def price(self, old: int) -> int:
        """Return what becomes of a price, rounded down."""
        return old * self.old_shares // self.new_shares

    def price_up(self, old: int) -> int:
        """Return what becomes of a price, rounded up."""
        return -(-old * self.old_shares // self.new_shares)

    def cash(self, rest: int, price: int) -> int:
        """Return what the rest that `shares` left is worth at a price, rounded towards zero."""
        worth = abs(rest) * price // self.old_shares
        return worth if rest >= 0 else -worth
