"""A consumer's figures for Prometheus: how the engine's events come in, and how its store takes them."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.infra.feed import FeedStats
from exchange.infra.metrics import Family, counter, gauge, histogram
from exchange.infra.store_meter import StoreMeter


@dataclass(frozen=True)
class ConsumerFigures:
    """What a consumer shows of itself. sequence: of the last event that is stored and can be seen."""

    feed: FeedStats
    store: StoreMeter
    sequence: int


CONSUMER_FAMILIES: tuple[Family[ConsumerFigures], ...] = (
    gauge(
        "exchange_event_sequence", "The last event: made by the engine, or stored here.", lambda c: c.sequence
    ),
    gauge(
        "exchange_feed_lag_events",
        "Events known of and not yet stored here.",
        lambda c: max(0, c.feed.newest - c.sequence),
    ),
    gauge("exchange_feed_epoch", "The newest engine start that was seen.", lambda c: c.feed.epoch),
    gauge(
        "exchange_feed_caught_up",
        "1 once everything known of was handed over.",
        lambda c: c.feed.is_caught_up,
    ),
    gauge(
        "exchange_feed_engine_up",
        "1 where the engine can be asked for what is missing.",
        lambda c: not c.feed.problem,
    ),
    gauge(
        "exchange_feed_bus_up",
        "1 where the bus brings events, or none is wanted.",
        lambda c: not c.feed.bus_problem,
    ),
    counter("exchange_feed_batches_total", "Batches of events taken in.", lambda c: c.feed.batches),
    counter("exchange_feed_events_total", "Events taken in.", lambda c: c.feed.events),
    counter("exchange_feed_duplicates_total", "Batches that came again.", lambda c: c.feed.duplicates),
    counter("exchange_feed_gaps_total", "Gaps that were filled from the engine.", lambda c: c.feed.gaps),
    counter(
        "exchange_feed_fetched_events_total", "Events fetched from the engine.", lambda c: c.feed.fetched
    ),
    counter("exchange_feed_dropped_total", "Early batches that found no room.", lambda c: c.feed.dropped),
    counter("exchange_feed_poison_total", "Messages that could not be read.", lambda c: c.feed.poison),
    counter("exchange_feed_fenced_total", "Batches of an engine that was replaced.", lambda c: c.feed.fenced),
    counter(
        "exchange_feed_failures_total", "Times that the engine could not be asked.", lambda c: c.feed.failures
    ),
    histogram(
        "exchange_event_age_seconds",
        "From the engine's time of the first event of a batch until the batch is stored here, once caught up.",
        lambda c: c.store.ages,
    ),
    histogram("exchange_store_commit_seconds", "Of a batch, its retries included.", lambda c: c.store.times),
    counter(
        "exchange_store_retries_total",
        "Batches that the store did not take and that were tried again.",
        lambda c: c.store.retries,
    ),
    gauge("exchange_store_up", "1 where the store took the last batch.", lambda c: not c.store.problem),
)
