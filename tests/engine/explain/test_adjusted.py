"""An order that a split or a dividend adjusted is told the arithmetic, from the replay of each matcher."""

from __future__ import annotations

from tests.engine.explain.told import ToldDesk, ToldStage, rules, said


def test_a_split_is_told_with_its_shares_prices_and_what_had_traded(desk: ToldDesk) -> None:
    stage = ToldStage(desk)
    stage.play("buy 100 @ 9.99 by ann as b1", "sell 40 @ 9.99 by bob as s1", "halt XYZ for split")
    stage.play("split XYZ 2 for 1")
    moment = stage.explain("b1").moments[-1]
    assert moment.title == "Split"
    assert "The symbol was split, 2 new shares for 1: its reference price went from 9.99 to" in said(moment)
    assert "Its 60 open shares became 120: 60 x 2 / 1." in said(moment)
    assert "Its price went from 9.99 to 4.99: 9.99 x 1 / 2, buys rounded down to the tick." in said(moment)
    assert "The 40 shares that had traded stay as they were." in said(moment)
    assert {"9.2", "9.3"} <= rules(moment)


def test_a_stop_follows_a_split_and_what_has_no_lot_left_is_cancelled(desk: ToldDesk) -> None:
    stage = ToldStage(desk)
    stage.play("buy 100 @ market stop 10.05 by ann as b1", "buy 9 @ 9.99 by bob as b2", "halt XYZ for split")
    stage.play("split XYZ 1 for 10")
    stop = stage.explain("b1").moments[-1]
    assert "Its stop price went from 10.05 to 100.50" in said(stop)
    assert "Its 100 open shares became 10: 100 x 1 / 10." in said(stop)
    gone = stage.explain("b2")
    assert "A corporate action left it without a price or a lot" in said(gone)
    assert gone.headline.startswith("Cancelled: buy 9 XYZ at 9.99")


def test_a_dividend_lowers_an_open_buy(desk: ToldDesk) -> None:
    stage = ToldStage(desk)
    stage.play("buy 100 @ 9.90 gtc by ann as b1", "halt XYZ for dividend", "dividend XYZ 0.25")
    moment = stage.explain("b1").moments[-1]
    assert moment.title == "Ex dividend"
    assert "The symbol went ex a cash dividend of 0.25 a share" in said(moment)
    assert "Its price was lowered by 0.25, to the tick below: from 9.90 to 9.65." in said(moment)


def test_refusals_of_short_sales_cite_their_paragraphs(desk: ToldDesk) -> None:
    stage = ToldStage(desk)
    stage.play("short sales XYZ 1000 bps locate marking")
    stage.play("sell 100 @ 10.00 short by ann as s1", "sell 100 @ 10.00 by ann as s2")
    assert "4.5" in rules(stage.explain("s1"))
    told = stage.explain("s2")
    assert "4.5" in rules(told)
    assert "must be marked short" in said(told)


def test_refusals_and_cancels_at_bands_and_in_a_stopped_market_say_what_stopped_them(desk: ToldDesk) -> None:
    stage = ToldStage(desk)
    stage.play("bands XYZ tier 1", "sell 10 @ 10.00 by bob as s1", "sell 10 @ 10.60 by bob as s2")
    stage.play("buy 20 @ 12.00 ioc by ann as b1")
    stage.play("buy 20 @ 12.00 by ann as b2", "breaker from 1000", "index at 800")
    assert "It would trade beyond the symbol's price limits." in said(stage.explain("b1"))
    repriced = stage.explain("b2")
    assert "Its own price was beyond the band, so it became the band's: 10.50." in said(repriced.moments[0])
    assert "a band is reached, and unless that ends trading pauses" in said(repriced.moments[0])
    stage.play("buy 20 @ 10.00 by ann as b3")
    assert "5.9" in rules(stage.explain("b3"))
