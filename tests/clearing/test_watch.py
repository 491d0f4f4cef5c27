"""What clearing finds when it looks at its books by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.clearing import tables
from exchange.clearing.watch import Watch
from exchange.domain.events import BusinessDayStarted
from exchange.infra.store import begin_write
from tests.clearing.fake_engine import eventually
from tests.clearing.fake_reporter import OF_THE_DAY, FakeReporter, a_day, statistics
from tests.clearing.running import RunningClearing


@pytest.fixture
async def reporter() -> AsyncIterator[FakeReporter]:
    fake = FakeReporter()
    runner = await fake.start()
    yield fake
    await runner.cleanup()


@pytest.fixture
async def clearing(tmp_path: Path, reporter: FakeReporter) -> AsyncIterator[RunningClearing]:
    async with RunningClearing(tmp_path, reporter_url=reporter.url) as running:
        running.stream.add(BusinessDayStarted, date=20261122, ends_ns=0)
        await a_day(running)
        reporter.body = {"items": OF_THE_DAY, "seq": len(running.stream.events)}
        yield running


async def test_three_that_have_the_same_have_no_breaks(clearing: RunningClearing) -> None:
    watch = Watch(clearing.app.office)
    await watch.compare()
    assert (watch.breaks, watch.problem) == ({"clearing": 0, "reporter": 0}, "")
    assert watch.compared_s > 0


async def test_a_reporter_that_lags_is_compared_at_the_event_it_stands_at(
    clearing: RunningClearing, reporter: FakeReporter
) -> None:
    # It stands before the trade in XYZ, clearing behind it: both are right.
    reporter.body = {"items": OF_THE_DAY[:1], "seq": len(clearing.stream.events) - 1}
    watch = Watch(clearing.app.office)
    await watch.compare()
    assert (watch.breaks, watch.problem) == ({"clearing": 0, "reporter": 0}, "")
    # Now it is behind what was counted: that is said, and is no break.
    await watch.compare()
    assert watch.breaks == {"clearing": 0, "reporter": 0}
    assert "reporter stands at event" in watch.problem


async def test_a_break_of_each_is_counted_and_goes_away_again(
    clearing: RunningClearing, reporter: FakeReporter
) -> None:
    watch = Watch(clearing.app.office)
    reporter.body["items"] = [statistics("AAPL", 3, 154, "29136.00"), OF_THE_DAY[1]]
    with begin_write(clearing.app.office.store) as connection:
        connection.execute(tables.trades.delete().where(tables.trades.c.symbol_id == 2))
    await watch.compare()
    assert watch.breaks == {"clearing": 1, "reporter": 1}
    reporter.body["items"] = OF_THE_DAY
    await watch.compare()
    assert watch.breaks == {"clearing": 1, "reporter": 0}


async def test_a_reporter_that_cannot_be_asked_is_said_and_is_no_break(
    clearing: RunningClearing, reporter: FakeReporter
) -> None:
    reporter.status = 500
    watch = Watch(clearing.app.office)
    await watch.compare()
    assert watch.breaks == {"clearing": 0}
    assert "answered 500" in watch.problem
    assert watch.compared_s == 0


async def test_trades_are_counted_by_state_again_and_again(clearing: RunningClearing) -> None:
    async def are_shown() -> bool:
        async with clearing._session.get(clearing.app.url + "/metrics") as answer:
            text = await answer.text()
        return (
            'exchange_clearing_trades{state="busted"} 1.0' in text
            and 'exchange_clearing_trades{state="corrected"} 1.0' in text
            and 'exchange_clearing_trades{state="held"} 0.0' in text
        )

    await eventually(are_shown, 60)


async def test_a_store_that_fails_leaves_what_was_counted(
    clearing: RunningClearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch(clearing.app.office)
    await watch.count()
    before = dict(watch.states)
    assert before["busted"] == 1
    with begin_write(clearing.app.office.store) as connection:
        connection.exec_driver_sql("ALTER TABLE trades RENAME TO elsewhere")
    await watch.count()
    await watch.compare()
    assert watch.states == before
    assert "no such table" in watch.problem
