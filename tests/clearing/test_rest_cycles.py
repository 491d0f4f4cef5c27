"""Closing trading days over real HTTP: only without open breaks, and everybody sees what concerns him."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from exchange.domain.events import BusinessDayStarted
from tests.clearing.fake_reporter import FakeReporter, statistics
from tests.clearing.running import RunningClearing

CLOSE = {"date": "2026-11-23", "reason": "end of day"}
OF_THE_DAY = [statistics("AAPL", 2, 140, "26500.00")]


@pytest.fixture
async def reporter() -> AsyncIterator[FakeReporter]:
    fake = FakeReporter()
    runner = await fake.start()
    yield fake
    await runner.cleanup()


@pytest.fixture
async def clearing(tmp_path: Path, reporter: FakeReporter) -> AsyncIterator[RunningClearing]:
    async with RunningClearing(tmp_path, reporter_url=reporter.url) as running:
        running.stream.add(BusinessDayStarted, date=20261123, ends_ns=0)
        running.stream.trade(1, 2, 100, price="189.00")
        running.stream.trade(2, 1, 40, price="190.00")
        running.stream.add(BusinessDayStarted, date=20261124, ends_ns=0)
        await running.caught_up()
        reporter.body = {"items": OF_THE_DAY, "seq": len(running.stream.events)}
        yield running


async def test_a_day_without_breaks_is_closed_and_its_obligations_are_shown(
    clearing: RunningClearing,
) -> None:
    status, cycle = await clearing.ask("POST", "/cycles", "clearing", CLOSE)
    assert (status, cycle["date"], cycle["obligations"], cycle["left_out"]) == (201, "2026-11-23", 2, 0)
    assert (await clearing.get("/cycles"))["items"] == [cycle]
    found = (await clearing.get("/cycles/2026-11-23"))["items"]
    assert [(each["account"], each["symbol"], each["qty"], each["cash"]) for each in found] == [
        ("1", "AAPL", "60", "-11300.00"), ("2", "AAPL", "-60", "11300.00")
    ]  # fmt: skip
    assert (await clearing.get("/prove"))["holds"]
    status, error = await clearing.ask("POST", "/cycles", "clearing", CLOSE)
    assert (status, error["message"][:41]) == (409, "The trading days up to 2026-11-23 are clo")


async def test_sides_see_their_own_and_not_who_closed(clearing: RunningClearing) -> None:
    await clearing.ask("POST", "/cycles", "operator", CLOSE)
    (own,) = (await clearing.get("/cycles/2026-11-23", "alice"))["items"]
    assert own["account"] == "1"
    assert (await clearing.get("/cycles", "alice"))["items"][0]["who"] == ""
    assert (await clearing.ask("GET", "/cycles/2026-11-23?account=2", "alice"))[0] == 404
    page = await clearing.get("/cycles/2026-11-23?limit=1")
    assert (await clearing.get(f"/cycles/2026-11-23?cursor={page['next']}"))["items"][0]["account"] == "2"


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([statistics("AAPL", 3, 140, "26500.00")], "AAPL: trades: clearing has 2, reporter has 3"),
        ([], "AAPL: trades: clearing has 2, reporter has 0"),
    ],
)
async def test_a_day_with_open_breaks_stays_open(
    clearing: RunningClearing, reporter: FakeReporter, items: list[Any], message: str
) -> None:
    reporter.body["items"] = items
    status, error = await clearing.ask("POST", "/cycles", "clearing", CLOSE)
    assert (status, message in error["message"]) == (409, True), error
    assert (await clearing.get("/cycles"))["items"] == []


async def test_a_component_that_cannot_be_asked_keeps_the_day_open(
    clearing: RunningClearing, reporter: FakeReporter
) -> None:
    reporter.status = 503
    status, error = await clearing.ask("POST", "/cycles", "clearing", CLOSE)
    assert (status, "has open breaks and stays open" in error["message"]) == (409, True), error


@pytest.mark.parametrize(
    ("key", "body", "status"),
    [
        ("alice", CLOSE, 403),
        ("auditor", CLOSE, 403),
        ("", CLOSE, 401),
        ("clearing", CLOSE | {"date": "2026-11-24"}, 409),
        ("clearing", CLOSE | {"date": "tomorrow"}, 400),
        ("clearing", {"date": "2026-11-23"}, 400),
    ],
)
async def test_who_may_not_or_says_nonsense_closes_nothing(
    clearing: RunningClearing, key: str, body: dict[str, str], status: int
) -> None:
    assert (await clearing.ask("POST", "/cycles", key, body))[0] == status
    assert (await clearing.get("/cycles/2026-11-23"))["items"] == []
    assert (await clearing.ask("GET", "/cycles/tomorrow", "auditor"))[0] == 404
