"""Examples that a rule carries: trades with the verdict the rule must give, tried each time the rule is read.

A set of rules in which one example comes out otherwise is refused, so no rule takes effect that does not do what its
author said it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from exchange.domain.order import Side
from exchange.domain.symbol import SymbolState
from exchange.domain.units import (
    MatchId,
    OrderId,
    Price,
    Quantity,
    SymbolId,
    TimeNs,
    parse_price,
    parse_quantity,
)
from exchange.post_trade.recent_trades import RecentTrades
from exchange.post_trade.rule import SESSIONS, Context, Rule, Verdict
from exchange.post_trade.rule_values import one_of, whole
from exchange.post_trade.trade import Trade

EXAMPLES_MAX = 32
"""Examples of one rule."""
REPEATS_MAX = 1_000
NS_PER_MINUTE = 60_000_000_000
NS_PER_MS = 1_000_000
KEYS = ("trade", "verdict")


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 20:
        raise ValueError("allowed is a text of at most 20 characters")
    return value


def _price(value: Any) -> Price:
    if not isinstance(value, str):
        raise ValueError("allowed is a price as a text, such as '25.00'")
    return Price(0) if value == "0" else parse_price(value)


def _quantity(value: Any) -> Quantity:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("allowed is a whole number of shares such as 100")
    return parse_quantity(value)


def _time(value: Any) -> int:
    hours, _, minutes = value.partition(":") if isinstance(value, str) else ("", "", "")
    if not (len(hours) == len(minutes) == 2 and (hours + minutes).isdecimal() and int(hours) < 24):
        raise ValueError("allowed is a time of the day in UTC, such as '14:30'")
    return int(hours) * 60 + int(minutes)


_id = whole(0, 2**63 - 1)
_FACTS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "price": (_price, Price(1_000_000)),
    "reference_price": (_price, Price(1_000_000)),
    "quantity": (_quantity, Quantity(100)),
    "symbol": (_text, "TEST"),
    "session": (one_of({name: name for name in SESSIONS}), SESSIONS[0]),
    "state": (one_of({state.name.lower(): state for state in SymbolState}), SymbolState.ACTIVE),
    "taker_side": (one_of({side.name.lower(): side for side in Side}), Side.BUY),
    "buy_account": (_id, 1),
    "sell_account": (_id, 2),
    "buyer": (_id, None),
    "seller": (_id, None),
    "at": (_time, 12 * 60),
    "repeats": (whole(0, REPEATS_MAX), 0),
}
"""What an example may say of its trade, how it is read, and what holds where it says nothing.

buyer, seller: participants, as the accounts where left out, 0 for unknown; repeats: how many orders made the same trade
before, a millisecond apart.
"""


class Example(msgspec.Struct, frozen=True):
    """A trade in its surroundings, and the verdict that the rule must give."""

    trade: Trade
    context: Context
    verdict: Verdict
    repeats: int


def parse_examples(value: Any) -> list[Example]:
    """Read the examples of a rule as the configuration has them. Raise `ValueError` with which, and what is allowed."""
    if not isinstance(value, list | tuple) or len(value) > EXAMPLES_MAX:
        raise ValueError(f"allowed are at most {EXAMPLES_MAX} tables with {' and '.join(KEYS)}")
    return [_example(number, table) for number, table in enumerate(value, 1)]


def failure_of(rule: Rule, examples: list[Example]) -> str:
    """Try a rule with its examples; return what came out otherwise in the first that did, empty where none did.

    Whatever the rule itself raises is raised.
    """
    for number, example in enumerate(examples, 1):
        finding = (
            rule.evaluate(example.trade, _remembering(example)) if rule.when.holds(example.context) else None
        )
        got = finding.verdict if finding else Verdict.ACCEPT
        if got != example.verdict:
            said = f": {finding.sentence}" if finding else ", without a word"
            return f"example {number} wants {example.verdict.name.lower()}, the rule says {got.name.lower()}{said}"
    return ""


def _remembering(example: Example) -> Context:
    recent = RecentTrades()
    trade = example.trade
    for number in range(example.repeats, 0, -1):
        order_id = OrderId(trade.taker_order_id + number)
        side = "buy_order_id" if trade.taker_side == Side.BUY else "sell_order_id"
        at_ns = TimeNs(trade.executed_ns - number * NS_PER_MS)
        recent.remember(msgspec.structs.replace(trade, executed_ns=at_ns, **{side: order_id}))
    return msgspec.structs.replace(example.context, recent=recent)


def _example(number: int, table: Any) -> Example:
    where = f"example {number}"
    if not isinstance(table, dict) or set(table) != set(KEYS) or not isinstance(table["trade"], Mapping):
        raise ValueError(f"{where}: it has just the keys {' and '.join(KEYS)}, and trade is a table")
    facts = {name: default for name, (_, default) in _FACTS.items()}
    for name, value in table["trade"].items():
        if name not in _FACTS:
            raise ValueError(f"{where}: a trade has no {name!r} here, it has {', '.join(_FACTS)}")
        try:
            facts[name] = _FACTS[name][0](value)
        except ValueError as error:
            raise ValueError(f"{where}, {name!r}: got {value!r}; {error}") from error
    try:
        verdict = one_of({verdict.name.lower(): verdict for verdict in Verdict})(table["verdict"])
    except ValueError as error:
        raise ValueError(f"{where}, 'verdict': got {table['verdict']!r}; {error}") from error
    return Example(_trade(facts), _context(facts), verdict, facts["repeats"])


def _trade(facts: Mapping[str, Any]) -> Trade:
    return Trade(
        match_id=MatchId(1), partition=0, epoch=1, sequence=1, symbol_id=SymbolId(1), price=facts["price"],
        quantity=facts["quantity"], buy_account_id=facts["buy_account"], sell_account_id=facts["sell_account"],
        buy_order_id=OrderId(1), sell_order_id=OrderId(2), taker_side=facts["taker_side"],
        reference_price=facts["reference_price"], symbol_state=facts["state"],
        executed_ns=TimeNs(facts["at"] * NS_PER_MINUTE),
    )  # fmt: skip


def _context(facts: Mapping[str, Any]) -> Context:
    def participant(side: str, account: str) -> int | None:
        known = facts[account] if facts[side] is None else facts[side]
        return known or None

    return Context(
        symbol=facts["symbol"],
        buyer=participant("buyer", "buy_account"),
        seller=participant("seller", "sell_account"),
        recent=RecentTrades(),
        session=facts["session"],
    )
