"""`exchange order …` asks the engine for what was typed, with the right key, and tells what came of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent

ORDER = {
    "id": "72", "client_order_id": "", "account": "1", "symbol": "AAPL", "seq": 300, "side": "buy",
    "type": "limit", "time_in_force": "day", "qty": "100", "price": "189.20", "post_only": False,
    "status": "new", "filled_qty": "0", "avg_price": None, "leaves_qty": "100",
    "created_at": "2026-11-23T05:00:00.000000000Z", "updated_at": "2026-11-23T05:00:00.000000000Z",
}  # fmt: skip


def test_buying_at_a_price_sends_a_day_limit_order(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("POST", "/api/v1/order", ORDER, 201)
    ran = run("order", "buy", "aapl", "100", "@", "189.20")
    assert (ran.code, ran.out) == (0, "order 72: buy 100 AAPL at 189.20: new\n")
    (asked,) = component.asked
    assert asked.key == "xk_alice"
    assert asked.body == {
        "symbol": "AAPL", "side": "buy", "qty": "100", "type": "limit", "time_in_force": "day",
        "price": "189.20",
    }  # fmt: skip


def test_selling_without_a_price_sends_a_market_order(run: Run, component: StubComponent, data: Path) -> None:
    filled = ORDER | {
        "side": "sell", "type": "market", "price": None, "status": "filled", "filled_qty": "100",
        "avg_price": "189.1950", "leaves_qty": "0",
    }  # fmt: skip
    component.answer("POST", "/api/v1/order", filled, 201)
    ran = run("order", "sell", "AAPL", "100", "--as", "bob")
    assert ran.out == (
        "order 72: sell 100 AAPL at market: filled\n  filled 100 at 189.1950 on average, 0 left\n"
    )
    (asked,) = component.asked
    assert asked.key == "xk_bob"
    assert asked.body == {
        "symbol": "AAPL",
        "side": "sell",
        "qty": "100",
        "type": "market",
        "time_in_force": "ioc",
    }


def test_every_option_of_an_order_is_sent(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("POST", "/api/v1/order", ORDER, 201)
    run(
        *[
            "order",
            "buy",
            "AAPL",
            "100@189.20",
            "--tif",
            "gtc",
            "--post-only",
            "--client-order-id",
            "mine",
            "--account",
            "9",
        ]
    )
    (asked,) = component.asked
    assert asked.body["time_in_force"] == "gtc"
    assert asked.body["post_only"] is True
    assert asked.body["client_order_id"] == "mine"
    assert asked.body["account"] == "9"


def test_json_is_the_answer_as_it_came(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("POST", "/api/v1/order", ORDER, 201)
    assert run("order", "buy", "AAPL", "100", "@", "189.20", "--json").json == ORDER


def test_a_refusal_ends_with_one_and_says_why(run: Run, component: StubComponent, data: Path) -> None:
    message = "price 189.205 is not a multiple of the tick size 0.01; nearest 189.20 or 189.21"
    component.refuse("POST", "/api/v1/order", 422, "price_not_on_tick", message)
    ran = run("order", "buy", "AAPL", "100", "@", "189.205")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"exchange: {message} (price_not_on_tick)\n"


def test_a_refusal_in_json_has_the_form_of_the_exchange(
    run: Run, component: StubComponent, data: Path
) -> None:
    component.refuse("POST", "/api/v1/order", 422, "price_not_on_tick", "no")
    ran = run("order", "buy", "AAPL", "100", "@", "189.205", "--json")
    assert ran.error["reason"] == "price_not_on_tick"
    assert ran.error["exit_code"] == 1
    assert ran.error["status"] == 422


def test_amending_sends_only_what_was_said(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("PATCH", "/api/v1/order/72", {"id": "72", "qty": "60"})
    run("order", "amend", "72", "60")
    run("order", "amend", "72", "@", "189.15")
    run("order", "amend", "72", "60", "@", "189.15")
    assert [asked.body for asked in component.asked] == [
        {"qty": "60"},
        {"price": "189.15"},
        {"qty": "60", "price": "189.15"},
    ]


def test_amending_nothing_is_wrong_usage(run: Run, component: StubComponent, data: Path) -> None:
    ran = run("order", "amend", "72")
    assert ran.code == 2
    assert "nothing to change" in ran.err
    assert component.asked == []


def test_an_order_is_cancelled_by_its_id(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("DELETE", "/api/v1/order/72", {"id": "72", "status": "canceled", "canceled_qty": "100"})
    ran = run("order", "cancel", "72")
    assert ran.out == "id            72\nstatus        canceled\ncanceled qty  100\n"


def test_many_orders_are_cancelled_by_what_they_are(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("DELETE", "/api/v1/orders", {"count": 2, "ids": ["72", "73"], "seq": 310})
    ran = run("order", "cancel", "--all", "--symbol", "aapl", "--side", "buy")
    assert component.asked[0].query == {"symbol": "AAPL", "side": "buy"}
    assert "ids    72, 73\n" in ran.out


@pytest.mark.parametrize("words", [("order", "cancel"), ("order", "cancel", "72", "--all")])
def test_cancel_wants_an_order_or_all_and_not_both(run: Run, data: Path, words: tuple[str, ...]) -> None:
    ran = run(*words)
    assert ran.code == 2
    assert "say which order to cancel, or --all" in ran.err


def test_an_order_is_shown_by_either_of_its_names(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/order/72", ORDER)
    component.answer("GET", "/api/v1/orders:by_client_order_id", ORDER)
    assert "price          189.20\n" in run("order", "show", "72").out
    run("order", "show", "mine", "--by-client-order-id")
    assert component.asked[1].query == {"client_order_id": "mine"}


def test_orders_are_listed_as_a_table(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/orders", {"items": [ORDER], "next": None})
    header, row = run("order", "list", "--symbol", "aapl").out.splitlines()
    assert header.split()[:4] == ["id", "symbol", "side", "qty"]
    assert row.split()[:6] == ["72", "AAPL", "buy", "100", "0", "189.20"]
    assert component.asked[0].query == {"status": "open", "symbol": "AAPL", "limit": "100"}


def test_an_empty_list_says_so(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/orders", {"items": [], "next": None})
    assert run("order", "list").out == "no open orders\n"


def test_prevented_matches_are_listed_with_the_orders_that_one_may_see(
    run: Run, component: StubComponent, data: Path
) -> None:
    match = {
        "id": "90", "symbol": "AAPL", "price": "189.20", "qty": "30", "mode": "decrement", "incoming_side": "buy",
        "at": "2026-11-23T09:30:00.000000000Z", "resting_order_id": "72",
    }  # fmt: skip
    component.answer("GET", "/api/v1/prevented_matches", {"items": [match], "next": None})
    header, row = run("order", "prevented", "--symbol", "aapl").out.splitlines()
    assert header.split()[:6] == ["id", "symbol", "incoming", "qty", "price", "mode"]
    assert row.split() == ["90", "AAPL", "buy", "30", "189.20", "decrement", "72", match["at"]]
    assert component.asked[0].query == {"symbol": "AAPL", "limit": "100"}


def test_an_id_cannot_leave_its_place_in_the_path(run: Run, component: StubComponent, data: Path) -> None:
    run("order", "show", "../symbols?x=1")
    assert component.asked[0].path == "/api/v1/order/..%2Fsymbols%3Fx%3D1"


def test_what_an_order_asks_for_is_sent(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("POST", "/api/v1/order", ORDER, 201)
    run(
        "order",
        "sell",
        "AAPL",
        "100",
        "@",
        "189.20",
        "--display-qty",
        "20",
        "--tif",
        "gtd",
        "--expires-at",
        "2100-01-01T00:00:00Z",
    )
    run("order", "sell", "AAPL", "100", "--stop-price", "188.00")
    run("order", "buy", "AAPL", "100", "@", "190.00", "--stop-price", "189.00", "--hidden")
    run("order", "buy", "AAPL", "100", "--trail-bps", "100")
    run("order", "buy", "AAPL", "100", "--to-limit", "--min-qty", "50", "--all-or-none")
    plain = {"symbol": "AAPL", "qty": "100"}
    assert [asked.body for asked in component.asked] == [
        plain | {"side": "sell", "type": "limit", "time_in_force": "gtd", "price": "189.20", "display_qty": "20",
                 "expires_at": "2100-01-01T00:00:00Z"},
        plain | {"side": "sell", "type": "stop", "time_in_force": "day", "stop_price": "188.00"},
        plain | {"side": "buy", "type": "stop_limit", "time_in_force": "day", "price": "190.00", "hidden": True,
                 "stop_price": "189.00"},
        plain | {"side": "buy", "type": "stop", "time_in_force": "day", "trail_bps": 100},
        plain | {"side": "buy", "type": "market_to_limit", "time_in_force": "day", "min_qty": "50",
                 "all_or_none": True},
    ]  # fmt: skip


def test_a_symbols_protection_is_set_by_the_operator(run: Run, component: StubComponent, data: Path) -> None:
    symbol = {
        "symbol": "AAPL",
        "state": "active",
        "reference_price": "1.00",
        "round_lot": "1",
        "ticks": [],
        "name": "A",
    }
    component.answer("PUT", "/api/v1/symbols/AAPL/protection", symbol | {"protection_bps": 500})
    assert "500 bps" in run("symbols", "protection", "aapl", "500").out
    (asked,) = component.asked
    assert asked.body == {"band_bps": 500}


def test_a_pegged_order_takes_its_limit_after_the_at(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("POST", "/api/v1/order", ORDER, 201)
    run("order", "buy", "AAPL", "100", "@", "189.20", "--peg", "primary", "--peg-offset", "-0.02")
    run("order", "sell", "AAPL", "100", "--peg", "midpoint")
    limited, free = component.asked
    common = {"symbol": "AAPL", "qty": "100", "type": "limit", "time_in_force": "day"}
    assert limited.body == common | {
        "side": "buy",
        "price": "189.20",
        "peg": "primary",
        "peg_offset": "-0.02",
    }
    assert free.body == common | {"side": "sell", "peg": "midpoint"}
