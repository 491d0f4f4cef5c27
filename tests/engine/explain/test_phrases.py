"""Sentences that depend on figures say what there is, and leave out what there is not."""

from __future__ import annotations

import pytest

from exchange.domain import corporate_events as ca
from exchange.domain import events as e
from exchange.domain import volatility_events as v
from exchange.domain.order import PegKind
from exchange.domain.order_list import ListEnd
from exchange.domain.quote import ProtectionKind
from exchange.domain.volatility import LimitState
from exchange.engine.explain.phrases import LIST_ENDS, PEGGED_TO, REACHED, percent
from exchange.engine.explain.words import line_of
from tests.engine.explain.test_words import filled


@pytest.mark.parametrize(
    ("kind", "given", "sentence"),
    [
        (v.PriceBandsSet, {"tier": 2}, "Price bands of tier 2 protect it now."),
        (v.PriceBandsSet, {"tier": 0}, "No price bands protect it now."),
        (v.PriceCorridorSet, {"dynamic_bps": 125, "static_bps": 0},
         "A corridor protects it now: 1.25 % around the last price."),
        (v.PriceCorridorSet, {"dynamic_bps": 0, "static_bps": 0}, "No corridor protects it now."),
        (v.LimitStateChanged, {"state": LimitState.LIMIT, "bid": 105_000, "ask": 0, "ends_ns": 0},
         "The best bid is 10.50 and nobody offers: a band is reached, and unless that ends trading pauses."),
        (v.LimitStateChanged, {"state": LimitState.STRADDLE, "bid": 0, "ask": 111_000},
         "Nobody bids and the best offer 11.10: one of them is beyond its band, and nothing follows"
         " (straddle state)."),
        (v.LimitStateChanged, {"state": LimitState.NORMAL, "bid": 100_000, "ask": 100_100},
         "The best bid is 10.00 and the best offer 10.01: both are inside the bands again."),
        (e.PegAccepted, {"kind": PegKind.PRIMARY, "offset": -200, "limit": 100_200},
         "Its price follows the best price shown on its own side, 0.02 below it, and never passes 10.02."),
        (e.PegAccepted, {"kind": PegKind.MIDPOINT, "offset": 0, "limit": 0},
         "Its price follows the middle between best bid and best offer."),
        (e.OrderListEnded, {"end": ListEnd.TRIGGERED},
         "Its list is over: the stop order of its pair was triggered."),
        (e.QuoteProtectionReached, {"kind": ProtectionKind.EXECUTIONS, "measured": 3, "limit": 2},
         "The maker's protection was reached: 3 trades, and 2 is the limit."),
        (ca.ShortSaleRestricted, {"is_restricted": True, "days": 2, "price": 90_000},
         "Short sales need a limit above the best bid after a trade at 9.00, for 2 business dates, this one"
         " included."),
        (ca.ShortSaleRestricted, {"is_restricted": False}, "Short sales may be at any price again."),
    ],
)  # fmt: skip
def test_the_sentence_says_what_there_is(kind: type[e.Event], given: dict[str, int], sentence: str) -> None:
    assert line_of(filled(kind, **given)).text == sentence


def test_every_kind_has_its_words() -> None:
    assert set(PEGGED_TO) == set(PegKind)
    assert set(LIST_ENDS) == set(ListEnd)
    assert set(REACHED) == set(ProtectionKind)


def test_basis_points_are_written_as_per_cent() -> None:
    assert [percent(bps) for bps in (1, 50, 100, 1_000, 1_250)] == [
        "0.01 %",
        "0.5 %",
        "1 %",
        "10 %",
        "12.5 %",
    ]
