"""Inserting many rows at once without SQLAlchemy's work per row, which costs more than the database's own.

SQLAlchemy still writes the statement and says how each type is bound; only the loop over the rows is ours. PostgreSQL
takes many rows by COPY.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Protocol, runtime_checkable

from sqlalchemy import Connection, Dialect, Table, TypeDecorator, insert

from exchange.infra.store_postgres import COPY_ROWS_MIN, copy_rows


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

    def execute(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows, each the values in the order of the names; none at all is fine."""
        bound = list(rows)
        if not bound:
            return
        for place, kind in self._own_types:
            bound = self._bound(bound, place, kind)
        if self._dialect.name == "postgresql" and len(bound) >= COPY_ROWS_MIN:
            copy_rows(connection, self._table, self._names, bound)
        elif self._is_positional:
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
