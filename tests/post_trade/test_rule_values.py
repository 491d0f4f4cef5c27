"""Each key of a rule: what it takes, and what it says it takes when it gets something else."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.domain.trade import BustReason
from exchange.post_trade.rule import Verdict, When
from exchange.post_trade.rule_kinds import Tier
from exchange.post_trade.rule_values import PARSERS, nearest

GOOD = [
    ("", "when", {}, When()),
    ("", "when", {"session": ["core"], "symbol": ["AAPL"]}, When(("core",), ("AAPL",))),
    ("", "reason", "X", BustReason.EXTERNAL),
    ("", "action", "flag", Verdict.FLAG),
    ("price_band", "tiers", [{"percent": "3"}], (Tier(0, 300),)),
    (
        "price_band",
        "tiers",
        [{"up_to": "1.50", "percent": "0.25"}, {"percent": "1"}],
        (Tier(15_000, 25), Tier(0, 100)),
    ),
    ("price_band", "hold_at", 1, 1),
    ("price_band", "bust_at", 0, 0),
    ("self_trade", "scope", "participant", "participant"),
    ("max_notional", "limit", "5000000", 50_000_000_000),
    ("max_quantity", "limit", 100, 100),
    ("max_quantity", "limit", "100", 100),
    ("duplicate", "at_least", 5, 5),
    ("duplicate", "within_ms", 250, 250),
]


@pytest.mark.parametrize(("kind", "key", "value", "parsed"), GOOD)
def test_a_good_value_is_read(kind: str, key: str, value: Any, parsed: Any) -> None:
    assert PARSERS[kind, key](value) == parsed


BAD = [
    ("", "when", ["core"], "a table of lists"),
    ("", "when", {"sesion": ["core"]}, "did you mean 'session'"),
    ("", "when", {"session": "core"}, "a table of lists"),
    ("", "when", {"session": ["cor"]}, "did you mean 'core'"),
    ("", "reason", "Z", "allowed are 'E', 'C', 'S', 'X'"),
    ("", "action", "accept", "allowed are 'flag', 'hold', 'bust'"),
    ("", "action", "hodl", "did you mean 'hold'"),
    ("price_band", "tiers", [], "allowed are 1 to 32 tables"),
    ("price_band", "tiers", [{"up_to": "25.00", "percent": "10"}], "the last without it"),
    ("price_band", "tiers", [{"percent": "10"}, {"percent": "3"}], "rising up_to"),
    (
        "price_band",
        "tiers",
        [{"up_to": "9", "percent": "1"}, {"up_to": "9", "percent": "1"}, {"percent": "1"}],
        "rising",
    ),
    ("price_band", "tiers", [{"percent": 3}], "texts, such as '25.00'"),
    ("price_band", "tiers", [{"percent": "3.001"}], "at most two decimals"),
    ("price_band", "tiers", [{"percent": "0"}], "percent is above 0"),
    ("price_band", "tiers", [{"percent": "3", "to": "5"}], "allowed are 1 to 32 tables"),
    ("price_band", "tiers", [{"up_to": "0", "percent": "3"}], "price must be above 0"),
    ("price_band", "hold_at", 0, "whole numbers from 1 to 1000"),
    ("price_band", "hold_at", 1.5, "whole numbers from 1 to 1000"),
    ("price_band", "hold_at", True, "whole numbers from 1 to 1000"),
    ("self_trade", "scope", "acount", "did you mean 'account'"),
    ("max_notional", "limit", 5_000_000, "texts, such as '25.00'"),
    ("max_notional", "limit", "-1", "an amount above 0"),
    ("max_quantity", "limit", 0, "quantity must be 1 to"),
    ("max_quantity", "limit", 1.0, "a whole number of shares"),
    ("duplicate", "at_least", 1, "whole numbers from 2 to 1000"),
]


@pytest.mark.parametrize(("kind", "key", "value", "message"), BAD)
def test_a_bad_value_is_told_what_is_allowed(kind: str, key: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PARSERS[kind, key](value)


def test_only_a_near_name_is_asked_for() -> None:
    assert nearest("price_bnd", ["price_band", "halted"]) == "; did you mean 'price_band'?"
    assert nearest("zzz", ["price_band", "halted"]) == ""
    assert nearest(7, ["price_band"]) == ""
