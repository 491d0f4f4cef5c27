"""Fees are charged when a day is closed, once, and given back when a trade is busted later; in every database."""

from __future__ import annotations

from sqlalchemy import update

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.cycle_desk import CycleDesk
from exchange.clearing.fee_store import charged_to, fee_faults
from exchange.clearing.house_store import list_acts
from exchange.clearing.house_tables import fee_charges
from exchange.infra.store import begin_write
from exchange.post_trade.fees import parse_fees
from tests.clearing.test_settlement_desk import MONDAY, TERMS, TUESDAY, WEDNESDAY, Desk

ROW = {"name": "trading", "from": "2026-01-01", "who": "taker", "per_share": "0.0030"}
TIERS = [ROW, ROW | {"per_share": "0.0010", "volume_from": 100}]


def desk_of(keeper: BookKeeper) -> Desk:
    desk = Desk(keeper)
    desk.cycles = CycleDesk(keeper, TERMS, parse_fees(TIERS))
    desk.begin(MONDAY)
    desk.stream.deposit(1, 1000)
    return desk


def test_a_day_is_charged_by_tier_and_what_is_busted_is_given_back(keeper: BookKeeper) -> None:
    desk = desk_of(keeper)
    late = desk.stream.trade(1, 2, 100)
    desk.begin(TUESDAY)
    assert desk.has(1) == 1000 - 3000
    desk.stream.trade(1, 2, 10)
    desk.stream.bust(late)
    desk.begin(WEDNESDAY)
    with keeper.store.connect() as connection:
        acts = list_acts(connection, 0, "fees", 0, 9)
        assert [act.source for act in acts] == ["fees/2026-11-24", "fees/2026-11-23"]
        assert [charged_to(connection, 0, 1, day) for day in (MONDAY, TUESDAY)] == [
            {"trading": 0},
            {"trading": 300},
        ]
        assert fee_faults(connection, 0) == []
    assert desk.has(1) == 1000 - 300
    desk.check()


def test_a_day_without_trades_or_fees_books_nothing(keeper: BookKeeper) -> None:
    desk = desk_of(keeper)
    desk.begin(TUESDAY)
    with begin_write(keeper.store) as connection:
        assert list_acts(connection, 0, "", 0, 9) == []


def test_what_was_changed_in_the_database_shows(keeper: BookKeeper) -> None:
    desk = desk_of(keeper)
    desk.stream.trade(1, 2, 100)
    desk.begin(TUESDAY)
    with begin_write(keeper.store) as connection:
        connection.execute(update(fee_charges).values(amount=1))
        assert fee_faults(connection, 0) == [
            "fee 'trading' of account 1 on 2026-11-23: stored 1, charged 3000"
        ]
