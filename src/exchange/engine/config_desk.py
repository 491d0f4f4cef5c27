"""The one place where the shared configuration is changed: for an operator, by one person or by two.

A change is validated whole, by the market's own judge too, then written to Redis under the next version, sealed with
keys that whoever can only write to Redis does not have. From there the engine carries it out (`carry_out`): the changes
of the market and the confirmation of the version go to the sequencer. A crash between loses nothing: the next look at
the version makes the rest, and the venue refuses what it has had.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.participant import person_of
from exchange.domain.units import TimeNs, format_time, parse_time
from exchange.engine.config_plan import Plan, Planner, allocation_commands, refusal_text
from exchange.engine.sequencer import EngineBusy, EngineHalted, Sequencer
from exchange.infra.auth import Principal
from exchange.infra.cache import CacheUnavailable
from exchange.infra.clock import Clock
from exchange.infra.config import Config
from exchange.infra.config_document import Document, document_hash, is_sealed, sealed, values_of
from exchange.infra.config_keys import ConfigError
from exchange.infra.errors import InfraError
from exchange.infra.installed import installed
from exchange.infra.redis_cache import RedisLink
from exchange.infra.shared_config import (
    PROPOSALS_OPEN_MAX,
    VERSIONS_KEPT,
    Proposal,
    SharedConfig,
    VersionTaken,
)
from exchange.matching.venue import Venue
from exchange.post_trade.added_kinds import GROUP, KindRefused, add_kinds
from exchange.wire.records import decode_events, encode_command

log = structlog.get_logger(component="configuration")

COMMANDS_PER_SUBMISSION = 1_000
SEALS = ("operator", "component")
"""The keys of the key file with which documents are sealed: the first guards the market, the second restarts."""
VERSION_MAX = 2**31 - 1
HOUR_NS = 3_600_000_000_000
NOT_YET = "the market does not have it yet; the engine looks again by itself"
EXPIRED, OVERTAKEN = "expired", "overtaken"


class Refused(Exception):
    """A change that cannot be; the message says why and what to do."""


class Applied(msgspec.Struct, kw_only=True):
    """What came of a change. version: 0 where it waits as a proposal; sequence: of the confirming event."""

    plan: Plan
    version: int = 0
    proposal: int = 0
    sequence: int = 0
    problem: str = ""


class ConfigDesk:
    """Changes the shared configuration, and carries out here what it changes in the market.

    keys: the texts of the keys that seal, by name. look: has this engine take the newest version in.
    """

    def __init__(
        self,
        config: Config,
        venue: Venue,
        sequencer: Sequencer,
        link: RedisLink,
        clock: Clock,
        keys: Mapping[str, str],
        is_ours: Callable[[str], bool],
    ) -> None:
        self.shared = SharedConfig(link)
        self.look: Callable[[], Awaitable[None]] = self._look_nowhere
        self.approvals = config.exchange.config_approvals
        self._hours = config.exchange.config_proposal_hours
        self._directory = venue.directory
        self._sequencer = sequencer
        self._clock = clock
        self._keys = {name: keys[name] for name in SEALS}
        _know_added_rule_kinds()
        self._planner = Planner(config, venue.directory, is_ours, venue.depth)
        self._confirmed: dict[int, int] = {}
        self._problems: dict[int, str] = {}
        self._changing = asyncio.Lock()

    async def sequenced(self) -> int:
        """Return the version whose changes of the market all are in the stream, durably. Raise `EngineHalted`."""
        return await self._sequencer.read(lambda _: self._directory.configuration_version)

    # --- for operators ------------------------------------------------------------------------------

    async def plan(self, tables: Mapping[str, Any]) -> tuple[Document, Plan]:
        """Return the version in force, and what a document would do. Raise `ConfigError` with every mistake."""
        newest = await self.shared.newest()
        return newest, self._plan(newest, values_of(tables))

    async def apply(
        self, values: dict[str, Any], note: str, principal: Principal, after: int | None = None
    ) -> Applied:
        """Put a document in force, or propose it where two must agree.

        Raise `ConfigError`, `VersionTaken` where another version than `after` is in force, `Refused`.
        """
        async with self._changing:
            newest = await self.shared.newest()
            if after is not None and after != newest.version:
                raise VersionTaken(
                    f"version {newest.version} is in force, not {after}: look at it, then try again"
                )
            plan = self._plan(newest, values)
            document = Document(
                version=self._next_version(newest), at=self._now(), note=note, values=values,
                key_id=principal.key_id, who=principal.label,
            )  # fmt: skip
            if self.approvals > 1:
                return await self._propose(document, newest.version, plan)
            return await self._publish(document, newest.version, plan)

    async def rollback(self, version: int, note: str, principal: Principal) -> Applied:
        """Put the values of an earlier version in force again, as a new one. Raise as `apply` does."""
        document = await self.shared.document(version)
        if document is None:
            raise Refused(f"there is no version {version}; the history shows what is kept")
        return await self.apply(document.values, note or f"back to version {version}", principal)

    async def approve(self, number: int, note: str, principal: Principal) -> Applied:
        """Put a proposal in force. Raise `Refused`, `VersionTaken`, or `ConfigError` where it can be no more."""
        async with self._changing:
            proposal = await self._open_proposal(number)
            made = proposal.document
            if made.key_id == principal.key_id or person_of(made.who) == person_of(principal.label):
                raise Refused(
                    f"proposal {number} is your own: {made.who} made it, {principal.label} is the same person; "
                    "another person must approve it (role operator, risk or clearing)"
                )
            newest = await self.shared.newest()
            plan = self._plan(newest, proposal.document.values)
            document = msgspec.structs.replace(
                proposal.document, version=self._next_version(newest), at=self._now(), seals={},
                approver_key_id=principal.key_id, approver=principal.label,
            )  # fmt: skip
            applied = await self._publish(document, proposal.base, plan)
            try:
                await self.shared.decide(proposal, self._decided(proposal, "approved", principal, note))
            except InfraError as error:  # It counts as overtaken then, by the version that it became.
                log.warning("config_approval_not_noted", proposal=number, reason=str(error))
            return applied

    async def reject(self, number: int, why: str, principal: Principal) -> None:
        """Reject a proposal; who made it may do so too. Raise `Refused`."""
        async with self._changing:
            proposal = await self._open_proposal(number)
            await self.shared.decide(proposal, self._decided(proposal, "rejected", principal, why))
            log.info("config_rejected", proposal=number, by=principal.label)

    def state_of(self, proposal: Proposal, version: int) -> str:
        """Tell how a proposal stands. version: the one in force."""
        if proposal.state != "open":
            return proposal.state
        if parse_time(proposal.expires_at) <= self._clock.now_ns():
            return EXPIRED
        return "open" if proposal.base == version else OVERTAKEN

    # --- for the market -----------------------------------------------------------------------------

    async def carry_out(self, newest: Document) -> str:
        """Sequence what the versions change in the market that are not in force there yet; say what went wrong.

        Raise `InfraError` where the engine takes no commands now: look again.
        """
        in_force = self._directory.configuration_version
        if in_force > newest.version:
            return f"Redis has version {newest.version}, older than version {in_force}, which the market has"
        problems = []
        for version in range(max(in_force, newest.version - VERSIONS_KEPT) + 1, newest.version + 1):
            problem = await self._carry_out(newest, version)
            if problem:
                problems.append(problem)
                log.error("config_not_carried_out", version=version, problem=problem)
            self._problems = {version: problem}
        return "; ".join(problems)

    async def _carry_out(self, newest: Document, version: int) -> str:
        try:
            document = newest if version == newest.version else await self.shared.document(version)
        except CacheUnavailable:
            raise
        except InfraError as error:
            return str(error)
        if document is None:
            return f"version {version} is no longer kept: what it changed in the market is not carried out"
        if document.version != version or not is_sealed(document, SEALS[0], self._keys[SEALS[0]]):
            return f"version {version} does not bear the seal of this engine: the market stays as it is"
        try:
            plan = self._planner.plan(Document(), document.values, version)
        except ConfigError as error:
            return f"version {version}: {error}; the market stays as it is".replace("\n", " ")
        confirmation = c.ConfirmConfiguration(
            configuration_version=version, key_id=document.key_id, approver_key_id=document.approver_key_id,
            sha256=document_hash(document.values), note=document.note,
        )  # fmt: skip
        return await self._sequence(plan, confirmation)

    async def _sequence(self, plan: Plan, confirmation: c.ConfirmConfiguration) -> str:
        """Submit a plan at one place of the stream; symbols that an allocation waits for must be listed before."""
        commands: list[Any] = list(plan.commands)
        refused = ""
        if any(self._directory.symbol_named(each.symbol) is None for each in plan.allocations):
            refused, commands = await self._submit(commands), []
        commands += allocation_commands(plan.allocations, self._directory)
        return "; ".join(filter(None, (refused, await self._submit([*commands, confirmation]))))

    async def _submit(self, commands: list[Any]) -> str:
        refused = []
        for start in range(0, len(commands), COMMANDS_PER_SUBMISSION):
            part = commands[start : start + COMMANDS_PER_SUBMISSION]
            try:
                events = await self._sequencer.submit(b"".join(map(encode_command, part)), len(part))
            except (EngineBusy, EngineHalted) as error:
                raise InfraError(f"the configuration is not carried out yet: {error}") from error
            for event in decode_events(events):
                if isinstance(event, e.CommandRejected):
                    refused.append(refusal_text(event))
                elif isinstance(event, e.ConfigurationChanged):
                    self._confirmed = {event.configuration_version: event.sequence}
                    log.info("config_sequenced", version=event.configuration_version, seq=event.sequence)
        return "; ".join(refused)

    # --- parts of the way ---------------------------------------------------------------------------

    def _plan(self, newest: Document, values: Mapping[str, Any]) -> Plan:
        return self._planner.plan(newest, values, self._next_version(newest))

    def _next_version(self, newest: Document) -> int:
        """Return the number of the next version; Redis may have lost those that the market has had."""
        version = max(newest.version, self._directory.configuration_version) + 1
        if version > VERSION_MAX:
            raise Refused(f"Redis says that version {newest.version} is in force, which cannot be; empty it")
        return version

    async def _publish(self, document: Document, after: int, plan: Plan) -> Applied:
        await self.shared.publish(sealed(document, self._keys), after)
        log.info("config_published", version=document.version, by=document.who, approver=document.approver)
        await self.look()
        version = document.version
        sequence, problem = self._confirmed.get(version, 0), self._problems.get(version, "")
        return Applied(
            plan=plan, version=version, sequence=sequence, problem=problem or ("" if sequence else NOT_YET)
        )

    async def _propose(self, document: Document, base: int, plan: Plan) -> Applied:
        proposals = await self.shared.proposals()
        if sum(self.state_of(each, base) == "open" for each in proposals) >= PROPOSALS_OPEN_MAX:
            raise Refused(f"{PROPOSALS_OPEN_MAX} proposals are open already: approve or reject some")
        expires_ns = self._clock.now_ns() + self._hours * HOUR_NS
        proposal = Proposal(
            number=0,
            base=base,
            document=sealed(document, self._keys),
            expires_at=format_time(TimeNs(expires_ns)),
        )
        number = (await self.shared.propose(proposal)).number
        log.info("config_proposed", proposal=number, by=document.who)
        return Applied(plan=plan, proposal=number)

    async def _open_proposal(self, number: int) -> Proposal:
        proposal = await self.shared.proposal(number)
        if proposal is None:
            raise Refused(f"there is no proposal {number}; `exchange config proposals` lists them")
        state = self.state_of(proposal, await self.shared.newest_version())
        if state == OVERTAKEN:
            base = proposal.base
            text = f"proposal {number} was made on version {base}, and another one is in force now: propose again"
            raise VersionTaken(text)
        if state != "open":
            raise Refused(f"proposal {number} is {state}")
        if not is_sealed(proposal.document, SEALS[0], self._keys[SEALS[0]]):
            raise Refused(f"proposal {number} does not bear the seal of this engine; propose it again")
        return proposal

    def _decided(self, proposal: Proposal, state: str, principal: Principal, why: str) -> Proposal:
        return msgspec.structs.replace(
            proposal, state=state, decided_at=self._now(), decided_by=principal.label, why=why
        )

    def _now(self) -> str:
        return format_time(TimeNs(self._clock.now_ns()))

    async def _look_nowhere(self) -> None:
        """Stand in until the engine follows the configuration."""


def _know_added_rule_kinds() -> None:
    """Take the kinds of rules that are installed here; without them documents that use one are refused."""
    try:
        add_kinds(installed(GROUP))
    except (InfraError, KindRefused) as error:
        log.warning("rule_kinds_not_added", reason=str(error))
