"""Tests of exchange.engine.order_store: orders and fills in SQLite, whole batches or nothing."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.domain import commands as c
from exchange.domain.order import Side
from exchange.domain.units import OrderId, ParticipantId, Price, Quantity
from exchange.engine.order_store import RUN_BITS, OrderFilter, OrderStore, OrderStoreDamaged
from exchange.infra.errors import InfraError
from exchange.wire.envelope import EventBatch
from exchange.wire.records import LAST_OF_COMMAND, split
from tests.engine.own_commands import Desk, order

MAIN = 1_892_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OrderStore]:
    opened = OrderStore(tmp_path / "orders.sqlite", 0)
    yield opened
    opened.close()


def whole(desk: Desk) -> EventBatch:
    return EventBatch(0, 1, 1, desk.venue.event_sequence, desk.stream)


def busy_desk(orders: int = 400) -> Desk:
    desk, chance = Desk(), random.Random(7)
    for number in range(orders):
        side, account = chance.choice([Side.BUY, Side.SELL]), chance.choice([1, 2])
        price = MAIN + 100 * chance.randint(-5, 5)
        desk.do(order(account, side, chance.randint(1, 9), price, client_order_id=f"c{number}"))
        if number % 7 == 0:
            desk.do(
                c.CancelOrder(
                    order_id=OrderId(8 + chance.randint(0, number)), participant_id=ParticipantId(0)
                )
            )
        if number % 13 == 0:
            desk.do(
                c.ReplaceOrder(
                    order_id=OrderId(8 + chance.randint(0, number)), participant_id=ParticipantId(0),
                    quantity=Quantity(chance.randint(1, 9)), price=Price(price), client_order_id=f"r{number}",
                )
            )  # fmt: skip
        if number % 11 == 0:
            desk.do(
                c.AmendOrder(
                    order_id=OrderId(8 + chance.randint(0, number)), participant_id=ParticipantId(0),
                    quantity=Quantity(chance.randint(1, 9)), price=Price(price),
                )
            )  # fmt: skip
    return desk


def commands_of(stream: bytes) -> list[tuple[int, bytes]]:
    """Cut a stream into (number of events, events) of single commands."""
    found, start, count = [], 0, 0
    for offset, length in split(stream):
        count += 1
        if stream[offset + 6] & LAST_OF_COMMAND:
            found.append((count, stream[start : offset + length]))
            start, count = offset + length, 0
    return found


def test_batches_of_any_size_make_the_same_table(tmp_path: Path) -> None:
    desk = busy_desk()
    tables = []
    for name, size in (("one", 1), ("some", 97), ("all", 10**6)):
        store = OrderStore(tmp_path / f"{name}.sqlite", 0)
        commands, first = commands_of(desk.stream), 1
        for start in range(0, len(commands), size):
            part = commands[start : start + size]
            count = sum(number for number, _ in part)
            store.commit(EventBatch(0, 1, first, count, b"".join(events for _, events in part)))
            first += count
        wanted = OrderFilter(limit=10_000)
        fills = [
            fill for account in (1, 2) for fill in store.fills(OrderFilter(accounts=(account,), limit=10_000))
        ]
        tables.append((store.position, store.orders(wanted), fills))
        store.close()
    assert tables[0] == tables[1] == tables[2]
    assert tables[0][0] == desk.venue.event_sequence


def test_live_orders_of_the_table_are_those_of_the_venue(store: OrderStore) -> None:
    desk = busy_desk()
    store.commit(whole(desk))
    live = {row.order_id: row.leaves for row in store.orders(OrderFilter(is_open=True, limit=10_000))}
    assert live == {resting.order_id: resting.leaves for side in desk.venue.orders(1) for resting in side}
    closed = store.orders(OrderFilter(is_open=False, limit=10_000))
    assert all(row.leaves == 0 for row in closed)


def test_position_and_effects_are_one_transaction(store: OrderStore, tmp_path: Path) -> None:
    desk = busy_desk(50)
    other = sqlite3.connect(tmp_path / "orders.sqlite")
    other.execute("CREATE TRIGGER full BEFORE INSERT ON fills BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    other.commit()
    with pytest.raises(InfraError, match="disk full"):
        store.commit(whole(desk))
    assert (store.position, store.orders(OrderFilter())) == (0, [])
    other.execute("DROP TRIGGER full")
    other.commit()
    other.close()
    store.commit(whole(desk))
    assert store.position == desk.venue.event_sequence


def test_events_that_another_process_has_stored_are_not_stored_again(
    store: OrderStore, tmp_path: Path
) -> None:
    desk = busy_desk(20)
    other = OrderStore(tmp_path / "orders.sqlite", 0)
    other.commit(whole(desk))
    found = other.orders(OrderFilter())
    with pytest.raises(
        InfraError, match=rf"another process wrote to it: it holds events up to {other.position}"
    ):
        store.commit(whole(desk))
    assert store.position == store.read_position() == desk.venue.event_sequence
    assert store.orders(OrderFilter()) == found
    other.close()


def test_the_position_is_there_after_a_reopening(tmp_path: Path) -> None:
    desk = busy_desk(20)
    first = OrderStore(tmp_path / "orders.sqlite", 0)
    first.commit(whole(desk))
    first.close()
    second = OrderStore(tmp_path / "orders.sqlite", 0)
    assert (second.position, second.epoch) == (desk.venue.event_sequence, 1)
    second.skip_to(10_000)
    assert second.position == 10_000
    second.close()


def test_pages_of_several_accounts_are_merged_newest_first(store: OrderStore) -> None:
    desk = busy_desk(100)
    store.commit(whole(desk))
    everything = [row.order_id for row in store.orders(OrderFilter(limit=1000))]
    assert everything == sorted(everything, reverse=True)
    seen: list[int] = []
    before = 0
    while page := store.orders(OrderFilter(accounts=(1, 2), before=before, limit=7)):
        seen += [row.order_id for row in page]
        before = page[-1].order_id
    assert seen == everything


def test_pages_of_fills_leave_nothing_out_and_show_nothing_twice(store: OrderStore) -> None:
    desk = busy_desk(200)
    store.commit(whole(desk))
    everything = [
        (fill.match_id, fill.side) for fill in store.fills(OrderFilter(accounts=(1, 2), limit=10_000))
    ]
    assert len(everything) == 2 * desk.venue.counters.trades
    seen: list[tuple[int, int]] = []
    last = (0, 0)
    while page := store.fills(OrderFilter(accounts=(1, 2), before=last[0], before_side=last[1], limit=3)):
        seen += [(fill.match_id, fill.side) for fill in page]
        last = seen[-1]
    assert seen == everything


def test_a_client_order_id_finds_what_was_taken_before_what_was_refused(store: OrderStore) -> None:
    desk = Desk()
    desk.do(
        order(1, Side.BUY, 1, MAIN, client_order_id="x"), order(1, Side.BUY, 2, MAIN, client_order_id="x")
    )
    desk.do(order(1, Side.BUY, 1, MAIN + 1, client_order_id="y"))
    store.commit(whole(desk))
    taken, refused = store.by_client_order_id(1, "x"), store.by_client_order_id(1, "y")
    assert taken is not None
    assert refused is not None
    assert (taken.order_id, refused.order_id) == (8, 10)
    assert store.by_client_order_id(2, "x") is None
    assert store.by_client_order_id(1, "") is None
    assert store.order(2**64 - 1) is None


def test_a_client_order_id_is_found_in_whichever_run_of_commands_it_lies(store: OrderStore) -> None:
    desk = Desk()
    names = ("first", "second", "last")
    for name in names:
        desk.do(order(1, Side.BUY, 1, MAIN, client_order_id=name))
        desk.do(*[c.Tick()] * (2 << RUN_BITS))
    store.commit(whole(desk))
    found = [store.by_client_order_id(1, name) for name in names]
    assert [stored and stored.client_order_id for stored in found] == list(names)
    assert store.by_client_order_id(1, "none") is None


def test_a_damaged_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(InfraError, match=r"is damaged: .*move it away"):
        OrderStore(path, 0)


def test_a_table_that_another_process_holds_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    OrderStore(path, 0).close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("CREATE TABLE held (one INTEGER)")
    with pytest.raises(InfraError, match=r"cannot be opened: database is locked; see who else") as failure:
        OrderStore(path, 0, open_wait_ms=1)
    assert not isinstance(failure.value, OrderStoreDamaged)
    holder.close()
    OrderStore(path, 0, open_wait_ms=1).close()


def test_a_file_that_lost_its_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    OrderStore(path, 0).close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(OrderStoreDamaged, match=r"malformed|btree|Page"):
        OrderStore(path, 0)


def test_another_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(InfraError, match="layout 99"):
        OrderStore(path, 0)


def test_a_table_of_the_layout_before_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    OrderStore(path, 0).close()
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "ALTER TABLE orders DROP COLUMN terms; ALTER TABLE orders DROP COLUMN triggered_ns;"
            "DROP TABLE prevented; PRAGMA user_version = 1;"
        )
    connection.close()
    store = OrderStore(path, 0)
    desk = busy_desk(20)
    store.commit(whole(desk))
    assert store.orders(OrderFilter())[0].terms is None
    store.close()
