"""Corporate actions as values: nothing is lost but what is told, and no book is crossed by one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain import commands as c
from exchange.domain import corporate_events as ce
from exchange.domain.order import OrderFlag, Side, TimeInForce
from exchange.domain.phase import Phase
from exchange.domain.symbol import SymbolState
from exchange.matching.venue import Venue
from exchange.risk.holdings import CASH
from tests.matching.desk import ANN, BOB, CAT, XYZ, Desk, order

ratios = st.tuples(st.integers(1, 40), st.integers(1, 40)).filter(lambda ratio: ratio[0] != ratio[1])
book_orders = st.lists(
    st.tuples(
        st.sampled_from(list(Side)),
        st.integers(1, 500),
        st.integers(1, 300),
        st.sampled_from((ANN, BOB, CAT)),
    ),
    max_size=30,
)


def filled_desk(orders: list[tuple[Side, int, int, int]]) -> Desk:
    """Enter orders around 10.00, some of which trade, and suspend the symbol."""
    desk = Desk()
    for side, quantity, distance, account in orders:
        price = 100_000 + 100 * (150 - distance)
        desk.send(order(side, quantity, price, account, time_in_force=TimeInForce.GTC))
    desk.send(c.SetSymbolState(symbol_id=XYZ, state=SymbolState.SUSPENDED))
    return desk


def best(venue: Venue) -> tuple[int, int]:
    bids, asks = venue.depth(XYZ, 1)
    return (bids[0].price if bids else 0, asks[0].price if asks else 2**31)


@settings(max_examples=60, deadline=None)
@given(orders=book_orders, ratio=ratios)
def test_a_split_crosses_no_book_and_keeps_the_sequence_of_those_at_one_price(
    orders: list[tuple[Side, int, int, int]], ratio: tuple[int, int]
) -> None:
    desk = filled_desk(orders)
    before = [[each.order_id for each in side] for side in desk.venue.orders(XYZ)]
    desk.send(c.SplitSymbol(symbol_id=XYZ, new_shares=ratio[0], old_shares=ratio[1]))
    bid, ask = best(desk.venue)
    assert bid < ask
    for was, side in zip(before, desk.venue.orders(XYZ), strict=True):
        left = [each.order_id for each in side]
        assert left == [order_id for order_id in was if order_id in left]
    assert Venue.restore(desk.venue.snapshot()).digest() == desk.venue.digest()


@settings(max_examples=60, deadline=None)
@given(orders=book_orders, ratio=ratios, brought=st.integers(1, 10**6), cash_price=st.integers(1, 10**6))
def test_a_split_keeps_what_is_held_but_for_the_fractions_that_it_pays(
    orders: list[tuple[Side, int, int, int]], ratio: tuple[int, int], brought: int, cash_price: int
) -> None:
    desk = filled_desk(orders)
    desk.send(c.Deposit(account_id=ANN, symbol_id=XYZ, amount=brought))
    held = {who: desk.venue.balance(who, XYZ) for who in (ANN, BOB, CAT)}
    cash = {who: desk.venue.balance(who, CASH) for who in held}
    new, old = ratio
    events = desk.send(c.SplitSymbol(symbol_id=XYZ, new_shares=new, old_shares=old, cash_price=cash_price))
    assert isinstance(events[0], ce.SymbolSplit)
    for who, shares in held.items():
        rest = shares * new - desk.venue.balance(who, XYZ) * old
        paid = desk.venue.balance(who, CASH) - cash[who]
        assert abs(rest) < old
        assert 0 <= rest * cash_price * (1 if shares >= 0 else -1) - abs(paid) * old < old
    told = [event for event in events if isinstance(event, ce.HoldingAdjusted)]
    for event in told:
        assert event.balance in (
            desk.venue.balance(event.account_id, event.asset),
            held.get(event.account_id),
        )


def test_after_a_dividend_the_venue_comes_back_from_its_snapshot() -> None:
    desk = Desk()
    wanted = {"time_in_force": TimeInForce.GTC}
    desk.send(
        order(Side.BUY, 5, 99_000, ANN, **wanted),
        order(Side.BUY, 5, 99_000, BOB, **wanted, flags=OrderFlag.DO_NOT_REDUCE),
        c.SetPhase(symbol_id=XYZ, phase=Phase.CLOSED), c.PayDividend(symbol_id=XYZ, amount=1_000),
    )  # fmt: skip
    bids, _ = desk.venue.orders(XYZ)
    assert [(each.account_id, each.price) for each in bids] == [(BOB, 99_000), (ANN, 98_000)]
    assert Venue.restore(desk.venue.snapshot()).digest() == desk.venue.digest()


def test_a_former_name_comes_back_from_a_snapshot() -> None:
    desk = Desk()
    desk.send(
        c.SetPhase(symbol_id=XYZ, phase=Phase.CLOSED), c.RenameSymbol(symbol_id=XYZ, symbol="NEW"),
        c.RenameSymbol(symbol_id=XYZ, symbol="NEWER"),
    )  # fmt: skip
    directory = Venue.restore(desk.venue.snapshot()).directory
    assert directory.present_name("XYZ") == directory.present_name("NEW") == "NEWER"
    assert directory.present_name("NEWER") == ""
    assert directory.symbols[XYZ].symbol == "NEWER"
