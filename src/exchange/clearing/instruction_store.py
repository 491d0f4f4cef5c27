"""Instructions, the lines of runs, and closing prices in the store; all inside a transaction of the caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, literal, select, tuple_

from exchange.clearing.cycle_tables import netted, obligations
from exchange.clearing.house_tables import closing_prices, house_acts, instructions, settlement_lines
from exchange.clearing.splits import after_splits, marks_of
from exchange.clearing.store import replace
from exchange.clearing.tables import WideInteger
from exchange.domain.directory import Directory
from exchange.infra.bulk_insert import bulk_insert
from exchange.post_trade.settlement import Instruction
from exchange.post_trade.statement import SplitFact

Cursor = tuple[int, int, int]
"""Cycle, account and symbol of the last instruction seen."""


class KeptInstruction(NamedTuple):
    """An instruction as it is stored. moved: shares taken over; compensated: shares that money took the place of."""

    cycle: int
    account_id: int
    symbol_id: int
    due: int
    quantity: int
    cash: int
    moved: int
    compensated: int
    settled_on: int

    @property
    def open(self) -> Instruction:
        """Return what is to be settled of it."""
        return Instruction(self.cycle, self.account_id, self.symbol_id, self.due, self.quantity, self.cash)


class Line(NamedTuple):
    """What a run does to an instruction. moved: shares; mark: money; failed: shares that stay open; all signed."""

    act: int
    cycle: int
    account_id: int
    symbol_id: int
    due: int
    moved: int
    mark: int
    failed: int
    price: int


_COLUMNS = [instructions.c[name] for name in KeptInstruction._fields]
_LINE = [settlement_lines.c[name] for name in Line._fields]


def write_instructions(connection: Connection, partition: int, cycle: int, due: int) -> None:
    """Turn the stored obligations of a cycle into instructions for a day; they must be new."""
    owed = obligations.c
    nothing = literal(0, WideInteger)
    values = {
        **{name: owed[name] for name in ("partition", "account_id", "symbol_id", "quantity", "cash")},
        "cycle": owed.business_date, "due": literal(due), "moved": nothing, "compensated": nothing,
        "settled_on": literal(0),
    }  # fmt: skip
    made = select(*values.values()).where(owed.partition == partition, owed.business_date == cycle)
    connection.execute(insert(instructions).from_select(list(values), made))


def read_open(connection: Connection, partition: int, until: int = 0) -> list[KeptInstruction]:
    """Read what is open and due up to a day, in the order of cycle, account and symbol. until: 0 for all."""
    columns = instructions.c
    query = select(*_COLUMNS).where(columns.partition == partition, columns.settled_on == 0)
    if until:
        query = query.where(columns.due <= until)
    rows = connection.execute(query.order_by(columns.cycle, columns.account_id, columns.symbol_id))
    return [KeptInstruction(*row) for row in rows]


def list_instructions(
    connection: Connection,
    partition: int,
    accounts: Sequence[int] | None,
    is_open: bool,
    after: Cursor,
    limit: int,
) -> list[KeptInstruction]:
    """Read a page of instructions by cycle, account and symbol. accounts: None for all."""
    columns = instructions.c
    key = columns.cycle, columns.account_id, columns.symbol_id
    query = select(*_COLUMNS).where(columns.partition == partition, tuple_(*key) > tuple_(*after))
    if is_open:
        query = query.where(columns.settled_on == 0)
    if accounts is not None:
        query = query.where(columns.account_id.in_(accounts))
    return [KeptInstruction(*row) for row in connection.execute(query.order_by(*key).limit(limit))]


def save_instructions(connection: Connection, partition: int, changed: Iterable[KeptInstruction]) -> None:
    """Put instructions in the place of those that are stored."""
    replace(connection, instructions, 4, [(partition, *each) for each in changed])


def save_lines(connection: Connection, partition: int, lines: Iterable[Line]) -> None:
    """Store what a run does."""
    rows = ((partition, *line) for line in lines)
    bulk_insert(connection, settlement_lines, ("partition", *Line._fields), rows)


def read_lines(
    connection: Connection, partition: int, act: int, accounts: Sequence[int] | None = None
) -> list[Line]:
    """Read what a run does, by cycle, account and symbol. accounts: None for all."""
    columns = settlement_lines.c
    query = select(*_LINE).where(columns.partition == partition, columns.act == act)
    if accounts is not None:
        query = query.where(columns.account_id.in_(accounts))
    rows = connection.execute(query.order_by(columns.cycle, columns.account_id, columns.symbol_id))
    return [Line(*row) for row in rows]


def instruction_faults(connection: Connection, partition: int) -> list[str]:
    """Say where what is open, settled, compensated and taken over is not what the cycles owe, in shares."""
    columns, lines, ended = instructions.c, settlement_lines.c, house_acts.alias()
    found: dict[tuple[int, int], int] = {}
    for account_id, symbol_id, quantity, moved, compensated in connection.execute(
        select(
            columns.account_id, columns.symbol_id, columns.quantity, columns.moved, columns.compensated
        ).where(columns.partition == partition)
    ):
        pair = account_id, symbol_id
        found[pair] = found.get(pair, 0) + quantity + compensated - moved
    posted = select(house_acts.c.number).where(
        house_acts.c.partition == partition,
        ended.c.partition == partition,
        ended.c.source == house_acts.c.source + "/end",
        ended.c.kind == "settled",
    )
    for account_id, symbol_id, moved in connection.execute(
        select(lines.account_id, lines.symbol_id, lines.moved).where(
            lines.partition == partition, lines.act.in_(posted)
        )
    ):
        pair = account_id, symbol_id
        found[pair] = found.get(pair, 0) + moved
    owed = {
        (row.account_id, row.symbol_id): row.quantity
        for row in connection.execute(select(netted).where(netted.c.partition == partition))
    }
    return [
        f"account {pair[0]} and symbol {pair[1]}: instructions and what was settled sum to {found.get(pair, 0)} "
        f"shares, the cycles owe {owed.get(pair, 0)}"
        for pair in sorted({*found, *owed})
        if found.get(pair, 0) != owed.get(pair, 0)
    ]


# --- prices -----------------------------------------------------------------------------------------


def save_prices(connection: Connection, partition: int, prices: Mapping[tuple[int, int], int]) -> None:
    """Store closing prices by symbol id and day, in the place of others."""
    rows = [(partition, symbol_id, day, price) for (symbol_id, day), price in sorted(prices.items())]
    replace(connection, closing_prices, 3, rows)


def close_prices(connection: Connection, partition: int, directory: Directory, business_date: int) -> None:
    """Store the price of every symbol at the end of a day: of its last trade that stands, else its reference price."""
    prices = marks_of(connection, partition, directory, directory.symbols, business_date)
    save_prices(
        connection, partition, {(symbol_id, business_date): each for symbol_id, each in prices.items()}
    )


def settlement_prices(
    connection: Connection, partition: int, directory: Directory, symbol_ids: Iterable[int], day: int
) -> dict[int, int]:
    """Return the closing prices that were the last before or on a day; the marks where there is none."""
    found = {}
    for symbol_id in sorted(symbol_ids):
        columns = closing_prices.c
        query = select(columns.price).where(
            columns.partition == partition, columns.symbol_id == symbol_id, columns.business_date <= day
        )
        price = connection.execute(query.order_by(columns.business_date.desc()).limit(1)).scalar()
        found[symbol_id] = price or marks_of(connection, partition, directory, [symbol_id], day)[symbol_id]
    return found


def price_history(
    connection: Connection,
    partition: int,
    symbol_id: int,
    until: int,
    limit: int,
    splits: Iterable[SplitFact] = (),
) -> list[int]:
    """Return the closing prices of a symbol up to a day, as they are after the splits since then.

    Oldest first, the latest so many. splits: of any symbols.
    """
    columns = closing_prices.c
    query = select(columns.business_date, columns.price).where(
        columns.partition == partition,
        columns.symbol_id == symbol_id,
        columns.business_date <= until,
        columns.price > 0,
    )
    rows = connection.execute(query.order_by(columns.business_date.desc()).limit(limit)).all()
    own = [fact for fact in splits if fact.symbol_id == symbol_id]
    return after_splits(((day, price) for day, price in reversed(rows)), own, until)
