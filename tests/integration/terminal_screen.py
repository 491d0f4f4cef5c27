"""The terminal in a real Chromium, for the tests that drive it: where it is, a tab of one's own, and its pictures."""

from __future__ import annotations

import os
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.exchange_process import Client, ExchangeProcess

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
BUILT = Path(str(files("exchange.reporter"))) / "static" / "index.html"
NEEDS_TERMINAL = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed (Debian: apt-get install chromium)"),
    pytest.mark.skipif(
        not BUILT.is_file(), reason="the terminal was not built (make setup with Node.js 20.19 or newer)"
    ),
]
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
"""Brought by `make setup`, as the terminal's other tools."""
AXE_RUN = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const { violations } = await axe.run(document, { runOnly: { type: "tag", values: tags } });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 5).map(({ html, failureSummary }) =>
    `${html.slice(0, 160)} ${failureSummary}`).join(" | ")}`);
}"""
SCREENSHOTS = os.environ.get("SCREENSHOTS", "")
"""A folder to keep pictures in; those of docs/images are made by `SCREENSHOTS=docs/images`."""
WAIT_MS = 30_000
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


class Screen:
    """A page of its own: what it asked for and what went wrong in it, and whose keys are in it."""

    def __init__(
        self, browser: Browser, reporter: str, keys: dict[str, Any], scheme: str, size: dict[str, int]
    ) -> None:
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.page = browser.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
        self.page.set_default_timeout(WAIT_MS)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on(
            "console", lambda said: self.wrong.append(said.text) if is_violation(said.text) else None
        )
        self._keys, self._reporter = keys, reporter

    def open(self, symbol: str = "AAPL", *, who: str = "", operator: bool = False) -> Page:
        """Show a symbol, with somebody's keys in this tab."""
        kept = {"key": self._keys["participants"][who]["key"]} if who else {}
        kept |= {"operator_key": self._keys["operator"]} if operator else {}
        self.page.add_init_script(
            "".join(f"sessionStorage.setItem('{name}', '{key}');" for name, key in kept.items())
        )
        self.page.goto(f"{self._reporter}/#{symbol}")
        expect(self.page.locator("#state")).to_have_text("live", timeout=WAIT_MS)
        return self.page


def is_violation(text: str) -> bool:
    """Tell whether the browser complains of a policy or an error of the page, and not of a request that was lost."""
    return "Content Security Policy" in text or "CORS" in text or "Uncaught" in text


def picture(page: Page, name: str) -> None:
    """Keep a picture of what is seen, where one is wanted."""
    if SCREENSHOTS:
        page.wait_for_timeout(2500)
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")


def accessibility_faults(page: Page) -> list[str]:
    """Return what axe-core finds against WCAG 2.2 A and AA in the view that is shown, contrast included."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(AXE_RUN)
    return found


def enter(exchange: ExchangeProcess, who: str, side: str, qty: str, price: str, **more: str) -> None:
    """Enter an order, in XYZ unless `more` says otherwise."""
    client = Client(exchange.url("engine"), exchange.keys()["participants"][who]["key"])
    order = {"symbol": "XYZ", "side": side, "qty": qty, "price": price, **more}
    status, answer = client.call("POST", "/api/v1/order", order)
    assert status == 201, answer


def cross(exchange: ExchangeProcess, price: str, symbol: str = "XYZ") -> None:
    """Trade five shares of alice with bob."""
    enter(exchange, "alice", "sell", "5", price, symbol=symbol, time_in_force="gtc")
    enter(exchange, "bob", "buy", "5", price, symbol=symbol, time_in_force="gtc")


def wash(exchange: ExchangeProcess, who: str, qty: str) -> None:
    """Let a member trade with itself, at 10.00."""
    enter(exchange, who, "sell", qty, "10.00", time_in_force="gtc")
    enter(exchange, who, "buy", qty, "10.00", time_in_force="gtc")
