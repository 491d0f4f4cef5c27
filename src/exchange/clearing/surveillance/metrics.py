"""Surveillance's own figures for Prometheus."""

from __future__ import annotations

from exchange.clearing.surveillance.lookout import Lookout
from exchange.infra.metrics import Family, counter, gauge

SURVEILLANCE_FAMILIES: tuple[Family[Lookout], ...] = (
    gauge(
        "exchange_surveillance_stopped",
        "1 where surveillance has stopped or cannot store what it sees; clearing goes on.",
        lambda lookout: bool(lookout.stats.problem),
    ),
    gauge(
        "exchange_surveillance_position",
        "The last event that was looked through.",
        lambda lookout: lookout.stats.sequence,
    ),
    gauge(
        "exchange_surveillance_lag_events",
        "Events known of and not yet looked through.",
        lambda lookout: lookout.lag_events,
    ),
    counter(
        "exchange_surveillance_alerts_total",
        "Alerts and notes that were raised and not known yet.",
        lambda lookout: lookout.stats.alerts,
    ),
    gauge(
        "exchange_surveillance_suppressed",
        "Alerts beyond the most of a day about the same members and symbol.",
        lambda lookout: lookout.stats.suppressed,
    ),
    counter(
        "exchange_surveillance_restarts_total",
        "How often the process that looks has died and another one went on from the stored place.",
        lambda lookout: lookout.stats.restarts,
    ),
    gauge(
        "exchange_surveillance_orders",
        "Live orders that are watched.",
        lambda lookout: lookout.watcher.orders,
    ),
)
"""What is shown where `[surveillance] enabled` is set."""
