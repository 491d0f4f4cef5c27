"""Gives the reporter's whole state to another reporter that begins: GET /state, for components only."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from sqlalchemy import Engine

from exchange.domain.participant import Role
from exchange.infra.errors import StoreUnavailable
from exchange.infra.http_answer import READ_TIMEOUT_S
from exchange.infra.http_routes import ApiError, Call, Route
from exchange.reporter.state_copy import state_frames
from exchange.wire.rest.errors import ErrorCode

PATH = "/api/v1/state"
MEDIA = "application/octet-stream"
SERVED_MAX = 2
"""States that are sent at the same time; who asks for one more is told to come back."""
RETRY_AFTER_S = 5
PAUSE_S = 0.002
"""Between frames, so that subscribers are served meanwhile."""
TRANSFER_S_MAX = 3_600
"""How long one transfer may keep its transaction open; then it is cut off."""


class StateApi:
    """Serves states, few at a time. store: it is read beside what is written."""

    def __init__(self, store: Engine, partition: int) -> None:
        self.serving = 0
        self._store = store
        self._partition = partition
        self._is_closing = False

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "GET", PATH, self.state, "Copy the reporter's state", "system", frozenset({Role.COMPONENT}),
                returns=bytes, media=MEDIA, errors=(503,),
                description="All tables of one moment, for another reporter; docs/replicas.md describes the bytes.",
            )
        ]  # fmt: skip

    def close(self) -> None:
        """Cut off those who are being served."""
        self._is_closing = True

    async def state(self, call: Call) -> Any:
        """Answer GET /state."""
        if self.serving >= SERVED_MAX or self._is_closing:
            text = f"{self.serving} others are being sent the state; come back later"
            headers = {"Retry-After": str(RETRY_AFTER_S)}
            raise ApiError.of(ErrorCode.TOO_MANY_CONNECTIONS, text, headers=headers)
        self.serving += 1
        try:
            return await self._send(call)
        finally:
            self.serving -= 1

    async def _send(self, call: Call) -> web.StreamResponse:
        frames = state_frames(self._store, self._partition)
        step = asyncio.ensure_future(asyncio.to_thread(next, frames, None))
        response = web.StreamResponse(headers={"X-Request-ID": call.request_id, "Content-Type": MEDIA})
        is_whole = False
        try:
            frame = await asyncio.shield(step)
            await response.prepare(call.raw)
            async with asyncio.timeout(TRANSFER_S_MAX):
                while frame is not None and not self._is_closing:
                    async with asyncio.timeout(READ_TIMEOUT_S):
                        await response.write(frame)
                    await asyncio.sleep(PAUSE_S)
                    step = asyncio.ensure_future(asyncio.to_thread(next, frames, None))
                    frame = await asyncio.shield(step)
            if frame is None:
                await response.write_eof()
                is_whole = True
        except (TimeoutError, ConnectionError, StoreUnavailable):
            if not response.prepared:
                raise
        finally:
            if response.prepared and not is_whole:
                _cut(call)
            await asyncio.gather(step, return_exceptions=True)
            await asyncio.to_thread(frames.close)
        return response


def _cut(call: Call) -> None:
    """Break the connection: an answer that ended well would pass for whole."""
    if call.raw.transport is not None:
        call.raw.transport.abort()
