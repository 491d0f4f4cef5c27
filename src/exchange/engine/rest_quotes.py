"""REST of market makers' quotes: quote, withdraw, protect, reset, and show what holds."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.quote import PROTECTION_WINDOW_MS_MAX, Quote
from exchange.domain.units import QUANTITY_MAX, AccountId, ParticipantId, SymbolId
from exchange.engine import order_results
from exchange.engine.gateway import Gateway
from exchange.engine.order_entry import authority, price_of, quantity_of, unknown_symbol
from exchange.engine.refusals import error_body, invalid_field, refusal
from exchange.engine.rest_order_lists import orders_in
from exchange.engine.rest_orders import CANCELLER, READER, TRADER
from exchange.infra.http_routes import ApiError, Call, Route
from exchange.matching.venue_state import QuoteDesk
from exchange.wire.records import decode_event, encode_command, split
from exchange.wire.rest.quotes import (
    CanceledQuotes,
    NewProtection,
    NewQuote,
    NewQuotes,
    ProtectionReset,
    QuoteResult,
    QuoteResults,
    QuotesQuery,
    QuoteView,
    QuoteViews,
)

_PATH = "/api/v1/quotes"
_TAG = "quotes"
_QUOTE = {"symbol": "AAPL", "bid_price": "189.10", "bid_qty": "100", "ask_price": "189.30", "ask_qty": "100"}
_PROTECTION = {"symbol": "AAPL", "qty": 500, "window_ms": 1000}
QUOTE_ID_MAX = 2**32 - 1
_RESERVATION = encode_command(c.ReserveOrderId())


class QuotesApi:
    """The routes of quotes."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "POST", _PATH, self.quote, "Quote in up to 100 symbols", _TAG, TRADER, body=NewQuotes,
                returns=QuoteResults, errors=(404, 422, 503), example={"quote_id": 7, "quotes": [_QUOTE]},
                description="Each quote takes the place of the account's quote in its symbol, in one step, and has its "
                "own result; one that is refused leaves the one before.",
            ),
            Route(
                "GET", _PATH, self.quotes, "Show live quotes and protections", _TAG, READER, query=QuotesQuery,
                returns=QuoteViews, errors=(404, 422, 503),
            ),
            Route(
                "DELETE", _PATH, self.cancel, "Withdraw quotes, of a symbol or all", _TAG, CANCELLER,
                query=QuotesQuery, returns=CanceledQuotes, errors=(404, 422, 503),
            ),
            Route(
                "PUT", _PATH + "/protection", self.protect, "Protect quotes by what trades within a window", _TAG,
                TRADER, body=NewProtection, returns=QuoteView, errors=(404, 422, 503), example=_PROTECTION,
                description="Where a limit is reached, the quotes it protects are withdrawn as soon as the order in "
                "hand is done, and none is taken until the protection is reset.",
            ),
            Route(
                "POST", _PATH + "/reset", self.reset, "Quote again after a protection was reached", _TAG, TRADER,
                body=ProtectionReset, returns=QuoteView, errors=(404, 422, 503), example={"symbol": "AAPL"},
            ),
        ]  # fmt: skip

    async def quote(self, call: Call) -> QuoteResults:
        """Answer POST /quotes."""
        gateway, new = self._gateway, call.body
        check_whole(new.quote_id, "quote_id", QUOTE_ID_MAX)
        account_id = gateway.entry.account_for(new.account, call.who)
        records = _RESERVATION * (2 * len(new.quotes) - 1) + encode_command(
            command_of(gateway, new, account_id)
        )
        events = await gateway.submit(records, 2 * len(new.quotes))
        if order_results.is_refused(events):
            raise order_results.command_refusal(events)
        return results_of(gateway, events, new, account_id, call.request_id)

    async def quotes(self, call: Call) -> QuoteViews:
        """Answer GET /quotes."""
        gateway, query = self._gateway, call.query
        accounts = gateway.entry.accounts_seen_by(query.account, call.who)
        symbol_id = gateway.entry.symbol_id(query.symbol)
        desks = await gateway.read(lambda venue: venue.quote_desks())
        return QuoteViews([
            view_of(gateway, key, desk)
            for key, desk in desks.items()
            if (accounts is None or key[0] in accounts) and symbol_id in (0, key[1])
        ])  # fmt: skip

    async def cancel(self, call: Call) -> CanceledQuotes:
        """Answer DELETE /quotes."""
        gateway, query = self._gateway, call.query
        participant_id = authority(call.who)
        if participant_id:
            account_id = gateway.entry.account_for(query.account, call.who)
        else:
            account_id = (gateway.entry.accounts_seen_by(query.account, call.who) or [0])[0]
        command = c.CancelQuotes(
            participant_id=ParticipantId(participant_id),
            account_id=AccountId(account_id),
            symbol_id=SymbolId(gateway.entry.symbol_id(query.symbol)),
        )
        event = await gateway.carry_out_to(command, e.QuotesCancelled)
        return CanceledQuotes(count=event.count, seq=event.sequence)

    async def protect(self, call: Call) -> QuoteView:
        """Answer PUT /quotes/protection."""
        new: NewProtection = call.body
        for name in ("qty", "executions", "percent_bps", "delta"):
            check_whole(getattr(new, name), name, QUANTITY_MAX)
        check_whole(new.window_ms, "window_ms", PROTECTION_WINDOW_MS_MAX)
        account_id, symbol_id = self._whose(call)
        await self._gateway.carry_out(c.SetQuoteProtection(
            account_id=AccountId(account_id), symbol_id=SymbolId(symbol_id), quantity=new.qty,
            executions=new.executions, percent_bps=new.percent_bps, delta=new.delta, window_ms=new.window_ms,
        ))  # fmt: skip
        return await self._view(account_id, symbol_id)

    async def reset(self, call: Call) -> QuoteView:
        """Answer POST /quotes/reset."""
        account_id, symbol_id = self._whose(call)
        await self._gateway.carry_out(
            c.ResetQuoteProtection(account_id=AccountId(account_id), symbol_id=SymbolId(symbol_id))
        )
        return await self._view(account_id, symbol_id)

    def _whose(self, call: Call) -> tuple[int, int]:
        entry = self._gateway.entry
        return entry.account_for(call.body.account, call.who), entry.symbol_id(call.body.symbol)

    async def _view(self, account_id: int, symbol_id: int) -> QuoteView:
        desks = await self._gateway.read(lambda venue: venue.quote_desks())
        key = (account_id, symbol_id)
        return view_of(self._gateway, key, desks.get(key, QuoteDesk()))


def check_whole(value: int, name: str, largest: int) -> None:
    """Refuse a number that no record can carry. Raise `ApiError`."""
    if not 0 <= value <= largest:
        raise invalid_field(name, f"{name} must be a whole number from 0 to {largest}, got {value}")


def command_of(gateway: Gateway, new: NewQuotes, account_id: int) -> c.MassQuote:
    """Return the command of a mass quote. Raise `ApiError` where no record can carry it."""
    rows = tuple(quote_of(gateway, quote) for quote in new.quotes)
    return c.MassQuote(account_id=AccountId(account_id), quote_id=new.quote_id, quotes=rows)


def quote_of(gateway: Gateway, quote: NewQuote) -> Quote:
    """Return a quote as its command has it. Raise `ApiError` where no record can carry it."""
    symbol_id = gateway.venue.directory.symbol_ids.get(quote.symbol)
    if symbol_id is None:
        raise unknown_symbol(quote.symbol)
    for name in ("bid_qty", "ask_qty"):
        if getattr(quote, name) in (0, "0"):
            raise invalid_field(name, f"{name} must be above 0; leave out the side that you do not quote")
    sides = ((quote.bid_price, quote.bid_qty, "bid"), (quote.ask_price, quote.ask_qty, "ask"))
    numbers = [
        number
        for price, quantity, side in sides
        for number in (
            price_of(price, f"{side}_price"),
            0 if quantity is None else quantity_of(quantity, f"{side}_qty"),
        )
    ]
    return Quote(symbol_id, *numbers)


def results_of(
    gateway: Gateway, events: bytes, new: NewQuotes, account_id: int, request_id: str
) -> QuoteResults:
    """Return what became of each quote of a mass quote, from the events of its command."""
    orders = {order.id: order for order in orders_in(gateway, events)}
    told = [decode_event(events, offset) for offset, _ in split(events)]
    answers = [event for event in told if isinstance(event, e.QuoteAccepted | e.QuoteRejected)]
    items = []
    for quote, event in zip(new.quotes, answers, strict=True):
        item = QuoteResult(symbol=quote.symbol)
        if isinstance(event, e.QuoteRejected):
            error: ApiError = refusal(event.reason, measured=event.measured, limit=event.limit)
            item.error = error_body(error, request_id)
        else:
            item.bid, item.ask = orders.get(str(event.bid_order_id)), orders.get(str(event.ask_order_id))
        items.append(item)
    return QuoteResults(account=str(account_id), quote_id=new.quote_id, seq=told[-1].sequence, items=items)


def view_of(gateway: Gateway, key: tuple[int, int], desk: QuoteDesk) -> QuoteView:
    """Write a quote and its protection."""
    account_id, symbol_id = key
    limits = desk.limits
    return QuoteView(
        symbol=gateway.symbols[symbol_id].symbol if symbol_id else "", account=str(account_id),
        bid_order_id=str(desk.bid) if desk.bid else None, ask_order_id=str(desk.ask) if desk.ask else None,
        qty=limits.quantity, executions=limits.executions, percent_bps=limits.percent_bps, delta=limits.delta,
        window_ms=limits.window_ms, traded_qty=str(desk.quantity), traded_executions=desk.executions,
        traded_percent_bps=desk.percent_bps, traded_delta=desk.bought, reached=desk.is_reached,
    )  # fmt: skip
