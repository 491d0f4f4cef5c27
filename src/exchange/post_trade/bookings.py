"""Which transfers a trade, a bust, a correction, a deposit and a withdrawal make.

A trade goes through the clearing house: the buyer pays the house and the house pays the seller, the seller
delivers to the house and the house delivers to the buyer. So each member only ever deals with the house, and
the house ends flat. All four legs touch due accounts: a trade moves nothing that is settled, it changes what
will be.

Transfer ids are BLAKE2b-128 of (kind, subject, version, leg). `T` is a version of a trade's facts, `R` its
reversal.
"""

from __future__ import annotations

import struct
from hashlib import blake2b

import msgspec

from exchange.domain.events import Deposited, Event, Withdrawn
from exchange.domain.units import public_id
from exchange.post_trade.ledger import CASH, HASH_BYTES, Holder, LedgerAccount, Transfer, TransferCode
from exchange.post_trade.trade import Trade

_CAUSE = struct.Struct("<cQIB")


def transfer_id(kind: bytes, subject: int, version: int, leg: int) -> bytes:
    """Derive the id of a transfer from what causes it."""
    return blake2b(_CAUSE.pack(kind, subject, version, leg), digest_size=HASH_BYTES).digest()


def trade_chain(trade: Trade, event: Event) -> tuple[Transfer, ...]:
    """Book a trade's facts in two cash legs and two share legs. event: the one that brought the facts."""
    cash_house = LedgerAccount(Holder.CCP, 0, CASH).number
    share_house = LedgerAccount(Holder.CCP, 0, trade.symbol_id).number
    legs = (
        (_due(trade.buy_account_id, CASH), cash_house, trade.notional),
        (cash_house, _due(trade.sell_account_id, CASH), trade.notional),
        (_due(trade.sell_account_id, trade.symbol_id), share_house, trade.quantity),
        (share_house, _due(trade.buy_account_id, trade.symbol_id), trade.quantity),
    )
    return tuple(
        Transfer(
            transfer_id(b"T", trade.match_id, trade.version, leg),
            debit, credit, amount, TransferCode.TRADE, trade.match_id, event.sequence, event.time_ns, trade.version,
        )
        for leg, (debit, credit, amount) in enumerate(legs, 1)
    )  # fmt: skip


def reversal_chain(trade: Trade, code: TransferCode, event: Event) -> tuple[Transfer, ...]:
    """Book the facts of a trade backwards, leg by leg. code: `BUST` or `CORRECTION`."""
    return tuple(
        msgspec.structs.replace(
            entry,
            transfer_id=transfer_id(b"R", trade.match_id, trade.version, leg),
            debit=entry.credit,
            credit=entry.debit,
            code=code,
        )
        for leg, entry in enumerate(trade_chain(trade, event), 1)
    )


def deposit_chain(event: Deposited) -> tuple[Transfer, ...]:
    """Book cash or shares that came in: from outside to available."""
    outside, inside = _border(event)
    return (_movement(b"D", event, outside, inside, TransferCode.DEPOSIT),)


def withdrawal_chain(event: Withdrawn) -> tuple[Transfer, ...]:
    """Book cash or shares that went out: from available to outside."""
    outside, inside = _border(event)
    return (_movement(b"W", event, inside, outside, TransferCode.WITHDRAWAL),)


def _border(event: Deposited | Withdrawn) -> tuple[int, int]:
    """Return the accounts on both sides of the border, the outer one first."""
    outside = LedgerAccount(Holder.EXTERNAL, 0, event.symbol_id)
    return outside.number, LedgerAccount(Holder.AVAILABLE, event.account_id, event.symbol_id).number


def _movement(
    kind: bytes, event: Deposited | Withdrawn, debit: int, credit: int, code: TransferCode
) -> Transfer:
    subject = public_id(event.partition, event.sequence)
    entry_id = transfer_id(kind, subject, 1, 1)
    return Transfer(entry_id, debit, credit, event.amount, code, subject, event.sequence, event.time_ns)


def _due(account_id: int, asset: int) -> int:
    return LedgerAccount(Holder.DUE, account_id, asset).number
