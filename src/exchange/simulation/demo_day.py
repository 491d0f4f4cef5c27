"""`exchange demo --day`: a whole trading day in minutes, from the first order before the open to the close.

The day is the table `DAY`: at each moment somebody does something, and the market does the rest. What happens is told
from the engine's events, not from the table. A speed of 60 makes a minute of the market a second; at 0 nothing waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack

from exchange.domain import commands as c
from exchange.domain.phase import Phase
from exchange.infra.config import Config
from exchange.infra.errors import InfraError
from exchange.launch import life
from exchange.launch.up import Embedded, up
from exchange.simulation.day_moments import (
    await_pause,
    await_reopening,
    await_volatility,
    begin,
    end_pause,
    fall,
    halt,
    make_a_mistake,
    reach_band,
    reopen_market,
    resume,
    run_away,
    send_for_the_close,
    send_wave,
    set_bands,
    set_corridor,
    split,
    tell_the_day,
    watch_index,
)
from exchange.simulation.house import House
from exchange.simulation.market_day import MARKET, Day, Moment

DAY = (
    Moment("09:00", "Pre-open: orders gather, and nothing trades", begin(Phase.PRE_OPEN), "the phase in the header"),
    Moment("09:02", "A split: two shares for one, and orders follow", split, "the watch list: half the price"),
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
    Moment("11:50", "The third symbol gets price bands of five per cent", set_bands, "the chart, where they are drawn"),
    Moment("12:00", "A buyer at any price: the bid reaches the band", reach_band, "the limit state beside the symbol"),
    Moment("12:15", "Fifteen seconds of the clock later trading pauses", await_pause, "the auction view"),
    Moment("12:17", "Orders gather", send_wave),
    Moment("12:20", "The pause ends: an auction within a collar", end_pause),
    Moment("12:50", "The second symbol gets a corridor of one per cent", set_corridor),
    Moment("13:00", "A large buyer: the price would leave its corridor", run_away, "the auction view of that symbol"),
    Moment("13:02", "Orders gather until there is a price", send_wave),
    Moment("13:05", "The volatility auction ends", await_volatility),
    Moment("13:55", "The breaker watches the index, which is down by one per cent", watch_index),
    Moment("14:00", "The index falls by seven and a half per cent: everything stops", fall, "each symbol's phase"),
    Moment("14:05", "Orders gather everywhere", send_wave),
    Moment("14:10", "More of them", send_wave),
    Moment("14:15", "The market reopens by auctions", reopen_market, "the auction view"),
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
