"""The engine's statistics as JSON. Counts are since the start of the process; sequences are since the first start."""

from __future__ import annotations

from msgspec import Struct


class LatencyView(Struct, kw_only=True):
    """Latencies in microseconds, 0 where nothing was measured."""

    p50_us: int
    p90_us: int
    p99_us: int
    max_us: int


class RouteView(Struct, kw_only=True):
    """How one route fares. rate: requests per second over the last minute; failures: answers from 500 on."""

    method: str
    path: str
    count: int
    rate: float
    errors: int
    failures: int
    latency: LatencyView


class SequencesView(Struct, kw_only=True):
    """The last command and event, and the last of each that is on disk. epoch: the number of engine starts."""

    epoch: int
    command: int
    event: int
    durable_command: int
    durable_event: int


class CountersView(Struct, kw_only=True):
    """What the market did. rejects: by reason."""

    orders: int
    cancels: int
    trades: int
    rejects: dict[str, int]
    resting_orders: int


class QueueView(Struct, kw_only=True):
    """What goes through the sequencer. pending: received and not yet answered; more than pending_max are refused.
    braked: why all are refused for a while, or empty.
    """

    pending: int
    pending_max: int
    braked: str
    batches: int
    commands: int
    events: int
    batch_commands_max: int


class JournalView(Struct, kw_only=True):
    """How the journal fares. write_…_us: of one batch, with its sync to disk."""

    durability: str
    segment: str
    segment_bytes: int
    used_bytes: int
    bytes_written: int
    batches: int
    write_p50_us: int
    write_p99_us: int
    write_max_us: int


class EventLogView(Struct, kw_only=True):
    """What the event log keeps for consumers that come late."""

    first_sequence: int
    last_sequence: int
    files: int
    size_bytes: int
    size_bytes_max: int


class HistoryView(Struct, kw_only=True):
    """How far the table of orders is. problem: why it stands still, or empty."""

    position: int
    behind: int
    problem: str


class PublisherView(Struct, kw_only=True):
    """What goes to the bus. dropped: batches that did not fit; consumers fetch their events from the engine."""

    published: int
    dropped: int
    waiting_bytes: int
    problem: str


class RecoveryView(Struct, kw_only=True):
    """What this start found. snapshot: the command it began after; cut_bytes: of a torn end of the journal."""

    snapshot: int
    commands: int
    cut_bytes: int
    was_stopped_cleanly: bool
    elapsed_ms: int
    warnings: list[str]


class EngineStats(Struct, kw_only=True):
    """Everything that the engine counts."""

    name: str
    version: str
    started_at: str
    uptime_s: int
    matcher: str
    rules_version: int
    partition: int
    business_date: str
    day_ends_at: str | None
    running_hash: str
    halted: str
    sequences: SequencesView
    counters: CountersView
    queue: QueueView
    journal: JournalView
    event_log: EventLogView
    order_history: HistoryView
    publisher: PublisherView
    recovery: RecoveryView
    routes: list[RouteView]
