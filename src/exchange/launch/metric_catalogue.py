"""All families of figures that components show at /metrics, and the page that tells of them.

`python -m exchange.launch.metric_catalogue docs/metrics.md` writes the tables of that page anew; a test holds the page
to what a running exchange shows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from exchange.clearing.clearing_metrics import CLEARING_FAMILIES
from exchange.clearing.surveillance.metrics import SURVEILLANCE_FAMILIES
from exchange.engine.engine_metrics import ENGINE_FAMILIES
from exchange.engine.ouch_metrics import OUCH_FAMILIES
from exchange.infra.bus_metrics import BUS_FAMILIES
from exchange.infra.clock_offset import CLOCK_FAMILIES
from exchange.infra.component_metrics import ABOUT_FAMILIES, DISK_FAMILIES
from exchange.infra.component_news import NEWS_FAMILIES
from exchange.infra.config_follower import CONFIG_FAMILIES
from exchange.infra.feed_metrics import CONSUMER_FAMILIES
from exchange.infra.http_metrics import HTTP_FAMILIES
from exchange.infra.metrics import Family
from exchange.infra.redis_cache import REDIS_FAMILIES
from exchange.reporter.cache_app import COPY_FAMILIES
from exchange.reporter.cache_writer import CACHE_FAMILIES
from exchange.reporter.itch_metrics import ITCH_FAMILIES
from exchange.reporter.reporter_metrics import REPORTER_FAMILIES
from exchange.reporter.webhook_metrics import WEBHOOK_FAMILIES

BEGIN, END = "<!--- figures: begin -->", "<!--- figures: end -->"


class Group(NamedTuple):
    """Families that are shown together. where: which components show them, and when."""

    title: str
    where: str
    families: tuple[Family[Any], ...]


GROUPS = (
    Group("Every component", "all", (*ABOUT_FAMILIES, *CLOCK_FAMILIES, *DISK_FAMILIES, *HTTP_FAMILIES)),
    Group("Engine", "engine", ENGINE_FAMILIES),
    Group("OUCH", "engine, where `[engine.ouch]` is enabled", OUCH_FAMILIES),
    Group("Consumers of the engine's events", "reporter, clearing", CONSUMER_FAMILIES),
    Group("Reporter", "reporter", REPORTER_FAMILIES),
    Group("Webhooks", "reporter", WEBHOOK_FAMILIES),
    Group("ITCH", "reporter, where `[reporter.itch]` is enabled", ITCH_FAMILIES),
    Group("Clearing", "clearing", CLEARING_FAMILIES),
    Group("Surveillance", "clearing, where `[surveillance]` is enabled", SURVEILLANCE_FAMILIES),
    Group(
        "Bus",
        "engine, reporter, clearing, where there is a bus; within one process all show the same one",
        BUS_FAMILIES,
    ),
    Group("News of each other", "engine, reporter, clearing", NEWS_FAMILIES),
    Group("Redis", "all, once Redis was asked for something", REDIS_FAMILIES),
    Group("Shared configuration", "all, with `[redis] url`", CONFIG_FAMILIES),
    Group("Cache, where it is written", "reporter, with `[redis] url`", CACHE_FAMILIES),
    Group("Cache, where it is read", "read-only copies of the reporter", COPY_FAMILIES),
)


def markdown(groups: Iterable[Group] = GROUPS) -> Iterator[str]:
    """Yield the tables, line by line."""
    for group in groups:
        yield f"### {group.title}"
        yield ""
        yield f"Shown by: {group.where}."
        yield ""
        yield "| figure | kind | labels | meaning |"
        yield "|---|---|---|---|"
        for family in group.families:
            labels = ", ".join(f"`{label}`" for label in family.labels)
            yield f"| `{family.name}` | {family.kind} | {labels} | {family.text} |"
        yield ""


def renewed(page: str) -> str:
    """Return a page with its tables made anew between the two marks."""
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert end, f"the page must hold {BEGIN} and {END}"
    tables = "\n".join(markdown())
    return f"{before}{BEGIN}\n\n{tables}\n{END}{after}"


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(renewed(file.read_text(encoding="utf-8")), encoding="utf-8")
