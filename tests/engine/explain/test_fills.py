"""What an order traded within one command: prices, gain, place in the queue, steps of sharing out."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain.allocation import parse_step
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.wire.rest.explain import ExplainedRule
from tests.engine.explain.told import ToldDesk, rules, said
from tests.matching.desk import ANN, BOB, CAT, XYZ

BUY, SELL = Side.BUY, Side.SELL


def test_a_sweep_is_told_price_by_price_with_the_gain(desk: ToldDesk) -> None:
    desk.enter(SELL, 100, 100_000, BOB)
    desk.enter(SELL, 50, 100_100, CAT)
    bought = desk.id_of(desk.enter(BUY, 120, 100_100))
    told = desk.explain(bought)
    assert told.headline == "Filled: buy 120 XYZ at 10.01, 120 at 10.0017 on average, in 2 trades."
    (moment,) = told.moments
    assert moment.title == "Taken, and filled"
    assert "traded 120 shares at once, at 2 prices, the best first" in said(moment)
    assert "1.00 better than at its limit of 10.01" in said(moment)
    (trades,) = moment.tables
    assert trades.rows == [["1", "10.00", "100", "20"], ["2", "10.01", "20", "0"]]
    assert [(level.price, level.qty) for level in moment.before.asks] == [("10.00", "100"), ("10.01", "50")]
    assert [(level.price, level.qty) for level in moment.after.asks] == [("10.01", "30")]
    assert told.rules[0] == ExplainedRule("1.1", "Priority", "docs/rulebook.md#1-orders")


def test_an_order_that_waits_is_told_who_is_ahead_in_shares_and_what_it_waits_for(desk: ToldDesk) -> None:
    desk.enter(SELL, 10, 100_300, CAT)
    desk.enter(BUY, 300, 100_000, BOB)
    desk.enter(BUY, 70, 100_100, CAT)
    waiting = desk.id_of(desk.enter(BUY, 100, 100_000))
    told = desk.explain(waiting)
    assert told.headline == "Waiting: buy 100 XYZ at 10.00, nothing traded yet."
    assert "place 2: 300 shares in 1 order are ahead of it there, 70 shares at better prices" in said(told)
    assert "The best offer is 10.03; nobody stands at 10.00 or lower." in said(told)
    (moment,) = told.moments
    assert [(level.price, level.own_qty) for level in moment.after.bids] == [("10.01", "0"), ("10.00", "100")]


def test_a_resting_order_is_told_that_its_own_price_made_the_trade(desk: ToldDesk) -> None:
    desk.enter(BUY, 30, 100_000, BOB)
    resting = desk.id_of(desk.enter(BUY, 100, 100_000))
    desk.enter(SELL, 50, 99_900, CAT)
    told = desk.explain(resting)
    assert told.headline == "Partly filled: buy 100 XYZ at 10.00, 20 at 10.00 on average; 80 shares wait."
    assert "A sale came in and traded 20 of its shares at 10.00: its own price, for it rested." in said(
        told.moments[1]
    )
    assert "30 shares in 1 order were ahead of it at that price and traded first, or went." in said(
        told.moments[1]
    )


def test_the_protection_band_is_worked_out(desk: ToldDesk) -> None:
    desk.send(c.SetMarketProtection(symbol_id=XYZ, protection_bps=500))
    desk.enter(SELL, 10, 100_000, BOB)
    desk.enter(SELL, 10, 106_000, BOB)
    taken = desk.id_of(desk.enter(BUY, 20, 0, order_type=OrderType.MARKET, time_in_force=TimeInForce.IOC))
    told = desk.explain(taken)
    assert "500 basis points around the reference price: 10.00 + 0.50 = 10.50" in said(told.moments[0])
    assert "1.8" in rules(told.moments[0])


def test_sharing_out_by_steps_is_laid_out_in_columns(desk: ToldDesk) -> None:
    steps = tuple(parse_step(text) for text in ("top,share=5000", "pro_rata,min=2", "fifo"))
    desk.send(c.SetAllocation(symbol_id=XYZ, steps=steps))
    desk.enter(SELL, 100, 100_000, BOB)
    own = desk.id_of(desk.enter(SELL, 300, 100_000, ANN))
    taker = desk.id_of(desk.enter(BUY, 101, 100_000, CAT))
    (table,) = [
        table for table in desk.explain(own).moments[1].tables if table.title.startswith("101 shares")
    ]
    assert table.columns == [
        ">place", "order", ">shown", ">top,share=5000", ">pro_rata,min=2", ">oldest first", ">gets"
    ] or table.columns[3:] == [">top,share=5000", ">pro_rata,min=2", ">fifo", ">gets"]  # fmt: skip
    assert table.rows[0][:4] == ["1", "top order", "100", "+50"]
    assert table.rows[1][:3] == ["2", "this one", "300"]
    assert table.rows[-1][-1] == "101"
    assert table.mark == 1
    seen = desk.explain(taker).moments[0].tables[1]
    assert seen.rows[1][1] == ""
    assert seen.mark == -1
