"""Pages of candles, plain and filled, against a list made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from exchange.infra.http_routes import ApiError
from exchange.market_data.candles import SECOND_NS
from exchange.reporter.candle_page import CandleRequest, candle_page
from exchange.wire.rest.market import CandleView
from tests.market_data.venue_flow import START_NS
from tests.reporter.live_flow import LiveFlow

AT_S = (0, 1, 2, 60, 61, 300)
"""Seconds after the start at which a trade of each page's market happens."""
BASE = CandleRequest(
    symbol_id=1, interval_s=60, from_ns=None, to_ns=None, now_ns=START_NS + 301 * SECOND_NS, limit=100, fill=False,
    cursor="",
)  # fmt: skip


@pytest.fixture
def live(tmp_path: Path) -> LiveFlow:
    live = LiveFlow(tmp_path)
    live.flow.step_ns = 0
    live.feed(live.flow.open())
    for number, at_s in enumerate(AT_S):
        live.flow.time_ns = START_NS + at_s * SECOND_NS
        live.feed(live.flow.trade(1_000_000 + 100 * number, 10))
    return live


def page(live: LiveFlow, **changes: Any) -> tuple[list[CandleView], str | None]:
    return candle_page(live.store.queries, msgspec.structs.replace(BASE, **changes))


def minutes(views: list[CandleView]) -> list[tuple[str, str | None, int]]:
    return [(view.start[14:16], view.close, view.trades) for view in views]


def test_plain_candles_leave_empty_intervals_out(live: LiveFlow) -> None:
    found, following = page(live)
    assert minutes(found) == [("30", "100.02", 3), ("31", "100.04", 2), ("35", "100.05", 1)]
    assert following is None


def test_without_a_beginning_the_newest_come(live: LiveFlow) -> None:
    found, following = page(live, limit=2)
    assert minutes(found) == [("31", "100.04", 2), ("35", "100.05", 1)]
    assert following is None


def test_from_a_beginning_pages_follow_each_other(live: LiveFlow) -> None:
    first, cursor = page(live, from_ns=START_NS, limit=2)
    assert cursor is not None
    second, end = page(live, from_ns=START_NS, limit=2, cursor=cursor)
    assert [*minutes(first), *minutes(second)] == minutes(page(live)[0])
    assert end is None


def test_the_end_is_left_out(live: LiveFlow) -> None:
    found, _ = page(live, to_ns=START_NS + 60 * SECOND_NS)
    assert minutes(found) == [("30", "100.02", 3)]


def test_filled_candles_carry_the_last_price_up_to_now(live: LiveFlow) -> None:
    found, following = page(
        live, fill=True, from_ns=START_NS - 60 * SECOND_NS, now_ns=START_NS + 400 * SECOND_NS
    )
    assert minutes(found) == [
        ("30", "100.02", 3), ("31", "100.04", 2), *[(f"{at}", "100.04", 0) for at in (32, 33, 34)],
        ("35", "100.05", 1), ("36", "100.05", 0),
    ]  # fmt: skip
    assert following is None
    assert {view.business_date for view in found} == {"2026-11-23"}


def test_filled_pages_follow_each_other(live: LiveFlow) -> None:
    whole, _ = page(live, fill=True, from_ns=START_NS)
    for limit in (1, 2, 4):
        paged: list[CandleView] = []
        cursor: str | None = ""
        while cursor is not None:
            found, cursor = page(live, fill=True, from_ns=START_NS, limit=limit, cursor=cursor)
            paged += found
        assert paged == whole


def test_a_filled_page_may_begin_long_after_the_last_trade(live: LiveFlow) -> None:
    from_ns = START_NS + 10_000 * 60 * SECOND_NS
    found, following = page(live, fill=True, from_ns=from_ns, now_ns=from_ns + 61 * SECOND_NS)
    assert [(view.close, view.trades) for view in found] == [("100.05", 0)] * 2
    assert following is None


def test_the_newest_filled_candles_end_now(live: LiveFlow) -> None:
    found, _ = page(live, fill=True, limit=3)
    assert minutes(found) == [("33", "100.04", 0), ("34", "100.04", 0), ("35", "100.05", 1)]


def test_nothing_is_filled_before_the_first_trade_or_without_one(live: LiveFlow) -> None:
    assert page(live, fill=True, to_ns=START_NS) == ([], None)
    assert page(live, fill=True, symbol_id=2) == ([], None)
    assert page(live, symbol_id=0) == ([], None)


@pytest.mark.parametrize("cursor", ["x", "1", "1.", "99999999999999999999.1", "9223372036854775807.1"])
def test_a_cursor_of_our_own_only_is_taken(live: LiveFlow, cursor: str) -> None:
    with pytest.raises(ApiError, match="cursor must be `next`"):
        page(live, cursor=cursor)
