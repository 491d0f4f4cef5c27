"""Keys and roles: who a bearer key belongs to, and what its role allows."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from hashlib import pbkdf2_hmac, sha256

import msgspec

from exchange.domain.directory import Directory
from exchange.domain.participant import Role

KEY_PREFIX = "xk_"
KEY_BYTES = 32
PASSWORD_CHARACTERS = 10
PASSWORD_ROUNDS = 50_000
"""Makes trying passwords out slow: some hundredths of a second each."""
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
KEY_TEXT_MAX = 128
"""A longer text is no key; it is refused before it is hashed."""

_INCLUDES = {
    Role.VIEWER: (Role.VIEWER,),
    Role.TRADER: (Role.TRADER, Role.VIEWER),
    Role.RISK: (Role.RISK, Role.VIEWER),
    Role.CLEARING: (Role.CLEARING, Role.VIEWER),
    Role.OPERATOR: (Role.OPERATOR, Role.RISK, Role.CLEARING, Role.VIEWER),
    Role.AUDITOR: (Role.AUDITOR, Role.VIEWER),
    Role.COMPONENT: (Role.COMPONENT, Role.VIEWER),
}


class AuthError(Exception):
    """The Authorization header holds no key that we know; the message says what to send."""


class Principal(msgspec.Struct, frozen=True, gc=False):
    """Who sends a request. participant_id: 0 for a key of the exchange itself."""

    key_id: int
    participant_id: int
    role: Role
    label: str

    def is_any(self, *roles: Role) -> bool:
        """Tell whether the principal's role is one of these or includes one of them."""
        return any(role in _INCLUDES[self.role] for role in roles)


class KeyRing:
    """The keys of a directory, as it stands: a key created or revoked there counts at once."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory

    def authenticate(self, authorization: str) -> Principal:
        """Return who the header `Bearer KEY` belongs to.

        Keys are looked up by SHA-256, so the time taken tells nothing about a key. Raise `AuthError`.
        """
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer" or not text or len(text) > KEY_TEXT_MAX:
            raise AuthError("The Authorization header is not `Bearer KEY`.")
        key_id = self.directory.key_ids.get(sha256(text.strip().encode("utf-8", "replace")).digest())
        if key_id is None:
            raise AuthError("This key is unknown or revoked.")
        key = self.directory.keys[key_id]
        return Principal(key.key_id, key.participant_id, key.role, key.label)


def new_key() -> tuple[str, bytes]:
    """Make a key of 256 random bits; return its text, to be shown once, and its SHA-256, to be kept."""
    text = KEY_PREFIX + urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).rstrip(b"=").decode()
    return text, sha256(text.encode()).digest()


def new_password() -> str:
    """Make a password of 10 random characters, as long as SoupBinTCP allows: 58 bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(PASSWORD_CHARACTERS))


def session_digest(user: str, password: str) -> bytes:
    """Return what is kept of a binary session's user and password: PBKDF2-SHA-256, 32 bytes. Slow on purpose.

    It stands where a key has its SHA-256, and no bearer key can have it.
    """
    return pbkdf2_hmac("sha256", password.encode(), b"exchange session " + user.encode(), PASSWORD_ROUNDS)


def admitted(roles: Iterable[Role]) -> frozenset[Role]:
    """Return every role that is, or includes, one of these: an operator is admitted where risk is."""
    wanted = frozenset(roles)
    return frozenset(role for role in Role if wanted.intersection(_INCLUDES[role]))
