"""Closing trading days: what a day owes is stored once, and later rulings come out in the next, in every database."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.cycle_desk import CycleDesk, CycleRefused
from exchange.clearing.cycle_store import (
    NO_CYCLES,
    first_cycle_fault,
    last_cycle,
    list_cycles,
    list_obligations,
    netting_proof,
    read_netted,
    save_waiting,
    waiting_faults,
)
from exchange.clearing.cycle_tables import cycles, netted, obligations
from exchange.clearing.house_tables import instructions
from exchange.clearing.review_store import list_audit
from exchange.clearing.store import read_transfers
from exchange.clearing.tables import trades
from exchange.domain.events import BusinessDayStarted
from exchange.domain.units import format_money
from exchange.infra.store import begin_write
from exchange.post_trade.ledger import chains_of
from exchange.post_trade.netting import sum_of
from exchange.post_trade.review import Actor
from tests.post_trade.stream import NOON_NS, Stream

OTTO = Actor(7, "otto")
MONDAY, TUESDAY, WEDNESDAY = 20261123, 20261124, 20261125


class Desk:
    """A desk over a store that takes in what a stream has."""

    def __init__(self, keeper: BookKeeper) -> None:
        self.keeper, self.stream, self.desk = keeper, Stream(), CycleDesk(keeper)

    def begin(self, date: int) -> None:
        self.stream.add(BusinessDayStarted, date=date, ends_ns=0)

    def close(self, date: int) -> list[str]:
        for batch in self.stream.batches([]):
            self.keeper.commit(batch)
        self.desk.close(date, OTTO, "end of day", NOON_NS)
        with self.keeper.store.connect() as connection:
            found = list_obligations(connection, 0, date, None, (0, 0), 100)
            assert first_cycle_fault(connection, 0) == ""
        return [
            f"{each.account_id} {each.symbol_id} {each.quantity:+} {format_money(each.cash)}"
            for each in found
        ]


@pytest.fixture
def desk(keeper: BookKeeper) -> Desk:
    desk = Desk(keeper)
    desk.begin(MONDAY)
    return desk


def test_a_day_is_netted_without_what_waits_and_what_is_of_later_days(desk: Desk) -> None:
    desk.stream.deposit(1, 50_000_0000)
    desk.stream.trade(1, 2, 100, price="189.00")
    desk.stream.trade(2, 1, 40, price="190.00")
    desk.stream.trade(1, 2, 7, price="195.00")
    desk.stream.bust(desk.stream.trade(1, 2, 3, price="189.00"))
    desk.begin(TUESDAY)
    desk.stream.trade(1, 3, 50)
    desk.stream.bust(desk.stream.trade(1, 3, 4))
    assert desk.close(MONDAY) == ["1 1 +60 -11300.00", "2 1 -60 11300.00"]
    with desk.keeper.store.connect() as connection:
        cycle = last_cycle(connection, 0)
        assert cycle is not None
        assert (cycle.obligations, cycle.left_out, cycle.who, cycle.sequence) == (
            2,
            1,
            "otto",
            len(desk.stream.events),
        )
        assert [row.what for row in list_audit(connection, 0, 0, 9)] == ["closed"]


def test_what_is_ruled_after_a_cycle_is_in_the_next(desk: Desk) -> None:
    late = desk.stream.trade(1, 2, 100, price="189.00")
    held = desk.stream.trade(3, 2, 10, price="195.00")
    desk.begin(TUESDAY)
    assert desk.close(MONDAY) == ["1 1 +100 -18900.00", "2 1 -100 18900.00"]
    desk.stream.bust(late)
    desk.stream.correct(held, "190.00", 10)
    desk.begin(WEDNESDAY)
    assert desk.close(TUESDAY) == ["1 1 -100 18900.00", "2 1 +90 -17000.00", "3 1 +10 -1900.00"]
    with desk.keeper.store.connect() as connection:
        assert [each.business_date for each in list_cycles(connection, 0, 0, 9)] == [TUESDAY, MONDAY]
        assert [each.business_date for each in list_cycles(connection, 0, TUESDAY, 9)] == [MONDAY]
        owed = {pair: each for pair, each in read_netted(connection, 0) if any(each)}
        assert owed == {(2, 1): (-10, 1_900_0000), (3, 1): (10, -1_900_0000)}


def test_a_day_that_is_skipped_is_closed_with_the_one_after_it(desk: Desk) -> None:
    desk.stream.trade(1, 2, 100, price="189.00")
    desk.begin(TUESDAY)
    desk.begin(WEDNESDAY)
    assert len(desk.close(TUESDAY)) == 2
    with pytest.raises(CycleRefused, match="The trading days up to 2026-11-24 are closed"):
        desk.close(MONDAY)


def test_a_day_that_is_not_over_or_closed_already_stays_as_it_is(desk: Desk) -> None:
    with pytest.raises(
        CycleRefused, match="2026-11-23 is not over: only the trading day 2026-11-23 has begun"
    ):
        desk.close(MONDAY)
    desk.begin(TUESDAY)
    assert desk.close(MONDAY) == []
    with pytest.raises(CycleRefused, match="up to 2026-11-23 are closed"):
        desk.close(MONDAY)


def test_a_venue_without_trading_days_closes_none(keeper: BookKeeper) -> None:
    with pytest.raises(CycleRefused, match="no trading day has begun"):
        Desk(keeper).close(MONDAY)


def test_a_page_of_obligations_goes_on_where_the_last_one_ended(desk: Desk) -> None:
    desk.stream.trade(1, 2, 100)
    desk.stream.trade(1, 3, 5, price="10.00", reference="10.00", symbol_id=2)
    desk.begin(TUESDAY)
    desk.close(MONDAY)
    with desk.keeper.store.connect() as connection:

        def pairs(accounts: list[int] | None, after: tuple[int, int], limit: int) -> list[tuple[int, int]]:
            found = list_obligations(connection, 0, MONDAY, accounts, after, limit)
            return [(each.account_id, each.symbol_id) for each in found]

        assert pairs(None, (0, 0), 2) == [(1, 1), (1, 2)]
        assert pairs(None, (1, 2), 9) == [(2, 1), (3, 2)]
        assert pairs([3], (0, 0), 9) == [(3, 2)]


def test_what_was_changed_in_the_database_shows(desk: Desk) -> None:
    desk.stream.trade(1, 2, 100)
    desk.begin(TUESDAY)
    desk.close(MONDAY)
    with begin_write(desk.keeper.store) as connection:
        connection.execute(update(netted).values(quantity=1))
        assert first_cycle_fault(connection, 0) == "what all cycles together owe is not the sum of them"
        connection.execute(update(obligations).values(quantity=1))
        assert (
            first_cycle_fault(connection, 0) == "the obligations of 2026-11-23 are not those that were closed"
        )


def proof_of(desk: Desk) -> list[str]:
    """Make the cycles anew from the ledger; return what differs."""
    with desk.keeper.store.connect() as connection:
        netting = netting_proof(connection, 0)
        for chain in chains_of(read_transfers(connection, 0)):
            netting.add_chain(chain)
        return netting.finish() + waiting_faults(connection, 0)


def forged(desk: Desk, quantity: int) -> None:
    """Change what Monday owes so that its hash, the sums and the instructions agree with it."""
    with begin_write(desk.keeper.store) as connection:
        for account_id, signed in ((1, quantity), (2, -quantity)):
            for table in (obligations, netted, instructions):
                connection.execute(
                    update(table).where(table.c.account_id == account_id).values(quantity=signed)
                )
        owed = list_obligations(connection, 0, MONDAY, None, (0, 0), 9)
        connection.execute(update(cycles).values(hash=sum_of(NO_CYCLES, MONDAY, owed).hash))
        assert first_cycle_fault(connection, 0) == ""


def test_a_forged_obligation_is_found_though_everything_stored_of_it_agrees(desk: Desk) -> None:
    desk.stream.trade(1, 2, 100, price="189.00")
    desk.begin(TUESDAY)
    desk.close(MONDAY)
    assert proof_of(desk) == []
    forged(desk, 99)
    (fault,) = proof_of(desk)
    assert fault.startswith("the cycle of 2026-11-23 is not what the trades up to event ")


def test_cycles_with_late_rulings_and_early_trades_are_made_anew_from_the_ledger(desk: Desk) -> None:
    late = desk.stream.trade(1, 2, 100, price="189.00")
    held = desk.stream.trade(3, 2, 10, price="195.00")
    desk.begin(TUESDAY)
    early = desk.stream.trade(1, 3, 50)
    desk.close(MONDAY)
    desk.stream.bust(late)
    desk.stream.correct(held, "190.00", 10)
    desk.stream.trade(2, 2, 5)
    desk.begin(WEDNESDAY)
    desk.close(TUESDAY)
    desk.stream.bust(early)
    for batch in desk.stream.batches([]):
        desk.keeper.commit(batch)
    assert proof_of(desk) == []


def test_a_trade_that_is_said_to_have_waited_and_never_did_is_found(desk: Desk) -> None:
    desk.stream.trade(1, 2, 100, price="189.00")
    desk.begin(TUESDAY)
    desk.close(MONDAY)
    with begin_write(desk.keeper.store) as connection:
        (match_id,) = connection.execute(select(trades.c.match_id)).scalars()
        save_waiting(connection, 0, MONDAY, [match_id])
    assert f"left out trade {match_id}, which never waited for a ruling" in proof_of(desk)[-1]
