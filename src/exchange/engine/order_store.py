"""The table of orders and fills in SQLite: every order ever taken or refused, finished ones too.

It is a projection of the event stream and may be rebuilt from it. The position up to which events are in it
stands in the same transaction as what they did. One thread writes; another may read at the same time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from exchange.domain.order import OrderStatus
from exchange.engine.order_projection import (
    CANCELLED_COLUMNS,
    TRADED_COLUMNS,
    Changes,
    OrderRow,
    Update,
    project,
)
from exchange.infra.errors import InfraError
from exchange.wire.envelope import EventBatch

SCHEMA_VERSION = 2
_PREVENTED_COLUMNS = [
    "sequence", "symbol_id", "maker_order_id", "taker_order_id", "maker_account_id", "taker_account_id", "price",
    "quantity", "taker_side", "mode", "at_ns",
]  # fmt: skip
_NUMBERS = ", ".join(f"{name} INTEGER NOT NULL" for name in _PREVENTED_COLUMNS[1:])
_PREVENTED_SCHEMA = f"""
CREATE TABLE prevented (sequence INTEGER PRIMARY KEY, {_NUMBERS});
CREATE INDEX prevented_of_maker ON prevented (maker_account_id, sequence);
CREATE INDEX prevented_of_taker ON prevented (taker_account_id, sequence);
"""
_STEPS = {
    1: "ALTER TABLE orders ADD COLUMN terms BLOB; ALTER TABLE orders ADD COLUMN triggered_ns INTEGER;"
    f"{_PREVENTED_SCHEMA} PRAGMA user_version = 2;"
}
"""From each older layout to the next."""
ROWS_PER_STATEMENT = (256, 64, 16, 4, 1)
"""SQLite runs one statement without Python's lock, so many rows in one hold nobody up."""
CHECKPOINT_PAGES = 8_192
"""Pages of 4 KiB in the write-ahead log before they move into the file, with an fsync."""
BUSY_MS = 5_000
OPEN_WAIT_MS = 60_000
"""How long a start waits for the writer of an engine that was killed: it moves its log into the file, with fsyncs."""
_NOT_DAMAGE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOMEM,
}
"""What the world outside does to a table that is whole."""
RUN_BITS = 14
"""Client order ids are indexed in runs of 16,384 commands. Random ones would fall all over one large index, and cost
the writer four times as much; so they fall on the few pages of the last run, and a look-up asks every run.
"""
CHECKED_BYTES_MAX = 32 << 20
"""Up to this size SQLite's own check runs at every start."""
ROW_ID_MAX = 2**63 - 1
"""SQLite's integers are signed; every public id fits (`matching.venue_state.PARTITIONS_MAX`)."""

_ORDER_COLUMNS = ["order_id", "account_id", "symbol_id", "client_order_id", "leaves", "ended", "placed"]
_UPDATE_COLUMNS = tuple(column.name.lower() for column in Update)
_DIFFERENCES = (Update.FILLED, Update.NOTIONAL, Update.BUSTED)
_SETTLED_COLUMNS = [
    *("updated_ns", "filled", "notional", "reason", "busted", "replaced_by", "price", "quantity"),
    *("terms", "triggered_ns"),
]
_UNTOUCHED: list[Any] = [0 if column in _DIFFERENCES else None for column in Update]
_FILL_COLUMNS = [
    *("account_id", "match_id", "side", "order_id", "symbol_id"),
    *("price", "quantity", "maker", "executed_ns"),
]

_SCHEMA = f"""
CREATE TABLE position (partition INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL);
CREATE TABLE orders (
    order_id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, symbol_id INTEGER NOT NULL,
    client_order_id TEXT NOT NULL, leaves INTEGER NOT NULL, ended INTEGER NOT NULL, placed BLOB NOT NULL,
    filled INTEGER NOT NULL DEFAULT 0, notional INTEGER NOT NULL DEFAULT 0, busted INTEGER NOT NULL DEFAULT 0,
    reason INTEGER NOT NULL DEFAULT 0, replaced_by INTEGER NOT NULL DEFAULT 0,
    price INTEGER, quantity INTEGER, updated_ns INTEGER, terms BLOB,
    triggered_ns INTEGER
);
CREATE INDEX orders_of_account ON orders (account_id, order_id);
CREATE INDEX orders_open ON orders (account_id, order_id) WHERE leaves > 0;
CREATE INDEX orders_by_client ON orders (order_id >> {RUN_BITS}, client_order_id, account_id)
    WHERE client_order_id <> '';
CREATE TABLE fills (
    account_id INTEGER, match_id INTEGER, side INTEGER, order_id INTEGER NOT NULL, symbol_id INTEGER NOT NULL,
    price INTEGER NOT NULL, quantity INTEGER NOT NULL, maker INTEGER NOT NULL, executed_ns INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (account_id, match_id, side)
) WITHOUT ROWID;
CREATE INDEX fills_of_order ON fills (order_id, match_id);
{_PREVENTED_SCHEMA}
PRAGMA user_version = {SCHEMA_VERSION};
"""


class StoredOrder(msgspec.Struct, frozen=True, array_like=True):
    """An order as the table has it. placed: record of the event that placed it; price, quantity: if amended.

    See `order_projection.Update` for the others.
    """

    order_id: int
    account_id: int
    symbol_id: int
    client_order_id: str
    leaves: int
    ended: int
    placed: bytes
    filled: int
    notional: int
    busted: int
    reason: int
    replaced_by: int
    price: int | None
    quantity: int | None
    updated_ns: int | None
    terms: bytes | None = None
    triggered_ns: int | None = None


class StoredFill(msgspec.Struct, frozen=True, array_like=True):
    """A fill as the table has it, with its order's client order id. maker: 1 where the order rested."""

    match_id: int
    account_id: int
    side: int
    order_id: int
    symbol_id: int
    price: int
    quantity: int
    maker: int
    executed_ns: int
    state: int
    client_order_id: str


_SELECT_ORDER = f"SELECT {', '.join(StoredOrder.__struct_fields__)} FROM orders"
_SELECT_BY_CLIENT = f"""
WITH RECURSIVE run (number) AS (
    SELECT min(order_id) >> {RUN_BITS} FROM orders UNION ALL
    SELECT number + 1 FROM run WHERE number < (SELECT max(order_id) >> {RUN_BITS} FROM orders)
)
SELECT {", ".join(StoredOrder.__struct_fields__)} FROM run CROSS JOIN orders ON order_id >> {RUN_BITS} = number
WHERE client_order_id = ? AND account_id = ? AND client_order_id <> ''
ORDER BY ended = {OrderStatus.REJECTED:d}, order_id DESC LIMIT 1
"""
_SELECT_FILL = (
    f"SELECT {', '.join('fills.' + name for name in StoredFill.__struct_fields__[:-1])}, "
    "coalesce(orders.client_order_id, '') FROM fills LEFT JOIN orders USING (order_id)"
)


class StoredPrevented(msgspec.Struct, frozen=True, array_like=True):
    """A match that was prevented, as the table has it. sequence: of its event."""

    sequence: int
    symbol_id: int
    maker_order_id: int
    taker_order_id: int
    maker_account_id: int
    taker_account_id: int
    price: int
    quantity: int
    taker_side: int
    mode: int
    at_ns: int


class OrderFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows to read, newest first. 0 and None mean any.

    before: only lower order ids; of fills only those below (match id, side), where before_side is given too.
    """

    accounts: tuple[int, ...] | None = None
    symbol_id: int = 0
    order_id: int = 0
    is_open: bool | None = None
    before: int = 0
    before_side: int = 0
    limit: int = 100


class OrderStoreDamaged(InfraError):
    """The table is not whole; `set_aside` and the event log help."""

    def __init__(self, path: Path, seen: object) -> None:
        super().__init__(
            f"{path} is damaged: {seen}; restore a backup, or move it away and start again: the engine makes it anew"
            " from the events that it still keeps"
        )


class OrderStore:
    """Orders and fills by SQLite. position: the sequence of the last event that is in it."""

    def __init__(self, path: Path, partition: int, *, open_wait_ms: int = OPEN_WAIT_MS) -> None:
        """Open the table, or make it. Raise `OrderStoreDamaged`, and `InfraError` where it cannot be had.

        open_wait_ms: how long another process may hold it.
        """
        self.path = path
        self.partition = partition
        self.epoch = self.position = 0
        self._writer = _connect(path, open_wait_ms)
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._writer.close()
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NOT_DAMAGE:
                raise InfraError(
                    f"{path} cannot be opened: {error}; see who else has it open, then start again"
                ) from error
            raise OrderStoreDamaged(path, error) from error
        except OrderStoreDamaged:
            self._writer.close()
            raise
        self._reader = _connect(path)

    def close(self) -> None:
        """Close both connections."""
        self._reader.close()
        self._writer.close()

    def commit(self, batch: EventBatch) -> None:
        """Take the next run of events in, in one transaction with the position. Raise `InfraError`."""
        changes = project(batch.events)
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            self._fetch_position()
            if batch.count and self.position + 1 != batch.first_sequence:
                raise sqlite3.IntegrityError(
                    f"another process wrote to it: it holds events up to {self.position}, "
                    f"and those that came begin with {batch.first_sequence}"
                )
            self._write(changes)
            self._writer.execute(
                "INSERT OR REPLACE INTO position VALUES (?, ?, ?)",
                (self.partition, batch.epoch, batch.last_sequence),
            )
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise InfraError(f"{self.path} cannot be written: {error}") from error
        self.position = batch.last_sequence

    def read_position(self) -> int:
        """Read how far the table is, for another process may write it. Raise `InfraError`."""
        try:
            self._fetch_position()
        except sqlite3.Error as error:
            raise InfraError(f"{self.path} cannot be read: {error}") from error
        return self.position

    def skip_to(self, sequence: int) -> None:
        """Give up the events up to a sequence, which are no longer kept anywhere."""
        self.commit(EventBatch(self.partition, self.epoch, sequence + 1, 0, b""))

    def order(self, order_id: int) -> StoredOrder | None:
        """Return an order."""
        if order_id > ROW_ID_MAX:
            return None
        rows = self._read(f"{_SELECT_ORDER} WHERE order_id = ?", (order_id,))
        return StoredOrder(*rows[0]) if rows else None

    def by_client_order_id(self, account_id: int, client_order_id: str) -> StoredOrder | None:
        """Return the latest order of an account with a client order id, a taken one before a refused one."""
        rows = self._read(_SELECT_BY_CLIENT, (client_order_id, account_id))
        return StoredOrder(*rows[0]) if rows else None

    def orders(self, wanted: OrderFilter) -> list[StoredOrder]:
        """Return orders, newest first."""
        where = [
            ("orders.symbol_id = :symbol_id", wanted.symbol_id),
            ("orders.order_id < :before", wanted.before),
            ("orders.leaves > 0", wanted.is_open is True),
            ("orders.leaves = 0", wanted.is_open is False),
        ]
        rows = self._newest(_SELECT_ORDER, "orders", where, "orders.order_id DESC", wanted)
        return sorted((StoredOrder(*row) for row in rows), key=lambda o: -o.order_id)[: wanted.limit]

    def fills(self, wanted: OrderFilter) -> list[StoredFill]:
        """Return fills, newest first; of one trade the seller's before the buyer's."""
        where = [
            ("fills.symbol_id = :symbol_id", wanted.symbol_id),
            ("fills.order_id = :order_id", wanted.order_id),
            ("(fills.match_id, fills.side) < (:before, :before_side)", wanted.before),
        ]
        rows = self._newest(_SELECT_FILL, "fills", where, "fills.match_id DESC, fills.side DESC", wanted)
        return sorted((StoredFill(*row) for row in rows), key=lambda f: (-f.match_id, -f.side))[
            : wanted.limit
        ]

    def prevented(self, wanted: OrderFilter) -> list[StoredPrevented]:
        """Return prevented matches of which one side is wanted, newest first. before: their event's sequence."""
        conditions = ["(:symbol_id = 0 OR symbol_id = :symbol_id)", "(:before = 0 OR sequence < :before)"]
        values: dict[str, object] = {
            "symbol_id": wanted.symbol_id, "before": wanted.before, "limit": wanted.limit
        }  # fmt: skip
        if wanted.accounts is not None:
            places = ", ".join(f":account{number}" for number in range(len(wanted.accounts))) or "NULL"
            values |= {f"account{number}": account for number, account in enumerate(wanted.accounts)}
            conditions.append(f"(maker_account_id IN ({places}) OR taker_account_id IN ({places}))")
        sql = f"SELECT * FROM prevented WHERE {' AND '.join(conditions)} ORDER BY sequence DESC LIMIT :limit"
        return [StoredPrevented(*row) for row in self._read(sql, values)]

    def _prepare(self) -> None:
        if self.path.stat().st_size <= CHECKED_BYTES_MAX:
            found = self._writer.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise OrderStoreDamaged(self.path, found)
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        while version in _STEPS:
            self._writer.executescript(f"BEGIN;{_STEPS[version]}COMMIT;")
            version += 1
        if version not in (0, SCHEMA_VERSION):
            raise InfraError(
                f"{self.path} has layout {version}, this version knows {SCHEMA_VERSION}; "
                "move it away and start again: the engine makes it anew from its event log"
            )
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = NORMAL")
        self._writer.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        if version == 0:
            self._writer.executescript(f"BEGIN;{_SCHEMA}COMMIT;")
        self._writer.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        self._fetch_position()

    def _fetch_position(self) -> None:
        row = self._writer.execute(
            "SELECT epoch, sequence FROM position WHERE partition = ?", (self.partition,)
        ).fetchone()
        if row:
            self.epoch, self.position = row

    def _write(self, changes: Changes) -> None:
        fresh, settled = _settle(changes)
        self._insert("orders", _ORDER_COLUMNS, fresh)
        self._insert("orders", _ORDER_COLUMNS + _SETTLED_COLUMNS, settled)
        self._insert("fills", _FILL_COLUMNS, changes.fills)
        self._insert("prevented", _PREVENTED_COLUMNS, changes.prevented)
        for columns in (TRADED_COLUMNS, CANCELLED_COLUMNS, len(Update)):
            updates = [row for row in changes.updates.values() if len(row) == columns]
            for rows in _chunks(updates):
                self._writer.execute(_update_sql(len(rows), columns), list(chain.from_iterable(rows)))
        if changes.rulings:
            self._writer.executemany(
                "UPDATE fills SET price = coalesce(?, price), quantity = coalesce(?, quantity), state = ? "
                "WHERE match_id = ? AND account_id IN (?, ?)",
                changes.rulings,
            )

    def _insert(self, table: str, columns: list[str], rows: Sequence[Sequence[object]]) -> None:
        for part in _chunks(rows):
            values = _places(len(columns), len(part))
            self._writer.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}", list(chain.from_iterable(part))
            )

    def _newest(
        self, select: str, table: str, where: list[tuple[str, int]], order: str, wanted: OrderFilter
    ) -> list[tuple[Any, ...]]:
        """Read the newest rows of each account by itself, which its index gives in order.

        where: conditions with the value they are about; where that is 0 the condition does not count.
        """
        conditions = [condition for condition, value in where if value]
        values = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
        end = f"ORDER BY {order} LIMIT :limit"
        if wanted.accounts is None:
            return self._read(f"{select} WHERE {' AND '.join(conditions) or '1'} {end}", values)
        sql = f"{select} WHERE {' AND '.join([f'{table}.account_id = :account_id', *conditions])} {end}"
        return [row for a in wanted.accounts for row in self._read(sql, {**values, "account_id": a})]

    def _read(self, sql: str, values: Sequence[object] | Mapping[str, object]) -> list[tuple[Any, ...]]:
        try:
            return self._reader.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise InfraError(f"{self.path} cannot be read: {error}") from error


def _settle(changes: Changes) -> tuple[list[OrderRow], list[tuple[Any, ...]]]:
    """Return the new orders that nothing happened to in the same run, and those written with what happened to them.

    Most orders of a busy stream live and die within one run: they are written once, and never enter the index of the
    open ones. Their updates are taken out of the changes.
    """
    updates = changes.updates
    fresh: list[OrderRow] = []
    settled: list[tuple[Any, ...]] = []
    for row in changes.orders:
        update = updates.pop(row[0], None)
        if update is None:
            fresh.append(row)
            continue
        if len(update) < len(Update):
            update += _UNTOUCHED[len(update) :]
        _, updated_ns, leaves, filled, notional, ended, reason, busted, replaced_by, *last = update
        settled.append(
            (
                *row[:4], row[4] if leaves is None else leaves, row[5] if ended is None else ended, row[6],
                updated_ns, filled, notional, reason or 0, busted, replaced_by or 0, *last,
            )
        )  # fmt: skip
    return fresh, settled


def set_aside(path: Path) -> Path:
    """Move a damaged table and what belongs to it out of the way; return where it lies now."""
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return path.replace(path.with_name(path.name + ".damaged"))


def _connect(path: Path, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {busy_ms}")
    return connection


def _chunks(rows: Sequence[Sequence[object]]) -> Iterable[Sequence[Sequence[object]]]:
    """Cut rows into runs of a few sizes only, so that SQLite has each statement ready."""
    start = 0
    for size in ROWS_PER_STATEMENT:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size


@lru_cache(64)
def _places(columns: int, rows: int) -> str:
    return ",".join([f"({','.join('?' * columns)})"] * rows)


@lru_cache(64)
def _update_sql(rows: int, columns: int) -> str:
    changes = []
    for number, (column, name) in enumerate(zip(Update, _UPDATE_COLUMNS, strict=True), 1):
        if column in _DIFFERENCES:
            changes.append(f"{name} = {name} + v.column{number}")
        elif column != Update.ORDER_ID:
            changes.append(f"{name} = coalesce(v.column{number}, {name})")
    values = f"(VALUES {_places(columns, rows)}) AS v"
    return f"UPDATE orders SET {', '.join(changes[: columns - 1])} FROM {values} WHERE order_id = v.column1"
