"""Settlement days: n days after a trading day, without weekends and holidays."""

from __future__ import annotations

import pytest

from exchange.post_trade.settlement_days import NoSettlementDay, SettlementCalendar

THANKSGIVING, CHRISTMAS = 20261126, 20261225
CALENDAR = SettlementCalendar(range(5), [THANKSGIVING, CHRISTMAS])


@pytest.mark.parametrize(
    ("day", "days", "expected"),
    [
        (20261123, 1, 20261124),
        (20261123, 0, 20261123),
        (20261125, 1, 20261127),
        (20261127, 1, 20261130),
        (20261128, 0, 20261130),
        (20261224, 2, 20261229),
        (20261231, 1, 20270101),
    ],
)
def test_days_are_counted_on_the_markets_calendar(day: int, days: int, expected: int) -> None:
    assert CALENDAR.after(day, days) == expected


def test_the_age_of_a_fail_is_counted_in_settlement_days() -> None:
    assert CALENDAR.between(20261125, 20261130) == 2
    assert CALENDAR.between(20261130, 20261130) == CALENDAR.between(20261130, 20261125) == 0


def test_a_calendar_without_days_says_so() -> None:
    with pytest.raises(NoSettlementDay, match="no settlement day within 400 days of 2026-11-23"):
        SettlementCalendar([]).after(20261123, 1)
