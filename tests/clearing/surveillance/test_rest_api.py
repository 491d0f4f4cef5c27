"""Surveillance within clearing, over real HTTP: alerts come once, cases are worked on, and both outlive a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete

from exchange.clearing.surveillance import alert_store
from exchange.clearing.surveillance.lookout import BEHIND_MAX
from exchange.clearing.surveillance.tables import watcher_states
from exchange.domain.corporate_events import SymbolRenamed
from exchange.infra.store import begin_write, open_store
from exchange.surveillance.alert import hash_of_all
from exchange.surveillance.watcher import Watcher
from exchange.wire.records import encode_event
from tests.clearing.fake_engine import eventually
from tests.clearing.running import RunningClearing

ALERTS = "/surveillance/alerts"
WHY = {"reason": "asked the desk"}


@pytest.fixture
async def clearing(tmp_path: Path) -> AsyncIterator[RunningClearing]:
    async with RunningClearing(tmp_path) as running:
        for _ in range(3):
            running.stream.trade(1, 1, 100)
        running.stream.trade(1, 2, 100)
        await looked_through(running)
        yield running


async def looked_through(clearing: RunningClearing) -> Any:
    """Wait until surveillance has seen all that is in the stream; return how it stands."""
    clearing.engine.source.wake()
    last = len(clearing.stream.events)

    async def check() -> Any:
        status = await clearing.get("/surveillance")
        return status if status["seq"] >= last else None

    return await eventually(check)


async def test_wash_trades_are_alerts_with_evidence_and_measures(clearing: RunningClearing) -> None:
    page = await clearing.get(f"{ALERTS}?limit=2")
    assert len(page["items"]) == 2
    (oldest,) = (await clearing.get(f"{ALERTS}?limit=2&cursor={page['next']}"))["items"]
    assert (oldest["number"], oldest["detector"], oldest["level"], oldest["state"]) == (
        "1", "WASH-1", "alert", "new",
    )  # fmt: skip
    assert (oldest["symbol"], oldest["members"], oldest["accounts"]) == ("AAPL", ["member 1"], ["1"])
    assert oldest["measures"][0] == {"what": "owners of the trade", "seen": "1", "limit": "2"}
    assert oldest["raised_seq"] in oldest["evidence"]
    assert await clearing.get(f"{ALERTS}/{oldest['alert_id']}") == oldest


async def test_filters_choose_among_alerts(clearing: RunningClearing) -> None:
    for query, count in (
        ("state=new", 3), ("state=closed", 0), ("detector=WASH-1", 3), ("detector=SPOOF-1", 0), ("level=note", 0),
        ("symbol=AAPL", 3), ("symbol=XYZ", 0),
    ):  # fmt: skip
        assert len((await clearing.get(f"{ALERTS}?{query}"))["items"]) == count, query
    assert (await clearing.ask("GET", f"{ALERTS}?symbol=NONE", "auditor"))[0] == 404
    assert (await clearing.ask("GET", f"{ALERTS}?state=lost", "auditor"))[0] == 400


async def test_a_case_goes_from_new_over_review_to_closed_and_back(clearing: RunningClearing) -> None:
    path = f"{ALERTS}/{(await clearing.get(ALERTS))['items'][0]['alert_id']}"
    for verb, body, state in (
        ("assign", {"to": "kim", **WHY}, "in_review"),
        ("escalate", WHY, "escalated"),
        ("close", {"outcome": "warned", **WHY}, "closed"),
        ("reopen", WHY, "in_review"),
    ):
        status, alert = await clearing.ask("POST", f"{path}/{verb}", "operator", body)
        assert (status, alert["state"], alert["assignee"]) == (200, state, "kim")
    assert [step["what"] for step in alert["steps"]] == [
        "assigned to kim", "escalated", "closed as warned", "reopened",
    ]  # fmt: skip
    assert {(step["who"], step["why"]) for step in alert["steps"]} == {
        ("operator operator (key 1)", "asked the desk")
    }
    status, error = await clearing.ask("POST", f"{path}/reopen", "operator", WHY)
    assert (status, error["message"]) == (409, "The case is in review; only a closed one can be reopened.")


async def test_who_may_not_is_refused_and_what_is_not_there_is_not_found(clearing: RunningClearing) -> None:
    path = f"{ALERTS}/{(await clearing.get(ALERTS))['items'][0]['alert_id']}"
    assert (await clearing.ask("GET", ALERTS, "alice"))[0] == 403
    assert (await clearing.ask("POST", f"{path}/escalate", "auditor", WHY))[0] == 403
    assert (await clearing.ask("POST", f"{path}/escalate", "", WHY))[0] == 401
    assert (await clearing.ask("POST", f"{path}/close", "operator", WHY))[0] == 400
    nowhere = f"{ALERTS}/{'0' * 18}"
    assert (await clearing.ask("GET", nowhere, "auditor"))[0] == 404
    assert (await clearing.ask("POST", f"{nowhere}/escalate", "operator", WHY))[0] == 404


async def test_live_gives_the_hash_of_a_run_offline(clearing: RunningClearing) -> None:
    status = await clearing.get("/surveillance")
    offline = Watcher().take(b"".join(map(encode_event, clearing.stream.events)))
    assert (status["alerts"], status["hash"]) == (3, hash_of_all(offline))
    assert (status["problem"], status["by_state"]) == ("", {"new": 3})
    assert len(status["detectors"]) == 11


async def test_a_restart_goes_on_and_a_lost_place_gives_the_same_alerts_once(
    clearing: RunningClearing,
) -> None:
    alert_id = (await clearing.get(ALERTS))["items"][0]["alert_id"]
    await clearing.ask("POST", f"{ALERTS}/{alert_id}/escalate", "operator", WHY)
    before = (await clearing.get("/surveillance"))["hash"]
    await clearing.restart()
    assert (await looked_through(clearing))["hash"] == before
    await clearing.app.stop()
    url = clearing.app.config.surveillance_store_url()
    store = open_store(url, "exchange.clearing.surveillance.migrations")
    with begin_write(store) as connection:
        connection.execute(delete(watcher_states))  # As kill -9 before the place was stored.
    store.dispose()
    await clearing.start()
    clearing.stream.trade(2, 2, 40)
    status = await looked_through(clearing)
    assert (status["alerts"], status["by_state"]) == (4, {"new": 3, "escalated": 1})
    assert (await clearing.get(f"{ALERTS}/{alert_id}"))["state"] == "escalated"


async def test_an_alert_of_a_symbol_with_another_ticker_is_found_and_shown_by_that_one(
    clearing: RunningClearing,
) -> None:
    clearing.stream.add(SymbolRenamed, symbol_id=1, old_symbol="AAPL", symbol="APL", name="Apple")
    clearing.stream.trade(1, 1, 100)
    assert (await looked_through(clearing))["alerts"] == 4
    await clearing.caught_up()  # The name is that of clearing's own directory.
    found = (await clearing.get(f"{ALERTS}?symbol=APL"))["items"]
    assert [(item["number"], item["symbol"]) for item in found] == [
        ("4", "APL"), ("3", "APL"), ("2", "APL"), ("1", "APL"),
    ]  # fmt: skip
    assert await clearing.get(f"{ALERTS}/{found[-1]['alert_id']}") == found[-1]
    status, error = await clearing.ask("GET", f"{ALERTS}?symbol=AAPL", "auditor")
    assert (status, error["message"]) == (404, "there is no symbol AAPL; it is called APL now")


async def test_readiness_says_when_surveillance_is_far_behind_and_figures_how_far(
    clearing: RunningClearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = clearing.app._surveillance
    assert office.lookout is not None
    assert office.lookout.feed is not None
    assert office.notes() == []
    monkeypatch.setattr(office.lookout.feed.stats, "newest", office.lookout.stats.sequence + BEHIND_MAX + 1)
    assert office.notes() == [f"surveillance is {BEHIND_MAX + 1} events behind"]
    assert office.lookout.lag_events == BEHIND_MAX + 1


async def test_figures_are_shown_for_prometheus(clearing: RunningClearing) -> None:
    shown = {family.name for family in clearing.app._surveillance.metrics()}
    assert "exchange_surveillance_alerts" in shown


async def test_a_position_is_told_only_with_all_that_was_found_up_to_it(
    clearing: RunningClearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout = clearing.app._surveillance.lookout
    assert lookout is not None
    stats, before = lookout.stats, lookout.stats.sequence
    count = alert_store.count_by_state

    def count_and_let_it_go_on(connection: Connection, partition: int) -> dict[str, int]:
        found = count(connection, partition)
        stats.sequence += 1  # As the lookout does when it has stored more, while an answer is under way.
        return found

    monkeypatch.setattr(alert_store, "count_by_state", count_and_let_it_go_on)
    assert (await clearing.get("/surveillance"))["seq"] == before
