"""A dry run: what other rules would have said of trades that were judged, beside what the present ones say.

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
    """The outcome. present, proposed: trades by verdict; hits: trades that each proposed rule would have hit."""

    trades: int = 0
    present: dict[str, int]
    proposed: dict[str, int]
    hits: dict[str, int]
    failures: dict[str, int]
    differences: list[Difference] = []
    differences_count: int = 0


def dry_run(present: RuleSet, proposed: RuleSet, trades: Iterable[Trade], context_of: ContextOf) -> DryRun:
    """Judge trades, oldest first, by both sets of rules, and compare.

    context_of: gives what a rule may know of a trade besides it. failures: of the proposed rules, by rule id.
    """
    by_verdict = [{verdict.name.lower(): 0 for verdict in Verdict} for _ in range(2)]
    ids = [rule.id for rule in proposed.rules]
    run = DryRun(
        present=by_verdict[0],
        proposed=by_verdict[1],
        hits=dict.fromkeys(ids, 0),
        failures=dict.fromkeys(ids, 0),
    )
    recent = RecentTrades()
    for trade in trades:
        context = context_of(trade, recent)
        old, _ = judge(present, trade, context)
        new, hits = judge(proposed, trade, context)
        recent.remember(trade)
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
    return run
