"""Sets of rules: read from the configuration with whole error messages, and applied to a trade, all of them.

A rule that fails never lets a trade pass: the trade is held, and the ruling says which rule failed and how.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from exchange.domain.configuration import RULES_MAX, RuleText
from exchange.domain.printable import is_printable
from exchange.domain.trade import BustReason
from exchange.post_trade.rule import Context, Finding, Hit, Rule, Verdict, params_hash
from exchange.post_trade.rule_examples import failure_of, parse_examples
from exchange.post_trade.rule_kinds import KINDS
from exchange.post_trade.rule_values import PARSERS, nearest
from exchange.post_trade.trade import Trade

RULE_ID_CHARACTERS_MAX = 32
FAILED = "The rule failed with "
"""How the sentence of a hit begins where the rule itself made a mistake."""
EXAMPLES = "tests"
"""The key under which a rule of any kind carries its examples."""
DEFAULT_RULES: tuple[dict[str, Any], ...] = (
    {
        "id": "CE-CORE",
        "kind": "price_band",
        "when": {"session": ["core"]},
        "tiers": [{"up_to": "25.00", "percent": "10"}, {"up_to": "50.00", "percent": "5"}, {"percent": "3"}],
        "hold_at": 1,
        "bust_at": 3,
        "reason": "E",
    },
    {"id": "SELF", "kind": "self_trade", "scope": "account", "action": "hold"},
    {"id": "BIG-NOTIONAL", "kind": "max_notional", "limit": "5000000", "action": "hold"},
    {"id": "BIG-QUANTITY", "kind": "max_quantity", "limit": "1000000", "action": "hold"},
    {"id": "HALTED", "kind": "halted", "action": "hold"},
    {"id": "ACCOUNT", "kind": "unknown_account", "action": "hold"},
)
"""What holds where the configuration has no rule.

`duplicate` is off: an exchange that many test against needs it off.
"""


class RulesError(ValueError):
    """A rule that cannot be; the message names the rule and the key, what was seen and what is allowed."""


class RuleSet(msgspec.Struct, frozen=True):
    """The rules in force.

    version: goes into every hit; hashes: of each rule's parameters, in the same order; looks_back: whether a rule asks
    for the latest trades.
    """

    version: str
    rules: tuple[Rule, ...]
    hashes: tuple[str, ...]
    looks_back: bool = False


def judge(rule_set: RuleSet, trade: Trade, context: Context) -> tuple[Verdict, tuple[Hit, ...]]:
    """Let every rule look at a trade; return the worst verdict and every hit, in the order of the rules.

    A rule may be another package's and raise anything: then it holds the trade, and the others still look.
    """
    verdict = Verdict.ACCEPT
    hits: list[Hit] = []
    for rule, rule_hash in zip(rule_set.rules, rule_set.hashes, strict=True):
        try:
            finding = rule.evaluate(trade, context) if rule.when.holds(context) else None
            if finding is not None:
                _check_finding(finding)
        except Exception as error:
            sentence = f"{FAILED}{type(error).__name__}: {error}; the trade is held."
            finding = Finding(Verdict.HOLD, 0, 0, sentence)
        if finding is not None:
            verdict = max(verdict, finding.verdict)
            hits.append(_hit(rule_set.version, rule, rule_hash, finding))
    return verdict, tuple(hits)


def _check_finding(finding: Any) -> None:
    """Refuse what is no finding: a rule of another package may return anything. Raise `TypeError`."""
    if not (type(finding) is Finding and type(finding.verdict) is Verdict and finding.verdict):
        raise TypeError(f"it returned {_shown(finding)}, which is no finding with a verdict")
    if not (type(finding.measured) is type(finding.limit) is int and type(finding.sentence) is str):
        raise TypeError(
            f"it returned {_shown(finding)}; measured and limit are integers, the sentence is a text"
        )


def bust_reason(rule_set: RuleSet, hits: Iterable[Hit]) -> BustReason:
    """Return the reason of the first rule that says bust, or erroneous where none does."""
    busting = [hit.rule_id for hit in hits if hit.verdict == Verdict.BUST.name.lower()]
    return next((rule.reason for rule in rule_set.rules if rule.id in busting), BustReason.ERRONEOUS)


def _hit(version: str, rule: Rule, rule_hash: str, finding: Finding) -> Hit:
    return Hit(
        rule_id=rule.id,
        kind=rule.KIND,
        rule_version=version,
        params_hash=rule_hash,
        verdict=finding.verdict.name.lower(),
        measured=finding.measured,
        limit=finding.limit,
        sentence=finding.sentence,
    )


def parse_rules(
    rules: Sequence[Mapping[str, Any]],
    version: str | int = "1",
    on_rule_error: str = "hold",
    *,
    tries_examples: bool = True,
) -> RuleSet:
    """Read rules as the configuration has them: a list of tables. Raise `RulesError` at the first mistake.

    on_rule_error: only `hold`; a rule that fails can neither accept nor bust. tries_examples: whether a rule whose
    examples come out otherwise is a mistake.
    """
    if on_rule_error != "hold":
        raise RulesError(
            f"clearing rules, key 'on_rule_error': got {_shown(on_rule_error)}; allowed is 'hold': a rule "
            "that fails must not let a trade pass"
        )
    if len(rules) > RULES_MAX:
        raise RulesError(f"clearing rules: got {len(rules)} rules, at most {RULES_MAX} are allowed")
    parsed = tuple(_rule(number, table, tries_examples) for number, table in enumerate(rules, 1))
    seen: dict[str, int] = {}
    for number, rule in enumerate(parsed, 1):
        if rule.id in seen:
            raise RulesError(
                f"clearing rule {number}, key 'id': got {_shown(rule.id)}, which rule {seen[rule.id]} has; "
                "give each rule an id of its own"
            )
        seen[rule.id] = number
    looks_back = any(rule.LOOKS_BACK for rule in parsed)
    return RuleSet(str(version), parsed, tuple(params_hash(rule) for rule in parsed), looks_back)


def rules_from_texts(texts: Sequence[RuleText]) -> RuleSet:
    """Read a whole set of rules as events brought it. Raise `RulesError` where this program cannot read it.

    Their examples were tried before they were sequenced; what is in force stays in force.
    """
    try:
        tables = [msgspec.json.decode(rule.text, type=dict[str, Any]) for rule in texts]
    except msgspec.DecodeError as error:
        raise RulesError(f"clearing rules: not JSON: {error}") from error
    first = texts[0]
    version = f"{first.rules_version} (configuration {first.configuration_version})"
    return parse_rules(tables, version, tries_examples=False)


def _rule(number: int, table: Mapping[str, Any], tries_examples: bool) -> Rule:
    rule_id = table.get("id")
    allowed = f"1 to {RULE_ID_CHARACTERS_MAX} characters, such as 'CE-CORE'"
    if (
        not isinstance(rule_id, str)
        or not 0 < len(rule_id) <= RULE_ID_CHARACTERS_MAX
        or not is_printable(rule_id)
    ):
        raise RulesError(f"clearing rule {number}, key 'id': got {_shown(rule_id)}; allowed are {allowed}")
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise _mistake(rule_id, "kind", kind, f"allowed are {', '.join(KINDS)}{nearest(kind, KINDS)}")
    rule_type = KINDS[kind]
    fields = {field.name: field for field in msgspec.structs.fields(rule_type)}
    values: dict[str, Any] = {"id": rule_id}
    for key, value in table.items():
        if key in ("id", "kind", EXAMPLES):
            continue
        if key not in fields:
            names = [*(name for name in fields if name != "id"), EXAMPLES]
            raise _mistake(rule_id, key, value, f"a {kind} rule has no such key, it has {', '.join(names)}"
                           f"{nearest(key, names)}")  # fmt: skip
        values[key] = _value(rule_id, kind, key, value)
    for name, field in fields.items():
        if field.required and name not in values:
            raise RulesError(
                f"clearing rule {rule_id!r}: a {kind} rule needs the key {name!r}, which is missing"
            )
    rule = rule_type(**values)
    _check_multiples(rule_id, values, rule)
    if EXAMPLES in table:
        _try_examples(rule_id, rule, table[EXAMPLES], tries_examples)
    return rule


def _try_examples(rule_id: str, rule: Rule, value: Any, tries_examples: bool) -> None:
    try:
        examples = parse_examples(value)
    except ValueError as error:
        raise RulesError(f"clearing rule {rule_id!r}, key {EXAMPLES!r}: {error}") from error
    if not tries_examples:
        return
    try:
        failure = failure_of(rule, examples)
    except Exception as error:
        failure = f"the rule failed with {type(error).__name__}: {error}"
    if failure:
        raise RulesError(
            f"clearing rule {rule_id!r}, key {EXAMPLES!r}: {failure}; repair the rule or the example"
        )


def _value(rule_id: str, kind: str, key: str, value: Any) -> Any:
    parser = PARSERS.get((kind, key)) or PARSERS[("", key)]
    try:
        return parser(value)
    except ValueError as error:
        raise _mistake(rule_id, key, value, str(error)) from error


def _check_multiples(rule_id: str, values: Mapping[str, Any], rule: Rule) -> None:
    hold_at, bust_at = getattr(rule, "hold_at", 0), getattr(rule, "bust_at", 0)
    if bust_at and bust_at < hold_at:
        raise _mistake(rule_id, "bust_at", bust_at, f"it must not be below hold_at, which is {hold_at}")


def _mistake(rule_id: str, key: str, seen: Any, what: str) -> RulesError:
    return RulesError(f"clearing rule {rule_id!r}, key {key!r}: got {_shown(seen)}; {what}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
