"""Full garbage collections, which walk over all objects and stop every thread, when they disturb least.

Python itself does one whenever enough new objects have piled up: amid a storm of connects, just then. Nearly all
garbage needs none: it goes with its last reference, or as a cycle in the collections of young objects, which stay as
they are and are short. What is left is cycles that grew old before they died. They wait for a quiet second, yet not
for longer than until so many objects have piled up; and all full collections together may take a small share of time.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

LOOK_S = 1.0
PILE_QUIET = 20
"""After so many middle collections a quiet second is used; each is about 7,000 objects more than before it."""
PILE_MAX = 200
"""After so many it is done however busy the process is: so much may be garbage, about 1.4 million objects."""
QUIET_SHARE = 0.1
"""A second is quiet in which the process, all its threads, has used less of a core."""
STOPPED_SHARE = 0.001
"""Full collections take at most this share of the time: after one of 0.1 s there is none for 100 s."""
TOLD_S = 0.05
"""A full collection that takes this long is written to the log."""
_BY_ITSELF_NEVER = 1_000_000

log = structlog.get_logger(component="launch")


class GarbageKeeper:
    """Decides when to collect. now, cpu: the clocks, in seconds, of the world and of the process."""

    def __init__(
        self, now: Callable[[], float] = time.monotonic, cpu: Callable[[], float] = time.process_time
    ) -> None:
        self._now = now
        self._cpu = cpu
        self._now_s = now()
        self._cpu_s = cpu()
        self._not_before_s = self._now_s

    def look(self) -> bool:
        """Collect where it is time to; tell whether it was done. To be called about once a second."""
        now_s, cpu_s = self._now(), self._cpu()
        is_quiet = cpu_s - self._cpu_s < QUIET_SHARE * (now_s - self._now_s)
        self._now_s, self._cpu_s = now_s, cpu_s
        pile = gc.get_count()[2]
        if now_s < self._not_before_s or pile < (PILE_QUIET if is_quiet else PILE_MAX):
            return False
        found = gc.collect()
        ended_s = self._now()
        took_s = ended_s - now_s
        self._not_before_s = ended_s + took_s / STOPPED_SHARE
        self._now_s, self._cpu_s = ended_s, self._cpu()
        if took_s >= TOLD_S:
            log.info("garbage_collected", found=found, took_ms=round(took_s * 1e3), is_quiet=is_quiet)
        return True


@asynccontextmanager
async def kept_short() -> AsyncIterator[None]:
    """Let full collections wait for their moment while a process serves; afterwards it is as it was."""
    before = gc.get_threshold()
    # What there is now stays to the end: no collection need walk over it.
    gc.freeze()
    gc.set_threshold(before[0], before[1], _BY_ITSELF_NEVER)
    looking = asyncio.create_task(_look_on(GarbageKeeper()), name="garbage")
    try:
        yield
    finally:
        looking.cancel()
        gc.set_threshold(*before)


async def _look_on(keeper: GarbageKeeper) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        keeper.look()
