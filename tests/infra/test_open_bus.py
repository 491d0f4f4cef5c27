"""Which bus the configuration asks for, within one process and between several."""

from __future__ import annotations

from typing import Any

from exchange.infra.bus import Bus, MemoryBus
from exchange.infra.config import Config, load_config
from exchange.infra.nsq_bus import NsqBus
from exchange.infra.open_bus import open_bus


def config_with(**bus: Any) -> Config:
    return load_config(env={}, overrides={f"bus.{name}": value for name, value in bus.items()})


async def opened(within_one_process: bool, **bus: Any) -> Bus | None:
    return open_bus(config_with(**bus), within_one_process=within_one_process)


async def test_the_memory_bus_is_for_one_process_only() -> None:
    bus = await opened(True, kind="memory", queue_messages=7)
    assert isinstance(bus, MemoryBus)
    assert bus.queue_messages_max == 7
    assert await opened(False, kind="memory") is None


async def test_without_a_bus_the_consumers_ask_the_engine() -> None:
    assert await opened(True, kind="none") is None
    assert await opened(False, kind="none") is None


async def test_nsq_is_opened_with_every_setting_and_the_channels_of_the_consumers() -> None:
    for within_one_process in (True, False):
        bus = await opened(within_one_process, kind="nsq", in_flight=9, answer_timeout_ms=250)
        assert isinstance(bus, NsqBus)
        settings = bus.settings
        assert (settings.nsqd, settings.in_flight, settings.times.answer_s) == (("127.0.0.1:4150",), 9, 0.25)
        assert settings.prepared == (("exchange.events.0", "reporter"), ("exchange.events.0", "clearing"))
        await bus.close()
