"""A trading day as a running log: each thing that happens is a line with the time of the market's day before it."""

from __future__ import annotations

from collections.abc import Callable

from exchange.domain import events as e
from exchange.domain import volatility_events as v
from exchange.domain.directory import Directory
from exchange.domain.order import Side
from exchange.domain.phase import PhaseCause
from exchange.domain.units import SymbolId, format_price
from exchange.domain.volatility import LimitState
from exchange.engine.explain.words import line_of, word
from exchange.wire.records import decode_events

BAR = 24
"""Characters of the bar that shows how much of the day is over."""
_SILENT = (
    e.OrderAccepted, e.OrderCancelled, e.OrderRejected, e.OrderAmended, e.OrderReplaced, e.OrderRefreshed,
    e.OrderRepriced, e.OrderTriggered, e.OrderDuplicated, e.OrdersCancelled, e.SpecialTermsAccepted, e.MatchPrevented,
    e.TradeExecuted, e.AuctionIndicated, e.PhaseScheduled, e.SymbolAdded, e.SymbolConfigured, e.AllocationSet,
)  # fmt: skip
"""What happens too often, or before the day."""
_TOLD_CAUSES = (
    PhaseCause.HALT,
    PhaseCause.RESUMPTION,
    PhaseCause.TIME_OVER,
    PhaseCause.PRICE_LIMIT,
    PhaseCause.BREAKER,
)
"""Why a single symbol's phase changed, where it is worth a line; else the market's line says it."""


_CAUSES = {PhaseCause.PRICE_LIMIT: "price limit", PhaseCause.BREAKER: "breaker"}
"""What is told where an event has no reason of its own."""


class DayLog:
    """Writes lines. directory: for the names of symbols; say: takes a line; clock: the time of the market's day."""

    def __init__(self, directory: Directory, say: Callable[[str], None], clock: Callable[[], str]) -> None:
        self._directory = directory
        self._say = say
        self._clock = clock
        self.trades = 0
        self.shares = 0
        self.busted = 0
        self.auctions: list[tuple[str, str, int]] = []
        """Symbol, kind and volume of each auction that traded."""
        self.limited: set[str] = set()
        """Symbols whose best price has reached a band."""
        self._indicated: dict[int, e.AuctionIndicated] = {}
        self._is_over = False
        self._of_market = 0
        """The last command that changed the phase of the whole market."""

    def take(self, events: bytes) -> None:
        """Hear a batch of event records."""
        for event in decode_events(events) if not self._is_over else ():
            self._count(event)
            if isinstance(event, e.AuctionIndicated):
                self._indicated[event.symbol_id] = event
            elif line := self._line(event):
                self.write(line)

    def end(self) -> None:
        """Hear nothing more."""
        self._is_over = True

    def write(self, text: str) -> None:
        """Write a line with the time before it."""
        self._say(f"{self._clock()}  {text}")

    def headline(self, text: str, done: int, of: int) -> None:
        """Write what begins now, and how much of the day is over."""
        full = BAR * done // of
        self._say("")
        self._say(f"{self._clock()}  [{'#' * full}{'.' * (BAR - full)}]  {text}")

    def tell_indications(self) -> None:
        """Write how each auction would end now."""
        for symbol_id, told in sorted(self._indicated.items()):
            if not told.paired and not told.imbalance:
                continue
            price = format_price(told.price) if told.price else "no price"
            side = "buy" if told.side == Side.BUY else "sell"
            over = f"{told.imbalance} to {side} left over" if told.side else "even"
            self.write(f"  {self._name(symbol_id):<6} {price:>10}   {told.paired:>7} paired   {over}")

    def _count(self, event: e.Event) -> None:
        match event:
            case e.TradeExecuted():
                self.trades += 1
                self.shares += event.quantity
            case e.TradeBusted():
                self.busted += 1
            case v.LimitStateChanged(state=LimitState.LIMIT):
                self.limited.add(self._name(event.symbol_id))
            case e.AuctionExecuted():
                self._indicated.pop(event.symbol_id, None)
                if event.volume:
                    self.auctions.append((self._name(event.symbol_id), word(event.auction), event.volume))

    def _line(self, event: e.Event) -> str:
        match event:
            case e.PhaseChanged() if not event.symbol_id:
                self._of_market = event.command_sequence
                return f"  market {word(event.phase)}{_because(event.reason)}"
            case e.PhaseChanged() if event.cause in _TOLD_CAUSES or event.command_sequence != self._of_market:
                why = _because(event.reason or _CAUSES.get(event.cause, ""))
                return f"  {self._name(event.symbol_id):<6} {word(event.phase)}{why}"
            case e.PhaseChanged():
                return ""
            case e.AuctionExecuted() if not event.volume:
                return ""
            case e.AuctionExecuted():
                kind, price = word(event.auction), format_price(event.price)
                return f"  {self._name(event.symbol_id):<6} {price:>10}   {event.volume:>7} traded   {kind} auction"
            case e.TradeBusted():
                what = f"{event.quantity} at {format_price(event.price)} busted: {word(event.reason)}"
                return f"  {self._name(event.symbol_id):<6} {what}"
            case v.IndexLevelReported() | v.MarketBreakerTripped():
                return f"  market {line_of(event).text}"
            case _ if event.symbol_id and not isinstance(event, _SILENT) and _is_public(event):
                return f"  {self._name(event.symbol_id):<6} {line_of(event).text}"
        return ""

    def _name(self, symbol_id: int) -> str:
        return self._directory.symbols[SymbolId(symbol_id)].symbol


def _is_public(event: e.Event) -> bool:
    """Tell whether an event is about a symbol alone."""
    names = type(event).__struct_fields__
    return not any(name.endswith("_id") and name != "symbol_id" for name in names)


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""
