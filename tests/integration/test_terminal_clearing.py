"""The clearing house and surveillance in a real browser: margin to default, and evidence that explains itself."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Page, expect

from tests.integration.exchange_process import Client, ExchangeProcess, wait_for
from tests.integration.terminal_screen import NEEDS_TERMINAL, WAIT_MS, Screen, cross, picture

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


def test_the_evidence_of_an_alert_is_read_and_its_order_explained(
    screen: Screen, exchange: ExchangeProcess
) -> None:
    alice = Client(exchange.url("engine"), exchange.keys()["participants"]["alice"]["key"])
    for side in ("sell", "buy"):
        order = {"symbol": "XYZ", "side": side, "qty": "9", "price": "10.00", "time_in_force": "gtc"}
        assert alice.call("POST", "/api/v1/order", order)[0] == 201
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
