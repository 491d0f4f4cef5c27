"""Reviews over real HTTP: sides ask, answer and appeal, officers rule, and the engine is asked in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from exchange.clearing import tables
from exchange.clearing.app import ClearingApp
from exchange.domain.events import KeyCreated
from exchange.domain.participant import Role
from exchange.domain.units import Money
from exchange.infra.config_sections import ReviewsConfig
from exchange.infra.store import begin_write
from exchange.post_trade.review import NS_PER_MINUTE
from tests.clearing.fake_engine import eventually, key_of
from tests.clearing.running import RunningClearing
from tests.post_trade.stream import NOON_NS


class SetClock:
    """A clock that stands where it was set."""

    def __init__(self) -> None:
        self.minute = 0

    def now_ns(self) -> int:
        return NOON_NS + NS_PER_MINUTE + self.minute * NS_PER_MINUTE


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    clock = SetClock()
    begin = ClearingApp.__init__

    def set_up(self: ClearingApp, *given: Any, **named: Any) -> None:
        begin(self, *given, **named, clock=clock)

    monkeypatch.setattr(ClearingApp, "__init__", set_up)
    return clock


@pytest.fixture
async def clearing(tmp_path: Path, clock: SetClock) -> AsyncIterator[RunningClearing]:
    async with RunningClearing(tmp_path) as running:
        yield running


async def off_market(clearing: RunningClearing) -> int:
    match_id = clearing.stream.trade(1, 2, 100, price="194.90")
    await clearing.caught_up()
    return match_id


async def say(clearing: RunningClearing, path: str, key: str, **body: Any) -> tuple[int, Any]:
    status, answer = await clearing.ask("POST", path, key, body)
    return status, answer.get("state") or answer.get("message")


async def filed(clearing: RunningClearing, **body: Any) -> tuple[int, str]:
    match_id = await off_market(clearing)
    status, review = await clearing.ask(
        "POST", f"/trades/{match_id}/review", "alice", {"basis": "typed wrong"} | body
    )
    assert status == 201, review
    return match_id, f"/reviews/{review['review_id']}"


async def test_a_granted_bust_is_carried_out_when_nobody_can_appeal_any_more(
    clearing: RunningClearing, clock: SetClock
) -> None:
    match_id, path = await filed(clearing)
    assert await say(clearing, path + "/rule", "clearing", reason="3 % off", remedy="bust") == (
        200,
        "granted",
    )
    clock.minute += 29
    clearing.app.office.reviews.close_due()
    assert clearing.engine.asked == []
    clock.minute += 1
    story = await clearing.in_state(match_id, "busted")
    assert clearing.engine.asked[0][0] == "bust"
    assert story["rulings"][-1]["why"] == "review 1: the time to appeal is over"
    review = await clearing.get(path)
    assert [step["what"] for step in review["steps"]] == ["filed", "granted", "closed", "ordered"]
    assert review["finding"].startswith(
        "The price 194.90 is 5.70 from the reference price 189.20; the guideline of its"
    )
    assert (review["eligible"], review["outlier"], review["securities"]) == (True, False, 1)
    assert (await clearing.get("/prove"))["holds"]


async def test_the_other_side_is_told_agrees_and_a_part_is_busted_by_consent(
    clearing: RunningClearing,
) -> None:
    clearing.stream.trade(1, 2, 5)
    match_id, path = await filed(clearing, remedy="correct", qty=60)
    assert await say(clearing, path + "/agree", "bob", reason="yes") == (403, await say_role(clearing, path))
    await trader_for_bob(clearing)
    (told,) = (await clearing.get("/reviews", "bert"))["items"]
    assert (told["you"], told["wanted"]["qty"], told["applicant"]) == ("counterparty", "60", None)
    assert await say(clearing, path + "/agree", "bert", reason="yes") == (200, "filed")
    body = {"reason": "both agree", "remedy": "correct", "qty": 60, "code": "C"}
    assert await say(clearing, path + "/rule", "clearing", **body) == (200, "closed")
    story = await clearing.in_state(match_id, "corrected")
    assert (story["qty"], story["price"]) == ("60", "194.90")


async def say_role(clearing: RunningClearing, path: str) -> str:
    _, answer = await clearing.ask("POST", path + "/agree", "bob", {"reason": "yes"})
    return str(answer["message"])


async def trader_for_bob(clearing: RunningClearing) -> None:
    digest = sha256(key_of("bert").encode()).digest()
    clearing.stream.add(KeyCreated, key_id=6, participant_id=2, role=Role.TRADER, sha256=digest, label="bert")
    await clearing.caught_up()


async def test_an_appeal_stops_the_bust_and_another_officer_decides(
    clearing: RunningClearing, clock: SetClock
) -> None:
    match_id, path = await filed(clearing)
    await say(clearing, path + "/rule", "clearing", reason="off", remedy="bust")
    assert await say(clearing, path + "/appeal", "alice", reason="I changed my mind") == (200, "appealed")
    clock.minute += 40
    assert clearing.app.office.reviews.close_due() == []
    status, message = await say(clearing, path + "/rule", "clearing", reason="again", remedy="bust")
    assert (status, message) == (409, "An appeal is decided by another officer than the one who ruled.")
    assert await say(clearing, path + "/rule", "operator", reason="not so far", remedy="none") == (
        200,
        "closed",
    )
    assert (await clearing.get(f"/trades/{match_id}"))["state"] == "held"
    assert clearing.engine.asked == []


async def test_a_remedy_that_the_trade_no_longer_allows_is_noted(
    clearing: RunningClearing, clock: SetClock
) -> None:
    match_id, path = await filed(clearing)
    await say(clearing, path + "/rule", "clearing", reason="off", remedy="bust")
    clearing.stream.bust(match_id)
    await clearing.caught_up()
    clock.minute += 31

    async def is_closed() -> bool:
        return bool((await clearing.get(path))["state"] == "closed")

    await eventually(is_closed)
    last = (await clearing.get(path))["steps"][-1]
    assert (last["what"], last["why"]) == (
        "not carried out", "The trade cannot be busted: it is busted, and a bust is final."
    )  # fmt: skip


async def test_a_review_survives_a_restart(clearing: RunningClearing) -> None:
    _, path = await filed(clearing)
    before = await clearing.get(path)
    await clearing.restart()
    assert await clearing.get(path) == before


async def test_what_cannot_be_is_refused_with_a_sentence(clearing: RunningClearing, clock: SetClock) -> None:
    match_id, path = await filed(clearing)
    review = f"/trades/{match_id}/review"
    assert await say(clearing, review, "alice", basis="x") == (409, "A review of this trade is open already.")
    assert (await say(clearing, "/trades/99999/review", "alice", basis="x"))[0] == 404
    assert (await say(clearing, review, "alice", basis="x", price="1.00"))[0] == 422
    assert (await say(clearing, review, "alice", basis=""))[0] == 400
    assert (await say(clearing, "/reviews/77/appeal", "alice", reason="x"))[0] == 404
    assert (await say(clearing, path + "/rule", "clearing", reason="x", remedy="correct", qty="0"))[0] == 422
    await say(clearing, path + "/withdraw", "alice", reason="found it")
    clock.minute += 31
    status, message = await say(clearing, review, "alice", basis="x")
    assert (status, message[:53]) == (409, "A review had to be asked for within 30 minutes of the")


@pytest.mark.parametrize(
    ("key", "verb", "status"),
    [
        ("auditor", "rule", 403),
        ("alice", "rule", 403),
        ("operator", "agree", 403),
        ("", "agree", 401),
        ("", "rule", 401),
    ],
)
async def test_each_word_is_only_for_whom_it_concerns(
    clearing: RunningClearing, key: str, verb: str, status: int
) -> None:
    _, path = await filed(clearing)
    body = {"reason": "x"} | ({"remedy": "bust"} if verb == "rule" else {})
    assert (await say(clearing, f"{path}/{verb}", key, **body))[0] == status


async def test_strangers_see_neither_trade_nor_review(clearing: RunningClearing) -> None:
    match_id = clearing.stream.trade(2, 3, 100, price="194.90")
    await clearing.caught_up()
    assert (await say(clearing, f"/trades/{match_id}/review", "alice", basis="x"))[0] == 404
    _, path = await filed(clearing)
    assert [each["you"] for each in (await clearing.get("/reviews", "alice"))["items"]] == ["applicant"]
    assert (await clearing.get("/reviews", "auditor"))["items"][0]["you"] == ""
    assert (await clearing.ask("GET", path + "9", "alice"))[0] == 404


async def test_everything_stands_in_the_audit_trail(clearing: RunningClearing) -> None:
    match_id, path = await filed(clearing)
    await say(clearing, path + "/rule", "clearing", reason="too far", remedy="none")
    await say(clearing, f"/trades/{match_id}/release", "operator", reason="fine")
    items = (await clearing.get("/audit"))["items"]
    assert [(each["number"], each["what"], each["subject"], each["why"]) for each in items] == [
        ("3", "release", f"trade {match_id}", "fine"),
        ("2", "denied", f"review 1 of trade {match_id}", "too far"),
        ("1", "filed", f"review 1 of trade {match_id}", "typed wrong"),
    ]
    assert (await clearing.ask("GET", "/audit", "alice"))[0] == 403
    page = await clearing.get("/audit?limit=2")
    assert (await clearing.get(f"/audit?cursor={page['next']}"))["items"] == items[2:]


async def test_above_a_notional_two_officers_must_order_the_same(tmp_path: Path) -> None:
    settings = ReviewsConfig(two_person_notional=Money(10_000_0000))
    async with RunningClearing(tmp_path, reviews=settings) as clearing:
        match_id = await off_market(clearing)
        bust = f"/trades/{match_id}/bust"
        for key in ("clearing", "clearing"):
            status, trade = await clearing.ask("POST", bust, key, {"reason": "off"})
            assert (status, trade["state"], trade["waits_for_second"]) == (202, "held", True)
        status, trade = await clearing.ask("POST", bust, "operator", {"reason": "off", "code": "S"})
        assert trade["waits_for_second"]
        status, trade = await clearing.ask("POST", bust, "clearing", {"reason": "I see", "code": "S"})
        assert (status, trade["state"], trade["waits_for_second"]) == (202, "bust_pending", False)
        await clearing.in_state(match_id, "busted")
        done = [each["what"] for each in (await clearing.get("/audit"))["items"]]
        assert done == ["bust", "bust proposed", "bust proposed", "bust proposed"]


async def test_a_proof_says_where_the_audit_trail_was_changed(clearing: RunningClearing) -> None:
    await filed(clearing)
    with begin_write(clearing.app.office.store) as connection:
        connection.execute(update(tables.audit_trail).values(why="something else"))
    proof = await clearing.get("/prove")
    assert (proof["holds"], proof["faults"]) == (
        False,
        ["the audit trail was changed at entry 1 or before it"],
    )
