"""Multilateral netting: what each account has to deliver and to receive for a cycle, against the clearing house.

Every trade is novated to the house in the ledger, so per account and symbol one figure of shares and one of money is
left.
A cycle owes what stands for all trading days up to its own, less what the cycles before it owe already:

    obligation of a cycle = everything that stands up to its day - obligations of all cycles before

So a trade that is busted or corrected after its cycle, or was held and is released later, comes out by itself as a
reversal or an addition in the next cycle, and all cycles together always owe exactly what stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
Owed = tuple[Pair, tuple[int, int]]
"""The shares and the money that cycles owe to an account, of a symbol."""
BEYOND: Pair = (1 << 64, 0)
"""A pair that is after all others."""
_END: Owed = (BEYOND, (0, 0))


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
            add_to(sums, (account_id, trade.symbol_id), sign * trade.quantity, -sign * trade.notional)
    return sums


def add_to(sums: dict[Pair, tuple[int, int]], pair: Pair, quantity: int, cash: int) -> None:
    """Add shares and money to what there is of an account and symbol."""
    known_quantity, known_cash = sums.get(pair, (0, 0))
    sums[pair] = known_quantity + quantity, known_cash + cash


def net(
    positions: Mapping[Pair, Position], left_out: Iterable[Trade], before: Iterable[Owed]
) -> Iterator[Obligation]:
    """Yield the obligations of a cycle by account and symbol, without those that are nothing.

    positions: of all trades that were not busted. left_out: of these, what is of later days or waits for a ruling.
    before: what all cycles before owe, by account and symbol as well; it is read on as the obligations are taken.
    """
    apart, owed = kept_apart(left_out), _Reader(before)
    others = [pair for pair in apart if pair not in positions]
    flat = Position()
    for pair in sorted({*positions, *others} if others else positions, key=_place):
        while owed.pair < pair:
            yield from _unless_nothing(owed.pair, -owed.quantity, -owed.cash)
            owed.go_on()
        position = positions.get(pair, flat)
        quantity = position.bought - position.sold
        cash = position.sold_notional - position.bought_notional
        if owed.pair == pair:
            quantity, cash = quantity - owed.quantity, cash - owed.cash
            owed.go_on()
        if apart and pair in apart:
            quantity, cash = quantity - apart[pair][0], cash - apart[pair][1]
        if quantity or cash:
            yield Obligation(pair[0], pair[1], quantity, cash)
    while owed.pair < BEYOND:
        yield from _unless_nothing(owed.pair, -owed.quantity, -owed.cash)
        owed.go_on()


class _Reader:
    """What cycles owe, one after the other; after the last one the pair is `BEYOND` all."""

    __slots__ = ("_left", "cash", "pair", "quantity")

    def __init__(self, owed: Iterable[Owed]) -> None:
        self._left = iter(owed)
        self.pair, self.quantity, self.cash = BEYOND, 0, 0
        self.go_on()

    def go_on(self) -> None:
        self.pair, (self.quantity, self.cash) = next(self._left, _END)


def _unless_nothing(pair: Pair, quantity: int, cash: int) -> Iterator[Obligation]:
    if quantity or cash:
        yield Obligation(pair[0], pair[1], quantity, cash)


def _place(pair: Pair) -> int:
    """Return a pair as one number that sorts as it does, which is faster than comparing tuples."""
    return pair[0] << SYMBOL_BITS | pair[1]


class CycleSum:
    """What is known of a cycle as its obligations pass, so that they need not all be held at once.

    hash: BLAKE2b-128 of that of the cycles before, the day, and the obligations in their order.
    """

    def __init__(self, before: bytes, business_date: int) -> None:
        self.count = 0
        self._digest = blake2b(before + business_date.to_bytes(4, "little"), digest_size=HASH_BYTES)
        self._shares: dict[int, int] = {}
        self._cash = 0

    @property
    def hash(self) -> bytes:
        """Return the hash after what has passed."""
        return self._digest.digest()

    def add(self, obligations: Sequence[Obligation]) -> None:
        """Let the next obligations pass."""
        pack, shares, cash = _KEY.pack, self._shares, 0
        for each in obligations:
            shares[each.symbol_id] = shares.get(each.symbol_id, 0) + each.quantity
            cash += each.cash
        self._cash += cash
        self.count += len(obligations)
        self._digest.update(
            b"".join(
                pack(each.account_id, each.symbol_id) + b"%d %d;" % (each.quantity, each.cash)
                for each in obligations
            )
        )

    def faults(self) -> Iterator[str]:
        """Say where the house would not be flat: per symbol shares sum to zero, and all money does."""
        for symbol_id, total in sorted(self._shares.items()):
            if total:
                yield f"obligations of symbol {symbol_id} sum to {total} shares, not 0"
        if self._cash:
            yield f"obligations sum to {self._cash} of cash, not 0"


def sum_of(before: bytes, business_date: int, obligations: Iterable[Obligation]) -> CycleSum:
    """Let all obligations of a cycle pass. before: the hash of the cycles before."""
    found = CycleSum(before, business_date)
    for piece in in_pieces(obligations, HASHED_AT_ONCE):
        found.add(piece)
    return found


def in_pieces(obligations: Iterable[Obligation], size: int) -> Iterator[list[Obligation]]:
    """Yield obligations in pieces of a size, the last one shorter."""
    left = iter(obligations)
    while piece := list(islice(left, size)):
        yield piece
