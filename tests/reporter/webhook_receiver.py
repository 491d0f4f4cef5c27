"""A receiver of webhooks on loopback: it checks signatures, keeps what came, and answers as it is told."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

import msgspec
from aiohttp import web

from exchange.infra.webhook_signature import why_not_genuine

WITHIN_S = 60


class Receiver:
    """answers: statuses of the next answers, 200 when they are used up; secret: checked where it is known."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.secret = ""
        self.deliveries: list[tuple[str, Any]] = []
        self.tries: list[str] = []
        self.forged: list[str] = []
        self._came = asyncio.Event()

    async def __aenter__(self) -> Self:
        server = web.Server(self._serve)
        self._runner = web.ServerRunner(server)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/hook"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def messages(self) -> list[Any]:
        return [message for _, body in self.deliveries for message in body["messages"]]

    async def until(self, count: int) -> list[Any]:
        """Wait for so many messages; return them all."""
        async with asyncio.timeout(WITHIN_S):
            while len(self.messages) < count:
                await self._came.wait()
                self._came.clear()
        return self.messages

    async def until_tried(self, count: int) -> None:
        """Wait for so many requests, taken or not."""
        async with asyncio.timeout(WITHIN_S):
            while len(self.tries) < count:
                await self._came.wait()
                self._came.clear()

    async def _serve(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        name = request.headers["webhook-id"]
        now_s = int(request.headers["webhook-timestamp"])
        if self.secret and (problem := why_not_genuine(self.secret, request.headers, body, now_s)):
            self.forged.append(problem)
        status = self.answers.pop(0) if self.answers else 200
        self.tries.append(name)
        if status == 200:
            self.deliveries.append((name, msgspec.json.decode(body)))
        self._came.set()
        return web.Response(status=status, text="" if status == 200 else "not today")
