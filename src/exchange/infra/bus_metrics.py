"""A component's figures of the bus for Prometheus; the same for every kind of bus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from exchange.infra.bus import Bus, BusFigures
from exchange.infra.metrics import Family, counter, gauge, read_all

BUS_FAMILIES: tuple[Family[BusFigures], ...] = (
    counter("exchange_bus_published_total", "Messages that the bus took.", lambda bus: bus.published),
    counter("exchange_bus_publish_failures_total", "Messages that it did not take.", lambda bus: bus.failed),
    counter("exchange_bus_received_total", "Messages that came to consumers here.", lambda bus: bus.received),
    counter("exchange_bus_repeated_total", "Messages of these that came again.", lambda bus: bus.repeated),
    counter(
        "exchange_bus_finished_total", "Messages that consumers were done with.", lambda bus: bus.finished
    ),
    counter("exchange_bus_requeued_total", "Messages that consumers gave back.", lambda bus: bus.requeued),
    counter(
        "exchange_bus_dropped_total",
        "Messages dropped for lack of room; feeds fetch them.",
        lambda bus: bus.dropped,
    ),
    counter(
        "exchange_bus_dead_letters_total",
        "Messages put on exchange.dead, for nobody could read them.",
        lambda bus: bus.buried,
    ),
    gauge(
        "exchange_bus_outstanding",
        "Messages being published, waiting, or in the hands of a consumer.",
        lambda bus: bus.outstanding,
    ),
    gauge(
        "exchange_bus_nsqd_connections",
        "Open connections to each nsqd.",
        lambda bus: {address: nsqd.connections for address, nsqd in bus.nsqd.items()},
        "nsqd",
    ),
    counter(
        "exchange_bus_nsqd_reconnects_total",
        "Connections to each nsqd that were opened again.",
        lambda bus: {address: nsqd.reconnects for address, nsqd in bus.nsqd.items()},
        "nsqd",
    ),
)


def bus_metrics(bus: Bus | None) -> Iterator[Metric]:
    """Yield the families for Prometheus, where there is a bus."""
    if bus is not None:
        yield from read_all(BUS_FAMILIES, bus.figures())
