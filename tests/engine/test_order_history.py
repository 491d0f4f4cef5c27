"""Tests of exchange.engine.order_history: the table follows the event log, and reads wait for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.domain.order import Side
from exchange.engine import order_history
from exchange.engine.order_history import HistoryBehindError, OrderHistory
from exchange.engine.order_store import OrderFilter, OrderStore, OrderStoreDamaged
from exchange.infra.errors import InfraError
from exchange.infra.event_log import EventLog
from tests.engine.own_commands import Desk, order
from tests.engine.running_engine import until

MAIN = 1_892_000


class LoggedDesk(Desk):
    """A desk whose events go to an event log."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.log = EventLog.open(folder / "events", epoch=1)
        self.log.append(self.stream, 1, self.venue.event_sequence)

    def buy(self, price: int = MAIN) -> int:
        """Enter an order; return its id."""
        before = self.venue.event_sequence
        events = self.do(order(1, Side.BUY, 10, price))
        self.log.append(events, before + 1, self.venue.event_sequence - before)
        return self.venue.command_sequence


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[LoggedDesk]:
    opened = LoggedDesk(tmp_path)
    yield opened
    opened.log.close()


@pytest.fixture
async def history(desk: LoggedDesk, tmp_path: Path) -> AsyncIterator[OrderHistory]:
    opened = OrderHistory(tmp_path / "orders.sqlite", desk.log, 0)
    await opened.start()
    yield opened
    await opened.stop()


async def test_a_read_waits_for_what_was_released_before_it(desk: LoggedDesk, history: OrderHistory) -> None:
    for _ in range(20):
        order_id = desk.buy()
        history.wake()
        stored = await history.order(order_id)
        assert stored is not None
        assert stored.leaves == 10
    assert history.stats().behind == 0


async def test_a_start_catches_up_with_what_is_in_the_log(desk: LoggedDesk, tmp_path: Path) -> None:
    ids = [desk.buy() for _ in range(50)]
    history = OrderHistory(tmp_path / "orders.sqlite", desk.log, 0)
    await history.start()
    rows = await history.orders(OrderFilter(accounts=(1,)))
    assert [row.order_id for row in rows] == ids[::-1]
    await history.stop()


async def test_a_stop_takes_in_everything_released(desk: LoggedDesk, tmp_path: Path) -> None:
    history = OrderHistory(tmp_path / "orders.sqlite", desk.log, 0)
    await history.start()
    last = [desk.buy() for _ in range(50)][-1]
    history.wake()
    await history.stop()
    again = OrderHistory(tmp_path / "orders.sqlite", desk.log, 0)
    await again.start()
    assert again.stats().behind == 0
    assert await again.order(last) is not None
    await again.stop()
    await again.stop()


async def test_a_table_ahead_of_the_log_is_an_alarm(desk: LoggedDesk, tmp_path: Path) -> None:
    history = OrderHistory(tmp_path / "orders.sqlite", desk.log, 0)
    await history.start()
    await history.stop()
    desk.log.begin_at(5)
    with pytest.raises(InfraError, match="holds events up to 7, the engine has only 4"):
        await OrderHistory(tmp_path / "orders.sqlite", desk.log, 0).start()


async def test_a_damaged_table_is_made_anew_from_the_event_log(desk: LoggedDesk, tmp_path: Path) -> None:
    order_id = desk.buy()
    path = tmp_path / "orders.sqlite"
    path.write_bytes(b"this is no database" * 1000)
    history = OrderHistory(path, desk.log, 0)
    await history.start()
    assert await history.order(order_id) is not None
    assert (tmp_path / "orders.sqlite.damaged").read_bytes().startswith(b"this is no database")
    await history.stop()


async def test_a_damaged_table_is_refused_where_the_event_log_lacks_its_beginning(
    desk: LoggedDesk, tmp_path: Path
) -> None:
    desk.log.begin_at(desk.log.last_sequence + 1)
    desk.buy()
    path = tmp_path / "orders.sqlite"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(OrderStoreDamaged, match="restore a backup, or move it away"):
        await OrderHistory(path, desk.log, 0).start()
    assert path.exists()


async def test_events_that_are_gone_are_given_up_with_a_warning(desk: LoggedDesk, tmp_path: Path) -> None:
    desk.buy()
    desk.log.begin_at(desk.log.last_sequence + 1)
    kept = desk.buy()
    history = OrderHistory(tmp_path / "orders.sqlite", desk.log, 0)
    await history.start()
    assert [row.order_id for row in await history.orders(OrderFilter())] == [kept]
    await history.stop()


async def test_a_table_that_cannot_be_written_says_so_and_goes_on_later(
    desk: LoggedDesk, history: OrderHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_history, "RETRY_S", 0.01)
    await history.reached(desk.log.last_sequence)
    commit = history._store.commit

    def full(_: object) -> None:
        raise InfraError("the disk is full")

    monkeypatch.setattr(history._store, "commit", full)
    order_id = desk.buy()
    history.wake()
    with pytest.raises(HistoryBehindError, match="the disk is full"):
        await history.order(order_id)
    assert history.stats().problem == "the disk is full"
    monkeypatch.setattr(history._store, "commit", commit)
    await until(lambda: not history.problem)
    assert await history.order(order_id) is not None


async def test_a_read_does_not_wait_for_ever(
    desk: LoggedDesk, history: OrderHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_history, "WAIT_S_MAX", 0.01)
    with pytest.raises(HistoryBehindError, match="events behind"):
        await history.reached(desk.log.last_sequence + 1)


async def test_a_process_of_its_own_keeps_the_table_as_well(desk: LoggedDesk, tmp_path: Path) -> None:
    history = OrderHistory(tmp_path / "orders.sqlite", desk.log, 0, is_apart=True)
    await history.start()
    ids = [desk.buy() for _ in range(20)]
    history.wake()
    assert await history.order(ids[-1]) is not None
    more = desk.buy()
    history.wake()
    await history.stop()
    again = OrderHistory(tmp_path / "orders.sqlite", desk.log, 0)
    await again.start()
    assert again.stats().behind == 0
    assert await again.order(more) is not None
    await again.stop()


async def test_what_the_writer_of_a_killed_engine_stored_late_is_not_stored_twice(
    desk: LoggedDesk, tmp_path: Path
) -> None:
    desk.buy()
    path = tmp_path / "orders.sqlite"
    history = OrderHistory(path, desk.log, 0, is_apart=True)
    await history.start()
    late = OrderStore(path, 0)
    order_id = desk.buy()
    late.commit(desk.log.read(late.position, 1 << 20))
    late.close()
    more = desk.buy()
    history.wake()
    assert await history.order(order_id) is not None
    assert await history.order(more) is not None
    assert history.problem == ""
    await history.stop()


async def test_the_engine_is_braked_only_where_events_would_be_lost(
    desk: LoggedDesk, history: OrderHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_history, "BRAKE_EVENTS_MIN", 1)
    desk.buy()
    monkeypatch.setattr(history._store, "position", 0)
    assert history.brake() == ""
    monkeypatch.setattr(desk.log, "_size_bytes_max", 10)
    assert "events behind, and no more can be kept" in history.brake()
    history.problem = "the disk is full"
    assert history.brake() == "", "what stands still for another reason does not stop the market"
    history.problem = ""
    monkeypatch.setattr(history._store, "position", desk.log.last_sequence)
    assert history.brake() == ""
