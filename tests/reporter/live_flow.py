"""A live market fed from a venue through a store, with a listener that writes down what it is told."""

from __future__ import annotations

from pathlib import Path

from exchange.market_data.book_builder import BookUpdate
from exchange.market_data.tape import TapeUpdate
from exchange.reporter.announcements import Announcement
from exchange.reporter.live_market import Listener, LiveMarket
from exchange.reporter.store import ReporterStore
from tests.market_data.venue_flow import VenueFlow
from tests.reporter.reporter_stand import batch_of

INTERVALS = (1, 60, 86_400)


class Notes:
    """Writes down what a live market tells, as (what, sequence)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def symbol_added(self, symbol_id: int) -> None:
        self.told.append(("symbol", symbol_id))

    def trade_printed(self, update: TapeUpdate) -> None:
        self.told.append(("trade", update.sequence))

    def announced(self, announcement: Announcement) -> None:
        self.told.append((f"announcement on {announcement.channel}", announcement.sequence))

    def book_changed(self, update: BookUpdate) -> None:
        self.told.append(("book", update.sequence))

    def ticker_changed(self, symbol_id: int, sequence: int) -> None:
        self.told.append(("ticker", sequence))

    def candles_changed(self, update: TapeUpdate, sequence: int) -> None:
        what = "candle" if update.before is None else "corrected candle"
        self.told += [(what, sequence)] * len(update.candles)

    def take(self) -> list[tuple[str, int]]:
        """Return what was told since the last time."""
        told, self.told = self.told, []
        return told


class LiveFlow:
    """A venue, a store and a live market behind it."""

    def __init__(self, where: Path | str, seed: int = 1, trades_in_memory: int = 100) -> None:
        """where: a folder for SQLite, or the address of a database."""
        self.flow = VenueFlow(seed)
        self.url = where if isinstance(where, str) else f"sqlite:///{where}/reporter.sqlite"
        self.store = ReporterStore(self.url, 0, INTERVALS)
        self.trades_in_memory = trades_in_memory
        self.notes = Notes()
        self.market = LiveMarket(self.store.restore(50), trades_in_memory)

    def feed(self, *batches: bytes, listener: Listener | None = None) -> list[tuple[str, int]]:
        """Store batches and let the market move on; return what the listener was told."""
        for events in batches:
            committed = self.store.commit(batch_of(events), self.market.builder)
            for _ in self.market.advance(committed, listener or self.notes):
                pass
        return self.notes.take()

    def restarted(self) -> LiveMarket:
        """Return the market that another reporter begins with on the same store."""
        store = ReporterStore(self.url, 0, INTERVALS)
        market = LiveMarket(store.restore(50), self.trades_in_memory)
        store.close()
        return market
