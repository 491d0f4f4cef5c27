"""REST of risk: pull and lift the kill switch, set limits and see what they measure, and the cancel timer."""

from __future__ import annotations

import re

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.participant import Role
from exchange.domain.reasons import Reason
from exchange.domain.risk import LimitKind, RiskLimit, RiskScope, TradingBlock
from exchange.domain.units import (
    AccountId,
    KeyId,
    ParticipantId,
    SymbolId,
    UnitError,
    format_time,
    parse_money,
)
from exchange.engine.gateway import Gateway
from exchange.engine.order_entry import reason_of, shown
from exchange.engine.refusals import invalid_field, invalid_parameter, not_found, refusal
from exchange.engine.rest_orders import READER, TRADER, cursor_of
from exchange.engine.rest_symbols import RISK
from exchange.infra.auth import Principal
from exchange.infra.http_routes import Call, Route
from exchange.wire.rest.admin import ROLE_TEXT
from exchange.wire.rest.risk import (
    CAUSE_TEXT,
    IN_MONEY,
    KIND_TEXT,
    LIMIT_KINDS,
    SCOPE_TEXT,
    SCOPES,
    BlockList,
    BlockView,
    CancelTimerView,
    Lifted,
    LiftedBlock,
    LimitList,
    LimitsQuery,
    LimitView,
    NewBlock,
    NewCancelTimer,
    NewLimit,
    RiskUsageView,
    value_text,
)

BLOCKER = frozenset((Role.TRADER, Role.RISK, Role.CLEARING, Role.COMPONENT))
ID32_MAX = 2**32 - 1
VALUE_PATTERN = re.compile(r"[0-9]{1,14}(\.[0-9]{1,4})?\Z", re.ASCII)
SUBJECTS = {
    RiskScope.MARKET: "empty",
    RiskScope.SYMBOL: "a listed symbol such as AAPL",
    RiskScope.PARTICIPANT: "an id such as 1",
    RiskScope.ACCOUNT: "an id such as 1",
    RiskScope.SESSION: "the id of its key, such as 1",
}
NUMBERED = (RiskScope.PARTICIPANT, RiskScope.ACCOUNT, RiskScope.SESSION)
_TAG = "risk"
_ACCOUNT = {"scope": "account", "subject": "1"}


class RiskApi:
    """The routes of risk."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._directory = gateway.venue.directory

    def routes(self) -> list[Route]:
        """List the routes."""
        return [*self._switch(), *self._limits(), *self._timer()]

    def _switch(self) -> list[Route]:
        path = "/api/v1/risk/blocks"
        return [
            Route(
                "GET", path, self.blocks, "List who is blocked from trading", _TAG, READER,
                returns=BlockList, errors=(503,),
            ),
            Route(
                "POST", path, self.block, "Pull the kill switch: no new orders and no changes", _TAG, BLOCKER,
                body=NewBlock, returns=BlockView, status=201, errors=(409, 422, 503),
                example={**_ACCOUNT, "reason": "runaway algorithm"},
                description="What rests is cancelled unless cancel_orders is false; cancels are always taken. A "
                "trader's key blocks its own participant and accounts.",
            ),
            Route(
                "POST", path + "/lift", self.lift, "Let trade again who was blocked", _TAG, RISK,
                body=LiftedBlock, returns=Lifted, errors=(404, 422, 503), example=_ACCOUNT,
                description="Only the roles risk and operator lift a block, and not the one that pulled the switch.",
            ),
        ]  # fmt: skip

    def _limits(self) -> list[Route]:
        path = "/api/v1/risk/limits"
        return [
            Route(
                "GET", path, self.limits, "List the limits that the key may see", _TAG, READER,
                query=LimitsQuery, returns=LimitList, errors=(422, 503),
            ),
            Route(
                "PUT", path, self.set_limit, "Set a limit, or take it away", _TAG, RISK,
                body=NewLimit, returns=LimitView, errors=(422, 503),
                example={**_ACCOUNT, "kind": "position", "symbol": "AAPL", "value": "10000"},
                description="It holds for the next order. Of several limits of one kind, each must hold.",
            ),
            Route(
                "GET", "/api/v1/risk/usage/{scope}/{subject}", self.usage, "Show what limits measure", _TAG, READER,
                returns=RiskUsageView, errors=(404, 422, 503), path_examples=_ACCOUNT,
            ),
        ]  # fmt: skip

    def _timer(self) -> list[Route]:
        path = "/api/v1/cancel-on-timeout"
        return [
            Route(
                "GET", path, self.timer, "Show the participant's cancel timer", "orders", TRADER,
                returns=CancelTimerView, errors=(503,),
            ),
            Route(
                "POST", path, self.set_timer, "Cancel all orders unless this is sent again in time", "orders",
                TRADER, body=NewCancelTimer, returns=CancelTimerView, errors=(422, 503),
                example={"timeout_ms": 60_000},
                description="A dead man's switch for the participant's orders in all its accounts; 0 stops it.",
            ),
        ]  # fmt: skip

    # --- kill switch ---------------------------------------------------------------------------------

    async def blocks(self, call: Call) -> BlockList:
        """Answer GET /risk/blocks."""
        seen = [block for block in self._directory.blocks.values() if self._may_see(block, call.who)]
        views = [self._block_view(block) for block in seen]
        return await self._gateway.read(lambda _: BlockList(views))

    async def block(self, call: Call) -> BlockView:
        """Answer POST /risk/blocks."""
        body: NewBlock = call.body
        scope, subject_id = self._subject(body.scope, body.subject)
        if call.who.role is Role.TRADER and not self._is_own(scope, subject_id, call.who):
            raise refusal(
                Reason.SCOPE_INVALID,
                f"a trader's key blocks its own participant and accounts, not {body.scope} {shown(body.subject)}",
            )
        event = await self._gateway.carry_out_to(
            c.BlockTrading(
                scope=scope, subject_id=subject_id, key_id=call.who.key_id, role=call.who.role,
                cancels_orders=body.cancel_orders, note=reason_of(body.reason),
            ),
            e.TradingBlocked,
        )  # fmt: skip
        view = self._block_view(self._directory.blocks[scope, subject_id])
        view.canceled_orders, view.seq = event.count, event.sequence
        return view

    async def lift(self, call: Call) -> Lifted:
        """Answer POST /risk/blocks/lift."""
        body: LiftedBlock = call.body
        scope, subject_id = self._subject(body.scope, body.subject)
        event = await self._gateway.carry_out_to(
            c.UnblockTrading(
                scope=scope, subject_id=subject_id, key_id=call.who.key_id, role=call.who.role,
                note=reason_of(body.reason),
            ),
            e.TradingUnblocked,
        )  # fmt: skip
        return Lifted(scope=body.scope, subject=body.subject, seq=event.sequence)

    def _block_view(self, block: TradingBlock) -> BlockView:
        return BlockView(
            scope=SCOPE_TEXT[block.scope], subject=self._subject_text(block.scope, block.subject_id),
            by=ROLE_TEXT.get(block.role, "market"), key_id=str(block.key_id), cause=CAUSE_TEXT[block.cause],
            reason=block.note,
        )  # fmt: skip

    # --- limits --------------------------------------------------------------------------------------

    async def limits(self, call: Call) -> LimitList:
        """Answer GET /risk/limits."""
        query: LimitsQuery = call.query
        if query.scope and query.scope not in SCOPES:
            raise invalid_parameter(
                "scope", f"scope must be one of {', '.join(SCOPES)}, got {shown(query.scope)}"
            )
        if query.subject and not query.scope:
            raise refusal(Reason.SCOPE_INVALID, "a subject needs its scope, got none", field="scope")
        wanted = self._subject(query.scope, query.subject) if query.subject else None
        scope = SCOPES.get(query.scope)
        known = [
            limit
            for _, limit in sorted(self._directory.risk_limits.items())
            if (wanted is None or (limit.scope, limit.subject_id) == wanted)
            and scope in (None, limit.scope)
            and self._may_see(limit, call.who)
        ]
        start = cursor_of(query.cursor)
        page = [self._limit_view(limit) for limit in known[start : start + query.limit]]
        following = str(start + query.limit) if len(known) > start + query.limit else None
        return await self._gateway.read(lambda _: LimitList(page, following))

    async def set_limit(self, call: Call) -> LimitView:
        """Answer PUT /risk/limits."""
        body: NewLimit = call.body
        scope, subject_id = self._subject(body.scope, body.subject)
        kind = LIMIT_KINDS.get(body.kind)
        if kind is None:
            raise invalid_field(
                "kind", f"kind must be one of {', '.join(LIMIT_KINDS)}, got {shown(body.kind)}"
            )
        if body.span < 0:
            raise invalid_field("span", f"span must be 0 or more, got {body.span}")
        if body.span > ID32_MAX:
            raise refusal(
                Reason.RISK_LIMIT_INVALID, f"span must be at most {ID32_MAX}, got {body.span}", field="span"
            )
        event = await self._gateway.carry_out_to(
            c.SetRiskLimit(
                scope=scope, subject_id=subject_id, kind=kind, is_set=body.value is not None,
                symbol_id=SymbolId(self._gateway.entry.symbol_id(body.symbol)),
                value=0 if body.value is None else value_of(kind, body.value), span=body.span,
            ),
            e.RiskLimitSet,
        )  # fmt: skip
        return LimitView(
            scope=body.scope, subject=body.subject, kind=body.kind, symbol=body.symbol,
            value=value_text(kind, event.value) if event.is_set else None, span=event.span, seq=event.sequence,
        )  # fmt: skip

    async def usage(self, call: Call) -> RiskUsageView:
        """Answer GET /risk/usage/{scope}/{subject}."""
        text = call.path["subject"]
        if call.path["scope"] not in SCOPES:
            raise not_found(f"scope {shown(call.path['scope'])}; there are {', '.join(SCOPES)}")
        scope, subject_id = self._subject(call.path["scope"], text)
        limits = [
            limit
            for _, limit in sorted(self._directory.risk_limits.items())
            if (limit.scope, limit.subject_id) == (scope, subject_id) and self._may_see(limit, call.who)
        ]
        used = await self._gateway.read(lambda venue: venue.risk_usage(scope, subject_id))
        if used is None or not limits:
            raise not_found(f"limit of {SCOPE_TEXT[scope]} {shown(text)} that this key may see")
        money = {name: value_text(LimitKind.GROSS, value) for name, value in used._asdict().items()}
        views = [self._limit_view(limit) for limit in limits]
        return RiskUsageView(scope=SCOPE_TEXT[scope], subject=text, limits=views, **money)

    def _limit_view(self, limit: RiskLimit) -> LimitView:
        symbol = self._directory.symbols[SymbolId(limit.symbol_id)].symbol if limit.symbol_id else ""
        return LimitView(
            scope=SCOPE_TEXT[limit.scope], subject=self._subject_text(limit.scope, limit.subject_id),
            kind=KIND_TEXT[limit.kind], symbol=symbol, value=value_text(limit.kind, limit.value), span=limit.span,
        )  # fmt: skip

    # --- cancel timer --------------------------------------------------------------------------------

    async def timer(self, call: Call) -> CancelTimerView:
        """Answer GET /cancel-on-timeout."""
        participant_id = call.who.participant_id
        expires_ns = await self._gateway.read(lambda venue: venue.cancel_timer(participant_id))
        return timer_view(participant_id, expires_ns)

    async def set_timer(self, call: Call) -> CancelTimerView:
        """Answer POST /cancel-on-timeout."""
        body: NewCancelTimer = call.body
        if not 0 <= body.timeout_ms <= ID32_MAX:
            raise refusal(Reason.TIMER_INVALID, measured=body.timeout_ms, limit=ID32_MAX)
        event = await self._gateway.carry_out_to(
            c.SetCancelTimer(
                participant_id=ParticipantId(call.who.participant_id), timeout_ms=body.timeout_ms
            ),
            e.CancelTimerSet,
        )
        return timer_view(event.participant_id, event.expires_ns)

    # --- subjects ------------------------------------------------------------------------------------

    def _subject(self, scope_text: str, text: str) -> tuple[RiskScope, int]:
        """Return scope and id of a subject. Raise `ApiError` where it is none."""
        scope = SCOPES.get(scope_text)
        if scope is None:
            raise invalid_field("scope", f"scope must be one of {', '.join(SCOPES)}, got {shown(scope_text)}")
        if scope is RiskScope.MARKET and not text:
            return scope, 0
        if scope is RiskScope.SYMBOL and text:
            return scope, self._gateway.entry.symbol_id(text)
        if scope in NUMBERED and text.isascii() and text.isdigit():
            return scope, min(int(text), ID32_MAX)
        raise refusal(
            Reason.SCOPE_INVALID, f"the subject of {scope_text} is {SUBJECTS[scope]}, got {shown(text)}"
        )

    def _subject_text(self, scope: RiskScope, subject_id: int) -> str:
        if scope is RiskScope.SYMBOL:
            return self._directory.symbols[SymbolId(subject_id)].symbol
        return str(subject_id) if subject_id else ""

    def _may_see(self, of: TradingBlock | RiskLimit, principal: Principal) -> bool:
        public = of.scope in (RiskScope.MARKET, RiskScope.SYMBOL)
        return public or self._is_own(of.scope, of.subject_id, principal)

    def _is_own(self, scope: RiskScope, subject_id: int, principal: Principal) -> bool:
        """Tell whether a participant or account is the key's own, or the key's role sees every account."""
        if scope is RiskScope.ACCOUNT:
            return self._gateway.entry.may_see(AccountId(subject_id), principal)
        if scope is RiskScope.SESSION:
            key = self._directory.keys.get(KeyId(subject_id))
            owner = key.participant_id if key else 0
        else:
            owner = subject_id if scope is RiskScope.PARTICIPANT else 0
        return owner != 0 and (owner == principal.participant_id or self._gateway.entry.sees_all(principal))


def value_of(kind: LimitKind, text: str) -> int:
    """Return the value of a limit. Raise `ApiError` where the text is none."""
    if kind in IN_MONEY:
        try:
            return parse_money(text)
        except UnitError as error:
            raise invalid_field("value", error) from error
    if VALUE_PATTERN.match(text) is None:
        raise invalid_field("value", f"value must be a number such as 1000, got {shown(text)}")
    if not text.isdigit():
        raise refusal(
            Reason.RISK_LIMIT_INVALID, f"the value of {KIND_TEXT[kind]} is a whole number, got {shown(text)}"
        )
    return int(text)


def timer_view(participant_id: int, expires_ns: int) -> CancelTimerView:
    """Write a cancel timer."""
    expires_at = format_time(expires_ns) if expires_ns else None
    return CancelTimerView(participant=str(participant_id), expires_at=expires_at)
