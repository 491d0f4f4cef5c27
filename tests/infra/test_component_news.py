"""A component's news: it says how it is when that changes, and hears the others, over the memory bus and none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest

from exchange.infra import component_news
from exchange.infra.bus import COMPONENTS_TOPIC, DEAD_TOPIC, RULINGS_TOPIC, Bus, MemoryBus
from exchange.infra.component_news import ComponentNews
from exchange.infra.config import load_config
from exchange.infra.errors import InfraError
from exchange.infra.http_routes import Call
from exchange.wire.bus_messages import DeadLetter, RulingNews, Rulings, decode_message, encode_message
from exchange.wire.rest.components import ComponentList
from tests.infra.event_streams import until

CONFIG = load_config(env={}, overrides={"bus.announce_ms": 200})


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(component_news, "LOOK_S", 0.002)
        patch.setattr(component_news, "BACK_OFF_S", 0.01)
        yield


class Person:
    """A component that is as a test says."""

    def __init__(self, name: Any, bus: Bus | None) -> None:
        self.reasons = ["it warms up"]
        self.news = ComponentNews(
            name, CONFIG, bus, ready=lambda: self.reasons, url=lambda: f"http://{name}", position=lambda: 42
        )

    async def list(self) -> ComponentList:
        return await self.news.components(cast(Call, None))

    async def states(self) -> dict[str, str]:
        return {item.component: item.state for item in (await self.list()).items}


async def eventually(person: Person, expected: dict[str, str]) -> None:
    for _ in range(2_000):
        if await person.states() == expected:
            return
        await asyncio.sleep(0.002)
    raise AssertionError(await person.states())


async def test_every_change_is_heard_by_the_others() -> None:
    bus = MemoryBus()
    engine, clearing = Person("engine", bus), Person("clearing", bus)
    clearing.reasons = []
    await clearing.news.start()
    await engine.news.start()
    await eventually(clearing, {"engine": "starting", "clearing": "ready"})
    engine.reasons = []
    await eventually(clearing, {"engine": "ready", "clearing": "ready"})
    engine.reasons = ["halted: disk"]
    await eventually(clearing, {"engine": "not_ready", "clearing": "ready"})
    (row,) = [item for item in (await clearing.list()).items if item.component == "engine"]
    assert (row.reasons, row.seq, row.url) == (["halted: disk"], "42", "http://engine")
    await engine.news.drain()
    await eventually(clearing, {"engine": "draining", "clearing": "ready"})
    await engine.news.stop()
    await eventually(clearing, {"engine": "stopped", "clearing": "ready"})
    told = [each.what for each in (await clearing.list()).happenings if each.component == "engine"]
    assert told == ["stopped", "draining", "not_ready", "ready", "starting"]
    await clearing.news.stop()
    await bus.close()


async def test_who_comes_late_hears_of_those_that_were_there() -> None:
    bus = MemoryBus()
    early, late = Person("engine", bus), Person("reporter", bus)
    early.reasons = []
    await early.news.start()
    await eventually(early, {"engine": "ready"})
    await late.news.start()
    await eventually(late, {"reporter": "starting", "engine": "ready"})
    for person in (early, late):
        await person.news.stop()


async def test_rulings_are_heard_and_what_cannot_be_read_is_laid_aside() -> None:
    bus = MemoryBus()
    person = Person("engine", bus)
    dead = await bus.subscribe(DEAD_TOPIC, "c")
    await person.news.start()
    await until(lambda: len(bus.stats()) == 3)
    item = RulingNews(ruling_id="1", match_id="77", verdict="bust", code=2, time_ns=5)
    await bus.publish(RULINGS_TOPIC, encode_message(Rulings(partition=0, items=(item,))))
    await bus.publish(COMPONENTS_TOPIC, b'{"version": 2}')
    letter = decode_message((await asyncio.wait_for(dead.receive(), 5)).body, DeadLetter)
    assert (letter.topic, letter.reason[:10]) == (COMPONENTS_TOPIC, "version: 2")
    answer = await person.list()
    assert ("ruling: bust", "77") in [(each.what, each.match_id) for each in answer.happenings]
    assert answer.bus.unreadable == 1
    await person.news.stop()


async def test_without_a_bus_a_component_knows_itself() -> None:
    person = Person("engine", None)
    await person.news.start()
    await eventually(person, {"engine": "starting"})
    assert (await person.list()).bus.kind == "none"
    await person.news.drain()
    await person.news.stop()


async def test_a_bus_that_fails_is_said_and_hinders_nothing() -> None:
    class BrokenBus(MemoryBus):
        async def publish(self, topic: str, message: bytes) -> None:
            raise InfraError("nobody is there")

    person = Person("engine", BrokenBus())
    await person.news.start()
    await until(lambda: person.news.failed > 0)
    assert (await person.list()).bus.problem == "nobody is there"
    await person.news.stop()
