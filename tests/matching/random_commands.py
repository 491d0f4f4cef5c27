"""Random command records of every type from a seed, sane and senseless ones, for comparing two matchers.

The commands name recent orders and real trades, so that much happens; some records are then damaged.
"""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import msgspec

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.participant import Role
from exchange.domain.phase import Phase
from exchange.domain.risk import RiskScope
from exchange.domain.symbol import SymbolState, TickRow
from exchange.domain.trade import BustReason
from exchange.domain.units import QUANTITY_MAX
from exchange.wire.records import BY_NUMBER, VERSION, decode_event, encode_command, number_of, split
from tests.matching.desk import BUSINESS_DATE, START_NS
from tests.matching.linked_world import enter_list, enter_peg, quotes_command
from tests.matching.small_world import (
    ACCOUNTS,
    AUTHORITIES,
    BANDS,
    PRICES,
    QUANTITIES,
    SYMBOLS,
    WORLD,
    cancel_orders,
    change_limits,
    change_phase,
    corporate_action,
    enter,
    enter_for_auction,
    enter_special,
    enter_stop,
    facts,
    pick,
    risk_command,
    set_allocation,
    set_group,
)
from tests.matching.tight_limits import sane, sane_stop, tight_limit

NAMES = ("ann", "bob", "Zoë", "株式", "", " x", "x ", "a\x00b", "\u200b", "a b", "x" * 64, "x" * 65, "é" * 33)
TICKS: tuple[tuple[TickRow, ...], ...] = (
    (TickRow(0, 1),), (TickRow(0, 1), TickRow(10_000, 100)), (TickRow(0, 7), TickRow(50, 3), TickRow(99, 100)),
    (), (TickRow(1, 1),), (TickRow(0, 0),), (TickRow(0, 1), TickRow(0, 2)),
    tuple(TickRow(n * 1_000, n + 1) for n in range(16)), tuple(TickRow(n, 1) for n in range(17)),
)  # fmt: skip
TEXTS = ("ABC", "XYZ", "A.B-9", "abc", "TOOLONG9", "", "A\x00B")
DAY_NS = 86_400_000_000_000
STEPS_NS = tuple(seconds * 10**9 for seconds in (0, 1, 5, 15, 30, 60, 300))
TRADES_KEPT = 300
PASSIVE_FLAGS = (0, 0, 0, 0, 0, 0, 1, 1, 3, 4, 8, 9, 128, 16, 32, 80, 96, 17)
ORDERS_KEPT = 120
OF_RISK = tuple(map(number_of, (e.TradingBlocked, e.TradingUnblocked, e.RiskLimitSet)))
ENTRIES = (number_of(e.OrderAccepted), number_of(e.OrderReplaced))


class RandomCommands:
    """Draws records; it learns trades from the events that followed."""

    def __init__(
        self, seed: int, *, auctions: bool = False, risk: bool = False, price_limits: bool = False
    ) -> None:
        self.auctions = auctions
        """Whether most commands are of auctions."""
        self.is_of_risk = risk
        """Whether most commands are orders that meet limits."""
        self.has_price_limits = price_limits
        """Whether most commands meet price limits, and time passes faster."""
        self.random = random.Random(seed)
        self.time_ns = START_NS
        self.trades: deque[e.TradeExecuted] = deque(maxlen=TRADES_KEPT)
        self.told: deque[bytes] = deque(maxlen=TRADES_KEPT)
        self.orders: deque[tuple[int, int, int]] = deque(maxlen=ORDERS_KEPT)
        """(order id, price, quantity) of those that were entered lately; many live."""
        self.blocks: dict[tuple[int, int], int] = {}
        """The role that pulled the switch by scope and subject."""
        self.limits: dict[tuple[int, int, int, int], None] = {}
        """Scope, subject, symbol and kind of the limits that hold."""
        self.coming: deque[c.Command] = deque(maxlen=TRADES_KEPT)
        """Commands that are to follow each other."""
        self.date = BUSINESS_DATE
        self.version = 0
        self.rule = 0

    def note(self, events: bytes) -> None:
        """Learn orders and trades from a run of events."""
        for at, _ in split(events):
            if events[at + 4] in ENTRIES:
                event: Any = decode_event(events, at)
                order_id = event.order_id if isinstance(event, e.OrderAccepted) else event.new_order_id
                self.orders.append((order_id, event.price, event.quantity))
            elif events[at + 4] in OF_RISK:
                self.note_risk(decode_event(events, at))
            elif events[at + 4] == number_of(e.OrderRepriced):
                event = decode_event(events, at)
                self.orders.append((event.order_id, event.price, 10))
            elif events[at + 4] == number_of(e.TradeExecuted):
                event = decode_event(events, at)
                self.trades.append(event)

    def note_risk(self, event: Any) -> None:
        """Learn who is blocked and what limits hold, so that both end again."""
        subject = (int(event.scope), event.subject_id)
        match event:
            case e.TradingBlocked():
                self.blocks[subject] = event.role
            case e.TradingUnblocked():
                del self.blocks[subject]
            case e.RiskLimitSet():
                key = (*subject, event.symbol_id, int(event.kind))
                self.limits.pop(key, None)
                if event.is_set:
                    self.limits[key] = None

    def risk(self, eight: bytes) -> c.Command:
        """Draw a command about risk: mostly one that lifts a block or takes a limit away, where there are any."""
        if self.blocks and eight[6] < 190:
            subject, role = pick(sorted(self.blocks.items()), eight[1])
            return c.UnblockTrading(
                scope=subject[0], subject_id=subject[1], key_id=eight[4], role=3 if role == 5 else 5
            )
        if len(self.limits) > 5 and eight[6] < 190:
            scope, subject_id, symbol_id, kind = pick(sorted(self.limits), eight[1])
            return c.SetRiskLimit(
                scope=scope, subject_id=subject_id, symbol_id=symbol_id, kind=kind, is_set=False
            )
        if eight[7] % 8 == 0:
            return c.BlockTrading(
                scope=RiskScope.SESSION,
                subject_id=eight[1] % 4,
                key_id=eight[4],
                role=3,
                cancels_orders=eight[5] < 99,
            )
        return risk_command(eight)

    def opening(self) -> list[bytes]:
        """Make a small market."""
        return [encode_command(command) for command in WORLD]

    def batch(self, size: int) -> list[bytes]:
        """Draw records without their sequence."""
        return [self.record() for _ in range(size)]

    def record(self) -> bytes:
        """Draw a record: of a command, of one told before, or a damaged one."""
        drawn = self.random.random()
        if drawn < 0.02 and self.told:
            return pick(self.told, int(drawn * 1e6))  # type: ignore[no-any-return]
        record = encode_command(self.command())
        self.told.append(record)
        return self.damaged(record) if drawn > 0.97 else record

    def advance(self) -> int:
        """Return the time of the next batch: mostly a little later, sometimes days."""
        drawn = self.random.random()
        if self.has_price_limits and drawn < 0.98:
            self.time_ns += self.random.choice(STEPS_NS)
            return self.time_ns
        self.time_ns += 1_000 if drawn < 0.99 else int(self.random.random() * 3 * DAY_NS)
        return self.time_ns

    def command(self) -> c.Command:
        """Draw a command."""
        eight = self.random.randbytes(8)
        if self.coming:
            return self.coming.popleft()
        if self.random.random() < 0.08:
            return self.linked()
        if self.auctions and self.random.random() < 0.8:
            return self.of_an_auction(eight)
        if self.has_price_limits and self.random.random() < 0.9:
            return self.of_price_limits(eight)
        if self.is_of_risk and self.random.random() < 0.8:
            return self.of_limits(eight)
        match self.random.random():
            case x if x < 0.3:
                return self.passive(eight)
            case x if x < 0.42:
                return enter(eight)
            case x if x < 0.47:
                return enter_special(eight, self.time_ns)
            case x if x < 0.5:
                return enter_stop(eight, self.time_ns)
            case x if x < 0.6:
                return c.CancelOrder(order_id=self.order(eight)[0], participant_id=authority(eight))
            case x if x < 0.74:
                order_id, price, quantity = self.changed(eight)
                return c.AmendOrder(
                    order_id=order_id, participant_id=authority(eight), price=price, quantity=quantity
                )
            case x if x < 0.88:
                order_id, price, quantity = self.changed(eight)
                return c.ReplaceOrder(
                    order_id=order_id, participant_id=authority(eight), price=price, quantity=quantity,
                    client_order_id=self.client_order_id(eight),
                )  # fmt: skip
            case x if x < 0.92:
                return self.of_phases(eight)
            case x if x < 0.95 and self.trades:
                return self.ruling(eight)
            case x if x < 0.9503:
                return cancel_orders(eight)
            case x if x < 0.97:
                return self.risk(eight)
            case _:
                return self.administration(eight)

    def linked(self) -> c.Command:
        """Enter an order list, mostly behind the ids reserved for it; or a pegged order, or what concerns quotes."""
        drawn = self.random.random()
        if drawn < 0.3:
            return enter_peg(self.random)
        if drawn < 0.6:
            self.coming += quotes_command(self.random)
            return self.coming.popleft()
        self.coming += [c.ReserveOrderId()] * self.random.choice((2, 2, 2, 1, 3, 0))
        self.coming.append(enter_list(self.random, self.time_ns))
        return self.coming.popleft()

    def of_an_auction(self, eight: bytes) -> c.Command:
        """Enter orders that cross, amend and cancel some, and lead the symbols through auctions."""
        drawn = self.random.random()
        if drawn < 0.55:
            make = pick((enter, enter, enter_for_auction, enter_special_now), eight[7])
            order: c.EnterOrder = make(eight)
            return msgspec.structs.replace(order, symbol_id=1 + eight[5] % 2, client_order_id="")
        if drawn < 0.75:
            order_id, price, quantity = self.changed(eight)
            return c.AmendOrder(order_id=order_id, participant_id=0, price=price, quantity=quantity)
        if drawn < 0.85:
            return c.CancelOrder(order_id=self.order(eight)[0], participant_id=authority(eight))
        if drawn < 0.96:
            return change_phase(eight, self.time_ns)
        return corporate_action(eight) if drawn < 0.98 else c.Tick()

    def of_limits(self, eight: bytes) -> c.Command:
        """Enter orders that have nothing wrong in themselves, under limits that come and go."""
        drawn = self.random.random()
        if drawn < 0.7:
            return sane(eight)
        if drawn < 0.78:
            return sane_stop(eight)
        if drawn < 0.9:
            order_id, price, quantity = self.changed(eight)
            return c.AmendOrder(
                order_id=order_id, participant_id=authority(eight), price=price, quantity=quantity
            )
        if drawn < 0.93:
            return tight_limit(eight)
        if drawn < 0.94:
            return c.SetPhase(symbol_id=0, phase=Phase.CONTINUOUS)
        if drawn < 0.95:
            return c.SetReferencePrice(
                symbol_id=1, reference_price=pick((100_000, 99_000, 101_000), eight[0])
            )
        if drawn < 0.955:
            return c.UnblockTrading(
                scope=4, subject_id=1 + eight[0] % 4, key_id=1, role=pick((2, 3, 5), eight[1])
            )
        return self.risk(eight)

    def of_price_limits(self, eight: bytes) -> c.Command:
        """Enter orders that reach bands and corridors, let time pass, and now and then change what protects."""
        drawn = self.random.random()
        if drawn < 0.5:
            order = enter(eight) if eight[7] % 2 else self.passive(eight)
            price = order.price and 100_000 + (eight[6] - 128) * pick((100, 100, 50, 10), eight[5]) // 50 * 50
            return msgspec.structs.replace(order, price=max(price, 0), client_order_id="")
        if drawn < 0.6:
            make = pick((enter_special, enter_stop), eight[7])
            return make(eight, self.time_ns)  # type: ignore[no-any-return]
        if drawn < 0.7:
            order_id, price, quantity = self.changed(eight)
            return c.AmendOrder(order_id=order_id, participant_id=0, price=price, quantity=quantity)
        if drawn < 0.78:
            return c.CancelOrder(order_id=self.order(eight)[0], participant_id=0)
        if drawn < 0.8 and self.trades:
            return self.ruling(eight)
        if drawn < 0.82:
            return self.of_phases(eight)
        if drawn < 0.825:
            return self.start_day(eight)
        if drawn < 0.829:
            return self.near_the_close(eight)
        return change_limits(eight) if drawn < 0.86 else c.Tick()

    def near_the_close(self, eight: bytes) -> c.Command:
        """Schedule an end of trading before which bands are doubled, take it back, or change the row of their table."""
        symbol_id = pick((0, 1, 2), eight[1])
        match eight[0] % 4:
            case 0:
                return c.ClearSchedule(symbol_id=0)
            case 1:
                reference = pick((100_000, 29_900, 7_400, 50), eight[2])
                return c.SetReferencePrice(symbol_id=max(symbol_id, 1), reference_price=reference)
            case _:
                minutes, phase = (
                    pick((20, 24, 30, 36), eight[2]),
                    pick((Phase.CLOSING_AUCTION, Phase.CLOSED), eight[3]),
                )
                at_ns = self.time_ns + minutes * 60 * 10**9
                return c.SchedulePhase(symbol_id=symbol_id, phase=phase, at_ns=at_ns)

    def of_phases(self, eight: bytes) -> c.Command:
        """Change a phase, and let the market trade again after a while; else enter an order for an auction, or tick."""
        drawn = self.random.random()
        if drawn < 0.25:
            return change_phase(eight, self.time_ns)
        if drawn < 0.29:
            return corporate_action(eight)
        if drawn < 0.35:
            return c.SetPhase(symbol_id=0, phase=Phase.CONTINUOUS)
        if drawn < 0.38:
            return c.ResumeTrading(symbol_id=0, call_ns=0)
        return c.Tick() if drawn < 0.6 else enter_for_auction(eight)

    def passive(self, eight: bytes) -> c.EnterOrder:
        """Enter an order that mostly rests, at one of many prices."""
        side = pick((Side.BUY, Side.SELL), eight[0])
        price = 99_900 - eight[1] % 90 * 100 if side is Side.BUY else 100_100 + eight[1] % 90 * 100
        return c.EnterOrder(
            account_id=eight[2] % 4 + 1, symbol_id=eight[3] % 2 + 1, side=side, order_type=OrderType.LIMIT,
            time_in_force=pick((TimeInForce.DAY, TimeInForce.GTC), eight[4]), flags=pick(PASSIVE_FLAGS, eight[5]),
            price=price,
            quantity=2 * (eight[6] % 40 + 1), client_order_id=self.client_order_id(eight),
        )  # fmt: skip

    def client_order_id(self, eight: bytes) -> str:
        """Draw none, or one that may be used already."""
        if eight[7] % 16 == 4:
            return f"~0000{eight[6] % 3}{self.random.randrange(60):08X}BYA~~~~"
        mark = "~" if eight[7] % 3 == 0 else ""
        return "" if eight[7] % 4 else f"{mark}{eight[7]}-{self.random.randrange(60)}"

    def order(self, eight: bytes) -> tuple[int, int, int]:
        """Name an order that may live: (order id, price, quantity)."""
        if not self.orders or eight[0] < 12:
            return (eight[1], 100_000, 10)
        return pick(self.orders, int.from_bytes(eight[:2], "big"))  # type: ignore[no-any-return]

    def changed(self, eight: bytes) -> tuple[int, int, int]:
        """Name an order with other terms, or almost the same."""
        order_id, price, quantity = self.order(eight)
        price = pick((price, price, price + 100, max(price - 100, 0), pick(PRICES, eight[4])), eight[3])
        quantities = (
            quantity,
            max(quantity - 2, 0),
            min(quantity + 2, QUANTITY_MAX),
            quantity // 2,
            pick(QUANTITIES, eight[5]),
        )
        return order_id, price, pick(quantities, eight[6])

    def ruling(self, eight: bytes) -> c.Command:
        """Bust or correct a trade; some facts are wrong."""
        told: dict[str, Any] = facts(pick(self.trades, eight[0]))
        if eight[6] < 30:
            told[pick(sorted(told), eight[7])] = pick((0, 1, 9, 2**31), eight[5])
        told |= {"ruling_id": eight[1], "reason": pick((*BustReason, *BustReason, 7), eight[2])}
        if eight[3] % 3 == 0:
            return c.BustTrade(**told)
        price, quantity = pick(PRICES, eight[4]), pick((*QUANTITIES, told["quantity"]), eight[5])
        return c.CorrectTrade(**told, new_price=price, new_quantity=quantity)

    def administration(self, eight: bytes) -> c.Command:
        """Draw one of the commands of operators and of time."""
        name = pick((*NAMES, *(f"n{n}" for n in range(20))), eight[1])
        match eight[0] % 20:
            case 0 | 1:
                command = pick((c.Deposit, c.Withdraw), eight[2])
                amount = pick((1, 1_000, 10**18, 10**18 - 1, 0, -5, 5 * 10**17), eight[3])
                moved: c.Command = command(
                    account_id=pick(ACCOUNTS, eight[4]),
                    symbol_id=pick((0, *SYMBOLS), eight[5]),
                    amount=amount,
                )
                return moved
            case 2:
                return c.AddSymbol(
                    symbol=pick((*TEXTS, *(f"S{n}" for n in range(9))), eight[2]), name=name,
                    reference_price=pick((*PRICES, 70, 1), eight[3]), round_lot=pick((1, 1, 10, 0), eight[4]),
                    state=pick((*SymbolState, 3), eight[5]), ticks=pick(TICKS, eight[6]),
                )  # fmt: skip
            case 3 | 4:
                state = pick((*(SymbolState.ACTIVE,) * 6, SymbolState.SUSPENDED, 9), eight[2])
                return c.SetSymbolState(
                    symbol_id=pick(SYMBOLS, eight[3]), state=state, reason=pick(NAMES, eight[4])
                )
            case 5:
                return c.SetReferencePrice(
                    symbol_id=pick(SYMBOLS, eight[2]), reference_price=pick(PRICES, eight[3])
                )
            case 6:
                return c.CreateParticipant(name=name)
            case 7:
                return c.CreateAccount(participant_id=eight[2] % 6, name=name)
            case 8:
                return c.CreateKey(
                    participant_id=eight[2] % 5, role=pick((*Role, 0, 8), eight[3]),
                    sha256=bytes([eight[4] % 20]) * 32, label=name,
                )  # fmt: skip
            case 9:
                return c.RevokeKey(key_id=eight[2] % 30)
            case 10:
                return self.start_day(eight)
            case 12 | 13:
                return self.configure_symbol(eight, name)
            case 14:
                return self.configure(eight, name)
            case 11:
                return c.StartEngine(epoch=eight[2] % 4 if eight[3] < 250 else eight[2])
            case 15:
                return c.SetMarketProtection(
                    symbol_id=pick(SYMBOLS, eight[2]), protection_bps=pick(BANDS, eight[3])
                )
            case 16:
                return set_group(eight[2:])
            case 17 | 18:
                return set_allocation(eight[2:])
            case _:
                return c.Tick()

    def configure_symbol(self, eight: bytes, name: str) -> c.ConfigureSymbol:
        """List or change a symbol by a version of the configuration, mostly a later one."""
        return c.ConfigureSymbol(
            configuration_version=self.version + pick((0, 1, 1, 1), eight[1]),
            symbol=pick(("XYZ", "ABC", *TEXTS, *(f"S{n}" for n in range(9))), eight[2]),
            name=pick(("", name), eight[7]),
            reference_price=pick((0, *PRICES, 70, 1), eight[3]), round_lot=pick((0, 0, 1, 1, 2, 10), eight[4]),
            state=pick((0, 0, *(SymbolState.ACTIVE,) * 5, SymbolState.SUSPENDED, 3), eight[5]),
            ticks=pick((*TICKS, *((),) * 6, *((TickRow(0, 1),),) * 6), eight[6]),
        )  # fmt: skip

    def configure(self, eight: bytes, name: str) -> c.Command:
        """Give a rule, mostly the one that is due, or confirm a version."""
        if eight[2] < 25:
            self.version += eight[3] % 2
            return c.ConfirmConfiguration(
                configuration_version=self.version, key_id=eight[4], approver_key_id=eight[5],
                sha256=bytes([eight[6]]) * 32, note=name * (1 + eight[7] % 40),
            )  # fmt: skip
        count = pick((0, 1, 3, 3, 3, 3, 101), eight[1])
        number = self.rule % 3 + 1 if count == 3 and eight[3] < 240 else min(count, eight[3] % 2)
        self.rule = number
        return c.ConfigureRule(
            configuration_version=self.version + 1, number=number, count=count,
            rules_version=eight[4] // 250, text="é{}" * (eight[5] if eight[6] < 250 else 900) if count else "",
        )  # fmt: skip

    def start_day(self, eight: bytes) -> c.StartBusinessDay:
        """Begin a date, mostly one that cannot be."""
        ends_ns = pick((0, self.time_ns, self.time_ns + DAY_NS, 1), eight[3])
        date = pick((20260230, 20261301, 0, 30000101, 4_000_000_000, self.date), eight[2])
        if eight[4] < 60:
            self.date += 1
            date = self.date if self.date % 100 <= 28 else self.date // 100 * 100 + 101
            self.date = date
        return c.StartBusinessDay(date=date, ends_ns=ends_ns)

    def damaged(self, record: bytes) -> bytes:
        """Change a byte of the body, the type, the version or the length, or make up a whole record."""
        body = bytearray(record[16:])
        number, version = record[4], VERSION
        match self.random.randrange(7):
            case 0 | 1 | 2 if body:
                for _ in range(self.random.randrange(1, 4)):
                    body[self.random.randrange(len(body))] = self.random.choice(
                        (0, 1, 2, 3, 4, 127, 128, 255)
                    )
            case 3:
                version = self.random.choice((0, 2, 255))
            case 4:
                number = self.random.randrange(256)
            case 5:
                body = body[: self.random.randrange(len(body) + 1)] + self.random.randbytes(
                    self.random.randrange(9)
                )
            case _:
                number = self.random.choice([n for n, layout in BY_NUMBER.items() if not layout.is_event])
                body = bytearray(self.random.randbytes(BY_NUMBER[number].struct.size - 16))
        length = 16 + len(body)
        return length.to_bytes(4, "little") + bytes([number, version, 0, 0]) + bytes(8) + body


def enter_special_now(eight: bytes) -> c.EnterSpecialOrder:
    """Enter an order with special terms, at the start of time."""
    return enter_special(eight, START_NS)


def authority(eight: bytes) -> int:
    """Draw on whose authority a command comes, mostly the exchange's."""
    return int(pick(AUTHORITIES, eight[2]))
