"""The sections of the configuration: every key with its type, its bounds, its default and, below it, its
meaning.

The commented `exchange.toml` is made of this file (`config_text.py`): the docstring of a section opens its
table, the text below a key is its comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from exchange.domain.allocation import STEPS_MAX, AllocationStep, StepKind, first_bad_step, parse_step
from exchange.domain.participant import is_valid_name
from exchange.domain.symbol import (
    DEFAULT_TICKS,
    SYMBOL_PATTERN,
    SYMBOLS_MAX,
    TICK_ROWS_MAX,
    TickRow,
    TickTable,
)
from exchange.domain.units import (
    QUANTITY_MAX,
    Money,
    Price,
    Quantity,
    UnitError,
    format_money,
    format_price,
    parse_money,
    parse_price,
)
from exchange.domain.volatility import CORRIDOR_BPS_MAX, TIERS_MAX
from exchange.infra.clearing_house_config import FundConfig, MarginConfig, SettlementConfig
from exchange.infra.config_keys import Secret, Section, Text
from exchange.infra.schedule_config import ScheduleConfig

PARTITIONS_MAX = 128
_PARTITION = re.compile(r"(\d{1,3})/(\d{1,3})\Z", re.ASCII)
_URL = re.compile(r"https?://[^\s/?#]+/?\Z", re.ASCII)
_REDIS_SCHEMES = ("redis://", "rediss://", "unix://")
_TIME_OF_DAY = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d\Z", re.ASCII)


def _parse_row_start(text: str) -> Price:
    return Price(0) if text == "0" else parse_price(text)


def _show_row_start(price: int) -> str:
    return format_price(price) if price else "0"


def _parse_partition(text: str) -> str:
    found = _PARTITION.match(text)
    if not found or not int(found[1]) < int(found[2]) <= PARTITIONS_MAX:
        raise UnitError(
            f'must be "number/count" such as "0/4", counted from 0, at most {PARTITIONS_MAX}, got "{text}"'
        )
    return text


def _parse_url(text: str) -> str:
    if text and not _URL.match(text):
        raise UnitError(f'must be like "http://host:8001", or empty, got "{text}"')
    return text.rstrip("/")


def _parse_day_end(text: str) -> str:
    if text != "never" and not _TIME_OF_DAY.match(text):
        raise UnitError(f'must be a time of day in UTC such as "00:00", or "never", got "{text}"')
    return text


Port = Annotated[int, Meta(ge=0, le=65_535)]
Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
CountOrNone = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Mebibytes = Annotated[int, Meta(ge=1, le=1_048_576)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", title="three capital letters")]
Url = Annotated[str, Text(_parse_url, str, "http://engine:8001")]
Host = Annotated[str, Meta(pattern=r"^\S+$", title="without a blank")]
Folder = Annotated[str, Meta(pattern=r"^[^?]+$", title="without a question mark")]
NsqdAddress = Annotated[str, Meta(pattern=r"^\S+:\d{1,5}$", title='such as "127.0.0.1:4150"')]
LookupUrl = Annotated[str, Meta(pattern=r"^https?://[^/\s]+$", title='such as "http://127.0.0.1:4161"')]
Origin = Annotated[str, Meta(pattern=r"^(\*|https?://[^/\s]+)$", title='such as "https://example.com"')]
StoreUrl = Annotated[str, Secret()]
PriceText = Annotated[Price, Text(parse_price, format_price, "189.20")]
RowStart = Annotated[Price, Text(_parse_row_start, _show_row_start, "1.00")]
MoneyText = Annotated[Money, Text(parse_money, format_money, "1000000.00")]
Partition = Annotated[str, Text(_parse_partition, str, "0/1")]
DayEnd = Annotated[str, Text(_parse_day_end, str, "00:00")]
Trader = Literal["noise", "market_maker", "momentum"]


class ExchangeConfig(Section, frozen=True, kw_only=True):
    """What all components share."""

    name: str = "stock-exchange"
    """Shown on the page and in the API documents."""
    data: Folder = "data"
    """Folder for journal, stores and demo keys, seen from where the exchange is started."""
    host: Host = "127.0.0.1"
    """Address to listen on; "0.0.0.0" lets other machines in."""
    port_base: Annotated[int, Meta(ge=0, le=65_000)] = 8000
    """The engine listens on this + 1, the reporter on + 2, clearing on + 3; 0 lets the system choose."""
    currency: Currency = "USD"
    """Currency of all prices and cash, ISO 4217."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines that are logged."""
    log_format: Literal["auto", "text", "json"] = "auto"
    """Text for people, JSON for machines; auto is text on a terminal, else JSON."""
    cors_origins: Annotated[tuple[Origin, ...], Meta(max_length=100)] = ()
    """Web origins that may call the API beside the exchange's own page, such as "https://example.com"."""
    rate_per_s: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """Requests per second of each key, or of each address without a key, at each component; more are refused
    with 429. 0: no limit.
    """
    rate_burst: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """Requests that may come at once; 0: as many as rate_per_s."""
    config_approvals: Annotated[int, Meta(ge=1, le=2)] = 1
    """How many operators a change of the shared configuration needs: 2 and one proposes it, another approves it."""
    config_proposal_hours: Annotated[int, Meta(ge=1, le=720)] = 24
    """A proposal that nobody approved for so long is void."""


class OuchConfig(Section, frozen=True, kw_only=True):
    """OUCH 5.0 over SoupBinTCP: the engine's binary order entry. `exchange sessions add` makes its users."""

    enabled: bool = True
    """Whether the engine listens for it."""
    host: str = ""
    """Address to listen on; empty takes the engine's."""
    port: Port = 0
    """Port to listen on; 0 takes the engine's + 10, so [exchange] port_base + 11."""
    connections_max: Annotated[int, Meta(ge=1, le=10_000)] = 256
    """More are closed at once."""
    messages_per_s: Annotated[int, Meta(ge=0, le=10_000_000)] = 0
    """Messages per second of one session; what is above it waits in the socket. 0: no limit."""
    waiting_orders_max: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    """Orders of one session that wait for their answer; what is above it waits in the socket."""
    unsent_kib: Annotated[int, Meta(ge=512, le=1_048_576)] = 4_096
    """Unsent data of one session; a slower reader is disconnected, and resumes where it was."""
    dead_after_s: Annotated[int, Meta(ge=2, le=3_600)] = 15
    """A client that is silent, or reads nothing, for so long is disconnected."""


class PriceLimitsConfig(Section, frozen=True, kw_only=True):
    """What protects the whole market from sudden prices. Symbols that are listed already, and a breaker that is set,
    stay as they are; change them by command.
    """

    breaker_close: MoneyText = Money(0)
    """The last close of the index that the breaker watches, such as "5000.00"; 0 for no breaker."""
    bands_tier: Annotated[int, Meta(ge=0, le=TIERS_MAX)] = 0
    """Price bands of this tier for each symbol that has neither bands nor a corridor of its own; 0 for none."""
    without_bands: Annotated[tuple[str, ...], Meta(max_length=1_000)] = ()
    """Symbols that get none by that."""


class EngineConfig(Section, frozen=True, kw_only=True):
    """Engine: takes orders, matches, and tells the others what happened."""

    host: str = ""
    """Address to listen on; empty takes [exchange] host."""
    port: Port = 0
    """Port to listen on; 0 takes [exchange] port_base + 1."""
    url: Url = ""
    """How others reach it, such as "http://engine:8001"; empty is made of host and port."""
    partition: Partition = "0/1"
    """Which share of the symbols it trades: number/count, counted from 0."""
    matcher: Literal["auto", "python", "native"] = "auto"
    """auto takes the native one where it is installed."""
    durability: Literal["fsync", "buffered"] = "fsync"
    """fsync: an answer means that the order is on disk. buffered: faster; a power loss takes the last
    moments.
    """
    segment_mib: Annotated[int, Meta(ge=1, le=1024)] = 16
    """Size of one journal file."""
    snapshots_kept: Annotated[int, Meta(ge=1, le=1000)] = 3
    """Older snapshots, and the journal before the oldest one kept, are removed."""
    snapshot_every_commands: CountOrNone = 1_000_000
    """A snapshot is written after so many commands, beside the one at a clean stop; 0: only there."""
    archive: str = ""
    """Folder to which journal files are copied before they are removed; empty: they are just removed."""
    event_log_mib: Mebibytes = 1024
    """How much of the event stream is kept for consumers that come late."""
    day_ends: DayEnd = "00:00"
    """When the business date rolls, in UTC; "never": only by command."""
    max_pending_commands: Annotated[int, Meta(ge=1, le=10_000_000)] = 65_536
    """Commands that may wait; more are refused with "engine busy"."""
    clock_jump_limit_s: Count = 3600
    """The engine halts when the clock jumps by more than this."""
    demo: bool = True
    """Make demo participants with keys, cash and shares at the first start."""
    ouch: OuchConfig = OuchConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    price_limits: PriceLimitsConfig = PriceLimitsConfig()


class ItchConfig(Section, frozen=True, kw_only=True):
    """ITCH 5.0: the reporter's binary feed, over SoupBinTCP and, where it is said whereto, over MoldUDP64."""

    enabled: bool = True
    """Whether the reporter makes it."""
    host: str = ""
    """Address to listen on; empty takes the reporter's."""
    port: Port = 0
    """Port to listen on for SoupBinTCP; 0 takes the reporter's + 10, so [exchange] port_base + 12."""
    user: Annotated[str, Meta(max_length=6)] = ""
    """Who may log in; where user and password are empty, everybody may."""
    password: Annotated[str, Meta(max_length=10)] = ""
    """With what."""
    connections_max: Annotated[int, Meta(ge=1, le=10_000)] = 256
    """More are closed at once."""
    unsent_kib: Annotated[int, Meta(ge=256, le=1_048_576)] = 4_096
    """Unsent data of one subscriber; a slower one is disconnected, and resumes where it was."""
    dead_after_s: Annotated[int, Meta(ge=2, le=3_600)] = 15
    """A subscriber that is silent, or reads nothing, for so long is disconnected."""
    days_kept: Annotated[int, Meta(ge=1, le=1_000)] = 5
    """Business dates whose messages can be asked for."""
    udp_to: Annotated[str, Meta(pattern=r"^(\S+:\d{1,5})?$", title='such as "239.1.2.3:8013"')] = ""
    """Address and port, of a multicast group or of one receiver, to which MoldUDP64 is sent; empty: not at all."""
    udp_request_port: Port = 0
    """Port for requests of lost datagrams; 0 takes the reporter's + 12, so [exchange] port_base + 14."""


class WebhooksConfig(Section, frozen=True, kw_only=True):
    """Webhooks: the reporter posts to the addresses that participants name, on the hosts that are listed here."""

    hosts: Annotated[tuple[Host, ...], Meta(max_length=100)] = ("127.0.0.1", "localhost")
    """Names and addresses of hosts that may be posted to; "*" admits any, those of the inner network too."""
    per_participant_max: Annotated[int, Meta(ge=0, le=1_000)] = 10
    """Webhooks of one participant; more are refused, and 0 switches webhooks off."""
    messages_max: Annotated[int, Meta(ge=1, le=1_000)] = 100
    """Messages in one delivery."""
    timeout_s: Annotated[int, Meta(ge=1, le=60)] = 10
    """A receiver that has not answered by then counts as failed."""
    tries_max: Annotated[int, Meta(ge=1, le=100)] = 8
    """After so many tries, with pauses of 1, 2, 4 … 60 seconds between, a delivery becomes a dead letter."""
    dead_letters_max: Annotated[int, Meta(ge=1, le=100_000)] = 1_000
    """Dead letters kept for one webhook; when there are so many it is stopped."""


class ReporterConfig(Section, frozen=True, kw_only=True):
    """Reporter: relays market data by REST and WebSocket, and serves the page."""

    host: str = ""
    """Address to listen on; empty takes [exchange] host."""
    port: Port = 0
    """Port to listen on; 0 takes [exchange] port_base + 2."""
    url: Url = ""
    """How others reach it; empty is made of host and port."""
    engine_url: Url = ""
    """Where it finds the engine; empty takes [engine] url."""
    key_file: str = ""
    """File with its key for the engine; empty: keys.json in the data folder. EXCHANGE_COMPONENT_KEY wins."""
    store_url: StoreUrl = ""
    """Database of trades and candles, such as "postgresql+psycopg://user:password@host/name"; empty: in the
    data folder.
    """
    peers: Annotated[tuple[LookupUrl, ...], Meta(max_length=16)] = ()
    """Other reporters of this engine, such as "http://10.0.0.5:8002": a reporter without events, or for which the
    engine no longer keeps them, takes the state of the first that has it.
    """
    candle_intervals: Annotated[tuple[str, ...], Meta(min_length=1, max_length=15)] = (
        "1s", "5s", "1m", "5m", "15m", "1h", "1d",
    )  # fmt: skip
    """Candles that are kept, each interval a whole multiple of the one before; 1d always is."""
    trades_in_memory: Count = 1_000
    """Latest trades of each symbol that are answered without the database."""
    page_items_max: Count = 1_000
    """Most items on one page of an answer."""
    book_levels_max: Count = 1_000
    """Most price levels of each side in one answer."""
    websocket_connections_max: Count = 1_000
    """More are refused."""
    websocket_subscriptions_max: Count = 200
    """Pairs of channel and symbol of one connection; more are refused."""
    websocket_queue_kib: Annotated[int, Meta(ge=16, le=1_048_576)] = 1_024
    """Unsent data of one connection; a slower reader is disconnected and told from where to resume."""
    websocket_compression: bool = True
    """Compress messages from 1 to 512 KiB for clients that offer permessage-deflate."""
    websocket_replay_messages: CountOrNone = 100_000
    """Messages of all symbols kept per channel for from_seq; who is older gets a fresh snapshot."""
    heartbeat_ms: Annotated[int, Meta(ge=100, le=60_000)] = 1_000
    """Silence after which a heartbeat is sent."""
    itch: ItchConfig = ItchConfig()
    webhooks: WebhooksConfig = WebhooksConfig()


class RulesConfig(Section, frozen=True, kw_only=True):
    """What holds for all rules. Each rule is a [[clearing.rule]]; without any, the built-in ones hold."""

    version: Count = 1
    """Stands in every ruling; count it up when a rule changes."""
    on_rule_error: Literal["hold"] = "hold"
    """The verdict where a rule itself fails; nothing else is safe."""


class ReviewsConfig(Section, frozen=True, kw_only=True):
    """Reviews of trades that one side calls clearly erroneous: how long each step may take."""

    file_within_min: Count = 30
    """Minutes after the execution within which a side may ask for a review."""
    outlier_within_min: Count = 60
    """The same for a price at least three times the guideline away."""
    rule_within_min: Count = 30
    """Minutes in which an officer should rule; later it shows as overdue."""
    appeal_within_min: Count = 30
    """Minutes in which a side may appeal; a granted remedy waits so long."""
    decide_within_min: Count = 1_440
    """Minutes in which an appeal should be decided; later it shows as overdue."""
    two_person_notional: MoneyText = Money(0)
    """From this price × quantity on, a ruling needs two officers with different keys; 0: never."""


class ClearingConfig(Section, frozen=True, kw_only=True):
    """Clearing: judges every trade, busts erroneous ones, keeps positions and cash."""

    host: str = ""
    """Address to listen on; empty takes [exchange] host."""
    port: Port = 0
    """Port to listen on; 0 takes [exchange] port_base + 3."""
    url: Url = ""
    """How others reach it; empty is made of host and port."""
    engine_url: Url = ""
    """Where it finds the engine; empty takes [engine] url."""
    reporter_url: Url = ""
    """Where it finds the reporter, for the break report; empty takes [reporter] url."""
    key_file: str = ""
    """File with its key for the engine; empty: keys.json in the data folder. EXCHANGE_COMPONENT_KEY wins."""
    store_url: StoreUrl = ""
    """Database of trades, rulings and ledger, such as "postgresql+psycopg://user:password@host/name"; empty:
    in the data folder.
    """
    page_items_max: Count = 1_000
    """Most items on one page of an answer."""
    reviews: ReviewsConfig = ReviewsConfig()
    settlement: SettlementConfig = SettlementConfig()
    margin: MarginConfig = MarginConfig()
    fund: FundConfig = FundConfig()
    rules: RulesConfig = RulesConfig()
    rule: tuple[dict[str, Any], ...] = ()
    """The rules in their order.
    Instead of this line write tables, each with id, kind and what the kind needs:
      [[clearing.rule]]
      id = "BIG-NOTIONAL"
      kind = "max_notional"
      limit = "5000000"
      action = "hold"
    """
    fee: tuple[dict[str, Any], ...] = ()
    """What fills cost, for statements; of each name and side the latest row begun holds.
    Instead of this line write tables, each with name, from, who, and per_share or percent; below zero is a rebate:
      [[clearing.fee]]
      name = "trading"
      from = "2026-01-01"
      who = "taker"
      per_share = "0.0030"
    """


class BusConfig(Section, frozen=True, kw_only=True):
    """Bus: carries events between components. It may lose some: who misses them fetches them from the
    engine.
    """

    kind: Literal["memory", "none", "nsq"] = "memory"
    """memory: within one process. nsq: over nsqd, between processes. none: consumers ask the engine and wait."""
    nsqd: Annotated[tuple[NsqdAddress, ...], Meta(max_length=64)] = ("127.0.0.1:4150",)
    """TCP addresses of nsqd: messages go to one of them in turn, and come from all."""
    nsqlookupd: Annotated[tuple[LookupUrl, ...], Meta(max_length=16)] = ()
    """HTTP addresses of nsqlookupd, such as "http://127.0.0.1:4161": consumers find further nsqd there."""
    in_flight: Annotated[int, Meta(ge=1, le=2_500)] = 64
    """Messages that one consumer may hold unfinished; nsqd sends no more until some are done."""
    connect_timeout_ms: Annotated[int, Meta(ge=10, le=60_000)] = 3_000
    """For a connection to nsqd."""
    answer_timeout_ms: Annotated[int, Meta(ge=10, le=60_000)] = 5_000
    """For nsqd to take a message; after that it is taken for dead, and the next one has its turn."""
    heartbeat_ms: Annotated[int, Meta(ge=1_000, le=60_000)] = 5_000
    """An nsqd that is silent for twice as long is taken for dead."""
    message_timeout_ms: Annotated[int, Meta(ge=1_000, le=900_000)] = 60_000
    """nsqd sends a message again that was not finished for so long."""
    lookup_ms: Annotated[int, Meta(ge=100, le=3_600_000)] = 15_000
    """How often nsqlookupd is asked, about."""
    announce_ms: Annotated[int, Meta(ge=100, le=60_000)] = 5_000
    """How often each component says how it is, at least; three times in silence and it counts as lost."""
    queue_messages: Annotated[int, Meta(ge=1, le=1_000_000)] = 4_096
    """Messages that may wait for one consumer; when full the oldest is dropped, and fetched later."""
    queue_mib: Annotated[int, Meta(ge=1, le=4_096)] = 64
    """Size of the messages that may wait for one consumer; when full the oldest is dropped, and fetched
    later.
    """
    gap_wait_ms: Annotated[int, Meta(ge=0, le=60_000)] = 50
    """How long a consumer waits for a missing message before it fetches it from the engine."""
    window_mib: Annotated[int, Meta(ge=1, le=4_096)] = 16
    """Messages that came too early wait here; when full the one farthest ahead is dropped, and fetched
    later.
    """

    def mistakes(self) -> Iterable[tuple[str, str]]:
        """Check that NSQ can be found where it is wanted."""
        if self.kind == "nsq" and not self.nsqd:
            yield "nsqd", 'must name at least one nsqd where kind is "nsq", such as ["127.0.0.1:4150"]'


class RedisConfig(Section, frozen=True, kw_only=True):
    """Redis: keeps symbols and books for read-only copies of the reporter, and rate limits that processes share.
    It is never the truth: without it everything goes on.
    """

    url: Annotated[str, Secret()] = ""
    """Where it is, such as "redis://:password@host:6379/0", or rediss:// or unix://; empty: there is none."""
    timeout_ms: Annotated[int, Meta(ge=10, le=60_000)] = 500
    """What takes longer counts as a failure."""
    book_levels: Annotated[int, Meta(ge=1, le=1_000)] = 50
    """Price levels of each side that are kept of a book."""
    writes_per_second: Annotated[int, Meta(ge=1, le=20)] = 20
    """How often at most a symbol that changes is written."""
    stale_s: Annotated[int, Meta(ge=1, le=86_400)] = 10
    """A reader whose cache is older than this says that it is not ready; it answers all the same, with the age."""
    shared_rates: bool = False
    """Whether all copies of a component share [exchange] rate_per_s; otherwise each counts for itself."""

    def mistakes(self) -> Iterable[tuple[str, str]]:
        """Check the address, without showing it, for it may carry a password."""
        if self.url and not self.url.startswith(_REDIS_SCHEMES):
            yield "url", f"must begin with {', '.join(_REDIS_SCHEMES)}, or be empty"


class TickConfig(Section, frozen=True, kw_only=True):
    """From this price upwards, prices are multiples of this tick."""

    from_price: RowStart = msgspec.field(name="from")
    """The lowest price of the row; the first row is from "0"."""
    tick: PriceText
    """Prices are multiples of this."""


DEFAULT_TICK_ROWS = tuple(TickConfig(from_price=row.from_price, tick=row.tick) for row in DEFAULT_TICKS)


def mistake_in_steps(texts: Sequence[str]) -> str:
    """Say what is wrong with the steps of an allocation; lead makers are accounts, which no configuration names."""
    try:
        steps = tuple(map(parse_step, texts))
    except ValueError as error:
        return str(error)
    if len(steps) > STEPS_MAX or first_bad_step(steps) or any(step.kind == StepKind.LEAD for step in steps):
        return f"must be at most {STEPS_MAX} steps, each where it can stand, without lead"
    return ""


class SymbolConfig(Section, frozen=True, kw_only=True):
    """A security to be listed. Symbols that are listed already stay as they are; change them by command."""

    symbol: str
    """1 to 8 characters A-Z 0-9 . -"""
    name: str
    """The name for people."""
    reference_price: PriceText
    """What the first trade's price is compared with."""
    round_lot: Annotated[Quantity, Meta(ge=1, le=QUANTITY_MAX)] = Quantity(1)
    """Quantities are multiples of this."""
    ticks: tuple[TickConfig, ...] = DEFAULT_TICK_ROWS
    """Tick sizes by price, lowest first."""
    allocation: tuple[str, ...] = ()
    """Who trades first at one price, such as ["pro_rata,min=2", "fifo"]; nothing is price-time priority."""
    bands_tier: Annotated[int, Meta(ge=0, le=TIERS_MAX)] = 0
    """Price bands of this tier, 1 or 2; 0 for none."""
    corridor_dynamic_bps: Annotated[int, Meta(ge=0, le=CORRIDOR_BPS_MAX)] = 0
    """How wide a corridor is around the last price, in basis points; 0 for none."""
    corridor_static_bps: Annotated[int, Meta(ge=0, le=CORRIDOR_BPS_MAX)] = 0
    """How wide it is around the last auction's price."""
    corridor_call_s: Annotated[int, Meta(ge=1, le=86_400)] = 120
    """For how many seconds orders gather before a trade outside it."""
    corridor_random_end_s: Annotated[int, Meta(ge=0, le=86_400)] = 30
    """How many seconds longer at most, by chance."""

    @property
    def tick_rows(self) -> tuple[TickRow, ...]:
        """Return the rows of the tick table as commands carry them."""
        return tuple(TickRow(row.from_price, row.tick) for row in self.ticks)

    @property
    def steps(self) -> tuple[AllocationStep, ...]:
        """Return the steps of the allocation as commands carry them. Raise `ValueError` where one is none."""
        return tuple(map(parse_step, self.allocation))

    def mistakes(self) -> Iterable[tuple[str, str]]:
        """Check names, ticks and steps by the rules of the domain."""
        if mistake := mistake_in_steps(self.allocation):
            yield "allocation", mistake
        if self.bands_tier and (self.corridor_dynamic_bps or self.corridor_static_bps):
            yield "bands_tier", f"must be 0 where there is a corridor, got {self.bands_tier}"
        if not SYMBOL_PATTERN.match(self.symbol):
            yield "symbol", f'must be 1 to 8 characters A-Z 0-9 . -, got "{self.symbol}"'
        if not is_valid_name(self.name):
            allowed = "1 to 64 bytes of printable text without a blank at either end"
            yield "name", f'must be {allowed}, got "{self.name}"'
        if not TickTable(self.tick_rows).is_valid():
            starts = ", ".join(_show_row_start(row.from_price) for row in self.ticks) or "nothing"
            yield (
                "ticks",
                f'must be 1 to {TICK_ROWS_MAX} rows, the first from "0", rising; got from: {starts}',
            )


DEFAULT_SYMBOLS = tuple(
    SymbolConfig(symbol=symbol, name=name, reference_price=parse_price(price))
    for symbol, name, price in (
        ("AAPL", "Apple Inc.", "189.20"),
        ("MSFT", "Microsoft Corporation", "415.10"),
        ("NVDA", "NVIDIA Corporation", "128.40"),
        ("TSLA", "Tesla, Inc.", "248.70"),
        ("XYZ", "XYZ Mining Company", "10.00"),
    )
)


class SimulationConfig(Section, frozen=True, kw_only=True):
    """Simulation: house traders that keep the market of `exchange demo` moving."""

    seed: CountOrNone = 1
    """The same seed gives the same traders."""
    traders: tuple[Trader, ...] = ("noise", "market_maker", "momentum")
    """Which kinds trade, each in every symbol that is not quiet."""
    quiet_symbols: Annotated[tuple[str, ...], Meta(max_length=SYMBOLS_MAX)] = ("XYZ",)
    """Symbols they leave alone, so that there is a book to try things in."""
    orders_per_second: Annotated[int, Meta(ge=1, le=10_000)] = 40
    """Of all house traders together."""
    cash: MoneyText = Money(10_000_000_0000)
    """Cash that each house trader begins with."""
    shares: Annotated[Quantity, Meta(ge=0, le=QUANTITY_MAX)] = Quantity(100_000)
    """Shares of each symbol that each house trader begins with."""
