"""REST of clearing: trades and their stories, operators' rulings, positions, balances, the ledger, proofs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection

from exchange.clearing import queries
from exchange.clearing.book_keeper import UnknownTrade
from exchange.clearing.office import Office
from exchange.clearing.store import read_trade
from exchange.clearing.views import (
    CASH_NAME,
    Reader,
    balance_view,
    entry_view,
    position_view,
    trade_story,
    trade_view,
)
from exchange.domain.participant import Role
from exchange.domain.reasons import Reason
from exchange.domain.trade import BustReason
from exchange.domain.units import Price, Quantity, UnitError, format_price, parse_price, parse_quantity
from exchange.infra.http import ApiError, Call, Route
from exchange.post_trade.invariants import BooksBroken
from exchange.post_trade.ledger import CASH
from exchange.post_trade.review import Actor
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import TransitionRefused
from exchange.wire.rest import clearing as j
from exchange.wire.rest.errors import ErrorCode

EVERYBODY = frozenset({Role.VIEWER})
"""Everybody with a key; what they see is what concerns their accounts."""
SEES_ALL = (Role.CLEARING, Role.RISK, Role.AUDITOR, Role.COMPONENT)
OFFICE = frozenset(SEES_ALL)
RULES = frozenset({Role.CLEARING})
ID_DIGITS_MAX = 20
_PATH = {"match_id": "2041"}
T = TypeVar("T")


class TradesApi:
    """The routes of trades, rulings, positions, balances and the ledger."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def routes(self) -> list[Route]:
        """List the routes."""
        return [*self._trade_routes(), *self._ruling_routes(), *self._book_routes()]

    def _trade_routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/api/v1/trades", self.trades, "List trades, newest first", "trades", EVERYBODY,
                query=j.TradesQuery, returns=j.TradeList, errors=(400, 404),
                description="Participants see the trades of their own accounts, and of the other side nothing.",
            ),
            Route(
                "GET", "/api/v1/trades/{match_id}", self.story, "Show a trade with its full story", "trades",
                EVERYBODY, returns=j.TradeStory, errors=(404,), path_examples=_PATH,
                description="Facts, every state with its time, every rule that was hit with what it measured, what the "
                "engine was asked and answered, and the ledger entries.",
            ),
        ]  # fmt: skip

    def _ruling_routes(self) -> list[Route]:
        path = "/api/v1/trades/{match_id}"
        return [
            Route(
                "POST", path + "/release", self.release, "Release a held trade", "rulings", RULES,
                body=j.ReleaseRequest, returns=j.ClearedTrade, errors=(404, 409, 503), path_examples=_PATH,
                example={"reason": "the news was out before the trade"},
            ),
            Route(
                "POST", path + "/bust", self.bust, "Have a trade busted, finally", "rulings", RULES,
                body=j.BustOrder, returns=j.ClearedTrade, status=202, errors=(404, 409, 503), path_examples=_PATH,
                example={"reason": "price far off the market", "code": "E"},
                description="The engine is asked; the trade is bust_pending until the engine's event is seen. Accepted "
                "trades can be busted too.",
            ),
            Route(
                "POST", path + "/correct", self.correct, "Have a trade's price or quantity corrected", "rulings",
                RULES, body=j.CorrectionOrder, returns=j.ClearedTrade, status=202, errors=(404, 409, 422, 503),
                path_examples=_PATH, example={"reason": "both sides agree", "code": "C", "price": "189.20"},
                description="The engine is asked; the trade stands as it is until the engine's event is seen.",
            ),
        ]  # fmt: skip

    def _book_routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/api/v1/positions", self.positions, "List positions by account and symbol", "books",
                EVERYBODY, query=j.AccountQuery, returns=j.PositionList, errors=(400, 404),
            ),
            Route(
                "GET", "/api/v1/balances", self.balances, "List balances by account and asset", "books", EVERYBODY,
                query=j.AccountQuery, returns=j.BalanceList, errors=(400, 404),
            ),
            Route(
                "GET", "/api/v1/ledger", self.ledger, "List ledger entries, newest first", "books", EVERYBODY,
                query=j.LedgerQuery, returns=j.LedgerList, errors=(400, 404),
            ),
        ]  # fmt: skip

    # --- trades ---------------------------------------------------------------------------------------

    async def trades(self, call: Call) -> j.TradeList:
        """Answer GET /trades."""
        query: j.TradesQuery = call.query
        reader = self._reader(call)
        wanted = queries.TradeFilter(
            state=query.state,
            symbol_id=self._symbol_id(query.symbol) if query.symbol else 0,
            accounts=self._accounts(reader, query.account),
            before=number_of_cursor(query.cursor),
        )
        limit = self._office.page_limit(query.limit)
        found = await self._office.read(
            lambda c: queries.list_trades(c, self._office.partition, wanted, limit + 1)
        )
        items = [trade_view(trade, self._office.directory.symbols, reader) for trade in found[:limit]]
        return j.TradeList(items, items[-1].match_id if len(found) > limit else None)

    async def story(self, call: Call) -> j.TradeStory:
        """Answer GET /trades/{match_id}."""
        match_id, reader = call.path_id("match_id"), self._reader(call)

        def read(connection: Connection) -> j.TradeStory:
            trade = read_trade(connection, match_id)
            if trade is None or not (reader.sees(trade.buy_account_id) or reader.sees(trade.sell_account_id)):
                raise unknown_trade(match_id)
            return trade_story(
                trade,
                self._office.directory.symbols,
                reader,
                steps=queries.steps_of(connection, trade),
                rulings=queries.rulings_of(connection, match_id),
                requests=queries.requests_of(connection, match_id),
                entries=queries.entries_of(connection, trade),
            )

        return await self._office.read(read)

    # --- rulings --------------------------------------------------------------------------------------

    async def release(self, call: Call) -> j.ClearedTrade:
        """Answer POST /trades/{match_id}/release."""
        body: j.ReleaseRequest = call.body
        desk, actor, now_ns = self._office.rulings, ruler_of(call), self._office.clock.now_ns()
        return await self._rule(call, lambda match_id: desk.release(match_id, actor, body.reason, now_ns))

    async def bust(self, call: Call) -> j.ClearedTrade:
        """Answer POST /trades/{match_id}/bust."""
        body: j.BustOrder = call.body
        desk, actor, now_ns = self._office.rulings, ruler_of(call), self._office.clock.now_ns()
        code = BustReason(ord(body.code))
        return await self._rule(call, lambda match_id: desk.bust(match_id, code, actor, body.reason, now_ns))

    async def correct(self, call: Call) -> j.ClearedTrade:
        """Answer POST /trades/{match_id}/correct."""
        body: j.CorrectionOrder = call.body
        desk, actor, now_ns = self._office.rulings, ruler_of(call), self._office.clock.now_ns()
        code = BustReason(ord(body.code))
        match_id = call.path_id("match_id")
        trade = await self._office.read(lambda c: read_trade(c, match_id))
        if trade is None:
            raise unknown_trade(match_id)
        price, quantity = price_and_quantity(body)
        check_correction(trade, price, quantity)
        return await self._rule(
            call,
            lambda match_id: desk.correct(match_id, price, quantity, code, actor, body.reason, now_ns),
        )

    async def _rule(self, call: Call, ruling: Callable[[int], tuple[Trade, bool]]) -> j.ClearedTrade:
        match_id = call.path_id("match_id")
        if self._office.halted:
            raise ApiError.of(ErrorCode.NOT_READY)
        try:
            trade, is_done = await asyncio.to_thread(ruling, match_id)
        except UnknownTrade as error:
            raise unknown_trade(match_id) from error
        except TransitionRefused as error:
            raise ApiError.of(ErrorCode.CONFLICT, str(error)) from error
        except BooksBroken as error:
            self._office.halt(f"ruling on trade {match_id}: {error}")
            raise ApiError.of(ErrorCode.NOT_READY) from error
        self._office.relay.wake()
        view = trade_view(trade, self._office.directory.symbols, self._reader(call))
        view.waits_for_second = not is_done
        return view

    # --- books ----------------------------------------------------------------------------------------

    async def positions(self, call: Call) -> j.PositionList:
        """Answer GET /positions."""
        query: j.AccountQuery = call.query
        accounts = self._accounts(self._reader(call), query.account)
        after, limit = pair_of_cursor(query.cursor), self._office.page_limit(query.limit)
        found = await self._office.read(
            lambda c: queries.list_positions(c, self._office.partition, accounts, after, limit + 1)
        )
        items = [position_view(*row, self._office.directory.symbols) for row in found[:limit]]
        return j.PositionList(items, cursor_of(*found[limit - 1][:2]) if len(found) > limit else None)

    async def balances(self, call: Call) -> j.BalanceList:
        """Answer GET /balances."""
        query: j.AccountQuery = call.query
        accounts = self._accounts(self._reader(call), query.account)
        after, limit = pair_of_cursor(query.cursor, -1), self._office.page_limit(query.limit)
        found = await self._office.read(
            lambda c: queries.list_holdings(c, self._office.partition, accounts, after, limit + 1)
        )
        items = [balance_view(holding, self._office.directory.symbols) for holding in found[:limit]]
        following = cursor_of(*found[limit - 1][:2]) if len(found) > limit else None
        return j.BalanceList(items, self._office.config.exchange.currency, following)

    async def ledger(self, call: Call) -> j.LedgerList:
        """Answer GET /ledger."""
        query: j.LedgerQuery = call.query
        accounts = self._accounts(self._reader(call), query.account)
        asset = None
        if query.asset:
            asset = CASH if query.asset == CASH_NAME else self._symbol_id(query.asset, "asset")
        before, limit = number_of_cursor(query.cursor), self._office.page_limit(query.limit)
        found = await self._office.read(
            lambda c: queries.list_entries(c, self._office.partition, accounts, asset, before, limit + 1)
        )
        items = [entry_view(entry, self._office.directory.symbols) for entry in found[:limit]]
        return j.LedgerList(items, items[-1].number if len(found) > limit else None)

    def accounts_of(self, call: Call, wanted: str) -> list[int] | None:
        """Return the accounts whose rows a caller may list, None for all.

        wanted: one of them, or empty. Raise `ApiError` where it is not to be seen.
        """
        return self._accounts(self._reader(call), wanted)

    # --- what all of them do --------------------------------------------------------------------------

    def _reader(self, call: Call) -> Reader:
        """Return what the caller may see: everything for the office, else the participant's own accounts."""
        if call.who.is_any(*SEES_ALL):
            return Reader(None)
        participant_id = call.who.participant_id
        owned = self._office.directory.accounts_of(participant_id) if participant_id else []
        return Reader(frozenset(int(account.account_id) for account in owned))

    def _accounts(self, reader: Reader, wanted: str) -> list[int] | None:
        """Return the accounts to look at. Raise `ApiError` where the one that is wanted is not to be seen."""
        if not wanted:
            return None if reader.accounts is None else sorted(reader.accounts)
        account_id = number_of(wanted, "account")
        if account_id not in self._office.directory.accounts or not reader.sees(account_id):
            raise ApiError(
                404, Reason.UNKNOWN_ACCOUNT, f"there is no account {account_id} of yours", "account"
            )
        return [account_id]

    def _symbol_id(self, name: str, field: str = "symbol") -> int:
        symbol = self._office.directory.symbol_named(name)
        if symbol is None:
            raise ApiError(404, Reason.UNKNOWN_SYMBOL, f"there is no symbol {name[:20]!r}", field)
        return symbol.symbol_id


def who_rules(call: Call) -> str:
    """Return who makes a ruling, for the record."""
    return f"{call.who.role.name.lower()} {call.who.label} (key {call.who.key_id})"


def ruler_of(call: Call) -> Actor:
    """Return the officer who makes a ruling."""
    return Actor(call.who.key_id, who_rules(call))


def unknown_trade(match_id: int) -> ApiError:
    """Make the error of a trade that is not there, or not the caller's."""
    return ApiError(404, Reason.UNKNOWN_TRADE, f"there is no trade {match_id}", "match_id")


def price_and_quantity(body: j.CorrectionOrder) -> tuple[Price, Quantity]:
    """Read the new facts of a trade, 0 for what stays. Raise `ApiError`."""
    try:
        price = Price(0) if body.price is None else parse_price(body.price)
    except UnitError as error:
        raise ApiError.of(ErrorCode.INVALID_FIELD, str(error), "price") from error
    try:
        return price, Quantity(0) if body.qty is None else parse_quantity(body.qty)
    except UnitError as error:
        if str(body.qty).isdecimal():
            raise ApiError(422, Reason.CORRECTION_INVALID, str(error), "qty") from error
        raise ApiError.of(ErrorCode.INVALID_FIELD, str(error), "qty") from error


def check_correction(trade: Trade, price: int, quantity: int) -> None:
    """Refuse at once what the engine would refuse later: more quantity, or no change. 0 leaves a value."""
    if quantity > trade.quantity or (price or trade.price, quantity or trade.quantity) == (
        trade.price,
        trade.quantity,
    ):
        message = (
            f"a correction changes the price, lowers the quantity of {trade.quantity}, or both; "
            f"got price {format_price(price or trade.price)}, quantity {quantity or trade.quantity}"
        )
        raise ApiError(422, Reason.CORRECTION_INVALID, message, "qty" if quantity else "price")


def number_of(text: str, field: str) -> int:
    """Read an id from a query. Raise `ApiError`."""
    if not (text.isascii() and text.isdigit() and len(text) <= ID_DIGITS_MAX):
        raise ApiError.of(
            ErrorCode.INVALID_PARAMETER, f"{field} must be a whole number, got {text[:40]!r}", field
        )
    return int(text)


def number_of_cursor(cursor: str) -> int:
    """Read a cursor that is one number; 0 for the first page."""
    return min(number_of(cursor, "cursor"), 2**63 - 1) if cursor else 0


def pair_of_cursor(cursor: str, first: int = 0) -> tuple[int, int]:
    """Read a cursor that is two numbers. first: what stands before the second number of the first page."""
    if not cursor:
        return 0, first
    parts = cursor.split("-")
    if len(parts) != 2:
        raise ApiError.of(
            ErrorCode.INVALID_PARAMETER, f"cursor must be one that a page gave, got {cursor[:40]!r}", "cursor"
        )
    account_id, asset = (min(number_of(part, "cursor"), 2**62) for part in parts)
    return account_id, asset


def cursor_of(account_id: Any, asset: Any) -> str:
    """Write a cursor of two numbers."""
    return f"{account_id}-{asset}"
