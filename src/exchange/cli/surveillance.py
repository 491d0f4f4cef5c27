"""`exchange surveillance …`: alerts, what the office does to them, and the same detectors offline."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import App

from exchange.cli.connection import Connection, in_path
from exchange.cli.failures import InputError
from exchange.cli.options import Options, Where
from exchange.cli.output import print_facts, print_table, show

if TYPE_CHECKING:
    from exchange.surveillance.alert import Alert
    from exchange.surveillance.watcher import Watcher
    from exchange.wire.envelope import EventBatch

app = App(
    name="surveillance", help="List alerts, work on their cases, and look through an event log offline."
)
DEFAULT = Options()
HERE = Where()
PATH = "/api/v1/surveillance"
State = Literal["new", "in_review", "escalated", "closed"]
Outcome = Literal["unfounded", "explained", "warned", "reported"]


@app.default
@app.command(name="list")
def list_(
    *,
    state: State | None = None,
    level: Literal["note", "alert"] | None = None,
    detector: str = "",
    symbol: str = "",
    limit: int = 50,
    options: Options = DEFAULT,
) -> None:
    """List alerts, newest first: `exchange surveillance list --state new --level alert`.

    Parameters
    ----------
    state
        Only those whose case is in this state.
    level
        Only alerts, or only notes.
    detector
        Only of this detector, such as SPOOF-1.
    symbol
        Only in this symbol.
    limit
        At most this many.
    """
    found = _reader(options).items(
        f"{PATH}/alerts", limit, state=state or "", level=level or "", detector=detector, symbol=symbol
    )
    show(found, options.json, _print_alerts)


@app.command(name="show")
def show_(alert_id: str, *, options: Options = DEFAULT) -> None:
    """Show an alert with what was measured, its evidence and its case: `exchange surveillance show ALERT`.

    Parameters
    ----------
    alert_id
        Which alert; the first digits are enough where only one begins so.
    """
    connection = _reader(options)
    show(connection.get(_path(connection, alert_id)), options.json, _print_alert)


@app.command
def status(*, options: Options = DEFAULT) -> None:
    """Show how far surveillance is, and every threshold: `exchange surveillance status`."""
    show(_reader(options).get(PATH), options.json, _print_status)


@app.command
def assign(alert_id: str, to: str, *, reason: str, options: Options = DEFAULT) -> None:
    """Let somebody look at an alert: `exchange surveillance assign ALERT kim --reason "on the desk today"`.

    Parameters
    ----------
    alert_id
        Which alert.
    to
        Who looks at it.
    reason
        Why, for the record.
    """
    _act(alert_id, "assign", {"to": to, "reason": reason}, options)


@app.command
def escalate(alert_id: str, *, reason: str, options: Options = DEFAULT) -> None:
    """Escalate an alert: `exchange surveillance escalate ALERT --reason "third time this week"`.

    Parameters
    ----------
    alert_id
        Which alert.
    reason
        Why, for the record.
    """
    _act(alert_id, "escalate", {"reason": reason}, options)


@app.command
def close(alert_id: str, outcome: Outcome, *, reason: str, options: Options = DEFAULT) -> None:
    """Close the case of an alert: `exchange surveillance close ALERT explained --reason "a hedge, see their note"`.

    Parameters
    ----------
    alert_id
        Which alert.
    outcome
        What it came to.
    reason
        Why, for the record.
    """
    _act(alert_id, "close", {"outcome": outcome, "reason": reason}, options)


@app.command
def reopen(alert_id: str, *, reason: str, options: Options = DEFAULT) -> None:
    """Open a closed case again: `exchange surveillance reopen ALERT --reason "more of the same"`.

    Parameters
    ----------
    alert_id
        Which alert.
    reason
        Why, for the record.
    """
    _act(alert_id, "reopen", {"reason": reason}, options)


@app.command
def run(log: Path | None = None, *, detector: str = "", where: Where = HERE) -> None:
    """Look through an event log with the configured thresholds: `exchange surveillance run data/engine/events`.

    Works beside a running engine and stores nothing. The hash is that of `exchange surveillance status` where both
    looked at the same events with the same thresholds.

    Parameters
    ----------
    log
        Folder of the event log; default: that of the engine in the data folder.
    detector
        Print only what this detector raises, such as SPOOF-1.
    """
    from exchange.clearing.surveillance.office import settings_of
    from exchange.infra.errors import InfraError
    from exchange.infra.event_log_scan import scan_log
    from exchange.surveillance.watcher import Watcher

    config = where.load()
    watcher = Watcher(settings_of(config.surveillance), config.partition)
    try:
        found, last = look_through(watcher, scan_log(log or config.component_folder("engine") / "events"))
    except (InfraError, OSError) as error:
        raise InputError(str(error)) from error
    facts = _plain_run(watcher, found, last, detector)
    show(facts, where.json, _print_run)


def look_through(watcher: Watcher, batches: Iterable[EventBatch]) -> tuple[list[Alert], int]:
    """Let a watcher look through batches; return each alert once, and the last event."""
    found: dict[str, Alert] = {}
    last = 0
    for batch in batches:
        for alert in watcher.take(batch.events):
            found.setdefault(alert.alert_id, alert)
        last = batch.last_sequence
    return list(found.values()), last


def _plain_run(watcher: Watcher, found: list[Alert], last: int, detector: str) -> dict[str, Any]:
    import msgspec

    from exchange.surveillance.alert import hash_of_all

    shown = [alert for alert in found if not detector or alert.detector == detector]
    items = [
        {
            **msgspec.to_builtins(alert),
            "alert_id": alert.alert_id,
            "symbol": watcher.market.names.get(alert.symbol_id, ""),
        }
        for alert in shown
    ]
    facts = {"seq": last, "alerts": len(found), "suppressed": watcher.suppressed, "hash": hash_of_all(found)}
    return {**facts, "settings": watcher.settings_hash, "items": items}


def _reader(options: Options) -> Connection:
    return options.official("risk", "clearing")


def _act(alert_id: str, verb: str, body: dict[str, str], options: Options) -> None:
    connection = _reader(options)
    show(connection.post(f"{_path(connection, alert_id)}/{verb}", body), options.json, _print_alert)


ID_DIGITS = 18
LOOKED_FOR_MAX = 1_000


def _path(connection: Connection, alert_id: str) -> str:
    """Return the path of an alert, by its id or by the first digits of one among the latest."""
    if len(alert_id) < ID_DIGITS:
        found = [
            alert["alert_id"]
            for alert in connection.items(f"{PATH}/alerts", LOOKED_FOR_MAX)
            if alert["alert_id"].startswith(alert_id)
        ]
        if len(found) > 1:
            raise InputError(
                f"{len(found)} alerts begin with {alert_id}: {', '.join(found[:5])}; give more digits"
            )
        alert_id = found[0] if found else alert_id
    return f"{PATH}/alerts/{in_path(alert_id)}"


def _print_alerts(alerts: list[dict[str, Any]]) -> None:
    rows = (
        (a["alert_id"][:12], a["detector"], a["level"], a["score"], a["symbol"], ", ".join(a["members"]), a["state"],
         a["assignee"], a["raised_at"], a["summary"])
        for a in alerts
    )  # fmt: skip
    columns = (
        "alert", "detector", "level", ">score", "symbol", "members", "case", "assignee", "raised", "what was seen",
    )  # fmt: skip
    print_table(columns, rows, "no alerts")


def _print_alert(alert: dict[str, Any]) -> None:
    tables = ("measures", "evidence", "steps")
    facts = {name: value for name, value in alert.items() if name not in tables}
    print_facts(
        (name.replace("_", " "), ", ".join(value) if isinstance(value, list) else value)
        for name, value in facts.items()
    )
    print("\nwhat was measured")
    measures = ((m["what"], m["seen"], m["limit"]) for m in alert["measures"])
    print_table(("what", "seen", "counts from"), measures)
    print("\nevidence: events " + ", ".join(map(str, alert["evidence"])))
    print("\nthe case")
    steps = ((s["at"], s["what"], s["state"], s["who"], s["why"]) for s in alert["steps"])
    print_table(("at", "what", "state", "who", "why"), steps, "nothing was done yet")


def _print_status(status: dict[str, Any]) -> None:
    facts = {name: value for name, value in status.items() if name not in ("detectors", "by_state")}
    facts |= {f"alerts {state}": count for state, count in status["by_state"].items()}
    print_facts((name.replace("_", " "), value) for name, value in facts.items())
    print()
    rows = (
        (d["code"], d["name"].replace("_", " "), ", ".join(f"{k} {v}" for k, v in d["settings"].items()))
        for d in status["detectors"]
    )
    print_table(("detector", "pattern", "thresholds"), rows)


def _print_run(facts: dict[str, Any]) -> None:
    rows = (
        (
            a["alert_id"][:12],
            a["detector"],
            a["level"],
            a["score"],
            a["symbol"],
            a["participants"],
            a["summary"],
        )
        for a in facts["items"]
    )
    print_table(
        ("alert", "detector", "level", ">score", "symbol", "members", "what was seen"), rows, "no alerts"
    )
    print()
    print_facts((name.replace("_", " "), value) for name, value in facts.items() if name != "items")
