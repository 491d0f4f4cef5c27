"""The directory is what its events make of it."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.domain.participant import Account, Key, Participant, Role
from exchange.domain.symbol import DEFAULT_TICKS, SymbolState

HEADER: dict[str, Any] = {"sequence": 1, "command_sequence": 1, "time_ns": 0, "epoch": 1}
HASH = bytes(range(32))


@pytest.fixture
def directory() -> Directory:
    directory = Directory()
    for event in (
        e.SymbolAdded(
            **HEADER, symbol_id=1, symbol="XYZ", name="Xyzzy", reference_price=100_000, round_lot=10,
            state=SymbolState.ACTIVE, ticks=DEFAULT_TICKS,
        ),
        e.ParticipantCreated(**HEADER, participant_id=1, name="ann"),
        e.ParticipantCreated(**HEADER, participant_id=2, name="bob"),
        e.AccountCreated(**HEADER, account_id=1, participant_id=1, name="main"),
        e.AccountCreated(**HEADER, account_id=2, participant_id=2, name="main"),
        e.AccountCreated(**HEADER, account_id=3, participant_id=1, name="second"),
        e.KeyCreated(**HEADER, key_id=1, participant_id=1, role=Role.TRADER, sha256=HASH, label="desk"),
    ):  # fmt: skip
        assert directory.apply(event)
    return directory


def test_everything_is_found_by_its_id(directory: Directory) -> None:
    assert directory.participants == {1: Participant(1, "ann"), 2: Participant(2, "bob")}
    assert directory.accounts[3] == Account(3, 1, "second")
    assert directory.keys == {1: Key(1, 1, Role.TRADER, HASH, "desk")}
    assert directory.symbols[1].round_lot == 10


def test_symbols_participants_and_keys_are_found_by_what_outsiders_know(directory: Directory) -> None:
    assert directory.symbol_named("XYZ") is directory.symbols[1]
    assert directory.symbol_named("ABC") is None
    assert directory.participant_ids["bob"] == 2
    assert directory.key_ids[HASH] == 1


def test_accounts_of_a_participant_come_oldest_first(directory: Directory) -> None:
    assert [account.account_id for account in directory.accounts_of(1)] == [1, 3]
    assert directory.accounts_of(9) == []


def test_a_symbol_follows_its_state_and_its_reference_price(directory: Directory) -> None:
    directory.apply(e.SymbolStateChanged(**HEADER, symbol_id=1, state=SymbolState.SUSPENDED, reason="news"))
    directory.apply(e.ReferencePriceSet(**HEADER, symbol_id=1, reference_price=200_000))
    symbol = directory.symbols[1]
    assert (symbol.state, symbol.reference_price, symbol.symbol) == (SymbolState.SUSPENDED, 200_000, "XYZ")


def test_a_revoked_key_is_gone_but_its_id_stays_used(directory: Directory) -> None:
    directory.apply(e.KeyRevoked(**HEADER, key_id=1))
    assert (directory.keys, directory.key_ids, directory.keys_created) == ({}, {}, 1)


def test_other_events_do_not_concern_the_directory(directory: Directory) -> None:
    assert not directory.apply(e.EngineStarted(**HEADER, rules_version=1))
    assert not directory.apply(e.OrdersCancelled(**HEADER, participant_id=1, count=0))
