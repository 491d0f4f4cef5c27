"""`exchange demo --day`: a whole trading day in minutes, from the first order before the open to the close.

The day is the table `DAY`: at each moment somebody does something, and the market does the rest. What happens is told
from the engine's events, not from the table. A speed of 60 makes a minute of the market a second; at 0 nothing waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from typing import NamedTuple

from exchange.domain import commands as c
from exchange.domain.phase import AuctionKind, Phase, auction_of
from exchange.domain.symbol import Symbol
from exchange.domain.units import Price, SymbolId, format_price
from exchange.engine.bootstrap import MemberKey
from exchange.infra.config import Config
from exchange.infra.errors import InfraError
from exchange.launch import life
from exchange.launch.up import Embedded, up
from exchange.simulation.crowd import Crowd, Gathering
from exchange.simulation.day_log import DayLog
from exchange.simulation.house import House
from exchange.simulation.rest import RequestRefused, RestSession
from exchange.wire.rest.orders import NewOrder, Order
from exchange.wire.rest.texts import SIDES

MARKET = SymbolId(0)
PATIENCE_S = 60.0
"""How long is waited for what the market does by itself, such as the end of a phase or a bust."""
LOOK_EVERY_S = 0.02
SCHEDULED_S_LEAST = 1.0
"""The end of a call that comes sooner is not announced; it comes when its moment does."""
LEVELS = 1_000
ATTEMPTS_MAX = 100
"""So often at most a buyer comes back for what is still offered."""
WAVE = 12
"""Orders of a wave of the crowd, in each symbol."""


class Moment(NamedTuple):
    """at: the market's time of day; look: where the page shows it."""

    at: str
    what: str
    act: Callable[[Day], Awaitable[None]]
    look: str = ""

    @property
    def minute(self) -> int:
        """Return the minute of the day."""
        return int(self.at[:2]) * 60 + int(self.at[3:])


class Day:
    """A day under way. speed: how much faster than the market's clock it goes, 0 for without waiting."""

    def __init__(
        self, embedded: Embedded, house: House, seed: int, speed: float, say: Callable[[str], None]
    ) -> None:
        self.engine = embedded.engine
        self.venue = embedded.engine.venue
        self.house = house
        self.keys = embedded.keys
        self.symbols = house.symbols
        self.crowd = Crowd(seed)
        self.speed = speed
        self.minute = 0
        self.log = DayLog(self.venue.directory, say, self.clock)
        self._trading: asyncio.Task[None] | None = None
        self.engine.sequencer.subscribe(lambda batch: self.log.take(batch.events))

    def clock(self) -> str:
        """Write the market's time of day."""
        return f"{self.minute // 60:02d}:{self.minute % 60:02d}"

    async def run(self, moments: Iterable[Moment]) -> None:
        """Go through the day."""
        rows = sorted(moments, key=lambda moment: moment.minute)
        first, last = rows[0].minute, rows[-1].minute
        self.minute = first
        for moment in rows:
            await self._pass_until(moment.minute)
            self.log.headline(moment.what, moment.minute - first, last - first)
            if moment.look:
                self.log.write(f"  look at: {moment.look}")
            await moment.act(self)
        await self.stop_trading()

    async def _pass_until(self, minute: int) -> None:
        while self.minute < minute:
            if self.speed:
                await asyncio.sleep(60 / self.speed)
            self.minute += 1

    def seconds_until(self, at: str) -> float:
        """Return how long it takes until a time of the market's day."""
        minutes = int(at[:2]) * 60 + int(at[3:]) - self.minute
        return minutes * 60 / self.speed if self.speed else 0.0

    async def start_trading(self) -> None:
        """Let the house traders loose."""
        if self._trading is None:
            self._trading = asyncio.create_task(self.house.run())

    @property
    def is_trading(self) -> bool:
        """Tell whether the house traders are loose."""
        return self._trading is not None

    async def stop_trading(self) -> None:
        """Call the house traders back."""
        task, self._trading = self._trading, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def wait_for(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait for what the market does by itself. Raise `InfraError` where it does not."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            raise InfraError(f"the day stands still: {what} did not come within {PATIENCE_S:g} s") from None

    def phase_of(self, symbol: str) -> Phase:
        """Return the phase that a symbol is in."""
        listed = self.venue.directory.symbol_named(symbol)
        assert listed is not None, symbol
        return listed.phase

    def gathering(self, symbol: str, kind: AuctionKind) -> Gathering:
        """Say what the crowd must know of a symbol."""
        listed = self.venue.directory.symbol_named(symbol)
        assert listed is not None, symbol
        price = self.venue.reference_price(listed.symbol_id)
        return Gathering(symbol, price, listed.ticks.tick_at(price), listed.round_lot, kind)


# --- what is done at a moment ------------------------------------------------------------------------------------


def begin(phase: Phase, **announced: str) -> Callable[[Day], Awaitable[None]]:
    """Begin a phase; where it was announced, wait for it. announced: phases that come next, with their times."""

    async def act(day: Day) -> None:
        coming = [row.phase for row in day.venue.schedule() if row.symbol_id == MARKET]
        if phase in coming:
            await day.wait_for(f"the phase {phase.name.lower()}", lambda: day.venue.market_phase is phase)
        elif day.venue.market_phase is not phase:
            await day.engine.gateway.carry_out(c.SetPhase(symbol_id=MARKET, phase=phase))
        for name, at in announced.items():
            await _announce(day, Phase[name.upper()], at)
        if phase is Phase.CONTINUOUS:
            await day.start_trading()
        elif auction_of(phase) or phase is Phase.CLOSED:
            await day.stop_trading()

    return act


async def _announce(day: Day, phase: Phase, at: str) -> None:
    wait_s = day.seconds_until(at)
    if wait_s >= SCHEDULED_S_LEAST:
        at_ns = day.venue.time_ns + int(wait_s * 1_000_000_000)
        await day.engine.gateway.carry_out(c.SchedulePhase(symbol_id=MARKET, phase=phase, at_ns=at_ns))


async def send_wave(day: Day) -> None:
    """Let the crowd send orders where orders gather, and tell what the auctions would trade."""
    for symbol in day.symbols:
        kind = auction_of(day.phase_of(symbol))
        if kind is not None:
            await day.house.send(day.crowd.orders(day.gathering(symbol, kind), WAVE))
    day.log.tell_indications()


async def send_for_the_close(day: Day) -> None:
    """Let the crowd send orders for the closing auction, while the market still trades continuously."""
    for symbol in day.symbols:
        wanted = day.crowd.orders(day.gathering(symbol, AuctionKind.CLOSING), WAVE)
        await day.house.send([order for order in wanted if order.time_in_force == "at_the_close"])


async def halt(day: Day) -> None:
    """Halt the first symbol with a reason."""
    listed = day.venue.directory.symbol_named(day.symbols[0])
    assert listed is not None
    await day.engine.gateway.carry_out(c.HaltTrading(symbol_id=listed.symbol_id, reason="news pending"))


async def resume(day: Day) -> None:
    """End the halt: orders gather for five minutes of the market, then an auction reopens."""
    listed = day.venue.directory.symbol_named(day.symbols[0])
    assert listed is not None
    call_ns = int(day.seconds_until(_five_minutes_on(day)) * 1_000_000_000)
    await day.engine.gateway.carry_out(
        c.ResumeTrading(symbol_id=listed.symbol_id, call_ns=max(call_ns, 1_000_000_000), reason="news is out")
    )


def _five_minutes_on(day: Day) -> str:
    minute = day.minute + 5
    return f"{minute // 60:02d}:{minute % 60:02d}"


async def await_reopening(day: Day) -> None:
    """Wait until the symbol that was halted trades again."""
    symbol = day.symbols[0]
    await day.wait_for(f"the reopening of {symbol}", lambda: day.phase_of(symbol) is Phase.CONTINUOUS)


async def protect(day: Day) -> None:
    """Give the second symbol a corridor of one per cent, whose auction takes five minutes of the market."""
    listed = _second(day)
    call_ns = max(int(day.seconds_until(_five_minutes_on(day)) * 1_000_000_000), 1_000_000_000)
    await day.engine.gateway.carry_out(
        c.SetPriceCorridor(symbol_id=listed.symbol_id, dynamic_bps=100, static_bps=0, call_ns=call_ns)
    )


async def run_away(day: Day) -> None:
    """Have somebody buy all there is of the second symbol, and two per cent higher, where somebody sells.

    The house traders stand back meanwhile, and the buyer comes back for more until the price has left its corridor.
    """
    listed, (seller, buyer) = _second(day), list(day.keys.participants.values())[:2]
    is_trading = day.is_trading
    await day.stop_trading()
    price = day.venue.reference_price(listed.symbol_id) * 102 // 100
    price -= price % listed.ticks.tick_at(price)
    await _place(day, seller, listed, "sell", 100, price)
    for _ in range(ATTEMPTS_MAX):
        asks = day.venue.depth(listed.symbol_id, LEVELS)[1]
        wanted = sum(level.quantity for level in asks if level.price <= price) + 100
        await _place(day, buyer, listed, "buy", wanted, price)
        if day.phase_of(listed.symbol) is Phase.VOLATILITY_AUCTION or _has_left(day, listed):
            break
    if is_trading:
        await day.start_trading()


async def _place(day: Day, member: MemberKey, listed: Symbol, side: str, quantity: int, price: int) -> None:
    async with RestSession(day.engine.url, member.key) as session:
        order = NewOrder(symbol=listed.symbol, side=side, qty=quantity, price=format_price(Price(price)))
        await session.post("/api/v1/order", order, Order)


async def await_volatility(day: Day) -> None:
    """Wait until the second symbol has traded in its auction, and take its corridor away."""
    listed = _second(day)
    await day.wait_for(
        f"the end of {listed.symbol}'s auction",
        lambda: _has_left(day, listed),
    )
    await day.engine.gateway.carry_out(
        c.SetPriceCorridor(symbol_id=listed.symbol_id, dynamic_bps=0, static_bps=0, call_ns=0)
    )


def _has_left(day: Day, listed: Symbol) -> bool:
    """Tell whether a symbol has been traded in a volatility auction."""
    return any(one[:2] == (listed.symbol, "volatility") for one in day.log.auctions)


def _second(day: Day) -> Symbol:
    listed = day.venue.directory.symbol_named(day.symbols[1 % len(day.symbols)])
    assert listed is not None
    return listed


async def make_a_mistake(day: Day) -> None:
    """Have alice and bob trade at an impossible price in a quiet symbol, and wait until clearing has busted it."""
    quiet = next(
        (one for one in day.venue.directory.symbols.values() if one.symbol not in day.symbols),
        None,
    )  # fmt: skip
    members = list(day.keys.participants.values())[:2]
    if quiet is None or len(members) < 2:
        day.log.write(
            "  nobody is there to make a mistake: it takes two demo participants and a quiet symbol"
        )
        return
    price = day.venue.reference_price(quiet.symbol_id) * 17_770 // 10_000
    price -= price % quiet.ticks.tick_at(price)
    for member, side in zip(members, SIDES, strict=True):
        async with RestSession(day.engine.url, member.key) as session:
            order = NewOrder(symbol=quiet.symbol, side=side, qty="5", price=format_price(Price(price)))
            try:
                await session.post("/api/v1/order", order, Order)
            except RequestRefused as refused:
                day.log.write(f"  the mistake was refused: {refused}")
                return
    busted = day.log.busted
    day.log.write(
        f"  {quiet.symbol:<6} 5 shares traded at {format_price(Price(price))}, far from its reference price"
    )
    await day.wait_for("the bust of an erroneous trade", lambda: day.log.busted > busted)


async def tell_the_day(day: Day) -> None:
    """Close the market, and sum the day up."""
    await begin(Phase.CLOSED)(day)
    log = day.log
    log.write(
        f"  {log.trades} trades, {log.shares} shares, {log.busted} busted, {len(log.auctions)} auctions traded"
    )
    log.end()


DAY = (
    Moment("09:00", "Pre-open: orders gather, and nothing trades", begin(Phase.PRE_OPEN), "the phase in the header"),
    Moment("09:01", "The second symbol gets a corridor of one per cent", protect),
    Moment("09:05", "The first orders come", send_wave),
    Moment("09:15", "The opening auction is called: each change is indicated",
           begin(Phase.OPENING_AUCTION, opening_no_cancel="09:28", continuous="09:30"),
           "the auction view: price, paired, imbalance, and the time until the end"),
    Moment("09:18", "Orders at the open come in", send_wave),
    Moment("09:21", "More of them", send_wave),
    Moment("09:25", "The last minutes", send_wave),
    Moment("09:28", "Nobody can take orders back any more", begin(Phase.OPENING_NO_CANCEL)),
    Moment("09:29", "The last orders", send_wave),
    Moment("09:30", "The auction ends, and continuous trading begins", begin(Phase.CONTINUOUS), "the tape, the chart"),
    Moment("10:30", "A halt: news is pending", halt, "the watch list and the chart, where the halt is shaded"),
    Moment("10:40", "The news is out: orders gather for five minutes", resume, "the auction view of that symbol"),
    Moment("10:41", "The crowd makes up its mind", send_wave),
    Moment("10:43", "And once more", send_wave),
    Moment("10:45", "The auction reopens trading", await_reopening),
    Moment("11:30", "A mistake: a trade far from the reference price", make_a_mistake, "the tape"),
    Moment("13:00", "A large buyer: the price would leave its corridor", run_away, "the auction view of that symbol"),
    Moment("13:02", "Orders gather until there is a price", send_wave),
    Moment("13:05", "The volatility auction ends", await_volatility),
    Moment("15:00", "Orders at the close come in", send_for_the_close),
    Moment("15:50", "The closing auction is called",
           begin(Phase.CLOSING_AUCTION, closing_no_cancel="15:58", post_close="16:00"), "the auction view"),
    Moment("15:53", "Orders gather", send_wave),
    Moment("15:56", "More of them", send_wave),
    Moment("15:58", "Nobody can take orders back any more", begin(Phase.CLOSING_NO_CANCEL)),
    Moment("16:00", "The closing auction ends the day's trading", begin(Phase.POST_CLOSE), "the header"),
    Moment("16:05", "Closed", tell_the_day),
)  # fmt: skip
"""The day. A line more is a moment more."""


async def run_day(
    config: Config,
    announce: Callable[[Embedded], None],
    *,
    speed: float,
    say: Callable[[str], None],
    moments: Iterable[Moment] = DAY,
    over: Callable[[Day], None] | None = None,
    fixed: Iterable[str] = (),
) -> None:
    """Run an exchange through a day, then keep it until SIGTERM or SIGINT. over: called when the day is over.

    announce, fixed: see `exchange.simulation.demo.run_demo`. Raise `InfraError` where the configuration has a schedule
    of its own, or the day stands still.
    """
    if config.engine.schedule.enabled:
        raise InfraError(
            "[engine.schedule] is enabled, and a demo day has phases of its own: use another --config, or set"
            " `enabled = false`"
        )

    async def begin_day(stack: AsyncExitStack) -> None:
        embedded = await up(config, fixed)
        stack.push_async_callback(embedded.stop)
        stack.push_async_callback(_open_again, embedded)
        await embedded.engine.gateway.carry_out(
            c.SetPhase(symbol_id=MARKET, phase=Phase.PRE_OPEN, reason="demo day")
        )
        quiet = config.simulation.quiet_symbols
        symbols = [symbol.symbol for symbol in config.symbols if symbol.symbol not in quiet]
        house = House(embedded.engine.url, embedded.keys.operator, symbols, config.simulation)
        stack.push_async_callback(house.close)
        await house.open()
        announce(embedded)
        day = Day(embedded, house, config.simulation.seed, speed, say)
        stack.push_async_callback(day.stop_trading)
        await day.run(moments)
        if over is not None:
            over(day)

    await life.run_until_signal(begin_day)


async def _open_again(embedded: Embedded) -> None:
    """Leave the market as it was found, in continuous trading, without what was announced and did not come."""
    gateway, venue = embedded.engine.gateway, embedded.engine.venue
    if any(row.symbol_id == MARKET for row in venue.schedule()):
        await gateway.carry_out(c.ClearSchedule(symbol_id=MARKET))
    if venue.market_phase is not Phase.CONTINUOUS:
        await gateway.carry_out(
            c.SetPhase(symbol_id=MARKET, phase=Phase.CONTINUOUS, reason="the demo day is over")
        )
