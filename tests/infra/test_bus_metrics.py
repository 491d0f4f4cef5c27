"""Figures of the bus."""

from __future__ import annotations

from exchange.infra.bus import BusFigures, MemoryBus, NsqdFigures
from exchange.infra.bus_metrics import BUS_FAMILIES, bus_metrics
from exchange.infra.metrics import exposition, read_all


def test_without_a_bus_there_are_none() -> None:
    assert [*bus_metrics(None)] == []


async def test_what_went_over_the_bus_is_counted_also_of_channels_that_are_gone() -> None:
    bus = MemoryBus()
    subscription = await bus.subscribe("letters", "readers")
    for _ in range(3):
        await bus.publish("letters", b"x")
    await (await subscription.receive()).finish()
    await (await subscription.receive()).bury("nobody can read this")
    held = await subscription.receive()
    assert bus.figures().outstanding == 1
    await held.requeue()
    await subscription.receive()
    for _ in range(2):
        found = bus.figures()
        counts = (found.published, found.received, found.repeated, found.finished, found.buried)
        assert counts == (4, 4, 1, 2, 1)
        await subscription.close()
    assert bus.figures().outstanding == 0
    lines = exposition(lambda: bus_metrics(bus)).decode().splitlines()
    assert "exchange_bus_published_total 4.0" in lines
    assert "exchange_bus_dead_letters_total 1.0" in lines


def test_each_nsqd_has_its_connections_and_reconnects() -> None:
    figures = BusFigures(nsqd={"10.0.0.7:4150": NsqdFigures(2, 5)})
    lines = exposition(lambda: read_all(BUS_FAMILIES, figures)).decode().splitlines()
    assert 'exchange_bus_nsqd_connections{nsqd="10.0.0.7:4150"} 2.0' in lines
    assert 'exchange_bus_nsqd_reconnects_total{nsqd="10.0.0.7:4150"} 5.0' in lines
