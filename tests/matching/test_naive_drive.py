"""The matcher and the naive model do the same from seeds, long runs in which much happens; a difference is shrunk."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from exchange.domain.order import CancelReason
from exchange.domain.reasons import Reason
from tests.matching import naive_drive
from tests.matching.naive_drive import RULES, Recorded, draw, run, said_by, shrunk
from tests.matching.naive_matching import NaiveMatching
from tests.matching.naive_values import Order

SEEDS = range(1, 9)
STEPS = 300
UNKNOWN_TO_THE_MODEL = {
    CancelReason.LINKED, CancelReason.QUOTE_REPLACED, CancelReason.QUOTE_CANCELLED, CancelReason.QUOTE_PROTECTION,
    CancelReason.CORPORATE_ACTION, CancelReason.SHORT_SALE,
}  # fmt: skip
"""Reasons of commands that the naive model does not know: order lists, quotes, corporate actions, short sales."""


@cache
def run_once(seed: int) -> naive_drive.Run:
    return run(seed, STEPS)


@pytest.mark.parametrize("seed", SEEDS)
def test_from_a_seed_matcher_and_naive_model_do_the_same(seed: int) -> None:
    assert run_once(seed).difference == ""


def test_the_seeds_reach_every_limit_every_phase_reason_and_every_cancel_but_rare_ones() -> None:
    facts: Counter[str] = Counter()
    for seed in SEEDS:
        facts += run_once(seed).facts
    of_limits = [reason for reason in Reason if Reason.MAX_QUANTITY <= reason <= Reason.LOSS_LIMIT]
    of_phases = [
        Reason.SYMBOL_HALTED,
        Reason.PHASE_TAKES_NO_ORDERS,
        Reason.ORDER_NOT_IN_PHASE,
        Reason.AUCTION_OVER,
    ]
    assert [r.name for r in (*of_limits, *of_phases) if not facts[f"refused {r.name}"]] == []
    rare = {CancelReason.PRICE_LIMIT, CancelReason.EXPIRED, CancelReason.CANCEL_TIMER, CancelReason.DAY_ENDED}
    left_out = rare | UNKNOWN_TO_THE_MODEL
    assert [r.name for r in CancelReason if r not in left_out and not facts[f"cancelled {r.name}"]] == []


def test_a_difference_is_shrunk_to_the_commands_that_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is made wrong: an iceberg order's next part keeps its place."""

    def refresh(self: NaiveMatching, order: Order) -> None:
        if order.live and order.part and order.shown <= 0:
            order.shown = min(order.part, order.left)
            self.said.append(("refreshed", order.id, order.shown, order.left))

    monkeypatch.setattr(NaiveMatching, "refresh", refresh)
    said = next(filter(None, (run(seed, 60).difference for seed in SEEDS)))
    assert said.startswith("seed ")
    assert 2 <= said.count("Command") + said.count("Enter") <= 60


def test_a_rule_is_drawn_with_what_it_asks_for() -> None:
    drawn = naive_drive.random.Random(1)
    name, given = draw(drawn, "trigger")
    assert (name, set(given)) == ("trigger", {"drawn", "stops"})
    assert all(said_by(Recorded(), draw(drawn, each)) == "" for each in RULES)
    assert shrunk([("restart", {})]) == ""
