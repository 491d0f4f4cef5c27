"""The outbox relay: brings what clearing has decided to the engine, in order, until the engine has taken it.

A request is stored together with the ruling that caused it, and sent afterwards, at least once: the engine does a bust
once however often it is asked. It is done when the engine's event is seen in the stream. While the engine cannot be
reached everything waits; the pause between two tries doubles up to a limit, and is spread at random.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.engine_client import EngineClient, EngineRefused
from exchange.clearing.queries import open_requests, waiting_requests
from exchange.infra.clock import Clock
from exchange.infra.errors import InfraError
from exchange.infra.store import reason_of
from exchange.post_trade.books import EngineRequest

log = structlog.get_logger(component="clearing")

REQUESTS_READ_MAX = 100
"""Requests read from the store at once; the others stay there until these are through."""
BACK_OFF_FIRST_S = 0.1
BACK_OFF_LAST_S = 5.0
LOOK_AGAIN_S = 1.0
"""How often the outbox is looked at without being woken, and alarms are renewed."""
ALARM_NS = 5_000_000_000
"""How long the engine's event may take before someone should look."""


class OutboxStats(msgspec.Struct):
    """What the relay did since its start. overdue: match ids whose event is late; problem: empty while all is well."""

    sent: int = 0
    refused: int = 0
    failures: int = 0
    overdue: list[int] = []
    problem: str = ""


class OutboxRelay:
    """One task that empties the outbox of one partition."""

    def __init__(
        self,
        keeper: BookKeeper,
        engine: EngineClient,
        clock: Clock,
        *,
        back_off_first_s: float = BACK_OFF_FIRST_S,
        look_again_s: float = LOOK_AGAIN_S,
        alarm_ns: int = ALARM_NS,
    ) -> None:
        self.stats = OutboxStats()
        self._keeper = keeper
        self._engine = engine
        self._clock = clock
        self._back_off_first_s = back_off_first_s
        self._look_again_s = look_again_s
        self._alarm_ns = alarm_ns
        self._first_seen_ns: dict[int, int] = {}
        self._added = asyncio.Event()

    def wake(self) -> None:
        """Look at the outbox now; something was put into it."""
        self._added.set()

    async def run(self) -> None:
        """Send what waits, for ever; the owner of the task cancels it."""
        back_off_s = self._back_off_first_s
        while True:
            self._added.clear()
            if await self._turn():
                back_off_s = self._back_off_first_s
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._look_again_s):
                        await self._added.wait()
            else:
                await asyncio.sleep(back_off_s * (0.5 + random.random()))
                back_off_s = min(back_off_s * 2, BACK_OFF_LAST_S)

    async def _turn(self) -> bool:
        """Send what waits and look for what is late; tell whether engine and store played their parts."""
        try:
            sent = await self._send_all()
            await self._look_for_overdue()
        except SQLAlchemyError as error:
            self._note_problem(f"the store failed: {reason_of(error)}")
            return False
        return sent

    async def _send_all(self) -> bool:
        """Send everything that waits; tell whether the engine could be asked."""
        while True:
            requests = await asyncio.to_thread(self._read, waiting_requests)
            for request in requests:
                if not await self._send(request):
                    return False
            if len(requests) < REQUESTS_READ_MAX:
                return True

    async def _send(self, request: EngineRequest) -> bool:
        note: Callable[[int, str, int], None]
        try:
            answer = await self._engine.carry_out(request)
            note = self._keeper.note_taken
            self.stats.sent += 1
        except EngineRefused as error:
            answer, note = str(error), self._keeper.note_refused
            self.stats.refused += 1
            log.warning("request_refused", match_id=str(request.match_id), kind=request.kind, reason=answer)
        except InfraError as error:
            answer, note = str(error), self._keeper.note_failure
            self._note_problem(answer)
        await asyncio.to_thread(note, request.ruling_id, answer, self._clock.now_ns())
        if note == self._keeper.note_failure:
            return False
        if self.stats.problem:
            log.info("outbox_recovered")
            self.stats.problem = ""
        return True

    def _note_problem(self, answer: str) -> None:
        self.stats.failures += 1
        if not self.stats.problem:
            log.warning("outbox_waits", reason=answer)
        self.stats.problem = answer

    async def _look_for_overdue(self) -> None:
        """Raise the alarm for each request whose event is late, once."""
        still_open = await asyncio.to_thread(self._read, open_requests)
        now_ns = self._clock.now_ns()
        seen = self._first_seen_ns
        self._first_seen_ns = {each.ruling_id: seen.get(each.ruling_id, now_ns) for each in still_open}
        before = self.stats.overdue
        self.stats.overdue = [
            each.match_id
            for each in still_open
            if now_ns - self._first_seen_ns[each.ruling_id] > self._alarm_ns
        ]
        for match_id in self.stats.overdue:
            if match_id not in before:
                log.error(
                    "ruling_overdue", match_id=str(match_id), waits_for="the engine's event", look_at="outbox"
                )

    def _read(self, query: Callable[..., list[EngineRequest]]) -> list[EngineRequest]:
        with self._keeper.store.connect() as connection:
            return query(connection, self._keeper.partition, REQUESTS_READ_MAX)
