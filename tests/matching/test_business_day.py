"""Business dates; `tests/scenarios/business_day.txt` has their rules."""

from __future__ import annotations

import pytest

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.units import date_number
from exchange.matching.business_day import DAY_NS, YEAR_MAX, is_date
from exchange.matching.venue import Venue
from tests.matching.desk import BUSINESS_DATE, MIDNIGHT_NS, START_NS, Desk


def test_the_deadline_is_the_end_of_the_date() -> None:
    desk = Desk()
    assert (desk.venue.next_deadline, desk.venue.business_date) == (MIDNIGHT_NS, BUSINESS_DATE)
    desk.time_ns = MIDNIGHT_NS
    assert desk.only(c.Tick()).ends_ns == MIDNIGHT_NS + DAY_NS
    assert (desk.venue.next_deadline, desk.venue.business_date) == (MIDNIGHT_NS + DAY_NS, 20261124)


def test_a_venue_without_a_date_has_no_deadline_and_takes_orders() -> None:
    desk = Desk(opening=())
    assert (desk.venue.next_deadline, desk.venue.business_date) == (0, 0)
    assert desk.send(c.Tick()) == []


def test_a_date_without_an_end_never_ends_by_itself() -> None:
    desk = Desk(opening=[c.StartBusinessDay(date=BUSINESS_DATE)])
    desk.time_ns = START_NS + 1_000 * DAY_NS
    assert desk.send(c.Tick()) == []
    assert desk.venue.next_deadline == 0


@pytest.mark.parametrize("days_late", [0, 1, 2, 37, 365, 20_000])
def test_a_late_tick_leads_to_the_date_that_holds_the_present(days_late: int) -> None:
    desk = Desk()
    desk.enter(Side.BUY, 10, 100_000)
    desk.time_ns = MIDNIGHT_NS + days_late * DAY_NS + 5
    cancelled, began = desk.send(c.Tick())
    assert isinstance(cancelled, e.OrderCancelled)
    assert isinstance(began, e.BusinessDayStarted)
    assert began.date == date_number(desk.time_ns)
    assert began.ends_ns == MIDNIGHT_NS + (days_late + 1) * DAY_NS


def test_the_last_date_of_the_calendar_can_still_roll() -> None:
    desk = Desk(Venue(), opening=[c.StartBusinessDay(date=YEAR_MAX * 10_000 + 1231, ends_ns=START_NS + 1)])
    desk.time_ns = 2**63 - 1
    assert desk.only(c.Tick()).date > YEAR_MAX * 10_000


@pytest.mark.parametrize(
    ("number", "valid"),
    [(20261123, True), (20240229, True), (20260229, False), (20261301, False), (20260100, False), (0, False),
     (4_294_967_295, False), (29991231, True), (30000101, False), (10101, True)],
)  # fmt: skip
def test_a_date_is_one_of_the_calendar(number: int, valid: bool) -> None:
    assert is_date(number) is valid
