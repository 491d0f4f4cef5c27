"""`exchange top`: what happens now in all components, again and again."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, get_args

from cyclopts import Parameter

from exchange.cli.failures import UnreachableError, UsageError
from exchange.cli.figures import Figures, percentile_ms, rate, rates, read_figures, read_readiness
from exchange.cli.options import Component, Options
from exchange.cli.output import print_json

if TYPE_CHECKING:
    from rich.console import RenderableType

DEFAULT = Options()
EVERY_S_MIN, EVERY_S_MAX = 0.1, 3_600.0
HISTORY = 60
"""Readings that the small curves show."""
NAMES: tuple[Component, ...] = get_args(Component)
LATENCIES = {
    "durable": ("engine", "exchange_durable_latency_seconds"),
    "journal": ("engine", "exchange_journal_write_seconds"),
    "publish": ("engine", "exchange_publish_latency_seconds"),
    "reporter": ("reporter", "exchange_event_age_seconds"),
    "clearing": ("clearing", "exchange_event_age_seconds"),
}
"""Stage → whose histogram tells of it."""

Reading = dict[str, Figures]


def top(
    *,
    every: Annotated[float, Parameter(name=["--every", "-e"])] = 1.0,
    once: bool = False,
    options: Options = DEFAULT,
) -> None:
    """Show what happens in all components, live: `exchange top`, `exchange top --once --json`.

    Orders and trades per second, latencies, queue, feeds, clearing, breaks. A component that is down is shown as such.
    Ctrl-C ends it.

    Parameters
    ----------
    every
        Seconds between two readings.
    once
        Read twice, show what passed in between, and end.
    """
    if not EVERY_S_MIN <= every <= EVERY_S_MAX:
        raise UsageError(f"--every must be {EVERY_S_MIN:g} to {EVERY_S_MAX:g} seconds, got {every:g}")
    urls = {name: options.address(name) for name in NAMES}
    before = read_all(urls)
    if once and all(each.problem for each in before.values()):
        raise UnreachableError("no component can be reached: " + next(iter(before.values())).problem)
    if once:
        time.sleep(every)
        _print(view(before, read_all(urls)), options.json)
    elif options.json or not sys.stdout.isatty():
        _go_on(urls, before, every, options.json)
    else:
        _live(urls, before, every)


def read_all(urls: dict[Component, str]) -> Reading:
    """Read all components at once, so that one that is away delays none."""
    with ThreadPoolExecutor(len(urls)) as pool:
        return dict(zip(urls, pool.map(read_figures, urls.values()), strict=True))


def view(before: Reading, after: Reading) -> dict[str, Any]:
    """Say what passed between two readings, as JSON has it; None for what nobody shows."""
    engine, clearing = after["engine"], after["clearing"]
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "at": at,
        "components": {name: component(before[name], after[name]) for name in NAMES},
        "market": {
            "orders_per_s": rate(before["engine"], engine, "exchange_orders_total"),
            "cancels_per_s": rate(before["engine"], engine, "exchange_cancels_total"),
            "trades_per_s": rate(before["engine"], engine, "exchange_trades_total"),
            "rejects_per_s": rates(before["engine"], engine, "exchange_rejects_total", "reason"),
            "resting_orders": engine.value("exchange_resting_orders"),
            "trades": engine.value("exchange_trades_total"),
        },
        "latency_ms": {
            stage: {f"p{share}": percentile_ms(before[name], after[name], figure, share) for share in (50, 99)}
            for stage, (name, figure) in LATENCIES.items()
        },
        "queue": {
            "pending": engine.value("exchange_pending_commands"),
            "pending_max": engine.value("exchange_pending_commands_max"),
        },
        "feeds": {name: feed(before[name], after[name]) for name in ("reporter", "clearing")},
        "clearing": {
            "trades": clearing.by("exchange_clearing_trades", "state"),
            "requests": clearing.by("exchange_clearing_requests", "state"),
            "overdue": clearing.value("exchange_clearing_requests_overdue"),
            "breaks": clearing.by("exchange_breaks", "component"),
            "compared_s_ago": _ago(clearing.value("exchange_break_report_time_seconds")),
        },
        "stream": {
            "connections": after["reporter"].value("exchange_stream_connections"),
            "subscriptions": after["reporter"].value("exchange_stream_subscriptions"),
        },
    }  # fmt: skip


def component(before: Figures, after: Figures) -> dict[str, Any]:
    """Say how one component is."""
    problems, notes = ([after.problem], []) if after.problem else ([], list[str]())
    is_ready = after.value("exchange_ready") == 1
    if not after.problem and (not is_ready or after.value("exchange_notes")):
        try:
            problems, notes = read_readiness(after.url)
        except OSError as error:
            problems = [str(error)]
    return {
        "url": after.url,
        "state": "unreachable" if after.problem else "ready" if is_ready else "not_ready",
        "reasons": problems,
        "notes": notes,
        "version": after.label("exchange_build_info", "version"),
        "event": after.value("exchange_event_sequence"),
        "uptime_s": _ago(after.value("exchange_start_time_seconds")),
        "cpu": rate(before, after, "process_cpu_seconds_total"),
        "memory_bytes": after.value("process_resident_memory_bytes"),
        "requests_per_s": rate(before, after, "exchange_http_requests_total"),
        "redis": _up(after.value("exchange_redis_up")),
        "config_version": after.value("exchange_config_version"),
    }


def feed(before: Figures, after: Figures) -> dict[str, Any]:
    """Say how a consumer fares with the engine's events."""
    return {
        "lag_events": after.value("exchange_feed_lag_events"),
        "events_per_s": rate(before, after, "exchange_feed_events_total"),
        "gaps": after.value("exchange_feed_gaps_total"),
        "duplicates": after.value("exchange_feed_duplicates_total"),
        "bus": _up(after.value("exchange_feed_bus_up")),
        "store": _up(after.value("exchange_store_up")),
    }


def _up(value: float | None) -> str | None:
    return None if value is None else "up" if value else "away"


def _ago(then_s: float | None) -> float | None:
    """Return how long ago a time since the Unix epoch was; None for never."""
    return max(0.0, time.time() - then_s) if then_s else None


def _go_on(urls: dict[Component, str], before: Reading, every_s: float, as_json: bool) -> None:
    while True:
        time.sleep(every_s)
        after = read_all(urls)
        _print(view(before, after), as_json)
        before = after


def _print(shown: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(shown)
        return
    from rich.console import Console

    from exchange.cli.top_picture import picture

    Console(highlight=False).print(picture([shown]))


def _live(urls: dict[Component, str], before: Reading, every_s: float) -> None:
    """Draw over the terminal again and again, and leave it as it was."""
    from rich.live import Live

    from exchange.cli.top_picture import picture

    history: list[dict[str, Any]] = [view(before, before)]

    def draw() -> RenderableType:
        return picture(history)

    with Live(draw(), screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(every_s)
            after = read_all(urls)
            history.append(view(before, after))
            del history[:-HISTORY]
            live.update(draw(), refresh=True)
            before = after
