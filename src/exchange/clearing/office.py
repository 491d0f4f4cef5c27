"""The office: the parts of a running clearing that its REST works with, and the one place where it can be halted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.consumer import Consumer
from exchange.clearing.outbox import OutboxRelay
from exchange.clearing.review_desk import ReviewDesk
from exchange.clearing.ruling_desk import RulingDesk
from exchange.domain.directory import Directory
from exchange.infra.clock import Clock
from exchange.infra.config import Config
from exchange.infra.event_source import EventSource
from exchange.infra.feed import Feed
from exchange.infra.store_retry import begin_read
from exchange.post_trade.rules import RuleSet

T = TypeVar("T")
log = structlog.get_logger(component="clearing")


@dataclass
class Office:
    """What clearing is made of.

    directory: as committed, changed on the loop only; halted: why, empty while it works.
    """

    config: Config
    clock: Clock
    store: Engine
    keeper: BookKeeper
    directory: Directory
    source: EventSource
    feed: Feed
    consumer: Consumer
    relay: OutboxRelay
    rulings: RulingDesk
    reviews: ReviewDesk
    started_ns: int
    halted: str = ""
    on_halt: list[Callable[[], None]] = field(default_factory=list)

    @property
    def partition(self) -> int:
        """Return the partition whose trades are cleared here."""
        return self.keeper.partition

    @property
    def rule_set(self) -> RuleSet:
        """Return the rules by which the last stored trades were judged."""
        return self.keeper.rule_set

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query in a thread, on one state of the store. Raise `StoreUnavailable`."""

        def read() -> T:
            with begin_read(self.store) as connection:
                return query(connection)

        return await asyncio.to_thread(read)

    def page_limit(self, wanted: int) -> int:
        """Return how many items a page may have."""
        return min(wanted, self.config.clearing.page_items_max)

    def halt(self, reason: str) -> None:
        """Take in nothing more: something is so wrong that a person must look. Reading goes on."""
        if self.halted:
            return
        self.halted = reason
        log.critical("clearing_halted", reason=reason)
        for stop in self.on_halt:
            stop()
