"""Rulings of officers: at once, or above a notional when another one orders the same."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from exchange.clearing.book_keeper import BookKeeper, UnknownTrade
from exchange.clearing.review_store import Proposal, list_audit, read_proposal
from exchange.clearing.ruling_desk import RulingDesk, in_words, is_second
from exchange.domain.trade import BustReason
from exchange.domain.units import Money, Price, Quantity
from exchange.post_trade.review import Actor, Limits
from exchange.post_trade.trade_life import TransitionRefused
from tests.post_trade.stream import NOON_NS, Stream

OTTO, OLGA = Actor(7, "otto"), Actor(8, "olga")
E, S = BustReason.ERRONEOUS, BustReason.SUPERVISORY


@pytest.fixture
def match_id(keeper: BookKeeper) -> int:
    stream = Stream()
    found = stream.trade(1, 2, 100, price="195.00")
    for batch in stream.batches([]):
        keeper.commit(batch)
    return found


def desk(keeper: BookKeeper, notional: int = 0) -> RulingDesk:
    return RulingDesk(keeper, Limits(two_person_notional=Money(notional)))


def test_one_officer_rules_where_nothing_else_is_configured(keeper: BookKeeper, match_id: int) -> None:
    trade, is_done = desk(keeper).release(match_id, OTTO, "news", NOON_NS)
    assert (trade.state, is_done) == ("accepted", True)
    assert audit(keeper) == ["release"]


# who, what, with what                                what comes of it
LINES: list[tuple[Actor, str, BustReason, int, str]] = [
    (OTTO, "bust", E, 0, "waits"),
    (OTTO, "bust", E, 0, "waits"),
    (OLGA, "bust", S, 0, "waits"),
    (OTTO, "correct", S, 1_892_000, "waits"),
    (OLGA, "correct", S, 1_892_001, "waits"),
    (OTTO, "correct", S, 1_892_001, "done"),
    (OTTO, "bust", E, 0, "waits"),
    (OLGA, "bust", E, 0, "done"),
]


def test_two_officers_must_order_the_same_and_whoever_orders_otherwise_begins_anew(
    keeper: BookKeeper, match_id: int
) -> None:
    rulings = desk(keeper, 1)
    for actor, kind, code, price, expected in LINES:
        if kind == "bust":
            _, is_done = rulings.bust(match_id, code, actor, "off", NOON_NS)
        else:
            _, is_done = rulings.correct(match_id, Price(price), Quantity(0), code, actor, "off", NOON_NS)
        assert is_done == (expected == "done"), (actor, kind, code, price)
    with keeper.store.connect() as connection:
        assert read_proposal(connection, 0, match_id) is None
    assert audit(keeper).count("bust") == audit(keeper).count("correct") == 1


# who proposes, who orders the same                                          whether these are two persons
PERSONS = [
    ("operator operator (key 1)", "operator kim (of operator) (key 8)", False),
    ("operator kim (of operator) (key 8)", "operator operator (key 1)", False),
    ("operator kim (of operator) (key 8)", "clearing kim2 (of operator) (key 9)", False),
    ("operator x (of clearing) (of operator) (key 8)", "operator operator (key 1)", False),
    ("operator kim (of operator) (key 8)", "clearing clearing (key 3)", True),
    ("operator operator (key 1)", "clearing clearing (key 3)", True),
]


@pytest.mark.parametrize(("first", "second", "are_two"), PERSONS)
def test_keys_that_one_person_had_made_are_one_person(
    keeper: BookKeeper, match_id: int, first: str, second: str, are_two: bool
) -> None:
    rulings = desk(keeper, 1)
    rulings.release(match_id, Actor(11, first), "news", NOON_NS)
    assert rulings.release(match_id, Actor(12, second), "news", NOON_NS)[1] is are_two


def test_what_is_impossible_is_refused_before_anybody_waits(keeper: BookKeeper, match_id: int) -> None:
    rulings = desk(keeper, 1)
    rulings.release(match_id, OTTO, "news", NOON_NS)
    rulings.release(match_id, OLGA, "news", NOON_NS)
    with pytest.raises(TransitionRefused, match="cannot be released: it is accepted"):
        rulings.release(match_id, OTTO, "again", NOON_NS)
    with pytest.raises(UnknownTrade):
        rulings.bust(99_999, E, OTTO, "off", NOON_NS)
    assert audit(keeper) == ["release", "release proposed"]


def test_a_ruling_is_told_in_words() -> None:
    assert (
        in_words(Proposal("correct", ord("C"), 1_892_000, 60, 7, "otto"))
        == "code C, price 189.20, quantity 60"
    )
    assert in_words(Proposal("release", 0, 0, 0, 7, "otto")) == ""
    assert not is_second(None, Proposal("release", 0, 0, 0, 7, "otto"), OTTO)


def audit(keeper: BookKeeper) -> list[str]:
    store: Engine = keeper.store
    with store.connect() as connection:
        return [row.what for row in list_audit(connection, 0, 0, 100)]
