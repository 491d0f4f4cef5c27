"""Rulings on the bus: in order and many in a message, bounded, and dropped rather than waited for."""

from __future__ import annotations

import asyncio

import pytest

from exchange.clearing import ruling_announcer
from exchange.clearing.ruling_announcer import RulingAnnouncer
from exchange.domain.units import MatchId, TimeNs
from exchange.infra.bus import RULINGS_TOPIC, MemoryBus
from exchange.infra.errors import InfraError
from exchange.post_trade.rule import Ruling
from exchange.wire.bus_messages import RulingNews, Rulings, decode_message


def ruling(number: int) -> Ruling:
    return Ruling(
        ruling_id=number, match_id=MatchId(number * 10), time_ns=TimeNs(5), verdict="bust", code=2,
        who="rules", why="price",
    )  # fmt: skip


async def test_rulings_of_any_thread_are_announced_in_order_without_who_and_why() -> None:
    bus = MemoryBus()
    subscription = await bus.subscribe(RULINGS_TOPIC, "c")
    announcer = RulingAnnouncer(bus, 3)
    await asyncio.to_thread(announcer.offer, [ruling(1), ruling(2)])
    body = (await asyncio.wait_for(subscription.receive(), 5)).body
    assert decode_message(body, Rulings) == Rulings(
        partition=3,
        items=tuple(
            RulingNews(ruling_id=str(n), match_id=str(n * 10), verdict="bust", code=2, time_ns=5)
            for n in (1, 2)
        ),
    )
    await announcer.stop()
    assert announcer.stats.announced == 2


async def test_too_many_rulings_drop_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ruling_announcer, "WAITING_MAX", 2)
    bus = MemoryBus()
    subscription = await bus.subscribe(RULINGS_TOPIC, "c")
    announcer = RulingAnnouncer(bus, 0)
    announcer.offer([ruling(n) for n in (1, 2, 3)])
    items = decode_message((await asyncio.wait_for(subscription.receive(), 5)).body, Rulings).items
    assert [item.ruling_id for item in items] == ["2", "3"]
    await announcer.stop()
    assert announcer.stats.dropped == 1


async def test_a_bus_that_fails_loses_rulings_and_says_so() -> None:
    class BrokenBus(MemoryBus):
        async def publish(self, topic: str, message: bytes) -> None:
            raise InfraError("nobody is there")

    announcer = RulingAnnouncer(BrokenBus(), 0)
    announcer.offer([ruling(1)])
    await asyncio.sleep(0)
    await announcer.stop()
    assert (announcer.stats.dropped, announcer.stats.problem) == (1, "nobody is there")
