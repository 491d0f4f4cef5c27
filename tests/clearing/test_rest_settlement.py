"""Settlement over real HTTP: officers order it, everybody sees his own, and the proof covers it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.domain.events import BusinessDayStarted
from tests.clearing.fake_reporter import FakeReporter, statistics
from tests.clearing.running import RunningClearing

SETTLE = {"date": "2026-11-24", "reason": "night run"}


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
        running.stream.deposit(1, 100_000_0000)
        running.stream.deposit(2, 60, 1)
        running.stream.trade(1, 2, 100, price="189.00")
        running.stream.add(BusinessDayStarted, date=20261124, ends_ns=0)
        await running.caught_up()
        items = [statistics("AAPL", 1, 100, "18900.00")]
        reporter.body = {"items": items, "seq": len(running.stream.events)}
        close = {"date": "2026-11-23", "reason": "end of day"}
        assert (await running.ask("POST", "/cycles", "clearing", close))[0] == 201
        yield running


async def test_what_is_due_is_settled_in_part_and_the_fail_is_shown(clearing: RunningClearing) -> None:
    status, run = await clearing.ask("POST", "/settlements", "clearing", SETTLE)
    assert (status, run["state"], run["instructions"], run["failed"]) == (201, "settled", 2, 2), run
    assert (await clearing.get("/settlements"))["items"] == [run]
    lines = (await clearing.get(f"/settlements/{run['number']}"))["items"]
    assert [(each["account"], each["qty"], each["failed"], each["mark"]) for each in lines] == [
        ("1", "60", "40", "0.00"), ("2", "-60", "-40", "0.00")
    ]  # fmt: skip
    first, second = (await clearing.get("/instructions"))["items"]
    assert (first["qty"], first["cash"], first["due"], first["days"]) == ("40", "-7560.00", "2026-11-24", 0)
    assert second["account"] == "2"
    proof = await clearing.get("/prove")
    assert proof["holds"], proof
    balances = (await clearing.get("/house/balances?account=1"))["items"]
    assert [(each["holder"], each["asset"], each["free"]) for each in balances] == [
        ("settled", "cash", "88660.00"), ("settled", "AAPL", "60")
    ]  # fmt: skip
    assert [each["kind"] for each in (await clearing.get("/house/acts"))["items"]] == [
        "settled",
        "settlement",
    ]
    entries = (await clearing.get("/house/acts/2/entries"))["items"]
    assert {each["phase"] for each in entries} == {"post"}
    assert entries[0] | {"place": ""} == {
        "place": "", "debit": "settled 2", "credit": "house", "asset": "AAPL", "amount": "60", "code": "delivery",
        "phase": "post",
    }  # fmt: skip


async def test_sides_see_their_own(clearing: RunningClearing) -> None:
    await clearing.ask("POST", "/settlements", "operator", SETTLE)
    (run,) = (await clearing.get("/settlements", "alice"))["items"]
    assert (run["who"], run["unpaid"]) == ("", [])
    (line,) = (await clearing.get(f"/settlements/{run['number']}", "alice"))["items"]
    (own,) = (await clearing.get("/instructions", "alice"))["items"]
    assert line["account"] == own["account"] == "1"
    entries = (await clearing.get("/house/acts/1/entries", "alice"))["items"]
    assert {each["debit"] for each in entries} == {"settled 1", "house"}
    assert {each["account"] for each in (await clearing.get("/house/balances", "alice"))["items"]} == {"1"}
    assert (await clearing.ask("GET", "/house/acts", "alice"))[0] == 403


async def test_pages_go_on_where_the_last_one_ended(clearing: RunningClearing) -> None:
    run = (await clearing.ask("POST", "/settlements", "clearing", SETTLE))[1]
    for path in ("/instructions", f"/settlements/{run['number']}", "/house/acts/1/entries", "/house/acts"):
        page = await clearing.get(f"{path}?limit=1")
        following = await clearing.get(f"{path}?limit=1&cursor={page['next']}")
        assert following["items"] != page["items"], path
    assert (await clearing.ask("GET", "/instructions?cursor=1-2", "auditor"))[0] == 400
    assert (await clearing.get("/instructions?open=false"))["items"]


@pytest.mark.parametrize(
    ("method", "path", "key", "body", "status"),
    [
        ("POST", "/settlements", "alice", SETTLE, 403),
        ("POST", "/settlements", "clearing", SETTLE | {"date": "2026-11-25"}, 409),
        ("POST", "/settlements", "clearing", SETTLE | {"date": "tomorrow"}, 400),
        ("POST", "/settlements/give-up", "clearing", {"reason": "wrong"}, 409),
        ("POST", "/buy-ins", "clearing", SETTLE, 409),
        ("GET", "/settlements/77", "auditor", None, 404),
        ("GET", "/house/acts/77/entries", "auditor", None, 404),
    ],
)
async def test_who_may_not_or_says_nonsense_changes_nothing(
    clearing: RunningClearing, method: str, path: str, key: str, body: dict[str, str] | None, status: int
) -> None:
    assert (await clearing.ask(method, path, key, body))[0] == status
    assert (await clearing.get("/house/acts"))["items"] == []


async def test_a_buy_in_that_is_not_due_closes_nothing(clearing: RunningClearing) -> None:
    await clearing.ask("POST", "/settlements", "clearing", SETTLE)
    assert await clearing.ask("POST", "/buy-ins", "clearing", SETTLE) == (201, {"acts": [], "refused": []})
