"""When full garbage collections are done, with clocks that are set by hand and the real collector."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from exchange.launch.garbage import PILE_MAX, PILE_QUIET, GarbageKeeper, kept_short


class Clocks:
    """The time of the world, which runs on by `step_s` with each look at it, and of the process."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.cpu_s = 0.0
        self.step_s = 0.0

    def now(self) -> float:
        self.now_s += self.step_s
        return self.now_s

    def cpu(self) -> float:
        return self.cpu_s

    def pass_second(self, busy: bool) -> None:
        self.now_s += 1
        self.cpu_s += 0.5 if busy else 0.01


class Node:
    """Something that may hold itself."""

    own: Node


def old_cycle() -> weakref.ref[Node]:
    """Make a cycle that has outlived the collections of young objects, and then let it go."""
    node = Node()
    node.own = node
    gc.collect(1)
    gc.collect(1)
    return weakref.ref(node)


def pile_up(count: int) -> None:
    """Let it be as if so many middle collections had been since the last full one."""
    while gc.get_count()[2] < count:
        gc.collect(1)


@pytest.fixture
def clocks() -> Iterator[Clocks]:
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(before[0], before[1], 1_000_000)
    yield Clocks()
    gc.set_threshold(*before)
    gc.unfreeze()


def test_an_old_cycle_goes_in_a_quiet_second(clocks: Clocks) -> None:
    keeper = GarbageKeeper(clocks.now, clocks.cpu)
    cycle = old_cycle()
    pile_up(PILE_QUIET)
    assert cycle() is not None
    clocks.pass_second(busy=True)
    assert not keeper.look()
    clocks.pass_second(busy=False)
    assert keeper.look()
    assert cycle() is None


def test_nothing_is_done_for_a_little(clocks: Clocks) -> None:
    keeper = GarbageKeeper(clocks.now, clocks.cpu)
    pile_up(PILE_QUIET - 1)
    clocks.pass_second(busy=False)
    assert not keeper.look()


def test_a_process_that_is_never_quiet_collects_when_much_has_piled_up(clocks: Clocks) -> None:
    keeper = GarbageKeeper(clocks.now, clocks.cpu)
    cycle = old_cycle()
    pile_up(PILE_MAX - 1)
    clocks.pass_second(busy=True)
    assert not keeper.look()
    pile_up(PILE_MAX)
    clocks.pass_second(busy=True)
    assert keeper.look()
    assert cycle() is None


def test_after_a_long_collection_there_is_none_for_a_thousand_times_as_long(clocks: Clocks) -> None:
    keeper = GarbageKeeper(clocks.now, clocks.cpu)
    pile_up(PILE_QUIET)
    clocks.pass_second(busy=False)
    clocks.step_s = 0.1
    assert keeper.look()
    clocks.step_s = 0.0
    for busy in (True, False):
        pile_up(PILE_MAX)
        clocks.pass_second(busy)
        assert not keeper.look()
    clocks.now_s += 100
    assert keeper.look()


def test_cycles_do_not_pile_up_however_many_come(clocks: Clocks) -> None:
    """Of a hundred thousand old cycles, made by a process that is never quiet, few are there at any time."""
    keeper, living, most = GarbageKeeper(clocks.now, clocks.cpu), weakref.WeakSet[Node](), 0
    for _ in range(1_000):
        young = [Node() for _ in range(100)]
        for node in young:
            node.own = node
            living.add(node)
        gc.collect(1)
        del young, node
        clocks.pass_second(busy=True)
        keeper.look()
        most = max(most, len(living))
    assert 1_000 < most <= 100 * (PILE_MAX + 1)


async def test_while_a_process_serves_no_full_collection_comes_by_itself() -> None:
    before = gc.get_threshold()
    full = list[int]()

    def note(phase: str, about: dict[str, int]) -> None:
        if phase == "start" and about["generation"] == 2:
            full.append(1)

    gc.callbacks.append(note)
    try:
        async with kept_short():
            kept = [[each] for each in range(300_000)]
            assert gc.get_freeze_count()
            assert not full
        assert len(kept) == 300_000
        assert gc.get_threshold() == before
        await asyncio.sleep(0)
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "garbage"]
    finally:
        gc.callbacks.remove(note)
        gc.unfreeze()
