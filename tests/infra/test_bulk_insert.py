"""Many rows at once, with the same result as one by one, in every kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from exchange.clearing.app import MIGRATIONS
from exchange.clearing.cycle_store import save_obligations
from exchange.clearing.cycle_tables import obligations
from exchange.clearing.tables import positions, rulings, trade_steps
from exchange.infra.bulk_insert import ROWS_PER_STATEMENT, BulkInsert, bulk_insert, insert_numbers
from exchange.infra.store import begin_write, open_store
from exchange.infra.store_postgres import COPY_ROWS_MIN
from exchange.post_trade.netting import Obligation

ROW = {
    "partition": 0, "account_id": 1, "symbol_id": 2, "deposited": 3, "bought": 4, "sold": 5,
    "bought_notional": 10**30, "sold_notional": -1,
}  # fmt: skip
NAMES = tuple(ROW)
COUNTS = [1, COPY_ROWS_MIN - 1, COPY_ROWS_MIN, 100, ROWS_PER_STATEMENT, 2 * ROWS_PER_STATEMENT + 1]


@pytest.fixture
def store(store_url: str) -> Iterator[Engine]:
    store = open_store(store_url, MIGRATIONS)
    yield store
    store.dispose()


@pytest.mark.parametrize("count", COUNTS)
def test_rows_are_inserted_with_the_types_of_their_columns(store: Engine, count: int) -> None:
    rows = [ROW | {"account_id": number} for number in range(count)]
    with begin_write(store) as connection:
        bulk_insert(connection, positions, NAMES, [tuple(row.values()) for row in rows])
        found = connection.execute(select(positions).order_by(positions.c.account_id)).all()
    assert [row._asdict() for row in found] == rows


def test_no_rows_are_no_statement(store: Engine) -> None:
    with begin_write(store) as connection:
        bulk_insert(connection, positions, NAMES, [])
        assert connection.execute(select(positions)).all() == []


@pytest.mark.parametrize("count", COUNTS)
def test_values_may_come_in_another_order_than_the_columns(store: Engine, count: int) -> None:
    names = ("hits", *(name for name in rulings.c.keys() if name != "hits"))  # noqa: SIM118
    rows = [(b"\0[]\xff", 0, n, (1 << 64) - n - 1, n, "hold", 7, "a\tb", "\\N ö") for n in range(count)]
    with begin_write(store) as connection:
        bulk_insert(connection, rulings, names, rows)
        found = connection.execute(select(rulings).order_by(rulings.c.ruling_id)).all()
    assert [(row.hits, *tuple(row)[:-1]) for row in found] == rows


@pytest.mark.parametrize("count", COUNTS)
def test_a_column_that_the_database_fills_is_left_out(store: Engine, count: int) -> None:
    step = {
        "match_id": 1, "time_ns": 2, "occurrence": None, "state": "held", "version": 1, "who": "a", "why": "b",
        "ruling_id": 0,
    }  # fmt: skip
    with begin_write(store) as connection:
        bulk_insert(connection, trade_steps, tuple(step), [tuple(step.values())] * count)
        numbers = connection.scalars(select(trade_steps.c.number).order_by(trade_steps.c.number))
        assert list(numbers) == list(range(1, count + 1))


@pytest.mark.parametrize("count", COUNTS[1:])
def test_a_key_that_is_there_already_is_refused_and_nothing_is_stored(store: Engine, count: int) -> None:
    with pytest.raises(IntegrityError), begin_write(store) as connection:
        bulk_insert(connection, positions, NAMES, [tuple(ROW.values())] * count)
    with store.connect() as connection:
        assert connection.execute(select(positions)).all() == []


def test_the_statement_is_in_the_words_of_the_database() -> None:
    prepared = BulkInsert(positions, NAMES, postgresql.dialect())
    assert prepared.statement.startswith("INSERT INTO positions (partition, account_id, symbol_id, ")
    assert "VALUES (%(partition)s" in prepared.statement
    assert "VALUES (?, ?" in BulkInsert(positions, NAMES, sqlite.dialect()).statement


@pytest.mark.parametrize(
    "count", [0, 1, ROWS_PER_STATEMENT - 1, ROWS_PER_STATEMENT, 2 * ROWS_PER_STATEMENT + 1]
)
def test_numbers_go_in_many_at_once_and_as_the_types_of_their_columns(store: Engine, count: int) -> None:
    names = ("account_id", "symbol_id", "quantity", "cash")
    rows = [(number, 7, -number, 10**18 - number) for number in range(count)]
    with begin_write(store) as connection:
        done = insert_numbers(
            connection, obligations, (0, 20261123), names, [each for row in rows for each in row]
        )
        assert done == (connection.dialect.name == "sqlite")
        found = connection.execute(
            select(*(obligations.c[name] for name in names)).order_by(obligations.c.account_id)
        )
        assert [tuple(row) for row in found] == (rows if done else [])


@pytest.mark.parametrize("large", [1 << 63, -(1 << 63) - 1])
def test_numbers_beyond_64_bits_are_left_to_the_slower_way(store: Engine, large: int) -> None:
    with begin_write(store) as connection:
        names = ("account_id", "symbol_id", "quantity", "cash")
        assert not insert_numbers(connection, obligations, (0, 20261123), names, [1, 2, 3, large])
        save_obligations(connection, 0, 20261123, [Obligation(1, 2, 3, large)])
        assert connection.execute(select(obligations.c.cash)).scalars().all() == [large]
