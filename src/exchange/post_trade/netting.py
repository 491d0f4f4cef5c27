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
    apart, owed = kept_apart(left_out), iter(before)
    others = [pair for pair in apart if pair not in positions]
    flat = Position()
    next_pair, (owed_quantity, owed_cash) = next(owed, _END)
    for pair in _in_order({*positions, *others} if others else positions):
        position = positions.get(pair, flat)
        quantity = position.bought - position.sold
        cash = position.sold_notional - position.bought_notional
        while next_pair <= pair:
            if next_pair == pair:
                quantity, cash = quantity - owed_quantity, cash - owed_cash
            else:
                yield from _unless_nothing(next_pair, -owed_quantity, -owed_cash)
            next_pair, (owed_quantity, owed_cash) = next(owed, _END)
        if apart and pair in apart:
            quantity, cash = quantity - apart[pair][0], cash - apart[pair][1]
        if quantity or cash:
            yield Obligation(pair[0], pair[1], quantity, cash)
    while next_pair < BEYOND:
        yield from _unless_nothing(next_pair, -owed_quantity, -owed_cash)
        next_pair, (owed_quantity, owed_cash) = next(owed, _END)


def _unless_nothing(pair: Pair, quantity: int, cash: int) -> Iterator[Obligation]:
    if quantity or cash:
        yield Obligation(pair[0], pair[1], quantity, cash)


def _in_order(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Yield pairs by account and symbol; sorting each account's symbols is faster than sorting millions of pairs."""
    symbols: dict[int, list[int]] = {}
    for account_id, symbol_id in pairs:
        known = symbols.get(account_id)
        if known is None:
            symbols[account_id] = [symbol_id]
        else:
            known.append(symbol_id)
    for account_id in sorted(symbols):
        of_account = symbols.pop(account_id)
        of_account.sort()
        for symbol_id in of_account:
            yield account_id, symbol_id


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
        pack, shares, cash, hashed = _KEY.pack, self._shares, 0, list[bytes]()
        known, hash_next = shares.get, hashed.append
        for each in obligations:
            symbol_id, quantity, money = each.symbol_id, each.quantity, each.cash
            shares[symbol_id] = known(symbol_id, 0) + quantity
            cash += money
            hash_next(pack(each.account_id, symbol_id))
            hash_next(b"%d %d;" % (quantity, money))
        self._cash += cash
        self.count += len(obligations)
        self._digest.update(b"".join(hashed))

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
