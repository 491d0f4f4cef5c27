"""Clearing's REST over real HTTP: who sees what, rulings by operators, pages, and answers to nonsense."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.clearing.running import RunningClearing


@pytest.fixture
async def clearing(tmp_path: Path) -> AsyncIterator[RunningClearing]:
    async with RunningClearing(tmp_path) as running:
        yield running


async def held_trade(clearing: RunningClearing) -> int:
    match_id = clearing.stream.trade(1, 2, 100, price="195.00")
    await clearing.caught_up()
    return match_id


# --- rulings --------------------------------------------------------------------------------------


async def test_an_operator_releases_a_held_trade_with_a_reason(clearing: RunningClearing) -> None:
    match_id = await held_trade(clearing)
    status, trade = await clearing.ask("POST", f"/trades/{match_id}/release", body={"reason": "news was out"})
    assert (status, trade["state"]) == (200, "accepted")
    story = await clearing.get(f"/trades/{match_id}")
    last = story["steps"][-1]
    assert (last["what"], last["who"], last["why"]) == (
        "released",
        "operator operator (key 1)",
        "news was out",
    )
    assert [ruling["verdict"] for ruling in story["rulings"]] == ["hold", "release"]


async def test_an_operator_busts_an_accepted_trade_and_the_engine_does_it(clearing: RunningClearing) -> None:
    match_id = clearing.stream.trade(1, 2, 100)
    await clearing.caught_up()
    body = {"reason": "both asked for it", "code": "C"}
    status, trade = await clearing.ask("POST", f"/trades/{match_id}/bust", "clearing", body)
    assert (status, trade["state"]) == (202, "bust_pending")
    story = await clearing.in_state(match_id, "busted")
    assert clearing.engine.asked == [("bust", match_id, {"reason": "consent", "ruling_id": "1"})]
    assert story["steps"][-2]["who"] == "clearing clearing (key 2)"
    assert story["requests"][0]["code"] == "C"


async def test_an_operator_corrects_a_price_and_the_engine_does_it(clearing: RunningClearing) -> None:
    match_id = await held_trade(clearing)
    body = {"reason": "agreed", "code": "C", "price": "190.00", "qty": 60}
    status, trade = await clearing.ask("POST", f"/trades/{match_id}/correct", body=body)
    assert (status, trade["state"], trade["price"]) == (202, "held", "195.00")
    story = await clearing.in_state(match_id, "corrected")
    assert (story["price"], story["qty"], story["version"], story["notional"]) == (
        "190.00",
        "60",
        2,
        "11400.00",
    )
    assert [entry["what"] for entry in story["ledger"]] == ["trade"] * 4 + ["correction"] * 4 + ["trade"] * 4
    assert (await clearing.get("/prove"))["holds"]


async def test_what_is_impossible_is_refused_with_a_sentence(clearing: RunningClearing) -> None:
    match_id = await held_trade(clearing)
    clearing.stream.bust(match_id)
    await clearing.caught_up()
    for act in ("release", "bust", "correct"):
        body = {"reason": "why not"} | ({"price": "190.00"} if act == "correct" else {})
        status, error = await clearing.ask("POST", f"/trades/{match_id}/{act}", body=body)
        assert (status, error["reason"]) == (409, "conflict"), act
        assert "it is busted, and a bust is final" in error["message"]


CORRECTIONS: list[tuple[dict[str, Any], int, str, str]] = [
    ({}, 422, "correction_invalid", "changes the price, lowers the quantity of 100"),
    ({"price": "195.00"}, 422, "correction_invalid", "got price 195.00, quantity 100"),
    ({"qty": 101}, 422, "correction_invalid", "quantity 101"),
    ({"qty": "0"}, 422, "correction_invalid", "quantity must be 1 to"),
    ({"price": "-1"}, 400, "invalid_field", "price must be"),
    ({"price": "1e5"}, 400, "invalid_field", "price must be a plain decimal"),
]


@pytest.mark.parametrize(("values", "status", "reason", "message"), CORRECTIONS)
async def test_a_correction_that_corrects_nothing_is_refused_at_once(
    clearing: RunningClearing, values: dict[str, Any], status: int, reason: str, message: str
) -> None:
    match_id = await held_trade(clearing)
    body = {"reason": "x"} | values
    got, error = await clearing.ask("POST", f"/trades/{match_id}/correct", body=body)
    assert (got, error["reason"]) == (status, reason)
    assert message in error["message"]


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": "x" * 501}, {"reason": "x", "code": "Z"}, {"why": "x"}]
)
async def test_a_ruling_needs_a_reason_and_a_known_code(
    clearing: RunningClearing, body: dict[str, Any]
) -> None:
    match_id = await held_trade(clearing)
    status, error = await clearing.ask("POST", f"/trades/{match_id}/bust", body=body)
    assert status == 400, error
    assert (await clearing.get(f"/trades/{match_id}"))["state"] == "held"


@pytest.mark.parametrize("key", ["alice", "auditor", ""])
async def test_only_clearing_and_operators_rule(clearing: RunningClearing, key: str) -> None:
    match_id = await held_trade(clearing)
    for act in ("release", "bust", "correct"):
        status, _ = await clearing.ask("POST", f"/trades/{match_id}/{act}", key, {"reason": "mine"})
        assert status == (403 if key else 401)


@pytest.mark.parametrize("act", ["release", "bust", "correct"])
async def test_a_ruling_on_an_unknown_trade_is_not_found(clearing: RunningClearing, act: str) -> None:
    status, error = await clearing.ask("POST", f"/trades/99999/{act}", body={"reason": "x"})
    assert (status, error["reason"]) == (404, "unknown_trade")


# --- who sees what --------------------------------------------------------------------------------


async def test_a_participant_sees_its_own_side_of_its_own_trades(clearing: RunningClearing) -> None:
    own, other = clearing.stream.trade(1, 2, 100, price="195.00"), clearing.stream.trade(2, 3, 50)
    await clearing.caught_up()
    trades = (await clearing.get("/trades", "alice"))["items"]
    assert [trade["match_id"] for trade in trades] == [str(own)]
    assert (trades[0]["buy_account"], trades[0]["sell_account"], trades[0]["sell_order_id"]) == (
        "1",
        None,
        None,
    )
    story = await clearing.get(f"/trades/{own}", "alice")
    assert (story["rulings"], story["requests"], len(story["ledger"])) == ([], [], 2)
    assert {step["why"] for step in story["steps"]} == {""}
    status, _ = await clearing.ask("GET", f"/trades/{other}", "alice")
    assert status == 404
    seen_by_bob = (await clearing.get("/trades", "bob"))["items"]
    assert [(trade["buy_account"], trade["sell_account"]) for trade in seen_by_bob] == [
        ("2", None),
        (None, "2"),
    ]


@pytest.mark.parametrize("path", ["/positions", "/balances", "/ledger"])
async def test_a_participant_sees_only_its_own_books(clearing: RunningClearing, path: str) -> None:
    clearing.stream.deposit(1, 5_0000)
    clearing.stream.deposit(2, 5_0000)
    clearing.stream.trade(1, 2, 100)
    await clearing.caught_up()
    everything, own = await clearing.get(path), await clearing.get(path, "alice")
    assert 0 < len(own["items"]) < len(everything["items"])
    status, error = await clearing.ask("GET", f"{path}?account=2", "alice")
    assert (status, error["reason"]) == (404, "unknown_account")
    assert (await clearing.get(f"{path}?account=1", "alice"))["items"] == own["items"]
    assert (await clearing.get(f"{path}?account=1"))["items"] == own["items"]


@pytest.mark.parametrize("path", ["/stats", "/break-report", "/prove"])
async def test_reports_are_for_the_office(clearing: RunningClearing, path: str) -> None:
    assert (await clearing.ask("GET", path, "alice"))[0] == 403
    assert (await clearing.ask("GET", path, ""))[0] == 401


# --- lists ----------------------------------------------------------------------------------------


async def test_trades_are_listed_newest_first_by_state_symbol_and_account_in_pages(
    clearing: RunningClearing,
) -> None:
    stream = clearing.stream
    ids = [stream.trade(1, 2, 1, price="195.00"), stream.trade(2, 3, 2), stream.trade(3, 1, 3)]
    ids.append(stream.trade(3, 1, 4, price="10.00", reference="10.00", symbol_id=2))
    await clearing.caught_up()

    async def listed(query: str) -> list[int]:
        return [int(trade["match_id"]) for trade in (await clearing.get(f"/trades{query}"))["items"]]

    assert await listed("") == ids[::-1]
    assert await listed("?state=held") == [ids[0]]
    assert await listed("?state=accepted&symbol=AAPL") == [ids[2], ids[1]]
    assert await listed("?symbol=XYZ") == [ids[3]]
    assert await listed("?account=1") == [ids[3], ids[2], ids[0]]
    assert await listed("?account=1&limit=2") == [ids[3], ids[2]]
    pages, cursor = [], ""
    while cursor is not None:
        page = await clearing.get(f"/trades?limit=3&cursor={cursor}")
        pages.append([int(trade["match_id"]) for trade in page["items"]])
        cursor = page["next"]
    assert pages == [ids[:0:-1], [ids[0]]]


async def test_positions_balances_and_ledger_say_what_an_accountant_expects(
    clearing: RunningClearing,
) -> None:
    stream = clearing.stream
    stream.deposit(1, 1_000_0000)
    stream.deposit(2, 500, symbol_id=1)
    stream.trade(1, 2, 4, price="190.00")
    await clearing.caught_up()
    assert (await clearing.get("/balances?account=1"))["items"] == [
        {
            "account": "1", "asset": "cash", "available": "1000.00", "due": "-760.00", "total": "240.00",
            "overdrawn": False,
        },
        {"account": "1", "asset": "AAPL", "available": "0", "due": "4", "total": "4", "overdrawn": False},
    ]  # fmt: skip
    assert (await clearing.get("/positions?account=2"))["items"] == [
        {
            "account": "2", "symbol": "AAPL", "qty": "496", "deposited": "500", "bought": "0", "sold": "4",
            "cost": "-760.00", "average_price": "190.00",
        }
    ]  # fmt: skip
    entries = (await clearing.get("/ledger?account=2&asset=AAPL"))["items"]
    assert [(entry["debit"], entry["credit"], entry["amount"], entry["what"]) for entry in entries] == [
        ({"holder": "due", "account": "2"}, {"holder": "ccp", "account": None}, "4", "trade"),
        ({"holder": "external", "account": None}, {"holder": "available", "account": "2"}, "500", "deposit"),
    ]


@pytest.mark.parametrize("path", ["/positions", "/balances", "/ledger"])
async def test_every_list_comes_whole_in_pages_of_one(clearing: RunningClearing, path: str) -> None:
    clearing.stream.deposit(1, 5_0000)
    clearing.stream.deposit(2, 7, symbol_id=2)
    clearing.stream.trade(1, 2, 100)
    await clearing.caught_up()
    whole = (await clearing.get(path))["items"]
    assert len(whole) > 2
    items, cursor = [], ""
    while cursor is not None:
        page = await clearing.get(f"{path}?limit=1&cursor={cursor}")
        items += page["items"]
        cursor = page["next"]
    assert items == whole


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/trades?state=lost", 400),
        ("/trades?symbol=NOPE", 404),
        ("/trades?account=99", 404),
        ("/trades?account=abc", 400),
        ("/trades?cursor=abc", 400),
        ("/trades?limit=0", 400),
        ("/trades?limit=1001", 400),
        ("/trades?colour=red", 400),
        ("/trades/abc", 400),
        ("/trades/99999", 404),
        ("/positions?cursor=1", 400),
        ("/positions?cursor=1-x", 400),
        ("/ledger?asset=NOPE", 404),
        ("/ledger?cursor=99999999999999999999", 200),
        ("/balances?cursor=99999999999999999999-1", 200),
    ],
)
async def test_nonsense_gets_an_answer_and_no_failure(
    clearing: RunningClearing, path: str, status: int
) -> None:
    got, body = await clearing.ask("GET", path, "auditor")
    assert got == status, body
    if status != 200:
        assert body["message"]


async def test_the_rules_are_shown_to_everybody_with_a_key_as_they_are_configured(
    clearing: RunningClearing,
) -> None:
    rules = await clearing.get("/rules", "alice")
    assert (rules["version"], rules["on_rule_error"]) == ("1", "hold")
    band, self_trade, notional = rules["items"][:3]
    assert band["parameters"]["tiers"] == [
        {"up_to": "25.00", "percent": "10"},
        {"up_to": "50.00", "percent": "5"},
        {"percent": "3"},
    ]
    assert (band["parameters"]["when"], band["parameters"]["reason"]) == ({"session": ["core"]}, "E")
    assert (self_trade["parameters"]["scope"], self_trade["parameters"]["action"]) == ("account", "hold")
    assert notional["parameters"]["limit"] == "5000000.00"
    assert band["meaning"] == "The price is too far from the reference price."
