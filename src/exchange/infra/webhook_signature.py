"""How a delivery to a webhook is signed, and how its receiver checks that: Standard Webhooks, HMAC-SHA256.

Signed is `ID.TIMESTAMP.BODY`; the secret is base64 behind the prefix `whsec_`.
"""

from __future__ import annotations

import binascii
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping

ID_HEADER = "webhook-id"
TIME_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32
TOLERANCE_S = 300
"""A delivery whose time is further from the receiver's is not taken: somebody may have kept it."""
_VERSION = "v1,"


def new_secret() -> str:
    """Make a secret."""
    return SECRET_PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, delivery_id: str, time_s: int, body: bytes) -> str:
    """Return the text of the signature header. time_s: seconds since the Unix epoch. Raise `ValueError` on a secret
    that is none.
    """
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError(f"the secret of a webhook begins with {SECRET_PREFIX}")
    try:
        key = b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"the secret of a webhook is base64 behind {SECRET_PREFIX}: {error}") from error
    signed = b"%s.%d.%s" % (delivery_id.encode(), time_s, body)
    return _VERSION + b64encode(hmac.digest(key, signed, "sha256")).decode()


def why_not_genuine(
    secret: str, headers: Mapping[str, str], body: bytes, now_s: float, tolerance_s: float = TOLERANCE_S
) -> str:
    """Return why a delivery is not to be trusted; empty where it is genuine.

    headers: of the request, found by their names in small letters or as they came; now_s: the receiver's time in
    seconds since the Unix epoch.
    """
    found = {name.lower(): value for name, value in headers.items()}
    missing = [name for name in (ID_HEADER, TIME_HEADER, SIGNATURE_HEADER) if not found.get(name)]
    if missing:
        return f"the header {missing[0]} is missing"
    time_text = found[TIME_HEADER]
    if not (time_text.isascii() and time_text.isdigit() and len(time_text) <= 12):
        return f"{TIME_HEADER} must be seconds since 1970, got {time_text[:40]!r}"
    if abs(now_s - int(time_text)) > tolerance_s:
        return f"it was signed at {time_text}, more than {tolerance_s:g} s away from {now_s:.0f}"
    expected = signature(secret, found[ID_HEADER], int(time_text), body).encode()
    given = found[SIGNATURE_HEADER].encode().split()
    if not any(hmac.compare_digest(expected, each) for each in given):  # every one is compared
        return "the signature is not that of this body, id and time with this secret"
    return ""
