"""Closed days in the store: the cycles, what each owes, and what all of them owe; inside a transaction of the caller.

Millions of rows go in once, as obligations; what follows from them (`netted`, instructions) the database makes itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Numeric, String, cast, func, select, tuple_, type_coerce
from sqlalchemy.dialects import postgresql, sqlite

from exchange.clearing.cycle_tables import cycle_waiting, cycles, netted, obligations
from exchange.clearing.store import STREAMED
from exchange.clearing.tables import trade_steps, trades
from exchange.domain.units import format_date, sequence_of
from exchange.infra.bulk_insert import bulk_insert, insert_numbers
from exchange.post_trade.netting import KEPT_OUT, Obligation, Owed, Pair, add_to, sum_of
from exchange.post_trade.netting_proof import ClosedDay, NettingProof

NO_CYCLES = bytes(16)
"""The hash before the first cycle."""
CYCLES_MAX = 1_000_000
_KEY = ("partition", "account_id", "symbol_id")
_SUM = "exchange_sum"


class Cycle(NamedTuple):
    """A closed day."""

    business_date: int
    closed_ns: int
    sequence: int
    obligations: int
    left_out: int
    who: str
    why: str
    hash: bytes


def last_cycle(connection: Connection, partition: int) -> Cycle | None:
    """Return the last day that was closed."""
    return next(iter(list_cycles(connection, partition, 0, 1)), None)


def list_cycles(connection: Connection, partition: int, before: int, limit: int) -> list[Cycle]:
    """Read closed days, newest first. before: the last day seen, 0 for none."""
    query = select(*(cycles.c[name] for name in Cycle._fields)).where(cycles.c.partition == partition)
    if before:
        query = query.where(cycles.c.business_date < before)
    return [
        Cycle(*row) for row in connection.execute(query.order_by(cycles.c.business_date.desc()).limit(limit))
    ]


def list_obligations(
    connection: Connection,
    partition: int,
    business_date: int,
    accounts: Sequence[int] | None,
    after: Pair,
    limit: int,
) -> list[Obligation]:
    """Read a page of a day's obligations, by account and symbol. accounts: None for all."""
    columns = obligations.c
    query = select(columns.account_id, columns.symbol_id, columns.quantity, columns.cash).where(
        columns.partition == partition,
        columns.business_date == business_date,
        tuple_(columns.account_id, columns.symbol_id) > tuple_(*after),
    )
    if accounts is not None:
        query = query.where(columns.account_id.in_(accounts))
    rows = connection.execute(query.order_by(columns.account_id, columns.symbol_id).limit(limit))
    return [Obligation(*row) for row in rows]


def read_netted(connection: Connection, partition: int) -> Iterator[Owed]:
    """Yield what all cycles together owe, by account and symbol."""
    columns = netted.c
    amounts = (type_coerce(each, String) for each in (columns.quantity, columns.cash))
    query = select(columns.account_id, columns.symbol_id, *amounts).where(columns.partition == partition)
    query = query.order_by(columns.account_id, columns.symbol_id)
    rows = connection.execute(query, execution_options=STREAMED)
    for account_id, symbol_id, quantity, cash in rows:
        yield (account_id, symbol_id), (int(quantity), int(cash))


def save_cycle(connection: Connection, partition: int, cycle: Cycle) -> None:
    """Store that a day is closed."""
    bulk_insert(connection, cycles, ("partition", *Cycle._fields), [(partition, *cycle)])


def save_waiting(
    connection: Connection, partition: int, business_date: int, match_ids: Iterable[int]
) -> None:
    """Store which trades a cycle left out, for they waited."""
    rows = ((partition, business_date, match_id) for match_id in match_ids)
    bulk_insert(connection, cycle_waiting, tuple(cycle_waiting.c.keys()), rows)


def netting_proof(connection: Connection, partition: int) -> NettingProof:
    """Return what makes all cycles anew from the ledger, and knows of each what it is said to owe by its hash alone."""
    waiting: dict[int, list[int]] = {}
    table = cycle_waiting.c
    query = select(table.business_date, table.match_id).where(table.partition == partition)
    for business_date, match_id in connection.execute(query):
        waiting.setdefault(business_date, []).append(match_id)
    closed = [
        ClosedDay(
            each.business_date, each.sequence, each.hash, frozenset(waiting.get(each.business_date, ()))
        )
        for each in reversed(list_cycles(connection, partition, 0, CYCLES_MAX))
    ]
    columns = trades.c
    first = select(columns.business_date, func.min(columns.match_id)).where(columns.partition == partition)
    days = [
        (sequence_of(match_id), date)
        for date, match_id in connection.execute(first.group_by(columns.business_date))
    ]
    return NettingProof(closed, sorted(days), NO_CYCLES)


def waiting_faults(connection: Connection, partition: int) -> list[str]:
    """Say which trades were left out of a cycle that no rule and no person ever had wait."""
    left, step = cycle_waiting.c, trade_steps.c
    waited = select(step.match_id).where(step.state.in_([state.value for state in sorted(KEPT_OUT)]))
    query = select(left.business_date, left.match_id).where(
        left.partition == partition, left.match_id.not_in(waited)
    )
    return [
        f"the cycle of {format_date(day)} left out trade {match_id}, which never waited for a ruling"
        for day, match_id in connection.execute(query.order_by(left.business_date, left.match_id))
    ]


def save_obligations(
    connection: Connection, partition: int, business_date: int, found: Iterable[Obligation]
) -> None:
    """Store what a cycle owes."""
    found = list(found)
    numbers = [
        number for each in found for number in (each.account_id, each.symbol_id, each.quantity, each.cash)
    ]
    if insert_numbers(
        connection, obligations, (partition, business_date), Obligation.__struct_fields__, numbers
    ):
        return
    rows = (
        (partition, business_date, each.account_id, each.symbol_id, str(each.quantity), str(each.cash))
        for each in found
    )
    bulk_insert(connection, obligations, tuple(obligations.c.keys()), rows)


def add_to_netted(connection: Connection, partition: int, business_date: int) -> None:
    """Add the stored obligations of a cycle to what all cycles together owe."""
    columns = obligations.c
    new = select(columns.partition, columns.account_id, columns.symbol_id, columns.quantity, columns.cash)
    new = new.where(columns.partition == partition, columns.business_date == business_date)
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(netted).from_select(netted.c.keys(), new)
    changed = {name: _sum(connection, netted.c[name], insert.excluded[name]) for name in ("quantity", "cash")}
    connection.execute(insert.on_conflict_do_update(index_elements=_KEY, set_=changed))


def _sum(connection: Connection, one: Column[int], other: Column[int]) -> Any:
    """Return the sum of two numbers that are stored as texts, of any size, as a text."""
    if connection.dialect.name == "postgresql":
        return cast(cast(one, Numeric) + cast(other, Numeric), String)
    session: Any = connection.connection.driver_connection
    session.create_function(_SUM, 2, lambda a, b: str(int(a) + int(b)), deterministic=True)
    return getattr(func, _SUM)(one, other)


def first_cycle_fault(connection: Connection, partition: int) -> str:
    """Make the hashes of all cycles and their sum anew; return where they differ first, empty for nowhere."""
    running, sums = NO_CYCLES, dict[Pair, tuple[int, int]]()
    for cycle in reversed(list_cycles(connection, partition, 0, CYCLES_MAX)):
        owed = list_obligations(connection, partition, cycle.business_date, None, (-1, -1), 1 << 31)
        running = sum_of(running, cycle.business_date, owed).hash
        if running != cycle.hash:
            return f"the obligations of {format_date(cycle.business_date)} are not those that were closed"
        for each in owed:
            add_to(sums, (each.account_id, each.symbol_id), each.quantity, each.cash)
    if {pair: each for pair, each in sums.items() if any(each)} != {
        pair: each for pair, each in read_netted(connection, partition) if any(each)
    }:
        return "what all cycles together owe is not the sum of them"
    return ""
