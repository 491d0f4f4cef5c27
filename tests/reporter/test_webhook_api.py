"""Webhooks of a running reporter: what is delivered, whose it is, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exchange.domain import commands as c
from exchange.domain.participant import Role
from exchange.domain.units import ParticipantId
from tests.reporter.reporter_stand import Stand
from tests.reporter.webhook_receiver import WITHIN_S, Receiver

PATH = "/api/v1/webhooks"
ALICE, BOB, BOBS_VIEWER, OPERATOR, AUDITOR = "xk_alice", "xk_bob", "xk_look", "xk_op", "xk_aud"
KEYS = (
    (ALICE, 1, Role.TRADER),
    (BOB, 2, Role.TRADER),
    (BOBS_VIEWER, 2, Role.VIEWER),
    (OPERATOR, 0, Role.OPERATOR),
    (AUDITOR, 0, Role.AUDITOR),
)


async def opened(stand: Stand) -> None:
    keys = [
        c.CreateKey(
            participant_id=ParticipantId(owner), role=role, sha256=sha256(key.encode()).digest(), label="k"
        )
        for key, owner, role in KEYS
    ]
    await stand.publish(stand.flow.open(), stand.flow.do(*keys))


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    async with Stand(tmp_path) as running:
        await opened(running)
        yield running


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as listening:
        yield listening


async def ask(
    stand: Stand, method: str, path: str = "", status: int = 200, key: str = BOB, **body: Any
) -> Any:
    headers = {"Authorization": f"Bearer {key}"}
    payload = body or None
    async with stand.http.request(method, PATH + path, json=payload, headers=headers) as answer:
        assert answer.status == status, await answer.text()
        return msgspec.json.decode(await answer.read())


async def made(stand: Stand, receiver: Receiver, key: str = BOB, **body: Any) -> Any:
    hook = await ask(stand, "POST", status=201, key=key, url=receiver.url, **body)
    receiver.secret = hook["secret"]
    return hook


async def until(stand: Stand, hook: Any, key: str = BOB, **fields: Any) -> Any:
    """Wait until a webhook looks so."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            found = await ask(stand, "GET", f"/{hook['id']}", key=key)
            if all(found[name] == value for name, value in fields.items()):
                return found
            await asyncio.sleep(0.01)


async def test_whose_they_are_is_kept(stand: Stand, receiver: Receiver) -> None:
    hook = await made(stand, receiver)
    place = f"/{hook['id']}"
    await ask(stand, "GET", place, 404, ALICE)
    await ask(stand, "DELETE", place, 404, ALICE)
    assert (await ask(stand, "GET", key=ALICE))["items"] == []
    assert (await ask(stand, "DELETE", place, 403, BOBS_VIEWER))["reason"] == "role_not_allowed"
    assert (await ask(stand, "POST", status=403, key=BOBS_VIEWER, url=receiver.url))[
        "reason"
    ] == "role_not_allowed"
    assert (await ask(stand, "DELETE", place, 403, AUDITOR))["reason"] == "role_not_allowed"
    for key in (BOBS_VIEWER, OPERATOR, AUDITOR):
        assert [each["id"] for each in (await ask(stand, "GET", key=key))["items"]] == [hook["id"]]
    assert (await ask(stand, "GET", "?participant=1", key=OPERATOR))["items"] == []
    await ask(stand, "DELETE", place)
    await ask(stand, "GET", place, 404)
    await stand.publish(stand.flow.trade(1_000_000))
    assert not receiver.tries


@pytest.mark.parametrize(
    ("body", "status", "field", "says"),
    [
        ({"url": "http://example.com/hook"}, 400, "url", "ask the operator"),
        ({"url": "http://user:pass@127.0.0.1/hook"}, 400, "url", "no user"),
        ({"url": "http://127.0.0.1:99999/hook"}, 400, "url", "not a URL"),
        ({"url": "ftp://127.0.0.1/hook"}, 400, "url", "is needed"),
        ({"url": "http://[::1/hook"}, 400, "url", "not a URL"),
        ({"url": "http://127.0.0.1/" + "a" * 500}, 400, "url", "at most 500"),
        ({"url": "http://127.0.0.1/", "symbols": ["XYZ"]}, 400, "symbols", "leave symbols out"),
        ({"url": "http://127.0.0.1/", "channel": "trades", "symbols": ["NIX"]}, 404, "symbols", "no symbol"),
        ({"url": "http://127.0.0.1/", "channel": "book"}, 400, "channel", "book"),
        ({}, 400, "", ""),
    ],
)
async def test_what_cannot_be_is_refused_in_words(
    stand: Stand, body: dict[str, Any], status: int, field: str, says: str
) -> None:
    if not body:
        body = {"from_seq": 1}
    answer = await ask(stand, "POST", status=status, **body)
    assert says in answer["message"]
    if field:
        assert answer["field"] == field
    assert (await ask(stand, "GET"))["items"] == []


async def test_an_official_key_has_no_drop_copies_and_a_participant_not_too_many(
    stand: Stand, receiver: Receiver
) -> None:
    refused = await ask(stand, "POST", status=400, key=OPERATOR, url=receiver.url)
    assert refused["field"] == "channel"
    for _ in range(10):
        await made(stand, receiver)
    refused = await ask(stand, "POST", status=409, url=receiver.url)
    assert "at most 10" in refused["message"]
    await made(stand, receiver, ALICE)
