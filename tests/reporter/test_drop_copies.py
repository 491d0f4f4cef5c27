"""Which events concern an account, and what each of its sides is told."""

from __future__ import annotations

from typing import Any

import msgspec

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.domain.order import Side
from exchange.domain.units import OrderId, ParticipantId, Price, Quantity
from exchange.reporter.drop_copies import RECORDS_PER_ROW_MAX, concerned, copies_of, records_of, rows_of
from exchange.wire.records import decode_events
from tests.market_data.venue_flow import VenueFlow


def told(flow: VenueFlow, opened: bytes, events: bytes, account_id: int) -> list[dict[str, Any]]:
    """Return what events tell an account."""
    directory = Directory()
    for event in decode_events(opened):
        directory.apply(event)
    return [
        msgspec.to_builtins(copy)
        for account, _, record in concerned(events)
        if account == account_id
        for copy in copies_of(record, account, directory)
    ]


def test_a_trade_is_told_to_both_sides() -> None:
    flow = VenueFlow()
    opened = flow.open()
    events = flow.limit(Side.SELL, 1_000_000, 100) + flow.limit(Side.BUY, 1_000_000, 40)
    (bought,) = told(flow, opened, events, 1)
    (sold,) = told(flow, opened, events, 2)
    assert bought | {"order_id": "", "account": ""} == {
        "type": "execution", "seq": bought["seq"], "at": bought["at"], "account": "", "symbol": "AAPL",
        "order_id": "", "side": "buy", "price": "100.00", "qty": "40", "match_id": sold["match_id"],
        "liquidity": "taker", "leaves_qty": "0",
    }  # fmt: skip
    assert (sold["side"], sold["liquidity"], sold["leaves_qty"]) == ("sell", "maker", "60")


def test_a_cancel_is_told_to_its_owner_alone() -> None:
    flow = VenueFlow()
    opened = flow.open()
    flow.limit(Side.SELL, 1_000_000, 100)
    events = flow.do(c.CancelOrder(participant_id=ParticipantId(2), order_id=OrderId(flow.live[0])))
    (cancelled,) = told(flow, opened, events, 2)
    assert (cancelled["type"], cancelled["price"], cancelled["qty"]) == ("cancel", "100.00", "100")
    assert cancelled["reason"] == "requested"
    assert told(flow, opened, events, 1) == []


def test_an_order_that_a_split_adjusted_is_told_and_a_change_by_its_owner_is_not() -> None:
    flow = VenueFlow()
    opened = flow.open()
    flow.limit(Side.SELL, 1_000_000, 100)
    order_id = OrderId(flow.live[0])
    changed = flow.do(
        c.AmendOrder(
            order_id=order_id, participant_id=ParticipantId(2), price=Price(1_000_000), quantity=Quantity(90)
        )
    )
    assert told(flow, opened, changed, 2) == []
    symbol_id = next(event.symbol_id for event in decode_events(changed))
    flow.do(c.HaltTrading(symbol_id=symbol_id, reason="split"))
    events = flow.do(c.SplitSymbol(symbol_id=symbol_id, new_shares=2, old_shares=1))
    (adjusted,) = told(flow, opened, events, 2)
    assert adjusted | {"order_id": "", "account": ""} == {
        "type": "adjustment", "seq": adjusted["seq"], "at": adjusted["at"], "account": "", "symbol": "AAPL",
        "order_id": "", "side": "sell", "price": "50.00", "qty": "180", "leaves_qty": "180",
        "reason": "corporate_action",
    }  # fmt: skip
    assert told(flow, opened, events, 1) == []
    assert [account for account, _, _ in concerned(events)] == [2]


def test_busts_and_corrections_are_told_with_what_stood_before() -> None:
    flow = VenueFlow()
    opened = flow.open()
    flow.trade(1_000_000)
    (match_id,) = flow.trades
    corrected = told(flow, opened, flow.correct(match_id, 1_005_000, 50), 1)[0]
    assert (corrected["type"], corrected["price"], corrected["new_price"], corrected["new_qty"]) == (
        "correction", "100.00", "100.50", "50",
    )  # fmt: skip
    flow.trade(1_000_000)
    busted = told(flow, opened, flow.bust(list(flow.trades)[-1]), 2)[0]
    assert (busted["type"], busted["side"], busted["reason"]) == ("bust", "sell", "erroneous")


def test_every_execution_cancel_bust_and_correction_of_random_flow_is_told() -> None:
    flow = VenueFlow(seed=7)
    events = b"".join([flow.open(), *flow.random_batches(40)])
    kinds = (e.TradeExecuted, e.OrderCancelled, e.TradeBusted, e.TradeCorrected)
    wanted = [event.sequence for event in decode_events(events) if isinstance(event, kinds)]
    assert list(dict.fromkeys(sequence for _, sequence, _ in concerned(events))) == wanted


def test_rows_hold_each_account_s_events_in_order() -> None:
    flow = VenueFlow()
    flow.open()
    events = b"".join(flow.trade(1_000_000 + 100 * (number % 7)) for number in range(150))
    rows = list(rows_of(events))
    assert max(len(list(records_of(row))) for _, _, row in rows) == RECORDS_PER_ROW_MAX
    found: dict[int, list[tuple[int, bytes]]] = {}
    for account_id, last, row in rows:
        records = list(records_of(row))
        assert records[-1][0] == last
        found.setdefault(account_id, []).extend(records)
    wanted: dict[int, list[tuple[int, bytes]]] = {}
    for account_id, sequence, record in concerned(events):
        wanted.setdefault(account_id, []).append((sequence, record))
    assert found == wanted
