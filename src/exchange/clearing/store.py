"""What the books need of the store: reading them at a start, and saving what a batch changed.

Everything here runs inside a transaction of the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import astuple
from sqlalchemy import Connection, Row, String, Table, bindparam, delete, select, tuple_, type_coerce, update

from exchange.clearing import tables
from exchange.domain.order import Side
from exchange.domain.trade import TradeCondition
from exchange.infra.bulk_insert import bulk_insert
from exchange.infra.store import read_directory, write_directory_events
from exchange.post_trade.books import Books, Changes, EngineRequest, Fulfilment
from exchange.post_trade.ledger import (
    NO_TRANSFERS,
    Balance,
    Ledger,
    Transfer,
    TransferCode,
    account_of,
    member_of,
    sequence_and_leg,
)
from exchange.post_trade.positions import Position, Positions
from exchange.post_trade.recent_trades import RECENT_TRADES_MAX, RecentTrades
from exchange.post_trade.rule import Hit, Ruling
from exchange.post_trade.rules import RuleSet
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import Occurrence, Step, TradeState

WAITING, TAKEN, DONE, REFUSED = "waiting", "taken", "done", "refused"
"""How far a request has come: not yet with the engine; the engine said yes; its event was seen; it said no."""
_NOT_TRIED = {"state": WAITING, "attempts": 0, "tried_ns": 0, "answer": ""}
KEYS_PER_DELETE = 500
"""Rows that one statement takes away, so that a batch costs few statements and none is long."""
ROWS_READ_MAX = 10_000
"""Rows held at once while a whole table is read."""
STREAMED = {"stream_results": True, "yield_per": ROWS_READ_MAX}
"""How a whole table is read: piece by piece."""
TRANSFER_COLUMNS = tuple(tables.transfers.c.keys())
TRADE_COLUMNS = tuple(tables.trades.c[field.name] for field in msgspec.structs.fields(Trade))
_encode = msgspec.json.Encoder().encode
_decode_hits = msgspec.json.Decoder(tuple[Hit, ...]).decode


# --- reading ------------------------------------------------------------------------------------------------


def read_books(connection: Connection, partition: int, rule_set: RuleSet) -> Books:
    """Rebuild the books as they were stored last."""
    row = read_books_row(connection, partition)
    return Books(
        rule_set,
        directory=read_directory(connection),
        ledger=Ledger(dict(read_balances(connection, partition)), row.transfers, row.ledger_hash),
        positions=Positions(dict(read_positions(connection, partition))),
        recent=read_recent_trades(connection, partition),
        next_ruling_id=row.next_ruling_id,
        business_date=row.business_date,
        trades=row.trades,
    )


class BooksRow(NamedTuple):
    """What the store says of the books as a whole."""

    trades: int = 0
    transfers: int = 0
    ledger_hash: bytes = NO_TRANSFERS
    next_ruling_id: int = 1
    business_date: int = 0


def read_books_row(connection: Connection, partition: int) -> BooksRow:
    """Read what the store says of the books as a whole."""
    table = tables.books
    columns = [table.c[name] for name in BooksRow._fields]
    row = connection.execute(select(*columns).where(table.c.partition == partition)).first()
    return BooksRow(*row) if row else BooksRow()


def read_trade(connection: Connection, match_id: int) -> Trade | None:
    """Look up a trade."""
    row = connection.execute(select(*TRADE_COLUMNS).where(tables.trades.c.match_id == match_id)).first()
    return trade_of(row) if row else None


def read_trades(connection: Connection, partition: int) -> Iterator[Trade]:
    """Read all trades, in their order."""
    query = select(*TRADE_COLUMNS).where(tables.trades.c.partition == partition)
    for row in _in_pieces(connection, query.order_by(tables.trades.c.match_id)):
        yield trade_of(row)


def read_transfers(connection: Connection, partition: int) -> Iterator[Transfer]:
    """Read the whole ledger, in its order."""
    table = tables.transfers
    query = select(table).where(table.c.partition == partition).order_by(table.c.number)
    for row in _in_pieces(connection, query):
        yield transfer_of(row)


def read_balances(connection: Connection, partition: int) -> Iterator[tuple[int, Balance]]:
    """Read the balance of every ledger account."""
    names = ("account_number", "debits", "credits")
    for number, debits, credit_sum in _numbers_of(connection, tables.balances, names, partition):
        yield number, Balance(int(debits), int(credit_sum))


def read_positions(connection: Connection, partition: int) -> Iterator[tuple[tuple[int, int], Position]]:
    """Read every position."""
    names = ("account_id", "symbol_id", *Position.__struct_fields__)
    for account_id, symbol_id, deposited, bought, sold, bought_notional, sold_notional in _numbers_of(
        connection, tables.positions, names, partition
    ):
        yield (
            (account_id, symbol_id),
            Position(deposited, bought, sold, int(bought_notional), int(sold_notional)),
        )


def _numbers_of(
    connection: Connection, table: Table, names: Sequence[str], partition: int
) -> Iterator[tuple[Any, ...]]:
    """Read columns of whole numbers of a partition's millions of rows; wide ones come as texts, as they are stored.

    SQLite's own rows cost a third of SQLAlchemy's, and a start waits for them.
    """
    if connection.dialect.name != "sqlite":
        columns = [type_coerce(column, String) if isinstance(column.type, tables.WideInteger) else column
                   for column in (table.c[name] for name in names)]  # fmt: skip
        query = select(*columns).where(table.c.partition == partition)
        yield from map(tuple, connection.execute(query, execution_options=STREAMED))
        return
    session: Any = connection.connection.driver_connection
    statement = f"SELECT {', '.join(names)} FROM {table.name} WHERE partition = ?"
    yield from session.execute(statement, (partition,))


def read_recent_trades(connection: Connection, partition: int) -> RecentTrades:
    """Rebuild the memory of the latest trades; a correction since then counts as if it had traded so."""
    table = tables.trades
    query = select(*TRADE_COLUMNS).where(table.c.partition == partition)
    rows = connection.execute(query.order_by(table.c.match_id.desc()).limit(RECENT_TRADES_MAX)).all()
    recent = RecentTrades()
    for row in reversed(rows):
        recent.remember(trade_of(row))
    return recent


def read_request(connection: Connection, partition: int, ruling_id: int) -> EngineRequest | None:
    """Look up a request to the engine."""
    table = tables.outbox
    row = connection.execute(
        select(table).where(table.c.partition == partition, table.c.ruling_id == ruling_id)
    ).first()
    return request_of(row) if row else None


def trade_of(row: Row[Any]) -> Trade:
    """Turn a row into the trade it holds."""
    fields = row._asdict()
    fields["taker_side"] = Side(fields["taker_side"])
    fields["symbol_state"] = TradeCondition(fields["symbol_state"])
    fields["state"] = TradeState(fields["state"])
    return Trade(**fields)


def transfer_of(row: Row[Any]) -> Transfer:
    """Turn a row into the transfer it holds."""
    sequence, leg = sequence_and_leg(row.number)
    return Transfer(
        row.debit,
        row.credit,
        row.amount,
        TransferCode(row.code),
        row.subject,
        sequence,
        row.time_ns,
        row.version,
        leg,
    )


def step_of(row: Row[Any]) -> Step:
    """Turn a row into the step of a trade that it holds."""
    occurrence = Occurrence(row.occurrence) if row.occurrence else None
    return Step(
        match_id=row.match_id, time_ns=row.time_ns, occurrence=occurrence, state=TradeState(row.state),
        version=row.version, who=row.who, why=row.why, ruling_id=row.ruling_id,
    )  # fmt: skip


def request_of(row: Row[Any]) -> EngineRequest:
    """Turn a row of the outbox into the request it holds."""
    return EngineRequest(
        ruling_id=row.ruling_id, match_id=row.match_id, kind=row.kind, code=row.code, created_ns=row.created_ns,
        new_price=row.new_price, new_quantity=row.new_quantity,
    )  # fmt: skip


def hits_of(row: Row[Any]) -> tuple[Hit, ...]:
    """Return the hits that a row of the rulings holds."""
    return _decode_hits(row.hits)


def _in_pieces(connection: Connection, query: Any) -> Iterator[Row[Any]]:
    """Run a query over a whole table without holding all of it."""
    yield from connection.execution_options(**STREAMED).execute(query)


# --- saving -------------------------------------------------------------------------------------------------


def save_changes(connection: Connection, partition: int, books: Books) -> None:
    """Save what changed since the books were saved last."""
    changes = books.changes
    write_directory_events(connection, changes.directory)
    _save_trades(connection, changes)
    bulk_insert(connection, tables.trade_steps, Step.__struct_fields__, map(astuple, changes.steps))
    rulings = ((partition, *astuple(ruling)[:-1], _encode(ruling.hits)) for ruling in changes.rulings)
    bulk_insert(connection, tables.rulings, ("partition", *Ruling.__struct_fields__), rulings)
    requests = ((partition, *astuple(request), *_NOT_TRIED.values()) for request in changes.requests)
    bulk_insert(
        connection, tables.outbox, ("partition", *EngineRequest.__struct_fields__, *_NOT_TRIED), requests
    )
    for fulfilment in changes.fulfilments:
        _fulfil(connection, partition, fulfilment)
    _save_ledger(connection, partition, books)
    _save_positions(connection, partition, books.positions)


def _save_trades(connection: Connection, changes: Changes) -> None:
    bulk_insert(connection, tables.trades, Trade.__struct_fields__, map(astuple, changes.captured.values()))
    if changes.changed:
        changed = update(tables.trades).where(tables.trades.c.match_id == bindparam("key"))
        values = ("price", "quantity", "state", "version")
        connection.execute(
            changed.values({name: bindparam(f"new_{name}") for name in values}),
            [
                {"key": trade.match_id} | {f"new_{name}": getattr(trade, name) for name in values}
                for trade in changes.changed.values()
            ],
        )


def _save_ledger(connection: Connection, partition: int, books: Books) -> None:
    ledger = books.ledger
    save_transfers(connection, partition, ledger.take_unstored())
    touched = [(number, account_of(number), ledger.balances[number]) for number in ledger.before]
    rows = [
        (
            partition,
            number,
            account.account_id,
            account.asset,
            account.holder,
            balance.debits,
            balance.credits,
        )
        for number, account, balance in touched
    ]
    replace(connection, tables.balances, 2, rows)
    whole = (
        partition, books.trades, ledger.transfers, ledger.running_hash, books.next_ruling_id,
        books.business_date,
    )  # fmt: skip
    replace(connection, tables.books, 1, [whole])


def save_transfers(connection: Connection, partition: int, chains: Iterable[Sequence[Transfer]]) -> None:
    """Append chains to the ledger."""
    bulk_insert(connection, tables.transfers, TRANSFER_COLUMNS, _transfer_rows(partition, chains))


def _transfer_rows(partition: int, chains: Iterable[Sequence[Transfer]]) -> Iterator[tuple[Any, ...]]:
    """Give the rows of transfers: the columns of the table in their order."""
    for chain in chains:
        first = chain[0]
        code, subject, time_ns, version = first.code, first.subject, first.time_ns, first.version
        for number, transfer in enumerate(chain, first.number):
            yield (
                partition, number, transfer.debit, transfer.credit, member_of(transfer), transfer.amount, code,
                subject, time_ns, version,
            )  # fmt: skip


def _save_positions(connection: Connection, partition: int, positions: Positions) -> None:
    rows = [
        (partition, account_id, symbol_id, *astuple(position))
        for (account_id, symbol_id), position in positions.touched.items()
    ]
    replace(connection, tables.positions, 3, rows)


def _fulfil(connection: Connection, partition: int, fulfilment: Fulfilment) -> None:
    """Close the requests that an event of the engine fulfils: a bust closes every request for one."""
    table = tables.outbox
    closed = update(table).where(
        table.c.partition == partition,
        table.c.match_id == fulfilment.match_id,
        table.c.kind == fulfilment.kind,
        table.c.state.in_((WAITING, TAKEN)),
    )
    if fulfilment.kind != "bust":
        closed = closed.where(table.c.ruling_id == fulfilment.ruling_id)
    connection.execute(closed.values(state=DONE))


def replace(connection: Connection, table: Table, keys: int, rows: list[tuple[Any, ...]]) -> None:
    """Put rows, each all values of a table, in the place of those with the same key; works in every database.

    keys: how many columns, from the first, are the key; the first is the same in all rows.
    """
    names = tuple(table.c.keys())
    first, *others = [table.c[name] for name in names[:keys]]
    for start in range(0, len(rows), KEYS_PER_DELETE):
        piece = rows[start : start + KEYS_PER_DELETE]
        old = delete(table).where(first == piece[0][0])
        if len(others) == 1:
            old = old.where(others[0].in_([row[1] for row in piece]))
        elif others:
            old = old.where(tuple_(*others).in_([row[1:keys] for row in piece]))
        connection.execute(old)
    bulk_insert(connection, table, names, rows)
