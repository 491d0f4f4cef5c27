"""While a component's PostgreSQL is away every question and every ruling is answered 503; nothing is half applied."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.infra import store_retry
from exchange.wire.rest.errors import ErrorCode
from tests.clearing.fake_engine import eventually
from tests.clearing.running import RunningClearing
from tests.infra.postgres_server import WHY_NOT, PostgresServer
from tests.market_data.venue_flow import VenueFlow
from tests.reporter.reporter_stand import Stand

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
ADVICE = {"code": ErrorCode.STORE_UNREACHABLE, "retry": True}


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    with PostgresServer() as server:
        yield server


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_retry, "BACK_OFF_LAST_S", 0.2)


def advice_in(body: Any) -> dict[str, Any]:
    return {key: body[key] for key in ADVICE}


async def until_ready(app: Any) -> None:
    async def is_ready() -> bool:
        return not app.ready()

    await eventually(is_ready, 60)


async def stand_ask(stand: Stand, path: str) -> tuple[int, Any]:
    async with stand.http.get(f"/api/v1{path}") as answer:
        return answer.status, await answer.json()


RULINGS = {
    "release": {"reason": "the news was out"},
    "bust": {"reason": "typo", "code": "E"},
    "correct": {"reason": "both agree", "code": "C", "price": "189.20"},
}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_clearing_answers_503_and_a_ruling_counts_once(
    server: PostgresServer, tmp_path: Path, how: signal.Signals
) -> None:
    async with RunningClearing(tmp_path, store_url=server.new_database()) as clearing:
        held = clearing.stream.trade(1, 2, 10, price="195.00")
        await clearing.caught_up()
        server.stop(how)
        for path in (
            "/trades", f"/trades/{held}", "/positions", "/balances", "/ledger", "/stats", "/break-report", "/prove",
        ):  # fmt: skip
            status, body = await clearing.ask("GET", path, "auditor")
            assert (status, advice_in(body)) == (503, ADVICE), path
        for ruling, wanted in RULINGS.items():
            status, body = await clearing.ask("POST", f"/trades/{held}/{ruling}", body=wanted)
            assert (status, advice_in(body)) == (503, ADVICE), ruling
        clearing.stream.trade(1, 2, 20)
        clearing.engine.source.wake()

        async def says_why() -> bool:
            return "the store did not take events up to" in "".join(clearing.app.ready())

        await eventually(says_why, 30)

        server.start()
        await clearing.caught_up()
        story = await clearing.get(f"/trades/{held}")
        assert (story["state"], len(story["steps"]), len(story["rulings"])) == ("held", 2, 1)
        status, body = await clearing.ask("POST", f"/trades/{held}/release", body=RULINGS["release"])
        assert (status, body["state"]) == (200, "accepted")
        status, body = await clearing.ask("POST", f"/trades/{held}/release", body=RULINGS["release"])
        assert (status, body["code"]) == (409, ErrorCode.CONFLICT)
        assert (await clearing.get("/prove"))["holds"]
        await until_ready(clearing.app)


async def test_a_ruling_in_the_moment_of_the_crash_is_stored_whole_or_not_at_all(
    server: PostgresServer, tmp_path: Path
) -> None:
    async with RunningClearing(tmp_path, store_url=server.new_database()) as clearing:
        held = [clearing.stream.trade(1, 2, number, price="195.00") for number in range(1, 61)]
        await clearing.caught_up()
        releases = [
            asyncio.create_task(clearing.ask("POST", f"/trades/{match_id}/release", body=RULINGS["release"]))
            for match_id in held
        ]
        await asyncio.wait(releases, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.to_thread(server.stop)
        answers = await asyncio.gather(*releases)
        server.start()
        seen = set()
        for match_id, (status, _) in zip(held, answers, strict=True):
            story = await clearing.get(f"/trades/{match_id}")
            rulings = [each["verdict"] for each in story["rulings"]]
            steps = [each["what"] for each in story["steps"]]
            assert (status, story["state"], rulings, steps) in (
                (200, "accepted", ["hold", "release"], ["executed", "judged_hold", "released"]),
                (503, "accepted", ["hold", "release"], ["executed", "judged_hold", "released"]),
                (503, "held", ["hold"], ["executed", "judged_hold"]),
            )
            seen.add((status, story["state"]))
        assert (200, "accepted") in seen


async def test_the_reporter_answers_503_and_goes_on(server: PostgresServer, tmp_path: Path) -> None:
    async with Stand(tmp_path, store_url=server.new_database()) as stand:
        flow = VenueFlow(9)
        for batch in (flow.open(), *flow.random_batches(20)):
            await stand.publish(batch)
        match_id = (await stand.get("/api/v1/trades"))["items"][0]["match_id"]
        server.stop()
        for path in (
            "/trades?limit=1000", f"/trades/{match_id}", "/candles?symbol=AAPL&interval=1m&from=2020-01-01T00:00:00Z",
            "/statistics",
        ):  # fmt: skip
            status, body = await stand_ask(stand, path)
            assert (status, advice_in(body)) == (503, ADVICE), path
        for path in ("/book", "/ticker", "/symbols"):
            assert (await stand_ask(stand, path))[0] == 200, path
        server.start()
        await until_ready(stand.app)
        await stand.publish(*flow.random_batches(5))
        assert (await stand_ask(stand, f"/trades/{match_id}"))[0] == 200
        await until_ready(stand.app)
