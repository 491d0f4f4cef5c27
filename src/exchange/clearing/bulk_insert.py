"""Inserting many rows at once without SQLAlchemy's work per row, which costs more than the database's own.

SQLAlchemy still writes the statement and says how each type is bound; only the loop over the rows is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert


class BulkInsert:
    """An insert into some columns of a table, written for one kind of database."""

    def __init__(self, table: Table, names: tuple[str, ...], dialect: Dialect) -> None:
        compiled = insert(table).compile(dialect=dialect, column_keys=list(names))
        self.statement = str(compiled)
        self._positional = compiled.positional
        self._order = tuple(compiled.positiontup) if compiled.positiontup else names
        self._pick = itemgetter(*self._order)
        self._binders: list[tuple[str, Callable[[Any], Any]]] = []
        for name in names:
            bind = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
            if bind is not None:
                self._binders.append((name, bind))

    def execute(self, connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
        """Insert rows, each with a value for every column; none at all is fine. The rows are changed."""
        listed = list(rows)
        if not listed:
            return
        for name, bind in self._binders:
            for row in listed:
                row[name] = bind(row[name])
        given: Any = [self._pick(row) for row in listed] if self._positional else listed
        connection.exec_driver_sql(self.statement, given)


def bulk_insert(connection: Connection, table: Table, rows: Iterable[dict[str, Any]], *skip: str) -> None:
    """Insert rows. skip: columns that the database fills in."""
    names = tuple(column.name for column in table.columns if column.name not in skip)
    _prepared(table, names, connection.dialect).execute(connection, rows)


@lru_cache(maxsize=64)
def _prepared(table: Table, names: tuple[str, ...], dialect: Dialect) -> BulkInsert:
    return BulkInsert(table, names, dialect)
