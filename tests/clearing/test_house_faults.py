"""The house ends the same whatever happens: killed at a commit, two officers at once, clocks that jump, any order."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, Table, event, select

from exchange.clearing import tables
from exchange.clearing.app import MIGRATIONS
from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.collateral_desk import CollateralDesk, Payment, read_margins
from exchange.clearing.cycle_store import first_cycle_fault, list_cycles
from exchange.clearing.house_store import (
    ActRefused,
    list_acts,
    prove_house,
    read_house_balances,
    read_pending,
)
from exchange.clearing.instruction_store import instruction_faults, read_open
from exchange.clearing.review_store import read_audit
from exchange.clearing.store import read_books_row
from exchange.infra.feed import Feed
from exchange.infra.store import open_store
from exchange.post_trade.audit import first_fault
from exchange.post_trade.margin import MarginRules
from exchange.post_trade.rules import parse_rules
from exchange.post_trade.trade_life import TransitionRefused
from exchange.wire.envelope import EventBatch
from tests.clearing.killed_desk import do_everything, steps, stream
from tests.clearing.test_any_order import Script, UnfoldingSource
from tests.clearing.test_settlement_desk import OTTO, TUESDAY, Desk
from tests.clearing.test_settlement_desk import desk as settlement_desk
from tests.post_trade.stream import NOON_NS

desk = settlement_desk
ROOT = Path(__file__).parents[2]
HOUR_NS = 3_600_000_000_000


class Facts(NamedTuple):
    """Everything that the house has, by its hashes."""

    ledger: bytes
    house: bytes
    cycles: list[Any]
    audit: list[bytes]
    balances: dict[int, Any]
    open: list[Any]
    lives: list[Any]
    """Of trades: each step of each."""
    requests: list[Any]
    """To the engine, and what became of them."""


def facts(store: Engine) -> Facts:
    """Return what the house has, after the proof of it."""
    with store.connect() as connection:
        assert prove_house(connection, 0).faults == instruction_faults(connection, 0) == []
        assert first_cycle_fault(connection, 0) == first_fault(read_audit(connection, 0)) == ""
        assert read_pending(connection, 0) == []
        (last,) = list_acts(connection, 0, "", 0, 1)
        return Facts(
            read_books_row(connection, 0).ledger_hash,
            last.hash,
            [each.hash for each in list_cycles(connection, 0, 0, 9)],
            [hashed for _, hashed in read_audit(connection, 0)],
            read_house_balances(connection, 0),
            read_open(connection, 0),
            _rows(connection, tables.trade_steps, "match_id", "occurrence", "state", "ruling_id"),
            _rows(connection, tables.outbox, "ruling_id", "kind", "state"),
        )


def _rows(connection: Connection, table: Table, *columns: str) -> list[Any]:
    found = select(*(table.c[name] for name in columns)).order_by(*table.primary_key.columns)
    return [tuple(row) for row in connection.execute(found)]


def straight(url: str, told: Callable[[object], object] | None = None) -> Facts:
    """Do everything undisturbed; return what there is then. told: of each commit."""
    store = open_store(url, MIGRATIONS)
    if told is not None:
        event.listen(store, "commit", told)
    do_everything(BookKeeper(store, parse_rules([]), 0))
    found = facts(store)
    store.dispose()
    return found


def test_everything_twice_changes_nothing(store_url: str) -> None:
    once = straight(store_url)
    assert straight(store_url) == once
    assert len(once.audit) == 11


KILLS = {
    ("before", 5): "a review is filed",
    ("before", 7): "a day is closed",
    ("after", 7): "a day is closed",
    ("before", 8): "margin is called",
    ("before", 12): "a run is reserved",
    ("after", 12): "a run is reserved",
    ("before", 13): "a run is ended",
    ("before", 14): "a default is declared",
}
"""Where it dies of SIGKILL: before or after which commit, and what that stores. `test_every_commit.py` has all."""


@pytest.mark.integration
@pytest.mark.parametrize(("when", "number"), KILLS, ids=lambda each: str(each))
def test_killed_at_a_commit_it_goes_on_and_ends_equal(tmp_path: Path, when: str, number: int) -> None:
    url = f"sqlite:///{tmp_path}/killed.sqlite"
    words = [sys.executable, "-m", "tests.clearing.killed_desk", url, when, str(number)]
    killed = subprocess.run(words, cwd=ROOT, capture_output=True, check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert straight(url) == straight(f"sqlite:///{tmp_path}/straight.sqlite")


# --- two officers at once -------------------------------------------------------------------------


def at_once(*orders: Callable[[], Any]) -> list[Any]:
    """Carry orders out in a thread each; return answers and refusals in their order."""
    found: list[Any] = [None] * len(orders)
    ready = threading.Barrier(len(orders))

    def carry_out(place: int, order: Callable[[], Any]) -> None:
        ready.wait()
        try:
            found[place] = order()
        except TransitionRefused as error:
            found[place] = error

    threads = [threading.Thread(target=carry_out, args=each) for each in enumerate(orders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_two_officers_who_pay_the_same_book_it_once(desk: Desk) -> None:
    desk.take()
    collateral = CollateralDesk(desk.keeper, MarginRules())
    payment = Payment("call-1", "margin", 1, 60_000_0000)
    acts = at_once(*[lambda: collateral.pay(payment, OTTO, "call", NOON_NS)] * 4)
    assert len({act.number for act in acts}) == 1
    assert desk.has(1) == 40_000_0000


def test_two_officers_who_settle_the_same_day_settle_it_once(desk: Desk) -> None:
    desk.stream.trade(1, 2, 100, price="189.00")
    desk.begin(TUESDAY)
    found = at_once(*[lambda: desk.desk.settle(TUESDAY, OTTO, "day run", NOON_NS)] * 3)
    refused = [each for each in found if isinstance(each, ActRefused)]
    assert len({each.number for each in found if not isinstance(each, ActRefused)}) <= 1
    assert len(refused) <= 3
    assert (desk.has(1, 1), desk.open()) == (100, [])
    with desk.keeper.store.connect() as connection:
        assert [act.kind for act in list_acts(connection, 0, "", 0, 9)] == ["settled", "settlement"]
    desk.check()


def test_two_officers_who_spend_the_same_money_do_not_both_get_it(desk: Desk) -> None:
    desk.take()
    collateral = CollateralDesk(desk.keeper, MarginRules())
    found = at_once(
        *[
            lambda what=what: collateral.pay(Payment(what, what, 1, 60_000_0000), OTTO, "so", NOON_NS)
            for what in ("margin", "fund")
        ]
    )
    assert sum(isinstance(each, ActRefused) for each in found) == 1
    assert desk.has(1) == 40_000_0000
    desk.check()


# --- clocks that jump -----------------------------------------------------------------------------


def test_a_clock_that_jumps_back_and_forth_changes_times_and_nothing_else(desk: Desk) -> None:
    desk.stream.trade(1, 2, 100, price="189.00")
    desk.begin(TUESDAY)
    collateral = CollateralDesk(desk.keeper, MarginRules())
    for now_ns in (NOON_NS, NOON_NS + 9 * HOUR_NS, NOON_NS - 9 * HOUR_NS):
        collateral.run(OTTO, "again", now_ns)
        with desk.keeper.store.connect() as connection:
            assert {row.due_ns for row in read_margins(connection, 0, None)} == {NOON_NS + HOUR_NS}
    desk.desk.reserve(TUESDAY, OTTO, "day run", NOON_NS)
    desk.desk.end(OTTO, "day run", NOON_NS - 24 * HOUR_NS)
    desk.check()
    assert desk.open() == []


# --- any order --------------------------------------------------------------------------------------


async def _read(batches: list[EventBatch], keeper: BookKeeper) -> None:
    made, _ = stream()
    source = UnfoldingSource(made)
    feed = Feed(
        source, Script(batches, source), partition=0, after=0, epoch=0, gap_wait_s=0.001, silence_s=0.002
    )
    async for batch in feed.batches():
        keeper.commit(batch)
        if batch.last_sequence == len(made.events):
            break
    await feed.close()


def _house_after(batches: list[EventBatch]) -> Facts:
    store = open_store("sqlite://", MIGRATIONS)
    keeper = BookKeeper(store, parse_rules([]), 0)
    asyncio.run(_read(batches, keeper))
    for step in steps(keeper, stream()[1]):
        step()
    found = facts(store)
    store.dispose()
    return found


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_however_the_events_come_the_house_has_an_identical_hash(data: st.DataObject) -> None:
    batches = stream()[0].batches(data.draw(st.lists(st.integers(1, 5), max_size=6)))
    delivered = data.draw(st.lists(st.sampled_from(batches), max_size=2 * len(batches)))
    shuffled = data.draw(st.permutations(batches + delivered))
    assert _house_after(shuffled) == _house_after(batches)
