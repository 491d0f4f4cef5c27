"""How `exchange top` looks: a few tables under each other, in eighty columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

BARS = "▁▂▃▄▅▆▇█"
CURVE_CHARACTERS = 20
NOTHING = "–"
STYLES = {"ready": "green", "not_ready": "yellow", "unreachable": "bold red"}
STAGES = {
    "durable": "gateway → disk",
    "journal": "journal write",
    "publish": "disk → bus",
    "reporter": "event → reporter",
    "clearing": "event → clearing",
}

ALWAYS_SHOWN = ("accepted", "held", "bust_pending")

View = dict[str, Any]


def picture(history: Sequence[View]) -> RenderableType:
    """Draw the newest view; the ones before it become curves."""
    now = history[-1]
    versions = sorted({each["version"] for each in now["components"].values() if each["version"]})
    title = f"exchange {', '.join(versions)}  {now['at'][:19].replace('T', ' ')} UTC"
    return Group(
        Text(title, style="bold"),
        _components(now),
        *_reasons(now),
        Text(),
        _beside(_market(history), _latencies(now)),
        _resting(now),
        Text(),
        _feeds(now),
        Text(),
        _clearing(now),
    )


def curve(values: Sequence[float | None]) -> str:
    """Draw numbers as a line of bars, the newest at the right; a blank where there is none."""
    shown = list(values)[-CURVE_CHARACTERS:]
    most = max((value for value in shown if value is not None), default=0.0)
    return "".join(
        " " if value is None else BARS[min(7, int(8 * value / most))] if most else BARS[0] for value in shown
    )


def number(value: float | None, digits: int = 0) -> str:
    """Write a number for people."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def milliseconds(value: float | None) -> str:
    """Write milliseconds with about three digits."""
    if value is None:
        return NOTHING
    return f"{value:.3f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def duration(seconds: float | None) -> str:
    """Write a time that has passed in its largest units."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(
            column.lstrip(">"), justify="right" if column.startswith(">") else "left", no_wrap=True
        )
    return table


def _components(now: View) -> Table:
    table = _table("component", "state", ">event", ">up", ">cpu", ">MiB", ">requests/s", ">config", "redis")
    for name, each in now["components"].items():
        memory, cpu = each["memory_bytes"], each["cpu"]
        table.add_row(
            name,
            Text(each["state"].replace("_", " "), style=STYLES[each["state"]]),
            number(each["event"]),
            duration(each["uptime_s"]),
            NOTHING if cpu is None else f"{cpu:.0%}",
            number(memory and memory / 2**20),
            number(each["requests_per_s"], 1),
            number(each["config_version"]),
            each["redis"] or NOTHING,
        )
    return table


def _reasons(now: View) -> list[Text]:
    return [
        Text(f"{name}: {text}", style=style)
        for name, each in now["components"].items()
        for texts, style in ((each["reasons"], "red"), (each["notes"], "yellow"))
        for text in texts
    ]


def _market(history: Sequence[View]) -> Table:
    now = history[-1]["market"]
    table = _table("per second", ">now", "before")
    for title, name in (
        ("orders", "orders_per_s"),
        ("cancels", "cancels_per_s"),
        ("trades", "trades_per_s"),
    ):
        table.add_row(title, number(now[name], 1), curve([each["market"][name] for each in history]))
    refused = sorted(now["rejects_per_s"].items(), key=lambda pair: -pair[1])[:1]
    reasons = ", ".join(f"{reason} {number(count, 1)}" for reason, count in refused)
    total = None if now["orders_per_s"] is None else sum(now["rejects_per_s"].values())
    table.add_row("refused", number(total, 1), reasons)
    return table


def _resting(now: View) -> Text:
    market, queue = now["market"], now["queue"]
    waiting = f"{number(queue['pending'])} of {number(queue['pending_max'])} commands wait"
    resting, trades = number(market["resting_orders"]), number(market["trades"])
    return Text(f"{resting} orders rest, {trades} trades, {waiting}", style="dim")


def _beside(left: Table, right: Table) -> Table:
    grid = Table.grid(padding=(0, 4, 0, 0))
    grid.add_row(left, right)
    return grid


def _latencies(now: View) -> Table:
    table = _table("latency, ms", ">p50", ">p99")
    for stage, title in STAGES.items():
        times = now["latency_ms"][stage]
        table.add_row(title, milliseconds(times["p50"]), milliseconds(times["p99"]))
    return table


def _feeds(now: View) -> Table:
    table = _table("feed", ">behind", ">events/s", ">gaps", ">doubles", "bus", "store")
    for name, each in now["feeds"].items():
        table.add_row(
            name,
            number(each["lag_events"]),
            number(each["events_per_s"], 1),
            number(each["gaps"]),
            number(each["duplicates"]),
            each["bus"] or NOTHING,
            each["store"] or NOTHING,
        )
    return table


def _clearing(now: View) -> Text:
    each = now["clearing"]
    states = ", ".join(
        f"{number(count)} {state.replace('_', ' ')}"
        for state, count in each["trades"].items()
        if count or state in ALWAYS_SHOWN
    )
    found = each["breaks"]
    line = Text(f"clearing  {states or NOTHING}; {number(each['overdue'])} busts overdue\n")
    count = sum(found.values())
    broken = ", ".join(f"{number(symbols)} in {name}" for name, symbols in found.items() if symbols)
    is_away = now["components"]["clearing"]["state"] == "unreachable"
    unknown = "breaks unknown" if is_away else "not compared yet"
    told = f"breaks: {broken}" if broken else "no breaks" if found else unknown
    line.append(told, style="bold red" if count else "green" if found else "")
    if each["compared_s_ago"] is not None:
        line.append(f", compared {duration(each['compared_s_ago'])} ago")
    stream = now["stream"]
    line.append(
        f"\nstream    {number(stream['connections'])} connections, {number(stream['subscriptions'])} subscriptions"
    )
    return line
