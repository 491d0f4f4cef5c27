"""The equality campaign fails where a rule is never reached by its commands."""

from __future__ import annotations

from collections import Counter

import pytest

from exchange.wire.records import BY_NUMBER

pytest.importorskip(
    "exchange.matching.native",
    reason="the wheel exchange-native is not installed: install Rust and run `make setup`",
    exc_type=ImportError,
)
from tests.integration import campaign

pytestmark = pytest.mark.integration


def test_an_event_that_never_came_fails_the_campaign(capsys: pytest.CaptureFixture[str]) -> None:
    seen = Counter({number: 1 for number, layout in BY_NUMBER.items() if layout.is_event})
    assert campaign.report(seen) == 0
    number, layout = next((n, one) for n, one in BY_NUMBER.items() if one.is_event)
    del seen[number]
    assert campaign.report(seen) == 1
    assert f"never seen: {layout.value_type.__name__}" in capsys.readouterr().out
