"""A reporter with members and their keys, for tests of webhooks, and what they ask it."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any

import msgspec

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
