"""Blocks, limits, timers and what the limits measure are the same after a restart."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain.order import Side
from exchange.domain.risk import LimitKind, RiskScope
from exchange.matching.risk_snapshot import read_int128, write_int128
from exchange.matching.venue import Venue
from tests.matching.desk import ANN, BOB, Desk

LIMITS = (
    (LimitKind.DUPLICATES, 9, 60_000), (LimitKind.MESSAGES, 10, 10), (LimitKind.GROSS, 10**9, 0),
    (LimitKind.LOSS, 10**9, 0), (LimitKind.EXECUTIONS, 9, 60_000),
)  # fmt: skip


def test_books_go_on_where_they_stood() -> None:
    desk = Desk()
    for kind, value, span in LIMITS:
        desk.send(c.SetRiskLimit(scope=RiskScope.ACCOUNT, subject_id=ANN, kind=kind, value=value, span=span))
    desk.send(
        c.BlockTrading(scope=RiskScope.ACCOUNT, subject_id=BOB + 1, key_id=1, role=3, note="why"),
        c.SetCancelTimer(participant_id=BOB, timeout_ms=5_000),
    )
    desk.enter(Side.BUY, 10, 100_000)
    desk.enter(Side.SELL, 4, 100_000, BOB)
    restored = Venue.restore(desk.venue.snapshot())
    assert restored.digest() == desk.venue.digest()
    before, after = (venue._state.risk_books[RiskScope.ACCOUNT, ANN] for venue in (desk.venue, restored))
    for name in type(before).__slots__:
        assert getattr(after, name) == getattr(before, name), name
    assert restored.risk_usage(RiskScope.ACCOUNT, ANN) == desk.venue.risk_usage(RiskScope.ACCOUNT, ANN)
    assert restored.next_deadline == desk.venue.next_deadline
    assert vars(restored.directory) == vars(desk.venue.directory)


def test_numbers_of_sixteen_bytes_come_back() -> None:
    for number in (0, -1, 10**30, -(10**30)):
        assert read_int128(write_int128(number)) == number
