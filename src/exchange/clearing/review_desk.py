"""The review desk: carries what parties and officers do to reviews into the store, and what follows to the engine.

Each call is one transaction: the review, the audit trail, and where a remedy is due the books and the outbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from exchange.clearing.book_keeper import BookKeeper, UnknownTrade, known_trade
from exchange.clearing.review_store import (
    due_reviews,
    next_review_id,
    read_review,
    reviews_of_trade,
    securities_in_event,
    write_audit,
    write_review,
)
from exchange.domain.directory import Directory
from exchange.domain.trade import BustReason
from exchange.domain.units import format_price
from exchange.infra.clock import Clock
from exchange.infra.errors import InfraError
from exchange.infra.store import reason_of
from exchange.infra.store_retry import begin_read
from exchange.post_trade import review as r
from exchange.post_trade.books import Books
from exchange.post_trade.review import Actor, Finding, Limits, Remedy, Review
from exchange.post_trade.rule_kinds import PriceBand
from exchange.post_trade.rules import RuleSet
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import TransitionRefused

log = structlog.get_logger(component="clearing")

LOOK_S = 1.0
"""How often it is looked for reviews whose time to appeal is over."""
CLOSED_AT_ONCE_MAX = 100
REVIEWS_OF_TRADE_MAX = 20
"""Requests for review that one trade takes, so that nobody fills the store with them."""

Change = Callable[[Review, Trade], Review]


class UnknownReview(UnknownTrade):
    """There is no review of this number, or it is not the asker's to see."""


class ReviewDesk:
    """Reviews of one partition. Calls raise `UnknownReview`, and as `BookKeeper.release` does."""

    def __init__(self, keeper: BookKeeper, directory: Directory, clock: Clock, limits: Limits) -> None:
        self.limits = limits
        self._keeper = keeper
        self._directory = directory
        self._clock = clock

    def file(self, match_id: int, wanted: Remedy, basis: str, actor: Actor) -> Review:
        """Take a request for review in."""
        now_ns = self._clock.now_ns()

        def work(connection: Connection, _: Books) -> Review:
            trade = known_trade(connection, match_id)
            before = reviews_of_trade(connection, match_id)
            if any(review.state in r.OPEN for review in before):
                raise r.ReviewRefused("A review of this trade is open already.")
            if len(before) >= REVIEWS_OF_TRADE_MAX:
                raise r.ReviewRefused(f"This trade was reviewed {len(before)} times; nothing more is taken.")
            finding = self._measure(connection, trade)
            review = r.file_review(
                trade, next_review_id(connection, self._keeper.partition), self.parties_of(trade), finding, wanted,
                basis, actor, now_ns, self.limits,
            )  # fmt: skip
            write_review(connection, self._keeper.partition, review, is_new=True)
            self._audit(connection, actor, "filed", review, basis, now_ns, remedy_in_words(wanted))
            return review

        return self._keeper.within(work)

    def withdraw(self, review_id: int, actor: Actor, why: str) -> Review:
        """Take a request back."""
        now_ns = self._clock.now_ns()
        return self._change(review_id, actor, why, now_ns, lambda it, _: r.withdraw(it, actor, why, now_ns))

    def agree(self, review_id: int, actor: Actor, why: str) -> Review:
        """Let the other side agree to what is asked for."""
        now_ns = self._clock.now_ns()
        return self._change(review_id, actor, why, now_ns, lambda it, _: r.agree(it, actor, why, now_ns))

    def appeal(self, review_id: int, actor: Actor, why: str) -> Review:
        """Appeal against a ruling."""
        now_ns = self._clock.now_ns()
        return self._change(
            review_id, actor, why, now_ns, lambda it, _: r.appeal(it, actor, why, now_ns, self.limits)
        )

    def rule(self, review_id: int, remedy: Remedy, code: BustReason, actor: Actor, why: str) -> Review:
        """Rule on a review, or decide its appeal."""
        now_ns = self._clock.now_ns()
        return self._change(
            review_id, actor, why, now_ns,
            lambda it, trade: r.rule(it, trade, remedy, code, actor, why, now_ns, self.limits),
            detail=remedy_in_words(remedy),
        )  # fmt: skip

    def close_due(self) -> list[Review]:
        """Close the reviews whose time to appeal is over, and order what they grant."""
        now_ns, clock = self._clock.now_ns(), Actor(0, "clearing")
        with begin_read(self._keeper.store) as connection:
            due = due_reviews(connection, self._keeper.partition, now_ns, CLOSED_AT_ONCE_MAX)
        closed = []
        for review in due:
            try:
                closed.append(
                    self._change(
                        review.review_id, clock, "the time to appeal is over", now_ns,
                        lambda it, _: r.close(it, now_ns),
                    )
                )  # fmt: skip
            except r.ReviewRefused:
                continue  # Somebody appealed since it was read.
        return closed

    def parties_of(self, trade: Trade) -> tuple[int, int]:
        """Return the participants of buyer and seller, 0 for one that is unknown."""
        accounts = (
            self._directory.accounts.get(each) for each in (trade.buy_account_id, trade.sell_account_id)
        )
        buyer, seller = (int(account.participant_id) if account else 0 for account in accounts)
        return buyer, seller

    def _change(
        self, review_id: int, actor: Actor, why: str, now_ns: int, change: Change, detail: str = ""
    ) -> Review:
        def work(connection: Connection, books: Books) -> Review:
            before = read_review(connection, self._keeper.partition, review_id)
            if before is None or not may_see(before, actor):
                raise UnknownReview(f"there is no review {review_id}")
            trade = known_trade(connection, before.match_id)
            review = change(before, trade)
            what = review.steps[-1].what
            if review.is_to_be_carried_out:
                review = _carried_out(books, trade, review, now_ns)
            write_review(connection, self._keeper.partition, review)
            self._audit(connection, actor, what, review, why, now_ns, detail)
            return review

        return self._keeper.within(work)

    def _measure(self, connection: Connection, trade: Trade) -> Finding:
        symbol = self._directory.symbols.get(trade.symbol_id)
        securities = securities_in_event(connection, trade)
        return r.measure(trade, band_of(self._keeper.rule_set), symbol.symbol if symbol else "", securities)

    def _audit(
        self,
        connection: Connection,
        actor: Actor,
        what: str,
        review: Review,
        why: str,
        now_ns: int,
        detail: str,
    ) -> None:
        subject = f"review {review.review_id} of trade {review.match_id}"
        write_audit(connection, self._keeper.partition, actor, what, subject, why, now_ns, detail)


class ReviewClock:
    """Closes reviews in time. problem: why the last look failed, empty while all is well."""

    def __init__(self, desk: ReviewDesk, wake: Callable[[], None], look_s: float = LOOK_S) -> None:
        self.problem = ""
        self._desk = desk
        self._wake = wake
        self._look_s = look_s

    async def run(self) -> None:
        """Look on until cancelled; where the store fails, look again later."""
        while True:
            await asyncio.sleep(self._look_s)
            await self.look()

    async def look(self) -> None:
        """Close what is due, and wake the outbox where a remedy was ordered."""
        try:
            closed = await asyncio.to_thread(self._desk.close_due)
        except (SQLAlchemyError, InfraError) as error:
            if not self.problem:
                log.warning("reviews_not_closed", reason=reason_of(error))
            self.problem = reason_of(error)
            return
        self.problem = ""
        if any(review.remedy.kind != "none" for review in closed):
            self._wake()


def band_of(rule_set: RuleSet) -> PriceBand:
    """Return the price band by which trades are measured: the first of the rules, or that of the defaults."""
    return next((rule for rule in rule_set.rules if isinstance(rule, PriceBand)), PriceBand(id="CE-CORE"))


def may_see(review: Review, actor: Actor) -> bool:
    """Tell whether a review is somebody's to see: the office's, and both sides'."""
    return not actor.participant_id or actor.participant_id in (review.applicant, review.counterparty)


def remedy_in_words(remedy: Remedy) -> str:
    """Say what a remedy is."""
    if remedy.kind != "correct":
        return remedy.kind
    parts = [f"price {format_price(remedy.price)}"] if remedy.price else []
    parts += [f"quantity {remedy.quantity}"] if remedy.quantity else []
    return f"correct to {', '.join(parts)}"


def _carried_out(books: Books, trade: Trade, review: Review, now_ns: int) -> Review:
    """Order the remedy; where the trade does not allow it any more, note why."""
    why = f"review {review.review_id}: {review.steps[-1].why}"
    code, who = BustReason(review.code), review.steps[-1].who
    try:
        if review.remedy.kind == "bust":
            books.order_bust(trade, code, who, why, now_ns)
        else:
            r.check_remedy(trade, review.remedy)
            price, quantity = review.remedy.price or trade.price, review.remedy.quantity or trade.quantity
            books.order_correction(trade, price, quantity, code, who, why, now_ns)
    except TransitionRefused as error:
        return r.noted(msgspec.structs.replace(review), "not carried out", str(error), now_ns)
    return r.noted(review, "ordered", f"the engine is asked: {remedy_in_words(review.remedy)}", now_ns)
