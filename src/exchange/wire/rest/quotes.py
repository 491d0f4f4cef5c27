"""Market makers' quotes as JSON: what REST takes and answers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from exchange.domain.quote import PROTECTION_WINDOW_MS_MAX, QUOTES_MAX
from exchange.domain.units import QUANTITY_MAX
from exchange.wire.rest.errors import ErrorBody
from exchange.wire.rest.orders import Order
from exchange.wire.rest.texts import (
    Id,
    IdOrEmpty,
    PriceNumber,
    PriceText,
    QuantityText,
    SharesIn,
    SharesNumber,
    SymbolOrEmpty,
    SymbolText,
    whole,
)

QuoteNumber = Annotated[int, whole(0, 2**32 - 1)]
ProtectionNumber = Annotated[int, whole(0, QUANTITY_MAX)]


class NewQuote(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A quote in a symbol; a side that is left out is none."""

    symbol: SymbolText
    bid_price: PriceText | PriceNumber | None = None
    bid_qty: SharesIn | SharesNumber | None = None
    ask_price: PriceText | PriceNumber | None = None
    ask_qty: SharesIn | SharesNumber | None = None


class NewQuotes(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Quotes, each of another symbol and in place of the account's quote there. quote_id: a number of your own.

    account: may be left out where the key's participant has exactly one.
    """

    quotes: Annotated[list[NewQuote], Meta(min_length=1, max_length=QUOTES_MAX)]
    quote_id: QuoteNumber = 0
    account: IdOrEmpty = ""


class QuoteResult(Struct, kw_only=True, omit_defaults=True, gc=False):
    """What became of one quote: its bid and ask as they stand, or why it was refused."""

    symbol: SymbolText
    bid: Order | None = None
    ask: Order | None = None
    error: ErrorBody | None = None


class QuoteResults(Struct, kw_only=True):
    """What became of each quote, in their order. seq: of the last event."""

    account: Id
    quote_id: int
    seq: int
    items: list[QuoteResult]


class QuotesQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whose quotes, in which symbol; without a symbol in all of them."""

    symbol: SymbolOrEmpty = ""
    account: IdOrEmpty = ""


class CanceledQuotes(Struct, kw_only=True):
    """Quotes that were withdrawn. count: of their orders."""

    count: int
    seq: int


class NewProtection(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What may trade of quotes within a window before they are withdrawn; 0 is no limit, a window of 0 no protection.

    symbol: empty for all symbols together; percent_bps: the sum of the parts of quoted quantities that traded.
    """

    symbol: SymbolOrEmpty = ""
    account: IdOrEmpty = ""
    qty: ProtectionNumber = 0
    executions: ProtectionNumber = 0
    percent_bps: ProtectionNumber = 0
    delta: ProtectionNumber = 0
    window_ms: Annotated[int, whole(0, PROTECTION_WINDOW_MS_MAX)] = 0


class ProtectionReset(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Which protection to reset; without a symbol that of all symbols together."""

    symbol: SymbolOrEmpty = ""
    account: IdOrEmpty = ""


class QuoteView(Struct, kw_only=True, gc=False):
    """A live quote, or under an empty symbol what holds for all, and its protection with what was counted."""

    symbol: str
    account: Id
    bid_order_id: Id | None
    ask_order_id: Id | None
    qty: int
    executions: int
    percent_bps: int
    delta: int
    window_ms: int
    traded_qty: QuantityText
    traded_executions: int
    traded_percent_bps: int
    traded_delta: int
    reached: bool


class QuoteViews(Struct):
    """The quotes and protections that hold."""

    items: list[QuoteView]
    next: str | None = None
