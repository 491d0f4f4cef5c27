"""What operators set in a real browser: price limits, the breaker, phases, corporate actions; found in the engine."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.integration.exchange_process import Client, ExchangeProcess, wait_for
from tests.integration.terminal_screen import NEEDS_TERMINAL, WAIT_MS, Screen, enter, picture

pytestmark = NEEDS_TERMINAL


def begin(page: Page, what: str, symbol: str = "", reason: str = "a test of ours") -> None:
    """Halt, resume, or begin a phase by the panel of phases, and wait until it is told."""
    page.fill("#halt-reason", reason)
    page.select_option("#phase-symbol", symbol)
    page.select_option("#phase-what", what)
    if what == "resume":
        page.fill("#phase-call", "1")
    page.click("#begin-phase")


def test_bands_are_set_shown_reached_and_lead_to_a_pause(screen: Screen, exchange: ExchangeProcess) -> None:
    engine = Client(exchange.url("engine"))
    page = screen.open("XYZ", who="alice", operator=True)
    page.click("#view-operations")
    page.select_option("#limits-symbol", "XYZ")
    page.select_option("#limits-kind", "1")
    expect(page.locator("#limits-words")).to_contain_text("bands of tier 1: 5 %")
    page.click("#set-limits")
    expect(page.locator("#limits-table tr", has_text="XYZ")).to_contain_text(
        "bands 9.50 to 10.50", timeout=WAIT_MS
    )
    found = engine.get("/api/v1/symbols/XYZ/limits")
    assert (found["mode"], found["tier"], found["lowest_price"], found["highest_price"]) == (
        "bands", 1, "9.50", "10.50"
    )  # fmt: skip
    page.click("#view-market")
    expect(page.locator("#limits")).to_have_text("bands 9.50 to 10.50", timeout=WAIT_MS)
    expect(page.locator("#candles")).to_have_attribute(
        "aria-label", re.compile("bands 9.50 to 10.50"), timeout=WAIT_MS
    )
    enter(exchange, "bob", "sell", "5", "10.40")
    enter(exchange, "carol", "buy", "5", "10.40")
    enter(exchange, "bob", "buy", "20", "10.50")
    expect(page.locator("#limits")).to_contain_text("limit state, pauses in 0:", timeout=WAIT_MS)
    expect(page.locator("#watch button", has_text="XYZ")).to_contain_text("limit state", timeout=WAIT_MS)
    picture(page, "bands")
    expect(page.locator("#paused")).to_contain_text("pauses after a sudden price", timeout=2 * WAIT_MS)
    expect(page.locator("#watch button", has_text="XYZ")).to_contain_text("paused")
    expect(page.locator("#candles")).to_have_attribute(
        "aria-label", re.compile("halts shaded: 1"), timeout=WAIT_MS
    )
    page.click("#view-operations")
    begin(page, "continuous", "XYZ")
    row = page.locator("#symbols tr", has_text="XYZ")
    expect(row).to_contain_text("continuous", timeout=WAIT_MS)
    page.select_option("#limits-kind", "0")
    page.click("#set-limits")
    expect(page.locator("#limits-table tr", has_text="XYZ")).to_have_count(0, timeout=WAIT_MS)
    assert engine.get("/api/v1/symbols/XYZ/limits")["mode"] == "none"
    bob = Client(exchange.url("engine"), exchange.keys()["participants"]["bob"]["key"])
    assert bob.call("DELETE", "/api/v1/orders")[0] == 200


def test_a_corridor_is_set_and_shown(screen: Screen, exchange: ExchangeProcess) -> None:
    engine = Client(exchange.url("engine"))
    page = screen.open("XYZ", operator=True)
    page.click("#view-operations")
    page.select_option("#limits-kind", "corridor")
    page.fill("#corridor-dynamic", "3")
    page.fill("#corridor-static", "12.5")
    page.fill("#corridor-call", "60")
    expect(page.locator("#limits-words")).to_contain_text("more than 3 % from the last price")
    page.click("#set-limits")
    expect(page.locator("#limits-table tr", has_text="XYZ")).to_contain_text(
        "(3 and 12.5 %)", timeout=WAIT_MS
    )
    found = engine.get("/api/v1/symbols/XYZ/limits")
    assert (found["mode"], found["dynamic_bps"], found["static_bps"], found["call_s"]) == (
        "corridor", 300, 1250, 60
    )  # fmt: skip
    page.click("#view-market")
    expect(page.locator("#limits")).to_contain_text("corridor", timeout=WAIT_MS)
    page.click("#view-operations")
    page.select_option("#limits-kind", "0")
    page.click("#set-limits")
    expect(page.locator("#limits-table tr", has_text="XYZ")).to_have_count(0, timeout=WAIT_MS)


def test_corporate_actions_are_previewed_confirmed_and_carried_out(
    screen: Screen, exchange: ExchangeProcess
) -> None:
    engine = Client(exchange.url("engine"))
    page = screen.open("XYZ", operator=True)
    before = engine.get("/api/v1/symbols/XYZ")["reference_price"]
    page.click("#view-operations")
    page.select_option("#action-symbol", "XYZ")
    expect(page.locator("#action-words")).to_contain_text(
        "closed, halted or suspended first; now it is continuous"
    )
    expect(page.locator("#carry-out")).to_be_disabled()
    begin(page, "halt", "XYZ", "split")
    expect(page.locator("#symbols tr", has_text="XYZ")).to_contain_text("halted", timeout=WAIT_MS)
    half = f"{float(before) / 2:.2f}"
    expect(page.locator("#action-words")).to_contain_text("who has 100 has 200", timeout=WAIT_MS)
    expect(page.locator("#action-words")).to_contain_text(f"becomes {half}")
    page.locator(".corporate").scroll_into_view_if_needed()
    picture(page, "corporate")
    page.click("#carry-out")
    page.click("#action-yes")
    expect(page.locator("#office-answer")).to_contain_text(f"reference price {half}", timeout=WAIT_MS)
    assert engine.get("/api/v1/symbols/XYZ")["reference_price"] == half
    page.select_option("#action", "dividend")
    page.fill("#dividend", "0.25")
    expect(page.locator("#action-words")).to_contain_text("Who holds 100 shares gets 25.00 USD")
    page.click("#carry-out")
    page.click("#action-yes")
    after = f"{float(half) - 0.25:.2f}"
    expect(page.locator("#office-answer")).to_contain_text(f"reference price {after}", timeout=WAIT_MS)
    page.select_option("#action", "rename")
    page.fill("#new-ticker", "xyzn")
    expect(page.locator("#action-words")).to_contain_text("XYZ is called XYZN from now on")
    page.click("#carry-out")
    page.click("#action-yes")
    expect(page.locator("#symbols tr", has_text="XYZN")).to_have_count(1, timeout=WAIT_MS)
    assert engine.get("/api/v1/symbols/XYZN")["reference_price"] == after
    page.click("#view-market")
    expect(page.locator("#symbol")).to_have_value("XYZN", timeout=WAIT_MS)
    page.click("#view-operations")
    page.select_option("#action-symbol", "XYZN")
    page.select_option("#action", "short_sales")
    page.fill("#short-trigger", "10")
    page.check("#needs-locate")
    page.click("#carry-out")
    page.click("#action-yes")
    terms = wait_for(
        lambda: (t := engine.get("/api/v1/symbols/XYZN")["short_sales"])["trigger_bps"] and t, "the terms"
    )
    assert (terms["trigger_bps"], terms["needs_locate"], terms["needs_marking"]) == (1000, True, False)
    expect(page.locator("#symbols tr", has_text="XYZN")).to_contain_text("halted")
    begin(page, "resume", "XYZN")
    expect(page.locator("#symbols tr", has_text="XYZN")).to_contain_text("continuous", timeout=WAIT_MS)


def test_the_breaker_is_set_warned_of_trips_and_is_told_to_everybody(
    screen: Screen, exchange: ExchangeProcess
) -> None:
    engine = Client(exchange.url("engine"))
    page = screen.open("AAPL", operator=True)
    page.click("#view-operations")
    page.fill("#breaker-close", "5000")
    page.click("#set-breaker")
    expect(page.locator("#breaker")).to_contain_text("the index closed at 5000.00", timeout=WAIT_MS)
    assert engine.get("/api/v1/market/breaker")["close_level"] == "5000.00"
    page.fill("#index-level", "4900")
    expect(page.locator("#breaker-words")).to_contain_text("2.00 % below the close: nothing follows")
    page.click("#report-index")
    expect(page.locator("#breaker")).to_contain_text("stands at 4900.00, 2.00 % below", timeout=WAIT_MS)
    page.fill("#index-level", "4600")
    expect(page.locator("#breaker-words")).to_contain_text("level 1, every symbol that trades gathers orders")
    page.click("#report-index")
    expect(page.locator("#report-index")).to_have_text("Yes, stop the market")
    page.click("#report-index")
    expect(page.locator("#breaker")).to_contain_text("market-wide breaker, level 1", timeout=WAIT_MS)
    expect(page.locator("#symbols tr", has_text="AAPL")).not_to_contain_text("continuous", timeout=WAIT_MS)
    page.click("#view-market")
    expect(page.locator("#auction-end")).to_have_text(re.compile(r"1\d:\d\d"), timeout=WAIT_MS)
    picture(page, "breaker")
    page.reload()
    expect(page.locator("#breaker")).to_contain_text("market-wide breaker, level 1", timeout=WAIT_MS)
    page.click("#view-operations")
    begin(page, "continuous")
    expect(page.locator("#symbols tr", has_text="AAPL")).to_contain_text("continuous", timeout=WAIT_MS)
    page.fill("#breaker-close", "0")
    page.click("#set-breaker")
    expect(page.locator("#breaker")).to_have_count(0, timeout=WAIT_MS)
    assert engine.get("/api/v1/market/breaker")["close_level"] is None
