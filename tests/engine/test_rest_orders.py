"""Tests of exchange.engine.rest_orders: orders and fills over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from exchange.engine.rest_orders import cursor_of, fill_cursor_of
from exchange.infra.http_routes import ApiError
from tests.engine.running_engine import RunningEngine, shape


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with RunningEngine(tmp_path) as running:
        yield running


async def test_an_order_is_answered_with_its_id_and_sequence(engine: RunningEngine) -> None:
    answer = await engine.order("alice", "buy", "100", "189.20", client_order_id="a-1")
    assert answer.status == 201
    expected = {
        "client_order_id": "a-1", "account": "1", "symbol": "AAPL", "side": "buy", "type": "limit",
        "time_in_force": "day", "qty": "100", "price": "189.20",
    }  # fmt: skip
    assert shape(answer.body, *expected) == expected
    assert shape(answer.body, "status", "filled_qty", "avg_price", "leaves_qty") == {
        "status": "new", "filled_qty": "0", "avg_price": None, "leaves_qty": "100",
    }  # fmt: skip
    assert int(answer.body["id"]) > 0
    assert answer.body["seq"] > 0


async def test_an_order_is_shown_at_once_and_its_fills_with_it(engine: RunningEngine) -> None:
    resting = await engine.order("alice", "buy", "100", "189.20")
    incoming = await engine.order("bob", "sell", "30", "189.10")
    assert shape(incoming.body, "status", "filled_qty", "avg_price") == {
        "status": "filled", "filled_qty": "30", "avg_price": "189.20",
    }  # fmt: skip
    shown = await engine.get(f"/api/v1/order/{resting.body['id']}", "alice")
    assert shape(shown.body, "status", "filled_qty", "leaves_qty") == {
        "status": "partially_filled", "filled_qty": "30", "leaves_qty": "70",
    }  # fmt: skip


async def test_the_average_price_of_several_fills_is_rounded_to_a_ten_thousandth(
    engine: RunningEngine,
) -> None:
    for qty, price in (("10", "189.20"), ("20", "189.21")):
        await engine.order("alice", "sell", qty, price)
    answer = await engine.order("bob", "buy", "30", type="market", time_in_force="ioc")
    assert answer.body["avg_price"] == "189.2067"


async def test_an_order_that_may_not_rest_is_answered_as_cancelled(engine: RunningEngine) -> None:
    for order, reason in (
        ({"type": "market", "time_in_force": "ioc"}, "immediate_or_cancel"),
        ({"price": "189.20", "time_in_force": "fok"}, "fill_or_kill"),
    ):
        answer = await engine.order("alice", "buy", "10", **order)
        assert answer.status == 201
        assert (answer.body["status"], answer.body["cancel_reason"]) == ("canceled", reason)
        assert (await engine.get(f"/api/v1/order/{answer.body['id']}", "alice")).body == answer.body


async def test_the_same_order_again_answers_200_and_the_first_as_it_stands(engine: RunningEngine) -> None:
    first = await engine.order("alice", "buy", "100", "189.20", client_order_id="a-1")
    await engine.order("bob", "sell", "40", "189.20")
    again = await engine.order("alice", "buy", "100", "189.20", client_order_id="a-1")
    assert again.status == 200
    assert shape(again.body, "id", "seq") == shape(first.body, "id", "seq")
    assert shape(again.body, "status", "filled_qty") == {"status": "partially_filled", "filled_qty": "40"}


async def test_another_order_with_the_same_client_order_id_answers_409(engine: RunningEngine) -> None:
    first = await engine.order("alice", "buy", "100", "189.20", client_order_id="a-1")
    other = await engine.order("alice", "buy", "101", "189.20", client_order_id="a-1")
    assert other.status == 409
    assert other.body["reason"] == "client_order_id_reused"
    assert first.body["id"] in other.body["message"]
    same_id_of_another = await engine.order("bob", "buy", "101", "189.10", client_order_id="a-1")
    assert same_id_of_another.status == 201


BAD_VALUES: list[tuple[dict[str, Any], int, str, str, str]] = [
    ({"price": "189.2055"}, 422, "price_not_on_tick", "price", "nearest 189.20 or 189.21"),
    ({"price": "189.20555"}, 400, "invalid_field", "price", "at most 4 decimals"),
    ({"price": "1e3"}, 400, "invalid_field", "price", "plain decimal such as 189.20"),
    ({"price": "-1"}, 400, "invalid_field", "price", "above 0"),
    ({"price": "0"}, 400, "invalid_field", "price", "above 0"),
    ({"price": "199999.9901"}, 400, "invalid_field", "price", "at most 199999.99"),
    ({"price": None}, 422, "price_missing", "price", "needs a price"),
    ({"qty": "0"}, 422, "quantity_not_positive", "qty", "at least 1"),
    ({"qty": 0}, 422, "quantity_not_positive", "qty", "at least 1"),
    ({"qty": "-5"}, 422, "quantity_not_positive", "qty", "got -5"),
    ({"qty": -5}, 422, "quantity_not_positive", "qty", "got -5"),
    ({"qty": "1.5"}, 400, "invalid_field", "qty", "whole number"),
    ({"qty": "4294967296"}, 422, "notional_overflow", "qty", "at most 4294967295"),
    ({"qty": "9" * 400}, 400, "invalid_field", "qty", "whole number"),
    ({"symbol": "NOPE"}, 422, "unknown_symbol", "symbol", "'NOPE'"),
    ({"side": "hold"}, 422, "side_invalid", "side", "one of buy, sell"),
    ({"type": "pegged"}, 422, "order_type_invalid", "type", "one of market, limit"),
    (
        {"time_in_force": "opg"},
        422,
        "time_in_force_invalid",
        "time_in_force",
        "one of day, gtc, at_the_open, ioc, fok",
    ),
    ({"type": "market"}, 422, "price_not_allowed", "price", "189.20"),
    (
        {"type": "market", "price": None, "time_in_force": "gtc"},
        422,
        "time_in_force_not_allowed",
        "time_in_force",
        "",
    ),
    ({"post_only": True, "time_in_force": "ioc"}, 422, "post_only_not_allowed", "post_only", ""),
    ({"client_order_id": "has blank"}, 400, "invalid_field", "client_order_id", "printable"),
    ({"client_order_id": "ü"}, 400, "invalid_field", "client_order_id", "printable"),
    ({"client_order_id": "x" * 37}, 400, "invalid_field", "client_order_id", "1 to 36"),
    ({"account": "2"}, 422, "unknown_account", "account", "no account 2"),
    ({"account": "x"}, 400, "invalid_field", "account", "an id such as"),
    ({"price": 189.2}, 400, "invalid_field", "price", ""),
    ({"colour": "red"}, 400, "unknown_field", "colour", ""),
]


async def test_every_bad_value_is_refused_with_field_and_reason(engine: RunningEngine) -> None:
    for change, status, reason, field, words in BAD_VALUES:
        body = {"symbol": "AAPL", "side": "buy", "qty": "100", "price": "189.20"} | change
        answer = await engine.post("/api/v1/order", "alice", body)
        assert (answer.status, answer.body["reason"], answer.body["field"]) == (status, reason, field), change
        assert words in answer.body["message"], change
        assert answer.body["request_id"]


async def test_a_malformed_body_is_refused_in_the_one_form(engine: RunningEngine) -> None:
    for text in (b"", b"{", b'{"symbol":NaN}', b"[]", b'{"qty":1}', b'"\xff"'):
        answer = await engine.ask("POST", "/api/v1/order", "alice", data=text)
        assert answer.status == 400, text
        assert answer.body["code"] >= 1000


async def test_a_refused_order_can_be_looked_up_with_its_reject(engine: RunningEngine) -> None:
    refused = await engine.order("alice", "buy", "100", "189.2055", client_order_id="a-1")
    shown = await engine.get(f"/api/v1/order/{refused.body['detail']['order_id']}", "alice")
    assert shown.body["status"] == "rejected"
    assert shape(shown.body["reject"], "reason", "field", "message") == shape(
        refused.body, "reason", "field", "message"
    )
    by_own_id = await engine.get("/api/v1/orders:by_client_order_id?client_order_id=a-1", "alice")
    assert by_own_id.body == shown.body


async def test_roles_that_do_not_trade_enter_nothing(engine: RunningEngine) -> None:
    for who, status in (("operator", 403), ("auditor", 403), ("", 401), ("xk_nonsense", 401)):
        assert (await engine.order(who, "buy", "1", "189.20")).status == status, who


async def test_a_cancel_is_answered_with_what_was_left(engine: RunningEngine) -> None:
    order = await engine.order("alice", "buy", "100", "189.20")
    await engine.order("bob", "sell", "40", "189.20")
    cancel = await engine.ask("DELETE", f"/api/v1/order/{order.body['id']}", "alice")
    assert cancel.status == 200
    assert shape(cancel.body, "id", "status", "canceled_qty", "cancel_reason", "symbol", "price") == {
        "id": order.body["id"], "status": "canceled", "canceled_qty": "60", "cancel_reason": "requested",
        "symbol": "AAPL", "price": "189.20",
    }  # fmt: skip
    assert cancel.body["seq"] > order.body["seq"]


async def test_a_finished_order_is_cancelled_by_nobody_and_says_why(engine: RunningEngine) -> None:
    order, _, _ = await engine.trade()
    answer = await engine.ask("DELETE", f"/api/v1/order/{order}", "alice")
    assert (answer.status, answer.body["reason"]) == (422, "unknown_order")
    assert "is filled" in answer.body["message"]


async def test_unknown_and_foreign_orders_answer_the_same_404(engine: RunningEngine) -> None:
    own = (await engine.order("alice", "buy", "100", "189.20")).body["id"]
    for method, path, body in (
        ("GET", "/api/v1/order/{}", None),
        ("DELETE", "/api/v1/order/{}", None),
        ("PATCH", "/api/v1/order/{}", {"qty": "50"}),
        ("POST", "/api/v1/order/{}/replace", {"qty": "50"}),
    ):
        foreign = await engine.ask(method, path.format(own), "bob", body)
        unknown = await engine.ask(method, path.format(999_999), "bob", body)
        assert (foreign.status, unknown.status) == (404, 404), (method, foreign, unknown)
        assert foreign.body["message"].replace(own, "N") == unknown.body["message"].replace("999999", "N")
    assert (await engine.get(f"/api/v1/order/{own}", "alice")).body["status"] == "new"


async def test_ids_at_the_edge_are_just_unknown(engine: RunningEngine) -> None:
    for order_id in (0, 2**63, 2**64 - 1):
        assert (await engine.get(f"/api/v1/order/{order_id}", "alice")).status == 404
        assert (await engine.ask("DELETE", f"/api/v1/order/{order_id}", "alice")).status == 404


async def test_an_operator_cancels_and_sees_any_order(engine: RunningEngine) -> None:
    own = (await engine.order("alice", "buy", "100", "189.20")).body["id"]
    assert (await engine.get(f"/api/v1/order/{own}", "auditor")).body["id"] == own
    cancel = await engine.ask("DELETE", f"/api/v1/order/{own}", "operator")
    assert (cancel.status, cancel.body["cancel_reason"]) == (200, "operator")


async def test_less_quantity_keeps_the_place_and_another_price_does_not(engine: RunningEngine) -> None:
    own = (await engine.order("alice", "buy", "100", "189.20")).body["id"]
    less = await engine.ask("PATCH", f"/api/v1/order/{own}", "alice", {"qty": "60"})
    assert shape(less.body, "qty", "leaves_qty", "kept_priority", "price", "status") == {
        "qty": "60", "leaves_qty": "60", "kept_priority": True, "price": "189.20", "status": "new",
    }  # fmt: skip
    dearer = await engine.ask("PATCH", f"/api/v1/order/{own}", "alice", {"price": "189.25"})
    assert shape(dearer.body, "qty", "kept_priority", "price") == {
        "qty": "60", "kept_priority": False, "price": "189.25",
    }  # fmt: skip
    shown = (await engine.get(f"/api/v1/order/{own}", "alice")).body
    assert shape(shown, "qty", "price", "leaves_qty") == {"qty": "60", "price": "189.25", "leaves_qty": "60"}


async def test_an_amendment_that_trades_tells_so(engine: RunningEngine) -> None:
    await engine.order("bob", "sell", "30", "189.30")
    own = (await engine.order("alice", "buy", "100", "189.20")).body["id"]
    answer = await engine.ask("PATCH", f"/api/v1/order/{own}", "alice", {"price": "189.30"})
    assert shape(answer.body, "status", "filled_qty", "leaves_qty") == {
        "status": "partially_filled", "filled_qty": "30", "leaves_qty": "70",
    }  # fmt: skip


async def test_an_amendment_the_venue_refuses_says_why(engine: RunningEngine) -> None:
    own = (await engine.order("alice", "buy", "100", "189.20")).body["id"]
    for change, reason in (({}, "nothing_to_amend"), ({"price": "189.205"}, "price_not_on_tick")):
        answer = await engine.ask("PATCH", f"/api/v1/order/{own}", "alice", change)
        assert (answer.status, answer.body["reason"]) == (422, reason)


async def test_a_replacement_is_a_new_order_that_names_the_old_one(engine: RunningEngine) -> None:
    old = (await engine.order("alice", "buy", "100", "189.20")).body["id"]
    change = {"price": "189.10", "client_order_id": "r-1"}
    new = await engine.post(f"/api/v1/order/{old}/replace", "alice", change)
    assert new.status == 201
    assert shape(new.body, "replaces", "qty", "price", "status") == {
        "replaces": old, "qty": "100", "price": "189.10", "status": "new",
    }  # fmt: skip
    shown = (await engine.get(f"/api/v1/order/{old}", "alice")).body
    assert shape(shown, "status", "replaced_by") == {"status": "replaced", "replaced_by": new.body["id"]}
    again = await engine.post(f"/api/v1/order/{old}/replace", "alice", change)
    assert (again.status, again.body["id"]) == (200, new.body["id"])
    other = await engine.post(f"/api/v1/order/{old}/replace", "alice", change | {"price": "189.00"})
    assert (other.status, other.body["reason"]) == (409, "client_order_id_reused")
    unnamed = await engine.post(f"/api/v1/order/{old}/replace", "alice", {"price": "189.10"})
    assert unnamed.status == 422


async def test_each_item_of_an_array_has_its_own_result_in_order(engine: RunningEngine) -> None:
    good = {"symbol": "AAPL", "side": "buy", "qty": "10", "price": "189.20", "client_order_id": "b-1"}
    items = [
        good,
        good | {"side": "sell", "client_order_id": "b-2"},
        good | {"price": "189.205", "client_order_id": "b-3"},
        good | {"symbol": "NOPE", "client_order_id": "b-4"},
        good,
        good | {"qty": "11"},
        good | {"price": "188.00", "client_order_id": "b-5"},
    ]
    answer = await engine.post("/api/v1/orders", "alice", items)
    assert answer.status == 200
    assert [item["status"] for item in answer.items] == [201, 201, 422, 422, 200, 409, 201]
    assert [item.get("error", {}).get("reason") for item in answer.items] == [
        None, None, "price_not_on_tick", "unknown_symbol", None, "client_order_id_reused", None,
    ]  # fmt: skip
    assert answer.items[4]["order"]["id"] == answer.items[0]["order"]["id"]
    assert answer.items[1]["order"]["status"] == "filled"


async def test_an_array_is_bounded_and_may_be_empty(engine: RunningEngine) -> None:
    assert (await engine.post("/api/v1/orders", "alice", [])).body == {"items": []}
    item = {"symbol": "AAPL", "side": "buy", "qty": "1", "price": "1.00"}
    assert len((await engine.post("/api/v1/orders", "alice", [item] * 1000)).items) == 1000
    too_many = await engine.post("/api/v1/orders", "alice", [item] * 1001)
    assert too_many.status == 413
    assert "nothing was entered" in too_many.body["message"]


async def test_a_mass_cancel_takes_only_what_fits_and_only_ones_own(engine: RunningEngine) -> None:
    mine = [(await engine.order("alice", "buy", "10", price)).body["id"] for price in ("189.00", "188.00")]
    sell = (await engine.order("alice", "sell", "10", "190.00")).body["id"]
    other = (await engine.order("alice", "buy", "1", "400.00", symbol="MSFT")).body
    foreign = (await engine.order("bob", "buy", "10", "187.00")).body["id"]
    answer = await engine.ask("DELETE", "/api/v1/orders?symbol=AAPL&side=buy", "alice")
    assert (answer.body["count"], answer.body["ids"]) == (2, mine)
    live = await engine.get("/api/v1/orders?status=open", "operator")
    assert {order["id"] for order in live.items} == {sell, other["id"], foreign}
    assert (await engine.ask("DELETE", "/api/v1/orders", "alice")).body["count"] == 2
    assert (await engine.ask("DELETE", "/api/v1/orders?account=2", "alice")).status == 422
    assert (await engine.ask("DELETE", "/api/v1/orders", "operator")).body["ids"] == [foreign]


async def test_orders_are_listed_newest_first_by_pages(engine: RunningEngine) -> None:
    ids = [(await engine.order("alice", "buy", "1", "100.00")).body["id"] for _ in range(5)]
    await engine.order("bob", "buy", "1", "100.00")
    seen: list[str] = []
    cursor = ""
    while True:
        page = await engine.get(f"/api/v1/orders?limit=2&cursor={cursor}", "alice")
        seen += [order["id"] for order in page.items]
        cursor = page.body["next"]
        if cursor is None:
            break
    assert seen == ids[::-1]


async def test_orders_are_listed_by_status_symbol_and_account(engine: RunningEngine) -> None:
    filled, _, _ = await engine.trade()
    live = (await engine.order("alice", "buy", "1", "100.00")).body["id"]

    async def ids(query: str, who: str = "alice") -> list[str]:
        return [order["id"] for order in (await engine.get(f"/api/v1/orders?{query}", who)).items]

    assert await ids("status=open") == [live]
    assert await ids("status=closed") == [filled]
    assert await ids("status=all&symbol=AAPL&account=1") == [live, filled]
    assert await ids("symbol=MSFT") == []
    assert await ids("account=1", "auditor") == [live, filled]
    assert (await engine.get("/api/v1/orders?account=1", "bob")).status == 422
    assert (await engine.get("/api/v1/orders?status=maybe", "alice")).body["field"] == "status"


async def test_an_order_is_found_by_the_id_its_owner_gave_it(engine: RunningEngine) -> None:
    order = await engine.order("alice", "buy", "1", "100.00", client_order_id="mine")
    path = "/api/v1/orders:by_client_order_id?client_order_id="
    assert (await engine.get(path + "mine", "alice")).body == order.body
    assert (await engine.get(path + "mine&account=1", "auditor")).body == order.body
    for query, who in (("mine", "bob"), ("other", "alice"), ("has%20blank", "alice"), ("", "alice")):
        assert (await engine.get(path + query, who)).status == 404, query


async def test_fills_are_listed_newest_first_with_both_sides_their_own(engine: RunningEngine) -> None:
    order, _, first = await engine.trade("10")
    _, _, second = await engine.trade("20", "189.25")
    fills = await engine.get("/api/v1/fills", "alice")
    assert [fill["match_id"] for fill in fills.items] == [second, first]
    assert shape(fills.items[1], "order_id", "side", "qty", "price", "liquidity", "status", "symbol") == {
        "order_id": order, "side": "buy", "qty": "10", "price": "189.20", "liquidity": "maker",
        "status": "executed", "symbol": "AAPL",
    }  # fmt: skip
    page = await engine.get("/api/v1/fills?limit=1", "bob")
    rest = await engine.get(f"/api/v1/fills?limit=1&cursor={page.body['next']}", "bob")
    assert [page.items[0]["match_id"], rest.items[0]["match_id"]] == [second, first]
    assert rest.body["next"] is None
    assert (await engine.get("/api/v1/fills", "carol")).items == []
    assert (await engine.get("/api/v1/fills", "auditor")).body["field"] == "account"


async def test_a_trade_with_oneself_shows_both_parts_across_pages(engine: RunningEngine) -> None:
    await engine.order("alice", "buy", "10", "189.20")
    await engine.order("alice", "sell", "10", "189.20")
    page = await engine.get("/api/v1/fills?limit=1", "alice")
    rest = await engine.get(f"/api/v1/fills?limit=1&cursor={page.body['next']}", "alice")
    assert [page.items[0]["side"], rest.items[0]["side"]] == ["sell", "buy"]


def test_a_cursor_is_what_a_page_gave_or_is_refused() -> None:
    assert cursor_of("") == 0
    assert cursor_of("12") == 12
    assert fill_cursor_of("") == (0, 0)
    assert fill_cursor_of(str(41 * 2 + 1)) == (41, 2)
    for text in ("x", "-1", "1" * 21):
        with pytest.raises(ApiError, match="next"):
            cursor_of(text)


async def test_special_terms_are_entered_and_shown(engine: RunningEngine) -> None:
    entered = await engine.order("alice", "sell", "100", "189.20", display_qty="30", client_order_id="i")
    assert shape(entered.body, "status", "display_qty", "leaves_qty") == {
        "status": "new", "display_qty": "30", "leaves_qty": "100",
    }  # fmt: skip
    assert (
        await engine.order("alice", "sell", "100", "189.20", display_qty=30, client_order_id="i")
    ).status == 200
    (row,) = (await engine.get("/api/v1/book?symbol=AAPL")).items[0]["asks"]
    assert (row["qty"], row["orders"]) == ("30", 1)
    taken = await engine.order("bob", "buy", "40", "189.20")
    assert shape(taken.body, "status", "filled_qty") == {"status": "filled", "filled_qty": "40"}
    shown = await engine.get(f"/api/v1/order/{entered.body['id']}", "alice")
    assert shape(shown.body, "leaves_qty", "display_qty") == {"leaves_qty": "60", "display_qty": "30"}
    own = await engine.get(f"/api/v1/book/{entered.body['id']}", "alice")
    anyone = await engine.get(f"/api/v1/book/{entered.body['id']}", "bob")
    assert (own.body["qty"], own.body["leaves_qty"], "leaves_qty" in anyone.body) == ("20", "60", False)


async def test_hidden_orders_and_orders_with_a_minimum_are_in_nobodys_book(engine: RunningEngine) -> None:
    for more in ({"hidden": True}, {"min_qty": "50"}, {"all_or_none": True}):
        entered = await engine.order("alice", "sell", "100", "189.20", **more)
        assert shape(entered.body, "hidden", *more) == {"hidden": True} | more
        assert (await engine.get("/api/v1/book?symbol=AAPL")).items[0]["asks"] == []
        assert (await engine.get(f"/api/v1/book/{entered.body['id']}", "alice")).status == 404
        assert (await engine.ask("DELETE", f"/api/v1/order/{entered.body['id']}", "alice")).status == 200


async def test_a_price_that_the_market_gave_is_shown(engine: RunningEngine) -> None:
    await engine.order("alice", "sell", "10", "189.20")
    to_limit = await engine.order("bob", "buy", "30", type="market_to_limit", time_in_force="day")
    assert shape(to_limit.body, "price", "status", "leaves_qty") == {
        "price": "189.20", "status": "partially_filled", "leaves_qty": "20",
    }  # fmt: skip
    behind = await engine.order("alice", "sell", "10", "189.00", post_only=True, reprice=True)
    assert (behind.body["price"], behind.body["reprice"]) == ("189.21", True)
    amended = await engine.ask("PATCH", f"/api/v1/order/{behind.body['id']}", "alice", {"price": "189.10"})
    assert amended.body["price"] == "189.21"
    for one in (to_limit, behind):
        shown = await engine.get(f"/api/v1/order/{one.body['id']}", "operator")
        assert shown.body["price"] == one.body["price"]


async def test_an_order_good_till_a_time_says_until_when(engine: RunningEngine) -> None:
    until = "2100-01-01T00:00:00.000000000Z"
    entered = await engine.order("alice", "sell", "10", "189.20", time_in_force="gtd", expires_at=until)
    assert shape(entered.body, "time_in_force", "expires_at") == {"time_in_force": "gtd", "expires_at": until}
    assert (await engine.get(f"/api/v1/order/{entered.body['id']}", "alice")).body["expires_at"] == until
    past = await engine.order(
        "alice", "sell", "10", "189.20", time_in_force="gtd", expires_at="2001-01-01T00:00:00Z"
    )
    assert (past.status, past.body["reason"]) == (422, "expiry_invalid")
    for wrong in ("soon", "1901-01-01T00:00:00Z"):
        answer = await engine.order("alice", "sell", "10", "189.20", time_in_force="gtd", expires_at=wrong)
        assert (answer.status, answer.body["field"]) == (400, "expires_at")


async def test_reprice_needs_post_only(engine: RunningEngine) -> None:
    answer = await engine.order("alice", "sell", "10", "189.20", reprice=True)
    assert (answer.status, answer.body["field"]) == (422, "reprice")


async def test_market_orders_are_protected_where_the_symbol_is(engine: RunningEngine) -> None:
    protected = await engine.ask("PUT", "/api/v1/symbols/AAPL/protection", "operator", {"band_bps": 100})
    assert protected.body["protection_bps"] == 100
    for price in ("189.20", "200.00"):
        await engine.order("alice", "sell", "10", price)
    answer = await engine.order("bob", "buy", "20", type="market", time_in_force="ioc")
    assert shape(answer.body, "filled_qty", "cancel_reason") == {
        "filled_qty": "10",
        "cancel_reason": "protection",
    }
    assert (
        await engine.ask("PUT", "/api/v1/symbols/AAPL/protection", "alice", {"band_bps": 1})
    ).status == 403
    assert (
        await engine.ask("PUT", "/api/v1/symbols/AAPL/protection", "operator", {"band_bps": 10_001})
    ).status in (
        400,
        422,
    )


async def test_a_stop_order_waits_and_is_triggered(engine: RunningEngine) -> None:
    await engine.order("alice", "sell", "10", "189.50")
    await engine.order("alice", "sell", "100", "189.60")
    stop = await engine.order("bob", "buy", "20", type="stop", stop_price="189.50")
    assert shape(stop.body, "status", "stop_price", "price") == {
        "status": "new",
        "stop_price": "189.50",
        "price": None,
    }
    assert (await engine.get(f"/api/v1/book/{stop.body['id']}", "bob")).status == 404
    taken = await engine.order("carol", "buy", "10", "189.50")
    assert shape(taken.body, "status", "filled_qty", "avg_price") == {
        "status": "filled", "filled_qty": "10", "avg_price": "189.50",
    }  # fmt: skip
    shown = (await engine.get(f"/api/v1/order/{stop.body['id']}", "bob")).body
    assert shape(shown, "status", "filled_qty", "avg_price") == {
        "status": "filled", "filled_qty": "20", "avg_price": "189.60",
    }  # fmt: skip
    assert shown["triggered_at"] == taken.body["created_at"]


async def test_a_trailing_stop_shows_where_it_stands(engine: RunningEngine) -> None:
    trailing = await engine.order("alice", "sell", "10", type="stop", trail_amount="1.00")
    assert shape(trailing.body, "stop_price", "trail_amount") == {
        "stop_price": "188.20",
        "trail_amount": "1.00",
    }
    await engine.trade("10", "195.00")
    shown = await engine.get(f"/api/v1/order/{trailing.body['id']}", "alice")
    assert shape(shown.body, "stop_price", "trail_amount") == {"stop_price": "194.00", "trail_amount": "1.00"}
    reached = await engine.order("bob", "buy", "10", type="stop", stop_price="190.00")
    assert (reached.status, reached.body["reason"]) == (422, "stop_already_reached")
    share = await engine.order("bob", "sell", "10", type="stop", trail_bps=100)
    assert shape(share.body, "stop_price", "trail_bps") == {"stop_price": "193.05", "trail_bps": 100}
    too_wide = await engine.order("bob", "sell", "10", type="stop", trail_bps=5_001)
    assert too_wide.status in (400, 422)


async def test_prevented_self_trades_are_listed_for_those_they_concern(engine: RunningEngine) -> None:
    path = "/api/v1/participants/1/self_trade_prevention"
    set_ = await engine.ask("PUT", path, "operator", {"group": 3, "mode": "decrement"})
    assert shape(set_.body, "self_trade_group", "self_trade_mode") == {
        "self_trade_group": 3, "self_trade_mode": "decrement",
    }  # fmt: skip
    resting = await engine.order("alice", "sell", "30", "189.20")
    incoming = await engine.order("alice", "buy", "100", "189.20")
    assert shape(incoming.body, "qty", "leaves_qty", "filled_qty", "status") == {
        "qty": "70", "leaves_qty": "70", "filled_qty": "0", "status": "new",
    }  # fmt: skip
    shown = await engine.get(f"/api/v1/order/{resting.body['id']}", "alice")
    assert shape(shown.body, "status", "cancel_reason") == {
        "status": "canceled",
        "cancel_reason": "self_trade",
    }
    shown = await engine.get(f"/api/v1/order/{incoming.body['id']}", "alice")
    assert shape(shown.body, "qty", "leaves_qty") == {"qty": "70", "leaves_qty": "70"}
    (prevented,) = (await engine.get("/api/v1/prevented_matches?symbol=AAPL", "alice")).items
    expected = {
        "symbol": "AAPL", "price": "189.20", "qty": "30", "mode": "decrement", "incoming_side": "buy",
        "resting_order_id": resting.body["id"], "incoming_order_id": incoming.body["id"],
    }  # fmt: skip
    assert shape(prevented, *expected) == expected
    assert (await engine.get("/api/v1/prevented_matches", "bob")).items == []
    assert len((await engine.get("/api/v1/prevented_matches?limit=1", "operator")).items) == 1
    for who, body, status in (
        ("alice", {"group": 1, "mode": "decrement"}, 403),
        ("operator", {"group": 0, "mode": "decrement"}, 422),
        ("operator", {"group": 1, "mode": "sometimes"}, 422),
    ):
        assert (await engine.ask("PUT", path, who, body)).status == status
    assert (
        await engine.ask("PUT", path.replace("/1/", "/99/"), "operator", {"group": 0, "mode": "none"})
    ).status == 404


async def test_a_pegged_order_shows_its_price_as_it_moves_and_is_seen_by_nobody_else(
    engine: RunningEngine,
) -> None:
    pegged = await engine.order("alice", "buy", "10", "189.10", peg="primary", peg_offset="0.02")
    expected = {
        "status": "new",
        "price": None,
        "peg": "primary",
        "peg_offset": "0.02",
        "limit_price": "189.10",
    }
    assert shape(pegged.body, *expected) == expected
    await engine.order("bob", "buy", "5", "189.00")
    path = f"/api/v1/order/{pegged.body['id']}"
    assert (await engine.get(path, "alice")).body["price"] == "189.02"
    await engine.order("bob", "buy", "5", "189.09")
    expected |= {"price": "189.10"}
    assert shape((await engine.get(path, "alice")).body, *expected) == expected
    book = await engine.get("/api/v1/book?symbol=AAPL&depth=5")
    assert "189.10" not in str(book.body)
    changed = await engine.ask("PATCH", path, "alice", {"qty": "5"})
    assert (changed.status, changed.body["reason"]) == (422, "peg_not_changed")


@pytest.mark.parametrize(
    "more",
    [
        {"peg": "best"}, {"peg_offset": "0.01"}, {"peg": "midpoint", "peg_offset": "0.01"},
        {"peg": "market", "time_in_force": "ioc"}, {"peg": "market", "hidden": True},
        {"peg": "market", "min_qty": "5"}, {"peg": "market", "type": "market"},
    ],
)  # fmt: skip
async def test_a_pegged_order_that_cannot_be_is_refused(engine: RunningEngine, more: dict[str, Any]) -> None:
    answer = await engine.order("alice", "buy", "10", **more)
    assert (answer.status, answer.body["reason"]) == (422, "peg_invalid"), answer.body
