"""A trade as clearing keeps it: its facts, their version, and where it stands in its life."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from exchange.domain.events import TradeBusted, TradeCorrected, TradeExecuted
from exchange.domain.order import Side
from exchange.domain.trade import TradeCondition
from exchange.domain.units import (
    AccountId,
    MatchId,
    Money,
    OrderId,
    Price,
    Quantity,
    SymbolId,
    TimeNs,
    public_id,
)
from exchange.post_trade.trade_life import JUDGEMENTS, Occurrence, Step, TradeState, advance

NO_RULE_HIT = "no rule was hit"


class Trade(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A trade that clearing has captured.

    price, quantity: as they stand, after corrections. version: 1 when executed, one more with each correction and
    with a bust. rules_version: of the rules that judged it. reference_price: frozen by the engine when the incoming
    order arrived; 0 where there was none. symbol_state: the symbol's when it traded. business_date: YYYYMMDD, 0
    before the first.
    """

    match_id: MatchId
    partition: int
    epoch: int
    sequence: int
    symbol_id: SymbolId
    price: Price
    quantity: Quantity
    buy_account_id: AccountId
    sell_account_id: AccountId
    buy_order_id: OrderId
    sell_order_id: OrderId
    taker_side: Side
    reference_price: Price
    symbol_state: TradeCondition
    executed_ns: TimeNs
    business_date: int = 0
    state: TradeState = TradeState.CAPTURED
    version: int = 1
    rules_version: str = ""

    @property
    def notional(self) -> Money:
        """Return price × quantity."""
        return Money(self.price * self.quantity)

    @property
    def taker_order_id(self) -> OrderId:
        """Return the order that came in and met the other one resting."""
        return self.buy_order_id if self.taker_side == Side.BUY else self.sell_order_id


def captured(
    event: TradeExecuted,
    business_date: int = 0,
    state: TradeState = TradeState.CAPTURED,
    rules_version: str = "",
) -> Trade:
    """Turn the engine's event into the trade that clearing keeps. business_date: YYYYMMDD of the event."""
    is_buy = event.taker_side == Side.BUY
    maker_id, taker_id = event.maker_account_id, event.taker_account_id
    maker_order_id, taker_order_id = event.maker_order_id, event.taker_order_id
    return Trade(
        match_id=MatchId(public_id(event.partition, event.sequence)),
        partition=event.partition,
        epoch=event.epoch,
        sequence=event.sequence,
        symbol_id=event.symbol_id,
        price=event.price,
        quantity=event.quantity,
        buy_account_id=taker_id if is_buy else maker_id,
        sell_account_id=maker_id if is_buy else taker_id,
        buy_order_id=taker_order_id if is_buy else maker_order_id,
        sell_order_id=maker_order_id if is_buy else taker_order_id,
        taker_side=event.taker_side,
        reference_price=event.reference_price,
        symbol_state=event.state,
        executed_ns=event.time_ns,
        business_date=business_date,
        state=state,
        rules_version=rules_version,
    )


def executed_step(trade: Trade) -> Step:
    """Return the first step of a trade's life; it follows from the trade, so nobody keeps it."""
    return Step(
        match_id=trade.match_id,
        time_ns=trade.executed_ns,
        occurrence=None,
        state=TradeState.CAPTURED,
        version=1,
        who="engine",
        why=f"executed, event {trade.sequence}",
    )


def judged_step(
    trade: Trade,
    occurrence: Occurrence = Occurrence.JUDGED_ACCEPT,
    why: str = NO_RULE_HIT,
    ruling_id: int = 0,
) -> Step:
    """Return the second step. Where no rule was hit it follows from the trade too, and only then nobody keeps it."""
    return Step(
        match_id=trade.match_id,
        time_ns=trade.executed_ns,
        occurrence=occurrence,
        state=advance(TradeState.CAPTURED, occurrence),
        version=1,
        who=f"rules {trade.rules_version}",
        why=why,
        ruling_id=ruling_id,
    )


def whole_life(trade: Trade, kept: Iterable[Step]) -> list[Step]:
    """Return every step of a trade from those that are kept, in order."""
    kept = list(kept)
    is_judged = bool(kept) and kept[0].occurrence in JUDGEMENTS
    return [executed_step(trade), *([] if is_judged else [judged_step(trade)]), *kept]


def differences(trade: Trade, event: TradeBusted | TradeCorrected) -> list[str]:
    """Say in which facts the engine's later event and the captured trade differ; nothing when they agree."""
    names = (
        "symbol_id", "price", "quantity", "buy_account_id", "sell_account_id", "buy_order_id",
        "sell_order_id", "executed_ns",
    )  # fmt: skip
    return [
        f"{name} is {getattr(event, name)} in the engine's event and {getattr(trade, name)} here"
        for name in names
        if getattr(event, name) != getattr(trade, name)
    ]
