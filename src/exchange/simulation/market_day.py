"""A trading day under way: its clock, its house traders and its log, and the table row of what is done when.

What happens is told from the engine's events. A speed of 60 makes a minute of the market a second; at 0 nothing waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from exchange.domain.phase import AuctionKind, Phase
from exchange.domain.symbol import Symbol
from exchange.domain.units import SymbolId
from exchange.engine.bootstrap import MemberKey
from exchange.infra.errors import InfraError
from exchange.launch.up import Embedded
from exchange.simulation.crowd import Crowd, Gathering
from exchange.simulation.day_log import DayLog
from exchange.simulation.house import House

MARKET = SymbolId(0)
PATIENCE_S = 60.0
"""How long is waited for what the market does by itself, such as the end of a phase or a bust."""
LOOK_EVERY_S = 0.02


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
        self.wanted: list[tuple[MemberKey, str]] = []
        """Orders that are taken back if they are still there: whose, and the id of each."""
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

    def listed(self, index: int) -> Symbol:
        """Return one of the symbols that the house trades; where there are few, the same one plays several parts."""
        found = self.venue.directory.symbol_named(self.symbols[index % len(self.symbols)])
        assert found is not None, self.symbols
        return found

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
