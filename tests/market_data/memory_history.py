"""A tape's history in memory, to test the tape without a store."""

from __future__ import annotations

from exchange.market_data.candles import SECOND_NS, Candle, CandleKey, candle_start
from exchange.market_data.statistics import Figures
from exchange.market_data.trade import Trade


class MemoryHistory:
    """Dictionaries that are searched from end to end."""

    def __init__(self) -> None:
        self.trades: dict[int, Trade] = {}
        self.candles: dict[CandleKey, Figures] = {}

    def save(self, new: list[Trade], changed: list[Trade], candles: list[Candle]) -> None:
        """Write trades and candles; a candle without figures is removed."""
        for trade in (*new, *changed):
            self.trades[trade.sequence] = trade
        for candle in candles:
            if candle.figures is None:
                self.candles.pop(candle.key, None)
            else:
                self.candles[candle.key] = candle.figures

    def trade(self, sequence: int) -> Trade | None:
        """Return the trade of an event sequence."""
        return self.trades.get(sequence)

    def figures(self, key: CandleKey) -> Figures | None:
        """Return a candle's figures."""
        return self.candles.get(key)

    def trades_of(self, key: CandleKey) -> list[Trade]:
        """Return the trades in a candle, busted ones too."""
        end_ns = key.start_ns + key.interval_s * SECOND_NS
        return [
            trade
            for trade in self.trades.values()
            if trade.symbol_id == key.symbol_id
            and trade.business_date == key.business_date
            and key.start_ns <= trade.executed_ns < end_ns
        ]

    def figures_within(self, key: CandleKey, interval_s: int) -> list[Figures]:
        """Return the figures of the candles of a shorter interval that lie inside a candle."""
        return [
            figures
            for each, figures in self.candles.items()
            if each.symbol_id == key.symbol_id
            and each.interval_s == interval_s
            and each.business_date == key.business_date
            and candle_start(key.interval_s, key.business_date, each.start_ns) == key.start_ns
        ]
