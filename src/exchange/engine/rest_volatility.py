"""REST of volatility protection: operators give symbols bands or corridors, set the breaker, and report its index."""

from __future__ import annotations

from secrets import randbits

from exchange.domain import commands as c
from exchange.domain.reasons import Reason
from exchange.domain.units import UnitError, format_money, parse_money
from exchange.engine.gateway import Gateway
from exchange.engine.order_entry import listed_symbol
from exchange.engine.refusals import refusal
from exchange.engine.rest_phases import SEED_BITS
from exchange.engine.rest_symbols import RISK
from exchange.infra.http_routes import Call, Route
from exchange.wire.rest.volatility import (
    SECOND_NS,
    BandsChange,
    BreakerChange,
    BreakerView,
    CorridorChange,
    IndexLevel,
    LimitsView,
    limits_view,
)


class VolatilityApi:
    """The routes of volatility protection."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._directory = gateway.venue.directory

    def routes(self) -> list[Route]:
        """List the routes."""
        symbol, aapl = "/api/v1/symbols/{symbol}", {"symbol": "AAPL"}
        return [
            Route(
                "GET", symbol + "/limits", self.limits, "Show what protects a symbol from sudden prices", "market",
                returns=LimitsView, errors=(404, 503), path_examples=aapl,
            ),
            Route(
                "PUT", symbol + "/bands", self.set_bands, "Give a symbol price bands, or no protection",
                "administration", RISK, body=BandsChange, returns=LimitsView, errors=(404, 422, 503),
                example={"tier": 1}, path_examples=aapl,
                description="Tier 1 or 2 of the limit-up/limit-down plan; 0 takes bands or corridor away.",
            ),
            Route(
                "PUT", symbol + "/corridor", self.set_corridor, "Give a symbol a corridor, or no protection",
                "administration", RISK, body=CorridorChange, returns=LimitsView, errors=(404, 422, 503),
                example={"dynamic_bps": 200, "static_bps": 500, "call_s": 120}, path_examples=aapl,
                description="Before a trade outside, orders gather for an auction; no width takes protection away.",
            ),
            Route(
                "GET", "/api/v1/market/breaker", self.breaker, "Show the breaker of the market", "market",
                returns=BreakerView, errors=(503,),
            ),
            Route(
                "PUT", "/api/v1/market/breaker", self.set_breaker, "Set the close that the breaker compares with",
                "administration", RISK, body=BreakerChange, returns=BreakerView, errors=(422, 503),
                example={"close_level": "5123.45"},
            ),
            Route(
                "POST", "/api/v1/market/index", self.report, "Report where the breaker's index stands",
                "administration", RISK, body=IndexLevel, returns=BreakerView, errors=(422, 503),
                example={"level": "5080.10"},
                description="A fall of 7, 13 or 20 % below its close stops the market.",
            ),
        ]  # fmt: skip

    async def limits(self, call: Call) -> LimitsView:
        """Answer GET /symbols/{symbol}/limits."""
        symbol = listed_symbol(self._directory, call.path["symbol"])
        now = await self._gateway.read(lambda venue: venue.price_limits(symbol.symbol_id))
        return limits_view(symbol.symbol, symbol.volatility, now)

    async def set_bands(self, call: Call) -> LimitsView:
        """Answer PUT /symbols/{symbol}/bands."""
        body: BandsChange = call.body
        symbol_id = listed_symbol(self._directory, call.path["symbol"]).symbol_id
        await self._gateway.carry_out(c.SetPriceBands(symbol_id=symbol_id, tier=body.tier))
        return await self.limits(call)

    async def set_corridor(self, call: Call) -> LimitsView:
        """Answer PUT /symbols/{symbol}/corridor."""
        body: CorridorChange = call.body
        symbol_id = listed_symbol(self._directory, call.path["symbol"]).symbol_id
        await self._gateway.carry_out(c.SetPriceCorridor(
            symbol_id=symbol_id, dynamic_bps=body.dynamic_bps, static_bps=body.static_bps,
            call_ns=body.call_s * SECOND_NS, random_ns_max=body.random_end_s * SECOND_NS, seed=randbits(SEED_BITS),
        ))  # fmt: skip
        return await self.limits(call)

    async def breaker(self, _: Call) -> BreakerView:
        """Answer GET /market/breaker."""
        close_level = self._directory.breaker_close
        return BreakerView(close_level=format_money(close_level) if close_level else None)

    async def set_breaker(self, call: Call) -> BreakerView:
        """Answer PUT /market/breaker."""
        body: BreakerChange = call.body
        await self._gateway.carry_out(c.SetMarketBreaker(close_level=_level(body.close_level)))
        return await self.breaker(call)

    async def report(self, call: Call) -> BreakerView:
        """Answer POST /market/index."""
        body: IndexLevel = call.body
        await self._gateway.carry_out(c.ReportIndexLevel(level=_level(body.level)))
        return await self.breaker(call)


def _level(text: str) -> int:
    """Read an index level. Raise the refusal where it is none."""
    try:
        level = parse_money(text)
    except UnitError as error:
        raise refusal(Reason.INDEX_LEVEL_INVALID, f"level: {error}") from error
    if level < 0:
        raise refusal(Reason.INDEX_LEVEL_INVALID, f"level: must not be below 0, got {text}")
    return level
