"""The ledger keeps TigerBeetle's rules: two accounts, one asset, whole chains, nothing twice."""

from __future__ import annotations

import msgspec
import pytest

from exchange.post_trade.ledger import (
    CASH,
    NO_TRANSFERS,
    Balance,
    Holder,
    Ledger,
    LedgerAccount,
    Transfer,
    TransferCode,
    account_of,
    chains_of,
    ledger_hash,
)

OUTSIDE = LedgerAccount(Holder.EXTERNAL, 0, CASH).number
ALICE = LedgerAccount(Holder.AVAILABLE, 1, CASH).number
BOB = LedgerAccount(Holder.AVAILABLE, 2, CASH).number


def transfer(debit: int, credit: int, amount: int, number: int = 1, leg: int = 1) -> Transfer:
    return Transfer(debit, credit, amount, TransferCode.DEPOSIT, number, number, number, leg=leg)


def test_a_transfer_debits_one_account_and_credits_the_other() -> None:
    ledger = Ledger()
    assert ledger.post([transfer(OUTSIDE, ALICE, 500)])
    assert ledger.net(Holder.AVAILABLE, 1, CASH) == 500
    assert ledger.net(Holder.EXTERNAL, 0, CASH) == -500
    assert ledger.balances[OUTSIDE] == Balance(debits=500, credits=0)


def test_a_repeated_chain_changes_nothing() -> None:
    ledger = Ledger()
    chain = [transfer(OUTSIDE, ALICE, 500), transfer(ALICE, BOB, 200, leg=2)]
    ledger.post(chain)
    before = msgspec.json.encode(
        [ledger.running_hash.hex(), ledger.transfers, list(ledger.balances.values())]
    )
    assert not ledger.post(chain)
    after = msgspec.json.encode([ledger.running_hash.hex(), ledger.transfers, list(ledger.balances.values())])
    assert before == after


@pytest.mark.parametrize(
    "other",
    [[transfer(OUTSIDE, ALICE, 500), transfer(ALICE, BOB, 200, leg=2)], [transfer(OUTSIDE, BOB, 500)]],
)
def test_another_chain_of_the_same_cause_is_refused(other: list[Transfer]) -> None:
    ledger = Ledger()
    ledger.post([transfer(OUTSIDE, ALICE, 500)])
    with pytest.raises(AssertionError, match="another chain of this cause is posted"):
        ledger.post(other)
    assert ledger.transfers == 1


@pytest.mark.parametrize("legs", [0, 5])
def test_a_chain_has_a_bounded_number_of_transfers(legs: int) -> None:
    chain = [transfer(OUTSIDE, ALICE, 5, leg=leg) for leg in range(1, legs + 1)]
    with pytest.raises(AssertionError, match="a chain has 1 to 4 transfers"):
        Ledger().post(chain)


SHARES = LedgerAccount(Holder.DUE, 1, 7).number


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (transfer(OUTSIDE, ALICE, 0, 2), "an amount above 0"),
        (transfer(OUTSIDE, ALICE, -5, 2), "an amount above 0"),
        (transfer(ALICE, ALICE, 5, 2), "two accounts"),
        (transfer(ALICE, SHARES, 5, 2), "two assets"),
    ],
)
def test_a_chain_with_one_bad_transfer_posts_none_of_them(bad: Transfer, why: str) -> None:
    ledger = Ledger()
    with pytest.raises(AssertionError, match=why):
        ledger.post([transfer(OUTSIDE, ALICE, 500), bad])
    assert ledger.balances == {}
    assert ledger.running_hash == NO_TRANSFERS


def test_the_hash_depends_on_every_field_and_on_the_order() -> None:
    first, second = transfer(OUTSIDE, ALICE, 500), transfer(OUTSIDE, BOB, 200, 2)
    changes = [
        {"leg": 2},
        {"debit": BOB},
        {"credit": BOB},
        {"amount": 501},
        {"subject": 9},
        {"sequence": 9},
        {"code": TransferCode.WITHDRAWAL},
        {"version": 2},
        {"time_ns": 9},
    ]
    others = [ledger_hash([msgspec.structs.replace(first, **change), second]) for change in changes]
    hashes = [ledger_hash([first, second]), ledger_hash([second, first]), *others]
    assert len(set(hashes)) == len(hashes)


def test_the_running_hash_is_the_hash_of_all_transfers_however_they_were_chained() -> None:
    one, two = transfer(OUTSIDE, ALICE, 5), transfer(ALICE, BOB, 1, leg=2)
    three = transfer(OUTSIDE, BOB, 6, 2)
    together, apart = Ledger(), Ledger()
    for chain in ([one, two], [three]):
        together.post(chain)
        apart.post(chain)
        apart.forget_unsaved()
    assert together.running_hash == apart.running_hash == ledger_hash([one, two, three])
    assert together.transfers == apart.transfers == 3
    assert together.unsaved_transfers == [one, two, three]
    assert [*chains_of([one, two, three])] == [[one, two], [three]]


@pytest.mark.parametrize("holder", list(Holder))
def test_an_account_number_names_its_account_and_fits_a_signed_64_bit_integer(holder: Holder) -> None:
    account = LedgerAccount(holder, 2**32 - 1, 65_535)
    assert account_of(account.number) == account
    assert account.number < 2**63


def test_what_the_accounts_had_before_is_kept_until_it_is_stored() -> None:
    ledger = Ledger()
    ledger.post([transfer(OUTSIDE, ALICE, 500)])
    ledger.forget_unsaved()
    ledger.post([transfer(ALICE, BOB, 200, 2)])
    assert ledger.before == {ALICE: 500, BOB: 0}
