"""Inserting many rows at once without SQLAlchemy's work per row, which costs more than the database's own.

SQLAlchemy still writes the statement and says how each type is bound; only the loop over the rows is ours. PostgreSQL
takes many rows by COPY.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection, Dialect, Table, TypeDecorator, insert

from exchange.infra.store_postgres import COPY_ROWS_MIN, copy_rows


class BulkInsert:
    """An insert into some columns of a table, written for one kind of database."""

    def __init__(self, table: Table, names: tuple[str, ...], dialect: Dialect) -> None:
        compiled = insert(table).inline().compile(dialect=dialect, column_keys=list(names))
        self.statement = str(compiled)
        self._table = table
        self._is_postgres = dialect.name == "postgresql"
        self._is_positional = compiled.positional
        self._names = tuple(compiled.positiontup or names)
        self._places = [names.index(name) for name in self._names]
        self._is_in_order = self._names == names
        self._binders = _binders(table, self._names, dialect)

    def execute(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows, each the values in the order of the names; none at all is fine."""
        bound = list(rows)
        if not bound:
            return
        if self._binders or not self._is_in_order:
            bound = self._bound(bound)
        if self._is_postgres and len(bound) >= COPY_ROWS_MIN:
            copy_rows(connection, self._table, self._names, bound)
        elif self._is_positional:
            connection.exec_driver_sql(self.statement, list(map(tuple, bound)))
        else:
            named = [dict(zip(self._names, row, strict=True)) for row in bound]
            connection.exec_driver_sql(self.statement, named)

    def _bound(self, rows: list[Sequence[Any]]) -> list[Sequence[Any]]:
        """Put the values in the order of the statement, and bind whole columns where their types ask for it."""
        columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
        columns = [columns[place] for place in self._places]
        for at, bind in self._binders:
            columns[at] = map(bind, columns[at])
        return list(zip(*columns, strict=True))


def bulk_insert(
    connection: Connection, table: Table, names: tuple[str, ...], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows, each the values of the columns named, in that order; the database fills in the others."""
    _prepared(table, names, connection.dialect).execute(connection, rows)


@lru_cache(maxsize=64)
def _prepared(table: Table, names: tuple[str, ...], dialect: Dialect) -> BulkInsert:
    return BulkInsert(table, names, dialect)


def _binders(
    table: Table, names: tuple[str, ...], dialect: Dialect
) -> list[tuple[int, Callable[[Any], Any]]]:
    """Return how the values of our own column types are written, by place."""
    return [
        (place, partial(kind.process_bind_param, dialect=dialect))
        for place, name in enumerate(names)
        if isinstance(kind := table.c[name].type, TypeDecorator)
    ]
