"""Cascades over real HTTP: a trade with what it caused, each as it stands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from exchange.domain.events import OrderTriggered
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.units import parse_price
from exchange.infra.errors import EventsGone
from exchange.wire.envelope import EventBatch
from tests.clearing.running import RunningClearing

STOP_ORDER = 777


@pytest.fixture
async def clearing(tmp_path: Path) -> AsyncIterator[RunningClearing]:
    async with RunningClearing(tmp_path) as running:
        yield running


async def stairs(clearing: RunningClearing) -> tuple[int, int]:
    """Let one command make a trade, trigger a stop by it, and make the trade of that; return both match ids."""
    stream = clearing.stream
    begin = len(stream.events)
    first = stream.trade(1, 2, 10, price="189.30")
    stream.add(
        OrderTriggered, symbol_id=1, order_id=STOP_ORDER, account_id=1, side=Side.BUY, order_type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY, flags=0, price=0, leaves=10, stop_price=parse_price("189.25"),
        last_price=parse_price("189.30"),
    )  # fmt: skip
    second = stream.trade(1, 2, 10, price="250.00", taker_order_id=STOP_ORDER)
    for at in range(begin, len(stream.events) - 1):
        stream.events[at] = msgspec.structs.replace(stream.events[at], last_of_command=False)
    stream.trade(1, 2, 10, price="189.30")
    await clearing.caught_up()
    return first, second


async def test_a_trade_is_shown_with_what_it_caused_as_it_stands(clearing: RunningClearing) -> None:
    first, second = await stairs(clearing)
    found = await clearing.get(f"/trades/{first}/cascade")
    assert (found["trade"]["match_id"], found["trade"]["state"]) == (str(first), "accepted")
    (caused,) = found["caused"]
    assert (caused["trade"]["match_id"], caused["caused_by"]) == (str(second), str(first))
    assert (caused["order_id"], caused["stop_price"], caused["depth"]) == (str(STOP_ORDER), "189.25", 1)
    assert caused["trade"]["state"] in ("bust_pending", "busted")
    assert (await clearing.get(f"/trades/{second}/cascade"))["caused"] == []


async def test_what_cannot_be_told_is_said(
    clearing: RunningClearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = await stairs(clearing)
    status, answer = await clearing.ask("GET", "/trades/99999/cascade")
    assert (status, answer["reason"]) == (404, "unknown_trade")
    assert (await clearing.ask("GET", f"/trades/{first}/cascade", "alice"))[0] == 403

    async def gone(after: int, wait_s: float = 0) -> EventBatch:
        raise EventsGone(after + 2)

    monkeypatch.setattr(clearing.app.office.source, "fetch", gone)
    status, answer = await clearing.ask("GET", f"/trades/{first}/cascade")
    assert (status, answer["reason"]) == (410, "gone")
    monkeypatch.undo()
    clearing.engine.source.is_down = True
    status, answer = await clearing.ask("GET", f"/trades/{first}/cascade")
    assert (status, answer["reason"]) == (503, "engine_unreachable")
    clearing.engine.source.is_down = False
