"""REST of the shared configuration: look, try, change, decide. The only way to change it."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from dataclasses import replace
from typing import Annotated, Any, TypeVar, cast

from msgspec import Meta

from exchange.domain.participant import Role
from exchange.domain.printable import is_printable
from exchange.engine.config_desk import Applied, ConfigDesk, Refused
from exchange.engine.config_plan import Plan, plan_texts
from exchange.engine.gateway import halted
from exchange.engine.refusals import BUSINESS_REJECT, not_found
from exchange.engine.sequencer import EngineHalted
from exchange.infra.cache import CacheUnavailable
from exchange.infra.config_document import DOCUMENT_BYTES_MAX, Document, tables_of, values_of
from exchange.infra.config_keys import ConfigError
from exchange.infra.errors import InfraError
from exchange.infra.http_routes import ApiError, Call, Route
from exchange.infra.shared_config import Proposal, VersionTaken
from exchange.wire.rest import configuration as j
from exchange.wire.rest.errors import ErrorCode

OPERATOR = frozenset((Role.OPERATOR,))
DECIDERS = frozenset((Role.OPERATOR, Role.RISK, Role.CLEARING))
"""Who may decide a proposal: all operators' keys come from one, so the second person may have another role."""
READERS = DECIDERS | {Role.AUDITOR, Role.COMPONENT}
NUMBER_MAX = 2**31
ProposalNumber = Annotated[int, Meta(ge=1, le=NUMBER_MAX)]
NO_REDIS = "A configuration shared at run time needs Redis: set [redis] url, and start the components again."
Answer = TypeVar("Answer")
_EXAMPLE = {"document": {"exchange": {"log_level": "debug"}}}


class ConfigApi:
    """The routes of the shared configuration. desk: None where there is no Redis."""

    def __init__(self, desk: ConfigDesk | None) -> None:
        self.desk = desk

    def routes(self) -> list[Route]:
        """List the routes."""
        path, tag, one = "/api/v1/config", "configuration", "/api/v1/config/proposals/{number}"
        change: dict[str, Any] = {"errors": (409, 413, 422, 503), "body_limit": DOCUMENT_BYTES_MAX + 65_536}
        decide: dict[str, Any] = {
            "body": j.ConfigDecision, "returns": j.ConfigDone, "errors": (404, 409, 422, 503),
            "example": {"note": "looked through"}, "path_examples": {"number": "1"},
            "path_types": {"number": ProposalNumber},
        }  # fmt: skip
        routes = [
            Route(
                "GET", path + "/shared", self.state, "Show the configuration in force, and who runs it", tag, READERS,
                returns=j.ConfigState, errors=(409, 503),
            ),
            Route(
                "POST", path + "/diff", self.diff, "Tell what a document would do, and change nothing", tag, READERS,
                body=j.ConfigDraft, returns=j.ConfigPlan, example=_EXAMPLE, **change,
            ),
            Route(
                "POST", path, self.apply, "Put a document in force, or propose it where two must agree", tag, OPERATOR,
                body=j.ConfigChange, returns=j.ConfigDone, example={**_EXAMPLE, "note": "look closer"}, **change,
            ),
            Route(
                "GET", path + "/history", self.history, "List the versions", tag, READERS,
                returns=j.ConfigVersions, errors=(409, 503),
            ),
            Route(
                "GET", path + "/running", self.running, "Tell which component runs which version", tag, READERS,
                returns=list[j.ConfigRunning], errors=(409, 503),
            ),
            Route(
                "POST", path + "/rollback", self.rollback, "Put an earlier version in force again, as a new one", tag,
                OPERATOR, body=j.ConfigReturn, returns=j.ConfigDone, errors=(409, 422, 503),
                example={"version": 0},
            ),
            Route(
                "GET", path + "/proposals", self.proposals, "List the proposals", tag, READERS,
                returns=j.ConfigProposals, errors=(409, 503),
            ),
            Route("POST", one + "/approve", self.approve, "Put a proposal in force", tag, DECIDERS, **decide),
            Route("POST", one + "/reject", self.reject, "Reject a proposal", tag, DECIDERS, **decide),
        ]  # fmt: skip
        return [replace(route, operation=f"config_{route.handler.__name__}") for route in routes]

    async def state(self, _: Call) -> j.ConfigState:
        """Answer GET /config/shared."""
        desk = self._desk()
        newest = await answered(desk.shared.newest())
        proposals = await answered(desk.shared.proposals())
        return j.ConfigState(
            version=newest.version,
            sequenced=await answered(desk.sequenced()),
            approvals=desk.approvals,
            document=tables_of(newest.values),
            running=await self._running(desk),
            open_proposals=sum(desk.state_of(each, newest.version) == "open" for each in proposals),
        )

    async def diff(self, call: Call) -> j.ConfigPlan:
        """Answer POST /config/diff."""
        desk = self._desk()
        newest, plan = await answered(desk.plan(call.body.document))
        rows, commands, notes = plan_view(plan)
        notes = [*notes, *_lags(await self._running(desk), newest.version)]
        return j.ConfigPlan(after=newest.version, changes=rows, commands=commands, notes=notes)

    async def apply(self, call: Call) -> j.ConfigDone:
        """Answer POST /config."""
        body: j.ConfigChange = call.body
        desk, values = self._desk(), values_of(body.document)
        return done_view(await answered(desk.apply(values, note_of(body.note), call.who, body.after)))

    async def rollback(self, call: Call) -> j.ConfigDone:
        """Answer POST /config/rollback."""
        body: j.ConfigReturn = call.body
        return done_view(await answered(self._desk().rollback(body.version, note_of(body.note), call.who)))

    async def history(self, _: Call) -> j.ConfigVersions:
        """Answer GET /config/history."""
        return j.ConfigVersions(
            [version_view(each) for each in await answered(self._desk().shared.history())]
        )

    async def running(self, _: Call) -> list[j.ConfigRunning]:
        """Answer GET /config/running."""
        return await self._running(self._desk())

    async def proposals(self, _: Call) -> j.ConfigProposals:
        """Answer GET /config/proposals."""
        desk = self._desk()
        version = await answered(desk.shared.newest_version())
        found = await answered(desk.shared.proposals())
        return j.ConfigProposals([proposal_view(each, desk.state_of(each, version)) for each in found])

    async def approve(self, call: Call) -> j.ConfigDone:
        """Answer POST /config/proposals/{number}/approve."""
        note = note_of(call.body.note)
        return done_view(await answered(self._desk().approve(_number(call), note, call.who)))

    async def reject(self, call: Call) -> j.ConfigDone:
        """Answer POST /config/proposals/{number}/reject."""
        number = _number(call)
        await answered(self._desk().reject(number, note_of(call.body.note), call.who))
        return j.ConfigDone(status="rejected", proposal=number)

    def _desk(self) -> ConfigDesk:
        if self.desk is None:
            raise ApiError.of(ErrorCode.CONFLICT, NO_REDIS)
        return self.desk

    async def _running(self, desk: ConfigDesk) -> list[j.ConfigRunning]:
        found = await answered(desk.shared.running())
        return [
            j.ConfigRunning(
                component=name, version=each.version, pending=list(each.pending), problem=each.problem
            )
            for name, each in found.items()
        ]


async def answered(asked: Awaitable[Answer]) -> Answer:
    """Return what the desk answers. Raise `ApiError` where it refuses, or Redis does not answer."""
    try:
        return await asked
    except ConfigError as error:
        detail = {"problems": [str(problem) for problem in error.problems]}
        raise ApiError(
            BUSINESS_REJECT, ErrorCode.INVALID_FIELD, str(error), "document", extra=detail
        ) from error
    except (Refused, VersionTaken) as error:
        raise ApiError.of(ErrorCode.CONFLICT, str(error)) from error
    except EngineHalted as error:
        raise halted(error) from error
    except CacheUnavailable as error:
        text = f"The shared configuration cannot be read or changed now: {error}; what runs goes on"
        raise ApiError.of(ErrorCode.NOT_READY, text) from error
    except InfraError as error:
        raise ApiError.of(ErrorCode.CONFLICT, str(error)) from error


def note_of(note: str) -> str:
    """Return a note. Raise `ApiError` where people could not read it."""
    if not is_printable(note):
        text = "note must be printable text on one line"
        raise ApiError(BUSINESS_REJECT, ErrorCode.INVALID_FIELD, text, "note")
    return note


def plan_view(plan: Plan) -> tuple[list[j.ConfigRow], list[str], list[str]]:
    """Write a plan: changes, commands, notes."""
    rows = [
        j.ConfigRow(key=row.key, before=row.before, after=row.after, effect=row.effect) for row in plan.rows
    ]
    return rows, plan_texts(plan), plan.notes


def done_view(applied: Applied) -> j.ConfigDone:
    """Write what came of a change."""
    rows, commands, notes = plan_view(applied.plan)
    return j.ConfigDone(
        status="applied" if applied.version else "proposed",
        version=applied.version,
        proposal=applied.proposal,
        seq=applied.sequence,
        changes=rows,
        commands=commands,
        notes=notes,
        problem=applied.problem,
    )


def version_view(document: Document) -> j.ConfigVersion:
    """Write a version."""
    return j.ConfigVersion(
        version=document.version,
        at=document.at,
        note=document.note,
        key_id=str(document.key_id),
        who=document.who,
        approver_key_id=str(document.approver_key_id),
        approver=document.approver,
        document=tables_of(document.values),
    )


def proposal_view(proposal: Proposal, state: str) -> j.ConfigProposal:
    """Write a proposal."""
    document = proposal.document
    return j.ConfigProposal(
        proposal=proposal.number,
        state=cast(Any, state),
        base=proposal.base,
        at=document.at,
        expires_at=proposal.expires_at,
        note=document.note,
        key_id=str(document.key_id),
        who=document.who,
        document=tables_of(document.values),
        decided_at=proposal.decided_at,
        decided_by=proposal.decided_by,
        why=proposal.why,
    )


def _lags(running: list[j.ConfigRunning], version: int) -> Iterator[str]:
    """Say which components still run an older value."""
    for each in running:
        if each.version != version:
            yield f"{each.component} said last that it runs version {each.version}, not {version}"
        if each.pending:
            yield f"{each.component} waits for a restart: {', '.join(each.pending)}"


def _number(call: Call) -> int:
    text = call.path["number"]
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= NUMBER_MAX):
        raise not_found(f"proposal {text[:20]!r}; GET /api/v1/config/proposals lists them")
    return int(text)
