"""REST of corporate actions and short sales: operators split and rename symbols and let them go ex dividend."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain.units import Price
from exchange.engine.gateway import Gateway
from exchange.engine.order_entry import listed_symbol, price_of, reason_of
from exchange.engine.rest_symbols import OPERATOR, RISK, live_symbol_view, symbol_text
from exchange.infra.http_routes import Call, Route
from exchange.wire.rest.corporate import DividendRequest, RenameRequest, SplitRequest
from exchange.wire.rest.symbols import ShortSaleSettings, SymbolView

_SYMBOL = {"symbol": "AAPL"}
_WHEN = (
    "The symbol must be closed, halted or suspended. docs/rulebook.md, section 9, says what changes with it."
)


class CorporateActionsApi:
    """The routes of corporate actions."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._directory = gateway.venue.directory

    def routes(self) -> list[Route]:
        """List the routes."""
        path = "/api/v1/symbols/{symbol}"
        return [
            Route(
                "POST", path + "/split", self.split, "Split a symbol, or merge its shares", "administration", OPERATOR,
                body=SplitRequest, returns=SymbolView, errors=(404, 422, 503), path_examples=_SYMBOL,
                example={"new_shares": 2, "old_shares": 1}, description=_WHEN,
            ),
            Route(
                "POST", path + "/rename", self.rename, "Give a symbol another ticker", "administration", OPERATOR,
                body=RenameRequest, returns=SymbolView, errors=(404, 409, 422, 503), path_examples=_SYMBOL,
                example={"symbol": "APPL"}, description=_WHEN + " The old ticker points to the new one for good.",
            ),
            Route(
                "POST", path + "/dividend", self.dividend, "Let a symbol go ex dividend, and pay its holders",
                "administration", OPERATOR, body=DividendRequest, returns=SymbolView, errors=(404, 422, 503),
                path_examples=_SYMBOL, example={"amount": "0.25"}, description=_WHEN,
            ),
            Route(
                "PUT", path + "/short_sales", self.set_short_sales, "Set what is asked of short sales",
                "administration", RISK, body=ShortSaleSettings, returns=SymbolView, errors=(404, 422, 503),
                path_examples=_SYMBOL, example={"trigger_bps": 1000, "needs_locate": True},
                description="docs/rulebook.md, section 4, says when short sales are restricted.",
            ),
        ]  # fmt: skip

    async def split(self, call: Call) -> SymbolView:
        """Answer POST /symbols/{symbol}/split."""
        body: SplitRequest = call.body
        symbol = listed_symbol(self._directory, call.path["symbol"])
        cash_price = price_of(body.cash_price, "cash_price") if body.cash_price else Price(0)
        await self._gateway.carry_out(c.SplitSymbol(
            symbol_id=symbol.symbol_id, new_shares=body.new_shares, old_shares=body.old_shares,
            cash_price=cash_price, note=reason_of(body.note),
        ))  # fmt: skip
        return live_symbol_view(self._gateway, symbol.symbol_id)

    async def rename(self, call: Call) -> SymbolView:
        """Answer POST /symbols/{symbol}/rename."""
        body: RenameRequest = call.body
        symbol = listed_symbol(self._directory, call.path["symbol"])
        ticker, name = symbol_text(body.symbol), reason_of(body.name)
        await self._gateway.carry_out(c.RenameSymbol(symbol_id=symbol.symbol_id, symbol=ticker, name=name))
        return live_symbol_view(self._gateway, symbol.symbol_id)

    async def dividend(self, call: Call) -> SymbolView:
        """Answer POST /symbols/{symbol}/dividend."""
        body: DividendRequest = call.body
        symbol = listed_symbol(self._directory, call.path["symbol"])
        amount = price_of(body.amount, "amount")
        await self._gateway.carry_out(
            c.PayDividend(symbol_id=symbol.symbol_id, amount=amount, note=reason_of(body.note))
        )
        return live_symbol_view(self._gateway, symbol.symbol_id)

    async def set_short_sales(self, call: Call) -> SymbolView:
        """Answer PUT /symbols/{symbol}/short_sales."""
        body: ShortSaleSettings = call.body
        symbol = listed_symbol(self._directory, call.path["symbol"])
        await self._gateway.carry_out(c.SetShortSaleTerms(
            symbol_id=symbol.symbol_id, trigger_bps=body.trigger_bps, needs_locate=body.needs_locate,
            needs_marking=body.needs_marking,
        ))  # fmt: skip
        return live_symbol_view(self._gateway, symbol.symbol_id)
