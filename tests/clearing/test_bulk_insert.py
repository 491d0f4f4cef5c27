"""Many rows at once, with the same result as one by one."""

from __future__ import annotations

from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql

from exchange.clearing.bulk_insert import BulkInsert, bulk_insert
from exchange.clearing.tables import positions, trade_steps
from exchange.infra.store import begin_write

ROW = {
    "partition": 0, "account_id": 1, "symbol_id": 2, "deposited": 3, "bought": 4, "sold": 5,
    "bought_notional": 10**30, "sold_notional": -1,
}  # fmt: skip


def test_rows_are_inserted_with_the_types_of_their_columns(store: Engine) -> None:
    with begin_write(store) as connection:
        bulk_insert(connection, positions, [dict(ROW), ROW | {"account_id": 9}])
        found = connection.execute(select(positions).order_by(positions.c.account_id)).all()
    assert [row._asdict() for row in found] == [ROW, ROW | {"account_id": 9}]


def test_no_rows_are_no_statement(store: Engine) -> None:
    with begin_write(store) as connection:
        bulk_insert(connection, positions, [])
        assert connection.execute(select(positions)).all() == []


def test_a_column_that_the_database_fills_is_left_out(store: Engine) -> None:
    step = {
        "match_id": 1, "time_ns": 2, "occurrence": None, "state": "held", "version": 1, "who": "a", "why": "b",
        "ruling_id": 0,
    }  # fmt: skip
    with begin_write(store) as connection:
        bulk_insert(connection, trade_steps, [dict(step), dict(step)], "number")
        assert [row.number for row in connection.execute(select(trade_steps))] == [1, 2]


def test_the_statement_is_in_the_words_of_the_database() -> None:
    names = tuple(ROW)
    prepared = BulkInsert(positions, names, postgresql.dialect())
    assert prepared.statement.startswith("INSERT INTO positions (partition, account_id, symbol_id, ")
    assert "VALUES (%(partition)s" in prepared.statement
