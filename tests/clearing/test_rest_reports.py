"""Clearing's reports over real HTTP: statistics, the proof, the break report with its witnesses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from exchange.clearing import tables
from exchange.domain.events import BusinessDayStarted
from exchange.infra.errors import EventsGone
from exchange.infra.store import begin_write
from exchange.wire.envelope import EventBatch
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
        yield running


async def test_three_components_that_have_the_same_agree(
    clearing: RunningClearing, reporter: FakeReporter
) -> None:
    await a_day(clearing)
    last = len(clearing.stream.events)
    reporter.body = {"items": OF_THE_DAY, "seq": last}
    report = await clearing.get("/break-report")
    assert report["status"] == "agree", report
    assert report["business_date"] == "2026-11-22"
    assert [report[name]["seq"] for name in ("engine", "clearing", "reporter")] == [last] * 3
    assert [item["symbol"] for item in report["items"]] == ["AAPL", "XYZ"]
    aapl = report["items"][0]
    assert aapl["engine"] == aapl["clearing"] == aapl["reporter"] == {
        "trades": 2, "qty": "104", "notional": "19676.00", "busted": 1,
    }  # fmt: skip
    assert set(reporter.asked) == {"date=2026-11-22"}


async def test_a_difference_is_a_break_and_is_named(
    clearing: RunningClearing, reporter: FakeReporter
) -> None:
    await a_day(clearing)
    reporter.body = {"items": [statistics("AAPL", 3, 154, "29136.00"), OF_THE_DAY[1]], "seq": 9}
    report = await clearing.get("/break-report")
    assert report["status"] == "break"
    assert report["items"][0]["breaks"] == [
        "trades: clearing has 2, reporter has 3",
        "quantity: clearing has 104, reporter has 154",
        "notional: clearing has 19676.00, reporter has 29136.00",
        "busted: clearing has 1, reporter has 0",
    ]
    assert report["items"][1]["breaks"] == []


async def test_a_trade_that_clearing_lost_is_a_break_with_the_engine(
    clearing: RunningClearing, reporter: FakeReporter
) -> None:
    await a_day(clearing)
    reporter.body = {"items": OF_THE_DAY, "seq": 9}
    with begin_write(clearing.app.office.store) as connection:
        connection.execute(tables.trades.delete().where(tables.trades.c.symbol_id == 2))
    report = await clearing.get("/break-report")
    assert report["items"][1]["breaks"][0] == "trades: clearing has 0, engine has 1"


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (500, {}, "answered 500"),
        (200, {"items": 7}, "no list of statistics"),
        (200, "x", "no list of statistics"),
    ],
)
async def test_a_reporter_that_cannot_be_asked_is_shown_as_such(
    clearing: RunningClearing, reporter: FakeReporter, status: int, body: Any, problem: str
) -> None:
    await a_day(clearing)
    reporter.status, reporter.body = status, body
    report = await clearing.get("/break-report")
    assert report["status"] == "incomplete"
    assert problem in report["reporter"]["problem"]
    assert report["reporter"]["seq"] is None
    assert {item["reporter"] for item in report["items"]} == {None}
    assert all(item["breaks"] == [] for item in report["items"])


async def test_an_engine_that_does_not_keep_its_events_is_shown_as_such(
    clearing: RunningClearing, reporter: FakeReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_day(clearing)
    reporter.body = {"items": OF_THE_DAY, "seq": 9}
    await clearing.app.office.feed.close()

    async def gone(after: int, wait_s: float = 0) -> EventBatch:
        raise EventsGone(7)

    monkeypatch.setattr(clearing.engine.source, "fetch", gone)
    report = await clearing.get("/break-report")
    assert report["status"] == "incomplete"
    assert "events before 7 are no longer kept" in report["engine"]["problem"]


async def test_a_report_of_another_day_has_that_days_trades(
    clearing: RunningClearing, reporter: FakeReporter
) -> None:
    await a_day(clearing)
    clearing.stream.add(BusinessDayStarted, date=20261123, ends_ns=0)
    clearing.stream.trade(1, 2, 5)
    await clearing.caught_up()
    today = await clearing.get("/break-report")
    assert (today["business_date"], today["items"][0]["clearing"]["trades"]) == ("2026-11-23", 1)
    assert today["items"][0]["engine"] == today["items"][0]["clearing"]
    before = await clearing.get("/break-report?date=2026-11-22")
    assert before["items"][0]["clearing"]["trades"] == before["items"][0]["engine"]["trades"] == 2
    status, error = await clearing.ask("GET", "/break-report?date=yesterday")
    assert (status, error["field"]) == (400, "date")


async def test_the_proof_holds_and_finds_what_someone_changed(clearing: RunningClearing) -> None:
    await a_day(clearing)
    proof = await clearing.get("/prove")
    assert proof["holds"]
    assert (proof["transfers"], proof["trades"]) == (4 * 4 + 4 + 8, 4)
    assert proof["assets"] == [
        {"asset": "cash", "sum": "0.00", "house": "0.00"},
        {"asset": "AAPL", "sum": "0", "house": "0"},
        {"asset": "XYZ", "sum": "0", "house": "0"},
    ]
    assert proof["ledger_hash"] == (await clearing.get("/stats"))["ledger_hash"]
    with begin_write(clearing.app.office.store) as connection:
        connection.execute(update(tables.positions).values(bought=tables.positions.c.bought + 1))
    broken = await clearing.get("/prove")
    assert not broken["holds"]
    assert broken["faults_count"] == 5


async def test_the_statistics_count_trades_by_state_and_say_how_far_clearing_is(
    clearing: RunningClearing,
) -> None:
    await a_day(clearing)
    stats = await clearing.get("/stats")
    assert stats["trades"] == {
        "captured": 0, "accepted": 2, "held": 0, "bust_pending": 0, "busted": 1, "corrected": 1,
    }  # fmt: skip
    assert stats["seq"] == stats["feed"]["position"] == len(clearing.stream.events)
    assert (stats["halted"], stats["rules_version"], stats["business_date"]) == ("", "1", "2026-11-22")
    again = await clearing.get("/stats")
    assert [(route["path"], route["count"]) for route in again["routes"]] == [("/api/v1/stats", 1)]


async def test_the_figures_for_prometheus_are_there(clearing: RunningClearing) -> None:
    await a_day(clearing)
    async with clearing._session.get(clearing.app.url + "/metrics") as answer:
        text = await answer.text()
    assert f"exchange_event_sequence {len(clearing.stream.events)}.0" in text
    assert "exchange_halted 0.0" in text
