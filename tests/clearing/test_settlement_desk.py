"""Settling days: all or nothing, in two steps, with fails, buy-ins and late busts, in every database."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.cycle_desk import CycleDesk
from exchange.clearing.house_store import ActRefused, list_acts, prove_house, read_ledger, read_pending
from exchange.clearing.house_tables import house_balances, house_entries
from exchange.clearing.instruction_store import read_lines, read_open
from exchange.clearing.settlement_desk import SettlementDesk, SettlementTerms
from exchange.domain.corporate_action import HoldingCause
from exchange.domain.corporate_events import HoldingAdjusted
from exchange.domain.events import BusinessDayStarted
from exchange.domain.units import format_money
from exchange.infra.store import begin_write
from exchange.post_trade.house_ledger import HouseHolder
from exchange.post_trade.ledger import CASH
from exchange.post_trade.review import Actor
from exchange.post_trade.settlement_days import SettlementCalendar
from tests.post_trade.stream import NOON_NS, Stream

OTTO = Actor(7, "otto")
MONDAY, TUESDAY, WEDNESDAY, THANKSGIVING, FRIDAY, NEXT_MONDAY = (
    20261123, 20261124, 20261125, 20261126, 20261127, 20261130,
)  # fmt: skip
TERMS = SettlementTerms(SettlementCalendar(range(5), [THANKSGIVING]), buy_in_after_days=2)


class Desk:
    """A venue with days, cycles and settlement over one store."""

    def __init__(self, keeper: BookKeeper, terms: SettlementTerms = TERMS) -> None:
        self.keeper, self.stream = keeper, Stream()
        self.cycles, self.desk = CycleDesk(keeper, terms), SettlementDesk(keeper, terms)
        self.day = 0

    def begin(self, day: int) -> None:
        """Begin a day; close the one before."""
        self.stream.add(BusinessDayStarted, date=day, ends_ns=0)
        self.take()
        if self.day:
            self.cycles.close(self.day, OTTO, "end of day", NOON_NS)
        self.day = day

    def take(self) -> None:
        for batch in self.stream.batches([]):
            self.keeper.commit(batch)

    def settle(self, day: int = 0) -> None:
        self.take()
        self.desk.settle(day or self.day, OTTO, "night run", NOON_NS)
        self.check()

    def check(self) -> None:
        with self.keeper.store.connect() as connection:
            assert prove_house(connection, 0).faults == []

    def open(self) -> list[str]:
        with self.keeper.store.connect() as connection:
            return [
                f"{each.cycle % 100} {each.account_id} {each.quantity:+} {format_money(each.cash)}"
                for each in read_open(connection, 0)
            ]

    def has(self, account_id: int, asset: int = CASH) -> int:
        def read(connection, books):  # type: ignore[no-untyped-def]
            return read_ledger(connection, 0, books.ledger).spendable(HouseHolder.SETTLED, account_id, asset)

        return int(self.keeper.within(read))


@pytest.fixture
def desk(keeper: BookKeeper) -> Desk:
    desk = Desk(keeper)
    desk.begin(MONDAY)
    for account_id in (1, 2, 3):
        desk.stream.deposit(account_id, 100_000_0000)
    desk.stream.deposit(2, 100, 1)
    return desk


def test_what_was_traded_is_settled_a_day_later_against_money(desk: Desk) -> None:
    desk.stream.trade(1, 2, 100, price="189.00")
    desk.begin(TUESDAY)
    assert desk.open() == ["23 1 +100 -18900.00", "23 2 -100 18900.00"]
    desk.settle()
    assert desk.open() == []
    assert (desk.has(1, 1), desk.has(2, 1)) == (100, 0)
    assert [format_money(desk.has(n)) for n in (1, 2)] == ["81100.00", "118900.00"]
    with pytest.raises(ActRefused, match="Nothing is due on 2026-11-24"):
        desk.settle()


def test_what_is_due_when_a_symbol_splits_comes_in_two_parts(desk: Desk) -> None:
    stream = desk.stream
    stream.trade(1, 2, 100, price="189.00")
    stream.trade(1, 3, 30, price="189.00")
    desk.begin(TUESDAY)
    for account_id, before in ((1, 130), (3, -30)):
        held = stream.holdings[account_id, 1] = 2 * before
        stream.add(
            HoldingAdjusted, symbol_id=1, account_id=account_id, cause=HoldingCause.SPLIT, asset=1, amount=before,
            balance=held,
        )  # fmt: skip
    desk.stream.deposit(3, 60, 1)
    desk.settle()
    assert desk.open() == []
    assert [desk.has(account_id, 1) for account_id in (1, 2, 3)] == [260, 0, 0]


@pytest.mark.parametrize(("days", "day"), [(0, 20261125), (1, FRIDAY), (2, NEXT_MONDAY)])
def test_the_day_of_settlement_is_counted_on_the_markets_calendar(
    keeper: BookKeeper, days: int, day: int
) -> None:
    desk = Desk(keeper, TERMS._replace(days_after=days))
    desk.begin(WEDNESDAY)
    desk.stream.trade(1, 2, 100)
    desk.begin(FRIDAY)
    with keeper.store.connect() as connection:
        assert {each.due for each in read_open(connection, 0)} == {day}


def test_days_that_are_not_of_the_calendar_or_have_not_come_are_refused(desk: Desk) -> None:
    desk.stream.trade(1, 2, 100)
    desk.begin(TUESDAY)
    for day, message in (
        (THANKSGIVING, "2026-11-26 is not a settlement day"),
        (WEDNESDAY, "2026-11-25 has not come: the trading day is 2026-11-24"),
        (MONDAY, "Nothing is due on 2026-11-23"),
    ):
        with pytest.raises(ActRefused, match=message):
            desk.settle(day)
    desk.settle(TUESDAY)
    with pytest.raises(ActRefused, match="2026-11-24 is settled; a day before it cannot be any more"):
        desk.settle(MONDAY)


def test_a_fail_is_marked_rolled_and_settled_when_the_shares_come(desk: Desk) -> None:
    desk.stream.trade(1, 2, 130, price="189.00")
    desk.stream.trade(3, 1, 1, price="190.00")
    desk.begin(TUESDAY)
    desk.settle()
    assert desk.open() == ["23 1 +29 -5510.00", "23 2 -30 5700.00", "23 3 +1 -190.00"]
    assert format_money(desk.has(2)) == "118870.00"  # 100 at 189 and 30 marked from 189 to 190
    desk.stream.trade(3, 1, 1, price="188.00")
    desk.begin(WEDNESDAY)
    desk.stream.deposit(2, 40, 1)
    desk.settle()
    assert desk.open() == []
    assert [format_money(desk.has(n)) for n in (1, 2)] == ["75808.00", "124570.00"]
    assert (desk.has(1, 1), desk.has(2, 1), desk.has(3, 1)) == (128, 10, 2)


def test_a_fail_that_lasts_is_bought_in_for_money(desk: Desk) -> None:
    desk.stream.trade(1, 2, 130, price="190.00")
    for day in (TUESDAY, WEDNESDAY):
        desk.begin(day)
        desk.settle()
    assert desk.desk.buy_in(WEDNESDAY, OTTO, "too old", NOON_NS) == ([], [])
    desk.begin(FRIDAY)
    with pytest.raises(ActRefused, match="2026-11-27 is not settled yet"):
        desk.desk.buy_in(FRIDAY, OTTO, "too old", NOON_NS)
    desk.settle()
    acts, refused = desk.desk.buy_in(FRIDAY, OTTO, "too old", NOON_NS)
    assert ([act.source for act in acts], refused) == (["buy-in/2026-11-27/20261123/2/1"], [])
    assert desk.open() == []
    assert [format_money(desk.has(n)) for n in (1, 2)] == ["81285.00", "118715.00"]
    assert desk.desk.buy_in(FRIDAY, OTTO, "too old", NOON_NS) == ([], [])
    desk.check()


def test_a_bust_after_netting_and_after_settlement_is_a_reversal_in_the_next_cycle(desk: Desk) -> None:
    netted, settled = desk.stream.trade(1, 2, 60, price="189.00"), desk.stream.trade(1, 2, 40, price="189.00")
    desk.begin(TUESDAY)
    desk.stream.bust(netted)
    desk.settle()
    assert (desk.has(1, 1), desk.has(2, 1)) == (100, 0)
    desk.stream.correct(settled, "188.00", 30)
    desk.begin(WEDNESDAY)
    assert desk.open() == ["24 1 -70 13260.00", "24 2 +70 -13260.00"]
    desk.settle()
    assert (desk.has(1, 1), desk.has(2, 1)) == (30, 70)
    assert [format_money(desk.has(n)) for n in (1, 2)] == ["94360.00", "105640.00"]


def test_who_cannot_pay_stops_nobody_else_and_who_cannot_pay_the_marks_stops_all(desk: Desk) -> None:
    desk.stream.trade(1, 2, 100, price="189.00")
    desk.stream.withdraw(1, 100_000_0000)
    desk.begin(TUESDAY)
    desk.settle()
    assert desk.open() == ["23 1 +100 -18900.00", "23 2 -100 18900.00"]
    desk.stream.trade(3, 2, 1, price="188.00")
    desk.begin(WEDNESDAY)
    with pytest.raises(ActRefused, match=r"1 accounts cannot pay.*account 1 needs 100.00 and has 0.00"):
        desk.settle()
    desk.stream.deposit(1, 18_900_0000)
    desk.settle()
    assert (desk.has(1), desk.has(1, 1), desk.open()) == (0, 100, ["24 2 -1 188.00", "24 3 +1 -188.00"])


def test_a_run_that_is_interrupted_is_ended_by_the_next_order_and_not_made_twice(desk: Desk) -> None:
    desk.stream.trade(1, 2, 100, price="189.00")
    desk.begin(TUESDAY)
    act = desk.desk.reserve(TUESDAY, OTTO, "night run", NOON_NS)
    assert (desk.has(2, 1), desk.open()[0]) == (0, "23 1 +100 -18900.00")
    desk.check()
    again = SettlementDesk(BookKeeper(desk.keeper.store, desk.keeper.rule_set, 0), TERMS)
    assert again.settle(TUESDAY, OTTO, "once more", NOON_NS) == act
    with pytest.raises(ActRefused, match="No settlement run is open"):
        desk.desk.end(OTTO, "again", NOON_NS)
    assert (desk.has(1, 1), desk.open()) == (100, [])
    with desk.keeper.store.connect() as connection:
        assert read_pending(connection, 0) == []
        assert [each.kind for each in list_acts(connection, 0, "", 0, 9)] == ["settled", "settlement"]
        assert [line.moved for line in read_lines(connection, 0, act.number)] == [100, -100]
    desk.check()


def test_a_run_that_is_given_up_leaves_everything_as_it_was(desk: Desk) -> None:
    desk.stream.trade(1, 2, 100, price="189.00")
    desk.begin(TUESDAY)
    desk.desk.reserve(TUESDAY, OTTO, "night run", NOON_NS)
    assert desk.desk.end(OTTO, "wrong day", NOON_NS, give_up=True).kind == "given up"
    assert (desk.has(2, 1), len(desk.open())) == (100, 2)
    desk.settle()
    assert desk.open() == []


def test_what_was_changed_in_the_database_shows(desk: Desk) -> None:
    desk.stream.trade(1, 2, 100, price="189.00")
    desk.begin(TUESDAY)
    desk.settle()
    with begin_write(desk.keeper.store) as connection:
        connection.execute(update(house_balances).values(debits=1))
        assert "the house's stored balance is" in prove_house(connection, 0).faults[0]
        connection.execute(update(house_entries).values(amount=1))
        assert prove_house(connection, 0).faults == [
            "act 1 of the house, settlement/2026-11-24/1, is not what was done"
        ]
