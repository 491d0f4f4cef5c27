"""The desk: two people where two must agree, exactly once through crashes, and nothing that somebody forged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
import structlog

from exchange.engine.config_desk import SEALS
from exchange.engine.recovery import recover
from exchange.infra.config_document import Document, sealed, values_of
from exchange.infra.redis_cache import RedisLink
from exchange.infra.shared_config import PROPOSALS_OPEN_MAX, SharedConfig
from tests.engine.config_stand import ACME, MARKET, NICKEL, PATH, applied, config_with, second_operator
from tests.engine.running_engine import RunningEngine, shape, until
from tests.infra.redis_server import RedisServer, needs_redis

pytestmark = needs_redis

QUIET = {"exchange": {"log_level": "error"}}


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Forget the level of the log that a document set."""
    level = logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.setLevel(level)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
async def engine(tmp_path: Path, server: RedisServer) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path, config_with(tmp_path, server)) as engine:
        yield engine


@pytest.fixture
async def pair(tmp_path: Path, server: RedisServer) -> AsyncIterator[RunningEngine]:
    """Run an engine whose configuration two must agree on."""
    async with RunningEngine(tmp_path, config_with(tmp_path, server, config_approvals=2)) as engine:
        yield engine


@pytest.fixture
async def shared(server: RedisServer) -> AsyncIterator[SharedConfig]:
    link = RedisLink(server.url, "stock-exchange:0", 5.0)
    yield SharedConfig(link)
    await link.close()


def in_force(engine: RunningEngine) -> int:
    return engine.app.venue.directory.configuration_version


# --- two people -----------------------------------------------------------------------------------


async def test_what_one_proposes_another_approves(pair: RunningEngine) -> None:
    other = "risk"
    proposed = await applied(pair, MARKET, note="finer")
    assert shape(proposed.body, "status", "proposal", "version") == {
        "status": "proposed",
        "proposal": 1,
        "version": 0,
    }
    assert in_force(pair) == 0
    own = await pair.post(f"{PATH}/proposals/1/approve", "operator", {})
    assert (own.status, "is your own" in own.body["message"]) == (409, True)
    for key in (await second_operator(pair), await second_operator(pair, "third")):
        same = await pair.post(f"{PATH}/proposals/1/approve", key, {})
        assert (same.status, "the same person" in same.body["message"]) == (409, True)
    assert in_force(pair) == 0
    done = await pair.post(f"{PATH}/proposals/1/approve", other, {"note": "looked"})
    assert shape(done.body, "status", "version", "problem") == {
        "status": "applied",
        "version": 1,
        "problem": "",
    }
    assert in_force(pair) == 1
    (version,) = (await pair.get(PATH + "/history", "auditor")).items
    assert shape(version, "who", "approver", "note") == {
        "who": "operator",
        "approver": "risk",
        "note": "finer",
    }
    (proposal,) = (await pair.get(PATH + "/proposals", "auditor")).items
    assert shape(proposal, "state", "decided_by", "why") == {
        "state": "approved",
        "decided_by": "risk",
        "why": "looked",
    }
    events = (await pair.get("/api/v1/events?after=0&limit=1000", "auditor")).items
    changed = next(each["data"] for each in events if each["type"] == "configuration_changed")
    assert (changed["key_id"], changed["approver_key_id"]) == (version["key_id"], version["approver_key_id"])
    again = await pair.post(f"{PATH}/proposals/1/approve", other, {})
    assert (again.status, "is approved" in again.body["message"]) == (409, True)


async def test_a_proposal_is_rejected_or_taken_back(pair: RunningEngine) -> None:
    other = "risk"
    for who in (other, "operator"):
        number = (await applied(pair, QUIET)).body["proposal"]
        done = await pair.post(f"{PATH}/proposals/{number}/reject", who, {"note": "no"})
        assert shape(done.body, "status", "proposal") == {"status": "rejected", "proposal": number}
        late = await pair.post(f"{PATH}/proposals/{number}/approve", other, {})
        assert (late.status, "is rejected" in late.body["message"]) == (409, True)
    assert (await pair.get(PATH + "/shared", "operator")).body["version"] == 0


async def test_a_proposal_that_another_version_overtook_must_be_made_again(pair: RunningEngine) -> None:
    other = "risk"
    for _ in range(2):
        await applied(pair, QUIET)
    assert (await pair.post(f"{PATH}/proposals/1/approve", other, {})).status == 200
    late = await pair.post(f"{PATH}/proposals/2/approve", other, {})
    assert (late.status, "propose again" in late.body["message"]) == (409, True)
    states = [each["state"] for each in (await pair.get(PATH + "/proposals", "operator")).items]
    assert states == ["overtaken", "approved"]


async def test_a_proposal_expires_and_one_that_was_touched_is_refused(
    pair: RunningEngine, shared: SharedConfig
) -> None:
    other = "risk"
    await applied(pair, QUIET)
    await applied(pair, QUIET)
    first, second = await shared.proposal(1), await shared.proposal(2)
    assert first is not None
    assert second is not None
    await shared.decide(first, msgspec.structs.replace(first, expires_at="2020-01-01T00:00:00Z"))
    forged = msgspec.structs.replace(second.document, key_id=99, values=values_of(MARKET))
    await shared.decide(second, msgspec.structs.replace(second, document=forged))
    for number, said in ((1, "is expired"), (2, "does not bear the seal")):
        refused = await pair.post(f"{PATH}/proposals/{number}/approve", other, {})
        assert (refused.status, said in refused.body["message"]) == (409, True)


async def test_a_proposal_that_the_market_refuses_by_now_is_refused_and_stays_open(
    pair: RunningEngine,
) -> None:
    other = "risk"
    await applied(
        pair, {"symbols": [{"symbol": "ACME", "round_lot": 10, "name": "A", "reference_price": "5.01"}]}
    )
    nickel = [{"from": "0", "tick": "0.05"}]
    body = {"symbol": "ACME", "name": "Acme", "reference_price": "25.00", "ticks": nickel}
    assert (await pair.post("/api/v1/symbols", "operator", body)).status == 201
    refused = await pair.post(f"{PATH}/proposals/1/approve", other, {})
    assert (refused.status, "the market refuses it" in refused.body["message"]) == (422, True)
    assert (await pair.get(PATH + "/proposals", "operator")).items[0]["state"] == "open"


async def test_open_proposals_are_bounded(pair: RunningEngine) -> None:
    answers = [await applied(pair, QUIET) for _ in range(PROPOSALS_OPEN_MAX + 1)]
    assert [answer.status for answer in answers] == [200] * PROPOSALS_OPEN_MAX + [409]
    assert "approve or reject some" in answers[-1].body["message"]


async def test_a_rollback_needs_two_as_well(pair: RunningEngine) -> None:
    assert (await pair.post(PATH + "/rollback", "operator", {"version": 0})).body["status"] == "proposed"


# --- once, through crashes ------------------------------------------------------------------------


async def test_many_who_apply_at_once_get_one_version_each(engine: RunningEngine) -> None:
    answers = await asyncio.gather(*(applied(engine, MARKET) for _ in range(5)))
    assert sorted(answer.body["version"] for answer in answers) == [1, 2, 3, 4, 5]
    events = (await engine.get("/api/v1/events?after=0&limit=1000", "auditor")).items
    kinds = [each["type"] for each in events if "configuration_version" in each["data"]]
    assert [
        kinds.count(kind) for kind in ("symbol_configured", "rule_configured", "configuration_changed")
    ] == [2, 1, 5]


async def test_a_version_that_was_published_before_a_crash_is_carried_out_after_it(
    engine: RunningEngine, shared: SharedConfig
) -> None:
    keys = {name: getattr(engine.app.keys, name) for name in SEALS}
    await engine.stop()
    for version, document in ((1, MARKET), (2, {"symbols": [{"symbol": "ACME", "round_lot": 10}]})):
        await shared.publish(sealed(Document(version=version, values=values_of(document), key_id=1), keys))
    engine.app = type(engine.app)(engine.config)
    await engine.start()
    await until(lambda: in_force(engine) == 2)
    symbol = (await engine.get("/api/v1/symbols/ACME")).body
    assert (symbol["round_lot"], symbol["reference_price"]) == ("10", "25.00")
    sequence = engine.app.venue.command_sequence
    await engine.restart()
    assert (in_force(engine), engine.app.venue.command_sequence) == (2, sequence + 1)
    await engine.restart()
    folder, digest = engine.app.folder.path, engine.app.venue.digest()
    await engine.app.stop()
    recovered = recover(folder)
    assert recovered.venue.digest() == digest
    recovered.close()


async def test_half_carried_out_is_finished_and_not_repeated(
    engine: RunningEngine, shared: SharedConfig
) -> None:
    keys = {name: getattr(engine.app.keys, name) for name in SEALS}
    await engine.post("/api/v1/symbols", "operator", MARKET["symbols"][0])
    await shared.publish(sealed(Document(version=1, values=values_of(MARKET), key_id=1), keys))
    await until(lambda: in_force(engine) == 1)
    await engine.app.sequencer.barrier()
    events = (await engine.get("/api/v1/events?after=0&limit=1000", "auditor")).items
    configured = [each["data"]["symbol"] for each in events if each["type"] == "symbol_configured"]
    assert configured == ["AAPL"]


async def test_a_forged_version_changes_nothing_in_the_market_and_the_next_true_one_does(
    engine: RunningEngine, shared: SharedConfig
) -> None:
    forged = Document(version=1, values=values_of(MARKET), key_id=1)
    await shared.publish(sealed(forged, dict.fromkeys(SEALS, "guessed")))
    follower = engine.app._config_follower
    assert follower is not None
    await until(lambda: "does not bear the seal" in follower.problem)
    assert (in_force(engine), (await engine.get("/api/v1/symbols/ACME")).status) == (0, 404)
    done = await applied(engine, {"symbols": [NICKEL]})
    assert (done.body["version"], done.body["problem"]) == (2, "")
    assert (await engine.get("/api/v1/symbols/ACME")).status == 404


async def test_a_redis_that_lost_its_versions_gets_the_next_number(
    engine: RunningEngine, server: RedisServer
) -> None:
    assert (await applied(engine, MARKET)).body["version"] == 1
    server.kill()
    server.start()

    async def again() -> int:
        answer = await applied(engine, QUIET)
        return int(answer.body.get("version", 0))

    for _ in range(500):
        if version := await again():
            break
        await asyncio.sleep(0.02)
    assert (version, in_force(engine)) == (2, 2)


async def test_a_damaged_version_in_between_is_said_and_passed_by(
    engine: RunningEngine, shared: SharedConfig, server: RedisServer
) -> None:
    keys = {name: getattr(engine.app.keys, name) for name in SEALS}
    await engine.stop()
    for version in (1, 2):
        await shared.publish(sealed(Document(version=version, values=values_of({"symbols": [NICKEL]})), keys))
    link = RedisLink(server.url, "stock-exchange:0", 5.0)
    await link.call(("HSET", link.key("config", "documents"), 1, "no JSON"))
    await link.close()
    engine.app = type(engine.app)(engine.config)
    await engine.start()
    await until(lambda: in_force(engine) == 2)
    assert (await engine.get("/api/v1/symbols/AAPL")).body["ticks"] == [{"from": "0.00", "tick": "0.05"}]


# --- allocations ----------------------------------------------------------------------------------


async def test_allocations_of_a_listed_and_a_new_symbol_are_in_force_with_the_version(
    engine: RunningEngine,
) -> None:
    steps = ["pro_rata,min=2", "fifo"]
    symbols = [ACME | {"allocation": steps}, {"symbol": "AAPL", "allocation": steps}]
    done = await applied(engine, {"symbols": symbols})
    assert shape(done.body, "status", "version", "problem") == {
        "status": "applied",
        "version": 1,
        "problem": "",
    }
    assert [line for line in done.body["commands"] if "allocation" in line] == [
        "ACME: allocation pro_rata,min=2 fifo", "AAPL: allocation pro_rata,min=2 fifo",
    ]  # fmt: skip
    for symbol in ("ACME", "AAPL"):
        found = (await engine.get(f"/api/v1/symbols/{symbol}")).body["allocation"]["steps"]
        assert [step["step"] for step in found] == ["pro_rata", "fifo"]
    again = await applied(engine, {"symbols": symbols})
    assert (again.body["version"], again.body["commands"]) == (2, [])
