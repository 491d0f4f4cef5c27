"""Pegged orders, order lists and quotes are explained by what they depend on, from the replay of each matcher."""

from __future__ import annotations

from tests.engine.explain.told import ToldDesk, ToldStage, said

PAIR = "pair by ann: sell 100 @ 10.10 as s1; sell 100 @ market stop 9.90 as s2"
BRACKET = "bracket by ann: buy 100 @ 10.00 as b1; sell 100 @ 10.10 as s1; sell 100 @ market stop 9.90 as s2"


def test_a_peg_is_told_from_which_price_it_got_its_own_and_why_it_moved(desk: ToldDesk) -> None:
    stage = ToldStage(desk)
    stage.play("buy 10 @ 9.95 by bob as b1", "sell 10 @ 10.05 by bob as a1")
    stage.play("peg buy 50 primary offset -0.01 limit 9.98 by ann as p1", "buy 10 @ 9.97 by bob as b2")
    stage.play("buy 10 @ 10.00 by bob as b3", "cancel a1", "cancel b3", "cancel b2", "cancel b1")
    told = stage.explain("p1")
    assert told.headline == "Waiting: buy 50 XYZ pegged (primary), nothing traded yet."
    moved = (
        "The best bid went from 9.95 to 9.97, so its price went from 9.94 to 9.96, last in the queue there."
    )
    assert moved in said(told.moments[1])
    assert "Its offset is 0.01 less." in said(told.moments[1])
    assert "Its limit of 9.98 holds it there." in said(told.moments[2])
    assert "It has no price for now, because nobody shows a price to which it could be pegged" in said(
        told.moments[-1]
    )
    assert "never passes 9.98" in said(told)
    assert "50 shares wait aside" in said(told)
    stage.play("halt XYZ for news")
    assert "XYZ is halted: nothing trades until that is over." in said(stage.explain("p1"))


def test_pegs_to_the_other_side_and_to_the_middle_are_told(desk: ToldDesk) -> None:
    stage = ToldStage(desk)
    stage.play("buy 10 @ 9.95 by bob as b1", "sell 10 @ 10.05 by bob as a1", "sell 10 @ 10.03 by bob as a2")
    stage.play("peg buy 50 market by ann as p1", "peg buy 50 midpoint by ann as p2", "cancel a2")
    market = said(stage.explain("p1").moments[1])
    assert "The best offer went from 10.03 to 10.05, so its price went from 10.02 to 10.04" in market
    assert "It stays one tick behind that price" in market
    middle = said(stage.explain("p2").moments[1])
    assert "was 9.95 to 10.03 and is 9.95 to 10.05, so its price went from 9.99 to 10.00" in middle
    stage.play("halt XYZ for news")
    assert "because the symbol is halted" in said(stage.explain("p2").moments[-1])


def test_a_pair_is_told_what_became_of_its_other_order(desk: ToldDesk) -> None:
    stage = ToldStage(desk)
    stage.play(PAIR, "buy 30 @ 10.10 by bob as b1", "buy 70 @ 10.10 by bob as b2")
    first, second = stage.explain("s1"), stage.explain("s2")
    (table,) = [table for table in second.moments[0].tables if table.title.startswith("Its list")]
    assert table.title == "Its list: one cancels other"
    assert [row[1:] for row in table.rows] == [
        ["sell 100 at 10.10", "limit order of the pair"],
        ["sell 100 at market, stop 9.90", "stop order of the pair"],
    ]
    assert table.mark == 1
    assert "The other order of its pair traded, so it has so many less: 70 are open." in said(
        second.moments[1]
    )
    number = stage.names.order("s1")
    assert f"Order {number}, the other one of its pair, was filled, and so the list is over." in said(
        second.moments[2]
    )
    assert "The other order of its pair was filled, triggered or cancelled." in said(second)
    assert "It was filled, and so its list is over." in said(first.moments[-1])


def test_what_waits_for_an_entry_is_told_why_and_when_it_came_in(desk: ToldDesk) -> None:
    stage = ToldStage(desk)
    stage.play(BRACKET)
    waiting = stage.explain("s1")
    entry = stage.names.order("b1")
    assert waiting.headline == "Waiting for its entry: sell 100 at 10.10 in XYZ."
    assert f"It waits for order {entry}, the entry: when that is done it comes in" in said(waiting)
    stage.play("sell 40 @ 10.00 by bob as s3", "sell 60 @ 10.00 by bob as s4")
    came = stage.explain("s1")
    assert f"Order {entry}, the entry, is done and filled 100 shares: now it comes in." in said(
        came.moments[1]
    )
    assert "It is done and filled 100 shares: what waited for it comes in" in said(
        stage.explain("b1").moments[-1]
    )


def test_what_never_came_in_is_told_so(desk: ToldDesk) -> None:
    stage = ToldStage(desk)
    stage.play(BRACKET, "cancel b1")
    told = stage.explain("s2")
    assert told.headline == "Never came in: sell 100 at market, stop 9.90 in XYZ."
    assert "its entry, filled nothing or was taken back: it never came in." in said(told)


def test_sides_of_quotes_are_told_their_quote_and_its_protection(desk: ToldDesk) -> None:
    stage = ToldStage(desk)
    stage.play("protect quotes of ann quantity 50 within 1000 ms")
    stage.play("quote 7 by ann: XYZ 100 @ 9.99 as b1 / 100 @ 10.01 as a1", "sell 60 @ 9.99 by bob as s1")
    told = stage.explain("a1")
    assert "It is the ask of its market maker's quote 7." in said(told.moments[0])
    assert "The maker's protection was reached: 60 shares traded, and 50 is the limit." in said(
        told.moments[-1]
    )
