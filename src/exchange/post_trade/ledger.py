"""The ledger: accounts and transfers by double entry on integers, after TigerBeetle's data model.

A transfer moves an amount of one asset from its debit account to its credit account. It is never changed and
never deleted; a mistake is put right by correcting transfers. A chain of transfers is posted whole or not at
all.

An account's balance is its credits less its debits: what the clearing house owes its holder. Over all
accounts of an asset the balances are zero, always, because every transfer takes as much as it gives.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from hashlib import blake2b
from itertools import chain as chained
from itertools import groupby
from typing import NamedTuple

import msgspec

CASH = 0
"""The asset that is money, in 1/10,000 of the currency unit; every other asset is a symbol id, in shares."""
HASH_BYTES = 16
NO_TRANSFERS = bytes(HASH_BYTES)
"""The hash of a ledger in which nothing is posted yet."""
_ACCOUNT_SHIFT = 24
_HOLDER_SHIFT = 56
_ASSET_MASK = (1 << _ACCOUNT_SHIFT) - 1
_ACCOUNT_MASK = (1 << _HOLDER_SHIFT) - (1 << _ACCOUNT_SHIFT)
_CHAIN = struct.Struct("<BQQQI")
_LEG = struct.Struct("<BQQQ")
_CAUSE = struct.Struct("<cQIB")
_PLACE_BITS = 3
"""A transfer's place within what its event booked has this many bits of its number."""
CHAIN_LEGS_MAX = 4


class Holder(IntEnum):
    """Whose an account is, and what for; TigerBeetle's account `code`."""

    AVAILABLE = 1
    """An exchange account: what is settled."""
    DUE = 2
    """An exchange account: what its trades have brought and taken and settlement will move."""
    CCP = 3
    """The clearing house between buyer and seller; flat after every chain."""
    EXTERNAL = 4
    """The world outside, where deposits come from and withdrawals go."""


class TransferCode(IntEnum):
    """What a transfer is for; TigerBeetle's transfer `code`."""

    TRADE = 1
    BUST = 2
    CORRECTION = 3
    """Takes back the facts that a correction replaces; the new ones are posted as TRADE."""
    DEPOSIT = 4
    WITHDRAWAL = 5
    SPLIT = 6
    """Shares for shares: from outside, or where there are fewer afterwards, out."""
    CASH_IN_LIEU = 7
    """Money for the fraction of a share that a split left."""
    DIVIDEND = 8


CORPORATE = (TransferCode.SPLIT, TransferCode.CASH_IN_LIEU, TransferCode.DIVIDEND)
"""Of corporate actions: the world outside, which stands for the issuer, is on the other side."""
OF_NO_TRADE = (TransferCode.DEPOSIT, TransferCode.WITHDRAWAL, *CORPORATE)


class LedgerAccount(NamedTuple):
    """An account of the ledger: one holder, one exchange account (0 for CCP and external), one asset."""

    holder: Holder
    account_id: int
    asset: int

    @property
    def number(self) -> int:
        """Return the integer that names this account; from the high bits: holder, account, asset."""
        return account_number(self.holder, self.account_id, self.asset)


def account_number(holder: int, account_id: int, asset: int) -> int:
    """Return the integer that names an account of the ledger."""
    return holder << _HOLDER_SHIFT | account_id << _ACCOUNT_SHIFT | asset


def account_of(number: int) -> LedgerAccount:
    """Return the account that a number names."""
    account_id = (number & _ACCOUNT_MASK) >> _ACCOUNT_SHIFT
    return LedgerAccount(Holder(number >> _HOLDER_SHIFT), account_id, number & _ASSET_MASK)


def asset_of(number: int) -> int:
    """Return the asset of the account that a number names."""
    return number & _ASSET_MASK


def member_of(transfer: Transfer) -> int:
    """Return the exchange account on one of the sides; the other is the house or the world outside."""
    return (transfer.debit & _ACCOUNT_MASK or transfer.credit & _ACCOUNT_MASK) >> _ACCOUNT_SHIFT


Cause = tuple[bytes, int, int]
"""What a chain is posted for: kind, subject and version."""
_KINDS = {
    TransferCode.TRADE: b"T",
    TransferCode.BUST: b"R",
    TransferCode.CORRECTION: b"R",
    TransferCode.DEPOSIT: b"D",
    TransferCode.WITHDRAWAL: b"W",
    TransferCode.SPLIT: b"S",
    TransferCode.CASH_IN_LIEU: b"L",
    TransferCode.DIVIDEND: b"V",
}


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """An amount of one asset from one account to another.

    debit, credit: account numbers. subject: the match id, or the public id of the deposit's or withdrawal's event.
    sequence: of the event. version: of a trade's facts. leg: which of its chain, from 1.
    """

    debit: int
    credit: int
    amount: int
    code: TransferCode
    subject: int
    sequence: int
    time_ns: int
    version: int = 1
    leg: int = 1

    @property
    def cause(self) -> Cause:
        """Return what it is posted for; a bust and a correction both take back one version of a trade's facts."""
        return _KINDS[self.code], self.subject, self.version

    @property
    def transfer_id(self) -> bytes:
        """Return its id, which follows from its cause: the same cause gives the same id."""
        return blake2b(_CAUSE.pack(*self.cause, self.leg), digest_size=HASH_BYTES).digest()

    @property
    def number(self) -> int:
        """Return its place in the whole ledger: event sequence × 8, and its place within what the event booked.

        A correction books two chains: what it takes back stands in places 0 to 3, the new facts in 4 to 7.
        """
        is_new_version = self.code == TransferCode.TRADE and self.version > 1
        return self.sequence << _PLACE_BITS | (self.leg - 1 + CHAIN_LEGS_MAX * is_new_version)


def sequence_and_leg(number: int) -> tuple[int, int]:
    """Return the event sequence and the leg that the number of a transfer tells."""
    return number >> _PLACE_BITS, number % CHAIN_LEGS_MAX + 1


def numbers_of_event(sequence: int) -> tuple[int, int]:
    """Return the first and the last number that transfers of an event can have."""
    return sequence << _PLACE_BITS, (sequence + 1 << _PLACE_BITS) - 1


class Balance(msgspec.Struct, gc=False):
    """What an account has been debited and credited, each only ever growing."""

    debits: int = 0
    credits: int = 0

    @property
    def net(self) -> int:
        """Return credits less debits."""
        return self.credits - self.debits


class Ledger:
    """The balances of all accounts, how many transfers were posted, and a hash over them in their order.

    `unsaved` holds the chains posted since `forget_unsaved`, for whoever stores them, and `before` what the accounts
    they touch had until then. Repeating one of these chains does nothing; repeating an older one is refused by the
    store, in which the numbers of the transfers are unique.
    """

    def __init__(
        self,
        balances: dict[int, Balance] | None = None,
        transfers: int = 0,
        running_hash: bytes = NO_TRANSFERS,
    ) -> None:
        self.balances = balances if balances is not None else {}
        self.transfers = transfers
        self.running_hash = running_hash
        self.unsaved: dict[Cause, Sequence[Transfer]] = {}
        self.before: dict[int, int] = {}
        self._unstored: list[Sequence[Transfer]] = []

    def post(self, chain: Sequence[Transfer]) -> bool:
        """Post a chain whole; tell whether it was new. A chain that is already posted changes nothing."""
        check_chain(chain)
        cause = chain[0].cause
        posted = self.unsaved.get(cause)
        if posted is not None:
            assert tuple(posted) == tuple(chain), f"another chain of this cause is posted: {posted}, {chain}"
            return False
        for transfer in chain:
            self._balance(transfer.debit).debits += transfer.amount
            self._balance(transfer.credit).credits += transfer.amount
        self.running_hash = chained_hash(self.running_hash, chain)
        self.unsaved[cause] = chain
        self._unstored.append(chain)
        self.transfers += len(chain)
        return True

    def take_unstored(self) -> list[Sequence[Transfer]]:
        """Give the chains posted since this was asked last, for whoever stores them."""
        unstored, self._unstored = self._unstored, []
        return unstored

    @property
    def unsaved_transfers(self) -> list[Transfer]:
        """Return the transfers of the chains in `unsaved`, in their order."""
        return list(chained.from_iterable(self.unsaved.values()))

    def net(self, holder: Holder, account_id: int, asset: int) -> int:
        """Return an account's balance; 0 for one that was never used."""
        balance = self.balances.get(LedgerAccount(holder, account_id, asset).number)
        return balance.net if balance else 0

    def holding(self, account_id: int, asset: int) -> int:
        """Return what an exchange account has of an asset: available and due."""
        return self.net(Holder.AVAILABLE, account_id, asset) + self.net(Holder.DUE, account_id, asset)

    def forget_unsaved(self) -> None:
        """Take note that the transfers in `unsaved` are stored."""
        self.unsaved = {}
        self.before = {}
        self._unstored = []

    def _balance(self, number: int) -> Balance:
        balance = self.balances.get(number)
        if balance is None:
            balance = self.balances[number] = Balance()
        if number not in self.before:
            self.before[number] = balance.net
        return balance


def check_chain(chain: Sequence[Transfer]) -> None:
    """Assert that each transfer moves something, between two accounts, within one asset, and how many there are."""
    assert 0 < len(chain) <= CHAIN_LEGS_MAX, f"a chain has 1 to {CHAIN_LEGS_MAX} transfers: {chain}"
    for transfer in chain:
        debit, credit = transfer.debit, transfer.credit
        assert transfer.amount > 0, f"a transfer moves an amount above 0: {transfer}"
        assert debit != credit, f"a transfer needs two accounts: {transfer}"
        assert not (debit ^ credit) & _ASSET_MASK, f"two assets in one transfer: {transfer}"


def chained_hash(running_hash: bytes, chain: Sequence[Transfer]) -> bytes:
    """Return the hash of a ledger after one more chain: BLAKE2b-128 of the hash before it and the chain's fields."""
    first = chain[0]
    parts = [
        running_hash,
        _CHAIN.pack(first.code, first.subject, first.sequence, first.time_ns, first.version),
        *[_LEG.pack(leg.leg, leg.debit, leg.credit, leg.amount) for leg in chain],
    ]
    return blake2b(b"".join(parts), digest_size=HASH_BYTES).digest()


def chains_of(transfers: Iterable[Transfer]) -> Iterator[list[Transfer]]:
    """Put transfers, in their order, together again as they were posted."""
    for _, chain in groupby(transfers, key=lambda transfer: transfer.number // CHAIN_LEGS_MAX):
        yield list(chain)


def ledger_hash(transfers: Iterable[Transfer]) -> bytes:
    """Return the hash of a whole ledger from its transfers in their order."""
    running_hash = NO_TRANSFERS
    for chain in chains_of(transfers):
        running_hash = chained_hash(running_hash, chain)
    return running_hash
