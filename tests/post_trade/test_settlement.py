"""Settlement worked out: whole, in part, by age, with and without money; tables that an accountant can read.

An instruction is written `cycle account symbol due quantity cash`, what an account has `account asset amount`.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.post_trade.house_ledger import (
    HouseHolder,
    HouseLedger,
    Phase,
    entry_id,
    faults_of,
    house_account,
)
from exchange.post_trade.ledger import CASH
from exchange.post_trade.settlement import (
    CannotSettle,
    Instruction,
    Outcome,
    chain_of,
    compensation,
    resolved,
    settle,
)

PRICES = {1: 10, 2: 50}


def run(due: str, has: str) -> Outcome:
    instructions = [Instruction(c, a, s, d, q, m) for c, a, s, d, q, m in map(numbers, due.splitlines())]
    owned = {(account, asset): amount for account, asset, amount in map(numbers, has.splitlines())}
    return settle(instructions, PRICES, lambda account_id, asset: owned.get((account_id, asset), 0))


def numbers(line: str) -> list[int]:
    return [int(word) for word in line.split()]


def shown(outcome: Outcome) -> list[str]:
    return [f"{each.cycle} {each.account_id} {each.quantity} {each.cash}" for each in outcome.left]


def test_who_has_shares_and_money_settles_whole_and_pays_what_was_agreed() -> None:
    outcome = run("23 1 1 24 100 -900\n23 2 1 24 -100 900", "1 0 900\n2 1 100")
    assert outcome.money == {1: -900, 2: 900}
    assert outcome.settled == {(23, 1, 1): 100, (23, 2, 1): -100}
    assert outcome.marks == {(23, 1, 1): 100, (23, 2, 1): -100}
    assert (outcome.failed, outcome.unpaid) == ([], [])


def test_a_part_is_delivered_and_the_rest_fails_marked_to_the_price() -> None:
    outcome = run("23 1 1 24 100 -900\n23 2 1 24 -100 900", "1 0 900\n2 1 30")
    assert outcome.money == {1: 100 - 300, 2: 300 - 100}
    assert shown(outcome) == ["23 1 70 -700", "23 2 -70 700"]


def test_the_oldest_is_served_first_and_equally_old_ones_in_proportion() -> None:
    due = "22 3 1 23 10 -100\n23 1 1 24 40 -400\n23 2 1 24 20 -200\n23 4 1 24 -60 600\n22 4 1 23 -10 100"
    outcome = run(due, "1 0 9999\n2 0 9999\n3 0 9999\n4 1 33")
    assert {key[1]: moved for key, moved in outcome.settled.items() if moved > 0} == {3: 10, 1: 16, 2: 7}
    assert {key[:2]: moved for key, moved in outcome.settled.items() if moved < 0} == {
        (22, 4): -10,
        (23, 4): -23,
    }


def test_what_one_account_delivers_and_receives_is_set_off_without_shares() -> None:
    due = "22 1 1 23 -50 480\n23 1 1 24 80 -800\n23 2 1 24 -80 800\n22 3 1 23 50 -480"
    outcome = run(due, "1 0 9999\n3 0 9999\n2 1 80")
    assert outcome.failed == []
    assert len(chain_of(outcome)) == 6  # 1: +30, 2: -80, 3: +50 shares, and money


def test_who_cannot_pay_receives_nothing_and_all_others_do() -> None:
    due = "23 1 1 24 100 -1000\n23 2 1 24 -150 1500\n23 3 1 24 50 -500"
    outcome = run(due, "1 0 999\n3 0 500\n2 1 150")
    assert (outcome.unpaid, outcome.money) == ([1], {1: 0, 2: 500, 3: -500})
    assert shown(outcome) == ["23 1 100 -1000", "23 2 -100 1000", "23 3 0 0"]


def test_who_cannot_even_pay_the_marks_stops_the_run() -> None:
    with pytest.raises(CannotSettle) as refused:
        run("23 1 1 24 100 -1200\n23 2 1 24 -100 1200", "1 0 150\n2 1 100")
    assert refused.value.shortfalls == [(1, 200, 150)]


def test_money_without_shares_is_settled_too() -> None:
    outcome = run("23 1 1 24 0 -70\n23 2 1 24 0 70", "1 0 70")
    assert (outcome.money, outcome.failed) == ({1: -70, 2: 70}, [])


def test_what_is_reserved_is_posted_whole() -> None:
    outcome = run("23 1 1 24 100 -900\n23 2 1 24 -100 900", "1 0 900\n2 1 100")
    ledger = HouseLedger(backing=lambda number: 1000 if number >> 56 == HouseHolder.SETTLED else 0)
    chain = chain_of(outcome)
    ledger.post("run", chain)
    assert ledger.net(HouseHolder.SETTLED, 1, CASH) == 0
    reserved = {entry_id("run", place): entry for place, entry in enumerate(chain, 1)}
    ledger.post("run end", resolved(reserved, Phase.POST))
    assert [ledger.net(HouseHolder.SETTLED, n, CASH) for n in (1, 2)] == [-900, 900]
    assert faults_of(ledger.balances) == []
    assert ledger.pending == {}
    assert house_account(HouseHolder.HOUSE, 0, 1) in ledger.balances


def test_a_compensation_is_rounded_up() -> None:
    assert [compensation(-3, 10_001, 500), compensation(3, 10_000, 500), compensation(1, 1, 0)] == [
        1501,
        1500,
        0,
    ]


@st.composite
def dues(draw: st.DrawFn) -> list[Instruction]:
    found = []
    for cycle in range(1, draw(st.integers(1, 3)) + 1):
        for symbol_id in PRICES:
            moves = draw(
                st.lists(
                    st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 90), st.integers(1, 99)),
                    max_size=5,
                )
            )
            sums: dict[int, list[int]] = {}
            for buyer, seller, quantity, price in moves:
                for account, sign in ((buyer, 1), (seller, -1)):
                    each = sums.setdefault(account, [0, 0])
                    each[0] += sign * quantity
                    each[1] -= sign * quantity * price
            found += [Instruction(cycle, a, symbol_id, cycle, q, m) for a, (q, m) in sums.items() if q or m]
    return found


@given(dues(), st.lists(st.integers(0, 120), min_size=8, max_size=8), st.permutations(range(4)))
def test_the_house_is_flat_and_nobody_gives_what_he_lacks(
    due: list[Instruction], shares: list[int], order: list[int]
) -> None:
    def has(account_id: int, asset: int) -> int:
        return 10**6 if asset == CASH else shares[account_id - 1 + 4 * (asset - 1)]

    outcome = settle(due, PRICES, has)
    shuffled = sorted(due, key=lambda each: order[each.account_id - 1])
    again = settle(shuffled, PRICES, has)
    assert (again.settled, again.money) == (outcome.settled, outcome.money)
    assert sum(outcome.money.values()) == 0
    for symbol_id in PRICES:
        left = [each for each in outcome.left if each.symbol_id == symbol_id]
        assert sum(each.quantity for each in left) == sum(each.cash for each in left) == 0
        for account_id in range(1, 5):
            moved = sum(n for key, n in outcome.settled.items() if key[1:] == (account_id, symbol_id))
            assert moved >= -has(account_id, symbol_id)
    for each in due:
        assert abs(outcome.settled.get(each.key, 0)) <= abs(each.quantity)
