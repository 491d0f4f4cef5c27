"""REST of surveillance: alerts with their evidence, and what the office does to their cases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, Engine

from exchange.clearing.rest_api import OFFICE, number_of_cursor, who_rules
from exchange.clearing.surveillance import alert_store
from exchange.clearing.surveillance.alert_store import Filed, Filter
from exchange.clearing.surveillance.lookout import Lookout
from exchange.domain.directory import Directory
from exchange.domain.participant import Role
from exchange.domain.units import format_date, format_time
from exchange.infra.clock import Clock
from exchange.infra.http import ApiError, Call, Route
from exchange.infra.store import begin_write
from exchange.infra.store_retry import asking_again_later, begin_read
from exchange.surveillance import case_file as cases
from exchange.surveillance.alert import hash_of_all
from exchange.surveillance.case_file import CaseFile, CaseOutcome, CaseRefused, Officer
from exchange.surveillance.watcher import DETECTORS
from exchange.wire.rest import surveillance as j
from exchange.wire.rest.errors import ErrorCode

ACTS = frozenset({Role.CLEARING, Role.RISK})
"""Who works on cases; operators may too."""
_ALERT = {"alert_id": "047104294872938501"}
T = TypeVar("T")


class SurveillanceApi:
    """The routes of surveillance."""

    def __init__(
        self, lookout: Lookout, store: Engine, partition: int, directory: Directory, clock: Clock, page_items_max: int
    ) -> None:  # fmt: skip
        self._lookout = lookout
        self._store = store
        self._partition = partition
        self._directory = directory
        self._clock = clock
        self._page_items_max = page_items_max

    def routes(self) -> list[Route]:
        """List the routes."""
        path = "/api/v1/surveillance/alerts"
        one = path + "/{alert_id}"
        reason = {"reason": "quotes around the close, asked the desk"}
        acts: list[tuple[str, Callable[[Call], object], str, type, dict[str, str]]] = [
            ("assign", self.assign, "Let somebody look at an alert", j.AssignOrder, {"to": "kim"} | reason),
            ("escalate", self.escalate, "Escalate an alert", j.CaseWord, reason),
            (
                "close",
                self.close,
                "Close the case of an alert",
                j.CloseCase,
                {"outcome": "explained"} | reason,
            ),
            ("reopen", self.reopen, "Open the closed case of an alert again", j.CaseWord, reason),
        ]
        return [
            Route(
                "GET", "/api/v1/surveillance", self.status, "Show how surveillance stands", "surveillance", OFFICE,
                returns=j.SurveillanceView,
                description="Its position, how many alerts there are, a hash over all of them, and every detector with "
                "its thresholds.",
            ),
            Route(
                "GET", path, self.alerts, "List alerts, newest first", "surveillance", OFFICE, query=j.AlertsQuery,
                returns=j.AlertList, errors=(400, 404),
            ),
            Route(
                "GET", one, self.alert, "Show an alert with its evidence and its case", "surveillance", OFFICE,
                returns=j.AlertView, errors=(404,), path_examples=_ALERT,
            ),
            *(
                Route(
                    "POST", f"{one}/{verb}", handler, summary, "surveillance", ACTS, body=body,  # type: ignore[arg-type]
                    returns=j.AlertView, errors=(404, 409, 503), path_examples=_ALERT, example=example,
                    operation=f"{verb}_alert",
                )
                for verb, handler, summary, body, example in acts
            ),
        ]  # fmt: skip

    # --- reading --------------------------------------------------------------------------------------

    async def status(self, call: Call) -> j.SurveillanceView:
        """Answer GET /surveillance."""
        lookout = self._lookout

        def read(connection: Connection) -> tuple[dict[str, int], str]:
            counts = alert_store.count_by_state(connection, self._partition)
            return counts, hash_of_all(alert_store.read_alerts(connection, self._partition))

        stats = msgspec.structs.replace(lookout.stats)  # Of before: what was found up to there is counted.
        by_state, running = await self._read(read)
        settings = lookout.watcher.settings
        return j.SurveillanceView(
            enabled=True,
            seq=stats.sequence,
            began_at=stats.began_at,
            alerts=sum(by_state.values()),
            by_state=by_state,
            suppressed=stats.suppressed,
            hash=running,
            problem=stats.problem,
            settings=lookout.watcher.settings_hash,
            detectors=[
                j.DetectorView(
                    code=kind.CODE,
                    name=name,
                    version=kind.VERSION,
                    settings=msgspec.to_builtins(getattr(settings, name)),
                )
                for name, kind in DETECTORS.items()
            ],
        )

    async def alerts(self, call: Call) -> j.AlertList:
        """Answer GET /surveillance/alerts."""
        query: j.AlertsQuery = call.query
        limit = min(query.limit, self._page_items_max)
        wanted = Filter(
            query.state, query.detector, query.level, self._symbol_id(query.symbol), number_of_cursor(query.cursor)
        )  # fmt: skip
        found = await self._read(
            lambda connection: alert_store.list_alerts(connection, self._partition, wanted, limit + 1)
        )
        items = [self._view(filed) for filed in found]
        return j.AlertList(items[:limit], items[limit - 1].number if len(items) > limit else None)

    async def alert(self, call: Call) -> j.AlertView:
        """Answer GET /surveillance/alerts/{alert_id}."""
        alert_id = call.path["alert_id"]
        filed = await self._read(
            lambda connection: alert_store.read_alert(connection, self._partition, alert_id)
        )
        if filed is None:
            raise unknown_alert(alert_id)
        return self._view(filed)

    # --- acting ---------------------------------------------------------------------------------------

    async def assign(self, call: Call) -> j.AlertView:
        """Answer POST /surveillance/alerts/{alert_id}/assign."""
        body: j.AssignOrder = call.body
        return await self._act(
            call, lambda case, officer, now_ns: cases.assign(case, body.to, officer, body.reason, now_ns)
        )

    async def escalate(self, call: Call) -> j.AlertView:
        """Answer POST /surveillance/alerts/{alert_id}/escalate."""
        body: j.CaseWord = call.body
        return await self._act(
            call, lambda case, officer, now_ns: cases.escalate(case, officer, body.reason, now_ns)
        )

    async def close(self, call: Call) -> j.AlertView:
        """Answer POST /surveillance/alerts/{alert_id}/close."""
        body: j.CloseCase = call.body
        outcome = CaseOutcome(body.outcome)
        return await self._act(
            call, lambda case, officer, now_ns: cases.close(case, outcome, officer, body.reason, now_ns)
        )

    async def reopen(self, call: Call) -> j.AlertView:
        """Answer POST /surveillance/alerts/{alert_id}/reopen."""
        body: j.CaseWord = call.body
        return await self._act(
            call, lambda case, officer, now_ns: cases.reopen(case, officer, body.reason, now_ns)
        )

    async def _act(self, call: Call, change: Callable[[CaseFile, Officer, int], CaseFile]) -> j.AlertView:
        alert_id, officer = call.path["alert_id"], Officer(call.who.key_id, who_rules(call))
        now_ns = self._clock.now_ns()

        def write() -> Filed | None:
            with asking_again_later(self._store), begin_write(self._store) as connection:
                return alert_store.change_case(
                    connection, self._partition, alert_id, lambda case: change(case, officer, now_ns)
                )

        try:
            filed = await asyncio.to_thread(write)
        except CaseRefused as error:
            raise ApiError.of(ErrorCode.CONFLICT, str(error)) from error
        if filed is None:
            raise unknown_alert(alert_id)
        return self._view(filed)

    async def _read(self, query: Callable[[Connection], T]) -> T:
        def read() -> T:
            with begin_read(self._store) as connection:
                return query(connection)

        return await asyncio.to_thread(read)

    def _symbol_id(self, name: str) -> int:
        if not name:
            return 0
        symbol = self._directory.symbol_named(name)
        if symbol is None:
            now = self._directory.present_name(name)
            called = f"; it is called {now} now" if now else ""
            raise ApiError.of(ErrorCode.NOT_FOUND, f"there is no symbol {name}{called}")
        return symbol.symbol_id

    def _view(self, filed: Filed) -> j.AlertView:
        return alert_view(filed, self._directory)


def unknown_alert(alert_id: str) -> ApiError:
    """Make the error of an alert that is not there."""
    return ApiError.of(ErrorCode.NOT_FOUND, f"there is no alert {alert_id}")


def alert_view(filed: Filed, directory: Directory) -> j.AlertView:
    """Write an alert and its case."""
    alert, case = filed.alert, filed.case
    symbol = directory.symbols.get(alert.symbol_id)
    members = (directory.participants.get(participant) for participant in alert.participants)
    return j.AlertView(
        alert_id=alert.alert_id,
        number=str(filed.number),
        detector=alert.detector,
        version=alert.version,
        settings=alert.settings_hash,
        level=alert.level.value,
        state=case.state.value,
        assignee=case.assignee,
        outcome=case.outcome,
        symbol=symbol.symbol if symbol else "",
        members=[member.name for member in members if member is not None],
        accounts=[str(account) for account in alert.accounts],
        date=format_date(alert.business_date),
        begins_at=format_time(alert.begins_ns),
        ends_at=format_time(alert.ends_ns),
        raised_at=format_time(alert.raised_ns),
        raised_seq=alert.raised_sequence,
        score=alert.score,
        summary=alert.summary,
        measures=[
            j.MeasureView(what=each.what, seen=each.seen, limit=each.limit) for each in alert.measures
        ],
        evidence=list(alert.evidence),
        steps=[
            j.CaseStepView(
                at=format_time(step.time_ns), what=step.what, state=step.state.value, who=step.who, why=step.why
            )
            for step in case.steps
        ],
    )  # fmt: skip
