"""The kill switch, cancel timers and limits, where the scenarios do not tell."""

from __future__ import annotations

import pytest

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.participant import Role
from exchange.domain.reasons import Reason
from exchange.domain.risk import LIMIT_TERMS, LimitKind, RiskScope
from exchange.matching.risk_desk import is_allowed
from tests.matching.desk import ANN, BOB, XYZ, Desk


def limit(kind: LimitKind, **more: int) -> c.SetRiskLimit:
    fields = {"scope": RiskScope.ACCOUNT, "subject_id": ANN, "kind": kind} | more
    return c.SetRiskLimit(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", LimitKind)
def test_a_limit_at_either_end_of_its_range_is_taken_and_one_beyond_is_not(kind: LimitKind) -> None:
    terms = LIMIT_TERMS[kind]
    span = terms.span_most
    symbol_id = XYZ if terms.needs_symbol else 0
    for value, fits in (
        (terms.least, True),
        (terms.most, True),
        (terms.least - 1, False),
        (terms.most + 1, False),
    ):
        assert is_allowed(terms, limit(kind, value=value, span=span, symbol_id=symbol_id)) == fits
    assert not is_allowed(terms, limit(kind, value=terms.least, span=span + 1, symbol_id=symbol_id))
    assert not is_allowed(terms, limit(kind, value=terms.least, span=span, symbol_id=symbol_id, scope=1))


def test_who_may_lift_a_block_depends_on_who_pulled_the_switch() -> None:
    lifted = {}
    for puller in (Role.TRADER, Role.RISK, Role.OPERATOR):
        for lifter in Role:
            desk = Desk()
            desk.send(c.BlockTrading(scope=RiskScope.ACCOUNT, subject_id=ANN, key_id=1, role=puller))
            event = desk.only(
                c.UnblockTrading(scope=RiskScope.ACCOUNT, subject_id=ANN, key_id=2, role=lifter)
            )
            if isinstance(event, e.TradingUnblocked):
                lifted.setdefault(puller, []).append(lifter)
            else:
                assert event.reason is Reason.ANOTHER_ROLE_NEEDED
    assert lifted == {
        Role.TRADER: [Role.RISK, Role.OPERATOR], Role.RISK: [Role.OPERATOR], Role.OPERATOR: [Role.RISK],
    }  # fmt: skip


def test_the_directory_knows_blocks_and_limits_until_they_are_taken_away() -> None:
    desk = Desk()
    desk.send(
        c.BlockTrading(scope=RiskScope.SYMBOL, subject_id=XYZ, key_id=1, role=3, note="news"),
        limit(LimitKind.POSITION, value=10, symbol_id=XYZ),
    )
    directory = desk.venue.directory
    assert directory.blocks[RiskScope.SYMBOL, XYZ].note == "news"
    assert directory.risk_limits[RiskScope.ACCOUNT, ANN, XYZ, LimitKind.POSITION].value == 10
    desk.send(
        c.UnblockTrading(scope=RiskScope.SYMBOL, subject_id=XYZ, key_id=1, role=5),
        limit(LimitKind.POSITION, is_set=False, symbol_id=XYZ),
    )
    assert not directory.blocks
    assert not directory.risk_limits


def test_a_limit_that_is_not_there_can_be_taken_away() -> None:
    assert isinstance(Desk().only(limit(LimitKind.GROSS, is_set=False)), e.RiskLimitSet)


def test_a_timer_that_ends_while_the_exchange_was_away_ends_at_the_next_tick() -> None:
    desk = Desk()
    desk.enter(Side.BUY, 10, 100_000)
    desk.send(c.SetCancelTimer(participant_id=ANN, timeout_ms=1))
    assert desk.venue.cancel_timer(ANN) == desk.venue.next_deadline == desk.time_ns + 1_000_000
    desk.time_ns += 3_600_000_000_000
    cancelled, expired = desk.send(c.Tick())
    assert (type(cancelled), expired.count, desk.venue.cancel_timer(ANN)) == (e.OrderCancelled, 1, 0)


def test_only_the_block_of_a_symbol_concerns_a_symbol() -> None:
    desk = Desk()
    for scope, subject, symbol_id in ((RiskScope.SYMBOL, XYZ, XYZ), (RiskScope.ACCOUNT, BOB, 0)):
        blocked = desk.only(c.BlockTrading(scope=scope, subject_id=subject, key_id=1, role=3))
        lifted = desk.only(c.UnblockTrading(scope=scope, subject_id=subject, key_id=1, role=5))
        assert (blocked.symbol_id, lifted.symbol_id) == (symbol_id, symbol_id)
