"""Actions go out in their order, once each, whatever becomes of the connection, and a replay finds where it stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from exchange.domain.order import Side
from exchange.simulation import lobster_replay
from exchange.simulation.lobster_flow import Action, Cancel, Enter, Execute, Halt, Reduce
from exchange.simulation.lobster_replay import (
    LobsterReplay,
    Pace,
    client_order_id,
    entered_so_far,
    grouped,
    live_orders,
    skip_entered,
)
from exchange.simulation.rest import ConnectionFailed
from tests.simulation.fake_engine import FakeEngine, FakeSession

BUY, SELL = Side.BUY, Side.SELL
STORY: list[Action] = [
    Enter(0, 7, BUY, 1_000_000, 100),
    Enter(1, 8, SELL, 1_000_200, 50),
    Reduce(2, 7, 80),
    Reduce(3, 7, 60),
    Execute(4, 8, BUY, 1_000_200, 50),
    Enter(5, 9, SELL, 1_000_300, 10),
    Cancel(6, 9),
    Halt(7, True),
    Halt(8, False),
    Enter(9, 10, BUY, 990_000, 5),
]
LOG = [
    "enter 7 buy 100 @ 100.00 gtc",
    "enter 8 sell 50 @ 100.02 gtc",
    "amend 7 to 80",
    "amend 7 to 60",
    "enter x4 buy 50 @ 100.02 ioc",
    "enter 9 sell 10 @ 100.03 gtc",
    "cancel 9",
    "/api/v1/symbols/AAPL/suspend {'reason': 'halt'}",
    "/api/v1/symbols/AAPL/resume {'reason': 'halt'}",
    "enter 10 buy 5 @ 99.00 gtc",
]


def a_replay(engine: FakeEngine, *, in_doubt: bool = False) -> LobsterReplay:
    session: Any = FakeSession(engine)
    return LobsterReplay("AAPL", session, session, session, in_doubt=in_doubt)


async def groups_of(actions: Iterable[Action]) -> AsyncIterator[list[Action]]:
    async for group in grouped([(0, action) for action in actions], Pace(0, lambda: 0.0)):
        yield group


async def play(replay: LobsterReplay, actions: Iterable[Action]) -> list[int]:
    rows: list[int] = []
    await replay.run(groups_of(actions), rows.append)
    return rows


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lobster_replay, "RECONNECT_EVERY_S", 0.001)
    monkeypatch.setattr(lobster_replay, "RECONNECT_S", 0.02)


async def test_every_action_is_carried_out_in_its_order() -> None:
    engine = FakeEngine()
    replay = a_replay(engine)
    rows = await play(replay, STORY)
    assert engine.log == LOG
    assert rows == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    outcome = replay.outcome
    assert (outcome.orders, outcome.volume, outcome.rejects, outcome.duplicates) == (5, 50, 0, 0)
    assert [row for _, row in outcome.sequences] == [0, 1, 2, 3, 4, 5, 6, 9]
    assert outcome.sequences == sorted(outcome.sequences)


@pytest.mark.parametrize("request_number", range(1, 10))
@pytest.mark.parametrize("when", ["lose_before", "lose_after"])
async def test_a_lost_connection_loses_nothing_and_repeats_nothing(when: str, request_number: int) -> None:
    engine = FakeEngine()
    setattr(engine, when, request_number)
    replay = a_replay(engine)
    if request_number == 1:
        with pytest.raises(ConnectionFailed):
            await play(replay, STORY)
        return
    await play(replay, STORY)
    assert [line for line in engine.log if "halt" not in line] == [line for line in LOG if "halt" not in line]
    assert replay.outcome.rejects == 0
    assert replay.outcome.reconnects == 1


async def test_a_busy_engine_is_asked_again() -> None:
    engine = FakeEngine()
    engine.busy = 3
    await play(a_replay(engine), STORY)
    assert engine.log == LOG


async def test_an_engine_that_stays_away_is_given_up() -> None:
    engine = FakeEngine()
    replay = a_replay(engine)
    await play(replay, STORY[:2])
    engine.begin = lambda: (_ for _ in ()).throw(ConnectionFailed("away"))  # type: ignore[method-assign]
    with pytest.raises(ConnectionFailed, match="has not answered for"):
        await play(replay, STORY[2:])


async def test_what_the_exchange_refuses_is_counted_and_told() -> None:
    replay = a_replay(FakeEngine())
    await play(replay, [Cancel(3, 99)])
    assert replay.outcome.rejects == 1
    assert replay.outcome.first_rejects == ["row 3: No live order has this id."]


@pytest.mark.parametrize("stopped_after", range(len(STORY) + 1))
async def test_a_resumed_replay_goes_on_where_the_first_one_stopped(stopped_after: int) -> None:
    engine = FakeEngine()
    await play(a_replay(engine), STORY[:stopped_after])

    session: Any = FakeSession(engine)
    entries = [action for action in STORY if isinstance(action, Enter | Execute)]
    entered = await entered_so_far(entries, session, session)
    rest = iter([(0, action) for action in STORY])
    skip_entered(rest, entered)
    resumed = a_replay(engine, in_doubt=True)
    resumed.outcome.engine_ids = await live_orders(session, "AAPL")
    await play(resumed, [action for _, action in rest])

    assert [line for line in engine.log if "halt" not in line] == [line for line in LOG if "halt" not in line]
    assert resumed.outcome.rejects == 0


def test_what_was_entered_is_skipped_by_number() -> None:
    actions = iter([(0, action) for action in STORY])
    assert skip_entered(actions, 3) == (0, STORY[4])
    assert next(actions) == (0, STORY[5])
    assert skip_entered(iter([]), 0) is None


def test_orders_are_named_by_the_file() -> None:
    entries = [action for action in STORY if isinstance(action, Enter | Execute)]
    assert [client_order_id(entry) for entry in entries] == ["7", "8", "x4", "9", "10"]


async def test_only_orders_of_one_member_go_in_one_request() -> None:
    sizes = [len(group) async for group in groups_of(STORY)]
    assert sizes == [2, 1, 1, 1, 1, 1, 1, 1, 1]


async def test_a_group_has_a_largest_size() -> None:
    enters = [(0, Enter(row, row, BUY, 100, 1)) for row in range(1, 8)]
    sizes = [len(group) async for group in grouped(enters, Pace(0, lambda: 0.0), batch_max=3)]
    assert sizes == [3, 3, 1]


async def test_at_a_speed_actions_wait_for_their_time_and_those_due_go_together() -> None:
    now = 100.0
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(round(seconds, 3))
        now += seconds

    second = 1_000_000_000
    times = (34_200 * second, 34_200 * second, 34_210 * second, 34_230 * second)
    actions: list[tuple[int, Action]] = [(at, Enter(row, row, BUY, 100, 1)) for row, at in enumerate(times)]
    pace = Pace(10, lambda: now, sleep)
    assert [len(group) async for group in grouped(actions, pace)] == [2, 1, 1]
    assert slept == [1.0, 2.0]
