"""Dry runs: what other rules would have said of trades that were judged already."""

from __future__ import annotations

from exchange.domain.events import TradeExecuted
from exchange.post_trade.dry_run import DIFFERENCES_MAX, dry_run
from exchange.post_trade.recent_trades import RecentTrades
from exchange.post_trade.rule import Context, Verdict
from exchange.post_trade.rules import DEFAULT_RULES, RuleSet, parse_rules
from exchange.post_trade.trade import Trade, captured
from tests.post_trade.stream import Stream
from tests.post_trade.test_rules import Broken

PRESENT = parse_rules(DEFAULT_RULES)


def trades(*prices: str) -> list[Trade]:
    stream = Stream()
    for price in prices:
        stream.trade(1, 2, 100, price=price)
    return [captured(event) for event in stream.events if isinstance(event, TradeExecuted)]


def context_of(trade: Trade, recent: RecentTrades) -> Context:
    return Context(symbol="AAPL", buyer=1, seller=2, recent=recent)


def test_both_sets_judge_every_trade_and_what_differs_is_shown() -> None:
    proposed = parse_rules(
        [{"id": "NARROW", "kind": "price_band", "tiers": [{"percent": "1"}], "bust_at": 0}]
    )
    run = dry_run(PRESENT, proposed, trades("189.20", "192.00", "195.00", "230.00"), context_of)
    assert run.present == {"accept": 2, "flag": 0, "hold": 1, "bust": 1}
    assert run.proposed == {"accept": 1, "flag": 0, "hold": 3, "bust": 0}
    assert (run.trades, run.hits, run.failures) == (4, {"NARROW": 3}, {"NARROW": 0})
    assert [(each.present, each.proposed) for each in run.differences] == [
        (Verdict.ACCEPT, Verdict.HOLD),
        (Verdict.BUST, Verdict.HOLD),
    ]
    assert run.differences[0].hits[0].rule_id == "NARROW"


def test_rules_that_look_back_see_the_trades_before() -> None:
    proposed = parse_rules([{"id": "LOOP", "kind": "duplicate", "at_least": 3}])
    run = dry_run(PRESENT, proposed, trades(*["189.20"] * 5), context_of)
    assert run.hits == {"LOOP": 3}


def test_a_proposed_rule_that_fails_is_counted_as_such() -> None:
    proposed = RuleSet("1", (Broken(id="BAD"),), ("-",))
    run = dry_run(PRESENT, proposed, trades("189.20", "189.21"), context_of)
    assert (run.failures, run.proposed["hold"]) == ({"BAD": 2}, 2)


def test_differences_beyond_those_shown_are_counted() -> None:
    proposed = parse_rules([{"id": "ALL", "kind": "expr", "expr": "True"}])
    run = dry_run(PRESENT, proposed, trades(*["189.20"] * (DIFFERENCES_MAX + 5)), context_of)
    assert (len(run.differences), run.differences_count) == (DIFFERENCES_MAX, DIFFERENCES_MAX + 5)


def test_no_trades_make_an_empty_report() -> None:
    assert dry_run(PRESENT, PRESENT, [], context_of).trades == 0
