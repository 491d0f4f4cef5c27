"""A connection to one nsqd that is opened again whenever it ends, after a while that grows and varies."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from exchange.infra.errors import InfraError
from exchange.infra.nsq_connection import NsqConnection, NsqTimes
from exchange.wire import nsq

BACK_OFF_FIRST_S = 0.1
BACK_OFF_LAST_S = 5.0

log = structlog.get_logger(component="nsq")


class NsqLink:
    """Keeps a connection to an nsqd.

    opened: called with every new connection, before it is used. take: called with each message. changed: called
    when the connection comes or goes; reopened: with the address, when it came again. problem: why there is none.
    """

    def __init__(
        self,
        address: str,
        times: NsqTimes,
        *,
        opened: Callable[[NsqConnection], Awaitable[None]],
        take: Callable[[NsqConnection, nsq.Message], None] | None = None,
        changed: Callable[[], None] = lambda: None,
        reopened: Callable[[str], None] = lambda address: None,
    ) -> None:
        self.address = address
        self.connection: NsqConnection | None = None
        self.problem = f"nsqd at {address} is not connected yet"
        self.tried = asyncio.Event()
        self.openings = 0
        self._times = times
        self._opened = opened
        self._take = take
        self._changed = changed
        self._reopened = reopened
        self._keeping = asyncio.create_task(self._keep(), name=f"nsq keeps {address}")

    async def close(self) -> None:
        """Connect no more."""
        self._keeping.cancel()
        await asyncio.gather(self._keeping, return_exceptions=True)

    async def _keep(self) -> None:
        back_off_s = BACK_OFF_FIRST_S
        while True:
            try:
                await self._connect_and_wait()
                back_off_s = BACK_OFF_FIRST_S
            except InfraError as error:
                self._note(str(error))
            self.tried.set()
            self._changed()
            await asyncio.sleep(back_off_s * (0.5 + random.random()))
            back_off_s = min(back_off_s * 2, BACK_OFF_LAST_S)

    async def _connect_and_wait(self) -> None:
        connection = await NsqConnection.open(self.address, self._times, self._take)
        try:
            await self._opened(connection)
            self.connection = connection
            self.openings += 1
            if self.openings > 1:
                log.info("nsqd_is_back", nsqd=self.address)
                self._reopened(self.address)
            self.problem = ""
            self.tried.set()
            self._changed()
            await connection.ended.wait()
            self._note(connection.problem)
        finally:
            self.connection = None
            await connection.close()

    def _note(self, problem: str) -> None:
        """Say once that the nsqd is away."""
        if not self.problem or not self.tried.is_set():
            log.warning("nsqd_away", nsqd=self.address, reason=problem)
        self.problem = problem
