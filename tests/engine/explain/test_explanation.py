"""What is told of an order: each way in which one can fare, from the replay of each matcher."""

from __future__ import annotations

from msgspec import structs

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import OrderFlag, OrderType, SelfTradeMode, Side, TimeInForce
from exchange.domain.risk import LimitKind, RiskScope
from exchange.domain.trade import BustReason
from tests.engine.explain.told import ToldDesk, rules, said
from tests.matching.desk import ANN, BOB, CAT, XYZ, order

BUY, SELL = Side.BUY, Side.SELL


def special(side: Side, quantity: int, price: int, account: int = ANN, **more: int) -> c.EnterSpecialOrder:
    terms = {
        name: more.pop(name) for name in list(more) if name in c.EnterSpecialOrder.__struct_fields__[-6:]
    }
    return c.EnterSpecialOrder(**structs.asdict(order(side, quantity, price, account, **more)), **terms)


def test_a_refusal_names_the_limit_what_was_measured_and_what_to_do(desk: ToldDesk) -> None:
    desk.send(c.SetRiskLimit(scope=RiskScope.ACCOUNT, subject_id=ANN, kind=LimitKind.MAX_QUANTITY, value=50))
    refused = desk.id_of(desk.enter(BUY, 100, 100_000))
    told = desk.explain(refused)
    assert told.headline == "Refused: buy 100 XYZ at 10.00."
    assert "quantity 100, limit 50" in said(told)
    assert "change its qty" in said(told)
    assert rules(told) == {"4.3", "3.2"}
    odd = desk.explain(desk.id_of(desk.enter(BUY, 10, 100_050)))
    assert "nearest 10.00 or 10.01" in said(odd)


def test_an_immediate_order_is_told_what_was_there(desk: ToldDesk) -> None:
    desk.enter(SELL, 30, 100_000, BOB)
    desk.enter(SELL, 30, 100_200, BOB)
    missed = desk.id_of(desk.enter(BUY, 100, 100_000, time_in_force=TimeInForce.FOK))
    told = desk.explain(missed)
    assert told.headline == "Cancelled: buy 100 XYZ at 10.00, nothing traded; 100 shares were left."
    assert "At 10.00 or lower, 30 shares were offered when it came. The best price was 10.00." in said(
        told.moments[0]
    )


def test_stops_icebergs_repricing_and_prevention_are_told(desk: ToldDesk) -> None:
    stop = desk.id_of(desk.send(special(BUY, 10, 0, order_type=OrderType.STOP, stop_price=101_000)))
    assert "It waits, unseen, until the last trade is at 10.10 or higher." in said(desk.explain(stop))
    iceberg = desk.id_of(desk.send(special(SELL, 100, 101_000, BOB, display_quantity=20)))
    assert "20 of them are shown; 80 wait behind." in said(desk.explain(iceberg))
    desk.enter(BUY, 20, 101_000, CAT)
    assert "reached its stop price of 10.10: now it comes in" in said(desk.explain(stop).moments[1])
    assert "The next part of 20 is shown, last in the queue at 10.10." in said(
        desk.explain(iceberg).moments[1]
    )
    shy = desk.id_of(desk.enter(BUY, 5, 101_000, CAT, flags=OrderFlag.POST_ONLY | OrderFlag.REPRICE))
    assert "its price became 10.09, one tick behind" in said(desk.explain(shy).moments[0])
    desk.send(c.SetSelfTradePrevention(participant_id=BOB, group=7, mode=SelfTradeMode.CANCEL_NEWEST))
    own = desk.id_of(desk.enter(BUY, 5, 101_000, BOB))
    prevented = desk.explain(own)
    assert "A match of 5 at 10.10 was prevented: both orders belong to one group (cancel newest)." in said(
        prevented.moments[0]
    )
    assert "It would have traded with an order of its own group." in said(prevented)


def test_changes_busts_and_halts_are_told(desk: ToldDesk) -> None:
    resting = desk.id_of(desk.enter(BUY, 100, 100_000))
    desk.send(c.AmendOrder(order_id=resting, participant_id=ANN, price=100_000, quantity=60))
    trade = next(one for one in desk.enter(SELL, 10, 100_000, BOB) if isinstance(one, e.TradeExecuted))
    facts = {
        "match_id": trade.sequence, "symbol_id": XYZ, "price": trade.price, "quantity": trade.quantity,
        "buy_account_id": ANN, "sell_account_id": BOB, "buy_order_id": resting,
        "sell_order_id": trade.taker_order_id, "executed_ns": trade.time_ns,
    }  # fmt: skip
    names = c.BustTrade.__struct_fields__
    given = {name: facts[name] for name in names if name in facts}
    desk.send(c.BustTrade(ruling_id=1, reason=BustReason.ERRONEOUS, **given))
    desk.send(c.HaltTrading(symbol_id=XYZ, reason="news {pending}"))
    told = desk.explain(resting)
    assert "It was changed to 60 at 10.00, 60 of them open." in said(told.moments[1])
    assert told.moments[-1].title == "Trade busted"
    assert "was busted (erroneous): it counts as never made" in said(told)
    assert "XYZ is halted: nothing trades until that is over." in said(told)
    new = desk.send(
        c.ReplaceOrder(order_id=resting, participant_id=0, price=99_000, quantity=5, client_order_id="")
    )
    assert isinstance(new[0], e.CommandRejected)


def test_a_corridor_that_was_left_and_its_auction_are_told(desk: ToldDesk) -> None:
    desk.send(c.SetPriceCorridor(symbol_id=XYZ, dynamic_bps=200, static_bps=0, call_ns=1_000_000_000))
    desk.enter(SELL, 10, 103_000, BOB)
    hasty = desk.id_of(desk.enter(BUY, 5, 103_500, CAT, time_in_force=TimeInForce.IOC))
    told = desk.explain(hasty)
    assert "It would trade beyond the symbol's price limits. 5 shares were left." in said(told)
    assert "At 10.30 the next trade would be outside the corridor of 9.80 to 10.20" in said(told.moments[0])
    assert {"7.3", "7.7"} <= rules(told.moments[0])
    waiting = desk.id_of(desk.enter(BUY, 10, 103_500, ANN))
    assert "XYZ is in volatility auction: nothing trades until that is over." in said(desk.explain(waiting))
    desk.time_ns += 2_000_000_000
    desk.send(c.Tick())
    assert "10.30" in said(desk.explain(waiting).moments[-1])
    assert "5.4" in rules(desk.explain(waiting).moments[-1])
