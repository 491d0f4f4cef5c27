"""The book keeper: carries batches of events, rulings and the engine's answers into the books and the store.

Each call is one transaction and may come from any thread; one at a time is let in. What the books hold in
memory is what is stored: when a transaction fails they are thrown away and read again. Where the connection was lost
in a commit only the store knows whether it took place; its position tells, and the batch is not taken in twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from struct import Struct
from typing import TypeVar

import msgspec
import structlog
from sqlalchemy import ColumnElement, Connection, Engine, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from exchange.clearing import tables
from exchange.clearing.early_ledger import take_events
from exchange.clearing.store import (
    REFUSED,
    TAKEN,
    WAITING,
    read_books,
    read_request,
    read_trade,
    save_changes,
)
from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain.trade import BustReason
from exchange.domain.units import Price, Quantity
from exchange.infra.store import Position, begin_write, read_position, write_position
from exchange.infra.store_retry import asking_again_later
from exchange.post_trade.books import Books
from exchange.post_trade.invariants import BooksBroken
from exchange.post_trade.rule import Ruling
from exchange.post_trade.rules import RuleSet
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import TransitionRefused
from exchange.wire.envelope import EventBatch
from exchange.wire.records import decode_event, number_of, split

log = structlog.get_logger(component="clearing")
T = TypeVar("T")

ANSWER_CHARACTERS_MAX = 500
UNSTORED_EVENTS_MAX = 10_000
"""Events without anything for clearing that are read again after a restart, at most."""
_TYPE_AND_SEQUENCE = Struct("<BxxxQ")
_TYPE_OFFSET = 4
TAKEN_TYPES = frozenset(
    number_of(kind)
    for kind in (
        e.BusinessDayStarted,
        e.SymbolAdded,
        e.SymbolStateChanged,
        e.ReferencePriceSet,
        e.SymbolConfigured,
        ce.SymbolSplit,
        ce.SymbolRenamed,
        ce.DividendPaid,
        ce.HoldingAdjusted,
        e.RuleConfigured,
        e.ConfigurationChanged,
        e.ParticipantCreated,
        e.AccountCreated,
        e.KeyCreated,
        e.KeyRevoked,
        e.Deposited,
        e.Withdrawn,
        e.TradeExecuted,
        e.TradeBusted,
        e.TradeCorrected,
    )
)
"""The events that concern clearing; all others are counted by their sequence and passed by unread."""


class UnknownTrade(LookupError):
    """Clearing has no trade with this match id."""


class Outcome(msgspec.Struct, kw_only=True):
    """What a batch brought. directory: events that concern it; requests: how many the engine must be sent."""

    sequence: int
    events: int = 0
    trades: int = 0
    requests: int = 0
    directory: list[e.Event] = []


class BookKeeper:
    """The one writer of clearing's store for one partition. decided: told of rulings once they are stored."""

    def __init__(
        self,
        store: Engine,
        rule_set: RuleSet,
        partition: int,
        decided: Callable[[list[Ruling]], None] = lambda rulings: None,
    ) -> None:
        self.store = store
        self.rule_set = self._started_with = rule_set
        self.partition = partition
        self._decided = decided
        self._books: Books | None = None
        self._seen: Position | None = None
        self._is_in_doubt = False
        self._stored_sequence = 0
        self._tried: Outcome | None = None
        self._lock = threading.Lock()

    # --- the stream ---

    def commit(self, batch: EventBatch) -> Outcome:
        """Take a batch in, whole or not at all; what was taken in before is passed by.

        Batches without anything for clearing only move the position, which is stored now and then.
        Raise `BooksBroken` where the events contradict the books, or the books themselves.
        """
        with self._lock:
            seen = self._seen_position()
            if batch.first_sequence > seen.sequence + 1:
                raise BooksBroken(
                    f"events {seen.sequence + 1} to {batch.first_sequence - 1} are missing before this batch"
                )
            if batch.last_sequence <= seen.sequence:
                tried, self._tried = self._tried, None
                is_same = tried is not None and tried.sequence == batch.last_sequence
                return tried if tried is not None and is_same else Outcome(sequence=seen.sequence)
            events = list(events_for_clearing(batch.events, seen.sequence))
            outcome = Outcome(sequence=batch.last_sequence, events=len(events))
            if events or batch.last_sequence - self._stored_sequence >= UNSTORED_EVENTS_MAX:
                self._commit_events(events, batch, outcome)
            self._seen = Position(batch.epoch, batch.last_sequence)
            return outcome

    def store_position(self) -> None:
        """Store how far the stream was read, where that is not stored yet."""
        with self._lock:
            seen = self._seen_position()
            if seen.sequence > self._stored_sequence:
                with begin_write(self.store) as connection:
                    write_position(connection, self.partition, seen.epoch, seen.sequence)
                self._stored_sequence = seen.sequence

    def position(self) -> Position:
        """Return how far the stream was read."""
        with self._lock:
            return self._seen_position()

    def _commit_events(self, events: list[e.Event], batch: EventBatch, outcome: Outcome) -> None:
        self._tried = None
        try:
            with self._writing() as (connection, books):
                take_events(connection, self.partition, books, events)
                books.check()
                write_position(connection, self.partition, batch.epoch, batch.last_sequence)
                outcome.trades = len(books.changes.captured)
                outcome.requests = len(books.changes.requests)
                outcome.directory = books.changes.directory
                self._tried = outcome
        except DBAPIError:
            self._is_in_doubt = True  # Whether it was committed only the store knows.
            raise
        self._tried = None
        self._stored_sequence = batch.last_sequence

    def _seen_position(self) -> Position:
        if self._seen is None or self._is_in_doubt:
            with self.store.connect() as connection:
                stored = read_position(connection, self.partition)
            self._seen = self._after_doubt(stored)
            self._is_in_doubt = False
        return self._seen

    def _after_doubt(self, stored: Position) -> Position:
        """Return how far the stream was read, now that it is known how far it is stored.

        Events without anything for clearing may have been read beyond that; they need not come again. A store that has
        less than it had is believed, and the next batch then says what is missing.
        """
        seen = self._seen
        if seen is not None and self._stored_sequence <= stored.sequence < seen.sequence:
            return seen
        self._stored_sequence = stored.sequence
        return stored

    # --- rulings ---

    def release(self, match_id: int, who: str, why: str, time_ns: int) -> Trade:
        """Accept a held trade.

        Raise `UnknownTrade`, `TransitionRefused`, or `StoreUnavailable`: then it may be asked again. Nothing is stored,
        or, where the answer to the commit was lost, all of it; asking again is refused in that case.
        """
        return self._rule(match_id, lambda books, trade: books.release(trade, who, why, time_ns))

    def order_bust(self, match_id: int, code: BustReason, who: str, why: str, time_ns: int) -> Trade:
        """Put a bust into the outbox. Raise as `release` does."""
        return self._rule(match_id, lambda books, trade: books.order_bust(trade, code, who, why, time_ns))

    def order_correction(
        self,
        match_id: int,
        price: Price,
        quantity: Quantity,
        code: BustReason,
        who: str,
        why: str,
        time_ns: int,
    ) -> Trade:
        """Put a correction into the outbox; 0 leaves price or quantity. Raise as `release` does."""
        return self._rule(
            match_id,
            lambda books, trade: books.order_correction(
                trade, price or trade.price, quantity or trade.quantity, code, who, why, time_ns
            ),
        )

    # --- the engine's answers ---

    def note_failure(self, ruling_id: int, answer: str, time_ns: int) -> None:
        """Note that a request did not reach the engine this time."""
        table = tables.outbox
        with self._lock, begin_write(self.store) as connection:
            connection.execute(
                update(table)
                .where(*self._request(ruling_id), table.c.state == WAITING)
                .values(
                    attempts=table.c.attempts + 1, tried_ns=time_ns, answer=answer[:ANSWER_CHARACTERS_MAX]
                )
            )

    def note_taken(self, ruling_id: int, answer: str, time_ns: int) -> None:
        """Note that the engine has carried a request out; its event may have come before this, or is to come."""
        table = tables.outbox
        with self._lock, begin_write(self.store) as connection:
            connection.execute(
                update(table)
                .where(*self._request(ruling_id))
                .values(
                    attempts=table.c.attempts + 1, tried_ns=time_ns, answer=answer[:ANSWER_CHARACTERS_MAX]
                )
            )
            connection.execute(
                update(table).where(*self._request(ruling_id), table.c.state == WAITING).values(state=TAKEN)
            )

    def note_refused(self, ruling_id: int, answer: str, time_ns: int) -> None:
        """Note that the engine will not do it, and why; the trade is held again where it was to be busted."""
        table = tables.outbox
        with self._lock, self._writing() as (connection, books):
            request = read_request(connection, self.partition, ruling_id)
            trade = read_trade(connection, request.match_id) if request else None
            if request is None or trade is None:
                return
            changed = connection.execute(
                update(table)
                .where(*self._request(ruling_id), table.c.state == WAITING)
                .values(
                    state=REFUSED, attempts=table.c.attempts + 1, tried_ns=time_ns,
                    answer=answer[:ANSWER_CHARACTERS_MAX],
                )
            )  # fmt: skip
            if changed.rowcount:
                try:
                    books.refuse_request(trade, request, answer, time_ns)
                except TransitionRefused as error:
                    log.warning("refusal_came_late", match_id=str(request.match_id), reason=str(error))

    # --- transactions ---

    def within(self, work: Callable[[Connection, Books], T]) -> T:
        """Do work that people ask for in one transaction with the books; the work may change them.

        Raise what the work raises: `UnknownTrade` and `TransitionRefused` only before it changed the books. Raise
        `StoreUnavailable` as `release` does.
        """
        with asking_again_later(self.store), self._lock, self._writing() as (connection, books):
            return work(connection, books)

    def _rule(self, match_id: int, ruling: Callable[[Books, Trade], Trade]) -> Trade:
        return self.within(lambda connection, books: ruling(books, known_trade(connection, match_id)))

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, Books]]:
        """Open a transaction with the books; at its end save what changed, and commit."""
        books, self._books = self._books, None
        with begin_write(self.store) as connection:
            if books is None:
                books = read_books(connection, self.partition, self._started_with)
            try:
                yield connection, books
            except (UnknownTrade, TransitionRefused):
                self._books = books  # They are raised before anything is changed.
                raise
            try:
                save_changes(connection, self.partition, books)
            except IntegrityError as error:
                raise BooksBroken(f"the store has some of this already: {error.orig}") from error
        rulings = books.changes.rulings
        books.forget_changes()
        self._books, self.rule_set = books, books.rule_set
        if rulings:
            self._decided(rulings)

    def _request(self, ruling_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        table = tables.outbox
        return table.c.partition == self.partition, table.c.ruling_id == ruling_id


def known_trade(connection: Connection, match_id: int) -> Trade:
    """Look up a trade. Raise `UnknownTrade`."""
    trade = read_trade(connection, match_id)
    if trade is None:
        raise UnknownTrade(f"clearing has no trade {match_id}")
    return trade


def events_for_clearing(records: bytes, after: int) -> Iterator[e.Event]:
    """Decode the events that concern clearing, leaving out those up to a sequence."""
    for offset, _ in split(records):
        kind, sequence = _TYPE_AND_SEQUENCE.unpack_from(records, offset + _TYPE_OFFSET)
        if kind in TAKEN_TYPES and sequence > after:
            yield decode_event(records, offset)
