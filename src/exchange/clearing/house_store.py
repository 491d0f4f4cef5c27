"""The house's acts in the store: each is written whole, with its entries, its audit entry and its hash, or not at all.

An act follows from a source. The same source again finds the act that is there, so a repetition does nothing, whoever
sends it and however often.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import astuple
from sqlalchemy import Connection, Row, delete, select

from exchange.clearing.house_tables import house_acts, house_balances, house_entries, house_pending
from exchange.clearing.review_store import write_audit
from exchange.clearing.store import STREAMED, replace
from exchange.infra.bulk_insert import bulk_insert
from exchange.post_trade.books import Books
from exchange.post_trade.house_ledger import (
    NO_ACTS,
    Entry,
    HouseBalance,
    HouseCode,
    HouseHolder,
    HouseLedger,
    Phase,
    PostingRefused,
    account_id_of,
    act_hash,
    entry_id,
    faults_of,
    holder_of,
)
from exchange.post_trade.invariants import BooksBroken
from exchange.post_trade.ledger import Holder, Ledger, asset_of
from exchange.post_trade.review import Actor
from exchange.post_trade.trade_life import TransitionRefused

SOURCE_CHARACTERS_MAX = 200
_encode = msgspec.json.Encoder(order="deterministic").encode
_BALANCE = HouseBalance.__struct_fields__


class ActRefused(TransitionRefused):
    """The house does not do this now; the message is a sentence for people."""


class Act(NamedTuple):
    """Something that the house did. body: JSON; entries: how many it booked."""

    number: int
    source: str
    kind: str
    business_date: int
    time_ns: int
    key_id: int
    who: str
    why: str
    body: bytes
    entries: int
    hash: bytes


class Doing(NamedTuple):
    """What an act is done with: who, why, when, and the books in their transaction."""

    connection: Connection
    partition: int
    books: Books
    actor: Actor
    why: str
    now_ns: int

    def ledger(self) -> HouseLedger:
        """Read the house's ledger."""
        return read_ledger(self.connection, self.partition, self.books.ledger)

    def next_number(self) -> int:
        """Return the number that the next act will have."""
        last = next(iter(list_acts(self.connection, self.partition, "", 0, 1)), None)
        return last.number + 1 if last else 1


def backing_of(ledger: Ledger, number: int) -> int:
    """Return what stands behind an account of the house: what its owner brought in, for what is settled."""
    if holder_of(number) is not HouseHolder.SETTLED:
        return 0
    return ledger.net(Holder.AVAILABLE, account_id_of(number), asset_of(number))


def read_ledger(connection: Connection, partition: int, trades: Ledger) -> HouseLedger:
    """Read the house's ledger, over that of the trades."""
    pending = {key: entry for key, entry, _ in read_pending(connection, partition)}
    return HouseLedger(
        read_house_balances(connection, partition), pending, lambda number: backing_of(trades, number)
    )


def read_house_balances(connection: Connection, partition: int) -> dict[int, HouseBalance]:
    """Read all balances of the house's ledger."""
    columns = house_balances.c
    query = select(columns.account_number, *(columns[name] for name in _BALANCE))
    rows = connection.execute(query.where(columns.partition == partition))
    return {number: HouseBalance(*values) for number, *values in rows}


def read_pending(connection: Connection, partition: int) -> list[tuple[bytes, Entry, int]]:
    """Read the pending entries that are open, in the order of their booking, each with its id and act."""
    columns = house_pending.c
    query = select(house_pending).where(columns.partition == partition).order_by(columns.act, columns.place)
    return [
        (row.entry_id, Entry(row.debit, row.credit, row.amount, HouseCode(row.code), Phase.PENDING), row.act)
        for row in connection.execute(query)
    ]


def find_act(connection: Connection, partition: int, source: str) -> Act | None:
    """Look up the act that follows from a source."""
    rows = connection.execute(_acts(partition).where(house_acts.c.source == source))
    return next((Act(*row) for row in rows), None)


def read_act(connection: Connection, partition: int, number: int) -> Act | None:
    """Look up an act by its number."""
    rows = connection.execute(_acts(partition).where(house_acts.c.number == number))
    return next((Act(*row) for row in rows), None)


def list_acts(connection: Connection, partition: int, kind: str, before: int, limit: int) -> list[Act]:
    """Read a page of acts, newest first. kind: empty for all; before: the last number seen, 0 for none."""
    query = _acts(partition)
    if kind:
        query = query.where(house_acts.c.kind == kind)
    if before:
        query = query.where(house_acts.c.number < before)
    return [Act(*row) for row in connection.execute(query.order_by(house_acts.c.number.desc()).limit(limit))]


def read_entries(connection: Connection, partition: int, act: int) -> list[Entry]:
    """Read what an act booked, in its order."""
    columns = house_entries.c
    query = select(house_entries).where(columns.partition == partition, columns.act == act)
    return [entry_of(row) for row in connection.execute(query.order_by(columns.place))]


def entry_of(row: Row[Any]) -> Entry:
    """Turn a row into the entry it holds."""
    return Entry(row.debit, row.credit, row.amount, HouseCode(row.code), Phase(row.phase), row.resolves)


def write_act(
    doing: Doing,
    kind: str,
    source: str,
    business_date: int,
    body: msgspec.Struct | dict[str, Any],
    entries: Sequence[Entry] = (),
    ledger: HouseLedger | None = None,
) -> Act:
    """Do an act: post its entries, all or none, and store it. The source must be new.

    Raise `ActRefused` where the ledger refuses, `BooksBroken` where the house would not be flat.
    """
    assert len(source) <= SOURCE_CHARACTERS_MAX, source
    connection, partition = doing.connection, doing.partition
    ledger = ledger or doing.ledger()
    try:
        ledger.post(source, entries)
    except PostingRefused as error:
        raise ActRefused(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    for fault in faults_of(ledger.balances):
        raise BooksBroken(f"{source}: {fault}")
    last = next(iter(list_acts(connection, partition, "", 0, 1)), None)
    encoded = _encode(body)
    act = Act(
        last.number + 1 if last else 1, source, kind, business_date, doing.now_ns, doing.actor.key_id, doing.actor.who,
        doing.why, encoded, len(entries), act_hash(last.hash if last else NO_ACTS, source, encoded, entries),
    )  # fmt: skip
    bulk_insert(connection, house_acts, ("partition", *Act._fields), [(partition, *act)])
    _write_entries(connection, partition, act.number, entries)
    _write_balances(connection, partition, ledger, act)
    detail = f"act {act.number}, hash {act.hash.hex()}"
    write_audit(connection, partition, doing.actor, kind, source[:100], doing.why, doing.now_ns, detail)
    return act


def _write_entries(connection: Connection, partition: int, act: int, entries: Sequence[Entry]) -> None:
    rows = (
        (partition, act, place, each.debit, each.credit, member_of(each), *astuple(each)[2:])
        for place, each in enumerate(entries, 1)
    )
    bulk_insert(connection, house_entries, tuple(house_entries.c.keys()), rows)


def _write_balances(connection: Connection, partition: int, ledger: HouseLedger, act: Act) -> None:
    rows = [
        (partition, number, account_id_of(number), asset_of(number), holder_of(number), *astuple(balance))
        for number, balance in ledger.touched.items()
    ]
    replace(connection, house_balances, 2, rows)
    places = (
        {entry_id(act.source, place): place for place in range(1, act.entries + 1)} if ledger.opened else {}
    )
    opened = (
        (partition, key, act.number, places[key], entry.debit, entry.credit, entry.amount, entry.code)
        for key, entry in ledger.opened.items()
    )
    bulk_insert(connection, house_pending, tuple(house_pending.c.keys()), opened)
    for key in ledger.resolved:
        connection.execute(
            delete(house_pending).where(
                house_pending.c.partition == partition, house_pending.c.entry_id == key
            )
        )
    ledger.forget_unsaved()


def member_of(entry: Entry) -> int:
    """Return the exchange account on one of the sides; 0 where both are the house's own."""
    return account_id_of(entry.debit) or account_id_of(entry.credit)


def _acts(partition: int) -> Any:
    return select(*(house_acts.c[name] for name in Act._fields)).where(house_acts.c.partition == partition)


# --- the proof --------------------------------------------------------------------------------------


class HouseProof(NamedTuple):
    """What making the house's ledger anew found. faults: none where it is right."""

    acts: int
    entries: int
    hash: bytes
    faults: list[str]


def prove_house(connection: Connection, partition: int) -> HouseProof:
    """Make balances, open pending entries and hash anew from the acts and entries, and compare."""
    again, running, expected, count, faults = HouseLedger(), NO_ACTS, 1, 0, list[str]()
    query = _acts(partition).order_by(house_acts.c.number)
    for row in connection.execute(query.execution_options(**STREAMED)):
        act = Act(*row)
        entries = read_entries(connection, partition, act.number)
        running = act_hash(running, act.source, act.body, entries)
        if act.number != expected or act.hash != running or act.entries != len(entries):
            faults.append(f"act {act.number} of the house, {act.source}, is not what was done")
            return HouseProof(expected - 1, count, running, faults)
        faults += _again(again, act.source, entries)
        expected, count = expected + 1, count + len(entries)
    stored = read_house_balances(connection, partition)
    faults += [
        f"{number}: the house's stored balance is {stored.get(number)}, made anew {again.balances.get(number)}"
        for number in sorted({*stored, *again.balances})
        if stored.get(number, HouseBalance()) != again.balances.get(number, HouseBalance())
    ]
    if {key for key, _, _ in read_pending(connection, partition)} != set(again.pending):
        faults.append("the pending entries that are open are not those that nobody resolved")
    faults += faults_of(again.balances)
    return HouseProof(expected - 1, count, running, faults)


def _again(ledger: HouseLedger, source: str, entries: Iterable[Entry]) -> Iterator[str]:
    """Post entries once more; what their owners had then is not known any more, so nobody's funds are asked for."""
    unlimited = HouseLedger(ledger.balances, ledger.pending, lambda number: 1 << 200)
    try:
        unlimited.post(source, list(entries))
    except PostingRefused as error:
        yield str(error)
