"""Settlement: which shares go from whom to whom against which money, out of the obligations that are due.

1. A cycle's obligation becomes an instruction with a day; what is due is instructed against the house.
2. All that is due is first marked to the settlement price: the difference between what was agreed for the shares and
   what they are worth now is money of this run, and the instruction stands at the price. So each share moves at one
   price, whoever delivers it to whom, and those who are settled whole have paid exactly what they traded for.
3. What one account delivers and receives of a symbol is set off first. Then those who deliver give what they have, the
   oldest instruction first; those who receive get it, the oldest first, and among equally old ones in proportion, the
   shares that are left over one each in the order of accounts.
4. What is not delivered has failed: it stays, marked, and is due again on the next day.
5. Delivery versus payment: an account's money is one sum for the whole run. Who cannot pay it receives no shares, and
   the rest is worked out again. Who then still cannot pay stops the run whole: it is settled all or nothing (BIS model
   3).

Per symbol the obligations of a cycle sum to zero, and so do the marks and the money for the shares: the house is flat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from exchange.post_trade.house_ledger import Entry, HouseCode, HouseHolder, Phase, house_account
from exchange.post_trade.ledger import CASH

BASIS_POINTS = 10_000
Key = tuple[int, int, int]
"""Cycle, account and symbol of an instruction."""
_HOUSE = HouseHolder.HOUSE


class Instruction(msgspec.Struct, frozen=True, gc=False):
    """What is open of an obligation. quantity, cash: to be received; below zero to be delivered and paid.

    cycle: the trading day of its netting; due: the settlement day it was for first. Both YYYYMMDD.
    """

    cycle: int
    account_id: int
    symbol_id: int
    due: int
    quantity: int
    cash: int

    @property
    def key(self) -> Key:
        """Return what names it."""
        return self.cycle, self.account_id, self.symbol_id

    @property
    def order(self) -> tuple[int, int, int]:
        """Return where it stands among those of its symbol: by day, cycle and account."""
        return self.due, self.cycle, self.account_id


class Shortfall(NamedTuple):
    """Money that an account needs for a run and does not have."""

    account_id: int
    needed: int
    available: int


class CannotSettle(ValueError):
    """A run cannot be settled, and nothing of it is. shortfalls: who lacks what."""

    def __init__(self, shortfalls: Sequence[Shortfall]) -> None:
        self.shortfalls = list(shortfalls)
        super().__init__(f"{len(self.shortfalls)} accounts cannot pay")


class Outcome(msgspec.Struct, kw_only=True):
    """What a run does. settled: shares that move, by key of the instruction, with their sign; marks: money, likewise.

    left: instructions after the run, quantity 0 where whole; unpaid: accounts that received nothing for want of money.
    """

    settled: dict[Key, int]
    marks: dict[Key, int]
    left: list[Instruction]
    money: dict[int, int]
    unpaid: list[int]

    @property
    def failed(self) -> list[Instruction]:
        """Return what stays open."""
        return [each for each in self.left if each.quantity]


Has = Callable[[int, int], int]
"""Tells what an account can give of an asset."""


def settle(due: Iterable[Instruction], prices: Mapping[int, int], has: Has) -> Outcome:
    """Work out a run. prices: by symbol id, for all that is due. Raise `CannotSettle`."""
    instructions = sorted(due, key=lambda each: (each.symbol_id, *each.order))
    marks = {each.key: each.cash + each.quantity * prices[each.symbol_id] for each in instructions}
    unpaid: dict[int, None] = {}
    while True:
        settled = _allocate(instructions, has, unpaid)
        money = _money(instructions, prices, marks, settled)
        short = [
            Shortfall(account_id, -amount, available)
            for account_id, amount in sorted(money.items())
            if amount < 0 and -amount > (available := max(0, has(account_id, CASH)))
        ]
        new = [each.account_id for each in short if each.account_id not in unpaid]
        if not short:
            break
        if not new:
            raise CannotSettle(short)
        unpaid |= dict.fromkeys(new)
    left = [
        msgspec.structs.replace(
            each, quantity=each.quantity - moved, cash=-(each.quantity - moved) * prices[each.symbol_id]
        )
        for each in instructions
        for moved in (settled.get(each.key, 0),)
    ]
    return Outcome(settled=settled, marks=marks, left=left, money=money, unpaid=sorted(unpaid))


def _allocate(instructions: Sequence[Instruction], has: Has, unpaid: Mapping[int, None]) -> dict[Key, int]:
    """Return the shares that move by instruction: per symbol as many as are delivered and taken."""
    settled: dict[Key, int] = {}
    by_symbol: dict[int, list[Instruction]] = {}
    for each in instructions:
        by_symbol.setdefault(each.symbol_id, []).append(each)
    for symbol_id, whole in by_symbol.items():
        own = _offset(whole)
        settled |= own
        all_of = [
            msgspec.structs.replace(each, quantity=each.quantity - own.get(each.key, 0)) for each in whole
        ]
        receivers = [each for each in all_of if each.quantity > 0 and each.account_id not in unpaid]
        givers = [each for each in all_of if each.quantity < 0]
        offered = _offered(givers, symbol_id, has)
        total = min(sum(offered.values()), sum(each.quantity for each in receivers))
        moved = {key: -part for key, part in _in_order(givers, offered, total).items()}
        for key, part in (moved | _by_age(receivers, total)).items():
            settled[key] = settled.get(key, 0) + part
    return settled


def _offset(instructions: Sequence[Instruction]) -> dict[Key, int]:
    """Settle what an account has to deliver with what it has to receive of the same symbol, oldest first."""
    sums: dict[int, list[int]] = {}
    for each in instructions:
        sums.setdefault(each.account_id, [0, 0])[each.quantity > 0] += abs(each.quantity)
    left = {account_id: [min(both)] * 2 for account_id, both in sums.items()}
    settled = {}
    for each in instructions:
        side = left[each.account_id]
        part = min(abs(each.quantity), side[each.quantity > 0])
        side[each.quantity > 0] -= part
        if part:
            settled[each.key] = part if each.quantity > 0 else -part
    return settled


def _offered(givers: Sequence[Instruction], symbol_id: int, has: Has) -> dict[Key, int]:
    """Return what each instruction can give; an account's shares go to its oldest one first."""
    free: dict[int, int] = {}
    offered = {}
    for each in givers:
        own = free.setdefault(each.account_id, max(0, has(each.account_id, symbol_id)))
        offered[each.key] = part = min(own, -each.quantity)
        free[each.account_id] = own - part
    return offered


def _in_order(givers: Sequence[Instruction], offered: Mapping[Key, int], total: int) -> dict[Key, int]:
    taken = {}
    for each in givers:
        part = min(offered[each.key], total)
        total -= part
        if part:
            taken[each.key] = part
    return taken


def _by_age(receivers: Sequence[Instruction], total: int) -> dict[Key, int]:
    given: dict[Key, int] = {}
    ages: dict[int, list[Instruction]] = {}
    for each in receivers:
        ages.setdefault(each.due, []).append(each)
    for equally_old in ages.values():
        wanted = sum(each.quantity for each in equally_old)
        part = min(total, wanted)
        shares = [each.quantity * part // wanted for each in equally_old]
        rest = part - sum(shares)
        for each, share in zip(equally_old, shares, strict=True):
            extra = 1 if rest and share < each.quantity else 0
            rest -= extra
            if share + extra:
                given[each.key] = share + extra
        total -= part
    return given


def _money(
    instructions: Iterable[Instruction],
    prices: Mapping[int, int],
    marks: Mapping[Key, int],
    settled: Mapping[Key, int],
) -> dict[int, int]:
    """Return what each account gets for the run, below zero what it pays: marks, and the price of what moves."""
    money: dict[int, int] = {}
    for each in instructions:
        amount = marks[each.key] - settled.get(each.key, 0) * prices[each.symbol_id]
        money[each.account_id] = money.get(each.account_id, 0) + amount
    return money


def chain_of(outcome: Outcome) -> list[Entry]:
    """Return the pending entries that reserve a run: shares per account and symbol, one sum of money per account.

    First comes what the house takes, then what it gives.
    """
    shares: dict[tuple[int, int], int] = {}
    for (_, account_id, symbol_id), moved in outcome.settled.items():
        shares[account_id, symbol_id] = shares.get((account_id, symbol_id), 0) + moved
    takes, gives = [], []
    legs = [*(((a, s), moved, HouseCode.DELIVERY) for (a, s), moved in sorted(shares.items()))]
    legs += [
        ((account_id, CASH), amount, HouseCode.DELIVERY)
        for account_id, amount in sorted(outcome.money.items())
    ]
    for (account_id, asset), amount, code in legs:
        own, house = house_account(HouseHolder.SETTLED, account_id, asset), house_account(_HOUSE, 0, asset)
        if amount < 0:
            takes.append(Entry(own, house, -amount, code, Phase.PENDING))
        elif amount > 0:
            gives.append(Entry(house, own, amount, code, Phase.PENDING))
    return takes + gives


def resolved(reserved: Mapping[bytes, Entry], phase: Phase) -> list[Entry]:
    """Return the entries that post or void what a run reserved, in their order."""
    return [
        msgspec.structs.replace(entry, phase=phase, resolves=entry_id) for entry_id, entry in reserved.items()
    ]


def compensation(quantity: int, price: int, premium_bps: int) -> int:
    """Return what who does not deliver pays for shares that are bought in for money, beyond the mark: rounded up."""
    value = abs(quantity) * price * premium_bps
    return -(-value // BASIS_POINTS)
