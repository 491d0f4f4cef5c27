"""Margin by account, calls with their time, and payments that are booked once; in every database."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, update

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.collateral_desk import (
    NS_PER_MINUTE,
    AccountMargin,
    CollateralDesk,
    MarginClock,
    Payment,
    exposures,
    margin_faults,
    read_margins,
)
from exchange.clearing.house_store import ActRefused, Doing, list_acts, write_act
from exchange.clearing.house_tables import margin_accounts
from exchange.clearing.instruction_store import save_prices
from exchange.clearing.margin_proof import margin_run_faults
from exchange.clearing.price_proof import make_closes
from exchange.domain.corporate_events import SymbolSplit
from exchange.domain.units import date_number, format_money
from exchange.infra.clock import ManualClock
from exchange.infra.store import begin_write
from exchange.post_trade.books import Books
from exchange.post_trade.house_ledger import HouseHolder
from exchange.post_trade.margin import MarginRules
from tests.clearing.test_settlement_desk import MONDAY, OTTO, TUESDAY, Desk
from tests.post_trade.stream import NOON_NS


class Collateral(Desk):
    """A venue with margin. Account 1 bought 100 at 189.00 on Monday, and 10 at 188.00 on Tuesday."""

    def __init__(self, keeper: BookKeeper, **rules: Any) -> None:
        super().__init__(keeper)
        self.collateral = CollateralDesk(keeper, MarginRules(**rules), 30)
        self.begin(MONDAY)
        for account_id in (1, 2):
            self.stream.deposit(account_id, 5_000_0000)
        self.stream.trade(1, 2, 100, price="189.00")
        self.begin(TUESDAY)
        self.stream.trade(1, 2, 10, price="188.00")
        self.take()

    def margin(self, now_ns: int = NOON_NS) -> dict[int, AccountMargin]:
        self.collateral.run(OTTO, "intraday", now_ns)
        return self.read()

    def read(self) -> dict[int, AccountMargin]:
        with self.keeper.store.connect() as connection:
            assert margin_faults(connection, 0) == []
            return {row.account_id: row for row in read_margins(connection, 0, None)}

    def pay(self, reference: str, amount: int, account_id: int = 1, what: str = "margin") -> int:
        act = self.collateral.pay(Payment(reference, what, account_id, amount), OTTO, "so", NOON_NS)
        self.check()
        return act.number


def split_between(venue: Collateral) -> None:
    """Have symbol 1 split in the middle of 24 entered days, and traded once more afterwards."""
    day = date_number(venue.stream.time_ns)
    days = {20260900 + n: 188_0000 if n % 2 else 180_0000 for n in range(1, 25)}
    assert min(days) < day < max(days)
    entered = {(1, each): price * (2 if each < day else 1) for each, price in days.items()}

    def enter(connection: Connection, books: Books) -> None:
        save_prices(connection, 0, entered)
        doing = Doing(connection, 0, books, OTTO, "from the archive", NOON_NS)
        rows = [[*key, price] for key, price in entered.items()]
        write_act(doing, "prices", "prices/1", books.business_date, {"prices": rows})

    venue.keeper.within(enter)
    venue.stream.add(
        SymbolSplit, symbol_id=1, new_shares=2, old_shares=1, cash_price=0, old_reference=188_0000,
        reference_price=94_0000, note="",
    )  # fmt: skip
    venue.stream.trade(1, 2, 10, price="188.00")
    venue.take()


@pytest.fixture
def venue(keeper: BookKeeper) -> Collateral:
    return Collateral(keeper)


def test_margin_is_for_what_is_netted_and_for_what_is_not_yet(venue: Collateral) -> None:
    found = venue.margin()
    assert {n: format_money(row.variation) for n, row in found.items()} == {1: "100.00", 2: "0.00"}
    assert {n: format_money(row.haircut) for n, row in found.items()} == {1: "2068.00", 2: "2068.00"}
    assert found[1].called == found[1].required == 2_168_0000
    assert found[1].due_ns == NOON_NS + 30 * NS_PER_MINUTE
    exposure = venue.keeper.within(lambda connection, books: exposures(connection, 0, books))[1]
    assert (exposure.quantities, format_money(exposure.cash)) == ({1: 110}, "-20780.00")


def test_value_at_risk_takes_the_place_of_the_haircut_where_there_are_days_enough(keeper: BookKeeper) -> None:
    venue = Collateral(keeper, horizon_days=1, observations_min=20)
    days = {(1, 20260900 + n): 188_0000 if n % 2 else 180_0000 for n in range(1, 25)}
    with begin_write(keeper.store) as connection:
        save_prices(connection, 0, days)
    found = venue.margin()
    assert (found[1].haircut, format_money(found[1].value_at_risk)) == (0, "880.00")
    assert (found[2].haircut, format_money(found[2].value_at_risk)) == (0, "1034.00")
    assert format_money(found[1].floor) == "413.60"


def test_a_split_is_no_fall_of_the_price(keeper: BookKeeper) -> None:
    venue = Collateral(keeper, horizon_days=1, observations_min=20)
    split_between(venue)
    found = venue.margin()
    assert [format_money(found[n].value_at_risk) for n in (1, 2)] == ["960.00", "1128.00"]
    with keeper.store.connect() as connection:
        assert margin_run_faults(connection, 0, make_closes(connection, 0)) == []


def test_a_call_keeps_its_time_and_ends_when_it_is_met(venue: Collateral) -> None:
    due_ns = venue.margin()[1].due_ns
    assert venue.margin(NOON_NS + NS_PER_MINUTE)[1].due_ns == due_ns
    venue.pay("first", 2_000_0000)
    assert (venue.read()[1].called, venue.read()[1].due_ns) == (168_0000, due_ns)
    venue.pay("second", 168_0000)
    assert (venue.read()[1].called, venue.read()[1].due_ns) == (0, 0)
    assert venue.margin()[1].called == 0
    assert venue.has(1) == 5_000_0000 - 2_168_0000


def test_margin_that_is_needed_stays_and_what_is_more_goes_out(venue: Collateral) -> None:
    venue.margin()
    venue.pay("in", 2_500_0000)
    with pytest.raises(ActRefused, match=r"Account 1 must keep 2168\.00 of margin and has 2500\.00"):
        venue.pay("out", -400_0000)
    venue.pay("out", -332_0000)
    assert venue.has(1) == 5_000_0000 - 2_168_0000


def test_a_payment_is_booked_once_and_another_of_its_reference_is_refused(venue: Collateral) -> None:
    first = venue.pay("call 1", 100)
    assert venue.pay("call 1", 100) == first
    with pytest.raises(ActRefused, match=f"The reference 'call 1' has another payment, act {first}"):
        venue.pay("call 1", 101)
    assert venue.has(1) == 5_000_0000 - 100


@pytest.mark.parametrize(
    ("amount", "account_id", "what", "message"),
    [
        (5_000_0001, 1, "margin", "settled of account 1, which has 50000000"),
        (-1, 1, "fund", "fund of account 1, which has 0"),
        (1, 1, "capital", "the house's own money is of none"),
        (1, 0, "margin", "Margin and the fund are of an account"),
        (-1, 0, "capital", "capital of account 0, which has 0"),
    ],
)
def test_what_is_not_there_cannot_be_paid(
    venue: Collateral, amount: int, account_id: int, what: str, message: str
) -> None:
    with pytest.raises(ActRefused, match=message):
        venue.pay("x", amount, account_id, what)


def test_a_payment_is_taken_back_once_even_where_that_overdraws(venue: Collateral) -> None:
    number = venue.pay("wrong account", 300)
    venue.pay("out again", -100)
    correction = venue.collateral.correct(number, OTTO, "wrong", NOON_NS)
    assert venue.collateral.correct(number, OTTO, "wrong", NOON_NS) == correction
    venue.check()
    assert (
        venue.keeper.within(lambda c, books: venue.desk._doing(c, books, OTTO, "", 0).ledger()).net(
            HouseHolder.MARGIN, 1, 0
        )
        == -100
    )
    with pytest.raises(ActRefused, match="The house has no payment 77"):
        venue.collateral.correct(77, OTTO, "wrong", NOON_NS)


def test_what_was_changed_in_the_database_shows(venue: Collateral) -> None:
    venue.margin()
    with begin_write(venue.keeper.store) as connection:
        connection.execute(update(margin_accounts).values(variation=1))
        assert margin_faults(connection, 0) == ["margin is not what act 1 required"]


async def test_the_clock_works_margin_out_by_itself(venue: Collateral) -> None:
    clock = MarginClock(venue.collateral, ManualClock(NOON_NS), 15)
    await clock.look()
    with venue.keeper.store.connect() as connection:
        (act,) = list_acts(connection, 0, "margin", 0, 9)
    assert (act.who, act.why, clock.problem) == ("clearing", "intraday", "")
