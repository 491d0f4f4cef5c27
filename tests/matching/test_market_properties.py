"""What holds of every market with auctions, halts, limits and shares: docs/testing.md lists each property."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import OrderType, Side
from exchange.domain.phase import Phase
from exchange.domain.risk import LimitKind, RiskScope
from exchange.domain.trade import TradeCondition
from exchange.matching.venue import Venue
from tests.matching.desk import Desk
from tests.matching.small_world import (
    ALLOCATIONS,
    WORLD,
    SmallWorld,
    eight_bytes,
    enter_for_auction,
    enter_iceberg,
    enter_special,
    pick,
    set_group,
)
from tests.matching.tight_limits import sane, sane_stop

BUDGET = settings(max_examples=40, deadline=None)
flows = st.lists(eight_bytes, min_size=40, max_size=120)
PHASES = (
    *(Phase.CONTINUOUS,) * 6, Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION, Phase.PRE_OPEN, Phase.POST_CLOSE,
    Phase.OPENING_NO_CANCEL,
)  # fmt: skip
CREDIT, POSITION, GROSS = 20_000_000, 60, 60_000_000
LIMITS: tuple[c.Command, ...] = tuple(
    c.SetRiskLimit(scope=RiskScope.ACCOUNT, subject_id=account, kind=kind, value=value)
    for account in (1, 2, 3, 4)
    for kind, value in (
        (LimitKind.POSITION, POSITION), (LimitKind.BUYING_POWER, CREDIT), (LimitKind.GROSS, GROSS),
        (LimitKind.SHORT_SALES, 1),
    )
)  # fmt: skip
Step = tuple[Desk, c.Command, list[e.Event]]


def perform(
    drawn: list[bytes], *before: c.Command, auctions: bool = True, market: bool = True
) -> Iterator[Step]:
    """Send orders of every kind and lead the symbols through phases. market: with orders at any price."""
    desk, world = Desk(opening=[*WORLD, *before]), SmallWorld()
    for eight in drawn:
        command = command_of(eight, world, auctions=auctions)
        is_priced = getattr(command, "order_type", OrderType.LIMIT) == OrderType.LIMIT
        if not market and not is_priced:
            command = msgspec.structs.replace(sane(b"\0" + eight[1:]), client_order_id="")
        events = desk.send(command)
        world.note(events)
        yield desk, command, events


def command_of(eight: bytes, world: SmallWorld, *, auctions: bool) -> c.Command:
    """Make a command of eight bytes; all zeros is the plainest."""
    kind = eight[7] % 24
    if kind < 10:
        return sane(eight)
    if kind < 15:
        make = (
            sane_stop,
            enter_iceberg,
            lambda drawn: enter_special(drawn, Desk().time_ns),
            world.amend,
            world.replace,
        )
        made: c.Command = make[kind - 10](eight)
        return made
    if kind < 17:
        return world.cancel(eight)
    if kind == 17:
        return set_group(eight)
    if kind == 18:
        given = ALLOCATIONS[eight[0] % 9]
        return c.SetAllocation(symbol_id=1 + eight[1] % 2, steps=given.steps, lead_makers=given.lead_makers)
    if not auctions:
        return sane(eight)
    if kind < 21:
        return enter_for_auction(eight)
    if kind == 21 and eight[1] % 4 == 0:
        halts = c.HaltTrading(symbol_id=1, reason="news"), c.ResumeTrading(symbol_id=1, call_ns=eight[3] % 2)
        return halts[eight[2] % 2]
    return c.SetPhase(symbol_id=eight[1] % 3, phase=pick(PHASES, eight[0]))


def phase_of(venue: Venue, symbol_id: int) -> Phase:
    return venue.directory.symbols[symbol_id].phase


# --- the book ---------------------------------------------------------------------------------------


@given(flows)
@BUDGET
def test_in_continuous_trading_the_book_is_never_crossed_by_what_would_trade(drawn: list[bytes]) -> None:
    """Of hidden orders those that wait for their minimum pass others by: rulebook 1.6."""
    for desk, command, _ in perform(drawn):
        for symbol_id in (1, 2):
            if phase_of(desk.venue, symbol_id) is not Phase.CONTINUOUS:
                continue
            sides = zip(desk.venue.orders(symbol_id), desk.venue.hidden_orders(symbol_id), strict=True)
            bids, asks = ([o.price for o in (*shown, *hidden) if not o.minimum] for shown, hidden in sides)
            assert not bids or not asks or max(bids) < min(asks), command


@given(flows)
@BUDGET
def test_every_share_of_an_order_is_traded_cancelled_or_left(drawn: list[bytes]) -> None:
    whole: dict[int, int] = {}
    gone: dict[int, int] = {}
    for desk, _, events in perform(drawn):
        for event in events:
            match event:
                case e.OrderAccepted() | e.OrderAmended():
                    whole[event.order_id] = event.quantity
                case e.OrderReplaced():
                    whole[event.new_order_id] = event.quantity
                    gone[event.order_id] = gone.get(event.order_id, 0) + event.cancelled_quantity
                case e.OrderCancelled():
                    gone[event.order_id] = gone.get(event.order_id, 0) + event.quantity
                case e.TradeExecuted():
                    for order_id in (event.maker_order_id, event.taker_order_id):
                        gone[order_id] = gone.get(order_id, 0) + event.quantity
        for order_id, quantity in whole.items():
            live = desk.venue.order(order_id)
            assert quantity == gone.get(order_id, 0) + (live.leaves if live else 0)
        for symbol_id in (0, 1, 2):
            assert sum(desk.venue.balance(account, symbol_id) for account in (1, 2, 3, 4)) == 0


@given(flows)
@BUDGET
def test_who_trades_stood_first_by_price_then_time(drawn: list[bytes]) -> None:
    """Of plain orders: each trade's maker is the best that stood there, and its price is the maker's."""
    desk, age = Desk(opening=WORLD), dict[int, int]()
    for eight in drawn:
        order = msgspec.structs.replace(sane(b"\0" + eight[1:]), symbol_id=1)
        standing = {o.order_id: o for side in desk.venue.orders(1) for o in side}
        events = desk.send(order)
        trades = [event for event in events if isinstance(event, e.TradeExecuted)]
        age[desk.venue.command_sequence] = len(age)
        makers = [trade.maker_order_id for trade in trades]
        sign = -1 if order.side is Side.SELL else 1
        ranks = [(sign * standing[t.maker_order_id].price, age[t.maker_order_id]) for t in trades]
        assert ranks == sorted(ranks)
        assert all(t.price == standing[t.maker_order_id].price for t in trades)
        passed_by = [
            (sign * o.price, age[o.order_id])
            for o in standing.values()
            if o.side is not order.side and o.order_id not in makers
        ]
        assert not ranks or not passed_by or max(ranks) < min(passed_by)


# --- auctions ---------------------------------------------------------------------------------------


@given(flows)
@BUDGET
def test_no_other_price_would_trade_more_in_an_auction(drawn: list[bytes]) -> None:
    """Against brute force: every price that anybody named, and those beside it."""
    for desk, command, events in perform(drawn):
        ended = [event for event in events if isinstance(event, e.AuctionIndicated)]
        for told in ended:
            assert told.paired == most_at_any_price(desk.venue, told), command


def most_at_any_price(venue: Venue, told: e.AuctionIndicated) -> int:
    """Try every price at which that can change, and those beside it; return the most that would trade."""
    bids, asks = ([*standing] for standing in zip_sides(venue, told))
    named = [order.price for order in (*bids, *asks) if order.price] or [told.reference_price]
    most = 0
    for price in {named_one + beside for named_one in named for beside in (-50, 0, 50)}:
        bought = sum(order.leaves for order in bids if not order.price or order.price >= price)
        sold = sum(order.leaves for order in asks if order.price <= price)
        most = max(most, min(bought, sold))
    return most


def zip_sides(venue: Venue, told: e.AuctionIndicated) -> Iterator[list[Any]]:
    """Give who takes part on each side: all without a minimum, of those for one auction only the ones for this."""
    other = {ord("O"): "AT_THE_CLOSE", ord("C"): "AT_THE_OPEN"}.get(told.auction, "")
    for at in (0, 1):
        queues = (
            venue.orders(told.symbol_id),
            venue.hidden_orders(told.symbol_id),
            venue.auction_orders(told.symbol_id),
        )
        everybody = [order for queue in queues for order in queue[at] if not order.minimum]
        yield [
            o
            for o in everybody
            if o.time_in_force.name != other and (other or "AT_THE" not in o.time_in_force.name)
        ]


@given(flows)
@BUDGET
def test_all_trades_of_an_auction_are_at_its_price_and_make_up_its_volume(drawn: list[bytes]) -> None:
    for _, _, events in perform(drawn):
        for at, event in enumerate(events):
            if isinstance(event, e.AuctionExecuted):
                after = [
                    x
                    for x in events[at:]
                    if isinstance(x, e.TradeExecuted) and x.symbol_id == event.symbol_id
                ]
                trades = [x for x in after if x.state is TradeCondition.AUCTION]
                assert {x.price for x in trades} <= {event.price}
                assert sum(x.quantity for x in trades) == event.volume


# --- self-trades and risk ---------------------------------------------------------------------------


@given(flows)
@BUDGET
def test_members_of_one_group_trade_with_each_other_in_auctions_only(drawn: list[bytes]) -> None:
    groups: dict[int, int] = {}
    for desk, _, events in perform(drawn):
        for event in events:
            if isinstance(event, e.SelfTradePreventionSet):
                groups[event.participant_id] = event.group
            if isinstance(event, e.TradeExecuted) and event.state is TradeCondition.CONTINUOUS:
                owners = [
                    desk.venue.directory.accounts[account].participant_id
                    for account in (event.maker_account_id, event.taker_account_id)
                ]
                maker, taker = (groups.get(owner, 0) for owner in owners)
                assert not maker or maker != taker


@pytest.mark.parametrize("auctions", [False, True], ids=["continuous", "with auctions"])
@given(drawn=flows)
@BUDGET
def test_no_limit_is_exceeded_by_what_the_market_does(auctions: bool, drawn: list[bytes]) -> None:
    """Nobody deposits, withdraws or corrects here. In auctions of priced orders: rulebook 4.4."""
    for desk, command, _ in perform(drawn, *LIMITS, auctions=auctions, market=not auctions):
        for account in (1, 2, 3, 4):
            usage = desk.venue.risk_usage(RiskScope.ACCOUNT, account)
            assert usage
            assert desk.venue.balance(account, 0) + CREDIT >= usage.open_buys, command
            if not auctions:
                assert usage.gross + usage.open_buys + usage.open_sells <= GROSS, command
            for symbol_id in (1, 2):
                sides = [live_shares(desk.venue, account, symbol_id, side) for side in Side]
                held = desk.venue.balance(account, symbol_id)
                assert max(held + sides[0], -held + sides[1]) <= POSITION, command


def live_shares(venue: Venue, account: int, symbol_id: int, side: Side) -> int:
    """Add up what an account has open on a side."""
    find = (venue.orders, venue.hidden_orders, venue.stop_orders, venue.auction_orders)
    live = [order for each in find for order in each(symbol_id)[0 if side is Side.BUY else 1]]
    return sum(order.leaves for order in live if order.account_id == account)


# --- changes ----------------------------------------------------------------------------------------


@given(flows)
@BUDGET
def test_more_quantity_or_another_price_loses_the_place_and_less_keeps_it(drawn: list[bytes]) -> None:
    world = SmallWorld()
    desk = Desk(opening=WORLD)
    for eight in drawn:
        command = world.amend(eight) if eight[7] % 3 == 0 else sane(b"\0" + eight[1:])
        before = desk.venue.order(command.order_id) if isinstance(command, c.AmendOrder) else None
        old = (before.price, before.quantity) if before else (0, 0)
        place = desk.venue.place_in_queue(command.order_id) if isinstance(command, c.AmendOrder) else None
        events = desk.send(command)
        world.note(events)
        for event in events:
            if not isinstance(event, e.OrderAmended) or place is None:
                continue
            now = desk.venue.place_in_queue(event.order_id)
            assert event.kept_priority == (event.price == old[0] and event.quantity < old[1])
            if event.kept_priority:
                assert now
                assert now.place == place.place
            elif now:
                level = [
                    o for side in desk.venue.orders(event.symbol_id) for o in side if o.price == event.price
                ]
                assert level[-1].order_id == event.order_id


@given(flows)
@BUDGET
def test_a_refused_change_leaves_everything_as_it_was(drawn: list[bytes]) -> None:
    desk, world = Desk(opening=WORLD), SmallWorld()
    for eight in [*drawn, *AMENDS]:
        command = command_of(eight, world, auctions=True)
        before = everything(desk.venue)
        events = desk.send(command)
        world.note(events)
        if isinstance(command, c.AmendOrder | c.ReplaceOrder) and isinstance(events[0], e.CommandRejected):
            assert len(events) == 1
            assert everything(desk.venue) == before


def everything(venue: Venue) -> list[Any]:
    """Copy all orders, holdings and prices."""
    queues = (venue.orders, venue.hidden_orders, venue.stop_orders, venue.auction_orders)
    orders = [msgspec.to_builtins(side) for find in queues for symbol in (1, 2) for side in find(symbol)]
    held = [venue.balance(account, symbol) for account in (1, 2, 3, 4) for symbol in (0, 1, 2)]
    return [orders, held, venue.reference_price(1), venue.reference_price(2)]


AMENDS = [bytes([n, 0, n, n, n, n, n, 13]) for n in range(0, 250, 25)]


@given(flows)
@BUDGET
def test_a_part_of_an_iceberg_order_comes_in_behind_and_does_not_cross(drawn: list[bytes]) -> None:
    for desk, _, events in perform(drawn, auctions=False):
        refreshed = [event for event in events if isinstance(event, e.OrderRefreshed)]
        for event in refreshed:
            assert event.displayed <= event.leaves
        for symbol_id in (1, 2):
            bids, asks = desk.venue.depth(symbol_id, 1)
            assert not bids or not asks or bids[0].price < asks[0].price
            for side in desk.venue.orders(symbol_id):
                assert all(better != worse for better, worse in pairwise(side))
