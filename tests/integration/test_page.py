"""The plain page in a real browser: a moving market, the ticket, a bust on the tape, the exchange gone and back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.integration.exchange_process import Client, ExchangeProcess

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed (Debian: apt-get install chromium)"),
]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MS = 20_000


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangeProcess]:
    with ExchangeProcess(tmp_path_factory.mktemp("page") / "data", "demo") as running:
        yield running


@pytest.fixture
def page(exchange: ExchangeProcess) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.asked = asked = []  # type: ignore[attr-defined]
        page.errors = errors = []  # type: ignore[attr-defined]
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        browser.close()


def open_page(page: Page, exchange: ExchangeProcess, symbol: str = "AAPL") -> None:
    page.goto(f"{exchange.url('reporter')}/plain/#{symbol}")
    expect(page.locator("#state")).to_have_text("live", timeout=WAIT_MS)


def test_the_market_moves_and_nothing_outside_is_asked(page: Page, exchange: ExchangeProcess) -> None:
    open_page(page, exchange)
    expect(page.locator("#bids tr").first).to_be_visible(timeout=WAIT_MS)
    expect(page.locator("#asks tr").first).to_be_visible(timeout=WAIT_MS)
    expect(page.locator("#trades tr").first).to_be_visible(timeout=WAIT_MS)
    before = page.locator("#book-seq").inner_text()
    expect(page.locator("#book-seq")).not_to_have_text(before, timeout=WAIT_MS)
    expect(page.locator("#last")).not_to_have_text("–", timeout=WAIT_MS)
    hosts = {url.split("/")[2] for url in page.asked if url.startswith("http")}  # type: ignore[attr-defined]
    assert {host.split(":")[0] for host in hosts} == {"127.0.0.1"}
    assert page.errors == []  # type: ignore[attr-defined]


def test_the_phase_and_how_an_auction_would_end_are_shown(page: Page, exchange: ExchangeProcess) -> None:
    open_page(page, exchange, "XYZ")
    operator = Client(exchange.url("engine"), exchange.keys()["operator"])
    expect(page.locator("#phase")).to_have_text("continuous", timeout=WAIT_MS)
    for phase in ("closing_auction", "continuous"):
        body = {"phase": phase, "symbol": "XYZ"}
        assert operator.call("POST", "/api/v1/market/phase", body)[0] == 200
        expect(page.locator("#phase")).to_have_text(phase.replace("_", " "), timeout=WAIT_MS)
        if phase == "continuous":
            break
        for who, side in (("alice", "buy"), ("bob", "sell")):
            order = {"symbol": "XYZ", "side": side, "qty": "5", "price": "10.00"}
            key = exchange.keys()["participants"][who]["key"]
            assert Client(exchange.url("engine"), key).call("POST", "/api/v1/order", order)[0] == 201
        expect(page.locator("#indication")).to_contain_text("would be 10.00: 5 paired", timeout=WAIT_MS)
    expect(page.locator("#indication")).to_have_text("", timeout=WAIT_MS)


def test_an_order_goes_in_by_the_ticket_rests_and_is_cancelled(page: Page, exchange: ExchangeProcess) -> None:
    open_page(page, exchange)
    page.fill("#key", exchange.keys()["participants"]["alice"]["key"])
    page.fill("#qty", "7")
    page.fill("#price", "1.00")
    page.click("button.buy")
    expect(page.locator("#answer")).to_contain_text("new", timeout=WAIT_MS)
    row = page.locator("#orders tr", has_text="1.00").first
    expect(row).to_be_visible(timeout=WAIT_MS)
    row.get_by_role("button").click()
    expect(page.locator("#orders tr", has_text="canceled").first).to_be_visible(timeout=WAIT_MS)


def test_a_refused_order_says_why(page: Page, exchange: ExchangeProcess) -> None:
    open_page(page, exchange)
    page.fill("#key", exchange.keys()["participants"]["alice"]["key"])
    page.fill("#price", "1.005")
    page.click("button.buy")
    expect(page.locator("#answer")).to_contain_text("tick", timeout=WAIT_MS)


def test_a_pegged_and_a_linked_order_go_in_by_the_ticket_and_the_list_is_cancelled_as_one(
    page: Page, exchange: ExchangeProcess
) -> None:
    open_page(page, exchange)
    key = exchange.keys()["participants"]["alice"]["key"]
    alice = Client(exchange.url("engine"), key)
    page.fill("#key", key)
    page.select_option("#type", "pegged")
    page.select_option("#peg", "market")
    page.fill("#peg-offset", "-0.30")
    page.fill("#qty", "17")
    page.click("button.buy")
    expect(page.locator("#orders tr", has_text="market peg")).to_contain_text("17", timeout=WAIT_MS)
    (pegged,) = alice.get("/api/v1/orders?status=open")["items"]
    assert (pegged["peg"], pegged["peg_offset"]) == ("market", "-0.30")
    page.select_option("#type", "limit")
    page.fill("#price", "150.00")
    page.select_option("#link", "bracket")
    page.fill("#then-price", "240.00")
    page.fill("#stop-price", "120.00")
    page.click("button.buy")
    expect(page.locator("#answer")).to_contain_text("2 wait for the entry", timeout=WAIT_MS)
    line = page.locator("#lists li")
    expect(line).to_contain_text("sell stop 120.00, waits for the entry", timeout=WAIT_MS)
    (found,) = alice.get("/api/v1/order_lists")["items"]
    assert (found["contingency"], len(found["waiting"])) == ("bracket", 2)
    line.get_by_role("button").click()
    expect(line).to_have_count(0, timeout=WAIT_MS)
    assert alice.get("/api/v1/order_lists")["items"] == []
    page.click("#cancel-all")
    expect(page.locator("#orders tr", has_text="new")).to_have_count(0, timeout=WAIT_MS)


def test_bands_and_the_breaker_are_told_as_text(page: Page, exchange: ExchangeProcess) -> None:
    operator = Client(exchange.url("engine"), exchange.keys()["operator"])
    open_page(page, exchange, "TSLA")
    expect(page.locator("#limits")).to_be_hidden()
    assert operator.call("PUT", "/api/v1/symbols/TSLA/bands", {"tier": 2})[0] == 200
    expect(page.locator("#limits")).to_contain_text("TSLA has price bands: 2", timeout=WAIT_MS)
    assert operator.call("PUT", "/api/v1/symbols/TSLA/bands", {"tier": 0})[0] == 200
    expect(page.locator("#limits")).to_be_hidden(timeout=WAIT_MS)
    assert operator.call("PUT", "/api/v1/market/breaker", {"close_level": "5000"})[0] == 200
    assert operator.call("POST", "/api/v1/market/index", {"level": "4900"})[0] == 200
    expect(page.locator("#breaker")).to_contain_text("2.00 % below its close of 5000.00", timeout=WAIT_MS)
    assert operator.call("PUT", "/api/v1/market/breaker", {"close_level": "0"})[0] == 200
    expect(page.locator("#breaker")).to_be_hidden(timeout=WAIT_MS)


def test_an_erroneous_trade_is_struck_through_once_clearing_has_busted_it(
    page: Page, exchange: ExchangeProcess
) -> None:
    open_page(page, exchange, "XYZ")
    keys = exchange.keys()["participants"]
    (before,) = Client(exchange.url("reporter")).get("/api/v1/ticker?symbol=XYZ")["items"]
    for name, side in (("alice", "sell"), ("bob", "buy")):
        order = {"symbol": "XYZ", "side": side, "qty": "5", "price": "17.77", "time_in_force": "gtc"}
        status, answer = Client(exchange.url("engine"), keys[name]["key"]).call(
            "POST", "/api/v1/order", order
        )
        assert status == 201, answer
    busted = page.locator("#trades tr.busted", has_text="17.77")
    expect(busted).to_be_visible(timeout=WAIT_MS)
    expect(busted).to_contain_text("erroneous")
    expect(page.locator("#ticker")).to_contain_text(f"volume{before['volume']}trades", timeout=WAIT_MS)
    expect(page.locator("#last")).to_have_text(before["last"] or "–")


def test_the_page_says_stale_when_the_exchange_dies_and_live_when_it_is_back(
    page: Page, exchange: ExchangeProcess
) -> None:
    open_page(page, exchange)
    exchange.kill()
    expect(page.locator("#state")).to_contain_text("stale", timeout=WAIT_MS)
    exchange.start()
    expect(page.locator("#state")).to_have_text("live", timeout=WAIT_MS)
    before = page.locator("#book-seq").inner_text()
    expect(page.locator("#book-seq")).not_to_have_text(before, timeout=WAIT_MS)
