"""The matcher and the naive model do the same from seeds, long runs in which much happens; a difference is shrunk."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from exchange.domain.order import CancelReason
from exchange.domain.reasons import Reason
from exchange.wire.records import BY_NUMBER
from tests.matching import naive_drive
from tests.matching.naive_drive import RULES, Recorded, draw, run, said_by, shrunk
from tests.matching.naive_limit_facts import REACHED, unreached
from tests.matching.naive_linked_words import LINKED_WORDS
from tests.matching.naive_matching import NaiveMatching
from tests.matching.naive_values import Order

SEEDS = (*range(1, 11), 14)
STEPS = 300
RARE = {CancelReason.EXPIRED, CancelReason.CANCEL_TIMER, CancelReason.DAY_ENDED}
OF_NO_MARKET = {"CreateParticipant", "RevokeKey", "ConfigureRule"}
"""Commands that change nothing of what the model knows."""


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
    of_short_sales = range(Reason.SHORT_FLAG_INVALID, Reason.SHORT_SALE_PRICE + 1)
    others = [*map(Reason, of_short_sales), Reason.SHORT_TERMS_INVALID, Reason.SESSION_BLOCKED]
    others += [Reason.CORPORATE_ACTION_NOT_NOW, Reason.SPLIT_INVALID, Reason.DIVIDEND_INVALID]
    others += [Reason.TRADE_BEFORE_SPLIT, Reason.SYMBOL_TAKEN, Reason.SYMBOL_RENAMED, Reason.SYMBOL_INVALID]
    assert [r.name for r in (*of_limits, *of_phases, *others) if not facts[f"refused {r.name}"]] == []
    looked_for = [r for r in CancelReason if r not in RARE]
    assert [r.name for r in looked_for if not facts[f"cancelled {r.name}"]] == []


def test_the_seeds_reach_all_that_happens_to_order_lists_pegs_and_quotes() -> None:
    facts: Counter[str] = Counter()
    for seed in SEEDS:
        facts += run_once(seed).facts
    assert [word for word in LINKED_WORDS if not facts[word]] == []


def test_the_seeds_tell_both_every_command() -> None:
    told = {fact for seed in SEEDS for fact in run_once(seed).facts}
    known = [layout.value_type.__name__ for layout in BY_NUMBER.values() if not layout.is_event]
    assert [name for name in known if name not in OF_NO_MARKET and f"told {name}" not in told] == []


def test_the_seeds_reach_every_state_of_price_limits_and_every_level_of_the_breaker() -> None:
    facts: Counter[str] = Counter()
    for seed in SEEDS:
        facts += run_once(seed).facts
    assert unreached(facts) == []


def test_a_market_without_limits_reaches_nothing_of_them() -> None:
    machine = Recorded()
    for number in range(20):
        machine.trade([bytes([number, at, 5, 7, 1, 2, 3, 4]) for at in range(6)])
        machine.restart()
    assert unreached(machine.facts) == list(REACHED)


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
