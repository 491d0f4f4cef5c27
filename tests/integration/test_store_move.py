"""A store is moved to another database by filling a new one from the engine's events: same hash, same answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clearing.running import RunningClearing
from tests.infra.postgres_server import WHY_NOT, PostgresServer
from tests.market_data.venue_flow import VenueFlow
from tests.reporter.reporter_stand import Stand

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    with PostgresServer() as server:
        yield server


async def test_clearing_moves_to_postgresql_and_back(server: PostgresServer, tmp_path: Path) -> None:
    async with RunningClearing(tmp_path) as clearing:
        ids = [
            clearing.stream.trade(1 + n % 3, 1 + (n + 1) % 3, n, price=f"{185 + n % 12}.00")
            for n in range(1, 60)
        ]
        clearing.stream.bust(ids[5])
        clearing.stream.correct(ids[7], "188.00", 2)
        await clearing.caught_up()
        before = await clearing.get("/prove")
        assert before["holds"]
        trades = (await clearing.get("/trades?limit=200"))["items"]
        for store_url in (server.new_database(), f"sqlite:///{tmp_path}/back.sqlite"):
            clearing.settings["store_url"] = store_url
            await clearing.restart()
            await clearing.caught_up()
            assert await clearing.get("/prove") == before
            assert (await clearing.get("/trades?limit=200"))["items"] == trades


async def test_the_reporter_moves_to_postgresql(server: PostgresServer, tmp_path: Path) -> None:
    flow = VenueFlow(5)
    batches = [flow.open(), *flow.random_batches(30)]
    paths = ("/api/v1/trades?limit=1000", "/api/v1/statistics", "/api/v1/book", "/api/v1/ticker")
    answers = []
    for number, settings in enumerate(({}, {"store_url": server.new_database()})):
        async with Stand(tmp_path / str(number), **settings) as stand:
            for batch in batches:  # Each has the stand's time limit for itself.
                await stand.publish(batch)
            answers.append([await stand.get(path) for path in paths])
    assert answers[0] == answers[1]
