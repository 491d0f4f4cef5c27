"""A symbol's ticker: best quotes, the day's figures, the change since the last close."""

from __future__ import annotations

from exchange.domain.units import format_date
from exchange.market_data.book import LevelTotal
from exchange.market_data.statistics import change_bps
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.views import figures_fields, price_or_none
from exchange.wire.rest.market import Ticker, price_text, time_text
from exchange.wire.rest.symbols import STATE_TEXT


def ticker_of(market: LiveMarket, symbol_id: int) -> Ticker:
    """Show where a symbol stands now."""
    symbol = market.directory.symbols[symbol_id]
    bid, ask = market.quotes(symbol_id)
    figures = market.day(symbol_id)
    close = market.previous_close(symbol_id)
    moved = figures.last - close if figures and close else None
    return Ticker(
        symbol=symbol.symbol,
        seq=market.sequence,
        at=time_text(market.time_ns),
        business_date=format_date(market.business_date) if market.business_date else None,
        state=STATE_TEXT[symbol.state],
        bid=_price(bid),
        bid_qty=_quantity(bid),
        ask=_price(ask),
        ask_qty=_quantity(ask),
        previous_close=price_or_none(close),
        change=None if moved is None else price_text(moved),
        change_bps=change_bps(figures.last, close) if figures and close else None,
        **figures_fields(figures),
    )


def _price(level: LevelTotal | None) -> str | None:
    return price_text(level[0]) if level else None


def _quantity(level: LevelTotal | None) -> str | None:
    return str(level[1]) if level else None
