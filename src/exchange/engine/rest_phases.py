"""REST of phases: show the schedule; operators begin phases, halt and resume, and say how auctions are checked."""

from __future__ import annotations

from secrets import randbits

from exchange.domain import commands as c
from exchange.domain.phase import Phase
from exchange.domain.reasons import Reason
from exchange.domain.units import SymbolId, format_time
from exchange.engine.gateway import Gateway
from exchange.engine.order_entry import listed_symbol, name_of, reason_of, shown
from exchange.engine.refusals import refusal
from exchange.engine.rest_symbols import RISK, live_symbol_view
from exchange.infra.http_routes import Call, Route
from exchange.wire.rest.phases import (
    PHASE_TEXT,
    SECOND_NS,
    SETTABLE_PHASES,
    AuctionCheck,
    Halt,
    PhaseChange,
    Resumption,
    ScheduledPhaseView,
    ScheduleView,
)
from exchange.wire.rest.symbols import SymbolView

SEED_BITS = 64


class PhasesApi:
    """The routes of phases."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._directory = gateway.venue.directory

    def routes(self) -> list[Route]:
        """List the routes."""
        path = "/api/v1/market"
        return [
            Route(
                "GET", path + "/schedule", self.schedule, "Show the phases that are scheduled", "market",
                returns=ScheduleView, errors=(503,),
            ),
            Route(
                "POST", path + "/phase", self.set_phase, "Begin a phase", "administration", RISK,
                body=PhaseChange, returns=ScheduleView, errors=(404, 422, 503),
                example={"phase": "closing_auction", "symbol": "AAPL", "reason": "early close"},
                description="For one symbol, or for all. The auction that ends the phase before has no collar.",
            ),
            Route(
                "POST", path + "/halt", self.halt, "Halt trading; cancels are still taken", "administration", RISK,
                body=Halt, returns=ScheduleView, errors=(404, 422, 503),
                example={"symbol": "AAPL", "reason": "news pending"},
            ),
            Route(
                "POST", path + "/resume", self.resume, "End a halt, by an auction", "administration", RISK,
                body=Resumption, returns=ScheduleView, errors=(404, 422, 503),
                example={"symbol": "AAPL", "call_s": 300, "reason": "news is out"},
            ),
            Route(
                "PUT", "/api/v1/symbols/{symbol}/auction", self.set_auction_check,
                "Set how far from the reference price auctions may end", "administration", RISK, body=AuctionCheck,
                returns=SymbolView, errors=(404, 422, 503),
                example={"collar_bps": 1000, "extension_s": 300, "extensions_max": 2},
                path_examples={"symbol": "AAPL"},
            ),
        ]  # fmt: skip

    async def schedule(self, _: Call) -> ScheduleView:
        """Answer GET /market/schedule."""
        rows = await self._gateway.read(lambda venue: venue.schedule())
        symbols = self._directory.symbols
        return ScheduleView(items=[
            ScheduledPhaseView(
                symbol=symbols[row.symbol_id].symbol if row.symbol_id else "", phase=PHASE_TEXT[row.phase],
                at=format_time(row.at_ns),
            )
            for row in rows
        ])  # fmt: skip

    async def set_phase(self, call: Call) -> ScheduleView:
        """Answer POST /market/phase."""
        body: PhaseChange = call.body
        phase = SETTABLE_PHASES.get(body.phase)
        if phase is None:
            choices = ", ".join(SETTABLE_PHASES)
            raise refusal(Reason.PHASE_INVALID, f"phase must be one of {choices}, got {shown(body.phase)}")
        await self._gateway.carry_out(
            c.SetPhase(
                symbol_id=self._symbol_id(body.symbol), phase=Phase(phase), reason=reason_of(body.reason)
            )
        )
        return await self.schedule(call)

    async def halt(self, call: Call) -> ScheduleView:
        """Answer POST /market/halt."""
        body: Halt = call.body
        await self._gateway.carry_out(
            c.HaltTrading(symbol_id=self._symbol_id(body.symbol), reason=name_of(body.reason, "reason"))
        )
        return await self.schedule(call)

    async def resume(self, call: Call) -> ScheduleView:
        """Answer POST /market/resume."""
        body: Resumption = call.body
        await self._gateway.carry_out(c.ResumeTrading(
            symbol_id=self._symbol_id(body.symbol), call_ns=body.call_s * SECOND_NS,
            random_ns_max=body.random_end_s * SECOND_NS, seed=randbits(SEED_BITS), reason=reason_of(body.reason),
        ))  # fmt: skip
        return await self.schedule(call)

    async def set_auction_check(self, call: Call) -> SymbolView:
        """Answer PUT /symbols/{symbol}/auction."""
        body: AuctionCheck = call.body
        symbol = listed_symbol(self._directory, call.path["symbol"])
        await self._gateway.carry_out(c.SetAuctionTerms(
            symbol_id=symbol.symbol_id, collar_bps=body.collar_bps, extension_ns=body.extension_s * SECOND_NS,
            extensions_max=body.extensions_max,
        ))  # fmt: skip
        return live_symbol_view(self._gateway, symbol.symbol_id)

    def _symbol_id(self, name: str) -> SymbolId:
        return listed_symbol(self._directory, name).symbol_id if name else SymbolId(0)
