"""Rules of the Hypothesis machine that lead a market through price limits and the breaker: rulebook 7."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from exchange.domain import commands as c
from exchange.domain.order import OrderFlag, OrderType, Side, TimeInForce
from exchange.domain.phase import Phase
from exchange.domain.symbol import SymbolState, TickRow
from tests.matching.desk import Desk
from tests.matching.naive_bands import Bands
from tests.matching.naive_model import NaiveVenue
from tests.matching.small_world import (
    SECOND_NS,
    change_limits,
    eight_bytes,
    enter_for_auction,
    enter_special,
    enter_stop,
    pick,
)
from tests.matching.tight_limits import sane

STEPS_NS = tuple(seconds * SECOND_NS for seconds in (15, 15, 30, 30, 60, 300, 7, 1_800))
QUARTER_NS = 15 * SECOND_NS
AWAY = (0, 0, 0, 50, 100, 300, -50, -100, -300, 1_000, -1_000, 2_000)
"""How far beyond a limit an order is priced; below 0 inside."""
REFERENCES = (100_000, 100_000, 100_000, 31_000, 29_900, 20_000, 7_600, 7_400, 600, 60)
"""Of every row of the table of bands, and beside its borders."""
LIVES = (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)
FLAGS = (*(0,) * 8, OrderFlag.HIDDEN.value, OrderFlag.ALL_OR_NONE.value, OrderFlag.POST_ONLY.value)
SYMBOLS_MAX = 4
INDEX_LEVELS = (1_000, 931, 930, 930, 870, 869, 801, 800, 0, 2**53 + 1)


class PriceLimitRules(RuleBasedStateMachine):
    """Each rule draws bytes, makes commands of them, and tells matcher and model, which the machine has."""

    desk: Desk
    naive: NaiveVenue
    date: int

    def tell(self, command: c.Command) -> None:
        """Tell both a command."""
        raise NotImplementedError

    def restart(self) -> None:
        """Restore the venue from its snapshot."""
        raise NotImplementedError

    @rule(eight=eight_bytes)
    def change_limits(self, eight: bytes) -> None:
        """Give a symbol bands, a corridor or nothing; or something of the breaker."""
        self.tell(change_limits(eight))

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=8), eight=eight_bytes)
    def reach_bands(self, drawn: list[bytes], eight: bytes) -> None:
        """Trade at the bands and beyond, and let time pass between."""
        number = self.with_bands(eight)
        for each in drawn:
            self.tell(self.at_a_limit(each, number))
            if each[7] % 3 == 0:
                self.wait(pick(STEPS_NS[:5], each[6]))

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=8), eight=eight_bytes)
    def trade_inside(self, drawn: list[bytes], eight: bytes) -> None:
        """Let pairs of orders trade inside the limits, so that a mean moves the bands; restart on the way, mostly."""
        number = self.with_bands(eight)
        waits = self.at_a_limit(eight, number)
        if isinstance(waits, c.EnterOrder):
            flags = OrderFlag.ALL_OR_NONE.value
            waits = msgspec.structs.replace(waits, flags=flags, quantity=400, time_in_force=TimeInForce.DAY)
        self.tell(waits)
        for each in drawn:
            price = self.inside(number, each)
            for side in pick((tuple(Side), tuple(Side)[::-1]), each[0]):
                self.tell(limit_order(each, number, side, price))
            self.wait(pick(STEPS_NS, each[6]))
            if each[7] % 8 == 0:
                self.restart()

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=6), eight=eight_bytes)
    def pause(self, drawn: list[bytes], eight: bytes) -> None:
        """Stay at a band until trading pauses, let orders gather beyond the collar, and let the time be over."""
        number = self.with_bands(eight)
        bands = self.naive.bands.get(number)
        side = pick(tuple(Side), eight[2])
        if bands:
            at = bands.upper if side == Side.BUY else bands.lower
            self.tell(limit_order(eight, number, side, at))
        self.wait(SECOND_NS * pick((15, 15, 15, 14), eight[3]))
        if eight[4] % 4 == 0:
            self.restart()
        for each in drawn:
            self.tell(self.for_the_auction(each, number, side, bands))
        self._end_pause(eight, number, bands)

    def _end_pause(self, eight: bytes, number: int, bands: Bands | None) -> None:
        match eight[5] % 8:
            case 0:
                self.tell(c.SetPhase(symbol_id=number, phase=Phase.CONTINUOUS))
            case 1:
                close = c.SchedulePhase(
                    symbol_id=pick((0, number), eight[6]), phase=pick((Phase.CLOSING_AUCTION, Phase.CLOSED), eight[7]),
                    at_ns=self.desk.time_ns + 200 * SECOND_NS,
                )  # fmt: skip
                self.tell(close)
            case 2:
                self.tell(c.HaltTrading(symbol_id=number, reason="pause"))
            case 3:
                self.tell(c.SetSymbolState(symbol_id=number, state=SymbolState.SUSPENDED))
        for _ in range(1 + eight[6] % 4):
            self.wait(300 * SECOND_NS)
            if eight[7] % 4 == 0:
                self.restart()
        self.tell(c.SetSymbolState(symbol_id=number, state=SymbolState.ACTIVE))

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=8), eight=eight_bytes)
    def leave_a_corridor(self, drawn: list[bytes], eight: bytes) -> None:
        """Trade at the edges of a corridor and beyond, with stop orders, and let the auction come to its end."""
        number = pick((1, 1, 2), eight[0])
        if number not in self.naive.corridors or eight[1] % 4 == 0:
            self.tell(
                c.SetPriceCorridor(
                    symbol_id=number, dynamic_bps=pick((100, 20, 300, 0), eight[2]),
                    static_bps=pick((200, 0, 500, 50), eight[3]), call_ns=pick((60, 1, 120), eight[4]) * SECOND_NS,
                    random_ns_max=pick((0, 30 * SECOND_NS), eight[5]), seed=eight[6] << 56 | eight[7],
                )
            )  # fmt: skip
        for each in drawn:
            make = pick((self.at_a_limit, self.at_a_limit, self.at_a_limit, self.stop_near), each[7])
            self.tell(make(each, number))
            if each[7] % 8 == 5:
                self.restart()
        for each in drawn[: eight[1] % 3]:
            self.tell(self.at_a_limit(each, number))
        self.wait(pick((60, 90, 150, 150), eight[0]) * SECOND_NS)

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=6), eight=eight_bytes)
    def change_at_a_limit(self, drawn: list[bytes], eight: bytes) -> None:
        """Change and cancel live orders of a symbol that has limits."""
        number = pick((1, 2), eight[0])
        if eight[1] % 4 == 0 and not self.naive.price_limits(number):
            number = self.with_bands(eight)
        for each in drawn:
            live = [order for order in self.naive.orders if order.live and order.symbol == number]
            order: c.Command = self.at_a_limit(each, number)
            if live and each[7] % 4:
                at = pick(live, each[6])
                if each[7] % 4 == 1:
                    order = c.CancelOrder(order_id=at.id, participant_id=0)
                elif isinstance(order, c.EnterOrder):
                    order = c.AmendOrder(
                        order_id=at.id, participant_id=0, price=order.price, quantity=order.quantity
                    )
            self.tell(order)

    @rule(drawn=st.lists(eight_bytes, min_size=2, max_size=6), eight=eight_bytes)
    def act_within_limits(self, drawn: list[bytes], eight: bytes) -> None:
        """Let a corporate action move the limits of a symbol that is suspended, trading or in a pause, or halted."""
        number = self.with_bands(eight)
        for each in drawn:
            self.tell(self.at_a_limit(each, number))
        if eight[2] % 2:
            self.wait(pick((15, 30, 0), eight[2] // 2) * SECOND_NS)
        if eight[3] % 4 < 2:
            self.tell(c.SetSymbolState(symbol_id=number, state=SymbolState.SUSPENDED))
        elif eight[3] % 4 == 2:
            self.tell(c.HaltTrading(symbol_id=number, reason="action"))
        new, old = pick(((2, 1), (1, 2), (3, 2)), eight[4])
        action: c.Command = c.SplitSymbol(symbol_id=number, new_shares=new, old_shares=old)
        if eight[5] % 2:
            action = c.PayDividend(symbol_id=number, amount=pick((100, 5_000, 250), eight[6]))
        self.tell(action)
        if eight[7] % 2:
            self.wait(pick((30, 300), eight[7] // 2) * SECOND_NS)
        self.tell(c.SetSymbolState(symbol_id=number, state=SymbolState.ACTIVE))
        self.tell(c.ResumeTrading(symbol_id=number, call_ns=0))

    @rule(eight=eight_bytes)
    def draw_near_the_close(self, eight: bytes) -> None:
        """Schedule an end of continuous trading before which bands are doubled, and the breaker is late."""
        if eight[0] % 4 == 3:
            self.tell(c.ClearSchedule(symbol_id=0))
            return
        minutes = pick((20, 24, 26, 34, 36), eight[1])
        self.tell(
            c.SchedulePhase(
                symbol_id=pick((0, 0, 1, 2), eight[2]), at_ns=self.desk.time_ns + minutes * 60 * SECOND_NS,
                phase=pick((Phase.CLOSING_AUCTION, Phase.CLOSED, Phase.CONTINUOUS), eight[3]),
            )
        )  # fmt: skip
        if eight[5] % 2:
            self.tell(c.SetPriceBands(symbol_id=pick((1, 2), eight[6]), tier=pick((1, 2), eight[7])))
        self.wait(pick((30, 60, 180, 1_800), eight[4]) * SECOND_NS)

    @rule(drawn=st.lists(eight_bytes, min_size=1, max_size=4), eight=eight_bytes)
    def let_the_market_fall(self, drawn: list[bytes], eight: bytes) -> None:
        """Report levels of an index, trade between, and let the halt come to its end."""
        if not self.naive.index or eight[0] % 8 == 0:
            self.tell(c.SetMarketBreaker(close_level=pick((1_000, 1_000, 1_000, 0, 2**53 + 1), eight[1])))
        if eight[2] % 4:
            self.tell(c.ResumeTrading(symbol_id=0, call_ns=0))
            self.tell(c.SetPhase(symbol_id=0, phase=Phase.CONTINUOUS))
        for each in drawn:
            close = self.naive.index[0] if self.naive.index else 1_000
            level = pick(INDEX_LEVELS, each[0])
            self.tell(c.ReportIndexLevel(level=level * close // 1_000 if level <= 1_000 else level))
            self.tell(msgspec.structs.replace(sane(each), client_order_id=""))
            if each[2] % 4 == 0 and len(self.naive.symbols) < SYMBOLS_MAX:
                ticker = f"NEW{len(self.naive.symbols)}"
                self.tell(
                    c.AddSymbol(symbol=ticker, name="New", reference_price=100_000, ticks=(TickRow(0, 100),))
                )
            self.wait(pick((1, 60, 900), each[1]) * SECOND_NS)
        if eight[3] % 4 == 0:
            self.restart()
        if eight[4] % 4 == 0:
            self.date += 10_000
            self.tell(c.StartBusinessDay(date=self.date, ends_ns=self.desk.time_ns + 3_600 * SECOND_NS))

    # --- what they share -----------------------------------------------------------------------------

    def wait(self, ns: int) -> None:
        """Let time pass, and tell both."""
        self.desk.time_ns += ns
        self.naive.now = self.desk.time_ns
        self.tell(c.Tick())

    def with_bands(self, eight: bytes) -> int:
        """Return a symbol that has bands, mostly, and trades."""
        number = pick((1, 1, 2), eight[0])
        self.tell(c.SetSymbolState(symbol_id=number, state=SymbolState.ACTIVE))
        if number not in self.naive.bands or eight[1] % 8 == 0:
            if eight[1] % 16 < 4:
                price = self.naive.symbols[number].tick_down(pick(REFERENCES, eight[7]))
                self.tell(c.SetReferencePrice(symbol_id=number, reference_price=price))
            self.tell(c.SetPriceBands(symbol_id=number, tier=pick((1, 1, 2), eight[6])))
        if eight[1] % 4 < 3:
            self.tell(c.ResumeTrading(symbol_id=number, call_ns=0))
            self.tell(c.SetPhase(symbol_id=number, phase=Phase.CONTINUOUS))
        return number

    def inside(self, number: int, eight: bytes) -> int:
        """Return a price inside the limits, on a tick."""
        reference, lowest, highest, *_ = self.naive.price_limits(number) or (100_000, 99_000, 101_000)
        price = int(str(lowest)) + (int(str(highest)) - int(str(lowest))) * (eight[1] % 9) // 8
        return self.naive.symbols[number].tick_down(price if eight[2] % 4 else int(str(reference)) or price)

    def at_a_limit(self, eight: bytes, number: int) -> c.Command:
        """Enter an order at a limit, beyond it or a little inside."""
        limits: Any = self.naive.price_limits(number) or (100_000, 99_000, 101_000)
        side = pick(tuple(Side), eight[0])
        low, high, away = limits[1], limits[2], pick(AWAY, eight[1])
        symbol = self.naive.symbols[number]
        at_high = eight[2] % 4 < 2
        price = symbol.tick_down(max(high + away, 1)) if at_high else symbol.tick_up(max(low - away, 1))
        order = limit_order(eight, number, side, price)
        match eight[3] % 16:
            case 0:
                order_type, price = pick((OrderType.MARKET, OrderType.MARKET_TO_LIMIT), eight[5]), 0
                return msgspec.structs.replace(order, order_type=order_type, price=0)
            case 2 | 3:
                life = (self.desk.time_ns // QUARTER_NS + 1 + eight[5] % 3) * QUARTER_NS
                terms = msgspec.structs.asdict(order) | {"time_in_force": TimeInForce.GTD, "expires_ns": life}
                return c.EnterSpecialOrder(**terms)
            case 1:
                special: c.EnterOrder = enter_special(eight, self.desk.time_ns)
                return msgspec.structs.replace(
                    special, symbol_id=number, price=price and special.price and price
                )
            case _:
                tif = pick((TimeInForce.DAY, *LIVES), eight[5])
                return msgspec.structs.replace(order, time_in_force=tif, flags=pick(FLAGS, eight[6]))

    def stop_near(self, eight: bytes, number: int) -> c.Command:
        """Enter a stop order near the last price."""
        order: c.EnterOrder = enter_stop(eight, self.desk.time_ns)
        return msgspec.structs.replace(order, symbol_id=number)

    def for_the_auction(self, eight: bytes, number: int, side: Side, bands: Bands | None) -> c.Command:
        """Enter an order that makes the auction end inside its collar, beyond it, or leaves something at market."""
        match eight[3] % 8:
            case 0:
                return msgspec.structs.replace(enter_for_auction(eight), symbol_id=number)
            case 1 | 2:
                taker = limit_order(eight, number, side, 0)
                return msgspec.structs.replace(taker, order_type=OrderType.MARKET)
        low, high = bands.collar or (bands.lower, bands.upper) if bands else (99_000, 101_000)
        symbol, away = self.naive.symbols[number], pick((0, 100, 500, 3_000, -100, -100), eight[1])
        price = (
            symbol.tick_up(max(high + away, 1)) if side == Side.BUY else symbol.tick_down(max(low - away, 1))
        )
        return limit_order(eight, number, pick(tuple(Side), eight[2]), price)


def limit_order(eight: bytes, number: int, side: Side, price: int) -> c.EnterOrder:
    """Enter a limit order for the day."""
    return c.EnterOrder(
        account_id=1 + eight[4] % 4, symbol_id=number, side=side, order_type=OrderType.LIMIT, price=price,
        time_in_force=TimeInForce.DAY, quantity=4 * (1 + eight[5] % 4),
    )  # fmt: skip
