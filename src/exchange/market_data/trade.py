"""A trade as the tape keeps it: public, anonymous, marked when it is corrected or busted, never removed."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from exchange.domain.events import TradeBusted, TradeCorrected
from exchange.domain.order import Side
from exchange.domain.trade import BustReason
from exchange.domain.units import public_id


class TradeStatus(IntEnum):
    """Where a trade on the tape stands."""

    EXECUTED = 1
    CORRECTED = 2
    """Another price or less quantity holds now."""
    BUSTED = 3
    """Broken, finally: it counts nowhere."""


class Trade(msgspec.Struct, frozen=True, gc=False):
    """A trade on the tape.

    sequence: of its event; price, quantity: as they stand, after corrections; version: 1, and one more with
    each correction or bust; business_date: YYYYMMDD. changed_sequence, changed_ns, reason, ruling_id: of the
    event that changed it last, 0 and None where there was none.
    """

    partition: int
    sequence: int
    symbol_id: int
    business_date: int
    executed_ns: int
    price: int
    quantity: int
    executed_price: int
    executed_quantity: int
    maker_order_id: int
    taker_order_id: int
    taker_side: Side
    reference_price: int
    status: TradeStatus = TradeStatus.EXECUTED
    version: int = 1
    changed_sequence: int = 0
    changed_ns: int = 0
    reason: BustReason | None = None
    ruling_id: int = 0

    @property
    def match_id(self) -> int:
        """Return the id that outsiders know it by."""
        return public_id(self.partition, self.sequence)

    @property
    def stands(self) -> bool:
        """Tell whether it counts: whether it is not busted."""
        return self.status != TradeStatus.BUSTED

    def as_executed(self) -> Trade:
        """Return the trade as it was before anything changed it."""
        if not self.changed_sequence:
            return self
        return Trade(
            self.partition,
            self.sequence,
            self.symbol_id,
            self.business_date,
            self.executed_ns,
            self.executed_price,
            self.executed_quantity,
            self.executed_price,
            self.executed_quantity,
            self.maker_order_id,
            self.taker_order_id,
            self.taker_side,
            self.reference_price,
        )

    def changed(self, event: TradeBusted | TradeCorrected) -> Trade:
        """Return the trade as a bust or correction leaves it."""
        if isinstance(event, TradeBusted):
            status, price, quantity = TradeStatus.BUSTED, self.price, self.quantity
        else:
            status, price, quantity = TradeStatus.CORRECTED, event.new_price, event.new_quantity
        return msgspec.structs.replace(
            self,
            price=price,
            quantity=quantity,
            status=status,
            version=self.version + 1,
            changed_sequence=event.sequence,
            changed_ns=event.time_ns,
            reason=event.reason,
            ruling_id=event.ruling_id,
        )
