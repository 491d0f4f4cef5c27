"""Rules of the machine that compares the matcher with the naive model: order lists, pegs, quotes, rulebook 1.14 and 8.

Lists, pegs and quotes are drawn by `linked_world.py` from a generator that eight bytes are the seed of; beside them
stand such that have nothing wrong in themselves, around the price, so that much happens to them.
"""

from __future__ import annotations

import random
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from exchange.domain import commands as c
from exchange.domain.order import OrderType, PegKind, Side, TimeInForce
from exchange.domain.order_list import Contingency, ListedOrder
from exchange.domain.phase import Phase
from exchange.domain.quote import Quote
from exchange.domain.risk import LimitKind, RiskScope
from exchange.domain.symbol import SymbolState
from exchange.matching.venue import Venue
from tests.matching.desk import Desk
from tests.matching.linked_world import enter_list, enter_peg, quotes_command
from tests.matching.naive_model import NaiveVenue
from tests.matching.small_world import SECOND_NS, SmallWorld, eight_bytes, pick
from tests.matching.tight_limits import sane, sane_stop

OTHER = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}


class LinkedRules(RuleBasedStateMachine):
    """Each rule draws bytes, makes commands of them, and tells both."""

    desk: Desk
    world: SmallWorld
    naive: NaiveVenue

    def tell(self, command: c.Command) -> None:
        """Tell both a command; the machine knows how."""
        raise NotImplementedError

    def tell_with_ids(self, reserved: int, command: c.Command) -> None:
        """Reserve ids, and tell a command that needs them."""
        for _ in range(reserved):
            self.tell(c.ReserveOrderId())
        self.tell(command)

    def calm(self, eight: bytes) -> None:
        """Mostly let all trade again that something keeps from it, in lots and ticks that the sane ones fit."""
        if eight[6] % 4 == 3:
            return
        for (scope, subject), role in list(self.naive.blocks.items()):
            lifts = 5 if role != 5 else 3
            self.tell(c.UnblockTrading(scope=scope, subject_id=subject, key_id=1, role=lifts))
        for scope, subject, kind, symbol_id in list(self.naive.limits):
            self.tell(
                c.SetRiskLimit(scope=scope, subject_id=subject, kind=kind, symbol_id=symbol_id, is_set=False)
            )
        for number, symbol in self.naive.symbols.items():
            if symbol.suspended:
                self.tell(c.SetSymbolState(symbol_id=number, state=SymbolState.ACTIVE))
            if symbol.phase == Phase.HALTED:
                self.tell(c.ResumeTrading(symbol_id=number, call_ns=0))
            if symbol.phase != Phase.CONTINUOUS:
                self.tell(c.SetPhase(symbol_id=number, phase=Phase.CONTINUOUS))
            if symbol.needs_marking:
                self.tell(c.SetShortSaleTerms(symbol_id=number, trigger_bps=symbol.trigger_bps))

    # --- order lists ---------------------------------------------------------------------------------

    @rule(drawn=st.lists(eight_bytes, min_size=1, max_size=4))
    def enter_lists(self, drawn: list[bytes]) -> None:
        """Enter lists of which some are wrong."""
        for eight in drawn:
            by_chance = random.Random(eight)
            self.tell_with_ids(pick((2, 2, 2, 3, 1, 0), eight[0]), enter_list(by_chance, self.desk.time_ns))

    @rule(drawn=st.lists(eight_bytes, min_size=3, max_size=10))
    def trade_pairs(self, drawn: list[bytes]) -> None:
        """Let pairs rest in both halves around the price, and trade what reaches either of their orders."""
        self.calm(drawn[0])
        for eight in drawn[: len(drawn) // 2]:
            self.tell_with_ids(1, sane_pair(eight, self.desk.time_ns))
        for eight in drawn[len(drawn) // 2 :]:
            self.touch_linked(eight)

    @rule(drawn=st.lists(eight_bytes, min_size=3, max_size=10))
    def trade_brackets(self, drawn: list[bytes]) -> None:
        """Enter entries with what waits for them, fill them in parts, and end them in every way."""
        self.calm(drawn[0])
        for eight in drawn[: len(drawn) // 2]:
            self.tell_with_ids(2, sane_bracket(eight, self.desk.time_ns))
        for eight in drawn[len(drawn) // 2 :]:
            self.touch_linked(eight)

    def touch_linked(self, eight: bytes) -> None:
        """Trade, change or cancel; one in four touches an order of a list."""
        ids = sorted({id for listing in self.naive.lists for id in listing.ids})
        if not ids or eight[7] % 4:
            make = pick((sane, sane, sane, sane_stop), eight[6])
            self.tell(make(eight))
            return
        order_id = pick(ids, eight[0])
        price, quantity = self.world.live.get(order_id, (100_000, 10))
        changed = pick((quantity, quantity, max(quantity - 2, 1), quantity + 2), eight[3])
        moved = pick((price, price + 100, max(price - 100, 0)), eight[4])
        if eight[5] % 3 == 0:
            self.tell(c.CancelOrder(order_id=order_id, participant_id=pick((0, 1, 2, 3), eight[1])))
        else:
            make = pick((c.AmendOrder, c.ReplaceOrder), eight[2])
            self.tell(make(order_id=order_id, participant_id=0, price=moved, quantity=changed))

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=6), eight=eight_bytes)
    def end_entries(self, drawn: list[bytes], eight: bytes) -> None:
        """Fill entries in part, end them by time, by a phase or by a switch, and see whether anything comes in."""
        number = pick((1, 1, 2), eight[1])
        self.calm(eight)
        for each in drawn:
            bracket = sane_bracket(each, self.desk.time_ns)
            self.tell_with_ids(2, msgspec.structs.replace(bracket, symbol_id=number))
            side = OTHER[Side(bracket.orders[0].side)]
            price = bracket.orders[0].price or 100_000
            taker = msgspec.structs.replace(
                sane(each), symbol_id=number, side=side, order_type=OrderType.LIMIT, price=price, quantity=2
            )
            self.tell(taker)
        match eight[0] % 9:
            case 0 | 6 | 7 | 8:
                self.tell(c.SetSymbolState(symbol_id=number, state=SymbolState.SUSPENDED))
                self.pass_to(2 * SECOND_NS)
                self.tell(c.SetSymbolState(symbol_id=number, state=SymbolState.ACTIVE))
            case 1:
                self.pass_to(2 * SECOND_NS)
            case 2:
                self.block_and_fill(drawn, number)
            case 3:
                self.tell(c.SetPhase(symbol_id=number, phase=Phase.CLOSING_AUCTION))
                self.tell(msgspec.structs.replace(sane(eight), symbol_id=number))
                self.tell(
                    c.SetPhase(symbol_id=number, phase=pick((Phase.CONTINUOUS, Phase.POST_CLOSE), eight[3]))
                )
            case 4:
                self.tell(
                    c.SetShortSaleTerms(symbol_id=number, trigger_bps=0, needs_marking=eight[3] % 2 == 1)
                )
                self.tell(msgspec.structs.replace(sane(eight), symbol_id=number))
            case _:
                self.tell(c.CancelOrders(participant_id=0, symbol_id=number, side=eight[3] % 3))

    def block_and_fill(self, drawn: list[bytes], number: int) -> None:
        """Block a member but leave what it has, and let others trade with it."""
        blocked = pick((1, 2, 3), drawn[0][6])
        self.tell(
            c.BlockTrading(
                scope=RiskScope.PARTICIPANT, subject_id=blocked, key_id=1, role=3, cancels_orders=False
            )
        )
        for each in drawn:
            self.tell(msgspec.structs.replace(sane(each), symbol_id=number, quantity=20))
        self.tell(c.UnblockTrading(scope=RiskScope.PARTICIPANT, subject_id=blocked, key_id=1, role=5))

    def pass_to(self, later_ns: int) -> None:
        """Let time pass, and tick."""
        self.desk.time_ns += later_ns
        self.naive.now = self.desk.time_ns
        self.tell(c.Tick())

    # --- pegs ----------------------------------------------------------------------------------------

    @rule(drawn=st.lists(eight_bytes, min_size=1, max_size=4))
    def enter_pegs(self, drawn: list[bytes]) -> None:
        """Enter pegged orders of which some are wrong."""
        for eight in drawn:
            self.tell(enter_peg(random.Random(eight)))

    @rule(drawn=st.lists(eight_bytes, min_size=3, max_size=10), eight=eight_bytes)
    def trade_pegs(self, drawn: list[bytes], eight: bytes) -> None:
        """Peg orders on both sides, and move the best prices, by orders that trade with what is unseen too."""
        number = pick((1, 1, 1, 2), eight[0])
        self.calm(eight)
        for each in drawn:
            match each[7] % 6:
                case 0 | 1:
                    self.tell(sane_peg(each, number))
                case 2:
                    self.tell(
                        msgspec.structs.replace(sane(each), symbol_id=number, flags=8 * (each[0] % 8 < 4))
                    )
                case 3:
                    self.tell(self.world.cancel(each))
                case 4:
                    self.touch_peg(each)
                case _:
                    self.tell(msgspec.structs.replace(behind_the_price(each), symbol_id=number))

    def touch_peg(self, eight: bytes) -> None:
        """Try to change a pegged order, or cancel it."""
        pegs = [order for order in self.naive.orders if order.live and order.peg]
        if not pegs:
            return
        order = pick(pegs, eight[0])
        if eight[1] % 2:
            self.tell(c.CancelOrder(order_id=order.id, participant_id=pick((0, 1, 2, 3), eight[2])))
        else:
            make = pick((c.AmendOrder, c.ReplaceOrder), eight[3])
            self.tell(
                make(order_id=order.id, participant_id=0, price=order.price, quantity=order.quantity + 2)
            )

    # --- quotes --------------------------------------------------------------------------------------

    @rule(drawn=st.lists(eight_bytes, min_size=1, max_size=4))
    def make_quotes(self, drawn: list[bytes]) -> None:
        """Quote, withdraw, protect and reset, of which some is wrong."""
        for eight in drawn:
            for command in quotes_command(random.Random(eight)):
                self.tell(command)

    @rule(drawn=st.lists(eight_bytes, min_size=3, max_size=10), eight=eight_bytes)
    def trade_quotes(self, drawn: list[bytes], eight: bytes) -> None:
        """Quote under a protection, trade until it is reached mostly, and perhaps reset it."""
        account, number = pick((1, 2, 3, 4), eight[0]), pick((0, 1, 1, 2), eight[1])
        self.calm(eight)
        if eight[2] % 4:
            self.tell(protect(eight, account, number))
        for each in drawn:
            if each[7] % 3 == 0:
                quotes = sane_quotes(each)
                maker = account if each[6] % 4 else pick((1, 2, 3, 4), each[5])
                self.tell_with_ids(
                    2 * len(quotes) - 1, c.MassQuote(account_id=maker, quote_id=each[4], quotes=quotes)
                )
            elif each[7] % 16 == 7:
                self.touch_quote(each)
            else:
                self.tell(sane(each))
        if eight[3] % 3 == 0:
            self.tell(c.ResetQuoteProtection(account_id=account, symbol_id=number))
        if eight[3] % 4 == 1:
            self.tell(c.CancelQuotes(participant_id=0, account_id=account, symbol_id=number))

    def touch_quote(self, eight: bytes) -> None:
        """Try to change an order of a quote, or cancel it."""
        quoted = [order for order in self.naive.orders if order.live and order.quoted]
        if not quoted:
            return
        order = pick(quoted, eight[0])
        if eight[1] % 4 == 0:
            self.tell(c.CancelOrder(order_id=order.id, participant_id=0))
        else:
            make = pick((c.AmendOrder, c.ReplaceOrder), eight[2])
            self.tell(
                make(order_id=order.id, participant_id=0, price=order.price, quantity=order.quantity + 2)
            )

    @rule(eight=eight_bytes)
    def be_refused(self, eight: bytes) -> None:
        """Quote and list what is refused for one reason after the other, where the market takes orders."""
        self.calm(eight)
        account, number = pick((1, 2, 3, 4), eight[0]), pick((1, 2), eight[1])
        both = Quote(number, 99_900, 40, 100_200, 40)
        self.quote_one(account, msgspec.structs.replace(both, bid_price=100_200))
        self.quote_one(account, Quote(number, 0, 0, 0, 0))
        self.tell(c.MassQuote(account_id=account, quote_id=1, quotes=()))
        self.tell(c.SetSymbolState(symbol_id=number, state=SymbolState.SUSPENDED))
        self.quote_one(account, both)
        self.tell(c.SetSymbolState(symbol_id=number, state=SymbolState.ACTIVE))
        marking = c.SetShortSaleTerms(symbol_id=number, trigger_bps=0, needs_marking=True)
        self.tell(marking)
        self.quote_one(account, msgspec.structs.replace(both, ask_quantity=4_000_000))
        self.tell(msgspec.structs.replace(marking, needs_marking=False))
        limit = c.SetRiskLimit(
            scope=RiskScope.ACCOUNT, subject_id=account, kind=LimitKind.POSITION, value=eight[2] % 40
        )
        self.tell(limit)
        self.quote_one(account, both)
        self.tell(msgspec.structs.replace(limit, is_set=False))
        bracket = sane_bracket(bytes([1, *eight[1:]]), self.desk.time_ns)
        entry, limit_order, stop = bracket.orders
        sides = exits(eight, Side(entry.side), entry.quantity, self.desk.time_ns)
        same = tuple(msgspec.structs.replace(each, trail_amount=0) for each in sides)
        self.tell_with_ids(2, msgspec.structs.replace(bracket, orders=(entry, *same)))
        self.tell_with_ids(2, msgspec.structs.replace(bracket, orders=(entry, stop, limit_order)))
        self.tell(c.CancelOrders(participant_id=pick((1, 2, 3), eight[3]), symbol_id=number))
        self.lose(account, number, both)

    def lose(self, account: int, number: int, both: Quote) -> None:
        """Let an account buy high, and the price fall, under a limit of what it may lose; then it quotes and buys."""
        limit = c.SetRiskLimit(scope=RiskScope.ACCOUNT, subject_id=account, kind=LimitKind.LOSS, value=1)
        self.tell(limit)
        high, low, another = 100_200, 99_900, 1 + account % 4
        for price, buyer, seller in ((high, account, another), (low, another, 1 + another % 4)):
            for side, who in ((Side.SELL, seller), (Side.BUY, buyer)):
                order = msgspec.structs.replace(sane(bytes(8)), symbol_id=number, account_id=who, side=side)
                self.tell(msgspec.structs.replace(order, price=price, quantity=20))
        self.quote_one(account, both)
        self.tell(msgspec.structs.replace(order, account_id=account))
        self.tell(msgspec.structs.replace(limit, is_set=False))

    def quote_one(self, account: int, quote: Quote) -> None:
        """Quote in one symbol."""
        self.tell_with_ids(1, c.MassQuote(account_id=account, quote_id=2, quotes=(quote,)))

    @rule(drawn=st.lists(eight_bytes, min_size=3, max_size=6), eight=eight_bytes)
    def act_on_linked(self, drawn: list[bytes], eight: bytes) -> None:
        """Let lists, pegs and quotes live in a symbol, and split it, lower it or hold an auction."""
        self.calm(eight)
        account, number = pick((1, 2, 3, 4), eight[0]), pick((1, 1, 2), eight[1])
        for each in drawn:
            self.tell_linked_of(pick((account, 1 + account % 4), each[1]), each, number)
        if eight[2] % 3 == 0:
            self.tell(c.SetPhase(symbol_id=number, phase=Phase.CLOSING_AUCTION))
            for each in drawn:
                self.tell_linked_of(account, each, number)
                self.tell(msgspec.structs.replace(sane(each[::-1]), symbol_id=number))
            self.tell(c.SetPhase(symbol_id=number, phase=Phase.CONTINUOUS))
            return
        self.tell(c.SetSymbolState(symbol_id=number, state=SymbolState.SUSPENDED))
        if eight[2] % 3 == 1:
            ratio = pick(((2, 1), (1, 2), (3, 2)), eight[3])
            for new, old in (ratio, ratio[::-1]):
                self.tell(c.SplitSymbol(symbol_id=number, new_shares=new, old_shares=old))
        else:
            self.tell(c.PayDividend(symbol_id=number, amount=pick((50, 100), eight[3])))
        self.tell(c.SetSymbolState(symbol_id=number, state=SymbolState.ACTIVE))

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=6), eight=eight_bytes)
    def link_under_limits(self, drawn: list[bytes], eight: bytes) -> None:
        """Let an account have a limit that its lists, pegs and quotes meet, and take it away again mostly."""
        account = pick((1, 2, 3, 4), eight[0])
        kind, values = pick(LIMITS, eight[1])
        limit = c.SetRiskLimit(
            scope=RiskScope.ACCOUNT, subject_id=account, kind=kind, value=pick(values, eight[2]),
            span=60_000 * (kind == LimitKind.EXECUTIONS),
        )  # fmt: skip
        for each in drawn[:2]:
            self.tell(msgspec.structs.replace(sane_stop(each), account_id=account))
        self.tell(limit)
        for each in drawn:
            self.tell_linked_of(account, each, 1)
            self.tell(msgspec.structs.replace(sane(each[::-1]), symbol_id=1))
        if eight[3] % 4:
            self.tell(msgspec.structs.replace(limit, is_set=False))
            if kind == LimitKind.EXECUTIONS:
                self.tell(c.UnblockTrading(scope=RiskScope.ACCOUNT, subject_id=account, key_id=1, role=5))

    def tell_linked_of(self, account: int, eight: bytes, symbol_id: int) -> None:
        """Enter a list, a peg or a quote of one account, or a plain order of any."""
        match eight[7] % 5:
            case 0:
                made: Any = sane_pair(eight, self.desk.time_ns)
                self.tell_with_ids(1, msgspec.structs.replace(made, account_id=account, symbol_id=symbol_id))
            case 1:
                made = sane_bracket(eight, self.desk.time_ns)
                self.tell_with_ids(2, msgspec.structs.replace(made, account_id=account, symbol_id=symbol_id))
            case 2:
                self.tell(msgspec.structs.replace(sane_peg(eight, symbol_id), account_id=account))
            case 3:
                quotes = sane_quotes(eight)
                made = c.MassQuote(account_id=account, quote_id=eight[4], quotes=quotes)
                self.tell_with_ids(2 * len(quotes) - 1, made)
            case _:
                self.tell(msgspec.structs.replace(sane(eight), symbol_id=symbol_id))


LIMITS = (
    (LimitKind.POSITION, (10, 30)), (LimitKind.BUYING_POWER, (0, 1_500_000, 10**8)),
    (LimitKind.MAX_QUANTITY, (8,)), (LimitKind.MAX_NOTIONAL, (800_000,)), (LimitKind.COLLAR, (10, 20)),
    (LimitKind.GROSS, (3_000_000, 10_000_000)), (LimitKind.EXECUTIONS, (2, 4)), (LimitKind.LOSS, (100, 1_000)),
)  # fmt: skip


def sane_pair(eight: bytes, now_ns: int) -> c.EnterOrderList:
    """Enter a limit order and a stop order behind it, near the price."""
    side = pick((Side.BUY, Side.SELL), eight[1])
    return c.EnterOrderList(
        account_id=pick((1, 2, 3, 4), eight[2]), symbol_id=pick((1, 1, 1, 2), eight[5]),
        contingency=Contingency.ONE_CANCELS_OTHER, orders=exits(eight, side, 4 + 4 * (eight[4] % 4), now_ns),
    )  # fmt: skip


def exits(eight: bytes, side: Side, quantity: int, now_ns: int) -> tuple[ListedOrder, ListedOrder]:
    """Make the orders of a pair."""
    away = 1 if side is Side.SELL else -1
    times = pick((TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTC, TimeInForce.GTD), eight[0])
    ends = (now_ns + pick((1, 60), eight[3]) * SECOND_NS) * (times == TimeInForce.GTD)
    is_limited, trails = eight[6] % 3 == 0, eight[6] % 8 == 7
    stop = 100_000 - away * pick((100, 200, 50, 0), eight[7])
    limit = ListedOrder(
        side, OrderType.LIMIT, times, pick((0, 0, 0, 8), eight[5]), 100_000 + away * pick((100, 200, 0), eight[3]),
        quantity, display_quantity=4 * (eight[5] % 5 == 4), expires_ns=ends,
    )  # fmt: skip
    return limit, ListedOrder(
        side, OrderType.STOP_LIMIT if is_limited and not trails else OrderType.STOP, times, 0,
        (stop - away * 100) * (is_limited and not trails), quantity, stop_price=0 if trails else stop,
        trail_amount=150 * trails, expires_ns=ends,
    )  # fmt: skip


def sane_bracket(eight: bytes, now_ns: int) -> c.EnterOrderList:
    """Enter an entry near the price, and a pair or one of its orders that waits for it."""
    side, quantity = pick((Side.BUY, Side.SELL), eight[1]), 4 + 4 * (eight[4] % 4)
    kind = pick((*(OrderType.LIMIT,) * 6, OrderType.MARKET, OrderType.STOP), eight[6])
    times = pick((TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD, TimeInForce.IOC), eight[7])
    if kind != OrderType.LIMIT:
        times = TimeInForce.DAY
    entry = ListedOrder(
        side, kind, times, 0, pick((100_000, 100_100, 99_900), eight[3]) * (kind == OrderType.LIMIT), quantity,
        stop_price=pick((100_100, 99_900), eight[1]) * (kind == OrderType.STOP),
        expires_ns=(now_ns + SECOND_NS) * (times == TimeInForce.GTD),
    )  # fmt: skip
    limit, stop = exits(eight[::-1], OTHER[side], quantity, now_ns)
    waiting = tuple(msgspec.structs.replace(each, trail_amount=0) for each in (limit, stop))
    if stop.trail_amount:
        waiting = (
            waiting[0],
            msgspec.structs.replace(waiting[1], stop_price=100_000 - 200 * sign_of(OTHER[side])),
        )
    alone = eight[0] % 3 == 0
    return c.EnterOrderList(
        account_id=pick((1, 2, 3, 4), eight[2]), symbol_id=pick((1, 1, 1, 2), eight[5]),
        contingency=Contingency.ONE_TRIGGERS_OTHER if alone else Contingency.BRACKET,
        orders=(entry, pick(waiting, eight[0] // 3)) if alone else (entry, *waiting),
    )  # fmt: skip


def sign_of(side: Side) -> int:
    """Return 1 for sales, -1 for buys."""
    return 1 if side is Side.SELL else -1


def sane_peg(eight: bytes, symbol_id: int) -> c.EnterPeggedOrder:
    """Enter a pegged order that has nothing wrong in itself."""
    kind = pick((PegKind.MIDPOINT, PegKind.PRIMARY, PegKind.MARKET, PegKind.PRIMARY), eight[0])
    offset = 0 if kind is PegKind.MIDPOINT else pick((0, 100, -100, 33, 500, -300), eight[3])
    return c.EnterPeggedOrder(
        account_id=pick((1, 2, 3, 4), eight[2]), symbol_id=symbol_id, side=pick((Side.BUY, Side.SELL), eight[1]),
        time_in_force=pick((TimeInForce.DAY, TimeInForce.GTC), eight[6]), kind=kind, offset=offset,
        limit=pick((0, 0, 0, 100_000, 100_100), eight[5]), quantity=4 + 4 * (eight[4] % 4),
    )  # fmt: skip


def behind_the_price(eight: bytes) -> c.EnterOrder:
    """Enter an order that shows a price a few ticks away from the middle, an odd number of ticks now and then."""
    side = pick((Side.BUY, Side.SELL), eight[1])
    away = pick((100, 200, 300, 400, 50), eight[3])
    return msgspec.structs.replace(
        sane(eight), side=side, order_type=OrderType.LIMIT, time_in_force=TimeInForce.DAY,
        price=100_000 + sign_of(side) * away,
    )  # fmt: skip


def sane_quotes(eight: bytes) -> tuple[Quote, ...]:
    """Quote both sides around the price, of one symbol or two."""
    middle = pick((100_000, 100_100, 99_900), eight[3])
    bid, ask = 4 + 4 * (eight[0] % 3), 4 + 4 * (eight[1] % 3)
    first = Quote(1, middle - 100, bid * (eight[2] % 8 != 7), middle + 100, ask)
    second = Quote(2, middle - 50, ask, middle + 50, bid * (eight[2] % 8 != 6))
    return pick(((first,), (second,), (first, second)), eight[4])  # type: ignore[no-any-return]


def protect(eight: bytes, account: int, symbol_id: int) -> c.SetQuoteProtection:
    """Protect an account's quotes by one of the limits, or by all."""
    limits = {"quantity": (6, 10), "executions": (2, 3), "percent_bps": (5_000, 12_000), "delta": (4, 8)}
    chosen = pick((*limits, "all"), eight[4])
    values = {
        name: pick(of, eight[5]) if chosen in (name, "all") else 0 for name, of in limits.items()
    }  # fmt: skip
    return c.SetQuoteProtection(
        account_id=account,
        symbol_id=symbol_id,
        window_ms=pick((60_000, 1_000, 3_600_000), eight[6]),
        **values,
    )


def differences_of_linked(venue: Venue, naive: NaiveVenue) -> list[object]:
    """Compare lists, pegs, quotes and protections; give what one of the two has and the other has not."""
    theirs = {
        ("list", each.list_id, each.contingency, each.filled, *(id for id in (each.first, each.second) if id), "then",
         *(order.order_id for order in each.waiting)) for each in venue.order_lists()
    }  # fmt: skip
    ours: set[object] = {
        ("list", each.id, each.kind, each.filled, *(id for id in (each.entry, each.limit, each.stop) if id), "then",
         *(order.id for order in each.waiting)) for each in naive.lists
    }  # fmt: skip
    theirs |= {
        ("peg", id, *msgspec.structs.astuple(peg), order.price, order.leaves) for id, peg in venue.pegs().items()
        if (order := venue.order(id))
    }  # fmt: skip
    ours |= {("peg", o.id, *o.peg, o.price, o.left) for o in naive.orders if o.live and o.peg}
    for (account, symbol), desk in venue.quote_desks().items():
        if desk.bid or desk.ask:
            theirs.add(("quote", account, symbol, *(id for id in (desk.bid, desk.ask) if id)))
        if desk.limits.window_ms:
            measured = (desk.quantity, desk.executions, desk.percent_bps, abs(desk.bought))
            limits = msgspec.structs.astuple(desk.limits)
            theirs.add(("protection", account, symbol, *limits, *measured, desk.is_reached))
    for account in naive.accounts:
        for symbol in naive.symbols:
            if quoted := naive.quoted(account, [symbol]):
                ours.add(("quote", account, symbol, *(order.id for order in quoted)))
    for (account, symbol), each in naive.protections.items():
        if each.window_ms:
            limits = (*each.limits.values(), each.window_ms)
            ours.add(("protection", account, symbol, *limits, *each.measured().values(), each.is_reached))
    return sorted(theirs ^ ours, key=str)
