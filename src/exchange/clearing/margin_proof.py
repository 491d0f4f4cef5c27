"""The proof of margin: what each run required and called, made anew from its exposures, prices and rules.

The exposures that a run kept must sum to nothing over all accounts; its marks must be those of the trades, the
changes of prices those of the closing prices then known, and the margin that accounts had that of the house's ledger.
Runs over more holdings than are kept, and runs of before this was kept, are proved by the hash of their act alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from exchange.clearing.collateral_desk import MARGIN
from exchange.clearing.house_store import Act, list_acts
from exchange.clearing.house_tables import house_entries
from exchange.clearing.price_proof import ACTS_MAX, Close, Past, Prices, entered_prices
from exchange.clearing.splits import after_splits
from exchange.clearing.store import STREAMED
from exchange.post_trade.house_ledger import HouseHolder, Phase, house_account
from exchange.post_trade.ledger import CASH
from exchange.post_trade.margin import OBSERVATIONS_MAX, Exposure, MarginRules, Requirement, changes, require
from exchange.post_trade.statement import SplitFact


class Evidence(msgspec.Struct, frozen=True):
    """What a run of margin kept. event: at which the books stood; closed: the last closed day then, 0 for none."""

    event: int
    closed: int
    rules: MarginRules
    marks: dict[str, int]
    exposures: list[tuple[int, int, list[tuple[int, int]]]]


def margin_run_faults(connection: Connection, partition: int, closes: list[Close]) -> list[str]:
    """Say which run of margin required, called or marked anything else than what follows from prices and exposures."""
    found: list[str] = []
    past, closed = Past(connection, partition), _ClosedPrices(connection, partition, closes)
    margin = _MarginHeld(connection, partition)
    for act in reversed(list_acts(connection, partition, MARGIN, 0, ACTS_MAX)):
        body: dict[str, Any] = msgspec.json.decode(act.body)
        if body.get("evidence") is not None:
            evidence = msgspec.convert(body["evidence"], Evidence)
            known = closed.known_at(act, evidence.closed)
            found += _faults(act, body["margins"], evidence, past, known, margin.held_before(act))
    return found


def _faults(
    act: Act, rows: list[list[int]], evidence: Evidence, past: Past, known: Prices, held: dict[int, int]
) -> Iterator[str]:
    name, marks = f"act {act.number}, {act.source}", {int(key): mark for key, mark in evidence.marks.items()}
    prices = past.prices(act.business_date, evidence.event)
    for symbol_id, mark in sorted(marks.items()):
        if mark != prices.get(symbol_id, 0):
            yield f"{name}: the mark of symbol {symbol_id} is {mark}, {prices.get(symbol_id, 0)} by its trades"
    exposed = {account_id: Exposure(dict(pairs), cash) for account_id, cash, pairs in evidence.exposures}
    if any(_totals(exposed)):
        yield f"{name}: the exposures of all accounts do not sum to nothing"
    splits, day = past.splits(evidence.event), act.business_date
    moves = {
        symbol_id: _moves(known, splits, symbol_id, day, mark, evidence.rules)
        for symbol_id, mark in marks.items()
    }
    if not {each[0] for each in rows} >= set(exposed):
        yield f"{name}: margin was not worked out for all accounts that are exposed"
    for account_id, _, _, *stated in rows:
        found = require(exposed.get(account_id) or Exposure({}, 0), marks, moves, evidence.rules)
        called = max(0, found.total - held.get(account_id, 0))
        if stated[:5] != [*found, called]:
            yield (
                f"{name}: account {account_id} was required {Requirement(*stated[:4]).total} and called {stated[4]}, "
                f"and made anew it is {found.total} and {called}"
            )


def _totals(exposed: dict[int, Exposure]) -> list[int]:
    shares: dict[int, int] = {}
    for each in exposed.values():
        for symbol_id, quantity in each.quantities.items():
            shares[symbol_id] = shares.get(symbol_id, 0) + quantity
    return [sum(each.cash for each in exposed.values()), *shares.values()]


def _moves(
    known: Prices, splits: list[SplitFact], symbol_id: int, until: int, mark: int, rules: MarginRules
) -> list[int]:
    days = [(day, price) for (of, day), price in sorted(known.items()) if of == symbol_id and price]
    own = [fact for fact in splits if fact.symbol_id == symbol_id]
    latest = after_splits(days[-(OBSERVATIONS_MAX + rules.horizon_days) :], own, until)
    return changes([*latest, *([mark] if mark else [])], rules.horizon_days)


class _MarginHeld:
    """The margin that accounts had, from the entries of the house's ledger; asked in the order of the acts."""

    def __init__(self, connection: Connection, partition: int) -> None:
        table = house_entries.c
        query = select(table.act, table.account_id, table.debit, table.credit, table.amount).where(
            table.partition == partition, table.phase.in_((Phase.POSTED, Phase.POST))
        )
        self._left = iter(connection.execute(query.order_by(table.act), execution_options=STREAMED))
        self._next = next(self._left, None)
        self._held = dict[int, int]()

    def held_before(self, act: Act) -> dict[int, int]:
        """Return the margin by account; it changes with the next question."""
        held = self._held
        while self._next is not None and self._next.act < act.number:
            _, account_id, debit, credit, amount = self._next
            own = house_account(HouseHolder.MARGIN, account_id, CASH)
            held[account_id] = held.get(account_id, 0) + int(amount) * ((credit == own) - (debit == own))
            self._next = next(self._left, None)
        return held


class _ClosedPrices:
    """The closing prices that were known when a run was made; asked in the order of the runs."""

    def __init__(self, connection: Connection, partition: int, closes: list[Close]) -> None:
        self._closes = closes
        self._closed_ns = {close.date: close.closed_ns for close in closes}
        self._left = deque(entered_prices(connection, partition))
        self._entered: dict[tuple[int, int], tuple[int, int]] = {}

    def known_at(self, act: Act, closed: int) -> Prices:
        """Return prices by symbol and day. closed: the last day that was closed then."""
        while self._left and self._left[0].act < act.number:
            each = self._left.popleft()
            self._entered[each.key] = each.price, each.time_ns
        found = {
            (symbol_id, close.date): price
            for close in self._closes
            if close.date <= closed
            for symbol_id, price in close.prices.items()
        }
        for key, (price, entered_ns) in self._entered.items():
            if key not in found or entered_ns > self._closed_ns[key[1]]:
                found[key] = price
        return {key: price for key, price in found.items() if key[1] <= act.business_date}
