"""The house's acts in the store: chained by a hash, found by their source, and refused whole."""

from __future__ import annotations

import pytest

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.house_store import (
    Act,
    ActRefused,
    Doing,
    find_act,
    list_acts,
    member_of,
    prove_house,
    read_act,
    read_entries,
    read_house_balances,
    read_pending,
    write_act,
)
from exchange.clearing.review_store import list_audit
from exchange.post_trade.house_ledger import Entry, HouseCode, HouseHolder, Phase, house_account
from exchange.post_trade.invariants import BooksBroken
from exchange.post_trade.ledger import CASH
from exchange.post_trade.review import Actor
from tests.post_trade.stream import NOON_NS, Stream

OWNERS, CAPITAL, HOUSE = (
    house_account(holder, 0, CASH) for holder in (HouseHolder.OWNERS, HouseHolder.CAPITAL, HouseHolder.HOUSE)
)
SETTLED, MARGIN = (house_account(holder, 1, CASH) for holder in (HouseHolder.SETTLED, HouseHolder.MARGIN))


@pytest.fixture
def funded(keeper: BookKeeper) -> BookKeeper:
    stream = Stream()
    stream.deposit(1, 500)
    for batch in stream.batches([]):
        keeper.commit(batch)
    return keeper


def write(keeper: BookKeeper, source: str, *entries: Entry) -> Act:
    return keeper.within(
        lambda connection, books: write_act(
            Doing(connection, 0, books, Actor(7, "otto"), "so", NOON_NS),
            "capital",
            source,
            20261123,
            {},
            entries,
        )
    )


def test_acts_are_numbered_chained_and_found(funded: BookKeeper) -> None:
    first = write(funded, "a", Entry(OWNERS, CAPITAL, 100, HouseCode.CAPITAL))
    second = write(funded, "b", Entry(SETTLED, MARGIN, 200, HouseCode.MARGIN, Phase.PENDING))
    with funded.store.connect() as connection:
        assert [act.number for act in list_acts(connection, 0, "", 0, 9)] == [2, 1]
        assert list_acts(connection, 0, "margin", 0, 9) == []
        assert list_acts(connection, 0, "", 2, 9) == [first]
        assert (find_act(connection, 0, "b"), find_act(connection, 0, "c")) == (second, None)
        assert (read_act(connection, 0, 1), read_act(connection, 0, 3)) == (first, None)
        assert [member_of(entry) for act in (1, 2) for entry in read_entries(connection, 0, act)] == [0, 1]
        assert [(act, entry.amount) for _, entry, act in read_pending(connection, 0)] == [(2, 200)]
        assert read_house_balances(connection, 0)[SETTLED].debits_pending == 200
        assert [row.what for row in list_audit(connection, 0, 0, 9)] == ["capital", "capital"]
        assert prove_house(connection, 0)._replace(hash=b"") == (2, 2, b"", [])


def test_what_the_ledger_refuses_is_not_stored(funded: BookKeeper) -> None:
    with pytest.raises(
        ActRefused, match="A, entry 2: 1 are to be taken from settled of account 1, which has 0"
    ):
        write(funded, "a", *[Entry(SETTLED, MARGIN, amount, HouseCode.MARGIN) for amount in (500, 1)])
    with funded.store.connect() as connection:
        assert list_acts(connection, 0, "", 0, 9) == []
        assert read_house_balances(connection, 0) == {}


def test_a_house_that_would_not_be_flat_stops_everything(funded: BookKeeper) -> None:
    with pytest.raises(BooksBroken, match="a: asset 0: the house has 5 in its own ledger"):
        write(funded, "a", Entry(SETTLED, HOUSE, 5, HouseCode.MARK))
