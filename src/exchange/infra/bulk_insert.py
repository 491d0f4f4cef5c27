"""Inserting many rows at once without SQLAlchemy's work per row, which costs more than the database's own.

SQLAlchemy still writes the statement and says how each type is bound; only the loop over the rows is ours. PostgreSQL
takes many rows by COPY.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, Protocol, runtime_checkable

from sqlalchemy import Connection, Dialect, Table, TypeDecorator, insert

from exchange.infra.store_postgres import COPY_ROWS_MIN, copy_rows

ROWS_PER_STATEMENT = 200
"""Rows that one statement holds in SQLite, which takes 32,766 values in one: three times as fast as row by row."""
_LARGEST = (1 << 63) - 1


class BulkInsert:
    """An insert into some columns of a table, written for one kind of database."""

    def __init__(self, table: Table, names: tuple[str, ...], dialect: Dialect) -> None:
        compiled = insert(table).inline().compile(dialect=dialect, column_keys=list(names))
        self.statement = str(compiled)
        self._table = table
        self._names = names
        self._dialect = dialect
        self._in_order = itemgetter(*[names.index(name) for name in compiled.positiontup or names])
        self._is_positional = compiled.positional
        self._own_types = [
            (place, kind)
            for place, name in enumerate(names)
            if isinstance(kind := table.c[name].type, TypeDecorator)
        ]
        self._of_many = (
            _insert_of(table, names, "?" * len(names), ROWS_PER_STATEMENT, dialect)
            if dialect.name == "sqlite"
            else ""
        )

    def execute(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows, each the values in the order of the names; none at all is fine."""
        bound = list(rows)
        if not bound:
            return
        for place, kind in self._own_types:
            bound = self._bound(bound, place, kind)
        if self._dialect.name == "postgresql" and len(bound) >= COPY_ROWS_MIN:
            copy_rows(connection, self._table, self._names, bound)
            return
        if self._of_many and len(bound) >= ROWS_PER_STATEMENT:
            whole = len(bound) - len(bound) % ROWS_PER_STATEMENT
            pieces = [
                tuple(chain.from_iterable(bound[at : at + ROWS_PER_STATEMENT]))
                for at in range(0, whole, ROWS_PER_STATEMENT)
            ]
            connection.exec_driver_sql(self._of_many, pieces)
            bound = bound[whole:]
            if not bound:
                return
        if self._is_positional:
            connection.exec_driver_sql(self.statement, list(map(self._in_order, bound)))
        else:
            named = [dict(zip(self._names, row, strict=True)) for row in bound]
            connection.exec_driver_sql(self.statement, named)

    def _bound(self, rows: list[Sequence[Any]], place: int, kind: TypeDecorator[Any]) -> list[Sequence[Any]]:
        """Let a type of ours write its column, unless it says that there is nothing to do."""
        if isinstance(kind, MostlyAsIs) and kind.are_as_is(map(itemgetter(place), rows)):
            return rows
        bind, dialect = kind.process_bind_param, self._dialect
        return [(*row[:place], bind(row[place], dialect), *row[place + 1 :]) for row in rows]


def _insert_of(table: Table, names: Iterable[str], row: Iterable[str], rows: int, dialect: Dialect) -> str:
    """Write the insert of so many rows. row: what stands for the value of each column, such as `?`."""
    quote = dialect.identifier_preparer.quote
    values = ", ".join([f"({', '.join(row)})"] * rows)
    return f"INSERT INTO {quote(table.name)} ({', '.join(map(quote, names))}) VALUES {values}"


@runtime_checkable
class MostlyAsIs(Protocol):
    """A column type whose values nearly always are written as they are; asking it once saves a call for each."""

    def are_as_is(self, values: Iterable[Any]) -> bool:
        """Tell whether all values are written as they are."""


def bulk_insert(
    connection: Connection, table: Table, names: tuple[str, ...], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows, each the values of the columns named, in that order; the database fills in the others."""
    _prepared(table, names, connection.dialect).execute(connection, rows)


@lru_cache(maxsize=64)
def _prepared(table: Table, names: tuple[str, ...], dialect: Dialect) -> BulkInsert:
    return BulkInsert(table, names, dialect)


def insert_numbers(
    connection: Connection, table: Table, first: Sequence[int], names: tuple[str, ...], values: list[int]
) -> bool:
    """Insert rows of whole numbers into a table of SQLite, many in one statement, for that is three times as fast.

    first: the values that are the same in all rows, of the first columns; names: the others; values: of those, row by
    row. Return whether it was done; nothing is where the database is another or a number has more than 64 bits.
    Columns of text take the numbers as decimal texts.
    """
    if connection.dialect.name != "sqlite" or (
        values and (max(values) > _LARGEST or min(values) < ~_LARGEST)
    ):
        return False
    columns = table.c.keys()[: len(first)] + list(names)
    size = len(names) * ROWS_PER_STATEMENT
    whole = len(values) - len(values) % size
    row = [*map(str, first), *"?" * len(names)]
    for many, start, end in ((ROWS_PER_STATEMENT, 0, whole), (1, whole, len(values))):
        step = len(names) * many
        statement = _insert_of(table, columns, row, many, connection.dialect)
        pieces = [tuple(values[at : at + step]) for at in range(start, end, step)]
        if pieces:
            connection.exec_driver_sql(statement, pieces)
    return True
