"""REST of clearing's rules: those in force, and dry and shadow runs of others, on the last trades and those to come."""

from __future__ import annotations

import asyncio
from typing import Any

from exchange.clearing import queries
from exchange.clearing.office import Office
from exchange.clearing.rest_api import EVERYBODY, OFFICE
from exchange.clearing.shadow_run import ShadowRun
from exchange.clearing.views import asset_text, hit_view, rules_view
from exchange.domain.units import format_price, format_time
from exchange.infra.http import ApiError, Call, Route
from exchange.infra.store_retry import begin_read
from exchange.post_trade.dry_run import Comparison, DryRun, dry_run
from exchange.post_trade.recent_trades import RecentTrades
from exchange.post_trade.rule import Context
from exchange.post_trade.rules import RulesError, RuleSet, parse_rules
from exchange.post_trade.trade import Trade
from exchange.wire.rest import clearing as j
from exchange.wire.rest import rules as r
from exchange.wire.rest.errors import ErrorCode


class RulesApi:
    """The routes of the rules."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._running = asyncio.Lock()
        self._shadow: ShadowRun | None = None
        self._shadowing = asyncio.Lock()

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "GET", "/api/v1/rules", self.rules, "Show the rules in force", "rules", EVERYBODY,
                returns=j.RulesView,
            ),
            Route(
                "POST", "/api/v1/rules/dry-run", self.dry_run, "Try rules on the last trades", "rules", OFFICE,
                body=r.DryRunOrder, returns=r.DryRunView, errors=(422, 429),
                example={"rules": [{"id": "BIG", "kind": "max_quantity", "limit": 1000}], "trades": 1000},
                description="The rules are read as at a start, their examples tried, and each of the last trades is "
                "judged by them and by those in force. Nothing is changed.",
            ),
            Route(
                "POST", "/api/v1/rules/shadow", self.start_shadow, "Let rules look at the trades to come", "rules",
                OFFICE, body=r.ShadowOrder, returns=r.ShadowView, status=201, errors=(409, 422, 503),
                example={"rules": [{"id": "BIG", "kind": "max_quantity", "limit": 1000}], "trades": 10000},
                description="They decide nothing; a restart of clearing ends it.",
            ),
            Route(
                "GET", "/api/v1/rules/shadow", self.shadow, "Show how the shadow run goes", "rules", OFFICE,
                returns=r.ShadowView, errors=(404, 503),
            ),
            Route(
                "DELETE", "/api/v1/rules/shadow", self.end_shadow, "End the shadow run, and show what it found",
                "rules", OFFICE, returns=r.ShadowView, errors=(404, 503),
            ),
        ]  # fmt: skip

    async def rules(self, _: Call) -> j.RulesView:
        """Answer GET /rules."""
        return rules_view(self._office.rule_set)

    async def dry_run(self, call: Call) -> r.DryRunView:
        """Answer POST /rules/dry-run."""
        body: r.DryRunOrder = call.body
        if not 1 <= body.trades <= r.DRY_RUN_TRADES_MAX:
            message = f"trades must be 1 to {r.DRY_RUN_TRADES_MAX}, got {body.trades}"
            raise ApiError.of(ErrorCode.INVALID_FIELD, message, "trades")
        if self._running.locked():
            raise ApiError.of(ErrorCode.TOO_MANY_REQUESTS, "A dry run is under way; wait for its answer.")
        async with self._running:
            run = await asyncio.to_thread(self._run, _proposed(body.rules), body.trades)
        return r.DryRunView(**self._fields(run))

    async def start_shadow(self, call: Call) -> r.ShadowView:
        """Answer POST /rules/shadow."""
        body: r.ShadowOrder = call.body
        if not 1 <= body.trades <= r.SHADOW_TRADES_MAX:
            message = f"trades must be 1 to {r.SHADOW_TRADES_MAX}, got {body.trades}"
            raise ApiError.of(ErrorCode.INVALID_FIELD, message, "trades")
        if self._shadow is not None:
            text = (
                "there is a shadow run already; DELETE /api/v1/rules/shadow ends it and shows what it found"
            )
            raise ApiError.of(ErrorCode.CONFLICT, text)
        office = self._office
        comparison = Comparison(_proposed(body.rules), self._context)
        async with self._shadowing:
            last = await asyncio.to_thread(self._last_match)
            self._shadow = ShadowRun(office.store, office.partition, comparison, last, body.trades)
        return await self._shadow_view(self._shadow)

    async def shadow(self, _: Call) -> r.ShadowView:
        """Answer GET /rules/shadow."""
        return await self._shadow_view(self._found_shadow())

    async def end_shadow(self, _: Call) -> r.ShadowView:
        """Answer DELETE /rules/shadow."""
        shadow = self._found_shadow()
        view = await self._shadow_view(shadow)
        self._shadow = None
        return view

    def _found_shadow(self) -> ShadowRun:
        if self._shadow is None:
            raise ApiError.of(
                ErrorCode.NOT_FOUND, "no shadow run is under way; POST /api/v1/rules/shadow starts one"
            )
        return self._shadow

    async def _shadow_view(self, shadow: ShadowRun) -> r.ShadowView:
        async with self._shadowing:
            run = await asyncio.to_thread(shadow.advance, self._office.rule_set)
            return r.ShadowView(**self._fields(run), trades_wanted=shadow.trades_wanted, done=shadow.is_done)

    def _last_match(self) -> int:
        with begin_read(self._office.store) as connection:
            newest = queries.list_trades(connection, self._office.partition, queries.TradeFilter(), 1)
        return newest[0].match_id if newest else 0

    def _run(self, proposed: RuleSet, trades: int) -> DryRun:
        with begin_read(self._office.store) as connection:
            last = queries.list_trades(connection, self._office.partition, queries.TradeFilter(), trades)
        return dry_run(self._office.rule_set, proposed, reversed(last), self._context)

    def _context(self, trade: Trade, recent: RecentTrades) -> Context:
        directory = self._office.directory
        buyer = directory.accounts.get(trade.buy_account_id)
        seller = directory.accounts.get(trade.sell_account_id)
        symbol = directory.symbols.get(trade.symbol_id)
        return Context(
            symbol=symbol.symbol if symbol else "",
            buyer=buyer.participant_id if buyer else None,
            seller=seller.participant_id if seller else None,
            recent=recent,
        )

    def _fields(self, run: DryRun) -> dict[str, Any]:
        symbols = self._office.directory.symbols
        return {
            "trades": run.trades,
            "rules_version": self._office.rule_set.version,
            "present": run.present,
            "proposed": run.proposed,
            "rules": [
                r.RuleCount(id=rule, hits=hits, failures=run.failures[rule])
                for rule, hits in run.hits.items()
            ],
            "differences": [
                r.DryRunDifference(
                    match_id=str(each.trade.match_id),
                    symbol=asset_text(symbols, each.trade.symbol_id),
                    price=format_price(each.trade.price),
                    qty=str(each.trade.quantity),
                    executed_at=format_time(each.trade.executed_ns),
                    present=each.present.name.lower(),
                    proposed=each.proposed.name.lower(),
                    hits=[hit_view(hit) for hit in each.hits],
                )
                for each in run.differences
            ],
            "differences_count": run.differences_count,
        }


def _proposed(tables: list[dict[str, Any]]) -> RuleSet:
    """Read rules whole, examples tried. Raise `ApiError` 422."""
    try:
        return parse_rules(tables, "proposed")
    except RulesError as error:
        raise ApiError(422, ErrorCode.INVALID_FIELD, str(error), "rules") from error
