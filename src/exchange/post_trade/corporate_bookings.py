"""Which transfers a corporate action makes: one for each change of what an account has, with the outside as issuer.

Settled balances move, never what is due: trades keep the facts that they were executed with. Who is short gives what
others get. The id of a transfer follows from the event, so the same event is booked once.
"""

from __future__ import annotations

from exchange.domain.corporate_action import HoldingCause
from exchange.domain.corporate_events import HoldingAdjusted
from exchange.domain.units import public_id
from exchange.post_trade.ledger import Holder, Transfer, TransferCode, account_number

_CODES = {
    HoldingCause.SPLIT: TransferCode.SPLIT,
    HoldingCause.CASH_IN_LIEU: TransferCode.CASH_IN_LIEU,
    HoldingCause.DIVIDEND: TransferCode.DIVIDEND,
}


def adjustment_chain(event: HoldingAdjusted) -> tuple[Transfer, ...]:
    """Book what a corporate action gave an account, or took from it."""
    outside = account_number(Holder.EXTERNAL, 0, event.asset)
    inside = account_number(Holder.AVAILABLE, event.account_id, event.asset)
    debit, credit = (outside, inside) if event.amount > 0 else (inside, outside)
    subject = public_id(event.partition, event.sequence)
    code = _CODES[event.cause]
    return (Transfer(debit, credit, abs(event.amount), code, subject, event.sequence, event.time_ns),)
