"""Looks at the books now and then, for those who watch over an exchange: trades by state, and breaks.

A break is looked for exactly: the engine's events are counted up to the event that clearing stands at, and up to
the one that the reporter stands at, so that trading may go on meanwhile. A comparison takes at most a twentieth of
the time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from exchange.clearing import queries
from exchange.clearing.break_report import EngineCount, Testimony, ask_engine, ask_reporter
from exchange.clearing.office import Office
from exchange.clearing.store import read_books_row
from exchange.infra.errors import InfraError
from exchange.infra.store import read_position, reason_of
from exchange.infra.store_retry import begin_read
from exchange.post_trade.figures import Figures

log = structlog.get_logger(component="clearing")

COUNT_S = 5.0
"""How often the trades are counted by their state."""
COMPARE_S = 60.0
"""How often the three components are compared."""
ENGINE_COUNT_S_MAX = 3.0
"""How long one comparison counts the engine's events; the next one goes on from there."""
PAUSE_SHARE = 20
"""After a look at least so many times as long as it took nothing is looked at."""


class Watch:
    """The last looks. states, requests: how many by state; breaks: symbols that differ from the engine's, by component.

    compared_s: when all were compared last, 0 for never; problem: why the last comparison could not be made.
    """

    def __init__(self, office: Office, *, count_s: float = COUNT_S, compare_s: float = COMPARE_S) -> None:
        self.states: dict[str, int] = {}
        self.requests: dict[str, int] = {}
        self.breaks: dict[str, int] = {}
        self.compared_s = 0.0
        self.problem = "nothing was compared yet"
        self._office = office
        self._count_s = count_s
        self._compare_s = compare_s
        self._engine_count = EngineCount(office.source, ENGINE_COUNT_S_MAX)

    async def run(self) -> None:
        """Look on until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_again_and_again(self.count, self._count_s, 0.0))
            tasks.create_task(_again_and_again(self.compare, self._compare_s, min(self._count_s, 1.0)))

    async def count(self) -> None:
        """Count trades and requests by their state; where the store fails, what was counted stays."""
        try:
            self.states, self.requests = await asyncio.to_thread(self._count)
        except (SQLAlchemyError, InfraError) as error:
            log.warning("trades_not_counted", reason=reason_of(error))

    async def compare(self) -> None:
        """Compare clearing and reporter with the engine, each at the event it stands at."""
        try:
            names = {int(number): each.symbol for number, each in self._office.directory.symbols.items()}
            own, date = await asyncio.to_thread(self._own_figures, names)
        except (SQLAlchemyError, InfraError) as error:
            self.problem = reason_of(error)
            return
        if not date:
            return
        reporter = await ask_reporter(self._office.config.reporter_url_for_clearing(), date)
        problems = [reporter.problem] if reporter.problem else []
        witnesses = {"clearing": own} if problems else {"clearing": own, "reporter": reporter}
        for name, witness in sorted(witnesses.items(), key=lambda each: each[1].sequence or 0):
            problems += await self._compare_one(name, witness, date, names)
        self.problem = "; ".join(problems)
        if not problems:
            self.compared_s = self._office.clock.now_ns() / 1e9

    async def _compare_one(
        self, name: str, witness: Testimony, date: int, names: dict[int, str]
    ) -> list[str]:
        """Count the symbols that differ; return why that could not be done, if so."""
        sequence = witness.sequence or 0
        if sequence < self._engine_count.sequence:
            return [
                f"{name} stands at event {sequence}, {self._engine_count.sequence} were counted; next time"
            ]
        engine = await ask_engine(self._engine_count, names, sequence, date)
        if engine.problem:
            return [engine.problem]
        found = {
            symbol: differences
            for symbol in sorted({*engine.figures, *witness.figures})
            if (differences := _differences(symbol, name, witness, engine))
        }
        if found and not self.breaks.get(name):
            log.error("break_found", of=name, sequence=sequence, breaks=found)
        self.breaks[name] = len(found)
        return []

    def _count(self) -> tuple[dict[str, int], dict[str, int]]:
        partition = self._office.partition
        with begin_read(self._office.store) as connection:
            return (
                queries.count_by_state(connection, partition),
                queries.count_requests(connection, partition),
            )

    def _own_figures(self, names: dict[int, str]) -> tuple[Testimony, int]:
        partition = self._office.partition
        with begin_read(self._office.store) as connection:
            date = read_books_row(connection, partition).business_date
            figures = queries.figures_on(connection, partition, date)
            position = read_position(connection, partition)
        own = {names.get(symbol_id, str(symbol_id)): each for symbol_id, each in figures.items()}
        return Testimony(own, position.sequence), date


def _differences(symbol: str, name: str, witness: Testimony, engine: Testimony) -> list[str]:
    mine = witness.figures.get(symbol, Figures())
    return mine.differences(engine.figures.get(symbol, Figures()), name, "engine")


async def _again_and_again(look: Callable[[], Awaitable[None]], every_s: float, first_s: float) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(first_s)
    while True:
        begun_s = loop.time()
        await look()
        await asyncio.sleep(max(every_s, PAUSE_SHARE * (loop.time() - begun_s)))
