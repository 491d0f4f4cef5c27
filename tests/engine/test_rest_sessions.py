"""REST of the OUCH sessions: operators make and remove users, members see their own, figures for Prometheus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.wire import ouch_messages as m
from tests.engine.ouch_client import OuchClient
from tests.engine.running_engine import RunningEngine, shape


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


def port_of(engine: RunningEngine) -> int:
    assert engine.app.ouch is not None
    return engine.app.ouch.port


async def test_an_operator_makes_a_user_whose_password_is_shown_once(engine: RunningEngine) -> None:
    made = await engine.post("/api/v1/sessions", "operator", {"user": "DESK1", "account": "2"})
    assert made.status == 201
    assert shape(made.body, "user", "participant", "account", "cancel_on_disconnect", "port") == {
        "user": "DESK1", "participant": "2", "account": "2", "cancel_on_disconnect": False, "port": port_of(engine),
    }  # fmt: skip
    assert len(made.body["password"]) == 10
    listed = (await engine.get("/api/v1/sessions", "operator")).items
    assert [item["user"] for item in listed] == ["ALICE", "BOB", "CAROL", "DESK1"]
    assert all("password" not in item for item in listed)
    keys = (await engine.get("/api/v1/keys", "operator")).items
    assert keys[-1]["label"] == "ouch:DESK1 account=2"


async def test_a_session_shows_how_it_stands(engine: RunningEngine) -> None:
    member = engine.app.keys.participants["alice"]
    async with OuchClient(port_of(engine)) as client:
        assert await client.log_in(member.ouch_user, member.ouch_password) == ""
        client.order()
        await client.expect(m.SystemEvent, m.Accepted)
        (seen,) = (await engine.get("/api/v1/sessions", "alice")).items
        assert shape(
            seen, "user", "connected", "sequence", "sent", "next_user_ref_num", "live_orders", "waiting_orders",
            "received_messages", "session",
        ) == {
            "user": "ALICE", "connected": True, "sequence": 2, "sent": 2, "next_user_ref_num": 2, "live_orders": 1,
            "waiting_orders": 0, "received_messages": 1, "session": client.session,
        }  # fmt: skip
        metrics = (await engine.get("/metrics", "operator")).body.decode()
        assert "exchange_ouch_sessions 1.0" in metrics
        assert "exchange_ouch_messages_total 1.0" in metrics


async def test_members_see_their_own_sessions_only(engine: RunningEngine) -> None:
    assert [item["user"] for item in (await engine.get("/api/v1/sessions", "bob")).items] == ["BOB"]
    assert (await engine.get("/api/v1/sessions")).status == 401
    assert (await engine.post("/api/v1/sessions", "bob", {"user": "X", "account": "2"})).status == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user": "ALICE", "account": "1"}, 409),
        ({"user": "alice", "account": "1"}, 400),
        ({"user": "TOOLONG", "account": "1"}, 400),
        ({"user": "", "account": "1"}, 400),
        ({"user": "NEW", "account": "99"}, 404),
        ({"user": "NEW", "account": "x"}, 400),
        ({"user": "NEW"}, 400),
    ],
)
async def test_a_user_that_cannot_be_is_refused(
    engine: RunningEngine, body: dict[str, str], status: int
) -> None:
    refused = await engine.post("/api/v1/sessions", "operator", body)
    assert refused.status == status, refused
    assert len((await engine.get("/api/v1/sessions", "operator")).items) == 3


async def test_a_user_that_is_removed_is_disconnected_its_orders_cancelled_and_cannot_come_back(
    engine: RunningEngine,
) -> None:
    member = engine.app.keys.participants["alice"]
    async with OuchClient(port_of(engine)) as client:
        assert await client.log_in(member.ouch_user, member.ouch_password) == ""
        client.order()
        await client.expect(m.SystemEvent, m.Accepted)
        removed = await engine.ask("DELETE", "/api/v1/sessions/ALICE", "operator")
        assert (removed.status, removed.body["user"]) == (200, "ALICE")
        await client.until_closed()
    assert engine.app.venue.live_orders == 0
    async with OuchClient(port_of(engine)) as client:
        assert await client.log_in(member.ouch_user, member.ouch_password) == "A"
    assert (await engine.ask("DELETE", "/api/v1/sessions/ALICE", "operator")).status == 404
    again = await engine.post("/api/v1/sessions", "operator", {"user": "ALICE", "account": "1"})
    assert again.status == 201
    async with OuchClient(port_of(engine)) as client:
        assert await client.log_in("ALICE", again.body["password"]) == ""
        await client.expect(m.SystemEvent)


async def test_a_key_that_is_revoked_ends_its_session(engine: RunningEngine) -> None:
    member = engine.app.keys.participants["bob"]
    (seen,) = (await engine.get("/api/v1/sessions", "bob")).items
    async with OuchClient(port_of(engine)) as client:
        assert await client.log_in(member.ouch_user, member.ouch_password) == ""
        assert (await engine.ask("DELETE", f"/api/v1/keys/{seen['id']}", "operator")).status == 200
        await client.until_closed()
        assert client.debug == [b"the session was removed"]
