"""The messages of the market data stream; `docs/websocket.md` says how they play together.

`seq` is the sequence of an event. Within a channel and symbol (for candles: and interval) each message names in
`prev_seq` the `seq` of the one before it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from exchange.wire.rest.market import CandleView, FiguresView, Ticker, TradeView
from exchange.wire.rest.phases import IndicationView
from exchange.wire.rest.volatility import BandsView, BreakerStandView

STREAM_VERSION = 1
CHANNELS = ("trades", "book", "queue", "ticker", "candles", "status")
OPERATIONS = ("subscribe", "unsubscribe", "ping")
OPERATION_ID_MAX = 64
SYMBOLS_PER_OPERATION_MAX = 200
DEPTH_MAX = 1_000
CONFLATED_MS_MIN, CONFLATED_MS_DEFAULT, CONFLATED_MS_MAX = 10, 50, 10_000

LevelText = tuple[str, str, int]
"""[price, quantity, orders] of a price level; quantity "0": the level is gone."""


class Operation(Struct, forbid_unknown_fields=True):
    """What a client sends. id: echoed in the answer; symbols: names, or "*" for all.

    from_seq: the first sequence wanted; depth: levels a side, 0 for all; conflated: true, or milliseconds.
    """

    op: Annotated[str, Meta(max_length=64)]
    id: Annotated[str, Meta(max_length=OPERATION_ID_MAX)] = ""
    channel: Annotated[str, Meta(max_length=64)] = ""
    symbols: Annotated[
        list[Annotated[str, Meta(max_length=64)]], Meta(max_length=SYMBOLS_PER_OPERATION_MAX)
    ] = []
    from_seq: Annotated[int, Meta(ge=0, lt=10**18)] | None = None
    depth: Annotated[int, Meta(ge=0, le=DEPTH_MAX)] = 0
    conflated: bool | Annotated[int, Meta(ge=0, le=CONFLATED_MS_MAX)] = False
    interval: Annotated[str, Meta(max_length=8)] = "1m"


# --- about the connection -------------------------------------------------------------------------


class Welcome(Struct, tag_field="type", tag="welcome"):
    """The first message of a connection."""

    version: int
    partition: int
    epoch: int
    seq: int
    heartbeat_ms: int
    subscriptions_max: int
    channels: tuple[str, ...] = CHANNELS


class Subscribed(Struct, tag_field="type", tag="subscribed"):
    """A subscription stands; a snapshot per symbol follows."""

    id: str
    channel: str
    symbols: list[str]
    depth: int | UnsetType = UNSET
    conflated_ms: int | UnsetType = UNSET
    interval: str | UnsetType = UNSET


class Unsubscribed(Struct, tag_field="type", tag="unsubscribed"):
    """A subscription ended."""

    id: str
    channel: str
    symbols: list[str]


class Pong(Struct, tag_field="type", tag="pong"):
    """The answer to a ping. seq: of the last event that was published."""

    id: str
    seq: int


class Heartbeat(Struct, tag_field="type", tag="heartbeat", omit_defaults=True):
    """Nothing was sent for a while. seq: of the last event that was published; problem: why nothing new comes."""

    seq: int
    problem: str = ""


# --- trades ---------------------------------------------------------------------------------------


class TradesSnapshot(Struct, kw_only=True):
    """The latest trades, oldest first, with what became of them. resumed_from: where from_seq is not kept."""

    channel: Literal["trades"] = "trades"
    type: Literal["snapshot"] = "snapshot"
    symbol: str
    seq: int
    note: str | UnsetType = UNSET
    trades: list[TradeView]


class Resumed(Struct, kw_only=True):
    """The messages from the sequence that was asked for follow, without a snapshot."""

    channel: str
    type: Literal["resumed"] = "resumed"
    symbol: str
    from_seq: int


class TradeMessage(Struct, kw_only=True, gc=False):
    """A trade was executed."""

    channel: Literal["trades"] = "trades"
    type: Literal["trade"] = "trade"
    symbol: str
    prev_seq: int
    seq: int
    at: str
    trade: TradeView


class TradeChanged(Struct, kw_only=True):
    """A trade was busted or corrected. trade: as it is now; tape: the figures of its business date without it.

    price, qty: what it stood at before; new_price, new_qty: of a correction. On the channels trades and status.
    """

    channel: Literal["trades", "status"]
    type: Literal["bust", "correction"]
    symbol: str
    prev_seq: int
    seq: int
    at: str
    match_id: str
    executed_seq: int
    executed_at: str
    price: str
    qty: str
    new_price: str | UnsetType = UNSET
    new_qty: str | UnsetType = UNSET
    reason: str
    ruling_id: str
    version: int
    trade: TradeView
    tape: FiguresView


# --- book -----------------------------------------------------------------------------------------


class BookSnapshot(Struct, kw_only=True):
    """The levels in view, best first. note: why it comes where from_seq was asked for."""

    channel: Literal["book"] = "book"
    type: Literal["snapshot"] = "snapshot"
    symbol: str
    seq: int
    note: str | UnsetType = UNSET
    bids: list[LevelText]
    asks: list[LevelText]
    checksum: int


class BookDelta(Struct, kw_only=True, gc=False):
    """The levels that changed, as they are now. checksum: over the ten best levels in view, afterwards."""

    channel: Literal["book"] = "book"
    type: Literal["delta"] = "delta"
    symbol: str
    prev_seq: int
    seq: int
    at: str
    bids: list[LevelText]
    asks: list[LevelText]
    checksum: int


# --- queue ----------------------------------------------------------------------------------------

OrderText = tuple[str, str, str]
"""[order id, price, quantity left] of an order; quantity "0": it is gone."""


class QueueSnapshot(Struct, kw_only=True):
    """All orders, in the sequence in which they would trade. checksum: over the ten first of each side."""

    channel: Literal["queue"] = "queue"
    type: Literal["snapshot"] = "snapshot"
    symbol: str
    seq: int
    note: str | UnsetType = UNSET
    bids: list[OrderText]
    asks: list[OrderText]
    checksum: int


class QueueDelta(Struct, kw_only=True, gc=False):
    """What a command did to orders, in order: one not known yet is last at its price, others keep their place."""

    channel: Literal["queue"] = "queue"
    type: Literal["delta"] = "delta"
    symbol: str
    prev_seq: int
    seq: int
    at: str
    bids: list[OrderText]
    asks: list[OrderText]
    checksum: int


# --- ticker, candles ------------------------------------------------------------------------------


class TickerMessage(Struct, kw_only=True, gc=False):
    """A symbol's ticker, whole. type: `snapshot` for the first, then `ticker`."""

    channel: Literal["ticker"] = "ticker"
    type: Literal["snapshot", "ticker"]
    symbol: str
    prev_seq: int | UnsetType = UNSET
    seq: int
    at: str
    note: str | UnsetType = UNSET
    ticker: Ticker


class CandleMessage(Struct, kw_only=True, gc=False):
    """A candle, whole. type: `snapshot` for the newest at the start, then `candle`.

    corrected: a bust or correction changed it, so it may be an old one. candle: null where nothing traded yet.
    """

    channel: Literal["candles"] = "candles"
    type: Literal["snapshot", "candle"]
    symbol: str
    interval: str
    prev_seq: int | UnsetType = UNSET
    seq: int
    at: str
    note: str | UnsetType = UNSET
    corrected: bool = False
    candle: CandleView | None


# --- status ---------------------------------------------------------------------------------------


class StatusSnapshot(Struct, kw_only=True):
    """Where a symbol and the exchange stand. symbol: empty for the exchange alone, which has the breaker, if any."""

    channel: Literal["status"] = "status"
    type: Literal["snapshot"] = "snapshot"
    symbol: str
    seq: int
    note: str | UnsetType = UNSET
    state: str | None
    reference_price: str | None
    business_date: str | None
    epoch: int
    phase: str | None = None
    indication: IndicationView | None = None
    bands: BandsView | None = None
    breaker: BreakerStandView | None = None


class StatusMessage(Struct, kw_only=True, omit_defaults=True):
    """Something changed that is neither book nor trade. symbol: empty where it concerns the whole exchange."""

    channel: Literal["status"]
    type: Literal[
        "symbol_added", "symbol_changed", "symbol_state", "reference_price", "business_date", "engine_started",
        "configuration", "phase", "phase_scheduled", "auction_indicated", "auction_executed", "auction_extended",
        "trading_blocked", "trading_unblocked", "price_bands_set", "price_corridor_set", "price_bands", "limit_state",
        "auction_collar", "corridor_left", "market_breaker", "index_level", "breaker_tripped", "split",
        "symbol_renamed", "dividend", "short_sales_restricted", "short_sales_free",
    ]  # fmt: skip
    symbol: str
    prev_seq: int
    seq: int
    at: str
    state: str = ""
    reason: str = ""
    name: str = ""
    reference_price: str = ""
    business_date: str = ""
    epoch: int = 0
    changes: list[str] = []
    configuration_version: int = 0
    phase: str = ""
    cause: str = ""
    begins_at: str = ""
    ends_at: str = ""
    auction: str = ""
    price: str = ""
    far_price: str = ""
    qty: str = ""
    imbalance_qty: str = ""
    imbalance_side: str = ""
    lowest_price: str = ""
    highest_price: str = ""
    tier: int = 0
    dynamic_bps: int = 0
    static_bps: int = 0
    is_doubled: bool = False
    bid: str = ""
    ask: str = ""
    extension: int = 0
    level: int = 0
    index_level: str = ""
    fall_bps: int = 0
    former_symbol: str = ""
    new_shares: int = 0
    old_shares: int = 0
    days: int = 0
