"""The engine's figures for Prometheus."""

from __future__ import annotations

from typing import NamedTuple

from exchange.engine.order_history import OrderHistoryStats
from exchange.engine.publisher import PublisherStats
from exchange.engine.recovery import RecoveryReport
from exchange.engine.sequencer import Sequencer
from exchange.engine.sequencer_stats import SequencerStats
from exchange.infra.event_log import EventLogStats
from exchange.infra.metrics import Family, counter, gauge, histogram
from exchange.wire.rest.engine_stats import CountersView


class EngineFigures(NamedTuple):
    """What is read when Prometheus asks. sequencer: for its histograms; follower_problem: empty while it follows."""

    counters: CountersView
    sequencer: Sequencer
    stats: SequencerStats
    event_log: EventLogStats
    history: OrderHistoryStats
    publisher: PublisherStats
    recovery: RecoveryReport
    follower_problem: str


ENGINE_FAMILIES: tuple[Family[EngineFigures], ...] = (
    # the market
    counter("exchange_orders_total", "Orders taken.", lambda e: e.counters.orders),
    counter("exchange_cancels_total", "Orders cancelled.", lambda e: e.counters.cancels),
    counter("exchange_trades_total", "Trades executed.", lambda e: e.counters.trades),
    counter("exchange_rejects_total", "Commands refused.", lambda e: e.counters.rejects, "reason"),
    gauge("exchange_resting_orders", "Orders in all books.", lambda e: e.counters.resting_orders),
    # the sequencer
    counter("exchange_commands_total", "Commands carried out.", lambda e: e.stats.commands),
    counter("exchange_events_total", "Events emitted.", lambda e: e.stats.events),
    gauge(
        "exchange_pending_commands",
        "Commands received and not yet answered.",
        lambda e: e.stats.pending_commands,
    ),
    gauge(
        "exchange_pending_commands_max",
        "More than so many are refused as busy.",
        lambda e: e.stats.pending_commands_max,
    ),
    gauge(
        "exchange_batch_commands_max",
        "Commands of the largest journal batch.",
        lambda e: e.stats.batch_commands_max,
    ),
    gauge("exchange_command_sequence", "The last command.", lambda e: e.stats.command_sequence),
    gauge(
        "exchange_event_sequence",
        "The last event: made by the engine, or stored here.",
        lambda e: e.stats.durable_event_sequence,
    ),
    gauge("exchange_epoch", "Number of this engine start.", lambda e: e.stats.epoch),
    gauge(
        "exchange_braked",
        "1 where commands are refused until what follows the events has caught up.",
        lambda e: bool(e.stats.braked),
    ),
    gauge("exchange_halted", "1 where nothing more is taken in.", lambda e: bool(e.stats.halted)),
    # from the gateway to the disk to the bus
    histogram(
        "exchange_durable_latency_seconds",
        "From the gateway's handing commands over until they are matched and on disk, and answered.",
        lambda e: e.sequencer.durable_times,
    ),
    histogram(
        "exchange_journal_write_seconds",
        "Of one journal batch, its sync to disk included.",
        lambda e: e.sequencer.write_times,
    ),
    histogram(
        "exchange_publish_latency_seconds",
        "From on disk until the bus has the events.",
        lambda e: e.publisher.times,
    ),
    counter(
        "exchange_journal_batches_total", "Batches written to the journal.", lambda e: e.stats.journal.batches
    ),
    counter(
        "exchange_journal_bytes_total",
        "Bytes written to the journal.",
        lambda e: e.stats.journal.bytes_written,
    ),
    gauge(
        "exchange_journal_next_segment_failed",
        "1 where room for later batches cannot be made: the engine will halt.",
        lambda e: bool(e.stats.journal.spare_failure),
    ),
    counter(
        "exchange_publisher_messages_total",
        "Messages of events that the bus took.",
        lambda e: e.publisher.published,
    ),
    counter(
        "exchange_publisher_dropped_total",
        "Batches the bus did not take; consumers fetch them.",
        lambda e: e.publisher.dropped,
    ),
    gauge(
        "exchange_publisher_waiting_bytes",
        "Events that wait for the bus.",
        lambda e: e.publisher.waiting_bytes,
    ),
    gauge(
        "exchange_publisher_up",
        "1 where events go to the bus, or there is none.",
        lambda e: not e.publisher.problem,
    ),
    # what is kept
    gauge(
        "exchange_event_log_first_sequence",
        "Oldest event that consumers can still fetch.",
        lambda e: e.event_log.first_sequence,
    ),
    gauge("exchange_event_log_size_bytes", "Size of the event log.", lambda e: e.event_log.size_bytes),
    gauge(
        "exchange_event_log_size_bytes_max",
        "Beyond this the oldest events go.",
        lambda e: e.event_log.size_bytes_max,
    ),
    gauge(
        "exchange_order_history_behind_events",
        "Events that the history of orders lacks.",
        lambda e: e.history.behind,
    ),
    gauge(
        "exchange_order_history_up",
        "1 where the history of orders takes events in.",
        lambda e: not e.history.problem,
    ),
    gauge(
        "exchange_follower_up",
        "1 where snapshots are written beside the engine, or only wanted at a stop.",
        lambda e: not e.follower_problem,
    ),
    gauge(
        "exchange_recovery_seconds", "How long this start replayed.", lambda e: e.recovery.elapsed_ms / 1_000
    ),
    gauge("exchange_recovery_commands", "Commands that this start replayed.", lambda e: e.recovery.commands),
)
