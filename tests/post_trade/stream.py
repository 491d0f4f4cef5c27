"""A small honest engine for tests: it makes the numbered events that a real one would, holdings included."""

from __future__ import annotations

from typing import Any

import msgspec

from exchange.domain.events import (
    AccountCreated,
    Deposited,
    Event,
    ParticipantCreated,
    RuleConfigured,
    SymbolAdded,
    TradeBusted,
    TradeCorrected,
    TradeExecuted,
    Withdrawn,
)
from exchange.domain.order import Side
from exchange.domain.symbol import DEFAULT_TICKS, SymbolState
from exchange.domain.trade import BustReason
from exchange.domain.units import parse_price, public_id
from exchange.wire.envelope import EventBatch
from exchange.wire.records import encode_event

NOON_NS = 1_790_000_000_000_000_000
NS_PER_MS = 1_000_000


class Stream:
    """Events in their order. Participant n has account n; AAPL is symbol 1, XYZ symbol 2."""

    def __init__(self, participants: int = 3, partition: int = 0) -> None:
        self.events: list[Event] = []
        self.partition = partition
        self.time_ns = NOON_NS
        self.holdings: dict[tuple[int, int], int] = {}
        self.trades: dict[int, TradeBusted] = {}
        for symbol_id, (symbol, price) in enumerate((("AAPL", "189.20"), ("XYZ", "10.00")), 1):
            self.add(
                SymbolAdded,
                symbol_id=symbol_id,
                symbol=symbol,
                name=symbol,
                reference_price=parse_price(price),
                round_lot=1,
                state=SymbolState.ACTIVE,
                ticks=DEFAULT_TICKS,
            )
        for number in range(1, participants + 1):
            self.add(ParticipantCreated, participant_id=number, name=f"member {number}")
            self.add(AccountCreated, account_id=number, participant_id=number, name="main")

    def add(self, kind: type[Event], **fields: Any) -> Any:
        """Append an event with the next number, one millisecond later."""
        sequence = len(self.events) + 1
        self.time_ns += NS_PER_MS
        event = kind(
            sequence=sequence,
            command_sequence=sequence,
            time_ns=self.time_ns,
            epoch=1,
            partition=self.partition,
            **fields,
        )
        self.events.append(event)
        return event

    def configure_rules(self, version: int, *texts: str) -> None:
        """Give clearing other rules; without any, those of the start."""
        for number in range(min(1, len(texts)), len(texts) + 1):
            self.add(
                RuleConfigured,
                configuration_version=version,
                number=number,
                count=len(texts),
                rules_version=2,
                text=texts[number - 1] if texts else "",
            )

    def deposit(self, account: int, amount: int, symbol_id: int = 0) -> None:
        balance = self._move(account, symbol_id, amount)
        self.add(Deposited, account_id=account, symbol_id=symbol_id, amount=amount, balance=balance)

    def withdraw(self, account: int, amount: int, symbol_id: int = 0) -> None:
        balance = self._move(account, symbol_id, -amount)
        self.add(Withdrawn, account_id=account, symbol_id=symbol_id, amount=amount, balance=balance)

    def trade(
        self,
        buyer: int,
        seller: int,
        quantity: int,
        price: str = "189.20",
        reference: str = "189.20",
        symbol_id: int = 1,
        state: SymbolState = SymbolState.ACTIVE,
        taker_order_id: int = 0,
    ) -> int:
        """Let a buyer take what a seller offers; return the match id. reference: `0` for none."""
        event = self.add(
            TradeExecuted,
            symbol_id=symbol_id,
            maker_order_id=len(self.events) * 10,
            taker_order_id=taker_order_id or len(self.events) * 10 + 1,
            maker_account_id=seller,
            taker_account_id=buyer,
            price=parse_price(price),
            quantity=quantity,
            reference_price=0 if reference == "0" else parse_price(reference),
            maker_leaves=0,
            taker_leaves=0,
            taker_side=Side.BUY,
            state=state,
        )
        match_id = public_id(self.partition, event.sequence)
        self.trades[match_id] = TradeBusted(
            sequence=0,
            command_sequence=0,
            time_ns=0,
            epoch=1,
            symbol_id=symbol_id,
            match_id=match_id,
            ruling_id=0,
            reason=BustReason.ERRONEOUS,
            price=event.price,
            quantity=quantity,
            buy_account_id=buyer,
            sell_account_id=seller,
            buy_order_id=event.taker_order_id,
            sell_order_id=event.maker_order_id,
            executed_ns=event.time_ns,
        )
        self._settle(self.trades[match_id], 1)
        return match_id

    def bust(self, match_id: int, ruling_id: int = 0, **facts: Any) -> TradeBusted:
        """Break a trade. facts: to state other ones than the trade has."""
        trade = self.trades[match_id]
        self._settle(trade, -1)
        event: TradeBusted = self.add(TradeBusted, **self._facts(trade) | {"ruling_id": ruling_id} | facts)
        return event

    def correct(self, match_id: int, price: str, quantity: int, ruling_id: int = 0) -> TradeCorrected:
        trade = self.trades[match_id]
        self._settle(trade, -1)
        event: TradeCorrected = self.add(
            TradeCorrected,
            **self._facts(trade)
            | {"ruling_id": ruling_id, "new_price": parse_price(price), "new_quantity": quantity},
        )
        self.trades[match_id] = msgspec.structs.replace(trade, price=event.new_price, quantity=quantity)
        self._settle(self.trades[match_id], 1)
        return event

    def batches(self, sizes: list[int]) -> list[EventBatch]:
        """Cut the stream into batches of these sizes; the last one takes the rest."""
        batches, start = [], 0
        for size in [*sizes, len(self.events)]:
            events = self.events[start : start + size]
            if events:
                records = b"".join(map(encode_event, events))
                batches.append(EventBatch(self.partition, 1, events[0].sequence, len(events), records))
            start += size
        return batches

    def _facts(self, trade: TradeBusted) -> dict[str, Any]:
        own = {"sequence", "command_sequence", "time_ns", "epoch", "partition", "last_of_command"}
        return {name: value for name, value in msgspec.structs.asdict(trade).items() if name not in own}

    def _settle(self, trade: TradeBusted, sign: int) -> None:
        notional = trade.price * trade.quantity * sign
        self._move(trade.buy_account_id, 0, -notional)
        self._move(trade.sell_account_id, 0, notional)
        self._move(trade.buy_account_id, trade.symbol_id, trade.quantity * sign)
        self._move(trade.sell_account_id, trade.symbol_id, -trade.quantity * sign)

    def _move(self, account: int, symbol_id: int, amount: int) -> int:
        self.holdings[account, symbol_id] = self.holdings.get((account, symbol_id), 0) + amount
        return self.holdings[account, symbol_id]
