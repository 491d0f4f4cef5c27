"""The clearing house and surveillance in a real browser: margin to default, and evidence that explains itself."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Browser, Page, expect

from tests.integration.exchange_process import Client, ExchangeProcess, wait_for
from tests.integration.terminal_screen import DESK, NEEDS_TERMINAL, WAIT_MS, Screen, cross, picture, wash

pytestmark = NEEDS_TERMINAL
WAIT_S = WAIT_MS / 1_000


def do(page: Page, what: str, fields: dict[str, str], purse: str = "") -> None:
    """Have the clearing house do something, again while its books are some events behind, until it is done."""
    page.select_option("#deed-what", what)
    if purse:
        page.select_option("#deed-purse", purse)
    for name, text in {**fields, "reason": "a test of ours"}.items():
        page.fill(f"#deed-{name}", text)
    expect(page.locator("#deed-words")).not_to_contain_text("needs")
    answer = page.locator("#house-answer")
    end = time.monotonic() + WAIT_S
    while True:
        page.click("#deed-do")
        with page.expect_response(
            lambda reply: reply.request.method == "POST" and "/api/v1/" in reply.url
        ) as sent:
            page.click("#deed-do")
        if sent.value.ok:
            expect(answer).to_contain_text("Done", timeout=WAIT_MS)
            return
        assert time.monotonic() < end, sent.value.text()


def test_a_day_at_the_clearing_house_from_margin_to_settlement_and_default(
    screen: Screen, exchange: ExchangeProcess
) -> None:
    operator = exchange.keys()["operator"]
    clearing, engine = Client(exchange.url("clearing"), operator), Client(exchange.url("engine"), operator)
    first = engine.get("/api/v1/business-day")["date"]
    cross(exchange, "10.00")
    wait_for(
        lambda: clearing.get("/api/v1/trades?symbol=XYZ&limit=1")["items"], "the trade at clearing", WAIT_S
    )
    page = screen.open("XYZ", operator=True)
    page.click("#view-clearing")
    expect(page.locator("#margin")).to_contain_text("not been worked out yet", timeout=WAIT_MS)
    do(page, "margin", {})
    expect(page.locator("#margin tr").first).to_contain_text("until", timeout=WAIT_MS)
    call = next(one for one in clearing.get("/api/v1/margin")["items"] if one["account"] == "1")
    assert float(call["called"]) > 0, call
    payment = {"account": "1", "amount": call["called"], "reference": "call-1"}
    do(page, "pay", payment, "margin")
    row = page.locator("#margin tr").filter(has=page.get_by_role("cell", name="1", exact=True)).first
    expect(row).to_contain_text("none", timeout=WAIT_MS)
    do(page, "pay", {"account": "2", "amount": "40000", "reference": "fund-2"}, "fund")
    do(page, "pay", {"amount": "8000", "reference": "own"}, "capital")
    expect(page.locator("#waterfall")).to_contain_text("40,000.00", timeout=WAIT_MS)
    expect(page.locator("#waterfall")).to_contain_text("2,000.00")
    held = {
        (one["holder"], one["account"]): one["balance"]
        for one in clearing.get("/api/v1/house/balances")["items"]
    }
    assert (held["fund", "2"], held["capital", ""]) == ("40000.00", "8000.00")
    page.fill("#drill-participant", "1")
    page.click("#drill-run")
    expect(page.locator("#drilled")).to_contain_text("A default of participant 1", timeout=WAIT_MS)
    second = engine.call("POST", "/api/v1/business-day", {"ends_at": "never"})[1]["date"]
    do(page, "close", {"date": first})
    page.locator("#cycles button", has_text=first).click()
    expect(page.locator("#cycles .owed", has_text="XYZ").first).to_contain_text("account", timeout=WAIT_MS)
    expect(page.locator("#instructions tr").first).to_contain_text("to be settled", timeout=WAIT_MS)
    do(page, "settle", {"date": second})
    expect(page.locator("#runs .pill")).to_have_text("settled", timeout=WAIT_MS)
    (run,) = clearing.get("/api/v1/settlements")["items"]
    page.locator("#runs button").click()
    expect(page.locator("#runs .owed").first).to_contain_text("moved", timeout=WAIT_MS)
    assert (run["date"], run["state"]) == (second, "settled")
    page.locator("#acts button").first.click()
    expect(page.locator("#acts .owed").first).to_be_visible(timeout=WAIT_MS)
    page.locator(".clearing").evaluate("view => view.scrollTo(0, 0)")
    picture(page, "clearing")
    page.click("#compare")
    expect(page.locator("#breaks tr", has_text="XYZ")).to_contain_text("nothing", timeout=WAIT_MS)
    page.fill("#statement-account", "1")
    page.fill("#statement-date", first)
    page.click("#statement-show")
    expect(page.locator("#statement tr", has_text="XYZ")).to_contain_text("5", timeout=WAIT_MS)
    for button, ending in (("#statement-print", "html"), ("#statement-csv", "csv")):
        with page.expect_download() as saved:
            page.click(button)
        assert saved.value.suggested_filename == f"statement-1-{first}.{ending}"
        assert "XYZ" in saved.value.path().read_text()
    page.locator(".breaks").scroll_into_view_if_needed()
    picture(page, "books")
    do(page, "default", {"participant": "3", "taker": "1", "worse": "5"})
    expect(page.locator("#defaults")).to_contain_text("participant 3", timeout=WAIT_MS)
    expect(page.locator("#defaults")).to_contain_text("stopped", timeout=WAIT_MS)
    (defaulter,) = clearing.get("/api/v1/defaults")["items"]
    assert defaulter["participant"] == "3"


def test_a_member_sees_what_is_its_own_at_the_clearing_house(screen: Screen) -> None:
    page = screen.open("XYZ", who="alice")
    page.click("#view-clearing")
    expect(page.locator("#margin tr")).to_have_count(1, timeout=WAIT_MS)
    expect(page.locator("#acts")).to_contain_text("none that this key may see")


def test_a_side_asks_for_a_review_the_other_agrees_and_an_officer_rules(
    screen: Screen, browser: Browser, exchange: ExchangeProcess
) -> None:
    cross(exchange, "10.00")
    page = screen.open("XYZ", who="alice")
    fill = page.locator("#fills tr.executed", has_text="10.00").first
    fill.get_by_role("button", name="Why").click()
    page.locator(".review-of summary").click(timeout=WAIT_MS)
    page.select_option("#review-wanted", "qty")
    page.fill("#review-number", "2")
    page.fill("#review-basis", "typed 5 for 2")
    page.click("#review-file")
    expect(page.locator("#review-answer")).to_contain_text("is filed", timeout=WAIT_MS)
    picture(page, "review")
    page.click("#story-close")
    page.click("#view-oversight")
    review = page.locator("#reviews article", has_text="typed 5 for 2")
    expect(review.get_by_role("button", name="Take it back")).to_be_visible(timeout=WAIT_MS)
    other = Screen(browser, exchange.url("reporter"), exchange.keys(), "dark", DESK)
    bobs = other.open("XYZ", who="bob")
    bobs.click("#view-oversight")
    asked = bobs.locator("#reviews article", has_text="typed 5 for 2")
    asked.get_by_role("textbox").fill("so it was")
    asked.get_by_role("button", name="Agree").click()
    expect(bobs.locator("#oversight-answer")).to_contain_text("both sides agree", timeout=WAIT_MS)
    bobs.close()
    assert other.wrong == []
    expect(review).to_contain_text("both sides agree", timeout=WAIT_MS)
    page.fill("#operator-key", exchange.keys()["operator"])
    review.get_by_role("textbox").fill("both sides agree")
    review.locator(".grant").click(timeout=WAIT_MS)
    expect(review).to_contain_text("closed, correct to 2 shares", timeout=WAIT_MS)
    page.click("#view-market")
    expect(page.locator("#fills tr").first).to_contain_text("2", timeout=WAIT_MS)


def test_alerts_are_found_by_a_word_and_taken_by_whom_one_says(
    screen: Screen, exchange: ExchangeProcess
) -> None:
    wash(exchange, "bob", "8")
    page = screen.open("XYZ", operator=True)
    page.click("#view-oversight")
    alert = page.locator("#alerts article", has_text="bought and sold 8 at 10.00")
    expect(alert).to_have_count(1, timeout=WAIT_MS)
    page.fill("#alerts-find", "no such member")
    expect(page.locator("#alerts article")).to_have_count(0)
    page.fill("#alerts-find", "WASH")
    page.fill("#alerts-desk", "kim")
    alert.get_by_role("textbox").fill("looks like one owner")
    alert.locator(".take").click()
    expect(alert.locator("h3")).to_contain_text("with kim", timeout=WAIT_MS)


def test_the_evidence_of_an_alert_is_read_and_its_order_explained(
    screen: Screen, exchange: ExchangeProcess
) -> None:
    wash(exchange, "alice", "9")
    page = screen.open("XYZ", operator=True)
    page.click("#view-oversight")
    alert = page.locator("#alerts article", has_text="bought and sold 9 at 10.00")
    expect(alert).to_have_count(1, timeout=WAIT_MS)
    expect(page.locator("#case-states")).to_contain_text(re.compile(r"\d new"))
    alert.locator("summary").click()
    alert.locator(".evidence button").first.click()
    expect(page.locator("#story-title")).to_contain_text("order accepted", timeout=WAIT_MS)
    expect(page.locator("#evidence")).to_contain_text("quantity: 9", timeout=WAIT_MS)
    expect(page.locator("#why")).to_contain_text("shares", timeout=WAIT_MS)
    page.click("#story-close")
