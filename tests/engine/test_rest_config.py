"""The shared configuration over HTTP: who may, what is answered, and what is refused."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.engine.config_stand import ACME, MARKET, NICKEL, PATH, applied, config_with
from tests.engine.running_engine import RunningEngine, shape
from tests.infra.redis_server import RedisServer, needs_redis

READS = (PATH + "/shared", PATH + "/history", PATH + "/running", PATH + "/proposals")
WRITES: dict[str, dict[str, Any]] = {
    PATH: {"document": {}},
    PATH + "/rollback": {"version": 0},
    PATH + "/proposals/1/approve": {},
    PATH + "/proposals/1/reject": {},
}


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Forget the level of the log that a document set."""
    level = logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.setLevel(level)


async def test_without_redis_every_question_says_what_is_missing(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path) as engine:
        answers = [await engine.get(path, "operator") for path in READS]
        answers += [await engine.post(path, "operator", body) for path, body in WRITES.items()]
        answers.append(await engine.post(PATH + "/diff", "operator", {"document": {}}))
        for answer in answers:
            assert (answer.status, "set [redis] url" in answer.body["message"]) == (409, True)


class TestWithARealServer:
    """What only a real server shows."""

    pytestmark = needs_redis

    @pytest.fixture
    def server(self) -> Iterator[RedisServer]:
        with RedisServer() as server:
            yield server

    @pytest.fixture
    async def engine(self, tmp_path: Path, server: RedisServer) -> AsyncIterator[RunningEngine]:
        async with RunningEngine(tmp_path, config_with(tmp_path, server)) as engine:
            yield engine

    async def test_only_operators_change_it_and_only_officials_read_it(self, engine: RunningEngine) -> None:
        for path in READS:
            for who in ("operator", "risk", "clearing", "auditor", "component"):
                assert (await engine.get(path, who)).status == 200
            assert [(await engine.get(path, who)).status for who in ("alice", "")] == [403, 401]
        for path, body in WRITES.items():
            for who, status in (("auditor", 403), ("component", 403), ("alice", 403), ("", 401)):
                assert (await engine.post(path, who, body)).status == status, (path, who)
        assert (await engine.post(PATH + "/diff", "auditor", {"document": {}})).status == 200

    async def test_a_document_is_tried_applied_shown_and_taken_back(self, engine: RunningEngine) -> None:
        document = {**MARKET, "exchange": {"log_level": "error"}, "bus": {"gap_wait_ms": 60}}
        tried = await engine.post(PATH + "/diff", "operator", {"document": document})
        assert tried.status == 200, tried
        assert tried.body["after"] == 0
        assert len(tried.body["commands"]) == 3
        assert (await engine.get("/api/v1/symbols/ACME")).status == 404
        done = await applied(engine, document, note="try")
        assert done.status == 200, done
        assert shape(done.body, "status", "version", "problem") == {
            "status": "applied",
            "version": 1,
            "problem": "",
        }
        assert done.body["commands"] == tried.body["commands"]
        state = (await engine.get(PATH + "/shared", "operator")).body
        assert shape(state, "version", "sequenced", "approvals", "document") == {
            "version": 1, "sequenced": 1, "approvals": 1, "document": document,
        }  # fmt: skip
        (running,) = state["running"]
        assert shape(running, "version", "pending") == {"version": 1, "pending": ["bus.gap_wait_ms"]}
        assert (await engine.get("/api/v1/components")).items[0]["config_pending"] == ["bus.gap_wait_ms"]
        again = await engine.post(PATH + "/diff", "operator", {"document": document})
        assert (again.body["changes"], again.body["commands"]) == ([], [])
        assert again.body["notes"] == [f"{running['component']} waits for a restart: bus.gap_wait_ms"]
        back = await engine.post(PATH + "/rollback", "operator", {"version": 0})
        assert (back.body["version"], back.body["notes"]) == (
            2,
            [
                f"{name} stays as version 1 left it: this document does not name it"
                for name in ("ACME", "AAPL")
            ],
        )
        versions = (await engine.get(PATH + "/history", "operator")).items
        assert [shape(each, "version", "note", "who") for each in versions] == [
            {"version": 2, "note": "back to version 0", "who": "operator"},
            {"version": 1, "note": "try", "who": "operator"},
        ]

    async def test_an_order_meets_the_new_terms_and_the_events_say_by_which_version(
        self, engine: RunningEngine
    ) -> None:
        resting = await engine.order("alice", "buy", "10", "189.21")
        done = await applied(engine, MARKET)
        assert "AAPL: 1 open orders keep price and quantity, 1 of them off" in done.body["notes"][-1]
        assert (await engine.order("bob", "sell", "10", "189.21")).body["reason"] == "price_not_on_tick"
        assert (await engine.order("bob", "sell", "10", "189.20")).body["avg_price"] == "189.21"
        assert (await engine.get(f"/api/v1/order/{resting.body['id']}", "alice")).body["status"] == "filled"
        order = {"symbol": "ACME", "side": "buy", "qty": "1", "price": "25.00"}
        assert (await engine.post("/api/v1/order", "alice", order)).status == 201
        events = (await engine.get("/api/v1/events?after=0&limit=1000", "auditor")).items
        found = [each for each in events if "configuration_version" in each["data"]]
        assert [(each["type"], each["data"]["configuration_version"]) for each in found] == [
            ("symbol_configured", 1), ("symbol_configured", 1), ("rule_configured", 1), ("configuration_changed", 1),
        ]  # fmt: skip
        assert found[1]["data"]["changes"] == ["ticks"]
        assert found[-1]["seq"] == done.body["seq"]

    @pytest.mark.parametrize(
        ("document", "said"),
        [
            ({"exchange": {"log_levle": "debug"}}, 'did you mean "log_level"'),
            ({"exchange": {"rate_per_s": -1}}, "must be a whole number from 0"),
            ({"redis": {"url": "redis://h"}}, "stands in the file of each component only"),
            ({"symbols": [{"symbol": "NEW", "reference_price": "5.00"}]}, "a new symbol needs name"),
            (
                {"symbols": [NICKEL | {"reference_price": "189.21"}]},
                "[[symbols]] 1 AAPL: the market refuses it",
            ),
            ({"clearing": {"rule": [{"id": "A", "kind": "none"}]}}, "allowed are price_band"),
        ],
    )
    async def test_a_document_with_a_mistake_is_refused_whole(
        self, engine: RunningEngine, document: dict[str, Any], said: str
    ) -> None:
        before = engine.app.venue.command_sequence
        for path in (PATH, PATH + "/diff"):
            refused = await engine.post(
                path, "operator", {"document": {**document, "engine": {"segment_mib": 8}}}
            )
            assert (refused.status, refused.body["field"]) == (422, "document")
            assert said in refused.body["message"]
            assert any(said in problem for problem in refused.body["detail"]["problems"])
        assert engine.app.venue.command_sequence == before
        assert (await engine.get(PATH + "/shared", "operator")).body["version"] == 0

    async def test_what_overtook_a_change_is_told(self, engine: RunningEngine) -> None:
        assert (await applied(engine, {"exchange": {"log_level": "error"}}, after=0)).status == 200
        late = await applied(engine, {"exchange": {"log_level": "debug"}}, after=0)
        assert (late.status, "version 1 is in force, not 0" in late.body["message"]) == (409, True)
        assert (await engine.post(PATH + "/rollback", "operator", {"version": 7})).status == 409

    async def test_a_document_that_is_too_large_and_a_note_that_is_none_are_refused(
        self, engine: RunningEngine
    ) -> None:
        large = {"symbols": [ACME | {"symbol": f"A{number}", "name": "x" * 60} for number in range(3_000)]}
        refused = await applied(engine, large)
        assert refused.status in (413, 422)
        assert (await applied(engine, {}, note="a\nb")).status == 422

    async def test_a_redis_that_is_away_is_told_and_the_market_goes_on(
        self, engine: RunningEngine, server: RedisServer
    ) -> None:
        assert (await applied(engine, MARKET)).status == 200
        server.kill()
        refused = await applied(engine, {})
        assert (refused.status, "what runs goes on" in refused.body["message"]) == (503, True)
        assert (await engine.order("alice", "buy", "10", "189.20")).status == 201
        notes = (await engine.get("/readyz")).body["notes"]
        assert any("Redis" in note for note in notes)

    async def test_a_proposal_that_is_none_is_refused(self, engine: RunningEngine) -> None:
        for number, status in (("1", 409), ("x", 404), ("99999999999999", 404)):
            assert (await engine.post(f"{PATH}/proposals/{number}/approve", "operator", {})).status == status
