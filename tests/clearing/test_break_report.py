"""Counting the engine's events for a report: up to an event, in bounded time, going on where it ended."""

from __future__ import annotations

import pytest

from exchange.clearing.break_report import EngineCount, ask_engine, ask_reporter, breaks_of
from exchange.domain.events import BusinessDayStarted
from exchange.domain.units import parse_money
from exchange.infra.errors import SourceUnavailable
from exchange.post_trade.figures import Figures
from tests.clearing.fake_engine import StreamSource
from tests.post_trade.stream import Stream

DATE = 20261122


def a_day() -> Stream:
    stream = Stream()
    stream.add(BusinessDayStarted, date=DATE, ends_ns=0)
    for _ in range(10):
        stream.trade(1, 2, 1)
    return stream


async def test_only_events_up_to_the_one_asked_for_are_counted() -> None:
    stream = a_day()
    count = EngineCount(StreamSource(stream))
    found, at = await count.up_to(len(stream.events) - 3, DATE)
    assert at == len(stream.events) - 3
    assert found == {1: Figures(7, 7, 7 * parse_money("189.20"), 0)}
    found, _ = await count.up_to(len(stream.events), DATE)
    assert found[1].trades == 10
    found, _ = await count.up_to(len(stream.events) - 3, DATE)
    assert found[1].trades == 7


async def test_counting_that_takes_too_long_goes_on_at_the_next_report() -> None:
    stream = a_day()
    count = EngineCount(StreamSource(stream), count_s_max=-1)
    with pytest.raises(SourceUnavailable, match="counted up to event 0 of 19; ask again"):
        await count.up_to(len(stream.events), DATE)


async def test_an_engine_behind_clearing_is_said() -> None:
    stream = a_day()
    said = await ask_engine(EngineCount(StreamSource(stream)), {1: "AAPL"}, 50, DATE)
    assert said.problem == "the engine has events up to 19, not 50"
    assert said.sequence is None


async def test_the_engines_figures_are_by_symbol_name() -> None:
    stream = a_day()
    said = await ask_engine(EngineCount(StreamSource(stream)), {1: "AAPL"}, len(stream.events), DATE)
    assert list(said.figures) == ["AAPL"]
    assert (said.sequence, said.problem) == (len(stream.events), "")


async def test_a_reporter_that_is_not_there_is_said() -> None:
    said = await ask_reporter("http://127.0.0.1:1", DATE)
    assert said.problem.startswith("http://127.0.0.1:1/api/v1/statistics?date=2026-11-22 cannot be reached")


def test_a_component_that_says_nothing_breaks_nothing() -> None:
    some = Figures(1, 2, 3, 0)
    assert breaks_of(None, some, None) == []
    assert breaks_of(some, some, some) == []
    assert breaks_of(Figures(), None, None) == []
    assert breaks_of(some, None, some)[0] == "trades: clearing has 0, engine has 1"
