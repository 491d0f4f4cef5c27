"""REST of symbols: list and show them; operators add them, suspend and resume them, set reference prices."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain.allocation import LEAD_MAKERS_MAX, STEPS_MAX, AllocationStep, LeadMaker
from exchange.domain.participant import Role
from exchange.domain.reasons import Reason
from exchange.domain.symbol import SYMBOL_PATTERN, TICK_ROWS_MAX, Symbol, SymbolState, TickRow
from exchange.domain.units import Price, SymbolId, format_price
from exchange.engine.gateway import Gateway
from exchange.engine.order_entry import id_of, listed_symbol, name_of, price_of, quantity_of, reason_of, shown
from exchange.engine.refusals import invalid_field, refusal
from exchange.engine.rest_orders import cursor_of
from exchange.infra.http_routes import Call, Route
from exchange.wire.rest.symbols import (
    ROUNDINGS,
    STEPS,
    AllocationView,
    MarketProtection,
    NewSymbol,
    ReferencePrice,
    StateChange,
    StepView,
    SymbolList,
    SymbolsQuery,
    SymbolView,
    TickRowView,
    step_of,
    symbol_view,
)

UINT32_MAX = 2**32 - 1
OPERATOR = frozenset((Role.OPERATOR,))
RISK = frozenset((Role.RISK,))
_SYMBOL = {"symbol": "AAPL"}


class SymbolsApi:
    """The routes of symbols."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._directory = gateway.venue.directory

    def routes(self) -> list[Route]:
        """List the routes."""
        path = "/api/v1/symbols/{symbol}"
        return [
            Route(
                "GET", "/api/v1/symbols", self.symbols, "List the symbols", "symbols",
                query=SymbolsQuery, returns=SymbolList, errors=(503,),
            ),
            Route(
                "GET", path, self.symbol, "Show a symbol", "symbols", returns=SymbolView, errors=(404, 503),
                path_examples=_SYMBOL,
            ),
            Route(
                "POST", "/api/v1/symbols", self.add, "List a new symbol", "administration", OPERATOR,
                body=NewSymbol, returns=SymbolView, status=201, errors=(409, 422, 503),
                example={"symbol": "ACME", "name": "Acme Corporation", "reference_price": "25.00"},
            ),
            Route(
                "POST", path + "/suspend", self.suspend, "Suspend trading; cancels are still taken",
                "administration", RISK, body=StateChange, returns=SymbolView, errors=(404, 422, 503),
                example={"reason": "news pending"}, path_examples=_SYMBOL,
            ),
            Route(
                "POST", path + "/resume", self.resume, "Let a symbol trade again", "administration", RISK,
                body=StateChange, returns=SymbolView, errors=(404, 422, 503), example={"reason": "news is out"},
                path_examples=_SYMBOL,
            ),
            Route(
                "PUT", path + "/reference_price", self.set_reference_price,
                "Set the price that the next trade is compared with", "administration", OPERATOR,
                body=ReferencePrice, returns=SymbolView, errors=(404, 422, 503), example={"price": "189.20"},
                path_examples=_SYMBOL,
            ),
            Route(
                "PUT", path + "/protection", self.set_protection,
                "Set how far from the reference price market orders may trade", "administration", OPERATOR,
                body=MarketProtection, returns=SymbolView, errors=(404, 422, 503), example={"band_bps": 500},
                path_examples=_SYMBOL,
                description="What is left of a market order that would trade further away is cancelled. 0: any price.",
            ),
            Route(
                "PUT", path + "/allocation", self.set_allocation,
                "Set how trades are shared out among the orders at one price", "administration", OPERATOR,
                body=AllocationView, returns=SymbolView, errors=(404, 422, 503), path_examples=_SYMBOL,
                example={"steps": [{"step": "pro_rata", "minimum": 2}, {"step": "fifo"}]},
                description="No steps: price-time priority. docs/rulebook.md says what each step does.",
            ),
        ]  # fmt: skip

    async def symbols(self, call: Call) -> SymbolList:
        """Answer GET /symbols."""
        query: SymbolsQuery = call.query
        after = cursor_of(query.cursor)
        listed = self._directory.symbols
        numbers = range(after + 1, min(after + query.limit, len(listed)) + 1)
        page = await self._gateway.read(
            lambda _: [self._view(listed[SymbolId(number)]) for number in numbers]
        )
        return SymbolList(page, str(numbers[-1]) if numbers and numbers[-1] < len(listed) else None)

    async def symbol(self, call: Call) -> SymbolView:
        """Answer GET /symbols/{symbol}."""
        name = call.path["symbol"]
        return await self._gateway.read(lambda _: self._view(listed_symbol(self._directory, name)))

    async def add(self, call: Call) -> SymbolView:
        """Answer POST /symbols."""
        body: NewSymbol = call.body
        if len(body.ticks) > TICK_ROWS_MAX:
            raise refusal(Reason.TICK_TABLE_INVALID)
        await self._gateway.carry_out(
            c.AddSymbol(
                symbol=symbol_text(body.symbol),
                name=name_of(body.name),
                reference_price=price_of(body.reference_price, "reference_price"),
                round_lot=quantity_of(body.round_lot, "round_lot"),
                ticks=tuple(tick_row(row, number) for number, row in enumerate(body.ticks)),
            )
        )
        return self._view(listed_symbol(self._directory, body.symbol))

    async def suspend(self, call: Call) -> SymbolView:
        """Answer POST /symbols/{symbol}/suspend."""
        return await self._set_state(call, SymbolState.SUSPENDED)

    async def resume(self, call: Call) -> SymbolView:
        """Answer POST /symbols/{symbol}/resume."""
        return await self._set_state(call, SymbolState.ACTIVE)

    async def set_reference_price(self, call: Call) -> SymbolView:
        """Answer PUT /symbols/{symbol}/reference_price."""
        symbol = listed_symbol(self._directory, call.path["symbol"])
        price = price_of(call.body.price)
        await self._gateway.carry_out(c.SetReferencePrice(symbol_id=symbol.symbol_id, reference_price=price))
        return self._view(listed_symbol(self._directory, symbol.symbol))

    async def set_protection(self, call: Call) -> SymbolView:
        """Answer PUT /symbols/{symbol}/protection."""
        symbol = listed_symbol(self._directory, call.path["symbol"])
        command = c.SetMarketProtection(symbol_id=symbol.symbol_id, protection_bps=call.body.band_bps)
        await self._gateway.carry_out(command)
        return self._view(listed_symbol(self._directory, symbol.symbol))

    async def set_allocation(self, call: Call) -> SymbolView:
        """Answer PUT /symbols/{symbol}/allocation."""
        symbol = listed_symbol(self._directory, call.path["symbol"])
        body: AllocationView = call.body
        if len(body.steps) > STEPS_MAX or len(body.lead_makers) > LEAD_MAKERS_MAX:
            raise refusal(Reason.ALLOCATION_TOO_LONG)
        makers = [
            LeadMaker(min(id_of(each.account, "account"), UINT32_MAX), each.share_bps)
            for each in body.lead_makers
        ]
        command = c.SetAllocation(
            symbol_id=symbol.symbol_id, steps=tuple(map(_step, body.steps)), lead_makers=tuple(makers)
        )
        await self._gateway.carry_out(command)
        return self._view(listed_symbol(self._directory, symbol.symbol))

    async def _set_state(self, call: Call, state: SymbolState) -> SymbolView:
        symbol = listed_symbol(self._directory, call.path["symbol"])
        reason = reason_of(call.body.reason)
        command = c.SetSymbolState(symbol_id=symbol.symbol_id, state=state, reason=reason)
        await self._gateway.carry_out(command)
        return self._view(listed_symbol(self._directory, symbol.symbol))

    def _view(self, symbol: Symbol) -> SymbolView:
        return live_symbol_view(self._gateway, symbol.symbol_id)


def live_symbol_view(gateway: Gateway, symbol_id: SymbolId) -> SymbolView:
    """Write a symbol as it is now, with the reference price that the next trade is compared with."""
    view = symbol_view(gateway.venue.directory.symbols[symbol_id])
    view.reference_price = format_price(gateway.venue.reference_price(symbol_id))
    return view


def _step(view: StepView) -> AllocationStep:
    """Return a step. Raise `ApiError` where one of its words is none."""
    for field, value, choices in (("step", view.step, STEPS), ("rounding", view.rounding, ROUNDINGS)):
        if value not in choices:
            known = ", ".join(filter(None, choices))
            raise invalid_field(field, f"{field} must be one of {known}, got {shown(value)}")
    return step_of(view)


def symbol_text(text: str) -> str:
    """Return a symbol's text. Raise `ApiError` where no record can carry it."""
    if not SYMBOL_PATTERN.match(text):
        raise invalid_field("symbol", f"symbol must be 1 to 8 characters A-Z 0-9 . -, got {shown(text)}")
    return text


def tick_row(row: TickRowView, number: int) -> TickRow:
    """Return a row of a tick table; the first may begin at 0."""
    zero = row.from_price.strip("0.") == "" and row.from_price.startswith("0")
    start = Price(0) if zero else price_of(row.from_price, f"ticks[{number}].from")
    return TickRow(start, price_of(row.tick, f"ticks[{number}].tick"))
