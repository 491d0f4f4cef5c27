"""The private stream of a running reporter: whose it is, what it says, and that nothing is missed or told twice."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any

import aiohttp
import pytest

from exchange.domain.order import Side
from tests.reporter.reporter_stand import Listening, Stand
from tests.reporter.webhook_stand import ALICE, AUDITOR, BOB, KEYS

PATH = "/api/v1/private/stream"


class Keeping(Listening):
    """A client that keeps what it heard, heartbeats left out."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        super().__init__(socket)
        self.heard: list[dict[str, Any]] = []

    async def receive(self, heartbeats: bool = False) -> dict[str, Any]:
        message = await super().receive(heartbeats)
        if message["type"] != "heartbeat":
            self.heard.append(message)
        return message


async def listen(stand: Stand, key: str = "", **operation: Any) -> Keeping:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    heard = Keeping(await stand.http.ws_connect(PATH, headers=headers))
    if key:
        await heard.ask(op="subscribe", **operation)
        await heard.until("subscribed")
    return heard


def signed(key: str, nonce: str) -> str:
    return hmac.new(sha256(key.encode()).digest(), nonce.encode(), "sha256").hexdigest()


def key_id(stand: Stand, key: str) -> str:
    return str(stand.app.market.directory.key_ids[sha256(key.encode()).digest()])


async def test_both_sides_hear_of_their_own_orders_and_nothing_of_each_other(stand: Stand) -> None:
    alice, bob = await listen(stand, ALICE), await listen(stand, BOB)
    await stand.publish(stand.flow.trade(1_000_000))
    await stand.publish(stand.flow.bust(next(iter(stand.flow.trades))))
    for heard, account, side in ((alice, "1", "buy"), (bob, "2", "sell")):
        accepted = await heard.until("order_accepted")
        assert accepted["account"] == account
        assert accepted["data"]["side"] == side
        execution = await heard.until("execution")
        assert execution["order_id"] == accepted["data"]["order_id"]
        assert (execution["account"], execution["side"]) == (account, side)
        assert (await heard.until("bust"))["match_id"] == execution["match_id"]
        assert all("account_id" not in str(message) for message in heard.heard)
        assert {message.get("account", account) for message in heard.heard} == {account}


async def test_what_was_missed_comes_first_and_nothing_twice(stand: Stand) -> None:
    await stand.publish(*[stand.flow.trade(1_000_000 + 10_000 * number) for number in range(5)])
    heard = await listen(stand, BOB, from_seq=1)
    await stand.publish(*[stand.flow.trade(1_050_000 + 10_000 * number) for number in range(5)])
    for _ in range(10):
        await heard.until("execution")
    sequences = [message["seq"] for message in heard.heard if "seq" in message]
    assert sequences == sorted(set(sequences))
    middle = next(message["seq"] for message in heard.heard if message["type"] == "execution")
    again = await listen(stand, BOB, from_seq=middle)
    assert (await again.until("execution"))["seq"] == middle


async def test_a_signature_of_the_challenge_is_as_good_as_the_key(stand: Stand) -> None:
    heard = await listen(stand)
    nonce = (await heard.until("challenge"))["nonce"]
    await heard.ask(op="login", key_id=key_id(stand, BOB), signature=signed(BOB, nonce))
    assert (await heard.until("logged_in"))["participant"] == "2"
    await heard.ask(op="subscribe")
    assert (await heard.until("subscribed"))["participant"] == "2"
    await stand.publish(stand.flow.trade(1_000_000))
    assert (await heard.until("execution"))["side"] == "sell"


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ({"op": "subscribe"}, "key_missing"),
        ({"op": "login"}, "key_unknown"),
        ({"op": "login", "key_id": "1", "signature": "00"}, "key_unknown"),
        ({"op": "login", "key_id": "\u00b2", "signature": "\u00e9"}, "key_unknown"),
        ({"op": "login", "key_id": "9" * 19, "signature": "0" * 64}, "key_unknown"),
        ({"op": "nix"}, "invalid_field"),
        ([], "invalid_field"),
    ],
)
async def test_who_does_not_log_in_hears_why_and_nothing_else(
    stand: Stand, operation: Any, reason: str
) -> None:
    heard = await listen(stand)
    await heard.until("challenge")
    await heard.socket.send_json(operation)
    assert (await heard.until("error"))["reason"] == reason
    assert {message["type"] for message in heard.heard} <= {"challenge", "error"}


async def test_an_old_signature_is_worth_nothing_on_another_connection(stand: Stand) -> None:
    first, second = await listen(stand), await listen(stand)
    nonce = (await first.until("challenge"))["nonce"]
    await second.until("challenge")
    await second.ask(op="login", key_id=key_id(stand, BOB), signature=signed(BOB, nonce))
    assert (await second.until("error"))["reason"] == "key_unknown"


async def test_whose_it_is_is_kept(stand: Stand) -> None:
    refused = Keeping(await stand.http.ws_connect(PATH, headers={"Authorization": f"Bearer {BOB}"}))
    await refused.ask(op="subscribe", participant="1")
    assert (await refused.until("error"))["reason"] == "role_not_allowed"
    auditor = await listen(stand, AUDITOR, participant="1")
    await stand.publish(stand.flow.trade(1_000_000))
    assert (await auditor.until("execution"))["account"] == "1"
    assert len(KEYS) == 5


async def test_events_that_are_gone_are_said(stand: Stand) -> None:
    await stand.publish(stand.flow.trade(1_000_000))
    stand.source.gone = 5
    heard = await listen(stand, BOB, from_seq=2)
    assert (await heard.until("error"))["reason"] == "gone"


async def test_a_rejection_is_told_with_its_sentence(stand: Stand) -> None:
    heard = await listen(stand, ALICE)
    await stand.publish(stand.flow.limit(Side.BUY, 1_000_001), stand.flow.limit(Side.BUY, 1_000_000))
    rejected = await heard.until("order_rejected")
    assert rejected["data"]["reason"] == "price_not_on_tick"
    assert "tick" in rejected["data"]["sentence"]
    assert (await heard.until("order_accepted"))["data"]["quantity"] == "100"
