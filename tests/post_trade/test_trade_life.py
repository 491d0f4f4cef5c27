"""The life of a trade: every pair of state and occurrence, possible or not."""

from __future__ import annotations

import pytest

from exchange.post_trade.trade_life import TRANSITIONS, Occurrence, TradeState, TransitionRefused, advance

# The rows are what happens, the columns are where the trade stands; - is impossible.
TABLE = """
                      captured      accepted      held          bust_pending  busted  corrected
judged_accept         accepted      -             -             -             -       -
judged_hold           held          -             -             -             -       -
judged_bust           bust_pending  -             -             -             -       -
released              -             -             accepted      -             -       -
bust_ordered          -             bust_pending  bust_pending  -             -       bust_pending
bust_refused          -             -             -             held          -       -
busted                -             busted        busted        busted        -       busted
correction_ordered    -             accepted      held          -             -       corrected
correction_refused    -             accepted      held          bust_pending  busted  corrected
corrected             -             corrected     corrected     bust_pending  -       corrected
"""
HEADER, *ROWS = (line.split() for line in TABLE.strip().splitlines())
PAIRS = [
    (TradeState(state), Occurrence(row[0]), following)
    for row in ROWS
    for state, following in zip(HEADER, row[1:], strict=True)
]


def test_the_table_here_names_every_state_and_every_occurrence() -> None:
    assert [state.value for state in TradeState] == HEADER
    assert [row[0] for row in ROWS] == [occurrence.value for occurrence in Occurrence]


@pytest.mark.parametrize(("state", "occurrence", "following"), PAIRS)
def test_each_pair_leads_where_the_table_says(
    state: TradeState, occurrence: Occurrence, following: str
) -> None:
    if following == "-":
        with pytest.raises(TransitionRefused, match=r"^The trade cannot be .+: .+\.$"):
            advance(state, occurrence)
    else:
        assert advance(state, occurrence) == following


def test_nothing_leads_out_of_a_bust() -> None:
    assert {after for (before, _), after in TRANSITIONS.items() if before == TradeState.BUSTED} == {"busted"}


def test_a_refusal_says_what_was_wanted_and_where_the_trade_stands() -> None:
    with pytest.raises(TransitionRefused) as refused:
        advance(TradeState.BUSTED, Occurrence.RELEASED)
    assert str(refused.value) == "The trade cannot be released: it is busted, and a bust is final."
