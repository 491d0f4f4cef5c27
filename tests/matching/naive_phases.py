"""Phases, schedule, halts and auctions in the naive model: rulebook 5."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain.order import CancelReason, OrderType, Side, TimeInForce
from exchange.domain.phase import Phase, PhaseCause
from exchange.domain.reasons import Reason
from exchange.domain.units import PRICE_MAX
from tests.matching.naive_books import BPS
from tests.matching.naive_pegs import NaivePegs
from tests.matching.naive_values import Fact, Order, Symbol

DAY_NS = 86_400_000_000_000
BEFORE_OPEN = (Phase.PRE_OPEN, Phase.OPENING_AUCTION, Phase.OPENING_NO_CANCEL)
BEFORE_CLOSE = (Phase.CLOSING_AUCTION, Phase.CLOSING_NO_CANCEL)
AFTER_HALT = (Phase.HALTED, Phase.REOPENING_AUCTION)
CALLED = (Phase.REOPENING_AUCTION, Phase.VOLATILITY_AUCTION)
NO_CANCEL = (Phase.OPENING_NO_CANCEL, Phase.CLOSING_NO_CANCEL)
GATHERING = (*BEFORE_OPEN, *BEFORE_CLOSE, *CALLED)
INDICATED = (Phase.OPENING_AUCTION, Phase.OPENING_NO_CANCEL, *BEFORE_CLOSE, *CALLED)
SETTABLE = (Phase.CONTINUOUS, *BEFORE_OPEN, *BEFORE_CLOSE, Phase.POST_CLOSE, Phase.CLOSED)
OPENING, CLOSING, REOPENING, VOLATILITY = "OCHV"
FOR_ONE = {TimeInForce.AT_THE_OPEN: OPENING, TimeInForce.AT_THE_CLOSE: CLOSING}


class NaivePhases(NaivePegs):
    """Knows where the market stands, and the schedule: (time, symbol or 0 for all, phase)."""

    def __init__(self, accounts: dict[int, int], symbols: dict[int, Symbol]) -> None:
        super().__init__(accounts, symbols)
        self.market_phase = Phase.CONTINUOUS
        self.market_scheduled = Phase.CONTINUOUS
        self.schedule: list[tuple[int, int, Phase]] = []

    def _listed(self, symbol: int) -> list[int]:
        return [symbol] if symbol else sorted(self.symbols)

    # --- 5.2 commands and schedule -------------------------------------------------------------------

    def set_phase(self, command: c.SetPhase) -> Reason | None:
        """Begin a phase by hand."""
        symbol = self.symbols.get(command.symbol_id)
        if command.symbol_id and not symbol:
            return Reason.UNKNOWN_SYMBOL
        if command.reason != command.reason.strip():
            return Reason.NAME_INVALID
        if command.phase not in SETTABLE or (symbol and symbol.phase == command.phase):
            return Reason.PHASE_INVALID
        if symbol and symbol.suspended:
            return Reason.SYMBOL_SUSPENDED
        if symbol and symbol.phase == Phase.HALTED:
            return Reason.SYMBOL_HALTED
        self._lead(command.symbol_id, Phase(command.phase), PhaseCause.OPERATOR)
        return None

    def schedule_phase(self, command: c.SchedulePhase) -> Reason | None:
        """Take a row into the schedule; the end of a random time is drawn from the seed."""
        if command.symbol_id not in (0, *self.symbols):
            return Reason.UNKNOWN_SYMBOL
        if command.phase not in SETTABLE:
            return Reason.PHASE_INVALID
        if not self.now < command.at_ns < 2**63 or command.random_ns_max > DAY_NS:
            return Reason.PHASE_TIME_INVALID
        at = command.at_ns + splitmix(command.seed) % (command.random_ns_max + 1)
        self.schedule.append((at, command.symbol_id, Phase(command.phase)))
        return None

    def clear_schedule(self, symbol: int) -> Reason | None:
        """Take rows back."""
        if symbol not in (0, *self.symbols):
            return Reason.UNKNOWN_SYMBOL
        kept = [row for row in self.schedule if symbol not in (0, row[1])]
        self.said.append(("cleared", len(self.schedule) - len(kept)))
        self.schedule = kept
        return None

    def set_collar(self, command: c.SetAuctionTerms) -> Reason | None:
        """Set how far an auction's price may be, and how often it waits."""
        no_time = command.extensions_max > 0 and command.extension_ns == 0
        too_much = command.collar_bps > 10_000 or command.extensions_max > 20 or command.extension_ns > DAY_NS
        if command.symbol_id not in self.symbols:
            return Reason.UNKNOWN_SYMBOL
        if no_time or too_much:
            return Reason.AUCTION_TERMS_INVALID
        symbol = self.symbols[command.symbol_id]
        symbol.collar_bps, symbol.extension_ns = command.collar_bps, command.extension_ns
        symbol.extensions_max = command.extensions_max
        return None

    def _lead(self, symbol_id: int, phase: Phase, cause: PhaseCause) -> None:
        """Let the schedule get to a phase, for a symbol or all; those go there that nothing holds up."""
        if not symbol_id:
            self.market_scheduled = phase
            self.market_phase = Phase.HALTED if self.market_phase == Phase.HALTED else phase
            self.said.append(("phase", 0, self.market_phase, cause, 0))
        for number in self._listed(symbol_id):
            symbol = self.symbols[number]
            symbol.scheduled = phase
            waits = cause == PhaseCause.SCHEDULE and symbol.ends and phase not in GATHERING
            if not symbol.suspended and symbol.phase not in (Phase.HALTED, phase) and not waits:
                self._enter(number, phase, cause, by_hand=cause == PhaseCause.OPERATOR)

    def list_symbol(self, command: c.AddSymbol) -> None:
        """List a symbol; it begins where the market stands."""
        number = len(self.symbols) + 1
        symbol = Symbol(
            command.round_lot, ticks_of(command), [command.reference_price], [command.symbol], command.state == 2
        )  # fmt: skip
        self.symbols[number] = symbol
        symbol.scheduled = self.market_scheduled
        phase, cause, ends = self.where_it_begins()
        if phase != Phase.CONTINUOUS:
            self.begin(number, phase, cause, ends)

    def where_it_begins(self) -> tuple[Phase, PhaseCause, int]:
        """Return the phase of a symbol that is listed, why, and when that ends."""
        return self.market_phase, PhaseCause.LISTING, 0

    def configure(self, command: c.ConfigureSymbol) -> None:
        """Change the terms of a listed symbol; what rests stays as it is."""
        number, symbol = next(row for row in self.symbols.items() if row[1].tickers[-1] == command.symbol)
        symbol.lot = command.round_lot or symbol.lot
        symbol.ticks = ticks_of(command) or symbol.ticks
        if command.reference_price:
            symbol.history.append(command.reference_price)
        self.set_suspended(number, command.state == 2 if command.state else symbol.suspended)

    # --- 5.9 halts -----------------------------------------------------------------------------------

    def halt(self, command: c.HaltTrading) -> Reason | None:
        """Halt a symbol or all."""
        if command.symbol_id not in (0, *self.symbols):
            return Reason.UNKNOWN_SYMBOL
        if command.symbol_id and self.symbols[command.symbol_id].phase == Phase.HALTED:
            return Reason.NOT_HALTED
        if not command.symbol_id:
            self.market_phase = Phase.HALTED
            self.said.append(("phase", 0, Phase.HALTED, PhaseCause.HALT, 0))
        for number in self._listed(command.symbol_id):
            if self.symbols[number].phase != Phase.HALTED:
                self.begin(number, Phase.HALTED, PhaseCause.HALT)
        return None

    def resume(self, command: c.ResumeTrading) -> Reason | None:
        """End a halt: by a call and an auction, at once, or where the schedule has got."""
        symbol = self.symbols.get(command.symbol_id)
        if command.symbol_id and not symbol:
            return Reason.UNKNOWN_SYMBOL
        if max(command.call_ns, command.random_ns_max) > DAY_NS:
            return Reason.PHASE_TIME_INVALID
        if symbol and symbol.phase != Phase.HALTED:
            return Reason.NOT_HALTED
        if symbol and symbol.suspended:
            return Reason.SYMBOL_SUSPENDED
        if not symbol:
            self.market_phase = self.market_scheduled
            self.said.append(("phase", 0, self.market_phase, PhaseCause.RESUMPTION, 0))
        for number in self._listed(command.symbol_id):
            symbol = self.symbols[number]
            if symbol.phase != Phase.HALTED or symbol.suspended:
                continue
            ends = self.now + command.call_ns + splitmix(command.seed) % (command.random_ns_max + 1)
            if symbol.scheduled == Phase.CONTINUOUS and command.call_ns:
                self.begin(number, Phase.REOPENING_AUCTION, PhaseCause.RESUMPTION, ends)
            else:
                self._enter(number, symbol.scheduled, PhaseCause.RESUMPTION, by_hand=True)
        return None

    def set_suspended(self, number: int, suspended: bool) -> None:
        """Suspend a symbol, or let it go to where the schedule has got."""
        symbol = self.symbols[number]
        symbol.suspended = suspended
        if not suspended and symbol.phase not in (Phase.HALTED, symbol.scheduled) and not symbol.ends:
            self._enter(number, symbol.scheduled, PhaseCause.RESUMPTION)

    # --- time ----------------------------------------------------------------------------------------

    def begin_due_phases(self) -> None:
        """Begin what is due, moment by moment; before each moment all else that ends by then. Rulebook 5.2."""
        while due := [at for at in self.moments() if at <= self.now]:
            moment = min(due)
            self.end_what_is_due(moment)
            for number in sorted(n for n, symbol in self.symbols.items() if 0 < symbol.ends <= moment):
                self.symbols[number].ends = 0
                if not self.symbols[number].suspended:
                    self._enter(number, self.symbols[number].scheduled, PhaseCause.TIME_OVER)
            while rows := sorted(row for row in self.schedule if row[0] <= moment):
                self.schedule.remove(rows[0])
                self._lead(rows[0][1], rows[0][2], PhaseCause.SCHEDULE)
            self.end_limits(moment)

    def moments(self) -> list[int]:
        """List when something is due."""
        return [row[0] for row in self.schedule] + [s.ends for s in self.symbols.values() if s.ends]

    def end_limits(self, moment: int) -> None:
        """Do what price limits ask of time; bands know what."""

    def end_what_is_due(self, until: int) -> None:
        """End orders, timers and dates; the venue knows how."""
        raise NotImplementedError

    # --- 5.3 from phase to phase ---------------------------------------------------------------------

    def _enter(self, number: int, phase: Phase, cause: PhaseCause, *, by_hand: bool = False) -> None:
        """Go to a phase, by an auction where one stands between."""
        symbol = self.symbols[number]
        auction = auction_between(symbol.phase, phase)
        if not auction:
            self.begin(number, phase, cause)
            return
        price, volume, surplus = self.find_price(number, auction)
        is_checked = not by_hand and symbol.phase in GATHERING
        if is_checked and self.goes_on(number, auction, price, volume, surplus):
            return
        width = self.reference(number) * symbol.collar_bps * (1 + symbol.extensions) // BPS
        lowest, highest = (
            max(self.reference(number) - width, 0),
            min(self.reference(number) + width, PRICE_MAX),
        )
        may_wait = is_checked and symbol.extensions < symbol.extensions_max
        if may_wait and volume and symbol.collar_bps and not lowest <= price <= highest:
            symbol.extensions += 1
            symbol.ends = self.now + symbol.extension_ns
            self.said.append(("extended", number, price, lowest, highest, symbol.extensions, symbol.ends))
            return
        self._uncross(number, auction, price, volume, surplus)
        self.begin(number, phase, cause, price=price)
        if phase == Phase.CONTINUOUS and volume:
            self.wake(number, price)
            self.let_woken_come_in()

    def begin(self, number: int, phase: Phase, cause: PhaseCause, ends: int = 0, *, price: int = 0) -> None:
        """Begin a phase. price: of the auction before, 0 for none."""
        symbol = self.symbols[number]
        symbol.phase, symbol.ends, symbol.extensions, symbol.indicated = phase, ends, 0, ()
        self.said.append(("phase", number, phase, cause, ends))
        if phase != Phase.CONTINUOUS:
            self.park(number)
        self.follow_phase(number, price)

    def follow_phase(self, number: int, price: int) -> None:
        """Let price limits begin or end with a phase; bands and corridors know how."""

    def goes_on(self, number: int, auction: str, price: int, volume: int, surplus: int) -> bool:
        """Let the auction after a pause of bands wait for another price; tell whether it does."""
        return False

    # --- 5.4 price -----------------------------------------------------------------------------------

    def participants(self, number: int, side: int, auction: str) -> list[Order]:
        """Rulebook 5.5: who takes part, who trades first first."""
        shown = [o for o in self.resting(number, side) if not o.hidden]
        hidden = [o for o in self.resting(number, side) if o.hidden]
        alone = [
            o for o in self.auction_only(number, side) if FOR_ONE.get(TimeInForce(o.tif), auction) == auction
        ]
        everybody = [o for o in (*shown, *alone, *hidden) if not o.minimum]
        by_market = [o for o in everybody if o.type == OrderType.MARKET]
        by_price = sorted(
            (o for o in everybody if o.price), key=lambda o: -o.price if side == Side.BUY else o.price
        )
        return by_market + by_price

    def find_price(self, number: int, auction: str, *, alone: bool = False) -> tuple[int, int, int]:
        """Return price, volume and what is left over, below 0 of sales. alone: of orders for this auction only."""
        reference = self.reference(number)
        buys, sells = (self.participants(number, side, auction) for side in Side)
        if alone:
            buys, sells = ([o for o in orders if o.for_auction] for orders in (buys, sells))
        ends = []
        for price in {o.price for o in (*buys, *sells) if o.price} | {reference}:
            bought = sum(o.left for o in buys if not o.price or o.price >= price)
            sold = sum(o.left for o in sells if o.price <= price)
            ends.append((price, min(bought, sold), bought - sold))
        ends = [end for end in ends if end[1] == max(volume for _, volume, _ in ends)]
        if ends[0][1] == 0:
            return 0, 0, next(surplus for price, _, surplus in ends if price == reference)
        ends = [end for end in ends if abs(end[2]) == min(abs(surplus) for _, _, surplus in ends)]
        if all(surplus > 0 for _, _, surplus in ends):
            return max(ends)
        if all(surplus < 0 for _, _, surplus in ends):
            return min(ends)
        return min(ends, key=lambda end: abs(end[0] - reference))

    def indicate(self) -> None:
        """Tell how auctions would end, where that is not what was told last. Rulebook 5.7."""
        for number, symbol in sorted(self.symbols.items()):
            auction = auction_between(symbol.phase, Phase.CONTINUOUS)
            if symbol.phase not in INDICATED or not auction:
                continue
            price, volume, surplus = self.find_price(number, auction)
            far, _, _ = self.find_price(number, auction, alone=True)
            told = ("indicated", number, auction, price, far, self.reference(number), volume, *over(surplus))
            if told != symbol.indicated:
                symbol.indicated = told
                self.said.append(told)

    # --- 5.5 trades ----------------------------------------------------------------------------------

    def _uncross(self, number: int, auction: str, price: int, volume: int, surplus: int) -> None:
        reference = self.reference(number)
        self.said.append(("auction", number, auction, price, reference, volume, *over(surplus)))
        buys, sells = (self.participants(number, side, auction) for side in Side)
        while volume:
            buy, sell = (next(o for o in orders if o.live) for orders in (buys, sells))
            quantity = min(buy.in_queue, sell.in_queue, volume)
            maker, taker = (buy, sell) if buy.id < sell.id else (sell, buy)
            self.exchange(maker, taker, price, quantity, reference, auction=True)
            taker.shown -= quantity
            self.note_trade(maker, taker)
            for order in (buy, sell):
                self.refresh(order)
            volume -= quantity
            if not volume:
                self.note_decline(number, price)
        for side in Side:
            for order in self.auction_only(number, side):
                if FOR_ONE.get(TimeInForce(order.tif), auction) == auction:
                    self.kill([order], CancelReason.AUCTION_ENDED)


def auction_between(old: Phase, new: Phase) -> str:
    """Rulebook 5.3: the auction that stands between two phases, empty for none."""
    if new == Phase.CONTINUOUS:
        if old == Phase.VOLATILITY_AUCTION:
            return VOLATILITY
        return CLOSING if old in BEFORE_CLOSE else REOPENING if old in AFTER_HALT else OPENING
    return CLOSING if old in BEFORE_CLOSE and new in (Phase.POST_CLOSE, Phase.CLOSED) else ""


def ticks_of(command: c.AddSymbol | c.ConfigureSymbol) -> list[tuple[int, int]]:
    """Return (from this price, tick) of each row."""
    return [(row.from_price, row.tick) for row in command.ticks]


def over(surplus: int) -> Fact:
    """Return what is left over and on which side, 0 for none."""
    return abs(surplus), 0 if not surplus else Side.BUY if surplus > 0 else Side.SELL


def splitmix(seed: int) -> int:
    """Draw from a seed as the venue does: SplitMix64, by Steele, Lea and Flood."""
    state = (seed + 0x9E3779B97F4A7C15) % 2**64
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    state = (state ^ state >> 27) * 0x94D049BB133111EB % 2**64
    return state ^ state >> 31
