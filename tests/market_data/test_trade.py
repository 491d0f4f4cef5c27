"""A trade on the tape and how it changes."""

from __future__ import annotations

from typing import Any

from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.trade import BustReason
from exchange.market_data.trade import Trade, TradeStatus

TRADE = Trade(1, 7, 2, 20261123, 1_000, 100, 50, 100, 50, 3, 4, Side.BUY, 99)


def test_a_match_id_carries_the_partition_in_its_top_bits() -> None:
    assert TRADE.match_id == (1 << 56) + 7


HEADER = {"sequence": 9, "command_sequence": 8, "time_ns": 2_000, "epoch": 1, "partition": 1, "symbol_id": 2}
FACTS = {
    "match_id": TRADE.match_id, "ruling_id": 5, "reason": BustReason.ERRONEOUS, "price": 100, "quantity": 50,
    "buy_account_id": 1, "sell_account_id": 2, "buy_order_id": 4, "sell_order_id": 3, "executed_ns": 1_000,
}  # fmt: skip
CORRECTION: Any = e.TradeCorrected(**HEADER, **FACTS, new_price=101, new_quantity=40)
BUST: Any = e.TradeBusted(**HEADER | {"sequence": 12}, **FACTS)


def test_a_correction_keeps_what_was_executed_and_counts_the_version() -> None:
    trade = TRADE.changed(CORRECTION)
    assert (trade.price, trade.quantity, trade.executed_price, trade.executed_quantity) == (101, 40, 100, 50)
    assert (trade.status, trade.version, trade.changed_sequence) == (TradeStatus.CORRECTED, 2, 9)
    assert (trade.reason, trade.ruling_id, trade.changed_ns) == (BustReason.ERRONEOUS, 5, 2_000)
    assert trade.stands


def test_a_bust_keeps_the_values_it_stood_at() -> None:
    trade = TRADE.changed(CORRECTION).changed(BUST)
    assert (trade.price, trade.quantity) == (101, 40)
    assert (trade.status, trade.version, trade.changed_sequence) == (TradeStatus.BUSTED, 3, 12)
    assert not trade.stands
    assert trade.as_executed() == TRADE == TRADE.as_executed()
