"""OUCH sessions over starts: the same streams after a stop and after a crash, new ones where the past is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exchange.engine.ouch_sessions import CHECKPOINT_FILE, OuchSessions, state_of
from exchange.wire import ouch_messages as m
from exchange.wire.ouch_translator import OuchTranslator
from tests.engine.ouch_client import OuchClient
from tests.engine.running_engine import RunningEngine, config_for


async def log_in(engine: RunningEngine, client: OuchClient, name: str = "alice", sequence: int = 1) -> None:
    member = engine.app.keys.participants[name]
    assert await client.log_in(member.ouch_user, member.ouch_password, sequence) == ""


def client_of(engine: RunningEngine) -> OuchClient:
    assert engine.app.ouch is not None
    return OuchClient(engine.app.ouch.port)


def sessions_of(engine: RunningEngine) -> OuchSessions:
    assert engine.app.ouch is not None
    return engine.app.ouch.sessions


async def raw_stream(engine: RunningEngine, count: int) -> list[bytes]:
    async with client_of(engine) as client:
        await log_in(engine, client)
        for _ in range(count):
            await client.message()
        return client.raw


async def test_a_stop_and_a_start_keep_stream_number_and_session_name(tmp_path: Path) -> None:
    engine = RunningEngine(tmp_path)
    async with engine:
        async with client_of(engine) as client:
            await log_in(engine, client)
            client.order()
            await client.expect(m.SystemEvent, m.Accepted)
            name, raw = client.session, client.raw
        await engine.restart()
        assert await raw_stream(engine, 2) == raw
        async with client_of(engine) as client:
            await log_in(engine, client, sequence=3)
            assert client.session == name
            client.send(m.AccountQuery(), m.CancelOrder(user_ref_num=1))
            asked, cancelled = await client.expect(m.AccountQueryResponse, m.Canceled)
            assert (asked.next_user_ref_num, cancelled.decrement) == (2, 100)


async def test_without_the_files_of_the_last_moment_events_make_them_again(tmp_path: Path) -> None:
    """A crash leaves the checkpoint of the start, and streams that may be longer, shorter or not there."""
    engine = RunningEngine(tmp_path)
    async with engine:
        folder = engine.app.folder.path / "ouch"
        checkpoint = (folder / CHECKPOINT_FILE).read_bytes()
        async with client_of(engine) as client:
            await log_in(engine, client)
            for _ in range(5):
                client.order()
            await client.expect(m.SystemEvent, *[m.Accepted] * 5)
            raw = client.raw
        await engine.stop()
        (folder / CHECKPOINT_FILE).write_bytes(checkpoint)
        for stream in folder.glob("*/*.stream"):
            stream.write_bytes(b"\xff" * 30)
        await engine.start()
        assert await raw_stream(engine, 6) == raw


@pytest.mark.parametrize("damage", ["gone", "garbage", "of another version"])
async def test_without_a_checkpoint_streams_begin_anew_under_another_name(
    tmp_path: Path, damage: str
) -> None:
    engine = RunningEngine(tmp_path)
    async with engine:
        async with client_of(engine) as client:
            await log_in(engine, client)
            client.order()
            await client.expect(m.SystemEvent, m.Accepted)
        await engine.stop()
        file = engine.app.folder.path / "ouch" / CHECKPOINT_FILE
        _damage(file, damage)
        await engine.start()
        async with client_of(engine) as client:
            member = engine.app.keys.participants["alice"]
            assert await client.log_in(member.ouch_user, member.ouch_password, 3) == "S"
        async with client_of(engine) as client:
            await log_in(engine, client, sequence=0)
            client.send(m.CancelOrder(user_ref_num=1), m.AccountQuery())
            cancelled, asked = await client.expect(m.Canceled, m.AccountQueryResponse)
            assert (cancelled.decrement, asked.next_user_ref_num) == (100, 2)


def _damage(file: Path, how: str) -> None:
    if how == "gone":
        file.unlink()
    elif how == "garbage":
        file.write_bytes(b"\xc1garbage")
    else:
        file.write_bytes(file.read_bytes().replace(b"\xa7version\x01", b"\xa7version\x63"))


async def test_a_new_business_date_begins_new_streams_and_ends_sessions(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path, config_for(tmp_path, day_ends="never")) as engine:
        async with client_of(engine) as client:
            await log_in(engine, client)
            before = sessions_of(engine).name
            client.order()
            await client.expect(m.SystemEvent, m.Accepted)
            assert (await engine.post("/api/v1/business-day", "operator", {})).status == 201
            ended: list[Any] = await client.until_closed()
            assert [type(message) for message in ended] == [m.Canceled, m.SystemEvent]
            assert (ended[0].reason, ended[1].event, client.ended) == ("T", "E", True)
        async with client_of(engine) as client:
            await log_in(engine, client)
            assert client.session != before
            (started,) = await client.expect(m.SystemEvent)
            assert started.event == "S"
            client.order()
            await client.expect(m.Accepted)
        folders = {path.name for path in (engine.app.folder.path / "ouch").iterdir() if path.is_dir()}
        assert folders == {before, sessions_of(engine).name}
        await engine.restart()
        async with client_of(engine) as late:
            member = engine.app.keys.participants["alice"]
            assert await late.log_in(member.ouch_user, member.ouch_password, 2, before) == ""
            found = await late.until_closed()
            assert [type(message) for message in found] == [m.Accepted, m.Canceled, m.SystemEvent]
            assert (late.session, late.ended) == (before, True)


async def test_the_venue_tells_who_the_sessions_are_and_their_live_orders(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path) as engine, client_of(engine) as client:
        await log_in(engine, client)
        client.order(quantity=70)
        await client.expect(m.SystemEvent, m.Accepted)
        state = state_of(engine.app.venue, 123)
        kept = sessions_of(engine).translator.state
        assert {number: session.user for number, session in state.sessions.items()} == {
            number: session.user for number, session in kept.sessions.items()
        }
        written = OuchTranslator.restore(sessions_of(engine).translator.snapshot()).state
        assert state.orders == written.orders
        assert (state.event_sequence, state.business_date) == (123, kept.business_date)
