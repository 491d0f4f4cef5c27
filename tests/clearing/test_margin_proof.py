"""What margin required and called is made anew from prices, and a run that was changed in the store is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.house_store import list_acts
from exchange.clearing.house_tables import house_acts
from exchange.clearing.margin_proof import margin_run_faults
from exchange.clearing.price_proof import make_closes
from exchange.infra.store import begin_write
from tests.clearing.test_collateral_desk import Collateral
from tests.clearing.test_settlement_desk import WEDNESDAY


@pytest.fixture
def venue(keeper: BookKeeper) -> Collateral:
    """Margin before, after and between payments and closed days; the last runs take value at risk from three prices."""
    venue = Collateral(keeper, horizon_days=1, observations_min=1)
    venue.margin()
    venue.pay("call 1", 2_000_0000)
    venue.margin()
    venue.begin(WEDNESDAY)
    venue.margin()
    venue.stream.trade(2, 1, 20, price="180.00")
    venue.take()
    venue.margin()
    return venue


def faults(venue: Collateral) -> list[str]:
    with venue.keeper.store.connect() as connection:
        return margin_run_faults(connection, 0, make_closes(connection, 0))


def test_each_run_follows_from_prices_and_exposures(venue: Collateral) -> None:
    assert faults(venue) == []
    with venue.keeper.store.connect() as connection:
        bodies = [msgspec.json.decode(act.body) for act in list_acts(connection, 0, "margin", 0, 9)]
    assert len(bodies) == 4
    assert any(row[4] for row in bodies[0]["margins"]), "the last run has value at risk"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda body: body["margins"][0].__setitem__(7, 5), r"account 1 was required \d+ and called 5, and made"),
        (lambda body: body["margins"][0].__setitem__(3, 5), r"account 1 was required \d+ and called"),
        (lambda body: body["margins"][1].__setitem__(4, 5), r"account 2 was required \d+ and called"),
        (lambda body: body["margins"].pop(0), "not worked out for all accounts"),
        (lambda body: body["evidence"]["marks"].update({"1": 7}), "the mark of symbol 1 is 7, 1800000 by its trades"),
        (lambda body: body["evidence"]["exposures"][0].__setitem__(1, 5), "do not sum to nothing"),
        (lambda body: body["evidence"]["exposures"][0][2][0].__setitem__(1, 5), "do not sum to nothing"),
    ],
)  # fmt: skip
def test_a_run_that_was_changed_is_named(
    venue: Collateral, change: Callable[[dict[str, Any]], None], expected: str
) -> None:
    with begin_write(venue.keeper.store) as connection:
        act = list_acts(connection, 0, "margin", 0, 1)[0]
        body = msgspec.json.decode(act.body)
        change(body)
        where = house_acts.c.number == act.number
        connection.execute(update(house_acts).where(where).values(body=msgspec.json.encode(body)))
        assert connection.execute(select(house_acts.c.body).where(where)).scalar() != act.body
    assert any(
        re.search(expected, fault) and fault.startswith(f"act {act.number}, margin/")
        for fault in faults(venue)
    )
