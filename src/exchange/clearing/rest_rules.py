"""REST of clearing's rules: those in force, and dry runs of others on the last trades."""

from __future__ import annotations

import asyncio

from exchange.clearing import queries
from exchange.clearing.office import Office
from exchange.clearing.rest_api import EVERYBODY, OFFICE
from exchange.clearing.views import asset_text, hit_view, rules_view
from exchange.domain.units import format_price, format_time
from exchange.infra.http import ApiError, Call, Route
from exchange.infra.store_retry import begin_read
from exchange.post_trade.dry_run import DryRun, dry_run
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
            try:
                proposed = parse_rules(body.rules, "proposed")
            except RulesError as error:
                raise ApiError(422, ErrorCode.INVALID_FIELD, str(error), "rules") from error
            run = await asyncio.to_thread(self._run, proposed, body.trades)
        return self._view(run)

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

    def _view(self, run: DryRun) -> r.DryRunView:
        symbols = self._office.directory.symbols
        return r.DryRunView(
            trades=run.trades,
            rules_version=self._office.rule_set.version,
            present=run.present,
            proposed=run.proposed,
            rules=[
                r.RuleCount(id=rule, hits=hits, failures=run.failures[rule])
                for rule, hits in run.hits.items()
            ],
            differences=[
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
            differences_count=run.differences_count,
        )
