"""The equality campaign fails where a rule is never reached by its commands."""

from __future__ import annotations

from collections import Counter

import pytest

from exchange.domain.reasons import Reason
from exchange.wire.records import BY_NUMBER

pytest.importorskip(
    "exchange.matching.native",
    reason="the wheel exchange-native is not installed: install Rust and run `make setup`",
    exc_type=ImportError,
)
from tests.integration import campaign

pytestmark = pytest.mark.integration


def everything() -> dict[str, Counter[int]]:
    """Return counts in which all came once."""
    return {
        "commands": Counter(number for number, layout in BY_NUMBER.items() if not layout.is_event),
        "events": Counter(number for number, layout in BY_NUMBER.items() if layout.is_event),
        "reasons": Counter(reason.value for reason in Reason),
    }


@pytest.mark.parametrize("kind", ["commands", "events", "reasons"])
def test_what_never_came_fails_the_campaign(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    seen = everything()
    assert campaign.report(**seen) == 0
    number = max(seen[kind])
    del seen[kind][number]
    assert campaign.report(**seen) == 1
    name = Reason(number).name if kind == "reasons" else BY_NUMBER[number].value_type.__name__
    said = capsys.readouterr().out
    assert f"never seen: {name}" in said
    assert f"{name:28} {0:>12,}   not reached" in said
