"""A dry run: what other rules would have said of trades that were judged, beside what the present ones say.

A shadow run is the same on the trades to come.

Both sets judge every trade anew, in the order in which they were executed, with what was frozen into them. A trade that
was corrected since is judged as it stands now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from exchange.post_trade.recent_trades import RecentTrades
from exchange.post_trade.rule import Context, Hit, Verdict
from exchange.post_trade.rules import FAILED, RuleSet, judge
from exchange.post_trade.trade import Trade

DIFFERENCES_MAX = 100
"""Trades that are shown one by one; the others are counted."""

ContextOf = Callable[[Trade, RecentTrades], Context]


class Difference(msgspec.Struct, frozen=True):
    """A trade on which the two sets of rules do not agree. hits: of the proposed rules."""

    trade: Trade
    present: Verdict
    proposed: Verdict
    hits: tuple[Hit, ...]


class DryRun(msgspec.Struct, kw_only=True):
    """The outcome. present, proposed: trades by verdict; hits: trades that each proposed rule would have hit; failures:
    those on which it failed.
    """

    trades: int = 0
    present: dict[str, int]
    proposed: dict[str, int]
    hits: dict[str, int]
    failures: dict[str, int]
    differences: list[Difference] = []
    differences_count: int = 0


class Comparison:
    """Judges trades by two sets of rules, one after the other. context_of: what a rule may know besides a trade."""

    def __init__(self, proposed: RuleSet, context_of: ContextOf) -> None:
        ids = [rule.id for rule in proposed.rules]
        self.run = DryRun(
            present={verdict.name.lower(): 0 for verdict in Verdict},
            proposed={verdict.name.lower(): 0 for verdict in Verdict},
            hits=dict.fromkeys(ids, 0),
            failures=dict.fromkeys(ids, 0),
        )
        self._proposed = proposed
        self._context_of = context_of
        self._recent = RecentTrades()

    def take(self, present: RuleSet, trade: Trade) -> None:
        """Judge the next trade, by the rules that are in force now too."""
        run = self.run
        context = self._context_of(trade, self._recent)
        old, _ = judge(present, trade, context)
        new, hits = judge(self._proposed, trade, context)
        self._recent.remember(trade)
        run.trades += 1
        run.present[old.name.lower()] += 1
        run.proposed[new.name.lower()] += 1
        for hit in hits:
            run.hits[hit.rule_id] += 1
            run.failures[hit.rule_id] += hit.sentence.startswith(FAILED)
        if old != new:
            run.differences_count += 1
            if len(run.differences) < DIFFERENCES_MAX:
                run.differences.append(Difference(trade, old, new, hits))


def dry_run(present: RuleSet, proposed: RuleSet, trades: Iterable[Trade], context_of: ContextOf) -> DryRun:
    """Judge trades, oldest first, by both sets of rules, and compare."""
    comparison = Comparison(proposed, context_of)
    for trade in trades:
        comparison.take(present, trade)
    return comparison.run
