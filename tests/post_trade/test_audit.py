"""The audit trail: whatever is changed, removed or put in between shows."""

from __future__ import annotations

import msgspec

from exchange.domain.units import TimeNs
from exchange.post_trade.audit import NO_ENTRIES, AuditEntry, entry_hash, first_fault


def trail(length: int = 4) -> list[tuple[AuditEntry, bytes]]:
    rows, before = [], NO_ENTRIES
    for number in range(1, length + 1):
        entry = AuditEntry(
            number=number,
            time_ns=TimeNs(number),
            key_id=7,
            who="otto",
            what="bust",
            subject=f"trade {number}",
            why="w",
        )
        before = entry_hash(before, entry)
        rows.append((entry, before))
    return rows


def test_a_trail_as_it_was_written_is_whole() -> None:
    assert first_fault([]) == first_fault(trail()) == ""


def test_a_changed_entry_shows() -> None:
    rows = trail()
    for name, value in (("why", "x"), ("who", "x"), ("time_ns", 9), ("key_id", 8), ("detail", "x")):
        changed = [*rows[:1], (msgspec.structs.replace(rows[1][0], **{name: value}), rows[1][1]), *rows[2:]]
        assert first_fault(changed) == "the audit trail was changed at entry 2 or before it"


def test_a_removed_entry_shows_and_so_does_one_put_in_between() -> None:
    rows = trail()
    assert first_fault([*rows[:1], *rows[2:]]) == "the audit trail has entry 3 where entry 2 should be"
    assert (
        first_fault([*rows[:2], rows[1], *rows[2:]]) == "the audit trail has entry 2 where entry 3 should be"
    )
