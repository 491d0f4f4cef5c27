"""Keys and roles."""

from __future__ import annotations

from hashlib import sha256

import pytest

from exchange.domain import events as e
from exchange.domain.participant import Role
from exchange.domain.units import CommandSequence, EventSequence, KeyId, ParticipantId, TimeNs
from exchange.infra.auth import AuthError, Principal, admitted, new_key, new_password, session_digest
from tests.infra.http_server import key_text, make_keyring


def test_a_key_is_known_by_its_hash_and_tells_who_sends() -> None:
    principal = make_keyring().authenticate(f"Bearer {key_text(Role.TRADER)}")
    assert principal == Principal(Role.TRADER, 1, Role.TRADER, "trader")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer"])
def test_the_scheme_is_read_in_any_case(scheme: str) -> None:
    assert make_keyring().authenticate(f"{scheme} {key_text(Role.VIEWER)}").role is Role.VIEWER


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic eDp5",
        "xk_trader",
        "Bearer xk_other",
        f"Bearer {'x' * 5000}",
        "Bearer \udcff",
    ],
)
def test_anything_else_is_refused(header: str) -> None:
    with pytest.raises(AuthError):
        make_keyring().authenticate(header)


def test_a_new_key_has_256_random_bits_and_fits_its_hash() -> None:
    text, digest = new_key()
    assert text.startswith("xk_")
    assert len(text) == len("xk_") + 43
    assert digest == sha256(text.encode()).digest()
    assert new_key()[0] != text


def test_a_new_password_fits_soupbintcp_and_only_its_user_opens_with_it() -> None:
    password = new_password()
    assert (len(password), password.isalnum(), password == new_password()) == (10, True, False)
    digest = session_digest("ALICE", password)
    assert len(digest) == 32
    assert digest == session_digest("ALICE", password)
    assert digest not in (session_digest("BOB", password), session_digest("ALICE", password + " "))


def test_a_key_created_or_revoked_in_the_directory_counts_at_once() -> None:
    keyring = make_keyring()
    text, digest = new_key()
    keyring.directory.apply(created(digest))
    assert keyring.authenticate(f"Bearer {text}").label == "new"
    keyring.directory.apply(revoked())
    with pytest.raises(AuthError):
        keyring.authenticate(f"Bearer {text}")


def test_an_operator_is_admitted_where_risk_or_clearing_is() -> None:
    assert admitted({Role.RISK}) == {Role.RISK, Role.OPERATOR}
    assert admitted({Role.CLEARING}) == {Role.CLEARING, Role.OPERATOR}


def test_every_key_may_read_what_a_viewer_may() -> None:
    assert admitted({Role.VIEWER}) == frozenset(Role)


@pytest.mark.parametrize("role", [Role.TRADER, Role.OPERATOR, Role.AUDITOR, Role.COMPONENT])
def test_these_roles_are_included_in_no_other(role: Role) -> None:
    assert admitted({role}) == {role}


def test_a_principal_knows_what_its_role_includes() -> None:
    operator = Principal(1, 0, Role.OPERATOR, "")
    assert operator.is_any(Role.CLEARING, Role.TRADER)
    assert not operator.is_any(Role.TRADER, Role.COMPONENT)


def created(digest: bytes) -> e.KeyCreated:
    return e.KeyCreated(
        sequence=EventSequence(1), command_sequence=CommandSequence(1), time_ns=TimeNs(1), epoch=1,
        key_id=KeyId(99), participant_id=ParticipantId(1), role=Role.TRADER, sha256=digest, label="new",
    )  # fmt: skip


def revoked() -> e.KeyRevoked:
    return e.KeyRevoked(
        sequence=EventSequence(2),
        command_sequence=CommandSequence(2),
        time_ns=TimeNs(2),
        epoch=1,
        key_id=KeyId(99),
    )
