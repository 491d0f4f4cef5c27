"""Clearing's own figures for Prometheus."""

from __future__ import annotations

from typing import NamedTuple

from exchange.clearing.consumer import ConsumerStats
from exchange.clearing.outbox import OutboxStats
from exchange.clearing.ruling_announcer import AnnouncerStats
from exchange.clearing.watch import Watch
from exchange.infra.metrics import Family, counter, gauge


class ClearingFigures(NamedTuple):
    """What is read when Prometheus asks. halted: why, empty while it works."""

    halted: str
    consumer: ConsumerStats
    relay: OutboxStats
    announcer: AnnouncerStats
    watch: Watch


CLEARING_FAMILIES: tuple[Family[ClearingFigures], ...] = (
    gauge("exchange_halted", "1 where nothing more is taken in.", lambda c: bool(c.halted)),
    counter("exchange_clearing_commits_total", "Transactions of events.", lambda c: c.consumer.commits),
    gauge(
        "exchange_clearing_trades",
        "Trades by where they stand, counted every 5 s.",
        lambda c: c.watch.states,
        "state",
    ),
    gauge(
        "exchange_clearing_requests",
        "Busts and corrections not done: waiting to be sent, or taken and not seen yet.",
        lambda c: c.watch.requests,
        "state",
    ),
    counter(
        "exchange_clearing_requests_sent_total",
        "Busts and corrections that the engine took.",
        lambda c: c.relay.sent,
    ),
    counter(
        "exchange_clearing_requests_refused_total",
        "Busts and corrections that it refused.",
        lambda c: c.relay.refused,
    ),
    counter(
        "exchange_clearing_requests_failures_total",
        "Tries that did not reach it.",
        lambda c: c.relay.failures,
    ),
    gauge(
        "exchange_clearing_requests_overdue",
        "Busts and corrections whose event is late.",
        lambda c: len(c.relay.overdue),
    ),
    gauge(
        "exchange_clearing_outbox_up",
        "1 where the engine takes busts and corrections.",
        lambda c: not c.relay.problem,
    ),
    counter("exchange_rulings_announced_total", "Rulings told on the bus.", lambda c: c.announcer.announced),
    counter(
        "exchange_rulings_dropped_total", "Rulings that the bus did not take.", lambda c: c.announcer.dropped
    ),
    gauge(
        "exchange_breaks",
        "Symbols whose trades differ from the engine's.",
        lambda c: c.watch.breaks,
        "component",
    ),
    gauge(
        "exchange_break_report_complete",
        "1 where the last comparison could be made whole.",
        lambda c: not c.watch.problem,
    ),
    gauge(
        "exchange_break_report_time_seconds",
        "When all was compared last, since the Unix epoch; 0 for never.",
        lambda c: c.watch.compared_s,
    ),
)
