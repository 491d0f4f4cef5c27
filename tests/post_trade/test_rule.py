"""What all rules share: where they hold, and the hash of their parameters."""

from __future__ import annotations

import pytest

from exchange.post_trade.recent_trades import RecentTrades
from exchange.post_trade.rule import Context, Verdict, When, params_hash
from exchange.post_trade.rule_kinds import MaxNotional, MaxQuantity

CONTEXT = Context(symbol="AAPL", buyer=1, seller=2, recent=RecentTrades())


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        (When(), True),
        (When(session=("core",)), True),
        (When(session=("late",)), False),
        (When(symbol=("AAPL", "XYZ")), True),
        (When(symbol=("XYZ",)), False),
        (When(session=("core",), symbol=("XYZ",)), False),
    ],
)
def test_a_rule_holds_where_session_and_symbol_fit(when: When, holds: bool) -> None:
    assert when.holds(CONTEXT) is holds


def test_verdicts_rise_from_accept_to_bust() -> None:
    assert sorted(Verdict) == [Verdict.ACCEPT, Verdict.FLAG, Verdict.HOLD, Verdict.BUST]


def test_the_hash_changes_with_a_parameter_and_with_the_kind() -> None:
    rules = [MaxQuantity(id="A", limit=5), MaxQuantity(id="A", limit=6), MaxNotional(id="A", limit=5)]
    assert len({params_hash(rule) for rule in rules}) == 3
    assert params_hash(MaxQuantity(id="A", limit=5)) == params_hash(rules[0])
