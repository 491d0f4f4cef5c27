"""Sets of rules: reading them, letting all of them look, and failing closed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exchange.domain.events import TradeExecuted
from exchange.domain.symbol import SymbolState
from exchange.domain.trade import BustReason
from exchange.post_trade.recent_trades import RecentTrades
from exchange.post_trade.rule import Context, Finding, Rule, Verdict, params_hash
from exchange.post_trade.rule_kinds import KINDS
from exchange.post_trade.rule_values import PARSERS
from exchange.post_trade.rules import (
    DEFAULT_RULES,
    RulesError,
    RuleSet,
    bust_reason,
    judge,
    parse_rules,
)
from exchange.post_trade.trade import Trade, captured
from tests.post_trade.stream import Stream

DEFAULT = parse_rules(DEFAULT_RULES)
CONTEXT = Context(symbol="AAPL", buyer=1, seller=2, recent=RecentTrades())


def one_trade(buyer: int = 1, seller: int = 2, quantity: int = 100, **facts: Any) -> Trade:
    stream = Stream()
    stream.trade(buyer, seller, quantity, **facts)
    event = stream.events[-1]
    assert isinstance(event, TradeExecuted)
    return captured(event)


# what is special about the trade                                          verdict  hit by
DEFAULT_TABLE = [
    ({}, "accept", []),
    ({"price": "194.87"}, "accept", []),
    ({"price": "194.88"}, "hold", ["CE-CORE"]),
    ({"price": "230.00"}, "bust", ["CE-CORE"]),
    ({"buyer": 2}, "hold", ["SELF"]),
    ({"buyer": 2, "price": "230.00"}, "bust", ["CE-CORE", "SELF"]),
    ({"quantity": 26_426}, "accept", []),
    ({"quantity": 26_428}, "hold", ["BIG-NOTIONAL"]),
    ({"quantity": 1_000_001, "price": "1.00", "reference": "1.00"}, "hold", ["BIG-QUANTITY"]),
    ({"quantity": 6_000_000, "reference": "0"}, "hold", ["CE-CORE", "BIG-NOTIONAL", "BIG-QUANTITY"]),
    ({"state": SymbolState.SUSPENDED}, "hold", ["HALTED"]),
]


@pytest.mark.parametrize(("facts", "verdict", "hit_by"), DEFAULT_TABLE)
def test_all_default_rules_look_and_the_worst_verdict_holds(
    facts: dict[str, Any], verdict: str, hit_by: list[str]
) -> None:
    ruled, hits = judge(DEFAULT, one_trade(**facts), CONTEXT)
    assert (ruled.name.lower(), [hit.rule_id for hit in hits]) == (verdict, hit_by)


def test_a_hit_keeps_all_it_takes_to_understand_it_later() -> None:
    rule_set = parse_rules(DEFAULT_RULES, version=7)
    _, (hit,) = judge(rule_set, one_trade(price="230.00"), CONTEXT)
    assert (hit.rule_id, hit.kind, hit.rule_version, hit.verdict) == ("CE-CORE", "price_band", "7", "bust")
    assert (hit.measured, hit.limit) == (408_000, 170_280)
    assert hit.params_hash == params_hash(rule_set.rules[0])
    assert hit.sentence.startswith("The price 230.00 is 40.80 above the reference price 189.20")


class Broken(Rule, frozen=True, kw_only=True):
    """A rule with a mistake of its own."""

    error: Any = ZeroDivisionError

    def evaluate(self, trade: Trade, context: Context) -> Finding | None:
        raise self.error("oops")


class NobodyKnows(Exception):
    """Of another package."""


@pytest.mark.parametrize("error", [ArithmeticError, OSError, RecursionError, TypeError, NobodyKnows])
def test_a_rule_that_fails_holds_the_trade_and_the_others_still_look(error: type[Exception]) -> None:
    rule = Broken(id="BAD", error=error)
    rule_set = RuleSet("1", (rule, *DEFAULT.rules), ("-", *DEFAULT.hashes))
    verdict, hits = judge(rule_set, one_trade(buyer=2), CONTEXT)
    assert verdict == Verdict.HOLD
    assert [hit.rule_id for hit in hits] == ["BAD", "SELF"]
    assert hits[0].sentence == f"The rule failed with {error.__name__}: oops; the trade is held."


def test_the_reason_of_a_bust_is_that_of_the_first_rule_that_busts() -> None:
    rules = [
        {"id": "A", "kind": "max_quantity", "limit": 1, "action": "hold", "reason": "X"},
        {"id": "B", "kind": "max_quantity", "limit": 2, "action": "bust", "reason": "S"},
        {"id": "C", "kind": "max_quantity", "limit": 3, "action": "bust", "reason": "C"},
    ]
    rule_set = parse_rules(rules)
    _, hits = judge(rule_set, one_trade(), CONTEXT)
    assert bust_reason(rule_set, hits) == BustReason.SUPERVISORY
    assert bust_reason(rule_set, []) == BustReason.ERRONEOUS


def test_a_rule_looks_only_where_it_holds() -> None:
    rules = [{"id": "Q", "kind": "max_quantity", "limit": 1, "when": {"symbol": ["XYZ"]}}]
    context = msgspec.structs.replace(CONTEXT, symbol="XYZ")
    assert judge(parse_rules(rules), one_trade(), CONTEXT)[0] == Verdict.ACCEPT
    assert judge(parse_rules(rules), one_trade(), context)[0] == Verdict.HOLD


MISTAKES: list[tuple[Any, str]] = [
    (
        {"kind": "halted"},
        "clearing rule 1, key 'id': got None; allowed are 1 to 32 characters, such as 'CE-CORE'",
    ),
    ({"id": "x" * 33, "kind": "halted"}, "clearing rule 1, key 'id': got 'xxxxx"),
    (
        {"id": "A"},
        "clearing rule 'A', key 'kind': got None; allowed are price_band, self_trade, max_quantity",
    ),
    (
        {"id": "A", "kind": "price_bnd"},
        "got 'price_bnd'; allowed are price_band, .*; did you mean 'price_band'?",
    ),
    ({"id": "A", "kind": ["halted"]}, r"key 'kind': got \['halted'\]; allowed are"),
    (
        {"id": "A", "kind": "price_band", "hold_aat": 1},
        "clearing rule 'A', key 'hold_aat': got 1; a price_band rule has no such key, it has when, reason, tiers, "
        "hold_at, bust_at, core_hours, outside_times, leverage, tests; did you mean 'hold_at'?",
    ),
    (
        {"id": "A", "kind": "halted", "scope": "account"},
        "a halted rule has no such key, it has when, reason, action, tests",
    ),
    ({"id": "A", "kind": "max_quantity"}, "clearing rule 'A': a max_quantity rule needs the key 'limit'"),
    (
        {"id": "A", "kind": "halted", "action": "hodl"},
        "key 'action': got 'hodl'; allowed are 'flag', 'hold', 'bust'",
    ),
    ({"id": "A", "kind": "price_band", "hold_at": 3, "bust_at": 2}, "must not be below hold_at, which is 3"),
]


@pytest.mark.parametrize(("table", "message"), MISTAKES)
def test_a_mistake_in_a_rule_names_rule_key_what_was_seen_and_what_is_allowed(
    table: dict[str, Any], message: str
) -> None:
    with pytest.raises(RulesError, match=message):
        parse_rules([table])


def test_two_rules_with_one_id_are_refused() -> None:
    rule = {"id": "A", "kind": "halted"}
    with pytest.raises(RulesError, match="clearing rule 2, key 'id': got 'A', which rule 1 has"):
        parse_rules([rule, rule])


def test_a_failing_rule_can_never_be_configured_to_accept() -> None:
    with pytest.raises(RulesError, match="key 'on_rule_error': got 'accept'; allowed is 'hold'"):
        parse_rules([], on_rule_error="accept")


def test_too_many_rules_are_refused() -> None:
    with pytest.raises(RulesError, match="got 101 rules, at most 100"):
        parse_rules([{"id": str(number), "kind": "halted"} for number in range(101)])


def test_every_key_of_every_kind_has_a_parser() -> None:
    for name, kind in KINDS.items():
        for field in msgspec.structs.fields(kind):
            assert field.name == "id" or (name, field.name) in PARSERS or ("", field.name) in PARSERS
