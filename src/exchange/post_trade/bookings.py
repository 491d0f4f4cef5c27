"""Which transfers a trade, a bust, a correction, a deposit and a withdrawal make.

A trade goes through the clearing house: the buyer pays the house and the house pays the seller, the seller
delivers to the house and the house delivers to the buyer. So each member only ever deals with the house, and
the house ends flat. All four legs touch due accounts: a trade moves nothing that is settled, it changes what
will be.
"""

from __future__ import annotations

import msgspec

from exchange.domain.events import Deposited, Event, Withdrawn
from exchange.domain.units import public_id
from exchange.post_trade.ledger import CASH, Holder, Transfer, TransferCode, account_number
from exchange.post_trade.trade import Trade

_DUE, _CCP = Holder.DUE, Holder.CCP


def trade_chain(trade: Trade, event: Event) -> tuple[Transfer, ...]:
    """Book a trade's facts in two cash legs and two share legs. event: the one that brought the facts."""
    symbol_id, match_id, version = trade.symbol_id, trade.match_id, trade.version
    sequence, time_ns = event.sequence, event.time_ns
    buyer, seller = trade.buy_account_id, trade.sell_account_id
    cash_house, share_house = account_number(_CCP, 0, CASH), account_number(_CCP, 0, symbol_id)
    money, shares, code = trade.notional, trade.quantity, TransferCode.TRADE
    buyers_cash, sellers_cash = account_number(_DUE, buyer, CASH), account_number(_DUE, seller, CASH)
    sellers_shares = account_number(_DUE, seller, symbol_id)
    buyers_shares = account_number(_DUE, buyer, symbol_id)
    return (
        Transfer(buyers_cash, cash_house, money, code, match_id, sequence, time_ns, version, 1),
        Transfer(cash_house, sellers_cash, money, code, match_id, sequence, time_ns, version, 2),
        Transfer(sellers_shares, share_house, shares, code, match_id, sequence, time_ns, version, 3),
        Transfer(share_house, buyers_shares, shares, code, match_id, sequence, time_ns, version, 4),
    )


def reversal_chain(trade: Trade, code: TransferCode, event: Event) -> tuple[Transfer, ...]:
    """Book the facts of a trade backwards, leg by leg. code: `BUST` or `CORRECTION`."""
    return tuple(
        msgspec.structs.replace(entry, debit=entry.credit, credit=entry.debit, code=code)
        for entry in trade_chain(trade, event)
    )


def deposit_chain(event: Deposited) -> tuple[Transfer, ...]:
    """Book cash or shares that came in: from outside to available."""
    outside, inside = _border(event)
    return (_movement(event, outside, inside, TransferCode.DEPOSIT),)


def withdrawal_chain(event: Withdrawn) -> tuple[Transfer, ...]:
    """Book cash or shares that went out: from available to outside."""
    outside, inside = _border(event)
    return (_movement(event, inside, outside, TransferCode.WITHDRAWAL),)


def _border(event: Deposited | Withdrawn) -> tuple[int, int]:
    """Return the accounts on both sides of the border, the outer one first."""
    asset = event.symbol_id
    return account_number(Holder.EXTERNAL, 0, asset), account_number(
        Holder.AVAILABLE, event.account_id, asset
    )


def _movement(event: Deposited | Withdrawn, debit: int, credit: int, code: TransferCode) -> Transfer:
    subject = public_id(event.partition, event.sequence)
    return Transfer(debit, credit, event.amount, code, subject, event.sequence, event.time_ns)
