"""Alerts are known by what they are about, and evidence has a most."""

from __future__ import annotations

import msgspec

from exchange.surveillance.alert import EVIDENCE_MAX, Alert, Level, Measure, evidence_of, hash_of, score_of

ALERT = Alert(
    detector="SPOOF-1", version=1, settings_hash="ab", level=Level.ALERT, partition=0, symbol_id=1,
    participants=(1,), accounts=(1,), business_date=20261123, begins_ns=1, ends_ns=2, raised_sequence=9,
    raised_ns=2, score=60, summary="seen", measures=(Measure("size", "6", "5"),), evidence=(3, 9),
)  # fmt: skip


def test_the_id_follows_from_what_was_seen_and_not_from_when_it_was_told() -> None:
    again = msgspec.structs.replace(ALERT, raised_ns=99, score=70, settings_hash="cd")
    other = msgspec.structs.replace(ALERT, evidence=(3, 10))
    assert again.alert_id == ALERT.alert_id != other.alert_id
    assert len(ALERT.alert_id) == 18


def test_one_hash_tells_two_runs_apart() -> None:
    assert hash_of([ALERT]) == hash_of([ALERT]) != hash_of([ALERT, ALERT])


def test_evidence_is_in_order_each_event_once_and_not_too_much() -> None:
    assert evidence_of((9, 3, 3, 0)) == (3, 9)
    many = evidence_of(range(1, 1_001))
    assert len(many) == EVIDENCE_MAX
    assert (many[0], many[-1]) == (1, 1_000)


def test_a_score_stays_within_its_bounds() -> None:
    assert (score_of(60, 5, 2), score_of(60, 5, 100), score_of(10, 5, -9)) == (70, 100, 0)
