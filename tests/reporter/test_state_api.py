"""The route that gives the state: to components only, few at once, and subscribers hear on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from hashlib import sha256
from io import BytesIO

import pytest

from exchange.domain import commands as c
from exchange.domain.participant import Role
from exchange.domain.units import ParticipantId
from exchange.reporter import state_api
from exchange.reporter.state_api import PATH
from exchange.reporter.state_stream import StateReader
from tests.reporter.reporter_stand import WITHIN_S, Stand

COMPONENT = "xk_component_of_a_replica_that_takes_state"
AUTHORIZED = {"Authorization": f"Bearer {COMPONENT}"}


async def with_component(stand: Stand) -> None:
    """Let the engine know a key of role component."""
    key = c.CreateKey(
        participant_id=ParticipantId(0),
        role=Role.COMPONENT,
        sha256=sha256(COMPONENT.encode()).digest(),
        label="k",
    )
    await stand.publish(stand.flow.do(key))


async def test_a_component_gets_a_whole_state(stand: Stand) -> None:
    await with_component(stand)
    async with stand.http.get(PATH, headers=AUTHORIZED) as answer:
        assert answer.status == 200
        reader = StateReader(BytesIO(await answer.read()).read)
    assert reader.header.sequence == stand.app.market.sequence
    while reader.next() is not None:
        pass


async def test_nobody_else_gets_it(stand: Stand) -> None:
    for headers, status in (({}, 401), ({"Authorization": "Bearer xk_bob"}, 403)):
        async with stand.http.get(PATH, headers=headers) as answer:
            assert answer.status == status, await answer.text()


async def test_one_too_many_is_told_to_come_back(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    await with_component(stand)
    began, goes_on = threading.Semaphore(0), threading.Event()

    def frames(*_: object) -> Generator[bytes, None, None]:
        began.release()
        goes_on.wait(WITHIN_S)
        yield b"state"

    monkeypatch.setattr(state_api, "state_frames", frames)
    first = [asyncio.create_task(_status(stand)) for _ in range(state_api.SERVED_MAX)]
    for _ in first:
        assert await asyncio.to_thread(began.acquire, timeout=WITHIN_S)
    assert await _status(stand) == (503, "5")
    goes_on.set()
    assert [status for status, _ in await asyncio.gather(*first)] == [200, 200]


async def _status(stand: Stand) -> tuple[int, str]:
    async with stand.http.get(PATH, headers=AUTHORIZED) as answer:
        await answer.read()
        return answer.status, answer.headers.get("Retry-After", "")
