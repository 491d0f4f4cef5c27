"""What the reporter knows now, in memory: books, tickers, newest candles, latest trades.

It moves on when a batch is stored, command by command, and tells one listener of each change, in the order of the
stream. Between two commands, and only then, others may look.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Protocol

from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain import volatility_events as v
from exchange.domain.configuration import SymbolChange
from exchange.domain.volatility import LimitState
from exchange.market_data.book import LevelTotal
from exchange.market_data.book_builder import BookUpdate
from exchange.market_data.candles import Candle
from exchange.market_data.statistics import Figures
from exchange.market_data.tape import TapeUpdate
from exchange.market_data.trade import Trade
from exchange.reporter.announcements import Announcement
from exchange.reporter.store import Committed, Restored

Quotes = tuple[LevelTotal | None, LevelTotal | None]
"""Best bid and best ask."""
Item = e.Event | TapeUpdate | Announcement


class Listener(Protocol):
    """Who is told what has changed. sequence: of the last event of the command that changed it."""

    def symbol_added(self, symbol_id: int) -> None:
        """A symbol is there that was not."""

    def trade_printed(self, update: TapeUpdate) -> None:
        """A trade came onto the tape."""

    def announced(self, announcement: Announcement) -> None:
        """A kept message is to be sent."""

    def book_changed(self, update: BookUpdate) -> None:
        """A command changed a book."""

    def ticker_changed(self, symbol_id: int, sequence: int) -> None:
        """A best quote or a figure of the day changed."""

    def candles_changed(self, update: TapeUpdate, sequence: int) -> None:
        """A trade moved its candles, or was changed in them."""


class LiveMarket:
    """The present state of one partition. sequence, time_ns: of the last event."""

    def __init__(self, restored: Restored, trades_in_memory: int) -> None:
        self.directory = restored.directory
        self.builder = restored.builder
        self.epoch, self.sequence = restored.position
        self.time_ns = restored.builder.time_ns
        self.business_date = restored.business_date
        self.trades_printed = 0
        self.indications: dict[int, e.AuctionIndicated] = {}
        """What was told last of the auctions for which orders gather, by symbol id."""
        self.bands: dict[int, v.PriceBandsMoved] = {}
        """Those told last, by symbol id; none while a symbol does not trade continuously."""
        self.limit_states: dict[int, LimitState] = {}
        self.trades_changed = 0
        self.trade_chains = restored.trade_chains
        self.status_chains = restored.status_chains
        self._newest = restored.newest
        self._unfolded: dict[int, TapeUpdate] = {}
        """The latest new trades, by symbol, whose candles are not among the newest yet."""
        self._days = restored.days
        self._previous_days = restored.previous_days
        self._trades_in_memory = trades_in_memory
        self._latest: dict[int, OrderedDict[int, Trade]] = {
            symbol_id: OrderedDict((trade.sequence, trade) for trade in trades)
            for symbol_id, trades in restored.latest.items()
        }
        self._quotes: dict[int, Quotes] = {
            symbol_id: (book.bids.best, book.asks.best) for symbol_id, book in self.builder.books.items()
        }
        self._corrected_days: dict[int, Candle | None] = {}
        self._moved: dict[int, None] = {}
        self._moved_candles: dict[int, TapeUpdate] = {}

    # --- what is known ----------------------------------------------------------------------------

    @property
    def newest(self) -> dict[tuple[int, int], Candle]:
        """Return the newest candles by symbol and interval; they are added up when they are asked for."""
        for update in self._unfolded.values():
            self._fold(update)
        self._unfolded.clear()
        return self._newest

    def quotes(self, symbol_id: int) -> Quotes:
        """Return a symbol's best bid and ask."""
        return self._quotes.get(symbol_id, (None, None))

    def day(self, symbol_id: int) -> Figures | None:
        """Return a symbol's figures of the present business date."""
        candle = self._days.get(symbol_id)
        return candle.figures if candle else None

    def previous_close(self, symbol_id: int) -> int:
        """Return a symbol's last price on an earlier business date, 0 for none."""
        candle = self._previous_days.get(symbol_id)
        return candle.figures.last if candle and candle.figures else 0

    def latest_trades(self, symbol_id: int, limit: int, include_busted: bool = True) -> list[Trade]:
        """Return the latest trades that are in memory, newest first; they may be fewer than there are."""
        found: list[Trade] = []
        for trade in reversed(self._latest.get(symbol_id, OrderedDict()).values()):
            if len(found) == limit:
                break
            if include_busted or trade.stands:
                found.append(trade)
        return found

    # --- what happens -----------------------------------------------------------------------------

    def advance(self, committed: Committed, listener: Listener) -> Iterator[None]:
        """Move on by a stored batch, a slice at a time; between two slices others may have their turn."""
        items: list[Item] = [*committed.notable, *committed.announcements, *committed.updates]
        waiting = deque(sorted(items, key=lambda item: item.sequence))
        self._corrected_days = committed.previous_days
        for events in committed.slices:
            for update in self.builder.follow(events):
                self._take_until(waiting, update.sequence, listener)
                self._take_book(update, listener)
            self._take_until(waiting, self.builder.sequence, listener)
            self.sequence, self.time_ns = self.builder.sequence, self.builder.time_ns
            yield
        self.epoch = committed.batch.epoch

    def _take_until(self, waiting: deque[Item], sequence: int, listener: Listener) -> None:
        while waiting and waiting[0].sequence <= sequence:
            item = waiting.popleft()
            if isinstance(item, TapeUpdate):
                self._take_trade(item, listener)
            elif isinstance(item, Announcement):
                self._take_announcement(item, listener)
            else:
                self._take_event(item, listener)

    def _forget_bands(self, symbol_id: int) -> None:
        self.bands.pop(symbol_id, None)
        self.limit_states.pop(symbol_id, None)

    def _take_event(self, event: e.Event, listener: Listener) -> None:
        self.directory.apply(event)
        self.sequence, self.time_ns = event.sequence, event.time_ns
        match event:
            case e.SymbolAdded():
                listener.symbol_added(event.symbol_id)
            case e.SymbolConfigured():
                if event.changes & SymbolChange.LISTED:
                    listener.symbol_added(event.symbol_id)
                else:
                    listener.ticker_changed(event.symbol_id, event.sequence)
            case e.AuctionIndicated():
                self.indications[event.symbol_id] = event
            case e.PhaseChanged(symbol_id=0):
                pass
            case v.PriceBandsMoved():
                self.bands[event.symbol_id] = event
            case v.LimitStateChanged():
                self.limit_states[event.symbol_id] = event.state
            case v.PriceBandsSet() | v.PriceCorridorSet():
                self._forget_bands(event.symbol_id)
            case e.PhaseChanged():
                self.indications.pop(event.symbol_id, None)
                self._forget_bands(event.symbol_id)
                listener.ticker_changed(event.symbol_id, event.sequence)
            case e.SymbolStateChanged() | ce.SymbolSplit() | ce.SymbolRenamed() | ce.DividendPaid():
                listener.ticker_changed(event.symbol_id, event.sequence)
            case e.EngineStarted():
                self.epoch = event.epoch
            case e.BusinessDayStarted():
                self.business_date = event.date
                self._previous_days.update(
                    {symbol_id: day for symbol_id, day in self._days.items() if day.figures is not None}
                )
                self._days.clear()
                for symbol_id in self.directory.symbols:
                    listener.ticker_changed(symbol_id, event.sequence)

    def _take_announcement(self, announcement: Announcement, listener: Listener) -> None:
        chains = self.trade_chains if announcement.channel == "trades" else self.status_chains
        chains[announcement.symbol_id] = announcement.sequence
        listener.announced(announcement)

    def _take_trade(self, update: TapeUpdate, listener: Listener) -> None:
        trade = update.trade
        symbol_id = trade.symbol_id
        self.sequence, self.time_ns = update.sequence, update.time_ns
        self._remember(trade, is_new=update.before is None)
        if trade.business_date == (self.business_date or trade.business_date):
            self._days[symbol_id] = update.day
        elif symbol_id in self._corrected_days:
            self._correct_previous_day(symbol_id, self._corrected_days[symbol_id])
        if update.before is None:
            pending = self._unfolded.get(symbol_id)
            if pending is not None and pending.bases is not update.bases:
                self._fold(pending)
            self._unfolded[symbol_id] = self._moved_candles[symbol_id] = update
            self.trade_chains[symbol_id] = update.sequence
            self.trades_printed += 1
            listener.trade_printed(update)
            self._moved[symbol_id] = None
        else:
            if symbol_id in self._unfolded:
                self._fold(self._unfolded.pop(symbol_id))
            self._fold(update)
            self.trades_changed += 1
            listener.ticker_changed(symbol_id, update.sequence)
            listener.candles_changed(update, update.sequence)

    def _fold(self, update: TapeUpdate) -> None:
        """Let candles that a trade moved be the newest where no newer ones are."""
        for candle in update.candles:
            slot = update.trade.symbol_id, candle.key.interval_s
            newest = self._newest.get(slot)
            if newest is None or newest.key.start_ns <= candle.key.start_ns:
                self._newest[slot] = candle

    def _correct_previous_day(self, symbol_id: int, candle: Candle | None) -> None:
        if candle is None:
            self._previous_days.pop(symbol_id, None)
        else:
            self._previous_days[symbol_id] = candle

    def _take_book(self, update: BookUpdate, listener: Listener) -> None:
        """Tell of a book, and, as the command is over, of the figures that its trades moved."""
        symbol_id = update.symbol_id
        self.sequence, self.time_ns = update.sequence, update.time_ns
        quotes = update.best_bid, update.best_ask
        listener.book_changed(update)
        if symbol_id in self._moved or quotes != self._quotes.get(symbol_id):
            self._quotes[symbol_id] = quotes
            self._moved.pop(symbol_id, None)
            listener.ticker_changed(symbol_id, update.sequence)
        if self._moved_candles:
            for moved in self._moved_candles.values():
                listener.candles_changed(moved, update.sequence)
            self._moved_candles.clear()

    def _remember(self, trade: Trade, is_new: bool) -> None:
        latest = self._latest.setdefault(trade.symbol_id, OrderedDict())
        if is_new or trade.sequence in latest:
            latest[trade.sequence] = trade
        if len(latest) > self._trades_in_memory:
            latest.popitem(last=False)
