"""The break report: whether engine, clearing and reporter have the same trades on a business date.

The engine's figures are counted from its own event log, up to the event that clearing's stand at, so these two are
always comparable. The reporter is asked for its statistics, and may stand at another event while trading goes on.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import aiohttp
import msgspec
import structlog

from exchange.clearing.book_keeper import events_for_clearing
from exchange.domain.units import UnitError, format_date, parse_money
from exchange.infra.errors import InfraError, SourceUnavailable
from exchange.infra.event_source import EventSource
from exchange.post_trade.figures import Figures, Tally

log = structlog.get_logger(component="clearing")

COUNT_S_MAX = 10.0
"""How long one report counts the engine's events; the next one goes on from there."""
REPORTER_S_MAX = 5.0
ANSWER_BYTES_MAX = 16 << 20


class Testimony(NamedTuple):
    """What one component has, by symbol name. sequence: the event it stands at; problem: why it says nothing."""

    figures: dict[str, Figures]
    sequence: int | None = None
    problem: str = ""


class EngineCount:
    """Counts the trades in the engine's event log; goes on where the last count ended."""

    def __init__(self, source: EventSource, count_s_max: float = COUNT_S_MAX) -> None:
        self._source = source
        self._count_s_max = count_s_max
        self._tally = Tally()
        self._lock = asyncio.Lock()

    @property
    def sequence(self) -> int:
        """Return the event up to which was counted."""
        return self._tally.sequence

    async def up_to(self, sequence: int, business_date: int) -> tuple[dict[int, Figures], int]:
        """Return the figures by symbol id, and the event they stand at. Raise `InfraError`.

        Raise `SourceUnavailable` where counting takes longer than is allowed to one report.
        """
        async with self._lock:
            if self._tally.sequence > sequence:
                self._tally = Tally()
            ends_s = asyncio.get_running_loop().time() + self._count_s_max
            while self._tally.sequence < sequence:
                if asyncio.get_running_loop().time() > ends_s:
                    raise SourceUnavailable(
                        f"counted up to event {self._tally.sequence} of {sequence}; ask again, counting goes on"
                    )
                batch = await self._source.fetch(self._tally.sequence)
                if not batch.count:
                    raise SourceUnavailable(
                        f"the engine has events up to {batch.last_sequence}, not {sequence}"
                    )
                await asyncio.to_thread(self._take, batch.events, min(batch.last_sequence, sequence))
            figures = self._tally.on(business_date)
            return {symbol_id: msgspec.structs.replace(each) for symbol_id, each in figures.items()}, sequence

    def _take(self, records: bytes, last: int) -> None:
        for event in events_for_clearing(records, self._tally.sequence):
            if event.sequence <= last:
                self._tally.take(event)
        self._tally.sequence = last


class _Statistics(msgspec.Struct):
    symbol: str
    trades: int
    volume: str
    notional: str
    busted: int


class _StatisticsList(msgspec.Struct):
    items: list[_Statistics]
    seq: int


async def ask_reporter(url: str, business_date: int) -> Testimony:
    """Ask the reporter for its statistics of a business date."""
    address = f"{url}/api/v1/statistics?date={format_date(business_date)}"
    timeout = aiohttp.ClientTimeout(total=REPORTER_S_MAX)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(address) as answer:
            body = await answer.content.read(ANSWER_BYTES_MAX)
            if answer.status != 200:
                return Testimony({}, problem=f"{address} answered {answer.status}")
    except TimeoutError:
        return Testimony({}, problem=f"{address} did not answer within {REPORTER_S_MAX:g} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Testimony({}, problem=f"{address} cannot be reached: {error}")
    try:
        found = msgspec.json.decode(body, type=_StatisticsList)
        figures = {
            each.symbol: Figures(each.trades, int(each.volume), parse_money(each.notional), each.busted)
            for each in found.items
        }
    except (msgspec.DecodeError, UnitError, ValueError) as error:
        return Testimony({}, problem=f"{address} answered what is no list of statistics: {error}")
    return Testimony(figures, found.seq)


async def ask_engine(
    count: EngineCount, names: dict[int, str], sequence: int, business_date: int
) -> Testimony:
    """Count the engine's own events up to the one that clearing stands at."""
    try:
        figures, at = await count.up_to(sequence, business_date)
    except InfraError as error:
        return Testimony({}, problem=str(error))
    return Testimony({names.get(symbol_id, str(symbol_id)): each for symbol_id, each in figures.items()}, at)


def breaks_of(engine: Figures | None, clearing: Figures | None, reporter: Figures | None) -> list[str]:
    """Say where a symbol's figures differ. None: the component could not be asked."""
    mine = clearing or Figures()
    found = [] if engine is None else mine.differences(engine, "clearing", "engine")
    return found + ([] if reporter is None else mine.differences(reporter, "clearing", "reporter"))
