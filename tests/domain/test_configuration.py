"""Sets of rules come rule by rule, and hold once they are whole."""

from __future__ import annotations

from exchange.domain.configuration import RULES_MAX, RuleText, RuleTexts


def rule(number: int, count: int, version: int = 1) -> RuleText:
    return RuleText(version, number, count, 1, "{}" if count else "")


def taken(*rules: RuleText) -> RuleTexts:
    texts = RuleTexts()
    for each in rules:
        assert texts.is_next(each)
        texts.take(each)
    return texts


def test_a_set_holds_once_it_is_whole() -> None:
    half = taken(rule(1, 1), rule(1, 2, 2))
    assert (half.in_force, half.coming) == ([rule(1, 1)], [rule(1, 2, 2)])
    half.take(rule(2, 2, 2))
    assert (half.in_force, half.coming) == ([rule(1, 2, 2), rule(2, 2, 2)], [])


def test_the_set_without_rules_takes_all_away() -> None:
    assert taken(rule(1, 1), rule(1, 2), rule(0, 0)) == RuleTexts()


def test_only_a_first_rule_or_the_one_that_is_due_is_next() -> None:
    texts = taken(rule(1, 3))
    assert texts.is_next(rule(2, 3))
    for wrong in (rule(3, 3), rule(2, 2), rule(2, 3, 2), rule(1, RULES_MAX + 1), rule(0, 3), rule(1, 0)):
        assert not texts.is_next(wrong)


def test_texts_are_equal_by_what_they_hold() -> None:
    assert taken(rule(1, 2)) != taken(rule(1, 3))
    assert RuleTexts() != 1
