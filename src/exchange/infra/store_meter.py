"""How a consumer's store fares: how long batches take, how old their events are by then, and what goes wrong."""

from __future__ import annotations

from time import perf_counter_ns, time_ns

import structlog

from exchange.infra.latency import LatencyHistogram
from exchange.wire.envelope import EventBatch
from exchange.wire.records import time_of


class StoreMeter:
    """Counts for one component. problem: why the store does not take a batch, empty while all is well."""

    def __init__(self, component: str) -> None:
        self.times = LatencyHistogram()
        self.ages = LatencyHistogram()
        self.retries = 0
        self.problem = ""
        self._log = structlog.get_logger(component=component)
        self._begun_ns = 0

    def begin(self) -> None:
        """Take note that a batch begins to be stored."""
        self._begun_ns = perf_counter_ns()

    def failed(self, batch: EventBatch, reason: str, tries: int) -> None:
        """Take note that the store did not take a batch; it may be tried again."""
        self.retries += 1
        self.problem = f"the store did not take events up to {batch.last_sequence}: {reason}"
        self._log.warning("store_failed", sequence=batch.last_sequence, reason=reason, tries=tries)

    def stored(self, batch: EventBatch, *, is_current: bool) -> None:
        """Take note that a batch is stored. is_current: its events are new and not of the past that is read again."""
        self.problem = ""
        self.times.observe(perf_counter_ns() - self._begun_ns)
        if is_current and batch.events:
            self.ages.observe(max(0, time_ns() - time_of(batch.events)))
