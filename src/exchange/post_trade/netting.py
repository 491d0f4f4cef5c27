"""Multilateral netting: what each account has to deliver and to receive for a cycle, against the clearing house.

Every trade is novated to the house in the ledger, so per account and symbol one figure of shares and one of money is
left.
A cycle owes what stands for all trading days up to its own, less what the cycles before it owe already:

    obligation of a cycle = everything that stands up to its day - obligations of all cycles before

So a trade that is busted or corrected after its cycle, or was held and is released later, comes out by itself as a
reversal or an addition in the next cycle, and all cycles together always owe exactly what stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import islice
from struct import Struct

import msgspec

from exchange.post_trade.positions import Position
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import TradeState

HASH_BYTES = 16
SYMBOL_BITS = 24
"""An asset's number has so many, as in the ledger."""
HASHED_AT_ONCE = 10_000
KEPT_OUT = frozenset({TradeState.HELD, TradeState.BUST_PENDING})
"""What waits for a ruling or for the engine is left out of a cycle and shown beside it."""
_KEY = Struct("<QI")

Pair = tuple[int, int]
"""Account and symbol id."""


class Obligation(msgspec.Struct, frozen=True, gc=False):
    """What an account has to receive of a symbol, and of money for it; below zero it delivers and pays."""

    account_id: int
    symbol_id: int
    quantity: int
    cash: int


def kept_apart(left_out: Iterable[Trade]) -> dict[Pair, tuple[int, int]]:
    """Return the shares and the money that trades amount to which are left out of a cycle, by account and symbol."""
    sums: dict[Pair, tuple[int, int]] = {}
    for trade in left_out:
        for account_id, sign in ((trade.buy_account_id, 1), (trade.sell_account_id, -1)):
            pair = account_id, trade.symbol_id
            quantity, cash = sums.get(pair, (0, 0))
            sums[pair] = quantity + sign * trade.quantity, cash - sign * trade.notional
    return sums


def net(
    positions: Mapping[Pair, Position], left_out: Iterable[Trade], before: Mapping[Pair, tuple[int, int]]
) -> list[Obligation]:
    """Return the obligations of a cycle by account and symbol, without those that are nothing.

    positions: of all trades that were not busted. left_out: of these, what is of later days or waits for a ruling.
    before: shares and money that all cycles before owe.
    """
    apart = kept_apart(left_out)
    others = [pair for pair in (*apart, *before) if pair not in positions]
    pairs = sorted({*positions, *others} if others else positions, key=_place)
    flat = Position()
    found = []
    for pair in pairs:
        position = positions.get(pair, flat)
        quantity = position.bought - position.sold
        cash = position.sold_notional - position.bought_notional
        for less in (apart, before):
            if less and pair in less:
                quantity, cash = quantity - less[pair][0], cash - less[pair][1]
        if quantity or cash:
            found.append(Obligation(pair[0], pair[1], quantity, cash))
    return found


def _place(pair: Pair) -> int:
    """Return a pair as one number that sorts as it does, which is faster than comparing tuples."""
    return pair[0] << SYMBOL_BITS | pair[1]


def faults(obligations: Iterable[Obligation]) -> Iterator[str]:
    """Say where the house would not be flat: per symbol shares sum to zero, and all money does."""
    shares: dict[int, int] = {}
    cash = 0
    for each in obligations:
        shares[each.symbol_id] = shares.get(each.symbol_id, 0) + each.quantity
        cash += each.cash
    for symbol_id, total in sorted(shares.items()):
        if total:
            yield f"obligations of symbol {symbol_id} sum to {total} shares, not 0"
    if cash:
        yield f"obligations sum to {cash} of cash, not 0"


def cycle_hash(before: bytes, business_date: int, obligations: Iterable[Obligation]) -> bytes:
    """Return the hash after one more cycle: BLAKE2b-128 of that before, the day and the obligations in their order."""
    digest = blake2b(before + business_date.to_bytes(4, "little"), digest_size=HASH_BYTES)
    pack, left = _KEY.pack, iter(obligations)
    while piece := list(islice(left, HASHED_AT_ONCE)):
        digest.update(
            b"".join(
                pack(each.account_id, each.symbol_id) + b"%d %d;" % (each.quantity, each.cash)
                for each in piece
            )
        )
    return digest.digest()
