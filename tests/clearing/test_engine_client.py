"""What the engine is sent, and how its answers are told apart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from exchange.clearing.engine_client import EngineClient, EngineRefused, body_of
from exchange.infra.errors import AccessRefused, SourceUnavailable
from exchange.post_trade.books import EngineRequest
from exchange.wire.rest.admin import BustRequest, CorrectRequest
from tests.clearing.fake_engine import COMPONENT_KEY, FakeEngine
from tests.post_trade.stream import Stream


@pytest.fixture
async def engine() -> AsyncIterator[FakeEngine]:
    engine = FakeEngine(Stream())
    await engine.start()
    yield engine
    await engine.stop()


def request(match_id: int, kind: str = "bust", **values: Any) -> EngineRequest:
    return EngineRequest(ruling_id=12, match_id=match_id, kind=kind, code=ord("S"), created_ns=1, **values)  # type: ignore[arg-type]


async def answer_of(engine: FakeEngine, asked: EngineRequest, key: str = COMPONENT_KEY) -> str:
    client = EngineClient(engine.url, lambda: key)
    try:
        return await client.carry_out(asked)
    finally:
        await client.close()


def test_a_request_travels_in_the_engines_words() -> None:
    assert body_of(request(7)) == BustRequest(reason="supervisory", ruling_id="12")
    assert body_of(request(7, "correct", new_price=1_892_000, new_quantity=50)) == CorrectRequest(
        reason="supervisory", ruling_id="12", price="189.20", qty="50"
    )


async def test_what_the_engine_did_is_said_with_its_event(engine: FakeEngine) -> None:
    match_id = engine.stream.trade(1, 2, 100)
    assert await answer_of(engine, request(match_id)) == f"busted, event {match_id + 1}"
    assert await answer_of(engine, request(match_id)) == "it was busted before"


async def test_a_business_refusal_is_for_good(engine: FakeEngine) -> None:
    engine.answer = lambda: (404, {"code": 36, "reason": "unknown_trade", "message": "No such trade."})
    with pytest.raises(EngineRefused, match=r"No such trade\. \(unknown_trade\)"):
        await answer_of(engine, request(7))


async def test_a_business_refusal_that_a_retry_can_help_is_not(engine: FakeEngine) -> None:
    engine.answer = lambda: (
        422,
        {"code": 9, "reason": "symbol_suspended", "message": "Later.", "retry": True},
    )
    with pytest.raises(SourceUnavailable, match="answered 422: Later"):
        await answer_of(engine, request(7))


async def test_a_key_that_the_engine_does_not_take_is_said(engine: FakeEngine) -> None:
    with pytest.raises(AccessRefused, match="does not take our key: This key is unknown"):
        await answer_of(engine, request(7), key="xk_wrong")


async def test_an_engine_that_is_not_there_is_waited_for(engine: FakeEngine) -> None:
    await engine.stop()
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        await answer_of(engine, request(7))


@pytest.mark.parametrize("body", [{}, {"code": "x"}, {"code": 0, "reason": "", "message": ""}])
async def test_an_answer_that_no_engine_gives_is_no_refusal(engine: FakeEngine, body: dict[str, Any]) -> None:
    engine.answer = lambda: (404, body)
    with pytest.raises(SourceUnavailable, match="answered 404"):
        await answer_of(engine, request(7))
