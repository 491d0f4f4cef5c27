"""The terminal in a real browser: every view moves, an order's whole life is seen, and the engine may go and return."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.integration.exchange_process import Client, ExchangeProcess
from tests.integration.parts import NAMES, Parts
from tests.integration.terminal_screen import (
    AXE,
    DESK,
    NEEDS_TERMINAL,
    PHONE,
    WAIT_MS,
    Screen,
    accessibility_faults,
    cross,
    picture,
    wash,
)

pytestmark = NEEDS_TERMINAL


def test_every_panel_of_the_market_moves_and_nobody_outside_is_asked(screen: Screen) -> None:
    page = screen.open(who="alice")
    for panel in ("#asks tr", "#bids tr", "#trades tr.executed", "#watch polyline", "#candles canvas"):
        expect(page.locator(panel).first).to_be_visible(timeout=WAIT_MS)
    expect(page.locator("#candles")).to_have_attribute("aria-label", re.compile("stands at"), timeout=WAIT_MS)
    expect(page.locator(".depth path.asks")).to_have_attribute("d", re.compile("M"), timeout=WAIT_MS)
    expect(page.locator("#last")).not_to_have_text("–", timeout=WAIT_MS)
    expect(page.locator("#spread")).to_contain_text("spread", timeout=WAIT_MS)
    before = page.locator("#book-seq").inner_text()
    expect(page.locator("#book-seq")).not_to_have_text(before, timeout=WAIT_MS)
    page.get_by_role("button", name="MSFT").click()
    expect(page.locator("#ticket-title")).to_contain_text("MSFT")
    expect(page.locator("#asks tr").first).to_contain_text("4", timeout=WAIT_MS)
    hosts = {url.split("/")[2].split(":")[0] for url in screen.asked if url.startswith(("http", "ws"))}
    assert hosts == {"127.0.0.1"}


def test_candles_are_shown_of_every_interval_that_is_kept(screen: Screen, exchange: ExchangeProcess) -> None:
    page = screen.open()
    kept = Client(exchange.url("reporter")).get("/config.json")["intervals"]
    buttons = page.locator("#intervals button")
    expect(buttons).to_have_text(kept)
    buttons.last.click()
    expect(buttons.last).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#candles")).to_have_attribute("aria-label", re.compile("stands at"), timeout=WAIT_MS)


def test_an_order_is_told_in_words_confirmed_shown_in_the_ladder_and_cancelled(screen: Screen) -> None:
    page = screen.open()
    page.fill("#key", screen._keys["participants"]["alice"]["key"])
    page.fill("#qty", "7")
    page.fill("#price", "188.01")
    expect(page.locator("#words")).to_contain_text("Buy 7 AAPL at 188.01 or less")
    page.click("#send")
    expect(page.locator("#confirm-send")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text("nothing filled yet", timeout=WAIT_MS)
    row = page.locator("#orders tr.new", has_text="188.01")
    expect(row).to_be_visible(timeout=WAIT_MS)
    expect(page.locator("#bids tr.mine", has_text="188.01")).to_contain_text("7", timeout=WAIT_MS)
    page.keyboard.press("Alt+c")
    expect(page.locator("#orders tr.canceled", has_text="188.01")).to_be_visible(timeout=WAIT_MS)
    expect(page.locator("#bids tr.mine")).to_have_count(0, timeout=WAIT_MS)


def test_a_stop_order_is_told_in_words_and_waits_until_it_is_cancelled(screen: Screen) -> None:
    page = screen.open(who="alice")
    page.select_option("#type", "stop")
    page.click("#sell")
    page.fill("#qty", "9")
    page.fill("#stop-price", "100.00")
    expect(page.locator("#words")).to_contain_text("until the last trade is at 100.00 or less")
    page.uncheck("#confirm")
    page.click("#send")
    row = page.locator("#orders tr.new", has_text="stop")
    expect(row).to_contain_text("9", timeout=WAIT_MS)
    row.get_by_role("button", name="Cancel").click()
    expect(page.locator("#orders tr.canceled", has_text="stop")).to_be_visible(timeout=WAIT_MS)


def test_a_trailing_and_a_hidden_order_are_told_in_words_and_taken(screen: Screen) -> None:
    page = screen.open(who="alice")
    page.uncheck("#confirm")
    page.select_option("#type", "trailing_stop")
    page.click("#sell")
    page.fill("#qty", "11")
    page.fill("#trail", "20%")
    expect(page.locator("#words")).to_contain_text("20% below the highest one")
    page.click("#send")
    expect(page.locator("#orders tr.new", has_text="stop")).to_contain_text("11", timeout=WAIT_MS)
    page.select_option("#type", "limit")
    page.fill("#price", "240.00")
    page.click("#terms summary")
    page.check("#hidden")
    expect(page.locator("#words")).to_contain_text("seen by nobody")
    page.fill("#qty", "13")
    page.click("#send")
    expect(page.locator("#orders tr.new", has_text="240.00")).to_contain_text("13", timeout=WAIT_MS)
    page.keyboard.press("Alt+c")
    expect(page.locator("#orders tr.new")).to_have_count(0, timeout=WAIT_MS)


def test_an_order_shows_where_it_stands_in_the_line(screen: Screen, exchange: ExchangeProcess) -> None:
    keys = exchange.keys()["participants"]
    alice, bob = (Client(exchange.url("engine"), keys[name]["key"]) for name in ("alice", "bob"))
    for who, qty in ((bob, "30"), (alice, "20")):
        order = {"symbol": "AAPL", "side": "buy", "qty": qty, "price": "150.00"}
        assert who.call("POST", "/api/v1/order", order)[0] == 201
    page = screen.open(who="alice")
    page.click("#view-trading")
    row = page.locator("#line li", has_text="20 at 150.00")
    expect(row).to_contain_text("number 2 of 2, 30 shares before it", timeout=WAIT_MS)
    assert bob.call("DELETE", "/api/v1/orders?symbol=AAPL")[0] == 200
    expect(row).to_contain_text("number 1 of 1, next to trade at its price", timeout=WAIT_MS)
    assert alice.call("DELETE", "/api/v1/orders?symbol=AAPL")[0] == 200
    expect(page.locator("#line .none")).to_be_visible(timeout=WAIT_MS)


def test_the_kill_switch_and_a_limit_are_set_and_lifted(screen: Screen, exchange: ExchangeProcess) -> None:
    page = screen.open(operator=True)
    page.click("#view-operations")
    page.select_option("#block-scope", "participant")
    page.fill("#block-subject", "2")
    page.fill("#block-reason", "runaway program")
    page.click("#pull")
    expect(page.locator("#office-answer")).to_contain_text("participant 2 may not trade now", timeout=WAIT_MS)
    expect(page.locator("#risk tr.blocked")).to_contain_text("runaway program", timeout=WAIT_MS)
    bob = Client(exchange.url("engine"), exchange.keys()["participants"]["bob"]["key"])
    status, answer = bob.call(
        "POST", "/api/v1/order", {"symbol": "AAPL", "side": "buy", "qty": "1", "price": "150.00"}
    )
    assert (status, answer["reason"]) == (422, "participant_blocked"), answer
    page.get_by_label("Lift the block of participant 2").click()
    expect(page.locator("#office-answer")).to_have_class("bad", timeout=WAIT_MS)
    risk = Client(exchange.url("engine"), exchange.keys()["risk"])
    assert risk.call("POST", "/api/v1/risk/blocks/lift", {"scope": "participant", "subject": "2"})[0] == 200
    expect(page.locator("#risk tr.blocked")).to_have_count(0, timeout=WAIT_MS)
    page.fill("#limit-subject", "2")
    page.fill("#limit-value", "500")
    page.click("#set-limit")
    expect(page.locator("#risk tr", has_text="max quantity")).to_contain_text("500", timeout=WAIT_MS)
    page.get_by_label("Take away max_quantity of account 2").click()
    expect(page.locator("#risk tr", has_text="max quantity")).to_have_count(0, timeout=WAIT_MS)


def test_a_refused_order_says_why_and_an_incomplete_one_is_not_sent(screen: Screen) -> None:
    page = screen.open(who="alice")
    page.fill("#qty", "1.5")
    expect(page.locator("#words")).to_contain_text("whole number")
    expect(page.locator("#send")).to_be_disabled()
    page.fill("#qty", "1")
    page.fill("#price", "1.005")
    page.uncheck("#confirm")
    page.click("#send")
    expect(page.locator("#answer")).to_contain_text("tick", timeout=WAIT_MS)
    expect(page.locator("#answer")).to_have_class("bad")


def test_a_click_on_the_ladder_fills_the_ticket_and_the_fill_is_explained(screen: Screen) -> None:
    page = screen.open(who="carol")
    price = page.locator("#asks button").last
    expect(price).to_be_visible(timeout=WAIT_MS)
    page.uncheck("#confirm")
    # The best ask may be gone a moment later, so the order is willing to pay more.
    price.click()
    expect(page.locator("#price")).not_to_have_value("")
    page.fill("#price", "195.00")
    page.fill("#qty", "3")
    expect(page.locator("#words")).to_contain_text("would trade at once")
    page.click("#send")
    fill = page.locator("#fills tr", has_text="AAPL").first
    expect(fill).to_be_visible(timeout=WAIT_MS)
    fill.get_by_role("button", name="Why").click()
    expect(page.locator("#story")).to_contain_text("accepted", timeout=WAIT_MS)
    # What comes later pushes the button down, from under a click too.
    expect(page.locator("#story .review-of")).to_be_visible(timeout=WAIT_MS)
    expect(page.locator("#story [role=status]")).to_have_count(0, timeout=WAIT_MS)
    page.click("#story-close")
    page.click("#view-trading")
    expect(page.locator("#positions tr", has_text="AAPL")).to_contain_text("10,003", timeout=WAIT_MS)
    expect(page.locator("#profit")).to_be_visible()


def test_order_fill_and_bust_are_seen_on_every_panel(screen: Screen, exchange: ExchangeProcess) -> None:
    page = screen.open("XYZ", who="alice", operator=True)
    page.click("#sell")
    page.fill("#qty", "5")
    page.fill("#price", "17.77")
    page.uncheck("#confirm")
    page.click("#send")
    expect(page.locator("#asks tr.mine")).to_contain_text("17.77", timeout=WAIT_MS)
    bob = Client(exchange.url("engine"), exchange.keys()["participants"]["bob"]["key"])
    order = {"symbol": "XYZ", "side": "buy", "qty": "5", "price": "17.77", "time_in_force": "ioc"}
    assert bob.call("POST", "/api/v1/order", order)[0] == 201
    expect(page.locator("#trades tr.busted s", has_text="17.77")).to_be_visible(timeout=WAIT_MS)
    expect(page.locator("#trades tr.why")).to_have_text("busted: erroneous")
    expect(page.locator("#fills tr.busted")).to_contain_text("17.77", timeout=WAIT_MS)
    expect(page.locator("#orders tr", has_text="17.77")).to_contain_text("5 busted", timeout=WAIT_MS)
    expect(page.locator("#asks tr")).to_have_count(0)
    expect(page.locator("#last")).to_have_text("–", timeout=WAIT_MS)
    expect(page.locator("#day-volume")).to_have_text("0")
    expect(page.locator("#candles")).to_have_attribute(
        "aria-label", re.compile("no trades yet"), timeout=WAIT_MS
    )
    page.locator("#fills tr.busted").get_by_role("button", name="Why").click()
    expect(page.locator("#story")).to_contain_text("CE-CORE", timeout=WAIT_MS)
    picture(page, "bust")
    page.click("#story-close")
    page.click("#view-trading")
    position = page.locator("#positions tr", has_text="XYZ")
    expect(position.locator("td").nth(1)).to_have_text("10,000", timeout=WAIT_MS)
    expect(position.locator("td").last).to_have_text("0.00")
    page.click("#view-operations")
    expect(page.locator("#busted")).to_contain_text("17.77", timeout=WAIT_MS)


def test_an_operator_sees_what_the_rules_measured_and_releases_or_busts_with_a_reason(
    screen: Screen, exchange: ExchangeProcess
) -> None:
    page = screen.open("XYZ", operator=True)
    cross(exchange, "11.00")
    cross(exchange, "11.50")
    page.click("#view-operations")
    held = page.locator("#held article")
    expect(held).to_have_count(2, timeout=WAIT_MS)
    expect(held.last).to_contain_text("above the reference price 10.00")
    expect(held.last.locator(".bust")).to_be_disabled()
    picture(page, "held")
    for price, verdict in (("11.00", "release"), ("11.50", "bust")):
        article = page.locator("#held article", has_text=f"5 XYZ at {price}")
        article.get_by_role("textbox").fill("both sides were asked")
        article.locator(f".{verdict}").click()
        expect(article).to_have_count(0, timeout=WAIT_MS)
    expect(page.locator("#busted")).to_contain_text("11.50", timeout=WAIT_MS)
    page.click("#view-market")
    expect(page.locator("#trades tr.busted")).to_contain_text(["11.50"], timeout=WAIT_MS)
    expect(page.locator("#trades tr.executed")).to_contain_text(["11.00"], timeout=WAIT_MS)


def test_an_officer_sees_an_alert_with_its_evidence_and_closes_the_case(
    screen: Screen, exchange: ExchangeProcess
) -> None:
    wash(exchange, "alice", "7")
    page = screen.open("XYZ", operator=True)
    page.click("#view-oversight")
    alert = page.locator("#alerts article", has_text="bought and sold 7 at 10.00")
    expect(alert).to_have_count(1, timeout=WAIT_MS)
    expect(alert).to_contain_text("WASH-1 in XYZ")
    expect(alert.locator(".close")).to_be_disabled()
    alert.locator("summary").click()
    expect(alert.locator(".measures")).to_contain_text("owners of the trade")
    expect(alert.locator(".evidence")).to_contain_text("Events ")
    picture(page, "oversight")
    alert.get_by_role("textbox").fill("a test of ours")
    alert.locator(".take").click()
    expect(alert).to_contain_text("in review", timeout=WAIT_MS)
    alert.locator(".escalate").click()
    expect(alert.locator("h3")).to_contain_text("escalated", timeout=WAIT_MS)
    alert.get_by_role("combobox").select_option("explained")
    alert.locator(".close").click()
    expect(alert).to_have_count(0, timeout=WAIT_MS)
    page.check("#alerts-all")
    expect(alert.locator("h3")).to_contain_text("closed as explained", timeout=WAIT_MS)


def test_a_review_is_seen_with_its_deadline_and_ruled_on_with_a_reason(
    screen: Screen, exchange: ExchangeProcess
) -> None:
    cross(exchange, "10.00")
    bob = Client(exchange.url("clearing"), exchange.keys()["participants"]["bob"]["key"])
    trade = newest_trade(bob)
    status, _ = bob.call("POST", f"/api/v1/trades/{trade}/review", {"basis": "typed 10.00 for 9.00"})
    assert status == 201
    page = screen.open("XYZ", operator=True)
    page.click("#view-oversight")
    review = page.locator("#reviews article", has_text=f"Trade {trade} in XYZ")
    expect(review).to_contain_text("typed 10.00 for 9.00", timeout=WAIT_MS)
    expect(review).to_contain_text("until ")
    review.get_by_role("textbox").fill("at the reference price")
    review.locator(".deny").click()
    expect(review).to_contain_text("denied", timeout=WAIT_MS)
    expect(page.locator("#oversight-answer")).to_contain_text("is denied")


def newest_trade(client: Client) -> str:
    """Wait until a member's trade has reached clearing; return its id."""
    end = time.monotonic() + WAIT_MS / 1_000
    while True:
        status, answer = client.call("GET", "/api/v1/trades?symbol=XYZ&limit=1")
        if status == 200 and answer["items"] and answer["items"][0]["price"] == "10.00":
            return str(answer["items"][0]["match_id"])
        assert time.monotonic() < end, answer
        time.sleep(0.05)


def test_the_proofs_hold_and_a_halt_is_told_to_everybody(screen: Screen) -> None:
    page = screen.open("TSLA", operator=True)
    page.click("#view-operations")
    expect(page.locator("#lights li.good")).to_have_count(8, timeout=WAIT_MS)
    expect(page.locator("#hash")).to_have_text(re.compile("[0-9a-f]{16}"))
    expect(page.locator("#components .ready")).to_have_count(3, timeout=WAIT_MS)
    expect(page.locator("#participants")).to_contain_text("alice")
    page.fill("#halt-reason", "news pending")
    page.get_by_role("button", name="suspend TSLA").click()
    expect(page.get_by_role("button", name="resume TSLA")).to_be_visible(timeout=WAIT_MS)
    page.click("#view-market")
    expect(page.locator("#halt")).to_contain_text("news pending", timeout=WAIT_MS)
    page.click("#view-operations")
    page.get_by_role("button", name="resume TSLA").click()
    expect(page.get_by_role("button", name="suspend TSLA")).to_be_visible(timeout=WAIT_MS)
    page.click("#view-market")
    expect(page.locator("#halt")).to_have_count(0, timeout=WAIT_MS)


def test_a_trader_is_told_that_operations_need_another_key(screen: Screen) -> None:
    page = screen.open(who="alice")
    page.click("#view-operations")
    expect(page.locator("#lights li.unknown")).to_have_count(8, timeout=WAIT_MS)
    page.fill("#operator-key", "xk_wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#office-answer")).to_contain_text("key", timeout=WAIT_MS)
    expect(page.locator("#office-answer")).to_have_class("bad")


def test_an_auction_builds_up_on_the_page_and_its_price_is_explained(
    screen: Screen, exchange: ExchangeProcess
) -> None:
    page = screen.open("XYZ", who="alice")
    keys = exchange.keys()
    operator = Client(exchange.url("engine"), keys["operator"])
    expect(page.locator("#phase")).to_have_text("continuous", timeout=WAIT_MS)
    body = {"phase": "closing_auction", "symbol": "XYZ"}
    assert operator.call("POST", "/api/v1/market/phase", body)[0] == 200
    expect(page.locator("#phase")).to_have_text("closing auction", timeout=WAIT_MS)
    expect(page.locator("#auction")).to_contain_text("Orders gather", timeout=WAIT_MS)
    expect(page.locator("#watch button", has_text="XYZ")).to_contain_text("closing auction")
    traders = {
        name: Client(exchange.url("engine"), keys["participants"][name]["key"])
        for name in ("alice", "bob", "carol")
    }
    for n in range(12):
        for who, side, off in (("bob", "sell", -5 + n % 4), ("carol", "buy", 5 - n % 3)):
            order = {
                "symbol": "XYZ",
                "side": side,
                "qty": str(10 + 7 * n),
                "price": f"10.{10 + off + n // 3:02d}",
            }
            assert traders[who].call("POST", "/api/v1/order", order)[0] == 201
    expect(page.locator("#auction-price")).to_have_text(re.compile("10.1"), timeout=WAIT_MS)
    picture(page, "auction")
    for who in ("bob", "carol"):
        assert traders[who].call("DELETE", "/api/v1/orders?symbol=XYZ")[0] == 200
    for who, side, qty in (("alice", "buy", "60"), ("bob", "sell", "50"), ("carol", "buy", "30")):
        order = {"symbol": "XYZ", "side": side, "qty": qty, "price": "10.00"}
        assert traders[who].call("POST", "/api/v1/order", order)[0] == 201
    expect(page.locator("#auction-price")).to_have_text("10.00", timeout=WAIT_MS)
    expect(page.locator("#auction-paired")).to_have_text("50", timeout=WAIT_MS)
    expect(page.locator("#auction-imbalance")).to_have_text("40 to buy", timeout=WAIT_MS)
    expect(page.locator("#auction .line")).to_have_attribute("d", re.compile("M"))
    row = page.locator("#orders tr.new", has_text="XYZ").first
    row.get_by_role("button", name="Why").click()
    expect(page.locator("#why")).to_contain_text("nothing trades until that is over", timeout=WAIT_MS)
    page.click("#story-close")
    assert operator.call("POST", "/api/v1/market/phase", body | {"phase": "continuous"})[0] == 200
    expect(page.locator("#auction")).to_have_count(0, timeout=WAIT_MS)
    fills = page.locator("#fills tr.executed", has_text="XYZ")
    fill = fills.filter(has=page.get_by_role("cell", name="50", exact=True)).first
    expect(fill).to_contain_text("10.00", timeout=WAIT_MS)
    fill.get_by_role("button", name="Why").click()
    expect(page.locator("#why")).to_contain_text("Why this price", timeout=WAIT_MS)
    expect(page.locator("#why")).to_contain_text("It traded 50 of its 60 shares: nobody came before it")
    picture(page, "why")
    page.click("#story-close")
    for who in ("alice", "carol"):
        assert traders[who].call("DELETE", "/api/v1/orders?symbol=XYZ")[0] == 200


def test_a_halt_is_told_counted_down_and_shaded_until_the_auction_reopens(
    screen: Screen, exchange: ExchangeProcess
) -> None:
    page = screen.open("TSLA")
    operator = Client(exchange.url("engine"), exchange.keys()["operator"])
    expect(page.locator("#candles")).to_have_attribute("aria-label", re.compile("stands at"), timeout=WAIT_MS)
    halt = {"symbol": "TSLA", "reason": "news pending"}
    assert operator.call("POST", "/api/v1/market/halt", halt)[0] == 200
    expect(page.locator("#halted")).to_contain_text("halted: news pending", timeout=WAIT_MS)
    expect(page.locator("#phase")).to_have_text("halted")
    expect(page.locator("#candles")).to_have_attribute(
        "aria-label", re.compile("halts shaded: 1"), timeout=WAIT_MS
    )
    assert operator.call("POST", "/api/v1/market/resume", {"symbol": "TSLA", "call_s": 8})[0] == 200
    expect(page.locator("#phase")).to_have_text("reopening auction", timeout=WAIT_MS)
    expect(page.locator("#auction-end")).to_have_text(re.compile(r"0:0\d"), timeout=WAIT_MS)
    picture(page, "halt")
    expect(page.locator("#phase")).to_have_text("continuous", timeout=WAIT_MS)
    expect(page.locator("#halted")).to_have_count(0)


def test_times_are_those_of_the_market_or_ones_own(screen: Screen) -> None:
    page = screen.open("AAPL")
    expect(page.locator("#zone")).to_contain_text("UTC")
    page.click("#zone")
    expect(page.locator("#zone")).to_contain_text("local")
    page.click("#zone")
    expect(page.locator("#zone")).to_contain_text("UTC")


def test_the_keyboard_changes_views_symbols_and_the_ticket(screen: Screen) -> None:
    page = screen.open("AAPL")
    page.keyboard.press("2")
    expect(page.locator("#view-trading")).to_have_attribute("aria-current", "page")
    page.keyboard.press("s")
    expect(page.locator("#qty")).to_be_focused()
    expect(page.locator("#sell")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    page.locator("body").click(position={"x": 5, "y": 400})
    page.locator("#qty").blur()
    page.keyboard.press("]")
    expect(page.locator("#ticket-title")).to_contain_text("MSFT")
    page.keyboard.press("1")
    expect(page.locator("#view-market")).to_have_attribute("aria-current", "page")


SCREENS = [
    pytest.param(("dark", DESK), id="dark"),
    pytest.param(("light", DESK), id="light"),
    pytest.param(("dark", PHONE), id="phone"),
]


PICTURES = {
    ("dark", "market"): "market",
    ("dark", "trading"): "trading",
    ("light", "market"): "market-light",
    ("light", "operations"): "operations-light",
    ("phone", "market"): "market-phone",
    ("phone", "quoting"): "quoting-phone",
    ("phone", "clearing"): "clearing-phone",
}


@pytest.mark.parametrize("screen", SCREENS, indirect=True)
def test_every_view_fits_and_every_control_has_a_name(
    screen: Screen, exchange: ExchangeProcess, request: pytest.FixtureRequest
) -> None:
    alice = Client(exchange.url("engine"), exchange.keys()["participants"]["alice"]["key"])
    for side, price in (("buy", "189.00"), ("sell", "189.45")):
        order = {"symbol": "AAPL", "side": side, "qty": "250", "price": price}
        assert alice.call("POST", "/api/v1/order", order)[0] == 201
    page = screen.open(who="alice", operator=True)
    page.fill("#price", "189.30")
    look = request.node.callspec.id
    for view in ("market", "trading", "quoting", "operations", "clearing", "oversight"):
        page.click(f"#view-{view}")
        expect(page.locator(f"main.{view}")).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{view} is {wide} px wider than the screen"
        nameless = page.evaluate(NAMELESS)
        assert nameless == [], f"controls without a name in {view}: {nameless}"
        faults = accessibility_faults(page) if AXE.is_file() else []
        assert faults == [], f"{view} in {look}: {faults}"
        if (look, view) in PICTURES:
            picture(page, PICTURES[look, view])
    assert alice.call("DELETE", "/api/v1/orders")[0] == 200


NAMELESS = """() => [...document.querySelectorAll("button, input, select, a")].filter((one) => {
  const labels = [...(one.labels ?? [])].map((label) => label.textContent.trim());
  return !(one.getAttribute("aria-label") || one.innerText || labels.some((text) => text));
}).map((one) => one.outerHTML.slice(0, 120))"""


def test_the_page_is_stale_when_the_exchange_dies_and_live_with_the_same_tape_when_it_is_back(
    screen: Screen, exchange: ExchangeProcess
) -> None:
    page = screen.open("XYZ", who="alice")
    cross(exchange, "10.00")
    expect(page.locator("#trades tr.executed", has_text="10.00").first).to_be_visible(timeout=WAIT_MS)
    exchange.kill()
    expect(page.locator("#state")).to_have_text("stale", timeout=WAIT_MS)
    expect(page.locator("#age")).to_contain_text("reconnecting")
    expect(page.locator(".ladder.old")).to_be_visible()
    exchange.start()
    expect(page.locator("#state")).to_have_text("live", timeout=WAIT_MS)
    expect(page.locator("#trades tr.executed", has_text="10.00").first).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("button", name="AAPL").first.click()
    before = page.locator("#book-seq").inner_text()
    expect(page.locator("#book-seq")).not_to_have_text(before, timeout=WAIT_MS)


def test_the_engine_alone_dies_the_page_says_so_and_goes_on_when_it_is_back(
    browser: Browser, tmp_path: Path
) -> None:
    with Parts(tmp_path) as parts:
        for name in NAMES:
            parts.start(name, tmp_path / name)
        keys = {"participants": parts._keys["participants"], "operator": parts._keys["operator"]}
        screen = Screen(browser, parts.url("reporter"), keys, "dark", DESK)
        page = screen.open("XYZ", who="alice", operator=True)
        parts.processes["engine"].kill()
        parts.processes["engine"].wait()
        expect(page.locator("#state")).to_have_text("stale", timeout=WAIT_MS)
        expect(page.locator("#problem")).to_be_visible(timeout=WAIT_MS)
        parts.start("engine", tmp_path / "engine")
        expect(page.locator("#state")).to_have_text("live", timeout=WAIT_MS)
        expect(page.locator("#problem")).to_have_count(0, timeout=WAIT_MS)
        page.fill("#qty", "4")
        page.fill("#price", "9.00")
        page.uncheck("#confirm")
        page.click("#send")
        expect(page.locator("#bids tr.mine")).to_contain_text("9.00", timeout=WAIT_MS)
        assert screen.wrong == []
