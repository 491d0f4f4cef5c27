"""The matcher and the naive model do the same, command by command: fills, cancels, refusals, books and balances."""

from __future__ import annotations

from itertools import groupby

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.reasons import Reason
from exchange.domain.symbol import SymbolState
from exchange.matching.order_book import RestingOrder
from exchange.matching.venue import Venue
from tests.matching.desk import MIDNIGHT_NS, Desk
from tests.matching.naive_model import NaiveVenue
from tests.matching.naive_values import Outcome, Symbol
from tests.matching.small_world import (
    AMOUNTS,
    ROUND_LOT,
    SECOND_NS,
    WORLD,
    SmallWorld,
    cancel_orders,
    eight_bytes,
    enter,
    enter_iceberg,
    enter_special,
    enter_stop,
    pick,
    set_group,
)  # fmt: skip

OWNERS = {1: 1, 2: 2, 3: 3, 4: 1}


class MatcherAgainstNaiveModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(opening=WORLD)
        self.world = SmallWorld()
        self.naive = NaiveVenue(OWNERS, {1: Symbol(1, 100, [100_000]), 2: Symbol(ROUND_LOT, 50, [100_000])})
        self.naive.now = self.desk.time_ns
        self.date = 20261123
        self.told: list[c.EnterOrder | c.ReplaceOrder] = []

    @property
    def next_sequence(self) -> int:
        return self.desk.venue.command_sequence + 1

    # --- what both are told --------------------------------------------------------------------------

    @initialize(drawn=st.lists(eight_bytes, min_size=16, max_size=16))
    def enter_many(self, drawn: list[bytes]) -> None:
        self.enter(drawn)

    @rule(drawn=st.lists(eight_bytes, min_size=1, max_size=6))
    def enter(self, drawn: list[bytes]) -> None:
        for eight in drawn:
            self.tell(enter(eight))

    @rule(drawn=st.lists(eight_bytes, min_size=1, max_size=6))
    def enter_special(self, drawn: list[bytes]) -> None:
        for eight in drawn:
            self.tell(enter_special(eight, self.desk.time_ns))

    @rule(drawn=st.lists(eight_bytes, min_size=1, max_size=4))
    def enter_stops(self, drawn: list[bytes]) -> None:
        for eight in drawn:
            self.tell(enter_stop(eight, self.desk.time_ns))

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=4))
    def enter_icebergs_and_take(self, drawn: list[bytes]) -> None:
        for eight in drawn[1:]:
            self.tell(enter_iceberg(eight))
        self.tell(enter(drawn[0]))

    @rule(seconds=st.sampled_from((1, 60, 3_600)))
    def pass_time(self, seconds: int) -> None:
        if self.desk.time_ns + seconds * SECOND_NS >= MIDNIGHT_NS:
            return
        self.desk.time_ns += seconds * SECOND_NS
        self.compare(c.Tick(), self.naive.pass_time(self.desk.time_ns))

    @rule(eight=eight_bytes)
    def set_group(self, eight: bytes) -> None:
        command = set_group(eight)
        self.compare(command, self.naive.set_group(command))

    @rule(eight=eight_bytes)
    def set_protection(self, eight: bytes) -> None:
        symbol, band = pick((1, 2), eight[0]), pick((0, 0, 20, 100, 500, 10_000), eight[1])
        self.naive.symbols[symbol].band_bps = band
        self.compare(c.SetMarketProtection(symbol_id=symbol, protection_bps=band), Outcome())

    @rule(eight=eight_bytes)
    def cancel(self, eight: bytes) -> None:
        command = self.world.cancel(eight)
        self.compare(command, self.naive.cancel(command))

    @rule(eight=eight_bytes)
    def amend(self, eight: bytes) -> None:
        command = self.world.amend(eight)
        self.compare(command, self.naive.amend(command))

    @rule(eight=eight_bytes)
    def replace(self, eight: bytes) -> None:
        self.tell(self.world.replace(eight))

    @rule(eight=eight_bytes)
    def repeat(self, eight: bytes) -> None:
        if self.told:
            self.tell(pick(self.told, eight[0]))

    def tell(self, command: c.EnterOrder | c.ReplaceOrder) -> None:
        """Tell both a command that may have a client order id."""
        if command.client_order_id:
            self.told.append(command)
        act = self.naive.enter if isinstance(command, c.EnterOrder) else self.naive.replace
        self.compare(command, act(self.next_sequence, command))

    @rule(eight=eight_bytes)
    def cancel_orders(self, eight: bytes) -> None:
        if eight[4] % 4 == 3:
            command = cancel_orders(eight)
            self.compare(command, self.naive.cancel_orders(command))

    @rule(eight=eight_bytes)
    def bust(self, eight: bytes) -> None:
        if self.world.trades:
            self.compare(self.world.bust(eight), self.naive.bust(pick(self.naive.trades, eight[0])))

    @rule(eight=eight_bytes)
    def correct(self, eight: bytes) -> None:
        if self.world.trades:
            command = self.world.correct(eight)
            trade, traded = pick(self.naive.trades, eight[0]), command.quantity
            self.compare(command, self.naive.correct(trade, traded, command.new_price, command.new_quantity))

    @rule(eight=eight_bytes)
    def move_holdings(self, eight: bytes) -> None:
        account, symbol, amount = (
            pick((1, 2, 3, 4), eight[0]),
            pick((0, 1, 2), eight[1]),
            pick(AMOUNTS, eight[2]),
        )
        if eight[3] % 2:
            command: c.Command = c.Deposit(account_id=account, symbol_id=symbol, amount=amount)
            self.compare(command, self.naive.deposit(account, symbol, amount))
        else:
            command = c.Withdraw(account_id=account, symbol_id=symbol, amount=amount)
            self.compare(command, self.naive.withdraw(account, symbol, amount))

    @rule(eight=eight_bytes)
    def suspend_and_enter(self, eight: bytes) -> None:
        """Suspend a symbol for one command that changes an order."""
        symbol = pick((1, 2), eight[7])
        for state in (SymbolState.SUSPENDED, SymbolState.ACTIVE):
            self.naive.symbols[symbol].suspended = state is SymbolState.SUSPENDED
            self.compare(c.SetSymbolState(symbol_id=symbol, state=state), Outcome())
            if state is SymbolState.SUSPENDED:
                self.amend(eight)

    @rule(eight=eight_bytes)
    def set_reference_price(self, eight: bytes) -> None:
        price = pick((100_000, 120_000, 500_000), eight[0])
        self.naive.symbols[1].history.append(price)
        self.compare(c.SetReferencePrice(symbol_id=1, reference_price=price), Outcome())

    @rule(eight=eight_bytes)
    def end_day(self, eight: bytes) -> None:
        if eight[0] % 8 == 7:
            self.date += 10_000
            self.compare(c.StartBusinessDay(date=self.date), self.naive.end_day())

    @rule()
    def restart(self) -> None:
        self.desk.venue = Venue.restore(self.desk.venue.snapshot())

    # --- what must be the same -----------------------------------------------------------------------

    def compare(self, command: c.Command, expected: Outcome) -> None:
        events = self.desk.send(command)
        self.world.note(events)
        assert outcome_of(events) == expected, command
        for symbol_id in (1, 2):
            bids, asks = self.desk.venue.orders(symbol_id)
            hidden = self.desk.venue.hidden_orders(symbol_id)
            for side, shown, unseen in zip(Side, (bids, asks), hidden, strict=True):
                assert [(o.order_id, o.price, o.displayed) for o in shown] == self.naive.book(symbol_id, side)
                assert [(o.order_id, o.price, o.leaves) for o in unseen] == self.naive.hidden(symbol_id, side)
            for side, waiting in zip(Side, self.desk.venue.stop_orders(symbol_id), strict=True):
                stops = [(o.order_id, o.terms.stop_price, o.leaves) for o in waiting]
                assert stops == self.naive.stops(symbol_id, side)
            assert self.desk.venue.depth(symbol_id, 99) == (levels_of(bids), levels_of(asks))
            assert self.desk.venue.reference_price(symbol_id) == self.naive.reference(symbol_id)
        for account_id in OWNERS:
            held = [self.desk.venue.balance(account_id, symbol_id) for symbol_id in (0, 1, 2)]
            assert held == [self.naive.balance(account_id, symbol_id) for symbol_id in (0, 1, 2)]


def levels_of(orders: list[RestingOrder]) -> list[tuple[int, int, int]]:
    """Add up orders by price: (price, quantity, orders)."""
    levels = [(price, list(group)) for price, group in groupby(orders, key=lambda order: order.price)]
    return [(price, sum(order.displayed for order in group), len(group)) for price, group in levels]


def outcome_of(events: list[e.Event]) -> Outcome:
    """Reduce the events of a command to what the naive model knows of it."""
    outcome = Outcome()
    for event in events:
        match event:
            case e.OrderRejected() | e.CommandRejected():
                outcome.refused = Reason(event.reason)
            case e.OrderDuplicated():
                outcome.duplicate_of = event.order_id
            case e.TradeExecuted():
                outcome.fills.append(
                    (
                        event.maker_order_id,
                        event.taker_order_id,
                        event.price,
                        event.quantity,
                        event.reference_price,
                    )
                )
            case e.OrderRepriced():
                outcome.repriced.append((event.order_id, event.price))
            case e.MatchPrevented():
                outcome.prevented.append((event.maker_order_id, event.taker_order_id, event.quantity))
            case e.OrderTriggered():
                outcome.triggered.append((event.order_id, event.stop_price, event.last_price))
            case e.OrderRefreshed():
                outcome.refreshed.append((event.order_id, event.displayed, event.leaves))
            case e.OrderCancelled():
                outcome.cancelled.append((event.order_id, event.quantity))
    return outcome


MatcherAgainstNaiveModel.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
test_the_matcher_does_what_the_naive_model_does = MatcherAgainstNaiveModel.TestCase
