"""Rows in the form of LOBSTER: each message explains the step from one row of the book to the next."""

from __future__ import annotations

from exchange.domain.order import Side
from exchange.market_data.book_builder import BookBuilder
from exchange.market_data.lobster_rows import NO_PRICE, LobsterRow, LobsterRows, message_line
from tests.market_data.venue_flow import DATE, VenueFlow

LEVELS = 5


def test_a_day_in_five_messages() -> None:
    flow, rows = VenueFlow(), LobsterRows("AAPL", 1)
    rows.apply(flow.open())
    assert rows.is_listed
    found = rows.apply(flow.limit(Side.SELL, 1_000_000, 100))
    found += rows.apply(flow.limit(Side.BUY, 1_000_000, 140))
    assert [date for date, _, _ in found] == [DATE] * 3
    assert [message[1:2] + message[3:] for _, message, _ in found] == [
        (1, 100, 1_000_000, -1), (4, 100, 1_000_000, -1), (1, 40, 1_000_000, 1),
    ]  # fmt: skip
    assert [levels for _, _, levels in found] == [
        [1_000_000, 100, -NO_PRICE, 0], [NO_PRICE, 0, -NO_PRICE, 0], [NO_PRICE, 0, 1_000_000, 40],
    ]  # fmt: skip
    nanoseconds = found[0][1][0]
    assert 9 * 3_600 * 10**9 < nanoseconds < 10 * 3_600 * 10**9
    assert message_line((34_200_000_000_001, 1, 7, 18, 5_859_400, 1)) == "34200.000000001,1,7,18,5859400,1"


def replayed(found: list[LobsterRow]) -> dict[int, list[int]]:
    """Carry out the messages as a researcher would; return price, shares and direction of what is left."""
    orders: dict[int, list[int]] = {}
    for _, (_, kind, order_id, shares, price, direction), _ in found:
        if kind == 1:
            orders[order_id] = [price, shares, direction]
        elif kind in (2, 3, 4):
            assert orders[order_id][0] == price
            orders[order_id][1] -= shares
            if not orders[order_id][1]:
                del orders[order_id]
            else:
                assert kind != 3
    return orders


def test_messages_of_random_flow_rebuild_the_book_and_agree_with_its_rows() -> None:
    flow, rows, builder = VenueFlow(seed=11), LobsterRows("AAPL", LEVELS), BookBuilder()
    found: list[LobsterRow] = []
    for events in [flow.open(), *flow.random_batches(60)]:
        builder.apply(events)
        found += rows.apply(events)
        if not found:
            continue
        bids, asks = builder.book(1).totals(LEVELS)
        wanted: list[int] = []
        for place in range(LEVELS):
            wanted += asks[place][:2] if place < len(asks) else (NO_PRICE, 0)
            wanted += bids[place][:2] if place < len(bids) else (-NO_PRICE, 0)
        assert found[-1][2] == wanted
    left = replayed(found)
    assert left == {
        order.order_id: [order.price, order.leaves, 1 if order.side == Side.BUY else -1]
        for order in builder.orders.values()
        if order.symbol_id == 1
    }
    assert {message[1] for _, message, _ in found} >= {1, 3, 4}
