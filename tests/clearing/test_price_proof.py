"""Closing prices are made anew from the trades as they stood, and one that was changed in the store is named."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.house_store import Doing, write_act
from exchange.clearing.house_tables import closing_prices
from exchange.clearing.instruction_store import save_prices
from exchange.clearing.price_proof import closing_price_faults, make_closes
from exchange.infra.store import begin_write
from tests.clearing.test_cycle_desk import MONDAY, OTTO, TUESDAY, WEDNESDAY, Desk
from tests.post_trade.stream import NOON_NS

FRIDAY = 20261120


@pytest.fixture
def desk(keeper: BookKeeper) -> Desk:
    """Monday ends with a trade at 190.00 that is busted once the day is closed, and Tuesday with a corrected one."""
    desk = Desk(keeper)
    desk.begin(MONDAY)
    desk.stream.trade(1, 2, 100, price="189.00")
    late = desk.stream.trade(1, 2, 5, price="190.00")
    desk.stream.bust(desk.stream.trade(1, 2, 5, price="191.00"))
    desk.begin(TUESDAY)
    desk.close(MONDAY)
    desk.stream.bust(late)
    early = desk.stream.trade(2, 1, 5, price="188.00")
    desk.begin(WEDNESDAY)
    desk.close(TUESDAY)
    desk.stream.correct(early, "187.00", 5)
    for batch in desk.stream.batches([]):
        desk.keeper.commit(batch)
    return desk


def faults(desk: Desk) -> list[str]:
    with desk.keeper.store.connect() as connection:
        return closing_price_faults(connection, 0, make_closes(connection, 0))


def test_prices_follow_from_the_trades_as_they_stood_when_the_day_was_closed(desk: Desk) -> None:
    assert faults(desk) == []
    with desk.keeper.store.connect() as connection:
        rows = connection.execute(closing_prices.select().where(closing_prices.c.symbol_id == 1)).all()
    assert {row.business_date: row.price for row in rows} == {MONDAY: 190_0000, TUESDAY: 188_0000}


def test_a_price_that_was_changed_is_named(desk: Desk) -> None:
    with begin_write(desk.keeper.store) as connection:
        table = closing_prices
        connection.execute(
            update(table)
            .where(table.c.symbol_id == 1, table.c.business_date == MONDAY)
            .values(price=189_0000)
        )
    assert faults(desk) == [
        "the closing price of symbol 1 on 2026-11-23 is 189.00, 190.00 by its trades, none by what was entered"
    ]


def test_a_price_that_is_gone_or_that_nobody_entered_is_named(desk: Desk) -> None:
    with begin_write(desk.keeper.store) as connection:
        table = closing_prices.c
        connection.execute(delete(closing_prices).where(table.symbol_id == 1, table.business_date == TUESDAY))
        save_prices(connection, 0, {(1, FRIDAY): 1})
    assert [each[:63] for each in faults(desk)] == [
        "the closing price of symbol 1 on 2026-11-20 is 0.0001, none by ",
        "the closing price of symbol 1 on 2026-11-24 is none, 188.00 by ",
    ]


def test_a_price_that_was_entered_holds_with_its_act(desk: Desk) -> None:
    prices = {(1, FRIDAY): 185_0000, (1, MONDAY): 189_5000}

    def enter(connection: object, books: object) -> None:
        save_prices(connection, 0, prices)  # type: ignore[arg-type]
        doing = Doing(connection, 0, books, OTTO, "from the tape", NOON_NS)  # type: ignore[arg-type]
        write_act(
            doing, "prices", "prices/1", TUESDAY, {"prices": [[*key, each] for key, each in prices.items()]}
        )

    desk.keeper.within(enter)
    assert faults(desk) == []
