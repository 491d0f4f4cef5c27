"""The reporter's statistics, for those with a key."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from exchange.domain import commands as c
from exchange.domain.participant import Role
from exchange.domain.units import ParticipantId
from tests.reporter.reporter_stand import Stand

KEY = "xk_test"


def new_key(role: Role) -> c.CreateKey:
    owner = ParticipantId(1 if role is Role.TRADER else 0)
    return c.CreateKey(participant_id=owner, role=role, sha256=sha256(KEY.encode()).digest(), label="test")


@pytest.mark.parametrize("role", list(Role))
async def test_every_key_of_the_exchange_reads_the_statistics_after_a_restart_too(
    tmp_path: Path, role: Role
) -> None:
    async with Stand(tmp_path) as stand:
        flow = stand.flow
        await stand.publish(flow.open(), flow.do(new_key(role)), flow.trade(1_000_000), flow.bust(14))
        for restarted in (False, True):
            if restarted:
                await stand.restart()
                await stand.publish()
            client = await stand.listen()
            await client.subscribe("book", ["AAPL"])
            async with stand.http.get("/api/v1/stats", headers={"Authorization": f"Bearer {KEY}"}) as answer:
                stats = await answer.json()
            assert answer.status == 200
            assert (stats["seq"], stats["symbols"], stats["business_date"]) == (15, 2, "2026-11-23")
            assert (stats["trades"], stats["busts_and_corrections"]) == ((0, 0) if restarted else (1, 1))
            assert (stats["feed"]["position"], stats["feed"]["lag"], stats["feed"]["is_caught_up"]) == (
                15,
                0,
                True,
            )
            assert (stats["stream"]["connections"], stats["stream"]["subscriptions"]) == (1, 1)
            assert "/api/v1/stream" in {route["path"] for route in stats["routes"]}


async def test_without_a_key_the_statistics_are_refused(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        assert (await stand.get("/api/v1/stats", 401))["reason"] == "key_missing"


async def test_the_figures_are_there_for_prometheus(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await stand.publish(stand.flow.open(), stand.flow.trade(1_000_000))
        async with stand.http.get("/metrics") as answer:
            lines = (await answer.text()).splitlines()
        assert "exchange_event_sequence 13.0" in lines
        assert "exchange_tape_trades_total 1.0" in lines
        assert "exchange_feed_lag_events 0.0" in lines
        assert "exchange_store_up 1.0" in lines
        assert not any(line == "exchange_store_commit_seconds_count 0.0" for line in lines)
