"""A connection that writes down what it is sent."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import msgspec

from exchange.infra.websocket import Connection, Frame, SocketLimits


class FakeConnection:
    """Takes frames as a real connection does."""

    def __init__(self) -> None:
        self.limits = SocketLimits()
        self.sent: list[tuple[int, dict[str, Any]]] = []
        self.queued_bytes = 0
        self.is_closing = False
        self.last_sent_s = 0.0
        self._arrived = asyncio.Event()

    @property
    def real(self) -> Connection:
        """Return it in the type that the code under test asks for."""
        return cast(Connection, self)

    def send(self, frame: Frame, sequence: int = 0) -> bool:
        start = {126: 4, 127: 10}.get(frame[1], 2)
        self._note(frame[start:], sequence)
        return True

    def send_json(self, message: Any, sequence: int = 0) -> bool:
        self._note(msgspec.json.encode(message), sequence)
        return True

    async def heard(self) -> None:
        """Wait until something was sent since the last `take`."""
        await self._arrived.wait()

    def _note(self, payload: bytes, sequence: int) -> None:
        self.sent.append((sequence, msgspec.json.decode(payload)))
        self._arrived.set()

    def take(self) -> list[dict[str, Any]]:
        """Return the messages since the last time."""
        self._arrived.clear()
        messages, self.sent = [message for _, message in self.sent], []
        return messages
