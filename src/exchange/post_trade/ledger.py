"""The ledger: accounts and transfers by double entry on integers, after TigerBeetle's data model.

A transfer moves an amount of one asset from its debit account to its credit account. It is never changed and
never deleted; a mistake is put right by correcting transfers. A chain of transfers is posted whole or not at
all.

An account's balance is its credits less its debits: what the clearing house owes its holder. Over all
accounts of an asset the balances are zero, always, because every transfer takes as much as it gives.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from enum import IntEnum
from hashlib import blake2b
from typing import NamedTuple

import msgspec

CASH = 0
"""The asset that is money, in 1/10,000 of the currency unit; every other asset is a symbol id, in shares."""
CHAIN_TRANSFERS_MAX = 8
HASH_BYTES = 16
NO_TRANSFERS = bytes(HASH_BYTES)
"""The hash of a ledger in which nothing is posted yet."""
_ACCOUNT_SHIFT = 24
_HOLDER_SHIFT = 56
_ASSET_MASK = (1 << _ACCOUNT_SHIFT) - 1
_ACCOUNT_MASK = (1 << _HOLDER_SHIFT) - (1 << _ACCOUNT_SHIFT)
_ENTRY = struct.Struct("<16sQQQBQQQI")


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


class LedgerAccount(NamedTuple):
    """An account of the ledger: one holder, one exchange account (0 for CCP and external), one asset."""

    holder: Holder
    account_id: int
    asset: int

    @property
    def number(self) -> int:
        """Return the integer that names this account; from the high bits: holder, account, asset."""
        return self.holder << _HOLDER_SHIFT | self.account_id << _ACCOUNT_SHIFT | self.asset


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


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """An amount of one asset from one account to another.

    transfer_id: derived from what caused it, so that the same cause gives the same transfer. debit, credit:
    account numbers. subject: the match id, or the public id of the deposit's or withdrawal's event. sequence:
    of the event.
    """

    transfer_id: bytes
    debit: int
    credit: int
    amount: int
    code: TransferCode
    subject: int
    sequence: int
    time_ns: int
    version: int = 1


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

    `unsaved` holds the transfers posted since `forget_unsaved`, for whoever stores them, and `before` what
    the accounts they touch had until then. Repeating one of these transfers does nothing; repeating an older
    one is refused by the store, in which their ids are unique.
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
        self.unsaved: dict[bytes, Transfer] = {}
        self.before: dict[int, int] = {}

    def post(self, chain: Sequence[Transfer]) -> bool:
        """Post a chain whole; tell whether it was new. A chain that is already posted changes nothing."""
        assert 0 < len(chain) <= CHAIN_TRANSFERS_MAX, (
            f"a chain has 1 to {CHAIN_TRANSFERS_MAX} transfers: {chain}"
        )
        known = [transfer.transfer_id in self.unsaved for transfer in chain]
        if any(known):
            assert all(known), f"a part of the chain is posted and the rest is not: {chain}"
            return False
        for transfer in chain:
            check_transfer(transfer)
        for transfer in chain:
            self._balance(transfer.debit).debits += transfer.amount
            self._balance(transfer.credit).credits += transfer.amount
            self.unsaved[transfer.transfer_id] = transfer
            self.running_hash = chained_hash(self.running_hash, transfer)
        self.transfers += len(chain)
        return True

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

    def _balance(self, number: int) -> Balance:
        balance = self.balances.get(number)
        if balance is None:
            balance = self.balances[number] = Balance()
        if number not in self.before:
            self.before[number] = balance.net
        return balance


def check_transfer(transfer: Transfer) -> None:
    """Assert that a transfer moves something, between two accounts, within one asset."""
    assert transfer.amount > 0, f"a transfer moves an amount above 0: {transfer}"
    assert transfer.debit != transfer.credit, f"a transfer needs two accounts: {transfer}"
    assert asset_of(transfer.debit) == asset_of(transfer.credit), f"two assets in one transfer: {transfer}"


def chained_hash(running_hash: bytes, transfer: Transfer) -> bytes:
    """Return the hash of a ledger after one more transfer."""
    entry = _ENTRY.pack(
        transfer.transfer_id, transfer.debit, transfer.credit, transfer.amount, transfer.code,
        transfer.subject, transfer.sequence, transfer.time_ns, transfer.version,
    )  # fmt: skip
    return blake2b(entry, digest_size=HASH_BYTES, key=running_hash).digest()


def ledger_hash(transfers: Iterable[Transfer]) -> bytes:
    """Return the hash of a whole ledger from its transfers in their order."""
    running_hash = NO_TRANSFERS
    for transfer in transfers:
        running_hash = chained_hash(running_hash, transfer)
    return running_hash
