"""What is sent to webhooks: drop copies of the owner, trades and status as on the stream."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.domain.order import Side
from tests.reporter.reporter_stand import Stand
from tests.reporter.webhook_receiver import Receiver
from tests.reporter.webhook_stand import OPERATOR, made, until


async def test_a_participants_executions_and_busts_are_delivered_signed(
    stand: Stand, receiver: Receiver
) -> None:
    hook = await made(stand, receiver)
    await stand.publish(*[stand.flow.trade(1_000_000 + 10_000 * number) for number in range(3)])
    await stand.publish(stand.flow.bust(next(iter(stand.flow.trades))))
    found = await receiver.until(4)
    assert [each["type"] for each in found] == ["execution"] * 3 + ["bust"]
    assert {(each["account"], each["side"]) for each in found} == {("2", "sell")}
    assert not receiver.forged
    shown = await until(stand, hook, sent_seq=found[-1]["seq"])
    assert shown["state"] == "active"
    assert shown["problem"] == ""
    assert "secret" not in shown


async def test_trades_and_status_come_as_on_the_stream(stand: Stand, receiver: Receiver) -> None:
    heard = await stand.listen()
    await heard.ask(op="subscribe", channel="trades", symbols=["*"])
    await made(stand, receiver, OPERATOR, channel="trades", from_seq=1)
    await stand.publish(*[stand.flow.trade(1_000_000 + 10_000 * number) for number in range(3)])
    await stand.publish(stand.flow.bust(next(iter(stand.flow.trades))))
    found = await receiver.until(4)
    streamed = [await heard.until(kind) for kind in ("trade", "trade", "trade", "bust")]
    assert found == streamed
    async with Receiver() as other:
        name = next(iter(stand.app.market.directory.symbols.values())).symbol
        await made(stand, other, OPERATOR, channel="status", symbols=[name], from_seq=1)
        kinds = [each["type"] for each in await other.until(3)]
        assert "engine_started" in kinds
        assert "symbol_added" in kinds


async def test_what_concerns_nobody_of_a_participant_is_passed_over_without_a_look_into_the_store(
    stand: Stand, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = await made(stand, receiver)
    await stand.publish(stand.flow.trade(1_000_000))
    await until(stand, hook, sent_seq=stand.app.market.sequence, delivered=1)
    reads = []
    drop_copies = stand.app.store.queries.drop_copies

    def counted(*asked: Any) -> Any:
        reads.append(asked)
        return drop_copies(*asked)

    monkeypatch.setattr(stand.app.store.queries, "drop_copies", counted)
    for price in (900_000, 910_000, 920_000):
        await stand.publish(stand.flow.limit(Side.BUY, price))
        await until(stand, hook, sent_seq=stand.app.market.sequence)
    assert reads == []
    await stand.publish(stand.flow.trade(1_010_000))
    assert [each["price"] for each in await receiver.until(2)] == ["100.00", "101.00"]
