"""The webhooks of a reporter: they go on after a restart, and after a stop, where they ended."""

from __future__ import annotations

from tests.reporter.reporter_stand import Stand
from tests.reporter.webhook_receiver import Receiver
from tests.reporter.webhook_stand import OPERATOR, ask, made, until


async def test_deliveries_go_on_after_a_restart_where_they_ended(stand: Stand, receiver: Receiver) -> None:
    hook = await made(stand, receiver)
    await stand.publish(stand.flow.trade(1_000_000))
    first = await receiver.until(1)
    await until(stand, hook, delivered=1)
    await stand.restart()
    await stand.publish(stand.flow.trade(1_010_000))
    found = await receiver.until(2)
    assert found[0] == first[0]
    assert found[1]["seq"] > found[0]["seq"]
    assert len(set(receiver.tries)) == len(receiver.tries) == 2


async def test_one_that_is_stopped_waits_and_goes_on(stand: Stand, receiver: Receiver) -> None:
    hook = await made(stand, receiver)
    assert (await ask(stand, "POST", f"/{hook['id']}/stop"))["state"] == "stopped"
    await stand.publish(stand.flow.trade(1_000_000), stand.flow.trade(1_010_000))
    assert not receiver.tries
    assert (await ask(stand, "POST", f"/{hook['id']}/start", key=OPERATOR))["state"] == "active"
    assert len(await receiver.until(2)) == 2
