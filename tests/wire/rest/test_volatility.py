"""What JSON says of price limits and the breaker."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.domain import events as e
from exchange.domain import volatility_events as v
from exchange.domain.volatility import LimitState, VolatilityTerms
from exchange.wire.rest.volatility import LIMIT_EVENTS, bands_view, limit_fields, limits_view

HEADER: dict[str, Any] = {"sequence": 1, "command_sequence": 1, "time_ns": 1, "epoch": 1, "symbol_id": 1}
MOVED = v.PriceBandsMoved(**HEADER, reference_price=100_000, lower=0, upper=105_000, is_doubled=True)


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        (v.PriceBandsSet(**HEADER, tier=2), {"type": "price_bands_set", "tier": 2}),
        (
            v.PriceCorridorSet(**HEADER, dynamic_bps=1, static_bps=2, call_ns=3, random_ns_max=4),
            {"type": "price_corridor_set", "dynamic_bps": 1, "static_bps": 2},
        ),
        (
            MOVED,
            {
                "type": "price_bands", "reference_price": "10.00", "is_doubled": True, "lowest_price": "",
                "highest_price": "10.50",
            },
        ),
        (
            v.LimitStateChanged(**HEADER, state=LimitState.LIMIT, bid=105_000, ask=0, ends_ns=10**18),
            {
                "type": "limit_state", "state": "limit", "bid": "10.50", "ask": "",
                "ends_at": "2001-09-09T01:46:40.000000000Z",
            },
        ),
        (
            v.AuctionCollarSet(**HEADER, reference_price=105_000, lower=95_000, upper=110_250, extension=1),
            {
                "type": "auction_collar", "reference_price": "10.50", "extension": 1, "lowest_price": "9.50",
                "highest_price": "11.025",
            },
        ),
        (
            v.CorridorLeft(**HEADER, price=103_000, lowest=98_000, highest=102_000),
            {"type": "corridor_left", "price": "10.30", "lowest_price": "9.80", "highest_price": "10.20"},
        ),
        (v.MarketBreakerSet(**HEADER, close_level=50_005_000), {"type": "market_breaker", "index_level": "5000.50"}),
        (
            v.IndexLevelReported(**HEADER, level=46_500_000, fall_bps=701),
            {"type": "index_level", "index_level": "4650.00", "fall_bps": 701},
        ),
        (
            v.MarketBreakerTripped(**HEADER, level=3, index_level=1, ends_ns=0),
            {"type": "breaker_tripped", "level": 3, "index_level": "0.0001"},
        ),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_every_fact_has_its_fields(event: e.Event, fields: dict[str, Any]) -> None:
    assert limit_fields(event) == fields
    assert isinstance(event, LIMIT_EVENTS)


def test_other_events_are_none_of_them() -> None:
    with pytest.raises(AssertionError, match="no event of a price limit"):
        limit_fields(e.EngineStarted(**HEADER, rules_version=1))


def test_views_leave_out_what_is_not_there() -> None:
    view = bands_view(MOVED, LimitState.STRADDLE)
    assert view
    assert (view.lowest_price, view.highest_price, view.state) == (None, "10.50", "straddle")
    assert bands_view(None, LimitState.NORMAL) is None
    none = limits_view("XYZ", VolatilityTerms(), None)
    assert (none.mode, none.highest_price, none.pause_at) == ("none", None, None)
    bands = limits_view("XYZ", VolatilityTerms(tier=1), (100_000, 0, 105_000, LimitState.LIMIT, 10**18))
    assert (bands.mode, bands.reference_price, bands.lowest_price, bands.state) == (
        "bands",
        "10.00",
        None,
        "limit",
    )
    corridor = limits_view("XYZ", VolatilityTerms(static_bps=5), (0, 1, 2, LimitState.NORMAL, 0))
    assert (corridor.mode, corridor.reference_price, corridor.lowest_price) == ("corridor", None, "0.0001")
