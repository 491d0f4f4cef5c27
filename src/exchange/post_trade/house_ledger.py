"""The ledger of what the house itself decides: settlement, margin, default fund and fees, by double entry.

The trades' ledger (`ledger.py`) is a projection of the engine's events and of nothing else. Here stands what the
clearing house adds to it, in the same model, which is TigerBeetle's, with its two phases:

1. An entry is posted at once, or it is pending: then it only reserves. A pending entry is resolved at most once:
   posted, whole or in part, which gives the rest free, or void.
2. The entries that one act books are linked: all of them are posted, or none.
3. Nothing is changed or deleted; a mistake is put right by an entry the other way round (`reversal`).
4. An entry's id follows from the source of its act and its place in it, so that a repetition is found and does nothing.
5. What a member has cannot fall below zero, reservations counted; only corrections and charges may do that, and are
   reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from hashlib import blake2b
from struct import Struct

import msgspec

from exchange.post_trade.ledger import account_number, asset_of

HASH_BYTES = 16
NO_ACTS = bytes(HASH_BYTES)
"""The hash of a house in which nothing was done yet."""
CHAIN_ENTRIES_MAX = 2_000_000
"""Entries that one act may book; a settlement needs about three for each of its instructions."""
_HOLDER_SHIFT = 56
_ENTRY = Struct("<QQBB")


class HouseHolder(IntEnum):
    """Whose an account is and what for; the numbers go on where those of the trades' ledger end."""

    SETTLED = 5
    """An exchange account: what settlement and the house's charges have moved. Stands beside what it brought in."""
    MARGIN = 6
    """An exchange account: its collateral."""
    FUND = 7
    """An exchange account: its part of the default fund."""
    HOUSE = 8
    """The house between those who deliver and those who receive; flat after every act."""
    CAPITAL = 9
    """The house's own money, of which a part is in the waterfall."""
    FEES = 10
    """What the house has earned."""
    OWNERS = 11
    """Where the house's own money comes from."""


MEMBERS = (HouseHolder.SETTLED, HouseHolder.MARGIN, HouseHolder.FUND)
"""Whose accounts are a member's."""
NEVER_BELOW_ZERO = frozenset({*MEMBERS, HouseHolder.CAPITAL})


class HouseCode(IntEnum):
    """What an entry is for."""

    DELIVERY = 1
    """Shares against money, at the settlement price."""
    MARK = 2
    """The difference between what was agreed and the settlement price."""
    FEE = 3
    MARGIN = 4
    FUND = 5
    CAPITAL = 6
    DEFAULT = 7
    """What a default costs, step by step of the waterfall."""
    BUY_IN = 8
    CORRECTION = 9


MAY_OVERDRAW = frozenset({HouseCode.FEE, HouseCode.CORRECTION})
"""A charge that was earned and a correction are booked in any case; who is below zero afterwards is reported."""


class Phase(IntEnum):
    """What an entry does to the balances."""

    POSTED = 0
    PENDING = 1
    POST = 2
    """Resolves a pending entry: its amount, at most, is moved, and the rest is free again."""
    VOID = 3
    """Resolves a pending entry: nothing is moved."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """An amount of one asset from one account to another. resolves: id of the pending entry, for POST and VOID."""

    debit: int
    credit: int
    amount: int
    code: HouseCode
    phase: Phase = Phase.POSTED
    resolves: bytes = b""


class HouseBalance(msgspec.Struct, gc=False):
    """What an account has been debited and credited, and how much of each is reserved."""

    debits: int = 0
    credits: int = 0
    debits_pending: int = 0
    credits_pending: int = 0

    @property
    def net(self) -> int:
        """Return credits less debits, of what is posted."""
        return self.credits - self.debits


class PostingRefused(ValueError):
    """A chain cannot be posted; nothing of it was. The message is a sentence for people."""


def house_account(holder: HouseHolder, account_id: int, asset: int) -> int:
    """Return the integer that names an account of the house's ledger."""
    return account_number(holder, account_id, asset)


def holder_of(number: int) -> HouseHolder:
    """Return whose the account of a number is."""
    return HouseHolder(number >> _HOLDER_SHIFT)


def entry_id(source: str, place: int) -> bytes:
    """Return the id of an entry: BLAKE2b-128 of its act's source and its place in it, from 1."""
    return blake2b(f"H{source}\n{place}".encode(), digest_size=HASH_BYTES).digest()


def act_hash(before: bytes, source: str, body: bytes, entries: Sequence[Entry]) -> bytes:
    """Return the hash of the house after one more act: over the hash before it, the act and its entries."""
    digest = blake2b(before, digest_size=HASH_BYTES)
    digest.update(f"{source}\n{len(body)}\n".encode())
    digest.update(body)
    for entry in entries:
        digest.update(_ENTRY.pack(entry.debit, entry.credit, entry.code, entry.phase))
        digest.update(f"{entry.amount};".encode())
        digest.update(entry.resolves)
    return digest.digest()


Backing = Callable[[int], int]
"""Tells how far an account's debits may exceed its credits: what its owner has in the trades' ledger."""


def no_backing(number: int) -> int:
    """Let no account go below zero."""
    return 0


class HouseLedger:
    """The balances of the house's accounts and the pending entries that are open.

    `touched` holds the balances that changed, and `opened` and `resolved` the pending entries, for whoever stores them.
    """

    def __init__(
        self,
        balances: dict[int, HouseBalance] | None = None,
        pending: dict[bytes, Entry] | None = None,
        backing: Backing = no_backing,
    ) -> None:
        self.balances = balances if balances is not None else {}
        self.pending = pending if pending is not None else {}
        self.backing = backing
        self.touched: dict[int, HouseBalance] = {}
        self.opened: dict[bytes, Entry] = {}
        self.resolved: dict[bytes, Entry] = {}

    def post(self, source: str, entries: Sequence[Entry]) -> None:
        """Post the linked entries of an act: all of them, or none. Raise `PostingRefused`."""
        if len(entries) > CHAIN_ENTRIES_MAX:
            raise PostingRefused(f"{source}: {len(entries)} entries, at most {CHAIN_ENTRIES_MAX} are allowed")
        trial = _Trial(self)
        for place, entry in enumerate(entries, 1):
            trial.add(source, place, entry)
        self.balances |= trial.balances
        self.touched |= trial.balances
        self.pending |= trial.opened
        for resolved in trial.resolved:
            del self.pending[resolved]
        self.opened |= trial.opened
        self.resolved |= trial.resolved

    def net(self, holder: HouseHolder, account_id: int, asset: int) -> int:
        """Return an account's posted balance; 0 for one that was never used."""
        balance = self.balances.get(house_account(holder, account_id, asset))
        return balance.net if balance else 0

    def spendable(self, holder: HouseHolder, account_id: int, asset: int) -> int:
        """Return what can be taken from an account: posted and backing, less what is reserved."""
        number = house_account(holder, account_id, asset)
        balance = self.balances.get(number) or HouseBalance()
        return balance.net - balance.debits_pending + self.backing(number)

    def forget_unsaved(self) -> None:
        """Take note that everything that changed is stored."""
        self.touched, self.opened, self.resolved = {}, {}, {}


class _Trial:
    """A chain on its way: what it would change, kept apart until all of it has been found good."""

    def __init__(self, ledger: HouseLedger) -> None:
        self._ledger = ledger
        self.balances: dict[int, HouseBalance] = {}
        self.opened: dict[bytes, Entry] = {}
        self.resolved: dict[bytes, Entry] = {}

    def add(self, source: str, place: int, entry: Entry) -> None:
        where = f"{source}, entry {place}"
        if entry.amount <= 0 and entry.phase is not Phase.VOID:
            raise PostingRefused(f"{where}: an entry moves an amount above 0, got {entry.amount}")
        if entry.debit == entry.credit:
            raise PostingRefused(f"{where}: debit and credit are the same account")
        if asset_of(entry.debit) != asset_of(entry.credit):
            raise PostingRefused(f"{where}: two assets in one entry")
        if entry.phase in (Phase.POST, Phase.VOID):
            self._resolve(where, entry)
        elif entry.phase is Phase.PENDING:
            self._check_funds(where, entry)
            self._balance(entry.debit).debits_pending += entry.amount
            self._balance(entry.credit).credits_pending += entry.amount
            self.opened[entry_id(source, place)] = entry
        else:
            self._check_funds(where, entry)
            self._move(entry)

    def _resolve(self, where: str, entry: Entry) -> None:
        if entry.resolves in self.resolved:
            raise PostingRefused(f"{where}: its pending entry is resolved already; that happens once")
        pending = self.opened.get(entry.resolves) or self._ledger.pending.get(entry.resolves)
        if pending is None:
            raise PostingRefused(f"{where}: there is no open pending entry {entry.resolves.hex() or 'named'}")
        if (entry.debit, entry.credit) != (pending.debit, pending.credit):
            raise PostingRefused(f"{where}: its pending entry is between other accounts")
        if entry.amount > pending.amount:
            raise PostingRefused(
                f"{where}: {entry.amount} is more than the {pending.amount} that are pending"
            )
        self._balance(entry.debit).debits_pending -= pending.amount
        self._balance(entry.credit).credits_pending -= pending.amount
        self.resolved[entry.resolves] = pending
        if entry.phase is Phase.POST:
            self._move(entry)

    def _check_funds(self, where: str, entry: Entry) -> None:
        holder = holder_of(entry.debit)
        if holder not in NEVER_BELOW_ZERO or entry.code in MAY_OVERDRAW:
            return
        balance = self._balance(entry.debit)
        free = balance.net - balance.debits_pending + self._ledger.backing(entry.debit)
        if entry.amount > free:
            raise PostingRefused(
                f"{where}: {entry.amount} are to be taken from {holder.name.lower()} of account "
                f"{account_id_of(entry.debit)}, which has {free} of asset {asset_of(entry.debit)} free"
            )

    def _move(self, entry: Entry) -> None:
        self._balance(entry.debit).debits += entry.amount
        self._balance(entry.credit).credits += entry.amount

    def _balance(self, number: int) -> HouseBalance:
        balance = self.balances.get(number)
        if balance is None:
            before = self._ledger.balances.get(number)
            balance = self.balances[number] = msgspec.structs.replace(before) if before else HouseBalance()
        return balance


def account_id_of(number: int) -> int:
    """Return the exchange account of the account that a number names; 0 for the house's own."""
    return (number & ((1 << _HOLDER_SHIFT) - 1)) >> 24


def reversal(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that put posted ones right: each the other way round, the last one first."""
    turned = [
        Entry(entry.credit, entry.debit, entry.amount, HouseCode.CORRECTION)
        for entry in entries
        if entry.phase is Phase.POSTED
    ]
    return turned[::-1]


def faults_of(balances: Mapping[int, HouseBalance]) -> list[str]:
    """Say where debits and credits of an asset differ, and where the house is not flat."""
    posted: dict[int, int] = {}
    reserved: dict[int, int] = {}
    found = []
    for number, balance in sorted(balances.items()):
        asset = asset_of(number)
        posted[asset] = posted.get(asset, 0) + balance.net
        reserved[asset] = reserved.get(asset, 0) + balance.credits_pending - balance.debits_pending
        if holder_of(number) is HouseHolder.HOUSE and balance.net:
            found.append(f"asset {asset}: the house has {balance.net} in its own ledger, not 0")
    for what, sums in (("posted", posted), ("pending", reserved)):
        found += [
            f"asset {asset}: debits and credits {what} differ by {total}"
            for asset, total in sums.items()
            if total
        ]
    return found


def overdrawn(balances: Mapping[int, HouseBalance], backing: Backing) -> list[tuple[int, int]]:
    """Return the accounts that are below zero though they should not be, each with by how much."""
    return [
        (number, -free)
        for number, balance in sorted(balances.items())
        if holder_of(number) in NEVER_BELOW_ZERO
        and (free := balance.net - balance.debits_pending + backing(number)) < 0
    ]
