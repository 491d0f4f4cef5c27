"""A venue and seeded flow through it: the events that the reporter is tested with."""

from __future__ import annotations

from random import Random

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.allocation import parse_step
from exchange.domain.order import OrderFlag, OrderType, SelfTradeMode, Side, TimeInForce
from exchange.domain.participant import Role
from exchange.domain.symbol import SymbolState
from exchange.domain.trade import BustReason
from exchange.domain.units import (
    AccountId,
    MatchId,
    Money,
    OrderId,
    ParticipantId,
    Price,
    Quantity,
    SymbolId,
    TimeNs,
    parse_time,
    public_id,
)
from exchange.matching.venue import Venue
from exchange.wire.records import decode_events, encode_command

START_NS = parse_time("2026-11-23T09:30:00Z")
DATE = 20261123
SYMBOLS = ("AAPL", "MSFT")
KEY_SHA256 = bytes(range(32))
PREVENTED_STEPS = 20
"""How long the flow's members may not trade with each other."""


class VenueFlow:
    """A venue with two symbols and two accounts of two members.

    trades: those that stand, by match id; step_ns: how far each command moves the time.
    """

    def __init__(self, seed: int = 1, partition: int = 0, step_ns: int = 50_000_000) -> None:
        self.random = Random(seed)
        self.venue = Venue(partition)
        self.step_ns = step_ns
        self.time_ns = START_NS
        self.live: list[int] = []
        self.prevented_left = 0
        self.trades: dict[int, e.TradeExecuted] = {}

    def do(self, *commands: c.Command) -> bytes:
        """Carry out commands; return their events."""
        self.time_ns += self.step_ns
        first = self.venue.command_sequence + 1
        records = [encode_command(command, first + at) for at, command in enumerate(commands)]
        events = self.venue.apply(b"".join(records), self.time_ns)
        for event in decode_events(events):
            self._note(event)
        return events

    def open(self) -> bytes:
        """Start the engine and the day, list the symbols, admit the members."""
        return self.do(
            c.StartEngine(epoch=1),
            c.StartBusinessDay(date=DATE),
            *[
                c.AddSymbol(symbol=name, name=f"{name} Inc.", reference_price=Price(1_000_000))
                for name in SYMBOLS
            ],
            c.CreateParticipant(name="alice"),
            c.CreateParticipant(name="bob"),
            c.CreateAccount(participant_id=ParticipantId(1), name="main"),
            c.CreateAccount(participant_id=ParticipantId(2), name="main"),
            c.CreateKey(
                participant_id=ParticipantId(0), role=Role.OPERATOR, sha256=KEY_SHA256, label="operator"
            ),
            c.Deposit(account_id=AccountId(1), symbol_id=SymbolId(0), amount=Money(10**15)),
        )

    def share_out(self, symbol_id: int) -> bytes:
        """Let a symbol share trades out by size, so that orders trade that are not the oldest at their price."""
        steps = (parse_step("top,share=3000"), parse_step("pro_rata,rounding=up"))
        return self.do(c.SetAllocation(symbol_id=SymbolId(symbol_id), steps=steps))

    def limit(
        self,
        side: Side,
        price: int,
        quantity: int = 100,
        symbol_id: int = 1,
        time_in_force: TimeInForce = TimeInForce.DAY,
        flags: int = 0,
        **terms: int,
    ) -> bytes:
        """Enter a limit order of the account that trades on this side, with special terms where some are given."""
        command = c.EnterSpecialOrder if terms else c.EnterOrder
        return self.do(
            command(
                account_id=AccountId(int(side)),
                symbol_id=SymbolId(symbol_id),
                side=side,
                order_type=OrderType.LIMIT,
                time_in_force=time_in_force,
                quantity=Quantity(quantity),
                price=Price(price),
                flags=flags,
                **terms,
            )
        )

    def market(
        self,
        side: Side,
        quantity: int,
        symbol_id: int = 1,
        order_type: OrderType = OrderType.MARKET,
        time_in_force: TimeInForce = TimeInForce.IOC,
    ) -> bytes:
        """Enter a market order, or another one without a price."""
        return self.do(
            c.EnterOrder(
                account_id=AccountId(int(side)),
                symbol_id=SymbolId(symbol_id),
                side=side,
                order_type=order_type,
                time_in_force=time_in_force,
                quantity=Quantity(quantity),
            )
        )

    def stop(
        self,
        side: Side,
        quantity: int,
        symbol_id: int,
        order_type: OrderType = OrderType.STOP_LIMIT,
        **terms: int,
    ) -> bytes:
        """Enter a stop order, one with a limit shown in parts."""
        limited = (
            {"price": Price(1_000_000), "display_quantity": 100} if order_type is OrderType.STOP_LIMIT else {}
        )
        return self.do(
            c.EnterSpecialOrder(
                **{
                    "account_id": AccountId(int(side)), "symbol_id": SymbolId(symbol_id), "side": side,
                    "order_type": order_type, "time_in_force": TimeInForce.GTC, "quantity": Quantity(quantity),
                    **limited, **terms,
                }
            )
        )  # fmt: skip

    def trade(self, price: int, quantity: int = 100, symbol_id: int = 1) -> bytes:
        """Let a buy meet a sell of the same price and quantity."""
        return self.limit(Side.SELL, price, quantity, symbol_id) + self.limit(
            Side.BUY, price, quantity, symbol_id
        )

    def bust(self, match_id: int) -> bytes:
        """Bust a trade."""
        return self.do(c.BustTrade(**self._facts(match_id), ruling_id=9, reason=BustReason.ERRONEOUS))

    def correct(self, match_id: int, price: int, quantity: int) -> bytes:
        """Correct a trade."""
        return self.do(
            c.CorrectTrade(
                **self._facts(match_id),
                ruling_id=9,
                reason=BustReason.ERRONEOUS,
                new_price=Price(price),
                new_quantity=Quantity(quantity),
            )
        )

    def random_batches(self, count: int, size: int = 20) -> list[bytes]:
        """Return the events of this many batches of random commands, one command after the other."""
        return [b"".join(self.random_events() for _ in range(size)) for _ in range(count)]

    def random_events(self) -> bytes:
        """Do something that a market sees; return its events."""
        random = self.random
        self.prevented_left -= 1
        if not self.prevented_left:
            return self._set_group(0, SelfTradeMode.NONE)
        choice = random.random()
        if choice < 0.55 or not self.live:
            return self._random_order()
        if choice < 0.7:
            return self.do(
                c.CancelOrder(order_id=OrderId(random.choice(self.live)), participant_id=ParticipantId(0))
            )
        if choice < 0.88:
            change = c.AmendOrder if random.random() < 0.6 else c.ReplaceOrder
            return self.do(
                change(
                    order_id=OrderId(random.choice(self.live)),
                    participant_id=ParticipantId(0),
                    quantity=Quantity(random.randint(1, 6) * 100),
                    price=Price(1_000_000 + random.randint(-10, 10) * 100),
                )
            )
        if choice < 0.94 and self.trades:
            return self._random_ruling()
        if choice < 0.97:
            account = AccountId(random.randint(0, 2))
            return self.do(c.CancelOrders(participant_id=ParticipantId(0), account_id=account))
        return self._random_operation()

    def _random_order(self) -> bytes:
        random = self.random
        side = random.choice(list(Side))
        symbol_id = random.randint(1, len(SYMBOLS))
        if random.random() < 0.1:
            return self.market(side, random.randint(1, 6) * 100, symbol_id)
        away = random.randint(-4, 10) * 100
        price = 1_000_000 - away if side == Side.BUY else 1_000_000 + away
        quantity = random.randint(1, 5) * 100
        if random.random() < 0.3:
            return self._random_special_order(side, price, quantity, symbol_id)
        in_force = random.choice([tif for tif in TimeInForce if tif != TimeInForce.GTD])
        may_post = in_force in (TimeInForce.DAY, TimeInForce.GTC) and random.random() < 0.2
        flags = int(OrderFlag.POST_ONLY) if may_post else 0
        return self.limit(side, price, quantity, symbol_id, in_force, flags)

    def _random_special_order(self, side: Side, price: int, quantity: int, symbol_id: int) -> bytes:
        """Enter an order that is shown in parts or not at all, has a minimum, an end, or is repriced."""
        match self.random.randint(0, 8):
            case 7:
                stop_price = price + (500 if side == Side.BUY else -500)
                return self.stop(side, quantity, symbol_id, stop_price=stop_price)
            case 8:
                return self.stop(side, quantity, symbol_id, OrderType.STOP, price=0, trail_amount=300)
            case 0 | 1:
                return self.limit(side, price, quantity, symbol_id, display_quantity=50)
            case 2:
                return self.limit(side, price, quantity, symbol_id, flags=OrderFlag.HIDDEN)
            case 3:
                return self.limit(side, price, quantity, symbol_id, minimum_quantity=100)
            case 4:
                ends_ns = self.time_ns + 30 * self.step_ns
                return self.limit(side, price, quantity, symbol_id, TimeInForce.GTD, expires_ns=ends_ns)
            case 5:
                flags = OrderFlag.POST_ONLY | OrderFlag.REPRICE
                return self.limit(side, price, quantity, symbol_id, flags=flags)
            case _:
                return self.market(side, quantity, symbol_id, OrderType.MARKET_TO_LIMIT, TimeInForce.DAY)

    def _random_ruling(self) -> bytes:
        match_id = self.random.choice(list(self.trades))
        if self.random.random() < 0.6:
            return self.bust(match_id)
        trade = self.trades[match_id]
        return self.correct(match_id, 1_000_000 + self.random.randint(-9, 9) * 100, trade.quantity)

    def _random_operation(self) -> bytes:
        choice = self.random.random()
        symbol_id = SymbolId(self.random.randint(1, len(SYMBOLS)))
        if choice < 0.08:
            self.prevented_left = PREVENTED_STEPS
            return self._set_group(1, self.random.choice([mode for mode in SelfTradeMode if mode]))
        if choice < 0.15:
            return self.do(c.Tick())
        if choice < 0.3:
            date = max(self.venue.business_date, DATE) + 1
            return self.do(c.StartBusinessDay(date=date))
        if choice < 0.6:
            return self.do(c.SetReferencePrice(symbol_id=symbol_id, reference_price=Price(1_000_100)))
        suspend = c.SetSymbolState(symbol_id=symbol_id, state=SymbolState.SUSPENDED, reason="news")
        return self.do(suspend, c.SetSymbolState(symbol_id=symbol_id, state=SymbolState.ACTIVE))

    def _set_group(self, group: int, mode: SelfTradeMode) -> bytes:
        """Put both members, each of which has one side, into a self-trade group, or with 0 into none."""
        members = (ParticipantId(1), ParticipantId(2))
        return self.do(
            *(c.SetSelfTradePrevention(participant_id=member, group=group, mode=mode) for member in members)
        )

    def _facts(self, match_id: int) -> dict[str, int]:
        trade = self.trades[match_id]
        buys = trade.taker_side == Side.BUY
        return {
            "match_id": MatchId(match_id),
            "symbol_id": trade.symbol_id,
            "price": trade.price,
            "quantity": trade.quantity,
            "buy_account_id": trade.taker_account_id if buys else trade.maker_account_id,
            "sell_account_id": trade.maker_account_id if buys else trade.taker_account_id,
            "buy_order_id": trade.taker_order_id if buys else trade.maker_order_id,
            "sell_order_id": trade.maker_order_id if buys else trade.taker_order_id,
            "executed_ns": TimeNs(trade.time_ns),
        }

    def _note(self, event: e.Event) -> None:
        match event:
            case e.OrderAccepted():
                self.live.append(event.order_id)
            case e.OrderReplaced():
                self.live.append(event.new_order_id)
            case e.TradeExecuted():
                self.trades[public_id(event.partition, event.sequence)] = event
            case e.TradeBusted():
                del self.trades[event.match_id]
        if len(self.live) > 60:
            self.live = [order_id for order_id in self.live if self.venue.order(order_id)]
