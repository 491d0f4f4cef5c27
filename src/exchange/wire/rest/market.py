"""Market data as JSON: trades, tickers, candles, statistics. Public and anonymous: no account is in it."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from msgspec import UNSET, Struct, UnsetType

from exchange.domain.units import format_price, format_time
from exchange.wire.rest.admin import BustReasonText
from exchange.wire.rest.texts import (
    PAGE_DEFAULT,
    CandleCursor,
    Cursor,
    DateOrEmpty,
    DateText,
    Id,
    IntervalText,
    Limit,
    MoneyText,
    PriceText,
    QuantityText,
    SideText,
    SymbolOrEmpty,
    SymbolText,
    TimeOrEmpty,
    TimeText,
    choice,
)

TRADE_STATUSES = ("executed", "corrected", "busted")
SECOND_NS = 1_000_000_000
PRICE_TEXTS_KEPT = 65_536
SECOND_TEXTS_KEPT = 4_096

TradeStatusText = Annotated[str, choice(dict.fromkeys(TRADE_STATUSES))]

price_text = lru_cache(PRICE_TEXTS_KEPT)(format_price)
"""`format_price`, remembered: prices come again and again."""


@lru_cache(SECOND_TEXTS_KEPT)
def _second_text(second: int) -> str:
    return format_time(second * SECOND_NS)[:20]


def time_text(time_ns: int) -> str:
    """Do what `format_time` does, faster for times close to each other."""
    second, nanoseconds = divmod(time_ns, SECOND_NS)
    return f"{_second_text(second)}{nanoseconds:09d}Z"


# --- what is asked for ----------------------------------------------------------------------------


class TradesQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which trades to list, newest first. include_busted: busted trades are marked, else left out."""

    symbol: SymbolOrEmpty = ""
    include_busted: bool = True
    limit: Limit = PAGE_DEFAULT
    cursor: Cursor = ""


class SymbolQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """One symbol, or with an empty text all of them."""

    symbol: SymbolOrEmpty = ""


class OneSymbolQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """One symbol."""

    symbol: SymbolText


class CandlesQuery(Struct, kw_only=True, forbid_unknown_fields=True, rename={"from_time": "from"}):
    """Which candles, oldest first.

    from, to: candles that begin at or after the one and before the other; without `from` the newest before `to`.
    fill: where nothing traded, a candle without volume at the last price stands in.
    """

    symbol: SymbolText
    interval: IntervalText = "1m"
    from_time: TimeOrEmpty = ""
    to: TimeOrEmpty = ""
    fill: bool = False
    limit: Limit = PAGE_DEFAULT
    cursor: CandleCursor = ""


class StatisticsQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whose statistics, and of which business date; the present one where it is left out."""

    symbol: SymbolOrEmpty = ""
    date: DateOrEmpty = ""


# --- what is answered -----------------------------------------------------------------------------


class TradeView(Struct, kw_only=True, gc=False):
    """A trade on the tape.

    seq: of its event; price, qty: as they stand, after corrections; executed_price, executed_qty: as it was
    executed, where it was corrected; changed_seq, changed_at, reason, ruling_id: of the last correction or the bust.
    """

    match_id: Id
    symbol: SymbolText
    seq: int
    price: PriceText
    qty: QuantityText
    taker_side: SideText
    maker_order_id: Id
    taker_order_id: Id
    reference_price: PriceText
    business_date: DateText
    executed_at: TimeText
    status: TradeStatusText
    version: int
    executed_price: PriceText | UnsetType = UNSET
    executed_qty: QuantityText | UnsetType = UNSET
    changed_seq: int | UnsetType = UNSET
    changed_at: TimeText | UnsetType = UNSET
    reason: BustReasonText | UnsetType = UNSET
    ruling_id: Id | UnsetType = UNSET


class TradeList(Struct):
    """A page of trades."""

    items: list[TradeView]
    next: str | None = None


class FiguresView(Struct, kw_only=True, gc=False):
    """Figures of the trades that stand. notional: sum of price × quantity; null where nothing traded."""

    open: PriceText | None = None
    high: PriceText | None = None
    low: PriceText | None = None
    last: PriceText | None = None
    volume: QuantityText = "0"
    notional: MoneyText = "0.00"
    vwap: PriceText | None = None
    trades: int = 0


class StatisticsView(FiguresView, kw_only=True, gc=False):
    """A symbol's statistics of a business date. busted: its trades that were busted and count nowhere."""

    symbol: SymbolText
    business_date: DateText
    busted: int
    corrected: int
    previous_close: PriceText | None


class StatisticsList(Struct):
    """Statistics of every symbol that was asked for. seq: of the last event they count."""

    items: list[StatisticsView]
    seq: int


class Ticker(FiguresView, kw_only=True, gc=False):
    """Where a symbol stands: best quotes, the business date's figures, and the change since the last close.

    change_bps: in hundredths of a percent.
    """

    symbol: SymbolText
    seq: int
    at: TimeText
    business_date: DateText | None
    state: str
    bid: PriceText | None
    bid_qty: QuantityText | None
    ask: PriceText | None
    ask_qty: QuantityText | None
    previous_close: PriceText | None
    change: MoneyText | None
    change_bps: int | None


class TickerList(Struct):
    """Tickers of every symbol that was asked for."""

    items: list[Ticker]


class CandleView(Struct, kw_only=True, gc=False):
    """A candle. start: of its interval; end: the first moment after it; without trades all prices are equal."""

    start: TimeText
    end: TimeText
    business_date: DateText
    open: PriceText | None
    high: PriceText | None
    low: PriceText | None
    close: PriceText | None
    volume: QuantityText
    notional: MoneyText
    vwap: PriceText | None
    trades: int


class CandleList(Struct):
    """A page of candles, oldest first."""

    symbol: SymbolText
    interval: IntervalText
    items: list[CandleView]
    next: str | None = None
