"""REST of trading days: closing them, and what each account then owes and is owed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import Connection

from exchange.clearing.cycle_desk import CycleDesk, check_day
from exchange.clearing.cycle_store import Cycle, last_cycle, list_cycles, list_obligations
from exchange.clearing.office import Office
from exchange.clearing.rest_api import (
    EVERYBODY,
    RULES,
    SEES_ALL,
    TradesApi,
    cursor_of,
    number_of_cursor,
    pair_of_cursor,
    ruler_of,
)
from exchange.clearing.rest_reports import date_of
from exchange.clearing.store import read_books_row
from exchange.clearing.views import asset_text
from exchange.domain.units import format_date, format_money, format_time
from exchange.infra.http import ApiError, Call, Route
from exchange.post_trade.invariants import BooksBroken
from exchange.post_trade.netting import Obligation
from exchange.post_trade.trade_life import TransitionRefused
from exchange.wire.rest import clearing as c
from exchange.wire.rest import cycles as j
from exchange.wire.rest.errors import ErrorCode

BREAKS_SHOWN_MAX = 5
_DATE = {"date": "2026-11-23"}
T = TypeVar("T")
Compare = Callable[[str], Awaitable[c.BreakReport]]
"""Makes the break report of a business date."""


class CyclesApi:
    """The routes of trading days. trades: tells who may see which account."""

    def __init__(self, office: Office, trades: TradesApi, compare: Compare, desk: CycleDesk) -> None:
        self._office = office
        self._trades = trades
        self._compare = compare
        self._desk = desk

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "GET", "/api/v1/cycles", self.cycles, "List closed trading days, newest first", "cycles", EVERYBODY,
                query=j.CyclesQuery, returns=j.CycleList, errors=(400,),
            ),
            Route(
                "POST", "/api/v1/cycles", self.close, "Close a trading day", "cycles", RULES, body=j.CloseOrder,
                returns=j.CycleView, status=201, errors=(409, 503),
                example={"date": "2026-11-23", "reason": "end of day"},
                description="Nets everything that stands. Refused while the day is not over, and while engine, "
                "clearing and reporter do not agree on it.",
            ),
            Route(
                "GET", "/api/v1/cycles/{date}", self.obligations, "List the obligations of a closed day", "cycles",
                EVERYBODY, query=j.ObligationsQuery, returns=j.ObligationList, errors=(400, 404), path_examples=_DATE,
                description="Nothing for a day that is not closed, or on which nothing was owed.",
            ),
        ]  # fmt: skip

    async def cycles(self, call: Call) -> j.CycleList:
        """Answer GET /cycles."""
        query: j.CyclesQuery = call.query
        limit = min(query.limit, self._office.config.clearing.page_items_max)
        before, partition = min(number_of_cursor(query.cursor), 2**31 - 1), self._office.partition
        found = await self._office.read(
            lambda connection: list_cycles(connection, partition, before, limit + 1)
        )
        sees_all = call.who.is_any(*SEES_ALL)
        items = [_cycle_view(cycle, sees_all) for cycle in found[:limit]]
        return j.CycleList(items, str(found[limit - 1].business_date) if len(found) > limit else None)

    async def obligations(self, call: Call) -> j.ObligationList:
        """Answer GET /cycles/{date}."""
        query: j.ObligationsQuery = call.query
        date = day_of(call.path["date"])
        accounts = self._trades.accounts_of(call, query.account)
        after = pair_of_cursor(query.cursor)
        limit = min(query.limit, self._office.config.clearing.page_items_max)
        partition = self._office.partition

        def read(connection: Connection) -> list[Obligation]:
            return list_obligations(connection, partition, date, accounts, after, limit + 1)

        found = await self._office.read(read)
        symbols = self._office.directory.symbols
        items = [
            j.ObligationView(
                account=str(each.account_id),
                symbol=asset_text(symbols, each.symbol_id),
                qty=str(each.quantity),
                cash=format_money(each.cash),
            )
            for each in found[:limit]
        ]
        last = found[limit - 1] if len(found) > limit else None
        return j.ObligationList(items, cursor_of(last.account_id, last.symbol_id) if last else None)

    async def close(self, call: Call) -> j.CycleView:
        """Answer POST /cycles."""
        body: j.CloseOrder = call.body
        date, actor, office = date_of(body.date), ruler_of(call), self._office
        if office.halted:
            raise ApiError.of(ErrorCode.NOT_READY)
        try:
            await self._office.read(lambda connection: self._check(connection, date))
            self._refuse_breaks(await self._compare(body.date))
            cycle = await asyncio.to_thread(self._desk.close, date, actor, body.reason, office.clock.now_ns())
        except TransitionRefused as error:
            raise ApiError.of(ErrorCode.CONFLICT, str(error)) from error
        except BooksBroken as error:
            office.halt(f"closing {body.date}: {error}")
            raise ApiError.of(ErrorCode.NOT_READY) from error
        return _cycle_view(cycle, sees_all=True)

    def _check(self, connection: Connection, date: int) -> None:
        partition = self._office.partition
        check_day(
            date, read_books_row(connection, partition).business_date, last_cycle(connection, partition)
        )

    @staticmethod
    def _refuse_breaks(report: c.BreakReport) -> None:
        """Raise `ApiError` unless the three components agree on the day."""
        if report.status == "agree":
            return
        broken = [f"{item.symbol}: {', '.join(item.breaks)}" for item in report.items if item.breaks]
        problems = [each.problem for each in (report.engine, report.reporter) if each.problem]
        found = [*broken[:BREAKS_SHOWN_MAX], *problems]
        raise ApiError.of(
            ErrorCode.CONFLICT,
            f"the day {report.business_date} has open breaks and stays open: {'; '.join(found)}; see /break-report",
        )


def day_of(text: str) -> int:
    """Read the day of a path. Raise `ApiError` 404 where there is no such day."""
    try:
        return date_of(text)
    except ApiError as error:
        raise ApiError.of(
            ErrorCode.NOT_FOUND, f"there is no day {text[:20]!r}; write it as 2026-11-23"
        ) from error


def _cycle_view(cycle: Cycle, sees_all: bool) -> j.CycleView:
    return j.CycleView(
        date=format_date(cycle.business_date),
        closed_at=format_time(cycle.closed_ns),
        seq=cycle.sequence,
        obligations=cycle.obligations,
        left_out=cycle.left_out,
        who=cycle.who if sees_all else "",
        why=cycle.why if sees_all else "",
        hash=cycle.hash.hex(),
    )
