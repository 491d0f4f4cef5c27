"""Figures of trades per business date and symbol, for comparing what different components have."""

from __future__ import annotations

from bisect import bisect_left

import msgspec

from exchange.domain.events import BusinessDayStarted, Event, TradeBusted, TradeCorrected, TradeExecuted
from exchange.domain.units import format_money, sequence_of


class Figures(msgspec.Struct, gc=False):
    """Trades that stand, with their shares and money, and how many were busted."""

    trades: int = 0
    quantity: int = 0
    notional: int = 0
    busted: int = 0

    def differences(self, other: Figures, mine: str, others: str) -> list[str]:
        """Say in which figures two components differ. mine, others: the components' names."""
        found = []
        for name in self.__struct_fields__:
            left, right = getattr(self, name), getattr(other, name)
            if left != right:
                write = format_money if name == "notional" else str
                found.append(f"{name}: {mine} has {write(left)}, {others} has {write(right)}")
        return found


class Tally:
    """Counts the trades of a stream of events, from its first event on, without keeping any of them."""

    def __init__(self) -> None:
        self.sequence = 0
        self.figures: dict[tuple[int, int], Figures] = {}
        self._day_starts: list[int] = []
        self._dates: list[int] = []

    def take(self, event: Event) -> None:
        """Count one event, later than all before."""
        self.sequence = event.sequence
        match event:
            case BusinessDayStarted():
                self._day_starts.append(event.sequence)
                self._dates.append(event.date)
            case TradeExecuted():
                figures = self._of(event.sequence, event.symbol_id)
                figures.trades += 1
                figures.quantity += event.quantity
                figures.notional += event.price * event.quantity
            case TradeBusted():
                figures = self._of(sequence_of(event.match_id), event.symbol_id)
                figures.trades -= 1
                figures.busted += 1
                figures.quantity -= event.quantity
                figures.notional -= event.price * event.quantity
            case TradeCorrected():
                figures = self._of(sequence_of(event.match_id), event.symbol_id)
                figures.quantity += event.new_quantity - event.quantity
                figures.notional += event.new_price * event.new_quantity - event.price * event.quantity

    def on(self, business_date: int) -> dict[int, Figures]:
        """Return the figures of a business date by symbol id."""
        return {
            symbol_id: figures for (date, symbol_id), figures in self.figures.items() if date == business_date
        }

    def _of(self, trade_sequence: int, symbol_id: int) -> Figures:
        days = bisect_left(self._day_starts, trade_sequence)
        date = self._dates[days - 1] if days else 0
        return self.figures.setdefault((date, symbol_id), Figures())
