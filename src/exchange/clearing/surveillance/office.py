"""Opens surveillance within a running clearing: its store, its feed, its routes and figures."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import msgspec
from prometheus_client.metrics_core import Metric

from exchange.clearing.surveillance.lookout import BEHIND_MAX, Lookout
from exchange.clearing.surveillance.metrics import SURVEILLANCE_FAMILIES
from exchange.clearing.surveillance.rest_api import SurveillanceApi
from exchange.domain.directory import Directory
from exchange.infra.bus import Bus, events_topic
from exchange.infra.clock import Clock
from exchange.infra.config import Config
from exchange.infra.event_source import EventSource
from exchange.infra.feed import Feed
from exchange.infra.http import Route
from exchange.infra.metrics import read_all
from exchange.infra.store import open_store
from exchange.infra.surveillance_config import SurveillanceConfig
from exchange.surveillance.settings import Settings

MIGRATIONS = "exchange.clearing.surveillance.migrations"
CHANNEL = "surveillance"


class SurveillanceOffice:
    """A running surveillance; without one where it is not enabled, everything here is empty."""

    def __init__(self, lookout: Lookout | None = None, api: SurveillanceApi | None = None) -> None:
        self.lookout = lookout
        self._api = api

    def routes(self) -> list[Route]:
        """List the routes."""
        return self._api.routes() if self._api else []

    def metrics(self) -> Iterator[Metric]:
        """Yield the families for Prometheus."""
        if self.lookout is not None:
            yield from read_all(SURVEILLANCE_FAMILIES, self.lookout)

    def notes(self) -> list[str]:
        """Say what is wrong, for who asks whether clearing is ready; it does its work all the same."""
        if self.lookout is None:
            return []
        problem, lag = self.lookout.stats.problem, self.lookout.lag_events
        behind = [f"surveillance is {lag} events behind"] if lag > BEHIND_MAX else []
        return [problem, *behind] if problem else behind


async def open_surveillance(
    stack: AsyncExitStack, config: Config, source: EventSource, bus: Bus | None, directory: Directory, clock: Clock
) -> SurveillanceOffice:  # fmt: skip
    """Start surveillance where it is enabled; the stack stops it. Raise `InfraError` where its store cannot be used."""
    section, partition = config.surveillance, config.partition
    if not section.enabled:
        return SurveillanceOffice()
    store = await asyncio.to_thread(
        open_store, config.surveillance_store_url(), MIGRATIONS, synchronous="FULL"
    )
    stack.push_async_callback(asyncio.to_thread, store.dispose)

    async def make_feed(after: int, epoch: int) -> Feed:
        subscription = await bus.subscribe(events_topic(partition), CHANNEL) if bus else None
        return Feed(
            source, subscription, partition=partition, after=after, epoch=epoch,
            gap_wait_s=config.bus.gap_wait_ms / 1_000, window_bytes_max=config.bus.window_mib << 20,
        )  # fmt: skip

    lookout = Lookout(store, settings_of(section), partition, make_feed)
    lookout.start()
    stack.push_async_callback(lookout.stop)
    api = SurveillanceApi(lookout, store, partition, directory, clock, config.clearing.page_items_max)
    return SurveillanceOffice(lookout, api)


def settings_of(section: SurveillanceConfig) -> Settings:
    """Return the configured thresholds."""
    values: dict[str, Any] = msgspec.to_builtins(section)
    known = {name: values[name] for name in Settings.__struct_fields__}
    return msgspec.convert(known, Settings)
