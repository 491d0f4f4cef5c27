"""What settlement did is made anew from obligations and prices, and what was changed in the store is found."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Table, update

from exchange.clearing.house_tables import house_entries, instructions, settlement_lines
from exchange.clearing.instruction_store import read_lines
from exchange.clearing.settlement_proof import key_of, outcome_of, settlement_faults
from exchange.infra.store import begin_write
from tests.clearing.test_settlement_desk import NOON_NS, OTTO, TUESDAY, WEDNESDAY, Desk
from tests.clearing.test_settlement_desk import desk as settlement_desk

desk = settlement_desk


def faults(desk: Desk) -> list[str]:
    with desk.keeper.store.connect() as connection:
        return settlement_faults(connection, 0)


def run_twice(desk: Desk) -> None:
    """Settle a day of which a part fails, and that part on the next one at another price."""
    desk.stream.trade(1, 2, 150, price="189.00")
    desk.begin(TUESDAY)
    desk.settle()
    desk.stream.trade(3, 1, 10, price="190.00")
    desk.begin(WEDNESDAY)
    desk.settle()


def test_what_was_settled_failed_and_given_up_follows_from_obligations_and_prices(desk: Desk) -> None:
    assert faults(desk) == []
    desk.stream.trade(1, 2, 150, price="189.00")
    desk.begin(TUESDAY)
    desk.desk.reserve(TUESDAY, OTTO, "night run", NOON_NS)
    assert faults(desk) == []
    desk.desk.end(OTTO, "not now", NOON_NS, give_up=True)
    assert faults(desk) == []
    desk.settle()
    desk.stream.trade(3, 1, 10, price="190.00")
    desk.begin(WEDNESDAY)
    desk.settle()
    assert desk.open() != []
    assert faults(desk) == []


@pytest.mark.parametrize(
    ("table", "changed", "expected"),
    [
        (settlement_lines, {"mark": 7}, "does not follow from what was open and from the price"),
        (settlement_lines, {"price": 7}, "does not follow from what was open and from the price"),
        (settlement_lines, {"failed": 7}, "does not follow from what was open and from the price"),
        (house_entries, {"amount": 7}, "did not book what its lines say"),
        (instructions, {"cash": 7}, "of money are stored as open"),
        (instructions, {"quantity": 7}, "shares and "),
    ],
)
def test_what_is_changed_in_the_store_is_found(
    desk: Desk, table: Table, changed: dict[str, Any], expected: str
) -> None:
    run_twice(desk)
    assert faults(desk) == []
    with begin_write(desk.keeper.store) as connection:
        connection.execute(update(table).values(**changed))
    assert any(expected in fault for fault in faults(desk))


def test_a_run_is_told_from_its_lines(desk: Desk) -> None:
    desk.stream.trade(1, 2, 100, price="189.00")
    desk.begin(TUESDAY)
    act = desk.desk.settle(TUESDAY, OTTO, "night run", NOON_NS)
    with desk.keeper.store.connect() as connection:
        lines = read_lines(connection, 0, act.number)
    assert [key_of(line)[1:] for line in lines] == [(1, 1), (2, 1)]
    assert outcome_of(lines).money == {1: -18_900_0000, 2: 18_900_0000}
