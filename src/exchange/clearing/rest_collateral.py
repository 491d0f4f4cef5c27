"""REST of margin, payments, the default fund, defaults and their drill, and closing prices."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Connection

from exchange.clearing.collateral_desk import (
    CAPITAL,
    MARGIN_OF,
    CollateralDesk,
    Payment,
    read_margins,
)
from exchange.clearing.default_desk import DefaultDesk, DefaultRelay, DefaultRow, list_defaults
from exchange.clearing.house_store import ActRefused, Doing, read_act, read_house_balances, write_act
from exchange.clearing.house_views import act_view, body_of, margin_view
from exchange.clearing.instruction_store import save_prices
from exchange.clearing.office import Office
from exchange.clearing.rest_api import EVERYBODY, OFFICE, RULES, TradesApi, number_of, ruler_of
from exchange.clearing.rest_reports import date_of
from exchange.clearing.rest_settlement import do
from exchange.domain.participant import Role
from exchange.domain.reasons import Reason
from exchange.domain.units import UnitError, format_money, format_time, parse_money, parse_price
from exchange.infra.http import ApiError, Call, Route
from exchange.post_trade.books import Books
from exchange.wire.rest import collateral as j
from exchange.wire.rest import house as h
from exchange.wire.rest.errors import ErrorCode
from exchange.wire.rest.texts import Id

PAYS = frozenset({Role.TRADER, Role.CLEARING})
"""A participant pays margin of its own; everything else is the office's."""
DEFAULTS_SHOWN_MAX = 1_000
ACCOUNT_MAX = 2**31 - 1
_PAYMENT = {
    "reference": "2026-11-24-call-1",
    "what": "margin",
    "account": "1",
    "amount": "1000.00",
    "reason": "call",
}
T = TypeVar("T")


class CollateralApi:
    """The routes of margin, payments and defaults."""

    def __init__(
        self,
        office: Office,
        trades: TradesApi,
        collateral: CollateralDesk,
        defaults: DefaultDesk,
        relay: DefaultRelay,
    ) -> None:
        self._office = office
        self._trades = trades
        self._desk = collateral
        self._defaults = defaults
        self._relay = relay

    def routes(self) -> list[Route]:
        """List the routes."""
        return [*self._margin_routes(), *self._default_routes()]

    def _margin_routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/api/v1/margin", self.margin, "Show margin and open calls by account", "margin", EVERYBODY,
                query=j.MarginQuery, returns=j.MarginList, errors=(400, 404),
            ),
            Route(
                "POST", "/api/v1/margin", self.run, "Work margin out, and call what is missing", "margin", RULES,
                body=j.MarginOrder, returns=h.ActView, status=201, errors=(409, 503), example={"reason": "intraday"},
                description="Of everything that is traded and not settled, the present day included.",
            ),
            Route(
                "POST", "/api/v1/payments", self.pay, "Pay into margin, fund or capital, or out of it", "margin", PAYS,
                body=j.PaymentOrder, returns=h.ActView, status=201, errors=(404, 409, 503), example=_PAYMENT,
                description="A participant pays margin of its own in; the rest is the office's. Once per reference.",
            ),
            Route(
                "POST", "/api/v1/payments/{number}/correct", self.correct, "Take a payment back", "margin", RULES,
                body=j.CorrectOrder, returns=h.ActView, status=201, errors=(404, 409, 503),
                path_examples={"number": "1"}, path_types={"number": Id},
                example={"reason": "booked on the wrong account"},
                description="By entries the other way round, which may overdraw; once.",
            ),
            Route(
                "POST", "/api/v1/closing-prices", self.prices, "Enter closing prices of past days", "margin", RULES,
                body=j.PricesOrder, returns=j.PricesView, status=201, errors=(404, 409, 503),
                example={"prices": [{"symbol": "AAPL", "date": "2026-11-20", "price": "189.20"}], "reason": "history"},
            ),
        ]  # fmt: skip

    def _default_routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/api/v1/defaults", self.defaults, "List participants in default", "defaults", OFFICE,
                returns=j.DefaultList,
            ),
            Route(
                "POST", "/api/v1/defaults", self.declare, "Declare a participant in default", "defaults", RULES,
                body=j.DefaultOrder, returns=h.ActView, status=201, errors=(409, 503),
                example={"participant": "1", "taker": "2", "worse_bps": 500, "reason": "margin call not met"},
                description="What it has open goes over to the taker, the loss runs through the waterfall, and the "
                "engine's kill switch stops it.",
            ),
            Route(
                "POST", "/api/v1/defaults/drill", self.drill, "Let one default run through the waterfall", "defaults",
                OFFICE, body=j.DrillOrder, returns=j.DrillView, errors=(409, 503),
                example={"participant": "1", "worse_bps": 2_000},
                description="With what there is now; nothing is booked, and nobody is stopped.",
            ),
        ]  # fmt: skip

    # --- margin -----------------------------------------------------------------------------------------

    async def margin(self, call: Call) -> j.MarginList:
        """Answer GET /margin."""
        query: j.MarginQuery = call.query
        accounts, partition = self._trades.accounts_of(call, query.account), self._office.partition
        now_ns = self._office.clock.now_ns()

        def read(connection: Connection) -> list[j.MarginView]:
            balances = read_house_balances(connection, partition)
            return [
                margin_view(row, balances, now_ns) for row in read_margins(connection, partition, accounts)
            ]

        return j.MarginList(await self._office.read(read))

    async def run(self, call: Call) -> h.ActView:
        """Answer POST /margin."""
        body: j.MarginOrder = call.body
        actor, now_ns = ruler_of(call), self._office.clock.now_ns()
        return act_view(await do(self._office, "margin", lambda: self._desk.run(actor, body.reason, now_ns)))

    async def pay(self, call: Call) -> h.ActView:
        """Answer POST /payments."""
        body: j.PaymentOrder = call.body
        payment = Payment(body.reference, body.what, self._account(call, body), _amount(body.amount))
        actor, now_ns = ruler_of(call), self._office.clock.now_ns()
        act = await do(self._office, "a payment", lambda: self._desk.pay(payment, actor, body.reason, now_ns))
        return act_view(act)

    async def correct(self, call: Call) -> h.ActView:
        """Answer POST /payments/{number}/correct."""
        body: j.CorrectOrder = call.body
        number, actor, now_ns = (
            min(call.path_id("number"), 2**63 - 1),
            ruler_of(call),
            self._office.clock.now_ns(),
        )
        act = await do(
            self._office, "a correction", lambda: self._desk.correct(number, actor, body.reason, now_ns)
        )
        return act_view(act)

    async def prices(self, call: Call) -> j.PricesView:
        """Answer POST /closing-prices."""
        body: j.PricesOrder = call.body
        rows = {(self._symbol_id(row.symbol), date_of(row.date)): _price(row.price) for row in body.prices}
        actor, now_ns, partition = ruler_of(call), self._office.clock.now_ns(), self._office.partition

        def enter(connection: Connection, books: Books) -> int:
            if not all(day < books.business_date for _, day in rows):
                raise ActRefused("Closing prices are entered for days that are over.")
            save_prices(connection, partition, rows)
            doing = Doing(connection, partition, books, actor, body.reason, now_ns)
            number = doing.next_number()
            listed = [[symbol_id, day, price] for (symbol_id, day), price in sorted(rows.items())]
            return write_act(
                doing, "prices", f"prices/{number}", books.business_date, {"prices": listed}
            ).number

        number = await do(self._office, "closing prices", lambda: self._office.keeper.within(enter))
        return j.PricesView(prices=len(rows), act=str(number))

    # --- defaults ---------------------------------------------------------------------------------------

    async def defaults(self, call: Call) -> j.DefaultList:
        """Answer GET /defaults."""
        partition = self._office.partition

        def read(connection: Connection) -> list[j.DefaultView]:
            rows = list_defaults(connection, partition)[:DEFAULTS_SHOWN_MAX]
            return [_default_view(connection, partition, row) for row in rows]

        return j.DefaultList(await self._office.read(read))

    async def declare(self, call: Call) -> h.ActView:
        """Answer POST /defaults."""
        body: j.DefaultOrder = call.body
        participant, taker = _small_id(body.participant, "participant"), _small_id(body.taker, "taker")
        actor, now_ns = ruler_of(call), self._office.clock.now_ns()
        act = await do(
            self._office, f"the default of participant {participant}",
            lambda: self._defaults.declare(participant, taker, _bps(body.worse_bps), actor, body.reason, now_ns),
        )  # fmt: skip
        self._relay.wake()
        return act_view(act)

    async def drill(self, call: Call) -> j.DrillView:
        """Answer POST /defaults/drill."""
        body: j.DrillOrder = call.body
        participant, worse_bps = _small_id(body.participant, "participant"), _bps(body.worse_bps)
        drill, within = self._defaults.drill, self._office.keeper.within
        closing = await do(
            self._office, "a drill", lambda: within(lambda c, books: drill(c, books, participant, worse_bps))
        )
        waterfall = closing.waterfall
        return j.DrillView(
            participant=str(participant),
            worth=format_money(closing.worth),
            loss=format_money(waterfall.loss),
            borne=[_borne(str(share.layer), share.account_id, share.amount) for share in waterfall.shares],
            uncovered=format_money(waterfall.uncovered),
        )

    # --- what they share --------------------------------------------------------------------------------

    def _account(self, call: Call, body: j.PaymentOrder) -> int:
        """Return whose payment it is. Raise `ApiError` where the caller may not order it."""
        if not call.who.is_any(Role.CLEARING) and (body.what != MARGIN_OF or body.amount.startswith("-")):
            raise ApiError.of(
                ErrorCode.ROLE_NOT_ALLOWED, "a participant pays margin in; the rest is the office's"
            )
        if body.what == CAPITAL:
            return number_of(body.account, "account") if body.account else 0
        (account_id,) = self._trades.accounts_of(call, body.account or "0") or [0]
        return account_id

    def _symbol_id(self, name: str) -> int:
        symbol = self._office.directory.symbol_named(name)
        if symbol is None:
            raise ApiError(404, Reason.UNKNOWN_SYMBOL, f"there is no symbol {name[:20]!r}", "symbol")
        return int(symbol.symbol_id)


def _default_view(connection: Connection, partition: int, row: DefaultRow) -> j.DefaultView:
    act = read_act(connection, partition, row.act)
    assert act is not None, row
    shares: list[Any] = body_of(act)["shares"]
    return j.DefaultView(
        participant=str(row.participant_id),
        declared_at=format_time(row.declared_ns),
        stopped_at=format_time(row.blocked_ns) if row.blocked_ns else "",
        attempts=row.attempts,
        answer=row.answer,
        act=str(row.act),
        borne=[_borne(*share) for share in shares],
    )


def _borne(step: str, account_id: int, amount: int) -> j.BorneView:
    return j.BorneView(step=step, account=str(account_id or ""), amount=format_money(amount))


def _amount(text: str) -> int:
    try:
        amount = int(parse_money(text))
    except UnitError as error:
        raise ApiError.of(ErrorCode.INVALID_FIELD, str(error), "amount") from error
    if not amount:
        raise ApiError.of(ErrorCode.INVALID_FIELD, "amount must not be 0", "amount")
    return amount


def _price(text: str) -> int:
    try:
        return int(parse_price(text))
    except UnitError as error:
        raise ApiError.of(ErrorCode.INVALID_FIELD, str(error), "price") from error


def _small_id(text: str, field: str) -> int:
    return min(number_of(text, field), ACCOUNT_MAX)


def _bps(worse_bps: int) -> int:
    if not 0 <= worse_bps <= 10_000:
        raise ApiError.of(
            ErrorCode.INVALID_FIELD, f"worse_bps must be 0 to 10000, got {worse_bps}", "worse_bps"
        )
    return worse_bps
