"""Tests of exchange.wire.rest.admin: members, keys and rulings as JSON."""

from __future__ import annotations

import msgspec

from exchange.domain.participant import Account, Key, Participant, Role
from exchange.domain.trade import BustReason
from exchange.domain.units import AccountId, KeyId, ParticipantId
from exchange.wire.rest.admin import (
    BUST_REASONS,
    ROLES,
    Movement,
    MovementDone,
    account_view,
    key_view,
    participant_view,
)

ALICE = Participant(ParticipantId(1), "alice")
MAIN = Account(AccountId(4), ParticipantId(1), "main")


def test_members_and_accounts_are_shown_with_ids_as_text() -> None:
    assert msgspec.to_builtins(participant_view(ALICE, [MAIN])) == {
        "id": "1",
        "name": "alice",
        "accounts": ["4"],
        "self_trade_group": 0,
        "self_trade_mode": "none",
    }
    assert msgspec.to_builtins(account_view(MAIN)) == {"id": "4", "participant": "1", "name": "main"}


def test_a_key_is_shown_without_anything_that_opens_a_door() -> None:
    key = Key(KeyId(7), ParticipantId(1), Role.TRADER, b"s" * 32, "laptop")
    assert msgspec.to_builtins(key_view(key)) == {
        "id": "7",
        "participant": "1",
        "role": "trader",
        "label": "laptop",
    }


def test_every_role_and_reason_has_its_word() -> None:
    assert set(ROLES.values()) == set(Role)
    assert set(BUST_REASONS.values()) == set(BustReason)


def test_a_movement_is_of_cash_or_of_shares() -> None:
    assert msgspec.json.decode('{"amount":"5.00"}', type=Movement) == Movement(amount="5.00")
    done = MovementDone(account="1", seq=5, balance="20", symbol="AAPL", qty="20")
    assert "amount" not in msgspec.to_builtins(done)
