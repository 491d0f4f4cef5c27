"""The waterfall: who bears what a default costs, in which order (Swiss FMIA art. 53, EMIR art. 45).

1. What the defaulter has settled and free, 2. its margin, 3. its part of the default fund, 4. the house's own money set
aside for it, 5. the others' parts of the fund in proportion, 6. assessments: what the others must add, in proportion to
their parts and at most a multiple of them, 7. the rest of the house's own money. Margin of the others is never touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from exchange.post_trade.house_ledger import Entry, HouseCode, HouseHolder, house_account
from exchange.post_trade.ledger import CASH

BASIS_POINTS = 10_000


class Layer(StrEnum):
    """A step of the waterfall."""

    OWN_CASH = "defaulter's cash"
    OWN_MARGIN = "defaulter's margin"
    OWN_FUND = "defaulter's part of the fund"
    HOUSE = "house's own money"
    FUND = "others' parts of the fund"
    ASSESSMENT = "assessments"
    REST_OF_HOUSE = "rest of the house's own money"


HOLDER_OF = {
    Layer.OWN_CASH: HouseHolder.SETTLED,
    Layer.OWN_MARGIN: HouseHolder.MARGIN,
    Layer.OWN_FUND: HouseHolder.FUND,
    Layer.HOUSE: HouseHolder.CAPITAL,
    Layer.FUND: HouseHolder.FUND,
    Layer.ASSESSMENT: HouseHolder.SETTLED,
    Layer.REST_OF_HOUSE: HouseHolder.CAPITAL,
}


class Means(msgspec.Struct, kw_only=True):
    """What there is to bear a loss; money by account. own: the defaulter's; others: without the defaulter's.

    cash: what the others have free, beyond which nothing is collected now; assessment_times: of their fund parts.
    """

    own_cash: dict[int, int]
    own_margin: dict[int, int]
    own_fund: dict[int, int]
    capital: int
    skin_bps: int
    others_fund: dict[int, int]
    others_cash: dict[int, int]
    assessment_times: int = 1


class Share(msgspec.Struct, frozen=True):
    """What one account bears in one step; account 0 is the house."""

    layer: Layer
    account_id: int
    amount: int


class Waterfall(msgspec.Struct, frozen=True):
    """Who bears what of a loss. uncovered: what nobody has."""

    loss: int
    shares: list[Share]
    uncovered: int

    def sum_of(self, layer: Layer) -> int:
        """Return what one step bears."""
        return sum(share.amount for share in self.shares if share.layer is layer)


def run(loss: int, means: Means) -> Waterfall:
    """Let a loss run through the waterfall. loss: money, at least 0."""
    skin = means.capital * means.skin_bps // BASIS_POINTS
    shares: list[Share] = []
    left = loss
    for layer, has in (
        (Layer.OWN_CASH, means.own_cash),
        (Layer.OWN_MARGIN, means.own_margin),
        (Layer.OWN_FUND, means.own_fund),
        (Layer.HOUSE, {0: skin}),
        (Layer.FUND, means.others_fund),
        (Layer.ASSESSMENT, _assessable(means)),
        (Layer.REST_OF_HOUSE, {0: means.capital - skin}),
    ):
        for account_id, amount in in_proportion(left, has).items():
            shares.append(Share(layer, account_id, amount))
            left -= amount
    return Waterfall(loss, shares, left)


def _assessable(means: Means) -> dict[int, int]:
    return {
        account_id: min(part * means.assessment_times, max(0, means.others_cash.get(account_id, 0)))
        for account_id, part in means.others_fund.items()
    }


def in_proportion(amount: int, has: Mapping[int, int]) -> dict[int, int]:
    """Divide an amount in proportion to what each has, at most all of it; odd units go by the order of accounts."""
    whole = {account_id: part for account_id, part in sorted(has.items()) if part > 0}
    total = sum(whole.values())
    amount = min(amount, total)
    if amount <= 0:
        return {}
    taken = {account_id: part * amount // total for account_id, part in whole.items()}
    rest = amount - sum(taken.values())
    for account_id, part in whole.items():
        if rest and taken[account_id] < part:
            taken[account_id] += 1
            rest -= 1
    return {account_id: part for account_id, part in taken.items() if part}


def entries_of(shares: Sequence[Share]) -> list[Entry]:
    """Return the entries by which the house collects what the waterfall says."""
    house = house_account(HouseHolder.HOUSE, 0, CASH)
    return [
        Entry(
            house_account(HOLDER_OF[share.layer], share.account_id, CASH),
            house,
            share.amount,
            HouseCode.DEFAULT,
        )
        for share in shares
    ]
