"""The price of an auction, held against every price there could be; `tests/scenarios/auctions.txt` has the rules."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.phase import AuctionKind
from exchange.matching.auction import AuctionOrders, find_price, in_sequence
from exchange.matching.order_book import OrderBook, RestingOrder

REFERENCE = 10
PRICES = range(1, 20)
interests = st.lists(st.tuples(st.sampled_from((0, 0, *range(2, 19))), st.integers(1, 30)), max_size=8)
"""(price, 0 for a market order; quantity)"""


def order(order_id: int, side: Side, price: int, quantity: int, **more: object) -> RestingOrder:
    kind = OrderType.LIMIT if price else OrderType.MARKET
    fields = {"flags": 0, "time_in_force": TimeInForce.DAY} | more
    return RestingOrder(
        order_id, 1, 1, side, kind, fields["time_in_force"], fields["flags"], price, quantity, quantity, "", 0  # type: ignore[arg-type]
    )  # fmt: skip


def orders(side: Side, drawn: list[tuple[int, int]]) -> list[RestingOrder]:
    return [order(number, side, price, quantity) for number, (price, quantity) in enumerate(drawn, 1)]


def traded_at(price: int, buys: list[RestingOrder], sells: list[RestingOrder]) -> tuple[int, int]:
    """Return volume and what is left over, the slow and plain way."""
    bought = sum(each.leaves for each in buys if not each.price or each.price >= price)
    sold = sum(each.leaves for each in sells if not each.price or each.price <= price)
    return min(bought, sold), bought - sold


@given(interests, interests)
def test_no_price_at_all_trades_more_and_no_named_one_leaves_less_over(
    bought: list[tuple[int, int]], sold: list[tuple[int, int]]
) -> None:
    buys, sells = orders(Side.BUY, bought), orders(Side.SELL, sold)
    outcome = find_price(buys, sells, REFERENCE)
    most = max(traded_at(price, buys, sells)[0] for price in PRICES)
    assert outcome.volume == most
    if not most:
        assert (outcome.price, outcome.surplus) == (0, traded_at(REFERENCE, buys, sells)[1])
        return
    assert traded_at(outcome.price, buys, sells) == (outcome.volume, outcome.surplus)
    named = {each.price for each in (*buys, *sells) if each.price} | {REFERENCE}
    assert outcome.price in named
    as_good = {p: traded_at(p, buys, sells)[1] for p in named if traded_at(p, buys, sells)[0] == most}
    least = min(map(abs, as_good.values()))
    tied = {price: surplus for price, surplus in as_good.items() if abs(surplus) == least}
    assert outcome.price in tied
    if all(surplus > 0 for surplus in tied.values()):
        assert outcome.price == max(tied)
    elif all(surplus < 0 for surplus in tied.values()):
        assert outcome.price == min(tied)
    else:
        assert abs(outcome.price - REFERENCE) == min(abs(price - REFERENCE) for price in tied)


def test_who_takes_part_comes_by_price_then_shown_then_for_the_auction_then_hidden() -> None:
    book, waiting = OrderBook(), AuctionOrders()
    hidden, shown = order(1, Side.BUY, 10, 5, flags=8), order(2, Side.BUY, 10, 5)
    for each in (hidden, shown, better := order(3, Side.BUY, 11, 5)):
        book.home_of(each).add(each)
    at_open = order(4, Side.BUY, 10, 5, time_in_force=TimeInForce.AT_THE_OPEN)
    at_close = order(5, Side.BUY, 10, 5, time_in_force=TimeInForce.AT_THE_CLOSE)
    for each in (at_open, at_close, market := order(6, Side.BUY, 0, 5)):
        waiting.add(each)
    found = in_sequence(book, waiting, Side.BUY, AuctionKind.OPENING)
    assert found == [market, better, shown, at_open, hidden]
    assert waiting.of_side(Side.BUY) == [market, at_open, at_close]
