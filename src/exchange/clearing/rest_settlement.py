"""REST of settlement: instructions, runs, buy-ins; and of the house's acts and accounts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from exchange.clearing.house_store import (
    backing_of,
    entry_of,
    list_acts,
    read_act,
    read_house_balances,
)
from exchange.clearing.house_tables import house_entries
from exchange.clearing.house_views import (
    act_view,
    balance_view,
    entry_view,
    instruction_view,
    line_view,
    run_view,
)
from exchange.clearing.instruction_store import Line, list_instructions, read_lines
from exchange.clearing.office import Office
from exchange.clearing.rest_api import (
    EVERYBODY,
    OFFICE,
    RULES,
    SEES_ALL,
    TradesApi,
    number_of,
    number_of_cursor,
    ruler_of,
)
from exchange.clearing.rest_reports import date_of
from exchange.clearing.settlement_desk import SETTLEMENT, SettlementDesk, SettlementTerms
from exchange.clearing.store import read_balances, read_books_row
from exchange.infra.http import ApiError, Call, Route
from exchange.post_trade.house_ledger import account_id_of
from exchange.post_trade.invariants import BooksBroken
from exchange.post_trade.ledger import Ledger
from exchange.post_trade.settlement_days import NoSettlementDay
from exchange.post_trade.trade_life import TransitionRefused
from exchange.wire.rest import house as j
from exchange.wire.rest.errors import ErrorCode
from exchange.wire.rest.texts import Id

BALANCES_SHOWN_MAX = 10_000
_DAY = {"date": "2026-11-24", "reason": "settlement of the day"}
_NUMBER_TYPE = {"number": Id}
_KIND = re.compile("[a-z -]{0,16}")
_NUMBER = {"number": "1"}
T = TypeVar("T")


class SettlementApi:
    """The routes of settlement. trades: tells who may see which account."""

    def __init__(self, office: Office, trades: TradesApi, terms: SettlementTerms) -> None:
        self._office = office
        self._trades = trades
        self._terms = terms
        self._desk = SettlementDesk(office.keeper, terms)

    def routes(self) -> list[Route]:
        """List the routes."""
        return [*self._settlement_routes(), *self._house_routes()]

    def _settlement_routes(self) -> list[Route]:
        path = "/api/v1/settlements"
        return [
            Route(
                "GET", "/api/v1/instructions", self.instructions, "List what is to be settled", "settlement", EVERYBODY,
                query=j.InstructionsQuery, returns=j.InstructionList, errors=(400, 404),
                description="By cycle, account and symbol. What is open after its day has failed.",
            ),
            Route(
                "GET", path, self.runs, "List runs of settlement, newest first", "settlement", EVERYBODY,
                query=j.RunsQuery, returns=j.RunList, errors=(400,),
            ),
            Route(
                "POST", path, self.settle, "Settle what is due on a day", "settlement", RULES, body=j.SettleOrder,
                returns=j.RunView, status=201, errors=(409, 503), example=_DAY,
                description="All or nothing, delivery versus payment. A run that was interrupted is ended instead.",
            ),
            Route(
                "GET", path + "/{number}", self.lines, "List what a run did", "settlement", EVERYBODY,
                query=j.LinesQuery, returns=j.SettlementLineList, errors=(400, 404), path_examples=_NUMBER,
                path_types=_NUMBER_TYPE,
            ),
            Route(
                "POST", path + "/give-up", self.give_up, "Give up the run that is reserved", "settlement", RULES,
                body=j.GiveUpOrder, returns=j.ActView, errors=(409, 503), example={"reason": "wrong day"},
            ),
            Route(
                "POST", "/api/v1/buy-ins", self.buy_in, "Close fails that are too old for money", "settlement", RULES,
                body=j.SettleOrder, returns=j.BuyInView, status=201, errors=(409, 503), example=_DAY,
                description="After the run of the day. Who did not deliver pays a premium to who did not receive.",
            ),
        ]  # fmt: skip

    def _house_routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/api/v1/house/acts", self.acts, "List what the house did, newest first", "house", OFFICE,
                query=j.ActsQuery, returns=j.ActList, errors=(400,),
            ),
            Route(
                "GET", "/api/v1/house/acts/{number}/entries", self.entries, "List what an act booked", "house",
                EVERYBODY, query=j.HouseEntriesQuery, returns=j.HouseEntryList, errors=(400, 404),
                path_examples=_NUMBER, path_types=_NUMBER_TYPE,
            ),
            Route(
                "GET", "/api/v1/house/balances", self.balances, "List accounts of the house's ledger", "house",
                EVERYBODY, query=j.HouseBalancesQuery, returns=j.HouseBalanceList, errors=(400, 404),
                description="What the house adds to the trades' ledger: settled, margin, fund; its own money and fees.",
            ),
        ]  # fmt: skip

    # --- settlement -------------------------------------------------------------------------------------

    async def instructions(self, call: Call) -> j.InstructionList:
        """Answer GET /instructions."""
        query: j.InstructionsQuery = call.query
        accounts, after = self._trades.accounts_of(call, query.account), triple_of_cursor(query.cursor)
        limit, partition = self._office.page_limit(query.limit), self._office.partition
        found, today = await self._office.read(
            lambda c: (
                list_instructions(c, partition, accounts, query.open, after, limit + 1),
                read_books_row(c, partition).business_date,
            )
        )
        symbols, between = self._office.directory.symbols, self._terms.calendar.between
        items = [
            instruction_view(each, symbols, 0 if each.settled_on else between(each.due, today))
            for each in found[:limit]
        ]
        last = found[limit - 1] if len(found) > limit else None
        return j.InstructionList(items, cursor_of_triple(*last.open.key) if last else None)

    async def runs(self, call: Call) -> j.RunList:
        """Answer GET /settlements."""
        query: j.RunsQuery = call.query
        limit, partition, before = (
            self._office.page_limit(query.limit),
            self._office.partition,
            number_of_cursor(query.cursor),
        )
        sees_all = call.who.is_any(*SEES_ALL)

        def read(connection: Connection) -> j.RunList:
            found = list_acts(connection, partition, SETTLEMENT, before, limit + 1)
            items = [run_view(connection, partition, act, sees_all) for act in found[:limit]]
            return j.RunList(items, items[-1].number if len(found) > limit else None)

        return await self._office.read(read)

    async def lines(self, call: Call) -> j.SettlementLineList:
        """Answer GET /settlements/{number}."""
        query: j.LinesQuery = call.query
        accounts, after = self._trades.accounts_of(call, query.account), triple_of_cursor(query.cursor)
        number, limit, partition = (
            call.path_id("number"),
            self._office.page_limit(query.limit),
            self._office.partition,
        )

        def read(connection: Connection) -> list[Line]:
            act = read_act(connection, partition, min(number, 2**63 - 1))
            if act is None or act.kind != SETTLEMENT:
                raise ApiError.of(ErrorCode.NOT_FOUND, f"there is no run of settlement {number}")
            found = read_lines(connection, partition, act.number, accounts)
            return [line for line in found if line[1:4] > after][: limit + 1]

        found = await self._office.read(read)
        items = [line_view(line, self._office.directory.symbols) for line in found[:limit]]
        last = found[limit - 1] if len(found) > limit else None
        return j.SettlementLineList(items, cursor_of_triple(*last[1:4]) if last else None)

    async def settle(self, call: Call) -> j.RunView:
        """Answer POST /settlements."""
        body: j.SettleOrder = call.body
        day, now_ns = date_of(body.date), self._office.clock.now_ns()
        act = await do(
            self._office,
            f"settling {body.date}",
            lambda: self._desk.settle(day, ruler_of(call), body.reason, now_ns),
        )
        return await self._office.read(lambda c: run_view(c, self._office.partition, act, sees_all=True))

    async def give_up(self, call: Call) -> j.ActView:
        """Answer POST /settlements/give-up."""
        body: j.GiveUpOrder = call.body
        now_ns, actor = self._office.clock.now_ns(), ruler_of(call)
        act = await do(
            self._office, "giving up a run", lambda: self._desk.end(actor, body.reason, now_ns, give_up=True)
        )
        return act_view(act)

    async def buy_in(self, call: Call) -> j.BuyInView:
        """Answer POST /buy-ins."""
        body: j.SettleOrder = call.body
        day, now_ns = date_of(body.date), self._office.clock.now_ns()
        acts, refused = await do(
            self._office, f"buy-ins of {body.date}",
            lambda: self._desk.buy_in(day, ruler_of(call), body.reason, now_ns),
        )  # fmt: skip
        return j.BuyInView(acts=[act_view(act) for act in acts], refused=refused)

    # --- the house --------------------------------------------------------------------------------------

    async def acts(self, call: Call) -> j.ActList:
        """Answer GET /house/acts."""
        query: j.ActsQuery = call.query
        check_kind(query.kind)
        limit, partition, before = (
            self._office.page_limit(query.limit),
            self._office.partition,
            number_of_cursor(query.cursor),
        )
        found = await self._office.read(lambda c: list_acts(c, partition, query.kind, before, limit + 1))
        items = [act_view(act) for act in found[:limit]]
        return j.ActList(items, items[-1].number if len(found) > limit else None)

    async def entries(self, call: Call) -> j.HouseEntryList:
        """Answer GET /house/acts/{number}/entries."""
        query: j.HouseEntriesQuery = call.query
        accounts = self._trades.accounts_of(call, query.account)
        after, limit, columns = (
            number_of_cursor(query.cursor),
            self._office.page_limit(query.limit),
            house_entries.c,
        )
        number, partition = min(call.path_id("number"), 2**63 - 1), self._office.partition

        def read(connection: Connection) -> j.HouseEntryList:
            if read_act(connection, partition, number) is None:
                raise ApiError.of(ErrorCode.NOT_FOUND, f"the house has no act {number}")
            wanted = select(house_entries).where(
                columns.partition == partition, columns.act == number, columns.place > after
            )
            if accounts is not None:
                wanted = wanted.where(columns.account_id.in_(accounts))
            rows = connection.execute(wanted.order_by(columns.place).limit(limit + 1)).all()
            symbols = self._office.directory.symbols
            items = [entry_view(row.place, entry_of(row), symbols) for row in rows[:limit]]
            return j.HouseEntryList(items, items[-1].place if len(rows) > limit else None)

        return await self._office.read(read)

    async def balances(self, call: Call) -> j.HouseBalanceList:
        """Answer GET /house/balances."""
        query: j.HouseBalancesQuery = call.query
        accounts, partition = self._trades.accounts_of(call, query.account), self._office.partition

        def read(connection: Connection) -> j.HouseBalanceList:
            trades = Ledger(dict(read_balances(connection, partition)))
            found = [
                (number, balance)
                for number, balance in sorted(read_house_balances(connection, partition).items())
                if accounts is None or account_id_of(number) in accounts
            ]
            symbols = self._office.directory.symbols
            items = [
                balance_view(number, balance, symbols, lambda each: backing_of(trades, each))
                for number, balance in found[:BALANCES_SHOWN_MAX]
            ]
            return j.HouseBalanceList(items, max(0, len(found) - BALANCES_SHOWN_MAX))

        return await self._office.read(read)


async def do(office: Office, what: str, order: Callable[[], T]) -> T:
    """Carry out what an officer orders, in a thread. Raise `ApiError`; what breaks the books halts clearing."""
    if office.halted:
        raise ApiError.of(ErrorCode.NOT_READY)
    try:
        return await asyncio.to_thread(order)
    except (TransitionRefused, NoSettlementDay) as error:
        raise ApiError.of(ErrorCode.CONFLICT, str(error)) from error
    except BooksBroken as error:
        office.halt(f"{what}: {error}")
        raise ApiError.of(ErrorCode.NOT_READY) from error


def triple_of_cursor(cursor: str) -> tuple[int, int, int]:
    """Read a cursor that is three numbers; what comes before everything for the first page. Raise `ApiError`."""
    if not cursor:
        return -1, -1, -1
    parts = cursor.split("-")
    if len(parts) != 3:
        message = f"cursor must be one that a page gave, got {cursor[:40]!r}"
        raise ApiError.of(ErrorCode.INVALID_PARAMETER, message, "cursor")
    first, second, third = (number_of(part, "cursor") for part in parts)
    return min(first, 2**31 - 1), min(second, 2**62), min(third, 2**31 - 1)


def cursor_of_triple(first: Any, second: Any, third: Any) -> str:
    """Write a cursor of three numbers."""
    return f"{first}-{second}-{third}"


def check_kind(kind: str) -> None:
    """Refuse what no kind of an act can be. Raise `ApiError`."""
    if not _KIND.fullmatch(kind):
        text = f"kind must be that of an act, such as settlement, or empty for any; got {kind[:40]!r}"
        raise ApiError.of(ErrorCode.INVALID_PARAMETER, text, "kind")
