"""What the tests of the terminal share: an exchange with house traders per file, one browser, a tab per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.integration.exchange_process import ExchangeProcess
from tests.integration.terminal_screen import ARGUMENTS, CHROMIUM, DESK, Screen


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangeProcess]:
    with ExchangeProcess(tmp_path_factory.mktemp("terminal") / "data", "demo") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def screen(browser: Browser, exchange: ExchangeProcess, request: pytest.FixtureRequest) -> Iterator[Screen]:
    scheme, size = getattr(request, "param", ("dark", DESK))
    made = Screen(browser, exchange.url("reporter"), exchange.keys(), scheme, size)
    yield made
    made.page.close()
    assert made.wrong == []
