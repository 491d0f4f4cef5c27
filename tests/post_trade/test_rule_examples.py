"""Examples of rules: a rule that does not do what its examples say is refused, with what it did."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.post_trade.rule_examples import parse_examples
from exchange.post_trade.rules import RulesError, parse_rules

BAND = {"id": "CE", "kind": "price_band"}
FAR = {"price": "195.00", "reference_price": "189.20"}

# the rule                                                     the trade                               its verdict
TABLE: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {}, "accept"),
    ({}, FAR, "hold"),
    ({}, {"price": "194.87", "reference_price": "189.20"}, "accept"),
    ({}, {"price": "230.00", "reference_price": "189.20"}, "bust"),
    ({}, {"price": "25.00", "reference_price": "0"}, "hold"),
    ({"leverage": {"TQQQ": 3}}, FAR | {"symbol": "TQQQ"}, "accept"),
    ({"leverage": {"TQQQ": 3}}, FAR | {"symbol": "AAPL"}, "hold"),
    ({"core_hours": "14:30-21:00"}, FAR | {"at": "14:30"}, "hold"),
    ({"core_hours": "14:30-21:00"}, FAR | {"at": "14:29"}, "accept"),
    ({"core_hours": "14:30-21:00"}, FAR | {"at": "21:00"}, "accept"),
    ({"core_hours": "14:30-21:00", "outside_times": 1}, FAR | {"at": "21:00"}, "hold"),
    ({"core_hours": "22:00-04:00"}, FAR | {"at": "23:59"}, "hold"),
    ({"core_hours": "22:00-04:00"}, FAR | {"at": "03:59"}, "hold"),
    ({"core_hours": "22:00-04:00"}, FAR | {"at": "12:00"}, "accept"),
    ({"when": {"symbol": ["XYZ"]}}, FAR, "accept"),
    ({"kind": "duplicate", "at_least": 3}, {"repeats": 1}, "accept"),
    ({"kind": "duplicate", "at_least": 3}, {"repeats": 2}, "hold"),
    ({"kind": "self_trade"}, {"buy_account": 7, "sell_account": 7}, "hold"),
    ({"kind": "self_trade", "scope": "participant"}, {"buyer": 5, "seller": 5}, "hold"),
    ({"kind": "unknown_account"}, {"seller": 0}, "hold"),
    ({"kind": "halted"}, {"state": "suspended"}, "hold"),
    ({"kind": "max_quantity", "limit": 99}, {"quantity": 100}, "hold"),
    ({"kind": "expr", "expr": "quantity > 99 and taker_side == 'sell'"}, {"taker_side": "sell"}, "hold"),
    ({"kind": "expr", "expr": "quantity > 99", "action": "flag"}, {"quantity": "99"}, "accept"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "trade", "verdict"), TABLE)
def test_an_example_is_tried_with_the_trade_it_tells_of(
    keys: dict[str, Any], trade: dict[str, Any], verdict: str
) -> None:
    parse_rules([BAND | keys | {"tests": [{"trade": trade, "verdict": verdict}]}])
    other = "flag" if verdict == "accept" else "accept"
    with pytest.raises(RulesError, match=f"key 'tests': example 1 wants {other}, the rule says {verdict}"):
        parse_rules([BAND | keys | {"tests": [{"trade": trade, "verdict": other}]}])


def test_the_refusal_says_what_the_rule_said_of_which_example() -> None:
    tests = [{"trade": {}, "verdict": "accept"}, {"trade": FAR, "verdict": "bust"}]
    with pytest.raises(RulesError) as caught:
        parse_rules([BAND | {"tests": tests}])
    assert str(caught.value) == (
        "clearing rule 'CE', key 'tests': example 2 wants bust, the rule says hold: The price 195.00 is 5.80 above the "
        "reference price 189.20; from 5.676 (3 %) on it is to hold.; repair the rule or the example"
    )


def test_a_rule_that_fails_with_its_example_is_refused() -> None:
    rule = {"id": "A", "kind": "expr", "expr": "quantity // reference_price > 0"}
    tests = [{"trade": {"reference_price": "0"}, "verdict": "hold"}]
    with pytest.raises(RulesError, match="'tests': the rule failed with ZeroDivisionError"):
        parse_rules([rule | {"tests": tests}])


def test_examples_are_no_part_of_what_a_rule_judges_by() -> None:
    plain, shown = (
        parse_rules([BAND | extra]) for extra in ({}, {"tests": [{"trade": {}, "verdict": "accept"}]})
    )
    assert plain == shown


MISTAKES: list[tuple[Any, str]] = [
    ("x", "allowed are at most 32 tables with trade and verdict"),
    ([{"trade": {}, "verdict": "accept"}] * 33, "at most 32"),
    ([{"trade": {}}], "example 1: it has just the keys trade and verdict"),
    ([{"trade": [], "verdict": "hold"}], "trade is a table"),
    (
        [{"trade": {"prise": "1"}, "verdict": "hold"}],
        "a trade has no 'prise' here, it has price, reference_price",
    ),
    ([{"trade": {"price": 1}, "verdict": "hold"}], "'price': got 1; allowed is a price as a text"),
    ([{"trade": {"price": "1e5"}, "verdict": "hold"}], "'price': got '1e5'; price must be a plain decimal"),
    ([{"trade": {"quantity": True}, "verdict": "hold"}], "'quantity': got True; allowed is a whole number"),
    ([{"trade": {"at": "25:00"}, "verdict": "hold"}], "'at': got '25:00'; allowed is a time of the day"),
    (
        [{"trade": {"state": "open"}, "verdict": "hold"}],
        "'state': got 'open'; allowed are 'active', 'suspended'",
    ),
    ([{"trade": {"buyer": -1}, "verdict": "hold"}], "'buyer': got -1; allowed are whole numbers"),
    ([{"trade": {}, "verdict": "hodl"}], "'verdict': got 'hodl'; .*did you mean 'hold'"),
]


@pytest.mark.parametrize(("value", "message"), MISTAKES)
def test_a_mistake_in_an_example_says_where_and_what_is_allowed(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_examples(value)
