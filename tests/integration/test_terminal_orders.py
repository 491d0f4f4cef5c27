"""Pegged and linked orders, marked sales and quotes, entered in a real browser and then found in the engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.integration.exchange_process import Client, ExchangeProcess, wait_for
from tests.integration.terminal_screen import NEEDS_TERMINAL, WAIT_MS, Screen, picture

pytestmark = NEEDS_TERMINAL


def client(exchange: ExchangeProcess, name: str) -> Client:
    """Speak to the engine as a participant."""
    return Client(exchange.url("engine"), exchange.keys()["participants"][name]["key"])


@pytest.fixture
def alice(exchange: ExchangeProcess) -> Iterator[Client]:
    """Alice's key at the engine; what she leaves in the book is taken out."""
    found = client(exchange, "alice")
    yield found
    assert found.call("DELETE", "/api/v1/orders")[0] == 200


def newest_order(who: Client) -> dict[str, Any]:
    """Return the order that was entered last; one without an id where there is none."""
    found: list[dict[str, Any]] = who.get("/api/v1/orders?limit=1")["items"]
    return found[0] if found else {"id": ""}


def sent_after(before: str, page: Page, who: Client) -> dict[str, Any]:
    """Send the ticket, and return the order that came of it. before: the newest order's id until now."""
    page.click("#send")
    found = wait_for(lambda: (order := newest_order(who))["id"] != before and order, "the order")
    assert isinstance(found, dict)
    return found


def fill(page: Page, fields: dict[str, str]) -> None:
    """Write into the ticket's fields."""
    for name, text in fields.items():
        page.fill(f"#{name}", text)


def test_a_pegged_order_is_told_in_words_sent_and_follows(screen: Screen, alice: Client) -> None:
    page = screen.open(who="alice")
    page.uncheck("#confirm")
    for peg, offset, limit in (("primary", "-0.50", "250.00"), ("midpoint", "", ""), ("market", "-0.75", "")):
        page.select_option("#type", "pegged")
        page.select_option("#peg", peg)
        fill(page, {"peg-offset": offset} if offset else {})
        fill(page, {"price": limit, "qty": "21"})
        expect(page.locator("#words")).to_contain_text("Its price follows")
        found = sent_after(newest_order(alice)["id"], page, alice)
        assert (found["peg"], found["side"], found["qty"]) == (peg, "buy", "21"), found
        assert found.get("peg_offset", "") == offset
        assert found.get("limit_price", "") == limit
    expect(page.locator("#orders tr", has_text="peg ")).to_have_count(3, timeout=WAIT_MS)
    page.select_option("#peg", "primary")
    fill(page, {"peg-offset": "much"})
    expect(page.locator("#words")).to_contain_text("offset is an amount")
    expect(page.locator("#send")).to_be_disabled()


def test_a_bracket_is_entered_shown_with_its_legs_and_cancelled_as_one(screen: Screen, alice: Client) -> None:
    page = screen.open(who="alice")
    page.click("#view-trading")
    fill(page, {"qty": "30", "price": "150.00"})
    page.select_option("#link", "bracket")
    expect(page.locator("#words")).to_contain_text("needs a stop price")
    fill(page, {"loss-price": "260.00", "then-price": "240.00"})
    expect(page.locator("#words")).to_contain_text("the stop price must be below 240.00")
    expect(page.locator("#send")).to_be_disabled()
    fill(page, {"loss-price": "120.00"})
    expect(page.locator("#words")).to_contain_text("Once that is done, what it filled is to be sold")
    page.click("#send")
    page.click("#confirm-send")
    expect(page.locator("#answer")).to_contain_text("2 wait for the entry", timeout=WAIT_MS)
    (found,) = alice.get("/api/v1/order_lists")["items"]
    assert found["contingency"] == "bracket"
    assert [leg.get("price", leg.get("stop_price")) for leg in found["waiting"]] == ["240.00", "120.00"]
    article = page.locator("#lists article")
    expect(article.locator(".leg")).to_have_count(3, timeout=WAIT_MS)
    expect(article).to_contain_text("30 at 150.00")
    picture(page, "linked")
    article.get_by_role("button", name="Cancel list").click()
    expect(article).to_have_count(0, timeout=WAIT_MS)
    assert alice.get("/api/v1/order_lists")["items"] == []
    assert newest_order(alice)["status"] == "canceled"


def test_one_cancels_the_other_and_one_triggers_the_other(screen: Screen, alice: Client) -> None:
    page = screen.open(who="alice")
    page.uncheck("#confirm")
    fill(page, {"qty": "12", "price": "150.00"})
    page.select_option("#link", "oco")
    fill(page, {"loss-price": "260.00", "loss-limit": "265.00"})
    expect(page.locator("#words")).to_contain_text("the end of one cancels the other")
    page.click("#send")
    page.click("#view-trading")
    expect(page.locator("#lists .leg")).to_have_count(2, timeout=WAIT_MS)
    expect(page.locator("#lists")).to_contain_text("stop 260.00, limit 265.00")
    page.select_option("#link", "oto")
    expect(page.locator("#then-side")).to_have_value("sell")
    fill(page, {"then-price": "245.00"})
    expect(page.locator("#words")).to_contain_text("what it filled is to be sold at 245.00 or more")
    page.click("#send")
    expect(page.locator("#lists article")).to_have_count(2, timeout=WAIT_MS)
    lists = alice.get("/api/v1/order_lists")["items"]
    assert [one["contingency"] for one in lists] == ["oco", "oto"]
    page.keyboard.press("Alt+c")
    expect(page.locator("#lists article")).to_have_count(0, timeout=WAIT_MS)


def test_a_sale_is_marked_short_with_its_locate(
    screen: Screen, exchange: ExchangeProcess, alice: Client
) -> None:
    operator = Client(exchange.url("engine"), exchange.keys()["operator"])
    (account,) = alice.get("/api/v1/accounts")["items"]
    limit = {"scope": "account", "subject": account["id"], "kind": "short_sales", "symbol": "AAPL"}
    assert operator.call("PUT", "/api/v1/risk/limits", limit | {"value": "1"})[0] == 200
    page = screen.open(who="alice")
    page.uncheck("#confirm")
    page.click("#sell")
    fill(page, {"qty": "14", "price": "255.00"})
    page.select_option("#mark", "short")
    expect(page.locator("#words")).to_contain_text("shares to borrow are not located")
    page.check("#located")
    expect(page.locator("#words")).to_contain_text("marked as a short sale; shares to borrow are located")
    page.click("#send")
    expect(page.locator("#orders tr.new", has_text="255.00")).to_contain_text("short", timeout=WAIT_MS)
    order = newest_order(alice)
    assert (order["short"], order["located"]) == (True, True), order
    assert operator.call("PUT", "/api/v1/risk/limits", limit)[0] == 200


def test_quotes_in_two_symbols_are_protected_hit_withdrawn_and_reset(
    screen: Screen, exchange: ExchangeProcess, alice: Client
) -> None:
    page = screen.open("XYZ", who="alice")
    page.click("#view-quoting")
    page.select_option("#protect-symbol", "XYZ")
    fill(page, {"protect-qty": "40", "protect-window": "60000"})
    expect(page.locator("#protect-words")).to_contain_text("40 shares have traded in XYZ within 60000 ms")
    page.click("#protect")
    expect(page.locator("#protections tr", has_text="XYZ")).to_contain_text("holds", timeout=WAIT_MS)
    for symbol, bid, ask in (("XYZ", "9.90", "10.10"), ("TSLA", "100.00", "900.00")):
        page.get_by_label(f"bid price in {symbol}").fill(bid)
        page.get_by_label(f"ask price in {symbol}").fill(ask)
    expect(page.locator("#quote-words")).to_contain_text("XYZ: buy 100 at 9.90, sell 100 at 10.10")
    page.click("#send-quotes")
    page.click("#send-quotes")
    expect(page.locator("#quote-answer")).to_contain_text("Quoted in", timeout=WAIT_MS)
    quotes = {one["symbol"]: one for one in alice.get("/api/v1/quotes")["items"]}
    assert quotes["XYZ"]["bid_order_id"]
    assert quotes["TSLA"]["ask_order_id"]
    row = page.locator("#quote-lines tr.mine", has_text="XYZ")
    expect(row).to_contain_text("100 at 9.90", timeout=WAIT_MS)
    picture(page, "quoting")
    order = {"symbol": "XYZ", "side": "buy", "qty": "40", "price": "10.10", "time_in_force": "ioc"}
    assert client(exchange, "bob").call("POST", "/api/v1/order", order)[0] == 201
    protection = page.locator("#protections tr", has_text="XYZ")
    expect(protection).to_contain_text("reached", timeout=WAIT_MS)
    expect(protection).to_contain_text("40 of 40 shares")
    expect(page.locator("#quote-lines tr.mine", has_text="XYZ")).to_have_count(0, timeout=WAIT_MS)
    page.click("#send-quotes")
    page.click("#send-quotes")
    expect(page.locator("#quote-answer")).to_contain_text("XYZ:", timeout=WAIT_MS)
    expect(page.locator("#quote-answer")).to_have_class("bad")
    protection.get_by_role("button", name="Reset").click()
    expect(protection).to_contain_text(re.compile("holds"), timeout=WAIT_MS)
    page.get_by_label("Withdraw the quote in TSLA").click()
    expect(page.locator("#quote-lines tr.mine")).to_have_count(0, timeout=WAIT_MS)
    assert not any(one["bid_order_id"] or one["ask_order_id"] for one in alice.get("/api/v1/quotes")["items"])


def test_a_limit_that_is_nearly_used_up_is_shown_as_such(
    screen: Screen, exchange: ExchangeProcess, alice: Client
) -> None:
    page = screen.open(who="alice")
    page.click("#view-trading")
    order = {"symbol": "AAPL", "side": "buy", "qty": "100", "price": "150.00"}
    status, placed = alice.call("POST", "/api/v1/order", order)
    assert status == 201, placed
    risk = Client(exchange.url("engine"), exchange.keys()["risk"])
    limit = {"scope": "account", "subject": placed["account"], "kind": "gross"}
    status, said = risk.call("PUT", "/api/v1/risk/limits", limit | {"value": "99999999.00"})
    assert status == 200, said
    found = alice.get(f"/api/v1/risk/usage/account/{placed['account']}")
    gross = sum(float(found[name]) for name in ("gross", "open_buys", "open_sells"))
    assert risk.call("PUT", "/api/v1/risk/limits", limit | {"value": f"{gross / 0.8:.2f}"})[0] == 200
    try:
        expect(page.locator(".tiles .limit.alert")).to_contain_text(
            re.compile("(79|80) % of the limit used"), timeout=WAIT_MS
        )
    finally:
        assert risk.call("PUT", "/api/v1/risk/limits", limit)[0] == 200
    expect(page.locator(".tiles .limit")).to_have_count(0, timeout=WAIT_MS)
