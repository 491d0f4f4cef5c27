"""Kinds of rules that other packages bring."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from exchange.post_trade.added_kinds import KindRefused, add_kinds
from exchange.post_trade.rule import Context, Finding, Rule, Verdict
from exchange.post_trade.rule_kinds import KINDS
from exchange.post_trade.rule_values import PARSERS
from exchange.post_trade.rules import RulesError, judge, parse_rules
from exchange.post_trade.trade import Trade
from tests.post_trade.test_rules import CONTEXT, one_trade


class RoundPrice(Rule, frozen=True, kw_only=True):
    KIND: ClassVar[str] = "round_price"
    MEANING: ClassVar[str] = "The price is a multiple of a round figure."

    multiple: int
    note: str = ""
    is_loud: bool = False
    action: Verdict = Verdict.FLAG

    def evaluate(self, trade: Trade, context: Context) -> Finding | None:
        if trade.price % self.multiple:
            return None
        return Finding(self.action, trade.price, self.multiple, f"The price is round. {self.note}")


class Careless(Rule, frozen=True, kw_only=True):
    KIND: ClassVar[str] = "careless"
    MEANING: ClassVar[str] = "Returns what is no finding."

    what: str

    def evaluate(self, trade: Trade, context: Context) -> Any:
        return {
            "text": "bust",
            "accept": Finding(Verdict.ACCEPT, 0, 0, ""),
            "float": Finding(Verdict.BUST, 0.5, 0, ""),
        }[self.what]  # type: ignore[return-value,arg-type]


@pytest.fixture(autouse=True)
def _forget_kinds() -> Iterator[None]:
    kinds, parsers = dict(KINDS), dict(PARSERS)
    yield
    for table, before in ((KINDS, kinds), (PARSERS, parsers)):
        table.clear()
        table.update(before)  # type: ignore[arg-type]


def test_an_added_kind_is_configured_and_judges_like_any_other() -> None:
    add_kinds({"round_price": RoundPrice})
    add_kinds({"round_price": RoundPrice})
    rules = parse_rules(
        [{"id": "R", "kind": "round_price", "multiple": 10_000, "note": "Hm.", "action": "hold"}]
    )
    verdict, hits = judge(rules, one_trade(price="190.00"), CONTEXT)
    assert (verdict, hits[0].kind, hits[0].sentence) == (
        Verdict.HOLD,
        "round_price",
        "The price is round. Hm.",
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "a round_price rule needs the key 'multiple'"),
        ({"multiple": -1}, "key 'multiple': got -1; allowed are whole numbers"),
        ({"multiple": 1, "note": 5}, "key 'note': got 5; allowed is a text"),
        ({"multiple": 1, "is_loud": 1}, "key 'is_loud': got 1; allowed are true and false"),
    ],
)
def test_its_parameters_are_checked_by_their_types(values: dict[str, Any], message: str) -> None:
    add_kinds({"round_price": RoundPrice})
    with pytest.raises(RulesError, match=message):
        parse_rules([{"id": "R", "kind": "round_price"} | values])


@pytest.mark.parametrize("what", ["text", "accept", "float", "nothing"])
def test_one_that_returns_what_is_no_finding_holds_the_trade(what: str) -> None:
    add_kinds({"careless": Careless})
    verdict, hits = judge(parse_rules([{"id": "C", "kind": "careless", "what": what}]), one_trade(), CONTEXT)
    assert verdict == Verdict.HOLD
    assert hits[0].sentence.startswith("The rule failed with ")


class NotOfOurs:
    KIND = "not_ours"


class Nameless(RoundPrice, frozen=True, kw_only=True):
    MEANING: ClassVar[str] = ""
    KIND: ClassVar[str] = "nameless"


class OddParameter(RoundPrice, frozen=True, kw_only=True):
    KIND: ClassVar[str] = "odd"
    share: float = 0.5


class Idle(Rule, frozen=True, kw_only=True):
    KIND: ClassVar[str] = "idle"
    MEANING: ClassVar[str] = "Does nothing."


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        (
            "price_band",
            RoundPrice,
            "'price_band' of exchange.clearing_rules has the name of a kind that is here",
        ),
        ("not_ours", NotOfOurs, "it must be a class of exchange.post_trade.rule.Rule with evaluate"),
        ("idle", Idle, "with evaluate"),
        ("other", RoundPrice, "KIND must be 'other'"),
        ("nameless", Nameless, "MEANING one sentence"),
        (
            "odd",
            OddParameter,
            "parameter 'share': it is <class 'float'>; allowed are int, str, bool, Verdict",
        ),
    ],
)
def test_what_is_no_kind_is_refused_by_its_name_and_none_is_added(name: str, kind: Any, message: str) -> None:
    with pytest.raises(KindRefused, match=message):
        add_kinds({"round_price": RoundPrice, name: kind})
    assert "round_price" not in KINDS
