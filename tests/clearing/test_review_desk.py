"""The review desk: a request, its answer and what follows are one transaction with the books, in every database."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from exchange.clearing import queries
from exchange.clearing.book_keeper import BookKeeper, UnknownTrade
from exchange.clearing.review_desk import (
    REVIEWS_OF_TRADE_MAX,
    ReviewClock,
    ReviewDesk,
    UnknownReview,
    band_of,
    remedy_in_words,
)
from exchange.clearing.store import read_trade
from exchange.domain.directory import Directory
from exchange.domain.trade import BustReason
from exchange.domain.units import Price, Quantity
from exchange.post_trade.review import NS_PER_MINUTE, Actor, Limits, Remedy, ReviewRefused, ReviewState
from exchange.post_trade.rules import parse_rules
from tests.post_trade.stream import NOON_NS, Stream

ALICE, BOB, CAROL = (
    Actor(10 + number, name, number) for number, name in enumerate(("alice", "bob", "carol"), 1)
)
OTTO = Actor(21, "otto")
BUST, E = Remedy("bust"), BustReason.ERRONEOUS


class SetClock:
    def __init__(self) -> None:
        self.minute = 1

    def now_ns(self) -> int:
        return NOON_NS + self.minute * NS_PER_MINUTE


class Desk:
    """A desk over a store with one trade between Alice and Bob that is held."""

    def __init__(self, keeper: BookKeeper) -> None:
        self.keeper, self.clock, self.stream, directory = keeper, SetClock(), Stream(), Directory()
        self.match_id = self.stream.trade(1, 2, 100, price="195.00")
        self.commit()
        for event in self.stream.events:
            directory.apply(event)
        self.reviews = ReviewDesk(keeper, directory, self.clock, Limits())

    def commit(self) -> None:
        for batch in self.stream.batches([]):
            self.keeper.commit(batch)

    def requests(self) -> list[tuple[str, int]]:
        with self.keeper.store.connect() as connection:
            return [(each.kind, each.new_quantity) for each in queries.waiting_requests(connection, 0, 9)]

    def state(self) -> str:
        with self.keeper.store.connect() as connection:
            trade = read_trade(connection, self.match_id)
        assert trade
        return trade.state.value


@pytest.fixture
def desk(keeper: BookKeeper) -> Desk:
    return Desk(keeper)


def test_a_granted_bust_goes_into_the_outbox_when_its_time_has_come(desk: Desk) -> None:
    review = desk.reviews.file(desk.match_id, BUST, "typed", ALICE)
    desk.reviews.rule(review.review_id, BUST, E, OTTO, "off")
    assert desk.reviews.close_due() == []
    desk.clock.minute += 30
    (closed,) = desk.reviews.close_due()
    assert (closed.state, desk.requests(), desk.state()) == (
        ReviewState.CLOSED,
        [("bust", 0)],
        "bust_pending",
    )
    assert desk.reviews.close_due() == []


def test_a_partial_bust_by_consent_goes_there_at_once(desk: Desk) -> None:
    part = Remedy("correct", Price(0), Quantity(60))
    review_id = desk.reviews.file(desk.match_id, part, "typed", BOB).review_id
    desk.reviews.agree(review_id, ALICE, "yes")
    closed = desk.reviews.rule(review_id, part, BustReason.CONSENT, OTTO, "both agree")
    assert (closed.state, closed.steps[-1].what, desk.requests()) == ("closed", "ordered", [("correct", 60)])


def test_a_refusal_changes_nothing(desk: Desk) -> None:
    review_id = desk.reviews.file(desk.match_id, BUST, "typed", ALICE).review_id
    with pytest.raises(ReviewRefused):
        desk.reviews.agree(review_id, ALICE, "me too")
    with pytest.raises(UnknownReview):
        desk.reviews.agree(review_id, CAROL, "me too")
    with pytest.raises(UnknownReview):
        desk.reviews.withdraw(99, ALICE, "x")
    with pytest.raises(UnknownTrade):
        desk.reviews.file(99_999, BUST, "typed", ALICE)
    assert (desk.requests(), desk.state()) == ([], "held")


def test_one_trade_takes_only_so_many_requests(desk: Desk) -> None:
    for _ in range(REVIEWS_OF_TRADE_MAX):
        review_id = desk.reviews.file(desk.match_id, BUST, "typed", ALICE).review_id
        desk.reviews.withdraw(review_id, ALICE, "no")
    with pytest.raises(ReviewRefused, match="reviewed 20 times"):
        desk.reviews.file(desk.match_id, BUST, "typed", ALICE)


def test_a_remedy_that_is_too_late_is_noted_and_the_review_closed(desk: Desk) -> None:
    review_id = desk.reviews.file(desk.match_id, BUST, "typed", ALICE).review_id
    desk.reviews.rule(review_id, BUST, E, OTTO, "off")
    desk.stream.bust(desk.match_id)
    desk.commit()
    desk.clock.minute += 30
    (closed,) = desk.reviews.close_due()
    assert (closed.steps[-1].what, desk.requests()) == ("not carried out", [])


async def test_the_clock_wakes_the_outbox_and_outlives_a_store_that_fails(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    clock = ReviewClock(desk.reviews, lambda: woken.append(1))
    review_id = desk.reviews.file(desk.match_id, BUST, "typed", ALICE).review_id
    desk.reviews.rule(review_id, BUST, E, OTTO, "off")
    await clock.look()
    assert woken == []
    desk.clock.minute += 30

    def fail() -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    with monkeypatch.context() as patched:
        patched.setattr(desk.reviews, "close_due", fail)
        await clock.look()
    assert "gone" in clock.problem
    await clock.look()
    assert (clock.problem, woken) == ("", [1])


def test_a_trade_is_measured_by_the_first_price_band_or_that_of_the_defaults() -> None:
    assert band_of(parse_rules([{"id": "A", "kind": "halted"}])).hold_at == 1
    assert band_of(parse_rules([{"id": "B", "kind": "price_band", "tiers": [{"percent": "7"}]}])).id == "B"


def test_a_remedy_is_told_in_words() -> None:
    assert remedy_in_words(BUST) == "bust"
    assert (
        remedy_in_words(Remedy("correct", Price(1_892_000), Quantity(60)))
        == "correct to price 189.20, quantity 60"
    )
