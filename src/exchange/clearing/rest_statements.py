"""REST of statements: one account, one trading day, as JSON, CSV or a page to print."""

from __future__ import annotations

import asyncio

from exchange.clearing import queries
from exchange.clearing.office import Office
from exchange.clearing.rest_api import EVERYBODY, SEES_ALL, number_of
from exchange.clearing.rest_reports import date_of
from exchange.clearing.splits import marks_of, read_splits
from exchange.clearing.statement_text import as_csv, as_html
from exchange.clearing.store import read_books_row
from exchange.clearing.views import asset_text
from exchange.domain.reasons import Reason
from exchange.domain.units import Price, format_date, format_money, format_price, format_time
from exchange.infra.http import ApiError, Call, Reply, Route
from exchange.infra.store import read_position
from exchange.infra.store_retry import begin_read
from exchange.post_trade.fees import FeeSchedule
from exchange.post_trade.statement import ChargedFill, Line, Statement, make_statement
from exchange.wire.rest import statements as j
from exchange.wire.rest.errors import ErrorCode

STATEMENT_TRADES_MAX = 200_000
"""Trades of one account that a statement is made from."""
CSV, HTML = "text/csv; charset=utf-8", "text/html; charset=utf-8"
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class StatementsApi:
    """The route of statements."""

    def __init__(self, office: Office, fees: FeeSchedule) -> None:
        self._office = office
        self._fees = fees
        self._making = asyncio.Semaphore(1)

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "GET", "/api/v1/statement", self.statement, "Show an account's statement of a trading day", "books",
                EVERYBODY, query=j.StatementQuery, returns=j.StatementView, errors=(400, 404, 409),
                other_media=(CSV, HTML),
                description="Fills with fees, lots, profit and loss by FIFO and by average cost, from the trades as "
                "they stand now. `format` chooses JSON, CSV, or a page to print.",
            )
        ]  # fmt: skip

    async def statement(self, call: Call) -> Reply:
        """Answer GET /statement."""
        query: j.StatementQuery = call.query
        account_id = self._account(call, query.account)
        async with self._making:
            view = await asyncio.to_thread(self._make, account_id, query.date)
        if query.format == "csv":
            return Reply(body=as_csv(view), content_type=CSV)
        if query.format == "html":
            name = self._office.config.exchange.name
            return Reply(body=as_html(view, name), headers=_PAGE_HEADERS, content_type=HTML)
        return Reply(body=view)

    def _account(self, call: Call, wanted: str) -> int:
        directory, who = self._office.directory, call.who
        own = (
            [int(each.account_id) for each in directory.accounts_of(who.participant_id)]
            if who.participant_id
            else []
        )
        if not wanted and own:
            return own[0]
        if not wanted:
            message = "you have no account of your own; name the account whose statement you want"
            raise ApiError(404, Reason.UNKNOWN_ACCOUNT, message, "account")
        account_id = number_of(wanted, "account")
        if account_id not in directory.accounts or not (who.is_any(*SEES_ALL) or account_id in own):
            raise ApiError(
                404, Reason.UNKNOWN_ACCOUNT, f"there is no account {account_id} of yours", "account"
            )
        return account_id

    def _make(self, account_id: int, wanted: str) -> j.StatementView:
        with begin_read(self._office.store) as connection:
            row = read_books_row(connection, self._office.partition)
            date = date_of(wanted) if wanted else row.business_date
            trades = queries.trades_of_account(connection, account_id, date, STATEMENT_TRADES_MAX + 1)
            if len(trades) > STATEMENT_TRADES_MAX:
                raise ApiError.of(
                    ErrorCode.CONFLICT,
                    f"account {account_id} has more than {STATEMENT_TRADES_MAX} trades; a statement of so many is "
                    "not made here, read them from /trades",
                )
            splits = read_splits(connection, self._office.partition)
            traded = {trade.symbol_id for trade in trades}
            partition, directory = self._office.partition, self._office.directory
            marks = marks_of(connection, partition, directory, traded, date)
            sequence = read_position(connection, self._office.partition).sequence
        statement = make_statement(
            account_id, date, trades, self._fees, lambda symbol_id: Price(marks[symbol_id]), splits
        )
        return self._view(statement, sequence)

    def _view(self, statement: Statement, sequence: int) -> j.StatementView:
        return j.StatementView(
            account=str(statement.account_id),
            business_date=format_date(statement.business_date) if statement.business_date else "",
            currency=self._office.config.exchange.currency,
            made_at=format_time(self._office.clock.now_ns()),
            seq=sequence,
            lines=[self._line(line) for line in statement.lines],
            fees={name: format_money(amount) for name, amount in statement.fees.items()},
            fills=[self._fill(charged) for charged in statement.fills],
            fills_count=statement.fills_count,
        )

    def _line(self, line: Line) -> j.StatementLine:
        money = ("bought_notional", "sold_notional", "realised_fifo", "realised_average", "unrealised_fifo",
                 "unrealised_average", "fees")  # fmt: skip
        shares = ("opening", "bought", "sold", "split", "closing")
        return j.StatementLine(
            symbol=asset_text(self._office.directory.symbols, line.symbol_id),
            average_price=format_price(Price(line.average_price)) if line.average_price else None,
            mark=format_price(Price(line.mark)) if line.mark else None,
            lots=[
                j.LotView(
                    match_id=str(lot.match_id), qty=str(lot.quantity), price=format_price(lot.price),
                    opened_at=format_time(lot.opened_ns),
                )
                for lot in line.lots
            ],
            **{name: format_money(getattr(line, name)) for name in money},
            **{name: str(getattr(line, name)) for name in shares},
        )  # fmt: skip

    def _fill(self, charged: ChargedFill) -> j.StatementFill:
        fill = charged.fill
        return j.StatementFill(
            match_id=str(fill.match_id),
            at=format_time(fill.time_ns),
            symbol=asset_text(self._office.directory.symbols, fill.symbol_id),
            side="buy" if fill.quantity > 0 else "sell",
            liquidity="maker" if fill.is_maker else "taker",
            qty=str(fill.shares),
            price=format_price(fill.price),
            notional=format_money(fill.shares * fill.price),
            fees=format_money(charged.fees),
        )
