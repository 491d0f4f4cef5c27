"""The proof of settlement: the money and shares of every run made anew from obligations, prices and lines.

Each instruction is followed from its obligation through the runs: what a line marks and moves must follow from what
was open before it and from the run's price, the run's entries from its lines, and what is stored as open from the last
line. Instructions that a buy-in or a default changed are followed in shares only, by `instruction_faults`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, select

from exchange.clearing.cycle_tables import obligations
from exchange.clearing.house_store import Act, find_act, list_acts, read_entries
from exchange.clearing.house_tables import instructions
from exchange.clearing.instruction_store import KeptInstruction, Line, read_lines
from exchange.clearing.settlement_desk import END, ENDED, SETTLEMENT
from exchange.post_trade.settlement import Key, Outcome, chain_of

RUNS_MAX = 1_000_000
Open = dict[Key, tuple[int, int]]
"""Shares and money that are open, by cycle, account and symbol."""


def settlement_faults(connection: Connection, partition: int) -> list[str]:
    """Say which run, line or instruction is not what follows from obligations and prices."""
    kept = _instructions(connection, partition)
    followed = {key for key, each in kept.items() if not each.moved and not each.compensated}
    open_ = {key: owed for key, owed in _obligations(connection, partition).items() if key in followed}
    found: list[str] = []
    for run in reversed(list_acts(connection, partition, SETTLEMENT, 0, RUNS_MAX)):
        lines = read_lines(connection, partition, run.number)
        found += _run_faults(run, lines, open_)
        if chain_of(outcome_of(lines)) != read_entries(connection, partition, run.number):
            found.append(f"act {run.number}, {run.source}, did not book what its lines say")
        end = find_act(connection, partition, run.source + END)
        if end is not None and end.kind == ENDED:
            forward = ((key_of(line), (line.failed, -line.failed * line.price)) for line in lines)
            open_ |= {key: left for key, left in forward if key in open_}
    found += [
        f"instruction {key}: {kept[key].quantity} shares and {kept[key].cash} of money are stored as open, "
        f"{open_.get(key, (0, 0))} made anew"
        for key in sorted(followed)
        if (kept[key].quantity, kept[key].cash) != open_.get(key, (0, 0))
    ]
    return found


def outcome_of(lines: list[Line]) -> Outcome:
    """Return what a run did, from its lines alone."""
    money: dict[int, int] = {}
    for line in lines:
        money[line.account_id] = money.get(line.account_id, 0) + line.mark - line.moved * line.price
    settled = {key_of(line): line.moved for line in lines}
    return Outcome(
        settled=settled, marks={key_of(line): line.mark for line in lines}, left=[], money=money, unpaid=[]
    )


def key_of(line: Line) -> Key:
    """Return what names the instruction of a line."""
    return line.cycle, line.account_id, line.symbol_id


def _run_faults(run: Act, lines: list[Line], open_: Open) -> list[str]:
    body: dict[str, Any] = msgspec.json.decode(run.body)
    found = []
    for line in lines:
        whole = line.moved + line.failed
        quantity, cash = open_.get(key_of(line), (whole, line.mark - whole * line.price))
        is_right = (
            line.price == body["prices"].get(str(line.symbol_id))
            and whole == quantity
            and line.mark == cash + quantity * line.price
        )
        if not is_right:
            found.append(
                f"act {run.number}, {run.source}: the line of instruction {key_of(line)} does not follow from what was "
                "open and from the price"
            )
    return found


def _instructions(connection: Connection, partition: int) -> dict[Key, KeptInstruction]:
    columns = [instructions.c[name] for name in KeptInstruction._fields]
    rows = connection.execute(select(*columns).where(instructions.c.partition == partition))
    return {each.open.key: each for each in (KeptInstruction(*row) for row in rows)}


def _obligations(connection: Connection, partition: int) -> Open:
    table = obligations.c
    query = select(table.business_date, table.account_id, table.symbol_id, table.quantity, table.cash)
    return {
        (cycle, account_id, symbol_id): (quantity, cash)
        for cycle, account_id, symbol_id, quantity, cash in connection.execute(
            query.where(table.partition == partition)
        )
    }
