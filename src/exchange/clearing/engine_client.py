"""Asks the engine to bust and correct trades and to stop participants, with clearing's own key, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp
import msgspec

from exchange.domain.reasons import Reason
from exchange.domain.units import format_price
from exchange.infra.errors import AccessRefused, SourceUnavailable
from exchange.post_trade.books import EngineRequest
from exchange.wire.rest.admin import BUST_REASON_TEXT, BustRequest, CorrectRequest
from exchange.wire.rest.errors import ErrorBody, ErrorCode
from exchange.wire.rest.risk import NewBlock

CONNECT_S = 3
ANSWER_S = 15
ANSWER_BYTES_MAX = 1 << 20


class EngineRefused(Exception):
    """The engine understood the request and will not do it; asking again cannot help. The message says why."""


class EngineClient:
    """The engine's rulings, asked one at a time. key: called for each request, so that a new one counts at once."""

    def __init__(self, url: str, key: Callable[[], str]) -> None:
        self.url = url.rstrip("/")
        self._key = key
        self._session: aiohttp.ClientSession | None = None

    async def carry_out(self, request: EngineRequest) -> str:
        """Have the engine carry a request out; return what it said.

        Raise `EngineRefused` where it never will, `SourceUnavailable` where it cannot now, `AccessRefused` where
        it does not take our key.
        """
        path = f"/api/v1/trades/{request.match_id}/{request.kind}"
        status, body = await self._post(path, msgspec.json.encode(body_of(request)))
        if status == 200:
            return _said(body)
        raise _refusal(self.url, status, body)

    async def stop_participant(self, participant_id: int, note: str) -> str:
        """Have the engine's kill switch stop a participant; return what it said. Raise as `carry_out` does."""
        order = NewBlock(scope="participant", subject=str(participant_id), reason=note)
        status, body = await self._post("/api/v1/risk/blocks", msgspec.json.encode(order))
        if status == 201:
            answer = msgspec.json.decode(body, type=dict[str, Any])
            return (
                f"blocked, {answer.get('canceled_orders', 0)} orders canceled, event {answer.get('seq', 0)}"
            )
        if _reason_of(body) == Reason.ALREADY_BLOCKED:
            return "it was blocked before"
        raise _refusal(self.url, status, body)

    async def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=ANSWER_S, connect=CONNECT_S)
            )
        headers = {"Authorization": f"Bearer {self._key()}", "Content-Type": "application/json"}
        try:
            async with self._session.post(self.url + path, data=body, headers=headers) as answer:
                return answer.status, await answer.content.read(ANSWER_BYTES_MAX)
        except TimeoutError as error:
            raise SourceUnavailable(f"{self.url} did not answer within {ANSWER_S} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SourceUnavailable(f"{self.url} cannot be reached: {error}") from error


def body_of(request: EngineRequest) -> BustRequest | CorrectRequest:
    """Return the body in which a request travels."""
    reason, ruling_id = BUST_REASON_TEXT[request.code], str(request.ruling_id)
    if request.kind == "bust":
        return BustRequest(reason=reason, ruling_id=ruling_id)
    return CorrectRequest(
        reason=reason,
        ruling_id=ruling_id,
        price=format_price(request.new_price),
        qty=str(request.new_quantity),
    )


def _said(body: bytes) -> str:
    try:
        answer: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        return "done"
    if answer.get("already"):
        return "it was busted before"
    return f"{answer.get('status', 'done')}, event {answer['seq']}" if answer.get("seq") else "done"


def _reason_of(body: bytes) -> int:
    try:
        return msgspec.json.decode(body, type=ErrorBody).code
    except msgspec.DecodeError:
        return 0


def _refusal(url: str, status: int, body: bytes) -> Exception:
    """Tell apart a refusal of this request, of our key, and an engine that cannot answer now."""
    try:
        error = msgspec.json.decode(body, type=ErrorBody)
    except msgspec.DecodeError:
        return SourceUnavailable(f"{url} answered {status} and no error that an engine would")
    if status in (401, 403):
        return AccessRefused(
            f"{url} does not take our key: {error.message} It needs role component or clearing"
        )
    is_business = Reason.NONE < error.code < ErrorCode.MALFORMED_REQUEST
    if is_business and status < 500 and not error.retry:
        return EngineRefused(f"{error.message} ({error.reason})")
    return SourceUnavailable(f"{url} answered {status}: {error.message}")
