"""`exchange status`: the components, how each is, and what was announced last."""

from __future__ import annotations

from typing import Any, Literal, get_args

from exchange.cli.failures import RefusedError, UnreachableError
from exchange.cli.figures import read_figures
from exchange.cli.options import Options
from exchange.cli.output import print_facts, print_table, show
from exchange.cli.top import view

DEFAULT = Options()
Name = Literal["engine", "reporter", "clearing"]
UNREACHABLE = "unreachable"
NEWS_SHOWN = 5
WAITING = {"held": "held", "bust_pending": "bust pending"}


def status(*, news: int = NEWS_SHOWN, options: Options = DEFAULT) -> None:
    """Show the components and how they are: `exchange status`, `exchange status --json`.

    Each component is asked how it is, and tells of those it has heard of over the bus. Below: what it does without, how
    far consumers are behind, held and pending trades, breaks.

    Parameters
    ----------
    news
        How many of the last announcements to show.
    """
    answers: dict[str, dict[str, Any]] = {}
    missing: list[dict[str, Any]] = []
    for name in get_args(Name):
        connection = options.public(name)
        try:
            answers[name] = connection.get("/api/v1/components")
        except (UnreachableError, RefusedError) as error:
            missing.append(_missing(name, connection.url, str(error)))
    if not answers:
        raise UnreachableError("no component can be reached: " + missing[0]["reasons"][0])
    known = merge(answers)
    known += [row for row in missing if not any(_is_told_of(row, each) for each in known)]
    happenings: list[dict[str, Any]] = max((answer["happenings"] for answer in answers.values()), key=len)
    buses = {name: answer["bus"] for name, answer in answers.items()}
    answer = {"components": known, "happenings": happenings[:news], "buses": buses, "health": health(options)}
    show(answer, options.json, print_status)


def health(options: Options) -> dict[str, Any]:
    """Say how each component is now, and what people should look at."""
    reading = {name: read_figures(options.public(name).url) for name in get_args(Name)}
    shown = view(reading, reading)
    keys = ("state", "reasons", "notes", "version", "event", "uptime_s", "config_version", "redis")
    return {
        "components": {name: {key: each[key] for key in keys} for name, each in shown["components"].items()},
        "behind": {name: each["lag_events"] for name, each in shown["feeds"].items()},
        "trades": shown["clearing"]["trades"],
        "overdue": shown["clearing"]["overdue"],
        "breaks": shown["clearing"]["breaks"],
    }


def merge(answers: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Join what the components tell: each counts most about itself, then who heard of it last."""
    found: dict[str, dict[str, Any]] = {}
    for answer in answers.values():
        for row in answer["items"]:
            known = found.get(row["instance"])
            if known is None or row["heard_ms_ago"] < known["heard_ms_ago"]:
                found[row["instance"]] = row
    order = get_args(Name)
    return sorted(
        found.values(), key=lambda row: (order.index(row["component"]), row["partition"], row["started_at"])
    )


def print_status(answer: dict[str, Any]) -> None:
    """Print the components, then the news."""
    columns = [
        "component",
        ">part",
        "state",
        ">at event",
        ">heard ms ago",
        ">config",
        "started",
        "url",
        "why",
    ]
    print_table(
        columns,
        (
            [
                row["component"], row["partition"], row["state"], row["seq"], row["heard_ms_ago"],
                row["config_version"], row["started_at"][:19], row["url"], "; ".join(_why(row)),
            ]
            for row in answer["components"]
        ),
    )  # fmt: skip
    for name, bus in answer["buses"].items():
        if bus["problem"]:
            print(f"bus of {name}: {bus['problem']}")
    print()
    print_facts(_facts(answer["health"]))
    if answer["happenings"]:
        print()
        print_table(
            ["time", "component", "what", "match id"],
            (
                [each["time"][:23], each["component"], each["what"], each["match_id"] or ""]
                for each in answer["happenings"]
            ),
        )


def _facts(found: dict[str, Any]) -> list[tuple[str, object]]:
    """List what people should know in a line each."""
    configs = {each["config_version"] for each in found["components"].values()} - {None}
    facts: list[tuple[str, object]] = [
        (f"{name} does without", note) for name, each in found["components"].items() for note in each["notes"]
    ]
    if configs:
        facts.append(("shared configuration", ", ".join(f"version {each:.0f}" for each in sorted(configs))))
    behind = {name: lag for name, lag in found["behind"].items() if lag is not None}
    facts.append(
        ("behind the engine", ", ".join(f"{name} {lag:.0f}" for name, lag in behind.items()) or "unknown")
    )
    waiting = [f"{found['trades'].get(state, 0):.0f} {words}" for state, words in WAITING.items()]
    facts.append(("trades", ", ".join(waiting) if found["trades"] else "unknown"))
    broken = [f"{count:.0f} symbols of {name}" for name, count in found["breaks"].items() if count]
    facts.append(("breaks", ", ".join(broken) or ("none" if found["breaks"] else "not compared yet")))
    return facts


def _why(row: dict[str, Any]) -> list[str]:
    """Say why a component is not ready, and what it should be restarted for."""
    pending = row["config_pending"]
    return [*row["reasons"], *([f"restart it for {', '.join(pending)}"] if pending else [])]


def _missing(name: str, url: str, why: str) -> dict[str, Any]:
    return {
        "component": name, "instance": "", "partition": 0, "state": UNREACHABLE, "url": url, "version": "",
        "seq": "", "started_at": "", "heard_ms_ago": 0, "reasons": [why],
        "config_version": 0, "config_pending": [],
    }  # fmt: skip


def _is_told_of(missing: dict[str, Any], row: dict[str, Any]) -> bool:
    """Tell whether others know of a component that cannot be reached."""
    return bool(row["component"] == missing["component"] and row["url"] == missing["url"])
