"""The outbox: an engine that is down at first, slow, refusing, or silent about what it has done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.clearing import outbox
from tests.clearing.fake_engine import FakeEngine, eventually
from tests.clearing.running import RunningClearing


@pytest.fixture
async def clearing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningClearing]:
    monkeypatch.setattr(outbox, "BACK_OFF_LAST_S", 0.2)
    async with RunningClearing(tmp_path) as running:
        yield running


async def request_in(
    clearing: RunningClearing, match_id: int, state: str, attempts: int = 0
) -> dict[str, str]:
    async def check() -> dict[str, str] | None:
        (request,) = (await clearing.get(f"/trades/{match_id}"))["requests"]
        return request if request["state"] == state and request["attempts"] >= attempts else None

    found: dict[str, str] = await eventually(check)
    return found


async def test_a_bust_waits_for_an_engine_that_is_down_and_is_shown_as_pending(
    clearing: RunningClearing,
) -> None:
    port = clearing.engine.port
    await clearing.engine.stop()
    match_id = clearing.stream.trade(1, 2, 100, price="230.00")
    await clearing.caught_up()
    request = await request_in(clearing, match_id, "waiting", attempts=2)
    assert "cannot be reached" in request["answer"]
    story = await clearing.get(f"/trades/{match_id}")
    assert story["state"] == "bust_pending"
    assert len(story["ledger"]) == 4
    stats = await clearing.get("/stats")
    assert stats["outbox"]["waiting"] == 1
    assert "cannot be reached" in stats["outbox"]["problem"]

    await clearing.engine.start(port)
    story = await clearing.in_state(match_id, "busted")
    assert story["requests"][0]["state"] == "done"

    async def recovered() -> bool:
        return not (await clearing.get("/stats"))["outbox"]["problem"]

    await eventually(recovered)


async def test_a_request_survives_a_restart_of_clearing(clearing: RunningClearing) -> None:
    port = clearing.engine.port
    await clearing.engine.stop()
    match_id = clearing.stream.trade(1, 2, 100, price="230.00")
    await clearing.caught_up()
    await clearing.restart()
    await clearing.engine.start(port)
    await clearing.in_state(match_id, "busted")


async def test_a_bust_the_engine_refuses_holds_the_trade_and_shows_the_reason(
    clearing: RunningClearing,
) -> None:
    clearing.engine.answer = lambda: (
        404, {"code": 36, "reason": "unknown_trade", "message": "There is no such trade.", "retry": False},
    )  # fmt: skip
    match_id = clearing.stream.trade(1, 2, 100, price="230.00")
    await clearing.caught_up()
    request = await request_in(clearing, match_id, "refused")
    assert request["answer"] == "There is no such trade. (unknown_trade)"
    story = await clearing.get(f"/trades/{match_id}")
    assert (story["state"], story["steps"][-1]["why"]) == ("held", "There is no such trade. (unknown_trade)")
    assert (await clearing.get("/stats"))["outbox"]["refused"] == 1
    clearing.engine.answer = None
    await clearing.ask("POST", f"/trades/{match_id}/bust", body={"reason": "try again"})
    await clearing.in_state(match_id, "busted")


async def test_a_correction_the_engine_refuses_leaves_the_trade_as_it_was(clearing: RunningClearing) -> None:
    clearing.engine.answer = lambda: (
        422, {"code": 38, "reason": "correction_invalid", "message": "Not on a tick.", "retry": False},
    )  # fmt: skip
    match_id = clearing.stream.trade(1, 2, 100)
    await clearing.caught_up()
    await clearing.ask("POST", f"/trades/{match_id}/correct", body={"reason": "x", "price": "189.2001"})
    await request_in(clearing, match_id, "refused")
    story = await clearing.get(f"/trades/{match_id}")
    assert (story["state"], story["price"]) == ("accepted", "189.20")
    assert story["steps"][-1]["what"] == "correction_refused"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (503, {"code": 1043, "reason": "engine_busy", "message": "Busy.", "retry": True}, "answered 503: Busy."),
        (403, {"code": 1012, "reason": "role_not_allowed", "message": "No.", "retry": False}, "does not take our key"),
        (404, {"code": 1020, "reason": "unknown_path", "message": "Nothing here.", "retry": False}, "answered 404"),
        (500, {"oops": 1}, "answered 500"),
    ],
)  # fmt: skip
async def test_what_is_no_refusal_is_tried_again(
    clearing: RunningClearing, status: int, body: dict[str, object], said: str
) -> None:
    clearing.engine.answer = lambda: (status, body)
    match_id = clearing.stream.trade(1, 2, 100, price="230.00")
    await clearing.caught_up()
    request = await request_in(clearing, match_id, "waiting", attempts=2)
    assert said in request["answer"]
    clearing.engine.answer = None
    await clearing.in_state(match_id, "busted")


async def test_an_event_that_does_not_come_is_an_alarm_until_it_does(
    clearing: RunningClearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    clearing.app.office.relay._alarm_ns = 0
    clearing.app.office.relay._look_again_s = 0.05
    clearing.engine.emits = False
    match_id = clearing.stream.trade(1, 2, 100, price="230.00")
    await clearing.caught_up()
    await request_in(clearing, match_id, "taken")

    async def overdue() -> list[str]:
        found: list[str] = (await clearing.get("/stats"))["outbox"]["overdue"]
        return found

    assert await eventually(overdue) == [str(match_id)]
    clearing.stream.bust(match_id, ruling_id=1)
    await clearing.in_state(match_id, "busted")

    async def calm() -> bool:
        return not await overdue()

    await eventually(calm)


async def test_an_engine_that_has_busted_it_already_is_as_good(clearing: RunningClearing) -> None:
    engine: FakeEngine = clearing.engine
    match_id = clearing.stream.trade(1, 2, 100)
    await clearing.caught_up()
    engine.answer = lambda: (200, {"status": "busted", "seq": 0, "already": True})
    await clearing.ask("POST", f"/trades/{match_id}/bust", body={"reason": "x"})
    assert (await request_in(clearing, match_id, "taken"))["answer"] == "it was busted before"
    clearing.stream.bust(match_id)
    await clearing.in_state(match_id, "busted")


async def test_many_busts_are_sent_in_the_order_in_which_they_were_ruled(clearing: RunningClearing) -> None:
    ids = [clearing.stream.trade(1, 2, number, price="230.00") for number in range(1, 21)]
    await clearing.caught_up()
    for match_id in ids:
        await clearing.in_state(match_id, "busted")
    assert [match_id for _, match_id, _ in clearing.engine.asked] == ids
