"""What holds after any auction: no crossed book, no share lost, and both matchers agree."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import OrderFlag, OrderType, Side, TimeInForce
from exchange.domain.phase import Phase
from exchange.domain.units import SymbolId
from exchange.matching.venue import Venue
from tests.matching.desk import XYZ, Desk

KINDS = (
    (OrderType.LIMIT, TimeInForce.DAY), (OrderType.LIMIT, TimeInForce.GTC), (OrderType.LIMIT, TimeInForce.AT_THE_OPEN),
    (OrderType.LIMIT, TimeInForce.GOOD_FOR_AUCTION), (OrderType.MARKET, TimeInForce.DAY),
)  # fmt: skip
drawn_orders = st.lists(
    st.tuples(
        st.sampled_from(Side), st.sampled_from(KINDS), st.integers(-6, 6), st.integers(1, 40), st.integers(1, 3),
        st.sampled_from((0, 0, 0, OrderFlag.HIDDEN.value, -5)),
    ),
    max_size=20,
)  # fmt: skip
"""(side, kind, cents from 10.00, quantity, account, flags or a display quantity below 0)"""


def entered(drawn: tuple[Side, tuple[OrderType, TimeInForce], int, int, int, int]) -> c.EnterOrder:
    """Make an order of what was drawn."""
    side, (order_type, time_in_force), cents, quantity, account_id, look = drawn
    price = 100_000 + 100 * cents if order_type is OrderType.LIMIT else 0
    rests = price and time_in_force in (TimeInForce.DAY, TimeInForce.GTC)
    fields = {
        "account_id": account_id, "symbol_id": XYZ, "side": side, "order_type": order_type, "price": price,
        "time_in_force": time_in_force, "quantity": quantity, "flags": max(look, 0) if rests else 0,
    }  # fmt: skip
    if look < 0 and rests and quantity >= -look:
        return c.EnterSpecialOrder(**fields, display_quantity=-look)  # type: ignore[arg-type]
    return c.EnterOrder(**fields)  # type: ignore[arg-type]


@given(drawn_orders, drawn_orders)
@settings(deadline=None)
def test_an_auction_leaves_no_crossed_book_and_loses_no_share(before: list, during: list) -> None:  # type: ignore[type-arg]
    desk = Desk(Venue())
    events = desk.send(c.SetPhase(symbol_id=SymbolId(0), phase=Phase.PRE_OPEN))
    for each in before:
        events += desk.send(entered(each))
    events += desk.send(c.SetPhase(symbol_id=SymbolId(0), phase=Phase.OPENING_AUCTION))
    for each in during:
        events += desk.send(entered(each))
    told = desk.venue.indication(XYZ)
    assert told is not None
    whole = {event.order_id: event.quantity for event in events if isinstance(event, e.OrderAccepted)}
    ended = desk.send(c.SetPhase(symbol_id=SymbolId(0), phase=Phase.CONTINUOUS))
    executed = next(event for event in ended if isinstance(event, e.AuctionExecuted))
    trades = [event for event in ended if isinstance(event, e.TradeExecuted)]
    assert (executed.price, executed.volume) == (told.price, told.paired), "what was told comes"
    assert sum(trade.quantity for trade in trades) == executed.volume
    assert {trade.price for trade in trades} <= {executed.price}
    assert all(trade.maker_order_id < trade.taker_order_id for trade in trades)
    for trade in trades:
        whole[trade.maker_order_id] -= trade.quantity
        whole[trade.taker_order_id] -= trade.quantity
        assert (whole[trade.maker_order_id], whole[trade.taker_order_id]) == (
            trade.maker_leaves,
            trade.taker_leaves,
        )
    cancelled = {event.order_id for event in ended if isinstance(event, e.OrderCancelled)}
    for order_id, leaves in whole.items():
        live = desk.venue.order(order_id)
        assert (live.leaves if live else 0) == (0 if order_id in cancelled else leaves)
    assert desk.venue.auction_orders(XYZ) == ([], [])
    bids, asks = (
        [order.price for order in (*shown, *hidden)]
        for shown, hidden in zip(desk.venue.orders(XYZ), desk.venue.hidden_orders(XYZ), strict=True)
    )
    assert not (bids and asks) or max(bids) < min(asks)
    assert Venue.restore(desk.venue.snapshot()).digest() == desk.venue.digest()
