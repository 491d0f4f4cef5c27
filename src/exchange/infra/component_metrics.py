"""What every component shows Prometheus of itself: what it is, its disk, the bus, Redis, the configuration."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import time

from prometheus_client import ProcessCollector
from prometheus_client.metrics_core import Metric

from exchange import __version__
from exchange.infra.bus import Bus
from exchange.infra.bus_metrics import bus_metrics
from exchange.infra.clock_offset import CLOCK_FAMILIES, read_clock
from exchange.infra.config_follower import ConfigFollower, config_metrics
from exchange.infra.metrics import Family, gauge, read_all
from exchange.infra.redis_cache import RedisLink, redis_metrics

BUILD = ("component", "version", "python", "matcher", "rules_version", "partition")


@dataclass(frozen=True)
class About:
    """What a component is. matcher, rules_version: empty where it has none; folder: where its data lies."""

    component: str
    partition: int
    folder: Path
    started_s: float
    matcher: str = ""
    rules_version: str = ""

    @property
    def build(self) -> tuple[str, ...]:
        """Return what `BUILD` names."""
        python = platform.python_version()
        return (
            self.component,
            __version__,
            python,
            self.matcher,
            self.rules_version,
            str(self.partition),
        )


def about(
    component: str, partition: int, folder: Path, *, matcher: str = "", rules_version: str = ""
) -> About:
    """Say what a component is that starts now."""
    return About(component, partition, folder, time(), matcher, rules_version)


ABOUT_FAMILIES: tuple[Family[About], ...] = (
    gauge(
        "exchange_build_info",
        "1, with what runs: rules_version is of the matching rules, at clearing of its own.",
        lambda component: {component.build: 1},
        *BUILD,
    ),
    gauge(
        "exchange_start_time_seconds",
        "When the component started, since the Unix epoch.",
        lambda component: component.started_s,
    ),
)
DISK_FAMILIES: tuple[Family[Path], ...] = (
    gauge(
        "exchange_disk_free_bytes",
        "Free for the component's data folder.",
        lambda folder: shutil.disk_usage(folder).free,
    ),
    gauge(
        "exchange_disk_size_bytes",
        "Of the disk that the data folder is on.",
        lambda folder: shutil.disk_usage(folder).total,
    ),
)
_PROCESS = ProcessCollector(registry=None)


def component_metrics(
    component: About, bus: Bus | None, link: RedisLink | None, follower: ConfigFollower | None
) -> Iterator[Metric]:
    """Yield what every component shows; what it does not have is left out."""
    yield from read_all(ABOUT_FAMILIES, component)
    yield from read_all(CLOCK_FAMILIES, read_clock())
    if component.folder.exists():
        yield from read_all(DISK_FAMILIES, component.folder)
    yield from _PROCESS.collect()
    yield from bus_metrics(bus)
    yield from redis_metrics(link)
    yield from config_metrics(follower)
