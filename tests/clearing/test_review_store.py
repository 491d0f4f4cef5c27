"""Reviews, proposed rulings and the audit trail in the store: what is written is read again, in every database."""

from __future__ import annotations

import msgspec
from sqlalchemy import Engine, select, update

from exchange.clearing import review_store, tables
from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.review_store import Proposal
from exchange.clearing.store import read_trade
from exchange.domain.units import MatchId, TimeNs
from exchange.infra.store import begin_write
from exchange.post_trade.audit import first_fault
from exchange.post_trade.review import Actor, Finding, Remedy, Review, ReviewState
from tests.post_trade.stream import Stream

OTTO = Actor(7, "otto")


def review(
    number: int, state: ReviewState = ReviewState.FILED, due_ns: int = 0, applicant: int = 1
) -> Review:
    finding = Finding(measured=5, guideline=4, securities=1, sentence="off")
    return Review(
        review_id=number, match_id=MatchId(80 + number), applicant=applicant, counterparty=2, filed_ns=TimeNs(1),
        basis="typed", wanted=Remedy("bust"), finding=finding, state=state, due_ns=TimeNs(due_ns),
    )  # fmt: skip


def test_a_review_is_read_as_it_was_written_and_replaced_by_its_next_state(store: Engine) -> None:
    with begin_write(store) as connection:
        assert review_store.next_review_id(connection, 0) == 1
        review_store.write_review(connection, 0, review(1), is_new=True)
        assert review_store.next_review_id(connection, 0) == 2
        ruled = msgspec.structs.replace(review(1), state=ReviewState.GRANTED, due_ns=TimeNs(9))
        review_store.write_review(connection, 0, ruled)
        assert review_store.read_review(connection, 0, 1) == ruled
        assert review_store.read_review(connection, 1, 1) is None
        assert review_store.reviews_of_trade(connection, 81) == [ruled]


def test_reviews_are_listed_by_state_and_side_in_pages(store: Engine) -> None:
    with begin_write(store) as connection:
        for number, state, applicant in ((1, "filed", 1), (2, "closed", 1), (3, "filed", 3), (4, "filed", 1)):
            review_store.write_review(
                connection, 0, review(number, ReviewState(state), applicant=applicant), is_new=True
            )

        def ids(state: str = "", participant: int = 0, before: int = 0, limit: int = 9) -> list[int]:
            found = review_store.list_reviews(connection, 0, state, participant, before, limit)
            return [each.review_id for each in found]

        assert ids() == [4, 3, 2, 1]
        assert ids(state="filed", participant=1) == [4, 1]
        assert ids(participant=2) == [4, 3, 2, 1]
        assert (ids(limit=2), ids(before=3)) == ([4, 3], [2, 1])


def test_only_ruled_reviews_whose_time_is_over_are_due(store: Engine) -> None:
    rows = [("granted", 5), ("denied", 4), ("granted", 11), ("appealed", 1), ("filed", 1), ("closed", 0)]
    with begin_write(store) as connection:
        for number, (state, due_ns) in enumerate(rows, 1):
            review_store.write_review(connection, 0, review(number, ReviewState(state), due_ns), is_new=True)
        assert [each.review_id for each in review_store.due_reviews(connection, 0, 10, 9)] == [2, 1]


def test_securities_under_suspicion_within_five_minutes_are_one_event(
    store: Engine, keeper: BookKeeper
) -> None:
    stream = Stream()
    first = stream.trade(1, 2, 100, price="195.00")
    stream.trade(1, 2, 100, price="12.00", reference="10.00", symbol_id=2)
    stream.trade(1, 2, 100, price="10.00", reference="10.00", symbol_id=2)
    stream.time_ns += 301 * 10**9
    late = stream.trade(1, 2, 100)
    for batch in stream.batches([]):
        keeper.commit(batch)
    with store.connect() as connection:
        counts = []
        for match_id in (first, late):
            trade = read_trade(connection, match_id)
            assert trade
            counts.append(review_store.securities_in_event(connection, trade))
    assert counts == [2, 1]


def test_a_proposed_ruling_takes_the_place_of_the_one_before(store: Engine) -> None:
    with begin_write(store) as connection:
        for proposal in (
            Proposal("bust", 69, 0, 0, 7, "otto"),
            Proposal("correct", 67, 5, 6, 8, "olga"),
            None,
        ):
            review_store.write_proposal(connection, 0, 2**63 + 88, proposal, 5)
            assert review_store.read_proposal(connection, 0, 2**63 + 88) == proposal


def test_the_audit_trail_is_chained_and_a_change_in_the_database_shows(store: Engine) -> None:
    with begin_write(store) as connection:
        for number in range(3):
            review_store.write_audit(connection, 0, OTTO, "bust", f"trade {number}", "off", 5 + number)
        assert first_fault(review_store.read_audit(connection, 0)) == ""
        assert [row.number for row in review_store.list_audit(connection, 0, 3, 9)] == [2, 1]
        table = tables.audit_trail
        connection.execute(update(table).where(table.c.number == 2).values(why="on"))
        assert first_fault(review_store.read_audit(connection, 0)) == (
            "the audit trail was changed at entry 2 or before it"
        )
        assert len(connection.execute(select(table.c.hash)).all()) == 3
