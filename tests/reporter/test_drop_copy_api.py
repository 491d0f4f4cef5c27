"""Drop copies of a running reporter by REST and WebSocket: whose, from where, and across a restart."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from exchange.domain import commands as c
from exchange.domain.order import Side
from exchange.domain.participant import Role
from exchange.domain.units import ParticipantId
from tests.reporter.reporter_stand import WITHIN_S, Listening, Stand

PATH = "/api/v1/drop-copy"
BOB, AUDITOR = "xk_bob", "xk_auditor"
BUYER, SELLER = "1", "2"


async def opened(stand: Stand) -> None:
    """Open the market, with a key of the member who sells and one of an auditor."""
    keys = [
        c.CreateKey(
            participant_id=ParticipantId(owner), role=role, sha256=sha256(key.encode()).digest(), label="k"
        )
        for key, owner, role in ((BOB, 2, Role.VIEWER), (AUDITOR, 0, Role.AUDITOR))
    ]
    await stand.publish(stand.flow.open(), stand.flow.do(*keys))


async def ask(stand: Stand, key: str, status: int = 200, **query: str) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with stand.http.get(PATH, params=query, headers=headers) as answer:
        assert answer.status == status, await answer.text()
        return msgspec.json.decode(await answer.read())


async def listen(stand: Stand, key: str, **operation: Any) -> Listening:
    headers = {"Authorization": f"Bearer {key}"}
    socket = await stand.http.ws_connect(f"{PATH}/stream", headers=headers)
    heard = Listening(socket)
    await heard.ask(op="subscribe", **operation)
    return heard


async def test_a_participant_reads_its_own_page_by_page(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await opened(stand)
        await stand.publish(*[stand.flow.trade(1_000_000 + 10_000 * number) for number in range(5)])
        await stand.publish(stand.flow.bust(next(iter(stand.flow.trades))))
        found, after = [], 0
        while after is not None:
            page = await ask(stand, BOB, after=str(after), limit="2")
            assert len(page["items"]) <= 2
            found += page["items"]
            after = page["next"]
        assert [each["type"] for each in found] == ["execution"] * 5 + ["bust"]
        assert {(each["account"], each["side"]) for each in found} == {(SELLER, "sell")}
        assert page["seq"] == stand.source.last_sequence
        assert await ask(stand, AUDITOR, participant=BUYER) == await ask(stand, AUDITOR, participant=BUYER)


async def test_whose_they_are_is_kept(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await opened(stand)
        assert (await ask(stand, "", 401))["reason"] == "key_missing"
        assert (await ask(stand, BOB, 403, participant=BUYER))["reason"] == "role_not_allowed"
        assert (await ask(stand, AUDITOR, 422))["field"] == "participant"
        assert (await ask(stand, AUDITOR, 404, participant="77"))["field"] == "participant"
        for key in (BOB, AUDITOR):
            for text in ("[]", "1\n", "\u00b2", "-1", "9" * 21):
                assert (await ask(stand, key, 400, participant=text))["field"] == "participant"
        heard = await listen(stand, BOB, participant=BUYER)
        assert (await heard.until("error"))["reason"] == "role_not_allowed"
        with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
            await stand.http.ws_connect(f"{PATH}/stream")


async def test_the_stream_begins_anywhere_and_goes_on_live(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await opened(stand)
        await stand.publish(stand.flow.trade(1_000_000), stand.flow.trade(1_010_000))
        heard = await listen(stand, BOB, from_seq=1)
        assert await heard.until("subscribed") == {"type": "subscribed", "participant": SELLER, "from_seq": 1}
        first, second = await heard.until("execution"), await heard.until("execution")
        assert [first["price"], second["price"]] == ["100.00", "101.00"]
        await stand.publish(stand.flow.trade(1_020_000))
        third = await heard.until("execution")
        assert third["price"] == "102.00"
        await stand.restart()
        again = await listen(stand, BOB, from_seq=second["seq"] + 1)
        assert await again.until("execution") == third
        new = await listen(stand, BOB)
        await stand.publish(stand.flow.trade(1_030_000))
        assert (await new.until("execution"))["price"] == "103.00"


async def test_an_idle_stream_says_how_far_it_is(tmp_path: Path) -> None:
    async with Stand(tmp_path, heartbeat_ms=100) as stand:
        await opened(stand)
        heard = await listen(stand, BOB, from_seq=1)
        await stand.publish(stand.flow.limit(Side.BUY, 500_000))
        async with asyncio.timeout(WITHIN_S):
            while (await heard.until("heartbeat"))["seq"] < stand.source.last_sequence:
                pass
        await heard.ask(op="subscribe")
        assert "one operation" in (await heard.until("error"))["message"]


async def test_what_is_no_operation_closes_the_stream_with_the_reason(tmp_path: Path) -> None:
    async with Stand(tmp_path) as stand:
        await opened(stand)
        heard = await listen(stand, BOB, from_seq="soon")
        assert (await heard.until("error"))["field"] == "from_seq"
