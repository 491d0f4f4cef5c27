"""The house's ledger: two phases, chains that hold whole or not at all, and what nobody may do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.post_trade.house_ledger import (
    Entry,
    HouseCode,
    HouseHolder,
    HouseLedger,
    Phase,
    PostingRefused,
    act_hash,
    entry_id,
    faults_of,
    house_account,
    overdrawn,
    reversal,
)
from exchange.post_trade.ledger import CASH

ALICE, BOB = (house_account(HouseHolder.SETTLED, account_id, CASH) for account_id in (1, 2))
MARGIN = house_account(HouseHolder.MARGIN, 1, CASH)
HOUSE = house_account(HouseHolder.HOUSE, 0, CASH)


def brought(number: int) -> int:
    return 100 if number == ALICE else 0


def move(amount: int, debit: int = ALICE, credit: int = HOUSE, **more: object) -> Entry:
    return Entry(debit, credit, amount, HouseCode.MARGIN, **more)  # type: ignore[arg-type]


def test_a_chain_is_posted_whole_or_not_at_all() -> None:
    ledger = HouseLedger(backing=brought)
    with pytest.raises(
        PostingRefused, match="a, entry 3: 41 are to be taken from settled of account 1, which has 40"
    ):
        ledger.post("a", [move(60), move(60, HOUSE, BOB), move(41, ALICE, MARGIN)])
    assert (ledger.balances, ledger.touched) == ({}, {})
    ledger.post("a", [move(60), move(60, HOUSE, BOB), move(40, ALICE, MARGIN)])
    assert [ledger.net(HouseHolder.SETTLED, n, CASH) for n in (1, 2)] == [-100, 60]
    assert faults_of(ledger.balances) == []
    assert overdrawn(ledger.balances, brought) == []


def test_what_is_pending_is_reserved_and_resolved_once() -> None:
    ledger = HouseLedger(backing=brought)
    ledger.post("run", [move(80, ALICE, BOB, phase=Phase.PENDING)])
    reserved = entry_id("run", 1)
    assert (ledger.spendable(HouseHolder.SETTLED, 1, CASH), ledger.net(HouseHolder.SETTLED, 1, CASH)) == (
        20,
        0,
    )
    with pytest.raises(PostingRefused, match="which has 20 of asset 0 free"):
        ledger.post("other", [move(21, ALICE, MARGIN)])
    with pytest.raises(PostingRefused, match="81 is more than the 80 that are pending"):
        ledger.post("end", [move(81, ALICE, BOB, phase=Phase.POST, resolves=reserved)])
    ledger.post("end", [move(50, ALICE, BOB, phase=Phase.POST, resolves=reserved)])
    assert (ledger.spendable(HouseHolder.SETTLED, 1, CASH), ledger.net(HouseHolder.SETTLED, 2, CASH)) == (
        50,
        50,
    )
    with pytest.raises(PostingRefused, match="there is no open pending entry"):
        ledger.post("again", [move(0, ALICE, BOB, phase=Phase.VOID, resolves=reserved)])
    assert ledger.pending == {}


def test_a_void_gives_everything_free_and_a_second_resolution_in_one_chain_is_refused() -> None:
    ledger = HouseLedger(backing=brought)
    ledger.post("run", [move(80, ALICE, BOB, phase=Phase.PENDING)])
    void = move(0, ALICE, BOB, phase=Phase.VOID, resolves=entry_id("run", 1))
    with pytest.raises(PostingRefused, match="end, entry 2: its pending entry is resolved already"):
        ledger.post("end", [void, void])
    with pytest.raises(PostingRefused, match="between other accounts"):
        ledger.post("end", [move(1, BOB, ALICE, phase=Phase.POST, resolves=entry_id("run", 1))])
    ledger.post("end", [void])
    assert ledger.spendable(HouseHolder.SETTLED, 1, CASH) == 100


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (move(0), "moves an amount above 0, got 0"),
        (move(1, ALICE, ALICE), "the same account"),
        (move(1, ALICE, house_account(HouseHolder.HOUSE, 0, 7)), "two assets"),
        (move(1, BOB, ALICE), "of account 2, which has 0"),
        (move(1, ALICE, BOB, phase=Phase.POST), "no open pending entry named"),
    ],
)
def test_what_cannot_be_is_refused(entry: Entry, message: str) -> None:
    with pytest.raises(PostingRefused, match=message):
        HouseLedger(backing=brought).post("x", [entry])


def test_a_correction_may_overdraw_and_is_reported() -> None:
    ledger = HouseLedger(backing=brought)
    paid = [move(70, ALICE, MARGIN)]
    ledger.post("paid", paid)
    ledger.post("spent", [Entry(MARGIN, BOB, 70, HouseCode.DEFAULT)])
    ledger.post("corrected", reversal(paid))
    assert overdrawn(ledger.balances, brought) == [(MARGIN, 70)]
    assert faults_of(ledger.balances) == []


def test_a_house_that_is_not_flat_and_sums_that_differ_are_found() -> None:
    ledger = HouseLedger(backing=brought)
    ledger.post("half", [move(60)])
    assert faults_of(ledger.balances) == ["asset 0: the house has 60 in its own ledger, not 0"]
    ledger.balances[ALICE].debits += 1
    assert faults_of(ledger.balances)[1:] == ["asset 0: debits and credits posted differ by -1"]


def test_ids_and_hashes_follow_from_the_source() -> None:
    assert entry_id("a", 1) == entry_id("a", 1) != entry_id("a", 2)
    assert len({act_hash(bytes(16), source, b"", [move(n)]) for source in "ab" for n in (1, 2)}) == 4


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 60), st.booleans()), max_size=12)
)
def test_whatever_is_posted_debits_equal_credits_and_nobody_is_overdrawn(
    moves: list[tuple[int, int, int, bool]],
) -> None:
    def hundred(number: int) -> int:
        return 100

    ledger = HouseLedger(backing=hundred)
    accounts = [house_account(HouseHolder.SETTLED, n, CASH) for n in range(4)]
    for number, (debit, credit, amount, waits) in enumerate(moves):
        try:
            phase = Phase.PENDING if waits else Phase.POSTED
            ledger.post(f"m{number}", [move(amount, accounts[debit], accounts[credit], phase=phase)])
        except PostingRefused:
            continue
    assert faults_of(ledger.balances) == []
    assert overdrawn(ledger.balances, hundred) == []
