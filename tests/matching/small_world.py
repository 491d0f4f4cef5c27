"""Commands of a small world made from eight random bytes each: few prices, accounts and ids, so that much happens.

The bytes pick from tables, so all zeros is the plainest command and a failing example shrinks to something readable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import strategies as st

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.allocation import Allocation, AllocationStep, LeadMaker, Rounding, StepKind
from exchange.domain.order import AUCTION_TIMES, OrderFlag, OrderType, SelfTradeMode, Side, TimeInForce
from exchange.domain.phase import CALL_NS_MAX, Phase
from exchange.domain.risk import LimitKind, RiskScope
from exchange.domain.symbol import SymbolState, TickRow
from exchange.domain.trade import BustReason
from exchange.domain.units import public_id
from tests.matching.desk import OPENING, START_NS

ROUND_LOT = 2
WORLD: tuple[c.Command, ...] = (
    *OPENING,
    c.AddSymbol(
        symbol="LOT", name="In lots", reference_price=100_000, round_lot=ROUND_LOT, ticks=(TickRow(0, 50),)
    ),
    c.CreateAccount(participant_id=1, name="second"),
)
"""Symbols 1 (lot 1, ticks 0.0001 and 0.01) and 2 (lot 2, tick 0.005); accounts 1 to 4 of participants 1, 2, 3, 1."""

LIMIT, MARKET = OrderType.LIMIT, OrderType.MARKET
MARKET_TO_LIMIT = OrderType.MARKET_TO_LIMIT
DAY, GTC, IOC, FOK, GTD = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTD
OPENING, CLOSING, AUCTION = AUCTION_TIMES
PLAIN, POST_ONLY = 0, OrderFlag.POST_ONLY.value
REPRICE, ALL_OR_NONE, HIDDEN = (
    POST_ONLY | OrderFlag.REPRICE,
    OrderFlag.ALL_OR_NONE.value,
    OrderFlag.HIDDEN.value,
)
KINDS = (
    *[(LIMIT, DAY, PLAIN)] * 6, *[(LIMIT, GTC, PLAIN)] * 3, (LIMIT, IOC, PLAIN), (LIMIT, FOK, PLAIN),
    (LIMIT, DAY, POST_ONLY), (LIMIT, GTC, POST_ONLY), (MARKET, DAY, PLAIN), (MARKET, FOK, PLAIN),
    (MARKET, IOC, PLAIN), (MARKET, GTC, PLAIN), (LIMIT, IOC, POST_ONLY), (LIMIT, DAY, HIDDEN), (LIMIT, GTC, HIDDEN),
    (LIMIT, DAY, ALL_OR_NONE), (LIMIT, IOC, ALL_OR_NONE), (LIMIT, DAY, REPRICE), (LIMIT, GTC, REPRICE | HIDDEN),
    (MARKET_TO_LIMIT, DAY, PLAIN), (MARKET_TO_LIMIT, GTC, PLAIN), (MARKET_TO_LIMIT, IOC, PLAIN),
    (MARKET_TO_LIMIT, FOK, PLAIN), (MARKET, DAY, ALL_OR_NONE), (LIMIT, GTD, PLAIN), (LIMIT, FOK, HIDDEN),
    (MARKET_TO_LIMIT, DAY, POST_ONLY),
)  # fmt: skip
SPECIAL_KINDS = (
    *[(LIMIT, DAY, PLAIN)] * 4, (LIMIT, GTC, PLAIN), (LIMIT, GTD, PLAIN), (LIMIT, IOC, PLAIN), (MARKET, IOC, PLAIN),
    (LIMIT, DAY, POST_ONLY), (LIMIT, DAY, REPRICE), (MARKET_TO_LIMIT, DAY, PLAIN), (LIMIT, DAY, HIDDEN),
    (LIMIT, GTC, ALL_OR_NONE), (LIMIT, FOK, PLAIN), (MARKET, GTD, PLAIN), (MARKET_TO_LIMIT, GTD, PLAIN),
)  # fmt: skip
STOP, STOP_LIMIT = OrderType.STOP, OrderType.STOP_LIMIT
STOP_KINDS = (
    *[(STOP, DAY, PLAIN)] * 4, *[(STOP_LIMIT, DAY, PLAIN)] * 3, (STOP, GTC, PLAIN), (STOP_LIMIT, GTD, PLAIN),
    (STOP_LIMIT, DAY, HIDDEN), (STOP_LIMIT, GTC, ALL_OR_NONE), (STOP, IOC, PLAIN), (STOP_LIMIT, DAY, POST_ONLY),
    (STOP, DAY, ALL_OR_NONE), (STOP, DAY, HIDDEN), (LIMIT, DAY, PLAIN),
)  # fmt: skip
STOP_PRICES = (100_100, 99_900, 100_200, 99_800, 100_000, 100_300, 99_700, 100_050, 0)
TRAILS = (100, 200, 50, 300, 100_000)
MINIMUMS = (2, 4, 6, 10, 20)
DISPLAYS = (2, 2, 2, 4, 6, 3, 100)
SECOND_NS = 1_000_000_000
LIVES_NS = (SECOND_NS, 60 * SECOND_NS, 3_600 * SECOND_NS, 200_000 * SECOND_NS, 0)
SANE_PRICES = (100_000, 100_100, 99_900, 100_200, 99_800, 110_500)
PRICES = (*SANE_PRICES * 4, 100_050, 0, 2_000_000_000, 1_999_999_900)
QUANTITIES = (*(2, 4, 6, 8, 10, 20, 3) * 4, 0, 4_000_000_000)
ACCOUNTS = (*(1, 2, 3, 4) * 4, 9)
SYMBOLS = (*(1, 1, 2) * 5, 9)
CLIENT_IDS = (*("",) * 6, "a", "b", "c")
AUTHORITIES = (0, 0, 0, 0, 1, 2, 3)
BANDS = (0, 10, 100, 500, 10_000, 10_001)
AMOUNTS = (1, 10, 1_000, 1_000_000)
DEAD_ORDERS_FROM = 216
"""Of the 256 values of a byte that names an order."""

ENTRY_FIELDS = c.EnterOrder.__struct_fields__

eight_bytes = st.binary(min_size=8, max_size=8)
runs_of_commands = st.lists(eight_bytes, min_size=40, max_size=80)


class SmallWorld:
    """Turns eight bytes into a command. It knows the trades and live orders so far, for commands name them."""

    def __init__(self) -> None:
        self.trades: list[e.TradeExecuted] = []
        self.live: dict[int, tuple[int, int]] = {}
        """(price, quantity) by order id."""

    def note(self, events: list[e.Event]) -> None:
        """Take in the events of a command."""
        for event in events:
            match event:
                case e.OrderAccepted() | e.OrderAmended():
                    self.live[event.order_id] = (event.price, event.quantity)
                case e.OrderRepriced():
                    self.live[event.order_id] = (event.price, self.live[event.order_id][1])
                case e.OrderReplaced():
                    self.live[event.new_order_id] = (event.price, event.quantity)
                    del self.live[event.order_id]
                case e.OrderCancelled():
                    del self.live[event.order_id]
                case e.TradeExecuted():
                    self._note_trade(event)

    def _note_trade(self, trade: e.TradeExecuted) -> None:
        self.trades.append(trade)
        for order_id, leaves in (
            (trade.maker_order_id, trade.maker_leaves),
            (trade.taker_order_id, trade.taker_leaves),
        ):
            if leaves == 0:
                del self.live[order_id]

    def any_command(self, eight: bytes) -> c.Command:
        """Make a command of any kind."""
        kind = eight[7] % 32
        if kind < 10:
            return enter(eight)
        if kind < 13:
            return enter_special(eight, START_NS)
        if kind < 14:
            return enter_stop(eight, START_NS)
        if kind < 18:
            return self.amend(eight)
        if kind < 22:
            return self.replace(eight)
        if kind < 25:
            return self.cancel(eight)
        if kind < 28 and self.trades:
            return self.bust(eight) if kind < 26 else self.correct(eight)
        return other(eight, kind)

    def order(self, number: int) -> tuple[int, tuple[int, int]]:
        """Name an order: mostly a live one, sometimes one that may be finished; with its price and quantity."""
        if self.live and number < DEAD_ORDERS_FROM:
            return pick(sorted(self.live.items()), number)
        return number % 40, (100_000, 10)

    def cancel(self, eight: bytes) -> c.CancelOrder:
        """Cancel an order."""
        return c.CancelOrder(order_id=self.order(eight[0])[0], participant_id=pick(AUTHORITIES, eight[1]))

    def amend(self, eight: bytes) -> c.AmendOrder:
        """Amend an order: often its price alone, or its quantity alone."""
        order_id, (price, quantity) = self.order(eight[0])
        return c.AmendOrder(
            order_id=order_id, participant_id=pick(AUTHORITIES, eight[1]),
            price=pick((price, price, pick(PRICES, eight[2])), eight[4]),
            quantity=pick((pick(QUANTITIES, eight[3]), quantity, max(quantity - 2, 1), quantity + 2), eight[5]),
        )  # fmt: skip

    def replace(self, eight: bytes) -> c.ReplaceOrder:
        """Replace an order; with a client order id sometimes one that is replaced already."""
        client_order_id = pick(CLIENT_IDS, eight[4])
        order_id, _ = self.order(eight[0])
        if client_order_id and eight[6] % 2:
            order_id = eight[5] % 40
        return c.ReplaceOrder(
            order_id=order_id, participant_id=pick(AUTHORITIES, eight[1]), price=pick(PRICES, eight[2]),
            quantity=pick(QUANTITIES, eight[3]), client_order_id=client_order_id,
        )  # fmt: skip

    def bust(self, eight: bytes) -> c.BustTrade:
        """Bust one of the trades so far."""
        return c.BustTrade(**facts(pick(self.trades, eight[0])), ruling_id=0, reason=BustReason.ERRONEOUS)

    def correct(self, eight: bytes) -> c.CorrectTrade:
        """Correct one of the trades so far."""
        return c.CorrectTrade(
            **facts(pick(self.trades, eight[0])), ruling_id=1, reason=BustReason.CONSENT,
            new_price=pick(PRICES, eight[1]), new_quantity=pick(QUANTITIES, eight[2]),
        )  # fmt: skip


def pick(table: Sequence[Any], number: int) -> Any:
    """Take a row of a table by a number of any size."""
    return table[number % len(table)]


def enter(eight: bytes) -> c.EnterOrder:
    """Enter an order."""
    order_type, time_in_force, flags = pick(KINDS, eight[0])
    quantity, price = pick(QUANTITIES, eight[4]), pick(PRICES, eight[3])
    return c.EnterOrder(
        side=pick((Side.BUY, Side.SELL), eight[1]), account_id=pick(ACCOUNTS, eight[2]),
        symbol_id=pick(SYMBOLS, eight[5]), order_type=order_type, time_in_force=time_in_force, flags=flags,
        price=0 if order_type is not LIMIT and price in SANE_PRICES else price, quantity=quantity,
        client_order_id=pick(CLIENT_IDS, eight[6]),
    )  # fmt: skip


def enter_special(eight: bytes, now_ns: int) -> c.EnterSpecialOrder:
    """Enter an order with special terms; good till a date by the drawn kind."""
    order = enter(eight)
    order_type, time_in_force, flags = pick(SPECIAL_KINDS, eight[0])
    terms = {"expires_ns": now_ns + pick(LIVES_NS, eight[5])} if time_in_force is GTD else {}
    match eight[7] // 32:
        case 0 | 1:
            terms["minimum_quantity"] = pick(MINIMUMS, eight[6])
        case 2 | 3 | 4 | 5:
            terms["display_quantity"] = pick(DISPLAYS, eight[6])
        case 6:
            terms["expires_ns"] = now_ns + pick(LIVES_NS, eight[6])
        case _:
            terms["stop_price"] = pick((0, *SANE_PRICES), eight[6])
    fields = {name: getattr(order, name) for name in ENTRY_FIELDS}
    price = 0 if order_type is not LIMIT else order.price
    kind = {"order_type": order_type, "time_in_force": time_in_force, "flags": flags, "price": price}
    return c.EnterSpecialOrder(**{**fields, **kind, **terms})


def enter_stop(eight: bytes, now_ns: int) -> c.EnterSpecialOrder:
    """Enter a stop order, some with a trail, a minimum or a display quantity."""
    order = enter_special(eight, now_ns)
    order_type, time_in_force, flags = pick(STOP_KINDS, eight[0])
    fields = {name: getattr(order, name) for name in (*ENTRY_FIELDS, "minimum_quantity", "display_quantity")}
    fields["price"] = (
        pick(SANE_PRICES, eight[3]) if order_type is not STOP else pick((0, 0, 0, 0, 100), eight[3])
    )
    terms: dict[str, int] = {"expires_ns": now_ns + SECOND_NS} if time_in_force is GTD else {}
    match eight[6] % 8:
        case 6:
            terms["trail_amount"] = pick(TRAILS, eight[5])
        case 7:
            terms["trail_bps"] = pick((10, 20, 100, 5_001), eight[5])
        case _:
            terms["stop_price"] = pick(STOP_PRICES, eight[5])
    kind = {"order_type": order_type, "time_in_force": time_in_force, "flags": flags}
    return c.EnterSpecialOrder(**{**fields, **kind, **terms})


PHASES = (*Phase, *(Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION, Phase.CONTINUOUS) * 5, 0, 12)
AUCTION_KINDS = (
    (LIMIT, OPENING, PLAIN), (LIMIT, CLOSING, PLAIN), (LIMIT, AUCTION, PLAIN), (MARKET, OPENING, PLAIN),
    (MARKET, CLOSING, PLAIN), (MARKET, AUCTION, PLAIN), (LIMIT, AUCTION, ALL_OR_NONE), (STOP, AUCTION, PLAIN),
    (MARKET_TO_LIMIT, AUCTION, PLAIN), (LIMIT, CLOSING, POST_ONLY), (LIMIT, AUCTION, HIDDEN), (MARKET, DAY, PLAIN),
)  # fmt: skip


def enter_for_auction(eight: bytes) -> c.EnterOrder:
    """Enter an order that trades in an auction only."""
    order_type, time_in_force, flags = pick(AUCTION_KINDS, eight[0])
    return msgspec.structs.replace(
        enter(eight), order_type=order_type, time_in_force=time_in_force, flags=flags,
        price=pick(PRICES, eight[3]) if order_type is LIMIT else 0,
    )  # fmt: skip


def change_phase(eight: bytes, now_ns: int) -> c.Command:
    """Set, schedule, halt or resume, or set how auctions are checked."""
    symbol_id = pick((0, *SYMBOLS), eight[1])
    match eight[0] % 12:
        case 0 | 1 | 2 | 3:
            return c.SetPhase(
                symbol_id=symbol_id, phase=pick(PHASES, eight[2]), reason=pick(("", "why", " x"), eight[3])
            )
        case 4 | 5 | 6:
            at_ns = now_ns + pick((1_000, 5_000, 60_000, SECOND_NS, 0, 2**63), eight[3])
            return c.SchedulePhase(
                symbol_id=symbol_id, phase=pick(PHASES, eight[2]), at_ns=at_ns,
                random_ns_max=pick((0, 0, 20_000, CALL_NS_MAX + 1), eight[4]), seed=eight[5] << 56 | eight[6],
            )  # fmt: skip
        case 7:
            return c.ClearSchedule(symbol_id=symbol_id if eight[2] % 2 else 1)
        case 8:
            return c.SetAuctionTerms(
                symbol_id=symbol_id or 1, collar_bps=pick((0, 10, 50, 10_001), eight[2]),
                extension_ns=pick((5_000, 0, 60_000), eight[3]), extensions_max=pick((0, 1, 3, 21), eight[4]),
            )  # fmt: skip
        case 9:
            return c.HaltTrading(symbol_id=symbol_id, reason=pick(("news", ""), eight[2]))
        case _:
            return c.ResumeTrading(
                symbol_id=symbol_id, call_ns=pick((0, 3_000, 20_000, CALL_NS_MAX + 1), eight[2]),
                random_ns_max=pick((0, 0, 9_000), eight[3]), seed=eight[4], reason="",
            )  # fmt: skip


def change_limits(eight: bytes) -> c.Command:
    """Give a symbol bands, a corridor or nothing; set the breaker, or tell it of an index."""
    symbol_id = pick(SYMBOLS, eight[1])
    match eight[0] % 12:
        case 0 | 1 | 2:
            return c.SetPriceBands(symbol_id=symbol_id, tier=pick((1, 1, 1, 2, 2, 0, 3), eight[2]))
        case 3 | 4 | 5:
            return c.SetPriceCorridor(
                symbol_id=symbol_id, dynamic_bps=pick((100, 10, 300, 0, 10_001), eight[2]),
                static_bps=pick((200, 500, 0, 20, 50), eight[3]),
                call_ns=pick((SECOND_NS, 60 * SECOND_NS, 0), eight[4]),
                random_ns_max=pick((0, 30 * SECOND_NS, CALL_NS_MAX + 1), eight[5] // 8),
                seed=eight[6] << 56 | eight[7],
            )  # fmt: skip
        case 6 | 7:
            return c.SetMarketBreaker(close_level=pick((1_000, 1_000, 0, 2**53 + 1, 2**53), eight[2]))
        case _:
            return c.ReportIndexLevel(
                level=pick((1_000, 990, 931, 930, 870, 869, 801, 800, 0, 2**63), eight[2])
            )


SPLITS = ((2, 1), (1, 2), (3, 2), (2, 3), (1, 10), (10, 1), (1, 1), (0, 1), (10_001, 1))


def corporate_action(eight: bytes) -> c.Command:
    """Split, rename, pay a dividend, or set what is asked of short sales.

    An action is taken of a symbol that is suspended, halted or closed.
    """
    symbol_id = pick(SYMBOLS, eight[1])
    note = pick(("", "why", " x"), eight[4])
    match eight[0] % 6:
        case 4 | 5:
            return c.SetShortSaleTerms(
                symbol_id=symbol_id, trigger_bps=pick((10, 20, 100, 1_000, 0, 10_000), eight[3]),
                needs_locate=eight[5] < 60, needs_marking=eight[6] < 60,
            )  # fmt: skip
        case 0 | 1:
            new, old = pick(SPLITS, eight[3])
            cash_price = pick((0, 0, 50_000, 2_000_000_000), eight[5])
            return c.SplitSymbol(
                symbol_id=symbol_id, new_shares=new, old_shares=old, cash_price=cash_price, note=note
            )
        case 2:
            ticker = pick(("XYZ", "LOT", "NEW", "NEWER", "small"), eight[3])
            return c.RenameSymbol(symbol_id=symbol_id, symbol=ticker, name=note)
        case _:
            amount = pick((100, 255, 2_500, 99_999, 0), eight[3])
            return c.PayDividend(symbol_id=symbol_id, amount=amount, note=note)


def set_group(eight: bytes) -> c.SetSelfTradePrevention:
    """Put a member into one of two groups, or take it out."""
    mode = pick((*SelfTradeMode, 5), eight[0])
    group = pick((1, 1, 2), eight[1]) if mode else 0
    return c.SetSelfTradePrevention(
        participant_id=pick((1, 2, 3, 1, 9), eight[2]), group=group if eight[3] < 240 else 0, mode=mode
    )


FIFO, LEAD, LEVELING = (AllocationStep(kind) for kind in (StepKind.FIFO, StepKind.LEAD, StepKind.LEVELING))
PRO_RATA = AllocationStep(StepKind.PRO_RATA, Rounding.DOWN)
PRO_RATA_UP = AllocationStep(StepKind.PRO_RATA, Rounding.UP, minimum=2)
TOP = AllocationStep(StepKind.TOP, share_bps=10_000)
TOP_WITHIN = AllocationStep(StepKind.TOP, share_bps=5_000, minimum=4, maximum=6)
SPLIT = AllocationStep(StepKind.SPLIT, share_bps=4_000)
MAKERS = (LeadMaker(2, 3_000), LeadMaker(4, 1_500))
ALLOCATIONS = (
    Allocation((PRO_RATA,)),
    Allocation((TOP, AllocationStep(StepKind.PRO_RATA, Rounding.DOWN, minimum=2), FIFO)),
    Allocation((TOP_WITHIN, LEAD, SPLIT, FIFO, PRO_RATA, LEVELING, FIFO), MAKERS),
    Allocation((PRO_RATA_UP, FIFO)), Allocation((TOP, FIFO)), Allocation((LEAD, FIFO), MAKERS[:1]), Allocation((FIFO,)),
    Allocation((SPLIT, PRO_RATA_UP, LEVELING, FIFO)), Allocation(), Allocation((LEVELING, PRO_RATA)),
    Allocation((FIFO,) * 9), Allocation((LEAD,), (LeadMaker(9, 1),)), Allocation((LEAD,), (*MAKERS, *MAKERS)),
    Allocation((AllocationStep(9),)), Allocation((SPLIT, FIFO)), Allocation((FIFO,), MAKERS),
)  # fmt: skip
"""The first nine are such as there may be."""


def set_allocation(eight: bytes) -> c.SetAllocation:
    """Give a symbol an allocation, or take it away; some cannot be."""
    allocation = pick(ALLOCATIONS, eight[0])
    return c.SetAllocation(
        symbol_id=pick(SYMBOLS, eight[1]), steps=allocation.steps, lead_makers=allocation.lead_makers
    )


def enter_iceberg(eight: bytes) -> c.EnterSpecialOrder:
    """Enter an iceberg order at one of two prices: sells at both, so that several meet there."""
    return c.EnterSpecialOrder(
        side=pick((Side.SELL, Side.BUY), eight[1]), account_id=1 + eight[2] % 4, symbol_id=1, order_type=LIMIT,
        time_in_force=DAY, flags=pick((PLAIN, PLAIN, PLAIN, REPRICE), eight[5]),
        price=pick((100_000, 100_100), eight[3]), quantity=10 + eight[0] % 40,
        display_quantity=pick((5, 2, 10), eight[4]),
    )  # fmt: skip


def cancel_orders(eight: bytes) -> c.CancelOrders:
    """Cancel en masse."""
    return c.CancelOrders(
        participant_id=pick(AUTHORITIES, eight[0]), account_id=pick((0, 0, *ACCOUNTS), eight[1]),
        symbol_id=pick((0, *SYMBOLS), eight[2]), side=pick((0, 1, 2), eight[3]),
    )  # fmt: skip


def risk_command(eight: bytes) -> c.Command:
    """Draw a command about risk: blocks are mostly lifted again and limits taken away, so that trading goes on."""
    scope = pick(
        (*(RiskScope.ACCOUNT,) * 4, RiskScope.PARTICIPANT, RiskScope.PARTICIPANT, RiskScope.SYMBOL, 1, 9),
        eight[1],
    )
    subject = pick((1, 2, 3, 4, 9), eight[2]) if scope != RiskScope.MARKET or eight[2] > 240 else 0
    match eight[0] % 16:
        case 0:
            return c.BlockTrading(
                scope=scope, subject_id=subject, key_id=eight[4], role=pick((2, 3, 5), eight[3]),
                cancels_orders=eight[5] < 40, note=pick(("", "why", " "), eight[6]),
            )  # fmt: skip
        case 1 | 2 | 3 | 4 | 5:
            role, note = pick((3, 5, 3, 5, 2), eight[3]), pick(("", "", "", " "), eight[6])
            return c.UnblockTrading(scope=scope, subject_id=subject, key_id=eight[4], role=role, note=note)
        case 6:
            return c.CancelOrdersWithin(
                participant_id=pick(AUTHORITIES, eight[1]), account_id=pick((0, *ACCOUNTS), eight[2]),
                symbol_id=pick((0, *SYMBOLS), eight[3]), side=pick((1, 2, 1, 2, 0, 3), eight[4]),
                lowest_price=pick((0, 99_500, 99_900), eight[5]), highest_price=pick((0, 99_900, 100_200), eight[6]),
            )  # fmt: skip
        case 7 | 8:
            timeout_ms = pick((0, 1, 60_000, 3_600_000, 3_600_001), eight[3])
            return c.SetCancelTimer(participant_id=pick((1, 2, 3, 9), eight[1]), timeout_ms=timeout_ms)
    return set_limit(eight, scope, subject)


def set_limit(eight: bytes, scope: int, subject: int) -> c.SetRiskLimit:
    """Set a limit, or take one away."""
    kind = pick((*LIMIT_VALUES, 13), eight[3])
    values, spans, with_symbol = LIMIT_VALUES.get(kind, ((1,), (0,), False))
    is_set = eight[4] < 110
    return c.SetRiskLimit(
        scope=scope, subject_id=subject, kind=kind, is_set=is_set, value=pick(values, eight[5]),
        span=pick(spans, eight[6]), symbol_id=pick((0, 1, 2, 9), eight[7]) if with_symbol or eight[7] > 240 else 0,
    )  # fmt: skip


LIMIT_VALUES: dict[int, tuple[tuple[int, ...], tuple[int, ...], bool]] = {
    LimitKind.SYMBOL_BARRED: ((1, 1, 1, 2), (0,), True),
    LimitKind.MAX_QUANTITY: ((50, 10, 10_000, 0), (0,), False),
    LimitKind.MAX_NOTIONAL: ((2_000_000, 5_000_000, 10**18 + 1), (0,), False),
    LimitKind.COLLAR: ((100, 500, 1, 10_001), (0,), False),
    LimitKind.DUPLICATES: ((1, 2, 5), (1, 1_000, 0), False),
    LimitKind.MESSAGES: ((1_000_000, 1_000, 0), (3, 100, 1_000_001), False),
    LimitKind.POSITION: ((50, 500, 0), (0,), True),
    LimitKind.BUYING_POWER: ((0, 10**9, 10**18), (0,), False),
    LimitKind.SHORT_SALES: ((1, 1, 0), (0,), True),
    LimitKind.GROSS: ((10**7, 10**9, 10**10), (0, 0, 0, 1), False),
    LimitKind.LOSS: ((1_000, 10**6), (0,), False),
    LimitKind.EXECUTIONS: ((3, 20), (1, 1_000), False),
}
"""Values, spans and whether it may name a symbol, by kind."""


def other(eight: bytes, kind: int) -> c.Command:
    """Make one of the commands that do not concern an order by itself."""
    match kind:
        case 25 | 26:
            return cancel_orders(eight)
        case 27 | 28:
            command = pick((c.Deposit, c.Withdraw), eight[0])
            account, symbol = pick(ACCOUNTS, eight[1]), pick((0, *SYMBOLS), eight[2])
            made: c.Command = command(account_id=account, symbol_id=symbol, amount=pick(AMOUNTS, eight[3]))
            return made
        case 29:
            if eight[2] % 4 == 0:
                return set_group(eight)
            if eight[3] % 2:
                return set_allocation(eight)
            if eight[2] % 2:
                return c.SetMarketProtection(
                    symbol_id=pick(SYMBOLS, eight[1]), protection_bps=pick(BANDS, eight[0])
                )
            state = pick((SymbolState.ACTIVE, SymbolState.SUSPENDED), eight[0])
            return c.SetSymbolState(symbol_id=pick(SYMBOLS, eight[1]), state=state)
        case 30:
            return c.SetReferencePrice(
                symbol_id=pick(SYMBOLS, eight[0]), reference_price=pick(PRICES, eight[1])
            )
        case _:
            return c.StartBusinessDay(date=20261101 + eight[0] % 30 + 100 * (eight[1] % 2))


def facts(trade: e.TradeExecuted) -> dict[str, Any]:
    """Return the facts of a trade as the gateway adds them to a ruling."""
    maker = (trade.maker_account_id, trade.maker_order_id)
    taker = (trade.taker_account_id, trade.taker_order_id)
    buyer, seller = (taker, maker) if trade.taker_side is Side.BUY else (maker, taker)
    return {
        "match_id": public_id(trade.partition, trade.sequence), "symbol_id": trade.symbol_id, "price": trade.price,
        "quantity": trade.quantity, "buy_account_id": buyer[0], "sell_account_id": seller[0],
        "buy_order_id": buyer[1], "sell_order_id": seller[1], "executed_ns": trade.time_ns,
    }  # fmt: skip
