"""Webhooks of a running reporter: what is delivered, whose it is, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reporter.reporter_stand import Stand
from tests.reporter.webhook_receiver import Receiver
from tests.reporter.webhook_stand import ALICE, AUDITOR, BOBS_VIEWER, OPERATOR, ask, made


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
    assert (await ask(stand, "GET", "?participant=null", 400, OPERATOR))["field"] == "participant"
    await ask(stand, "DELETE", place)
    await ask(stand, "GET", place, 404)
    await stand.publish(stand.flow.trade(1_000_000))
    assert not receiver.tries


@pytest.mark.parametrize(
    ("body", "status", "field", "says"),
    [
        ({"url": "http://example.com/hook"}, 422, "url", "ask the operator"),
        ({"url": "http://user:pass@127.0.0.1/hook"}, 422, "url", "no user"),
        ({"url": "http://127.0.0.1:99999/hook"}, 422, "url", "not a URL"),
        ({"url": "ftp://127.0.0.1/hook"}, 422, "url", "is needed"),
        ({"url": "http://[::1/hook"}, 422, "url", "not a URL"),
        ({"url": "http://127.0.0.1/" + "a" * 500}, 422, "url", "at most 500"),
        ({"url": "http://127.0.0.1/", "symbols": ["XYZ"]}, 422, "symbols", "leave symbols out"),
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
    refused = await ask(stand, "POST", status=422, key=OPERATOR, url=receiver.url)
    assert refused["field"] == "channel"
    for _ in range(10):
        await made(stand, receiver)
    refused = await ask(stand, "POST", status=409, url=receiver.url)
    assert "at most 10" in refused["message"]
    await made(stand, receiver, ALICE)
