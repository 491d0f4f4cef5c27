"""A protection is exceeded by no more than the order in hand."""

from __future__ import annotations

import random

import pytest

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.quote import Quote
from tests.matching.desk import ANN, BOB, XYZ, Desk, order

LIMIT = 25


def quoted(quantity: int, bid: int = 99_900, ask: int = 100_100) -> list[c.Command]:
    quote = Quote(XYZ, bid, quantity, ask, quantity)
    return [c.ReserveOrderId(), c.MassQuote(account_id=ANN, quote_id=1, quotes=(quote,))]


@pytest.mark.parametrize("seed", range(20))
def test_no_more_than_the_order_in_hand_trades_beyond_a_protection(seed: int) -> None:
    drawn = random.Random(seed)
    desk = Desk()
    desk.send(c.SetQuoteProtection(
        account_id=ANN, symbol_id=XYZ, quantity=LIMIT, executions=0, percent_bps=0, delta=0, window_ms=1_000
    ))  # fmt: skip
    desk.send(*quoted(60))
    before = 0
    for _ in range(30):
        side = drawn.choice((Side.BUY, Side.SELL))
        price = 100_100 if side is Side.BUY else 99_900
        trades = desk.send(order(side, drawn.randrange(1, 15), price, BOB))
        traded = sum(
            event.quantity
            for event in trades
            if isinstance(event, e.TradeExecuted) and event.maker_account_id == ANN
        )
        assert not traded or before < LIMIT, f"seed {seed}: {traded} more after {before}"
        before += traded
    assert before >= LIMIT, f"seed {seed}"
    assert desk.venue.quote_desks()[ANN, XYZ].is_reached
