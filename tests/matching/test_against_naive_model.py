"""The matcher and the naive model do the same, command by command: all that happens, books and balances."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from exchange.domain import commands as c
from exchange.domain.order import OrderFlag, OrderType, Side, TimeInForce
from exchange.domain.participant import Role
from exchange.domain.phase import Phase
from exchange.domain.risk import LimitKind, RiskScope
from exchange.domain.symbol import SymbolState, TickRow
from exchange.domain.volatility_events import CorridorLeft
from exchange.matching.order_book import RestingOrder
from exchange.matching.venue import Venue
from tests.matching.desk import MIDNIGHT_NS, Desk
from tests.matching.facts import facts_of
from tests.matching.naive_limit_rules import PriceLimitRules
from tests.matching.naive_linked_rules import LinkedRules, differences_of_linked
from tests.matching.naive_model import NaiveVenue
from tests.matching.naive_values import Fact, Symbol
from tests.matching.small_world import (
    ALLOCATIONS,
    AMOUNTS,
    ROUND_LOT,
    SECOND_NS,
    WORLD,
    SmallWorld,
    cancel_orders,
    change_phase,
    corporate_action,
    eight_bytes,
    enter,
    enter_for_auction,
    enter_iceberg,
    enter_special,
    enter_stop,
    pick,
    risk_command,
    set_group,
    set_limit,
)  # fmt: skip
from tests.matching.tight_limits import sane, sane_stop, tight_limit

OWNERS = {1: 1, 2: 2, 3: 3, 4: 1}
SHORT, EXEMPT, LOCATED = OrderFlag.SHORT.value, OrderFlag.SHORT_EXEMPT.value, OrderFlag.LOCATED.value
MARKS = (
    0,
    0,
    *(SHORT,) * 6,
    SHORT | LOCATED,
    SHORT | LOCATED,
    EXEMPT,
    EXEMPT | LOCATED,
    LOCATED,
    SHORT | EXEMPT,
)
"""What a sale may say of itself; the last two cannot be."""
TRIGGERS_BPS = (10, 10, 20, 5, 1_000, 0, 10_000)


class MatcherAgainstNaiveModel(PriceLimitRules, LinkedRules):
    """Each rule draws bytes, makes commands of them, and tells both."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(opening=WORLD)
        self.world = SmallWorld()
        symbols = {
            1: Symbol(1, [(0, 1), (10_000, 100)], [100_000], ["XYZ"]),
            2: Symbol(ROUND_LOT, [(0, 50)], [100_000], ["LOT"]),
        }
        self.naive = NaiveVenue(dict(OWNERS), symbols, day_ends=MIDNIGHT_NS)
        self.naive.now = self.desk.time_ns
        self.date = 20261123
        self.version, self.epoch = 0, 1
        self.told: list[c.Command] = []

    # --- orders --------------------------------------------------------------------------------------

    @initialize(drawn=st.lists(eight_bytes, min_size=16, max_size=16))
    def enter_many(self, drawn: list[bytes]) -> None:
        self.enter(drawn)

    @rule(drawn=st.lists(eight_bytes, min_size=1, max_size=6))
    def enter(self, drawn: list[bytes]) -> None:
        for eight in drawn:
            self.tell(enter(eight))

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=8))
    def trade(self, drawn: list[bytes]) -> None:
        """Enter orders that have nothing wrong in themselves."""
        for eight in drawn:
            self.tell(sane(eight))

    @rule(drawn=st.lists(eight_bytes, min_size=3, max_size=8), eight=eight_bytes)
    def trade_by_shares(self, drawn: list[bytes], eight: bytes) -> None:
        """Let orders rest at one price of a symbol that shares trades out, and take some of them."""
        self.set_allocation(eight)
        for each in drawn[1:]:
            order = msgspec.structs.replace(sane(each), symbol_id=1, side=Side.SELL, price=100_100)
            self.tell(order)
        taken = msgspec.structs.replace(
            sane(drawn[0]), symbol_id=1, side=Side.BUY, price=100_100, quantity=eight[2] % 30 + 1
        )
        self.tell(taken)

    @rule(
        drawn=st.lists(eight_bytes, min_size=2, max_size=5),
        stops=st.lists(eight_bytes, min_size=1, max_size=3),
    )
    def trigger(self, drawn: list[bytes], stops: list[bytes]) -> None:
        """Enter stop orders around the price, and trade."""
        for eight in stops:
            self.tell(sane_stop(eight))
        self.trade(drawn)

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

    @rule(eight=eight_bytes)
    def cancel(self, eight: bytes) -> None:
        self.tell(self.world.cancel(eight))

    @rule(eight=eight_bytes)
    def amend(self, eight: bytes) -> None:
        self.tell(self.world.amend(eight))

    @rule(eight=eight_bytes)
    def replace(self, eight: bytes) -> None:
        self.tell(self.world.replace(eight))

    @rule(eight=eight_bytes)
    def repeat(self, eight: bytes) -> None:
        if self.told:
            self.tell(pick(self.told, eight[0]))

    @rule(eight=eight_bytes)
    def cancel_orders(self, eight: bytes) -> None:
        if eight[4] % 4 == 3:
            self.tell(cancel_orders(eight))

    # --- phases --------------------------------------------------------------------------------------

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=8), kind=eight_bytes)
    def hold_an_auction(self, drawn: list[bytes], kind: bytes) -> None:
        """Call an auction for symbol 1, let orders gather, and end it."""
        phase = pick((Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION, Phase.OPENING_NO_CANCEL), kind[0])
        self.tell(c.SetPhase(symbol_id=pick((1, 0), kind[1]), phase=phase))
        for eight in drawn:
            make = pick((enter, enter, enter_for_auction, enter_iceberg, now_special), eight[7])
            self.tell(msgspec.structs.replace(make(eight), symbol_id=1))
        after = pick((Phase.CONTINUOUS, Phase.CONTINUOUS, Phase.POST_CLOSE, Phase.CLOSED), kind[2])
        self.tell(c.SetPhase(symbol_id=pick((1, 0), kind[3]), phase=after))

    @rule(drawn=st.lists(eight_bytes, min_size=1, max_size=4))
    def enter_for_auctions(self, drawn: list[bytes]) -> None:
        for eight in drawn:
            self.tell(enter_for_auction(eight))

    @rule(eight=eight_bytes)
    def change_phase(self, eight: bytes) -> None:
        self.tell(change_phase(eight, self.desk.time_ns))

    @rule(eight=eight_bytes)
    def go_on(self, eight: bytes) -> None:
        """Let the market trade again."""
        self.tell(c.ResumeTrading(symbol_id=pick((0, 1, 2), eight[0]), call_ns=pick((0, 3_000), eight[1])))
        self.tell(c.SetPhase(symbol_id=0, phase=Phase.CONTINUOUS))

    @rule(eight=eight_bytes)
    def pass_time(self, eight: bytes) -> None:
        self.desk.time_ns += pick(
            (2_000, 5_000, 60_000, SECOND_NS, 60 * SECOND_NS, 3_600 * SECOND_NS), eight[0]
        )
        self.naive.now = self.desk.time_ns
        self.tell(c.Tick())

    @rule(eight=eight_bytes)
    def suspend(self, eight: bytes) -> None:
        state = pick((SymbolState.ACTIVE, SymbolState.ACTIVE, SymbolState.SUSPENDED), eight[1])
        self.tell(c.SetSymbolState(symbol_id=pick((1, 2), eight[0]), state=state))

    @rule(eight=eight_bytes)
    def suspend_and_enter(self, eight: bytes) -> None:
        """Suspend a symbol for one command that changes an order."""
        self.tell(c.SetSymbolState(symbol_id=pick((1, 2), eight[7]), state=SymbolState.SUSPENDED))
        self.amend(eight)
        self.tell(c.SetSymbolState(symbol_id=pick((1, 2), eight[7]), state=SymbolState.ACTIVE))

    # --- risk ----------------------------------------------------------------------------------------

    @rule(eight=eight_bytes)
    def risk(self, eight: bytes) -> None:
        self.tell(risk_command(eight))

    @rule(eight=eight_bytes)
    def set_limit(self, eight: bytes) -> None:
        """Set a limit of one of the members that trade."""
        scope = pick((3, 4, 4, 2), eight[1])
        subject = 1 + eight[2] % {2: 2, 3: 3, 4: 4}[scope]
        self.tell(set_limit(eight, scope, subject))

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=8), eight=eight_bytes)
    def trade_under_a_limit(self, drawn: list[bytes], eight: bytes) -> None:
        """Set a limit that matters, trade, change and cancel, and perhaps take it away again."""
        limit = tight_limit(eight)
        self.tell(limit)
        for each in drawn:
            make = pick((sane, sane, sane, self.world.amend, self.world.cancel), each[0])
            command = make(each)
            if isinstance(command, c.EnterOrder) and each[6] % 2:
                command = msgspec.structs.replace(command, account_id=limit.subject_id)
            for _ in range(1 + each[7] % 2):
                self.tell(command)
        if eight[5] % 2:
            self.tell(msgspec.structs.replace(limit, is_set=False))

    @rule(eight=eight_bytes)
    def let_trade(self, eight: bytes) -> None:
        """Lift what blocks, and some of what limits."""
        for scope, subject in list(self.naive.blocks):
            role = 5 if self.naive.blocks[scope, subject] != 5 else 3
            self.tell(c.UnblockTrading(scope=scope, subject_id=subject, key_id=1, role=role))
        for number, (scope, subject, kind, symbol) in enumerate(list(self.naive.limits)):
            if eight[number % 8] % 2:
                self.tell(
                    c.SetRiskLimit(scope=scope, subject_id=subject, kind=kind, symbol_id=symbol, is_set=False)
                )

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=8), eight=eight_bytes)
    def sell_short(self, drawn: list[bytes], eight: bytes) -> None:
        """Ask something of short sales, mostly let one account sell short, and trade with marks."""
        symbol = pick((1, 1, 1, 2), eight[0])
        terms = c.SetShortSaleTerms(
            symbol_id=pick((*(symbol,) * 15, 9), eight[6]), trigger_bps=pick(TRIGGERS_BPS, eight[1]),
            needs_locate=eight[2] % 4 == 1, needs_marking=eight[3] % 4 == 1,
        )  # fmt: skip
        if eight[4] % 4 < 2:
            self.tell(terms)
        account = pick((1, 2, 3, 4), eight[5])
        permission = c.SetRiskLimit(
            scope=RiskScope.ACCOUNT, subject_id=account, kind=LimitKind.SHORT_SALES, value=1,
            symbol_id=pick((0, symbol), eight[7]), is_set=eight[7] % 16 < 14,
        )  # fmt: skip
        self.tell(permission)
        for each in drawn:
            make = pick((sane, sane, sane, sane_stop, self.world.amend, self.world.replace), each[0])
            command = make(each)
            if isinstance(command, c.EnterOrder):
                sold_by = account if each[7] % 8 and command.side == Side.SELL else command.account_id
                marks = pick(MARKS, each[6]) if command.side == Side.SELL or each[7] % 8 == 7 else 0
                command = msgspec.structs.replace(
                    command, symbol_id=symbol, account_id=sold_by, flags=command.flags | marks
                )
            self.tell(command)

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=6), eight=eight_bytes)
    def block_a_session(self, drawn: list[bytes], eight: bytes) -> None:
        """Enter orders of sessions, block one, and let it try."""
        switch = c.BlockTrading(
            scope=RiskScope.SESSION, subject_id=pick((1, 2, 0, 1, 2), eight[0]), key_id=1, role=3,
            cancels_orders=eight[1] % 2 == 1,
        )  # fmt: skip
        for number, each in enumerate(drawn):
            if number == len(drawn) // 2:
                self.tell(switch)
            make = pick((sane, sane, sane_stop, self.world.amend, self.world.replace), each[0])
            command = make(each)
            if not isinstance(command, c.AmendOrder):
                session = f"~0000{each[6] % 4}{each[7]:08X}BYA~~~~"
                command = msgspec.structs.replace(command, client_order_id=session)
            self.tell(command)

    @rule(eight=eight_bytes)
    def move_holdings(self, eight: bytes) -> None:
        account, symbol = pick((1, 2, 3, 4), eight[0]), pick((0, 1, 2), eight[1])
        make = pick((c.Deposit, c.Withdraw), eight[3])
        self.tell(make(account_id=account, symbol_id=symbol, amount=pick(AMOUNTS, eight[2])))

    # --- operators -----------------------------------------------------------------------------------

    @rule(eight=eight_bytes)
    def set_group(self, eight: bytes) -> None:
        self.tell(set_group(eight))

    @rule(eight=eight_bytes)
    def set_protection(self, eight: bytes) -> None:
        band = pick((0, 0, 20, 100, 500, 10_000), eight[1])
        self.tell(c.SetMarketProtection(symbol_id=pick((1, 2), eight[0]), protection_bps=band))

    @rule(eight=eight_bytes)
    def set_allocation(self, eight: bytes) -> None:
        allocation = ALLOCATIONS[eight[0] % 9]
        symbol = pick((1, 1, 2), eight[1])
        self.tell(
            c.SetAllocation(symbol_id=symbol, steps=allocation.steps, lead_makers=allocation.lead_makers)
        )

    @rule(eight=eight_bytes)
    def set_reference_price(self, eight: bytes) -> None:
        price = pick((100_000, 120_000, 500_000), eight[0])
        self.tell(c.SetReferencePrice(symbol_id=pick((1, 2), eight[1]), reference_price=price))

    @rule(eight=eight_bytes)
    def configure(self, eight: bytes) -> None:
        """Change a symbol's terms by a version of the configuration."""
        number, reference = 1 + eight[0] % 2, pick((0, 0, 99_900, 120_000), eight[1])
        named = self.naive.symbols[number].tickers
        ticks = pick(((), (), (TickRow(0, 50),), (TickRow(0, 100),), (TickRow(0, 300),)), eight[2])
        tick = ticks[0].tick if ticks else self.naive.symbols[number].tick_at(reference)
        self.tell(
            c.ConfigureSymbol(
                configuration_version=self.version + 1, name="Named",
                symbol=pick((*named[-1:] * 6, named[0]), eight[5]), reference_price=reference // tick * tick,
                round_lot=pick((0, 0, 1, 2, 4), eight[3]), state=pick((0, 0, 1, 2), eight[4]), ticks=ticks,
            )
        )  # fmt: skip

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=6))
    def trade_in_a_new_symbol(self, drawn: list[bytes]) -> None:
        """List a third symbol, once, and trade in it."""
        if 3 not in self.naive.symbols:
            state = pick((SymbolState.ACTIVE, SymbolState.ACTIVE, SymbolState.SUSPENDED), drawn[0][0])
            self.tell(
                c.AddSymbol(
                    symbol="THIRD",
                    name="Third",
                    reference_price=100_000,
                    state=state,
                    ticks=(TickRow(0, 100),),
                )
            )
        self.tell(c.SetSymbolState(symbol_id=3, state=SymbolState.ACTIVE))
        for eight in drawn[1:]:
            self.tell(msgspec.structs.replace(sane(eight), symbol_id=3))

    @rule(eight=eight_bytes)
    def administer(self, eight: bytes) -> None:
        """Do what changes nothing of the market, and open an account, once."""
        if len(self.naive.accounts) == len(OWNERS):
            self.tell(c.CreateAccount(participant_id=1 + eight[1] % 3, name="more"))
        self.version += 1
        self.epoch += 1
        digest = self.version.to_bytes(32, "big")
        for command in (
            c.CreateKey(participant_id=0, role=Role.OPERATOR, sha256=digest, label="key"),
            c.ConfirmConfiguration(
                configuration_version=self.version, key_id=1, approver_key_id=0, sha256=digest, note=""
            ),
            c.StartEngine(epoch=self.epoch),
        ):
            self.tell(command)

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=6), eight=eight_bytes)
    def act(self, drawn: list[bytes], eight: bytes) -> None:
        """Enter orders of every kind, stop the symbol mostly, let a corporate action come, and go on."""
        number = pick((1, 1, 2), eight[1])
        for each in drawn:
            make = pick((sane, sane, sane_stop, now_special, enter_iceberg, enter_for_auction), each[7])
            order = make(each)
            flags = order.flags | (OrderFlag.DO_NOT_REDUCE.value if each[6] % 5 == 4 else 0)
            order = msgspec.structs.replace(order, symbol_id=number, flags=flags)
            if order.order_type == OrderType.LIMIT and each[6] % 2:
                order = msgspec.structs.replace(order, time_in_force=TimeInForce.GTC)
            self.tell(order)
        action = corporate_action(eight)
        if eight[2] % 8 < 3:
            self.tell(c.SetSymbolState(symbol_id=number, state=SymbolState.SUSPENDED))
        elif eight[2] % 8 < 6:
            self.tell(c.HaltTrading(symbol_id=number, reason="action"))
        elif eight[2] % 8 < 7:
            self.tell(c.SetPhase(symbol_id=number, phase=Phase.CLOSED))
        named = action.symbol_id if action.symbol_id not in (1, 2) else number
        self.tell(msgspec.structs.replace(action, symbol_id=named))
        self.tell(c.SetSymbolState(symbol_id=number, state=SymbolState.ACTIVE))
        self.go_on(eight)

    @rule(eight=eight_bytes)
    def list_a_ticker_again(self, eight: bytes) -> None:
        """List a symbol under a ticker that is one's, or was."""
        ticker = pick(self.naive.symbols[1 + eight[0] % 2].tickers, eight[1])
        self.tell(c.AddSymbol(symbol=ticker, name="Again", reference_price=100_000, ticks=(TickRow(0, 100),)))

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
    def end_day(self, eight: bytes) -> None:
        if eight[0] % 8 == 7:
            self.date += 10_000
            ends_ns = pick((0, self.desk.time_ns + 3_600 * SECOND_NS), eight[1])
            self.tell(c.StartBusinessDay(date=self.date, ends_ns=ends_ns))

    @rule()
    def restart(self) -> None:
        self.desk.venue = Venue.restore(self.desk.venue.snapshot())

    # --- what must be the same -----------------------------------------------------------------------

    def tell(self, command: c.Command) -> None:
        """Tell both a command, and note it where it has a client order id, to tell it again."""
        if getattr(command, "client_order_id", ""):
            self.told.append(command)
        self.compare(command, self.naive.tell(command, self.desk.venue.command_sequence + 1))

    def compare(self, command: c.Command, expected: list[Fact]) -> None:
        events = self.desk.send(command)
        self.world.note(events)
        for event in events:
            if isinstance(event, CorridorLeft):
                self.naive.draw_end(event.symbol_id, event.sequence)
        told = facts_of(events)
        assert told == expected, f"{command}\nmatcher {told}\nmodel   {expected}"
        venue, naive = self.desk.venue, self.naive
        for symbol_id in naive.symbols:
            bids, asks = venue.orders(symbol_id)
            hidden, waiting, for_auction = (
                find(symbol_id) for find in (venue.hidden_orders, venue.stop_orders, venue.auction_orders)
            )
            for at, side in enumerate(Side):
                shown = [(o.order_id, o.price, o.displayed) for o in (bids, asks)[at]]
                assert shown == naive.book(symbol_id, side)
                assert whole(hidden[at]) == naive.hidden(symbol_id, side)
                assert whole(for_auction[at]) == naive.for_auctions(symbol_id, side)
                stops = [(o.order_id, o.terms.stop_price, o.leaves) for o in waiting[at]]
                assert stops == naive.stops(symbol_id, side)
            assert venue.depth(symbol_id, 99) == (levels_of(bids), levels_of(asks))
            assert venue.reference_price(symbol_id) == naive.reference(symbol_id)
            assert venue.price_limits(symbol_id) == naive.price_limits(symbol_id)
            assert venue.directory.symbols[symbol_id].phase == naive.symbols[symbol_id].phase
        assert differences_of_linked(venue, naive) == []
        for account_id in naive.accounts:
            held = [venue.balance(account_id, symbol_id) for symbol_id in (0, *naive.symbols)]
            assert held == [naive.balance(account_id, symbol_id) for symbol_id in (0, *naive.symbols)]


def now_special(eight: bytes) -> c.EnterOrder:
    """Enter an order with a minimum, or one that is shown in parts."""
    terms: dict[str, Any] = pick(({"minimum_quantity": 4}, {"display_quantity": 2}), eight[6])
    order = msgspec.structs.asdict(enter(eight)) | terms
    return c.EnterSpecialOrder(**order | {"order_type": OrderType.LIMIT, "flags": 0})


def whole(orders: list[RestingOrder]) -> list[tuple[int, int, int]]:
    """Return (order, price, left) of each."""
    return [(order.order_id, order.price, order.leaves) for order in orders]


def levels_of(orders: list[RestingOrder]) -> list[tuple[int, int, int]]:
    """Add up orders by price: (price, quantity, orders)."""
    levels = [(price, list(group)) for price, group in groupby(orders, key=lambda order: order.price)]
    return [(price, sum(order.displayed for order in group), len(group)) for price, group in levels]


MatcherAgainstNaiveModel.TestCase.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
test_the_matcher_does_what_the_naive_model_does = MatcherAgainstNaiveModel.TestCase
