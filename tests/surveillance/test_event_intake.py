"""The market that the intake keeps from the events is the one that the venue has."""

from __future__ import annotations

import random

from exchange.domain import commands as c
from exchange.domain.order import OrderFlag, OrderType, PegKind, Side, TimeInForce
from exchange.domain.order_list import Contingency, ListedOrder
from exchange.domain.quote import Quote
from exchange.domain.units import public_id
from exchange.surveillance.watcher import Watcher
from tests.surveillance.stage import WatchedStage

XYZ = 1


def test_books_and_orders_are_those_of_the_venue_after_any_flow() -> None:
    for seed in range(6):
        stage = WatchedStage()
        watcher = Watcher()
        chance = random.Random(seed)
        entered: list[int] = []
        for number in range(600):
            stage.desk.time_ns += chance.randrange(1, 5_000_000)
            stage.send(some_command(chance, entered, stage))
            if number % 50 == 49:
                watcher.take(b"".join(stage.commands), after=watcher.sequence)
                assert shown(watcher) == shown_by_the_venue(stage), f"seed {seed}, command {number}"
                venue = stage.desk.venue
                resting = {order.order_id for side in venue.orders(XYZ) for order in side}
                resting |= {order.order_id for side in venue.hidden_orders(XYZ) for order in side}
                resting |= {order.order_id for side in venue.stop_orders(XYZ) for order in side}
                resting |= set(venue.pegs())
                assert set(watcher.market.orders) == resting


def some_command(chance: random.Random, entered: list[int], stage: WatchedStage) -> c.Command:
    """Make an order of any kind, or do something to one that was there."""
    what = chance.random()
    if entered and what < 0.2:
        return c.CancelOrder(order_id=chance.choice(entered), participant_id=0)
    if what > 0.9:
        return linked_of(chance, stage)
    price = 100_000 + 100 * chance.randrange(-8, 9)
    quantity = chance.randrange(1, 10) * 50
    owner = chance.randrange(1, 7)
    if entered and what < 0.35:
        kind = chance.choice((c.AmendOrder, c.ReplaceOrder))
        if kind is c.ReplaceOrder:
            entered.append(next_id(stage))
        return kind(
            order_id=chance.choice(entered[:-1] or entered), participant_id=0, quantity=quantity, price=price
        )
    entered.append(next_id(stage))
    return order_of(chance, owner, quantity, price)


def linked_of(chance: random.Random, stage: WatchedStage) -> c.Command:
    """Make a quote, a pair or a peg, or withdraw quotes."""
    owner, quantity = chance.randrange(1, 7), chance.randrange(1, 10) * 50
    low, high = 100_000 - 100 * chance.randrange(0, 5), 100_100 + 100 * chance.randrange(0, 5)
    kind = chance.choice(("quote", "quote", "withdraw", "peg", "pair"))
    if kind == "withdraw":
        return c.CancelQuotes(participant_id=owner, account_id=owner, symbol_id=0)
    if kind == "peg":
        return c.EnterPeggedOrder(
            account_id=owner, symbol_id=XYZ, side=chance.choice((Side.BUY, Side.SELL)), quantity=quantity,
            time_in_force=TimeInForce.DAY, kind=chance.choice(list(PegKind)), offset=0, limit=0,
        )  # fmt: skip
    stage.reserve_ids(1)
    if kind == "quote":
        return c.MassQuote(
            account_id=owner, quote_id=1, quotes=(Quote(XYZ, low, quantity, high, quantity),)
        )  # fmt: skip
    fields = {"side": Side.SELL, "time_in_force": TimeInForce.DAY, "flags": 0, "quantity": quantity}
    return c.EnterOrderList(
        account_id=owner, symbol_id=XYZ, contingency=Contingency.ONE_CANCELS_OTHER,
        orders=(
            ListedOrder(order_type=OrderType.LIMIT, price=high, **fields),  # type: ignore[arg-type]
            ListedOrder(order_type=OrderType.STOP, price=0, stop_price=low - 500, **fields),  # type: ignore[arg-type]
        ),
    )  # fmt: skip


def next_id(stage: WatchedStage) -> int:
    return public_id(stage.desk.venue.partition, stage.desk.venue.command_sequence + 1)


def order_of(chance: random.Random, owner: int, quantity: int, price: int) -> c.Command:
    """Make an order: plain, hidden, iceberg, stop or immediate."""
    side = chance.choice((1, 2))
    fields = {
        "account_id": owner, "symbol_id": XYZ, "side": side, "quantity": quantity, "price": price,
        "order_type": OrderType.LIMIT, "time_in_force": TimeInForce.DAY,
    }  # fmt: skip
    kind = chance.choice(("plain", "plain", "plain", "hidden", "iceberg", "stop", "ioc", "market", "reprice"))
    if kind == "hidden":
        return c.EnterOrder(**fields | {"flags": OrderFlag.HIDDEN})  # type: ignore[arg-type]
    if kind == "iceberg":
        return c.EnterSpecialOrder(**fields, display_quantity=50)  # type: ignore[arg-type]
    if kind == "stop":
        stop = price
        return c.EnterSpecialOrder(**fields | {"order_type": OrderType.STOP_LIMIT}, stop_price=stop)  # type: ignore[arg-type]
    if kind == "ioc":
        return c.EnterOrder(**fields | {"time_in_force": TimeInForce.IOC})  # type: ignore[arg-type]
    if kind == "market":
        return c.EnterOrder(
            **fields | {"order_type": OrderType.MARKET, "price": 0, "time_in_force": TimeInForce.IOC}
        )  # type: ignore[arg-type]
    if kind == "reprice":
        return c.EnterOrder(**fields | {"flags": OrderFlag.POST_ONLY | OrderFlag.REPRICE})  # type: ignore[arg-type]
    return c.EnterOrder(**fields)  # type: ignore[arg-type]


def shown(watcher: Watcher) -> list[dict[int, int]]:
    book = watcher.market.book(XYZ)
    return [dict(sorted(side.quantities.items())) for side in (book.bids, book.asks)]


def shown_by_the_venue(stage: WatchedStage) -> list[dict[int, int]]:
    sides: list[dict[int, int]] = []
    for orders in stage.desk.venue.orders(XYZ):
        levels: dict[int, int] = {}
        for order in orders:
            levels[order.price] = levels.get(order.price, 0) + order.displayed
        sides.append({price: quantity for price, quantity in sorted(levels.items()) if quantity})
    return sides
