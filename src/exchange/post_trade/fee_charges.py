"""What a day's trades cost each account, and the entries that charge it: what is owed less what was charged before.

So a trade that is busted or corrected after its fees were charged gives the difference back, by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exchange.post_trade.fees import FeeSchedule
from exchange.post_trade.house_ledger import Entry, HouseCode, HouseHolder, house_account
from exchange.post_trade.ledger import CASH
from exchange.post_trade.statement import fills_of
from exchange.post_trade.trade import Trade

Charge = tuple[int, int, str]
"""Trading day, account and name of a fee."""


def fees_of_trades(
    trades: Iterable[Trade], schedule: FeeSchedule, volumes: Mapping[tuple[int, int], int]
) -> dict[Charge, int]:
    """Return what trades that stand cost. volumes: shares of the month before the day, by day and account."""
    sums: dict[Charge, int] = {}
    for trade in trades:
        both = (trade.buy_account_id, trade.sell_account_id)
        for account_id in both if both[0] != both[1] else both[:1]:
            volume = volumes.get((trade.business_date, account_id), 0)
            for fill in fills_of(account_id, trade):
                for name, amount in schedule.charges(fill, volume):
                    key = trade.business_date, account_id, name
                    sums[key] = sums.get(key, 0) + amount
    return sums


def to_charge(owed: Mapping[Charge, int], charged: Mapping[Charge, int]) -> dict[Charge, int]:
    """Return what is to be charged now, below zero to be given back; nothing for what is right."""
    differences = {key: owed.get(key, 0) - charged.get(key, 0) for key in sorted({*owed, *charged})}
    return {key: amount for key, amount in differences.items() if amount}


def entries_of(charges: Mapping[Charge, int]) -> list[Entry]:
    """Return the entries, in the order of day, account and name."""
    income = house_account(HouseHolder.FEES, 0, CASH)
    found = []
    for (_, account_id, _), amount in charges.items():
        own = house_account(HouseHolder.SETTLED, account_id, CASH)
        debit, credit = (own, income) if amount > 0 else (income, own)
        found.append(Entry(debit, credit, abs(amount), HouseCode.FEE))
    return found
