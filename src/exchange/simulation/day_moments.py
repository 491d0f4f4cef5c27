"""What is done at the moments of a demo day: phases begin, crowds send orders, somebody buys all there is or errs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from exchange.domain import commands as c
from exchange.domain.phase import AuctionKind, Phase, auction_of
from exchange.domain.symbol import Symbol
from exchange.domain.units import Price, format_price
from exchange.engine.bootstrap import MemberKey
from exchange.simulation.market_day import MARKET, Day
from exchange.simulation.rest import RequestRefused, RestSession
from exchange.wire.rest.orders import CanceledOrder, NewOrder, Order
from exchange.wire.rest.texts import SIDES

LEVELS = 1_000
NS_PER_S = 1_000_000_000
INDEX_CLOSE = 500_000
"""Of the index that the breaker watches, in hundredths of a point."""
WAVE = 12
"""Orders of a wave of the crowd, in each symbol."""
ATTEMPTS_MAX = 100
"""So often at most a buyer comes back for what is still offered."""
SCHEDULED_S_LEAST = 1.0
"""The end of a call that comes sooner is not announced; it comes when its moment does."""


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


async def split(day: Day) -> None:
    """Give two shares for one of the fourth symbol, which is halted for it and goes on where the market stands."""
    symbol_id, gateway = day.listed(3).symbol_id, day.engine.gateway
    await gateway.carry_out(c.HaltTrading(symbol_id=symbol_id, reason="two shares for one"))
    await gateway.carry_out(c.SplitSymbol(symbol_id=symbol_id, new_shares=2, old_shares=1, note="demo day"))
    await gateway.carry_out(c.ResumeTrading(symbol_id=symbol_id, call_ns=0, reason="the split is done"))
    day.house.forget_prices()


async def halt(day: Day) -> None:
    """Halt the first symbol with a reason."""
    symbol_id = day.listed(0).symbol_id
    await day.engine.gateway.carry_out(c.HaltTrading(symbol_id=symbol_id, reason="news pending"))


async def resume(day: Day) -> None:
    """End the halt: orders gather for five minutes of the market, then an auction reopens."""
    await day.engine.gateway.carry_out(
        c.ResumeTrading(
            symbol_id=day.listed(0).symbol_id, call_ns=_five_minutes_ns(day), reason="news is out"
        )
    )


def _five_minutes_ns(day: Day) -> int:
    """Return how long five minutes of the market are, a second at least."""
    minute = day.minute + 5
    return max(int(day.seconds_until(f"{minute // 60:02d}:{minute % 60:02d}") * NS_PER_S), NS_PER_S)


async def await_reopening(day: Day) -> None:
    """Wait until the symbol that was halted trades again."""
    symbol = day.symbols[0]
    await day.wait_for(f"the reopening of {symbol}", lambda: day.phase_of(symbol) is Phase.CONTINUOUS)


# --- a price that runs away: bands, then a corridor --------------------------------------------------------------


async def set_bands(day: Day) -> None:
    """Give the third symbol the bands of tier 1: five per cent around the mean of the last five minutes."""
    await day.engine.gateway.carry_out(c.SetPriceBands(symbol_id=day.listed(2).symbol_id, tier=1))


async def reach_band(day: Day) -> None:
    """Have somebody buy the third symbol at any price up to its band, and want more there."""
    listed = day.listed(2)
    await day.house.stand_back(listed.symbol)
    await _buy_all(day, listed, 110, 2_000, lambda: listed.symbol in day.log.limited)


async def await_pause(day: Day) -> None:
    """Wait for the end of the limit state, which is fifteen seconds of the clock: trading pauses."""
    listed = day.listed(2)
    await day.wait_for(f"the pause of {listed.symbol}", lambda: _gathers(day, listed))


async def end_pause(day: Day) -> None:
    """End the pause before its five minutes of the clock are over, and take the bands away."""
    listed, gateway = day.listed(2), day.engine.gateway
    if _gathers(day, listed):
        await gateway.carry_out(
            c.SetPhase(symbol_id=listed.symbol_id, phase=Phase.CONTINUOUS, reason="the pause is over")
        )
    await _take_back(day)
    await gateway.carry_out(c.SetPriceBands(symbol_id=listed.symbol_id, tier=0))
    day.house.come_back(listed.symbol)


async def set_corridor(day: Day) -> None:
    """Give the second symbol a corridor of one per cent, whose auction takes five minutes of the market."""
    await day.engine.gateway.carry_out(
        c.SetPriceCorridor(
            symbol_id=day.listed(1).symbol_id, dynamic_bps=100, static_bps=0, call_ns=_five_minutes_ns(day)
        )
    )


async def run_away(day: Day) -> None:
    """Have somebody buy all there is of the second symbol, and two per cent higher, where somebody sells."""
    listed, seller = day.listed(1), next(iter(day.keys.participants.values()))
    await day.house.stand_back(listed.symbol)
    await _place(day, seller, listed, "sell", 100, _price_at(day, listed, 102))
    await _buy_all(day, listed, 102, 100, lambda: _gathers(day, listed) or _has_left(day, listed))


async def await_volatility(day: Day) -> None:
    """Wait until the second symbol has traded in its auction, and take its corridor away."""
    listed = day.listed(1)
    await day.wait_for(f"the end of {listed.symbol}'s auction", lambda: _has_left(day, listed))
    await _take_back(day)
    await day.engine.gateway.carry_out(
        c.SetPriceCorridor(symbol_id=listed.symbol_id, dynamic_bps=0, static_bps=0, call_ns=0)
    )
    day.house.come_back(listed.symbol)


async def _buy_all(day: Day, listed: Symbol, percent: int, more: int, is_reached: Callable[[], bool]) -> None:
    """Buy what is offered up to a price in per cent of the reference price, and more, until something is reached."""
    buyer = list(day.keys.participants.values())[1]
    price = _price_at(day, listed, percent)
    for _ in range(ATTEMPTS_MAX):
        asks = day.venue.depth(listed.symbol_id, LEVELS)[1]
        offered = sum(level.quantity for level in asks if level.price <= price)
        await _place(day, buyer, listed, "buy", offered + more, price)
        if is_reached():
            return


def _price_at(day: Day, listed: Symbol, percent: int) -> int:
    price = day.venue.reference_price(listed.symbol_id) * percent // 100
    return price - price % listed.ticks.tick_at(price)


async def _place(day: Day, member: MemberKey, listed: Symbol, side: str, quantity: int, price: int) -> None:
    async with RestSession(day.engine.url, member.key) as session:
        order = NewOrder(symbol=listed.symbol, side=side, qty=quantity, price=format_price(Price(price)))
        placed = await session.post("/api/v1/order", order, Order)
    day.wanted.append((member, placed.id))


async def _take_back(day: Day) -> None:
    """Cancel what is left of the orders of those who wanted so much."""
    wanted, day.wanted = day.wanted, []
    for member, order_id in wanted:
        if day.venue.order(int(order_id)) is not None:
            async with RestSession(day.engine.url, member.key) as session:
                await session.ask("DELETE", f"/api/v1/order/{order_id}", CanceledOrder)


def _gathers(day: Day, listed: Symbol) -> bool:
    return day.phase_of(listed.symbol) is Phase.VOLATILITY_AUCTION


def _has_left(day: Day, listed: Symbol) -> bool:
    """Tell whether a symbol has been traded in a volatility auction."""
    return any(one[:2] == (listed.symbol, "volatility") for one in day.log.auctions)


# --- the market's breaker ----------------------------------------------------------------------------------------


async def watch_index(day: Day) -> None:
    """Let the breaker watch an index that closed at 5,000.00, and now stands one per cent lower."""
    await day.engine.gateway.carry_out(c.SetMarketBreaker(close_level=INDEX_CLOSE))
    await day.engine.gateway.carry_out(c.ReportIndexLevel(level=INDEX_CLOSE * 99 // 100))


async def fall(day: Day) -> None:
    """Let the index fall by seven and a half per cent: level 1, at which all symbols stop."""
    await day.stop_trading()
    await day.engine.gateway.carry_out(c.ReportIndexLevel(level=INDEX_CLOSE * 925 // 1_000))


async def reopen_market(day: Day) -> None:
    """End the stop before its fifteen minutes of the clock are over: an auction reopens each symbol."""
    gateway = day.engine.gateway
    await gateway.carry_out(
        c.SetPhase(symbol_id=MARKET, phase=Phase.CONTINUOUS, reason="the stop of the market is over")
    )
    await gateway.carry_out(c.SetMarketBreaker(close_level=0))
    await day.start_trading()


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
