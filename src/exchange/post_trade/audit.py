"""The audit trail: what people did in clearing, in order, each entry chained to the one before by a hash.

An entry cannot be changed, removed or put between two others without the hashes of all later ones changing.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from exchange.domain.units import TimeNs

HASH_BYTES = 16
NO_ENTRIES = bytes(HASH_BYTES)
"""The hash before the first entry."""


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person did. number: from 1 without a gap; key_id: whose, 0 for clearing itself.

    subject: what it was done to, such as `trade 88`; why: in the person's words; detail: what was to change.
    """

    number: int
    time_ns: TimeNs
    key_id: int
    who: str
    what: str
    subject: str
    why: str
    detail: str = ""


def entry_hash(before: bytes, entry: AuditEntry) -> bytes:
    """Return the hash after one more entry: BLAKE2b-128 of the hash before it and the entry as JSON."""
    return blake2b(before + msgspec.json.encode(entry), digest_size=HASH_BYTES).digest()


def first_fault(entries: Iterable[tuple[AuditEntry, bytes]]) -> str:
    """Look through a whole trail with its stored hashes; return where it is broken first, empty for nowhere."""
    before, expected = NO_ENTRIES, 1
    for entry, stored in entries:
        if entry.number != expected:
            return f"the audit trail has entry {entry.number} where entry {expected} should be"
        before = entry_hash(before, entry)
        if before != stored:
            return f"the audit trail was changed at entry {entry.number} or before it"
        expected += 1
    return ""
