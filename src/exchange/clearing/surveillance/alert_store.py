"""The store of surveillance: alerts, each once; their cases; and what the watcher remembers.

An alert that comes again, after a restart or from a repeated batch, has the same id and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from exchange.clearing.surveillance.tables import alerts as table
from exchange.clearing.surveillance.tables import watcher_states
from exchange.surveillance.alert import Alert
from exchange.surveillance.case_file import CaseFile

_encode = msgspec.json.Encoder().encode
_alert = msgspec.json.Decoder(Alert).decode
_case = msgspec.json.Decoder(CaseFile).decode


class Filed(NamedTuple):
    """An alert with its number, from 1 in the order of arrival, and its case."""

    number: int
    alert: Alert
    case: CaseFile


class Filter(NamedTuple):
    """Which alerts: empty and 0 for any; before: only those with a lower number."""

    state: str = ""
    detector: str = ""
    level: str = ""
    symbol_id: int = 0
    before: int = 0


class WatcherPlace(NamedTuple):
    """Where a watcher stood, and what it remembered there; began_at: the first event it ever saw."""

    epoch: int
    sequence: int
    began_at: int
    state: bytes


def add_alerts(connection: Connection, partition: int, found: Sequence[Alert]) -> int:
    """Store alerts that are not there yet; return how many were new."""
    ids = {alert.alert_id: alert for alert in found}
    known = set(
        connection.execute(
            select(table.c.alert_id).where(table.c.partition == partition, table.c.alert_id.in_(ids))
        ).scalars()
    )
    last = (
        connection.execute(select(func.max(table.c.number)).where(table.c.partition == partition)).scalar()
        or 0
    )
    case = CaseFile()
    rows = [
        {
            "partition": partition, "alert_id": alert_id, "number": number,
            "raised_sequence": alert.raised_sequence, "detector": alert.detector, "level": alert.level.value,
            "symbol_id": alert.symbol_id, "score": alert.score, "state": case.state.value, "body": _encode(alert),
            "case_file": _encode(case),
        }
        for number, (alert_id, alert) in enumerate(
            ((alert_id, alert) for alert_id, alert in ids.items() if alert_id not in known), last + 1
        )
    ]  # fmt: skip
    if rows:
        connection.execute(insert(table), rows)
    return len(rows)


def list_alerts(connection: Connection, partition: int, wanted: Filter, limit: int) -> list[Filed]:
    """Read a page of alerts, newest first."""
    conditions: list[ColumnElement[bool]] = [table.c.partition == partition]
    named = ("state", "detector", "level", "symbol_id")
    conditions += [table.c[name] == getattr(wanted, name) for name in named if getattr(wanted, name)]
    if wanted.before:
        conditions.append(table.c.number < wanted.before)
    query = select(table).where(*conditions).order_by(table.c.number.desc()).limit(limit)
    return [Filed(row.number, _alert(row.body), _case(row.case_file)) for row in connection.execute(query)]


def read_alert(connection: Connection, partition: int, alert_id: str) -> Filed | None:
    """Look up an alert."""
    own = (table.c.partition == partition, table.c.alert_id == alert_id)
    row = connection.execute(select(table).where(*own)).first()
    return Filed(row.number, _alert(row.body), _case(row.case_file)) if row else None


def read_alerts(connection: Connection, partition: int) -> Iterator[Alert]:
    """Read all alerts, oldest first."""
    query = select(table.c.body).where(table.c.partition == partition).order_by(table.c.number)
    for (body,) in connection.execute(query):
        yield _alert(body)


def count_by_state(connection: Connection, partition: int) -> dict[str, int]:
    """Count alerts by the state of their case."""
    query = select(table.c.state, func.count()).where(table.c.partition == partition).group_by(table.c.state)
    return {state: count for state, count in connection.execute(query)}  # noqa: C416


def change_case(
    connection: Connection, partition: int, alert_id: str, change: Callable[[CaseFile], CaseFile]
) -> Filed | None:
    """Change the case of an alert; None where there is no such alert. Raise what the change raises."""
    filed = read_alert(connection, partition, alert_id)
    if filed is None:
        return None
    case = change(filed.case)
    own = (table.c.partition == partition, table.c.alert_id == alert_id)
    connection.execute(update(table).where(*own).values(state=case.state.value, case_file=_encode(case)))
    return filed._replace(case=case)


def read_place(connection: Connection, partition: int) -> WatcherPlace | None:
    """Return where the watcher stood."""
    states = watcher_states
    row = connection.execute(select(states).where(states.c.partition == partition)).first()
    return WatcherPlace(row.epoch, row.sequence, row.began_at, bytes(row.state)) if row else None


def write_place(connection: Connection, partition: int, place: WatcherPlace) -> None:
    """Store where the watcher stands, in place of what was stored before."""
    connection.execute(delete(watcher_states).where(watcher_states.c.partition == partition))
    connection.execute(insert(watcher_states).values(partition=partition, **place._asdict()))
