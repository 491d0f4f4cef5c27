"""Tests of exchange.engine.gateway: requests go to the sequencer and results come back, without HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.domain import commands as c
from exchange.domain.events import ParticipantCreated
from exchange.engine.gateway import Gateway
from exchange.infra.http_routes import ApiError
from exchange.wire.rest.orders import AmendRequest, CancelQuery, NewOrder, ReplaceRequest
from tests.engine.own_commands import ALICE, BOB, OPERATOR
from tests.engine.running_engine import RunningEngine, until


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


@pytest.fixture
def gateway(engine: RunningEngine) -> Gateway:
    return engine.app.gateway


def buy(qty: int, price: str = "189.20", **more: str) -> NewOrder:
    return NewOrder(symbol="AAPL", side="buy", qty=qty, price=price, **more)


async def test_orders_of_one_moment_are_carried_out_each_for_itself(gateway: Gateway) -> None:
    answers = await asyncio.gather(*(gateway.enter(buy(number), ALICE) for number in range(1, 51)))
    assert [order.qty for _, order in answers] == [str(number) for number in range(1, 51)]
    assert len({order.id for _, order in answers}) == 50


async def test_the_same_order_twice_at_once_is_entered_once(gateway: Gateway) -> None:
    answers = await asyncio.gather(*(gateway.enter(buy(1, client_order_id="x"), ALICE) for _ in range(5)))
    assert sorted(status for status, _ in answers) == [200, 200, 200, 200, 201]
    assert len({order.id for _, order in answers}) == 1


async def test_changes_need_the_owner_or_the_exchange(gateway: Gateway) -> None:
    order_id = int((await gateway.enter(buy(10), ALICE))[1].id)
    for change in (
        gateway.cancel(order_id, BOB),
        gateway.amend(order_id, AmendRequest(qty=5), BOB),
        gateway.replace(order_id, ReplaceRequest(qty=5), BOB),
    ):
        with pytest.raises(ApiError) as refused:
            await change
        assert refused.value.status == 404
    assert (await gateway.cancel_all(CancelQuery(), BOB)).count == 0
    assert (await gateway.cancel(order_id, OPERATOR)).cancel_reason == "operator"


async def test_a_change_that_leaves_everything_out_takes_what_the_order_has(gateway: Gateway) -> None:
    order_id = int((await gateway.enter(buy(10), ALICE))[1].id)
    status, order = await gateway.replace(order_id, ReplaceRequest(), ALICE)
    assert (status, order.qty, order.price) == (201, "10", "189.20")
    with pytest.raises(ApiError, match="already has this quantity and price"):
        await gateway.amend(int(order.id), AmendRequest(), ALICE)


async def test_a_command_of_an_operator_gives_its_event_or_its_refusal(gateway: Gateway) -> None:
    event = await gateway.carry_out_to(c.CreateParticipant(name="dora"), ParticipantCreated)
    assert isinstance(event, ParticipantCreated)
    with pytest.raises(ApiError, match="This name is taken"):
        await gateway.carry_out(c.CreateParticipant(name="dora"))


async def test_a_read_shows_only_what_is_durable(gateway: Gateway) -> None:
    entering = asyncio.create_task(gateway.enter(buy(10), ALICE))
    await until(lambda: gateway.venue.live_orders)
    seen = await gateway.read(lambda venue: venue.event_sequence)
    assert gateway.sequencer.durable_event_sequence >= seen
    await entering
