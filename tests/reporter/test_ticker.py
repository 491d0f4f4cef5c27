"""A symbol's ticker."""

from __future__ import annotations

from pathlib import Path

from exchange.domain import commands as c
from exchange.domain.order import Side
from exchange.domain.symbol import SymbolState
from exchange.domain.units import SymbolId
from exchange.reporter.ticker import ticker_of
from tests.market_data.venue_flow import DATE
from tests.reporter.live_flow import LiveFlow


def test_a_symbol_nothing_happened_in_has_no_prices(tmp_path: Path) -> None:
    live = LiveFlow(tmp_path)
    live.feed(live.flow.open())
    ticker = ticker_of(live.market, 1)
    assert (ticker.bid, ticker.ask_qty, ticker.last, ticker.previous_close, ticker.change) == (None,) * 5
    assert (ticker.volume, ticker.trades, ticker.state) == ("0", 0, "active")


def test_the_change_is_counted_from_the_close_before(tmp_path: Path) -> None:
    live = LiveFlow(tmp_path)
    flow = live.flow
    live.feed(flow.open(), flow.trade(1_000_000), flow.do(c.StartBusinessDay(date=DATE + 1)))
    assert ticker_of(live.market, 1).change is None
    live.feed(flow.trade(990_000), flow.limit(Side.SELL, 1_000_000, 5))
    ticker = ticker_of(live.market, 1)
    assert (ticker.previous_close, ticker.change, ticker.change_bps) == ("100.00", "-1.00", -100)
    assert (ticker.ask, ticker.ask_qty, ticker.business_date) == ("100.00", "5", "2026-11-24")


def test_a_suspension_is_shown(tmp_path: Path) -> None:
    live = LiveFlow(tmp_path)
    live.feed(live.flow.open())
    told = live.feed(
        live.flow.do(c.SetSymbolState(symbol_id=SymbolId(1), state=SymbolState.SUSPENDED, reason="news"))
    )
    assert ("ticker", 11) in told
    assert ticker_of(live.market, 1).state == "suspended"
