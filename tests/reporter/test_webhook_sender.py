"""Deliveries that fail: again with the same id, at last a dead letter, and taken from there when asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.reporter.webhook_sender import pause_s
from tests.reporter.reporter_stand import Stand
from tests.reporter.webhook_receiver import Receiver
from tests.reporter.webhook_stand import ask, made, opened, until

TRIES = 3
DEAD_MAX = 2


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    settings = {"tries_max": TRIES, "dead_letters_max": DEAD_MAX, "messages_max": 1, "timeout_s": 30}
    running = Stand(tmp_path, **{f"webhooks.{name}": value for name, value in settings.items()})
    async with running:
        running.app.webhooks._pause_s = lambda failures: 0.0
        await opened(running)
        yield running


def test_pauses_grow_to_a_minute() -> None:
    assert [pause_s(failures) for failures in (1, 2, 3, 6, 7, 8, 99)] == [1, 2, 4, 32, 60, 60, 60]


async def test_what_failed_comes_again_with_the_same_id_and_in_order(
    stand: Stand, receiver: Receiver
) -> None:
    receiver.answers = [500, 302]
    hook = await made(stand, receiver)
    await stand.publish(stand.flow.trade(1_000_000), stand.flow.trade(1_010_000))
    found = await receiver.until(2)
    assert [each["seq"] for each in found] == sorted(each["seq"] for each in found)
    assert len(receiver.tries) == 4
    assert len(set(receiver.tries)) == 2
    assert not receiver.forged
    shown = await until(stand, hook, delivered=2)
    assert (shown["dead_letters"], shown["failures"], shown["problem"]) == (0, 0, "")


async def test_what_nobody_takes_becomes_a_dead_letter_and_can_be_sent_again(
    stand: Stand, receiver: Receiver
) -> None:
    receiver.answers = [503] * TRIES
    hook = await made(stand, receiver)
    await stand.publish(stand.flow.trade(1_000_000), stand.flow.trade(1_010_000))
    (second,) = await receiver.until(1)
    await until(stand, hook, dead_letters=1, delivered=1)
    letters = (await ask(stand, "GET", f"/{hook['id']}/dead-letters"))["items"]
    assert [(each["tries"], each["problem"]) for each in letters] == [(TRIES, "answered 503 not today")]
    assert letters[0]["id"] == receiver.tries[0]
    assert letters[0]["last_seq"] < second["seq"]
    receiver.answers = [500]
    again = await ask(stand, "POST", f"/{hook['id']}/dead-letters/redeliver")
    assert (again["delivered"], again["left"]) == (0, 1)
    assert "500" in again["problem"]
    await stand.restart()
    again = await ask(stand, "POST", f"/{hook['id']}/dead-letters/redeliver")
    assert again == {"delivered": 1, "left": 0, "problem": ""}
    assert receiver.deliveries[-1][1] == letters[0]["body"]
    assert (await ask(stand, "GET", f"/{hook['id']}/dead-letters"))["items"] == []


async def test_too_many_dead_letters_stop_it_until_it_is_started(stand: Stand, receiver: Receiver) -> None:
    receiver.answers = [500] * TRIES * DEAD_MAX
    hook = await made(stand, receiver)
    await stand.publish(*[stand.flow.trade(1_000_000 + 10_000 * number) for number in range(3)])
    shown = await until(stand, hook, state="stopped")
    assert "2 dead letters" in shown["problem"]
    assert len(receiver.tries) == TRIES * DEAD_MAX
    await ask(stand, "POST", f"/{hook['id']}/start")
    assert len(await receiver.until(1)) == 1


async def test_a_receiver_that_is_gone_ends_it_and_nothing_is_lost(stand: Stand, receiver: Receiver) -> None:
    receiver.answers = [410]
    hook = await made(stand, receiver)
    await stand.publish(stand.flow.trade(1_000_000))
    shown = await until(stand, hook, state="stopped")
    assert "410" in shown["problem"]
    assert shown["dead_letters"] == 0
    await ask(stand, "POST", f"/{hook['id']}/start")
    assert len(await receiver.until(1)) == 1


async def test_who_cannot_be_reached_is_said_and_others_are_not_disturbed(
    stand: Stand, receiver: Receiver
) -> None:
    async with Receiver() as leaving:
        away = await made(stand, leaving)
    await made(stand, receiver)
    await stand.publish(stand.flow.trade(1_000_000))
    await receiver.until(1)
    assert "cannot be reached" in (await until(stand, away, dead_letters=1))["problem"]
