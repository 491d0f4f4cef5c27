"""Subscribers of the same thing: one channel, one symbol, one way to look at it. What is sent is made once for all.

Each group is a chain: a message names the sequence of the one before. Who joins gets a snapshot at the chain's end,
so that the next message fits. A conflated group gathers changes and sends them together now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import UNSET

from exchange.domain import events as e
from exchange.domain.units import format_date
from exchange.domain.volatility import LimitState
from exchange.infra.http_routes import ApiError
from exchange.infra.websocket import Frame, Outlet, fan_out, json_frame, text_frame
from exchange.market_data.book import CHECKSUM_LEVELS, Book, checksum_of
from exchange.market_data.book_builder import BookUpdate
from exchange.market_data.candles import Candle, CandleKey, format_interval
from exchange.market_data.conflation import BestLevels, View, WholeBook
from exchange.market_data.tape import TapeUpdate
from exchange.market_data.trade import Trade
from exchange.reporter.announcements import WHOLE_EXCHANGE, Announcement
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.ticker import ticker_of
from exchange.reporter.views import candle_view, level_texts, trade_view
from exchange.wire.rest.errors import ErrorCode
from exchange.wire.rest.market import price_text, time_text
from exchange.wire.rest.phases import IndicationView, indication_view
from exchange.wire.rest.stream import (
    BookDelta,
    BookSnapshot,
    CandleMessage,
    StatusSnapshot,
    TickerMessage,
    TradeMessage,
    TradesSnapshot,
)
from exchange.wire.rest.symbols import PHASES, STATE_TEXT
from exchange.wire.rest.volatility import bands_view

SNAPSHOT_TRADES = 50
"""Trades in a snapshot of the channel trades."""
SNAPSHOT_SHARE = 2
"""A snapshot may fill this part of a connection's queue; a larger one would cut off whom it is for."""


class Group:
    """The members that are sent the same. sequence: of the last message; conflated_ms: 0 to send each change."""

    channel = ""

    def __init__(self, market: LiveMarket, symbol_id: int, conflated_ms: int = 0) -> None:
        self.market = market
        self.symbol_id = symbol_id
        self.sequence = market.sequence
        self.conflated_ms = conflated_ms
        self.members: dict[Outlet, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def symbol(self) -> str:
        """Return the symbol's name."""
        return self.market.directory.symbols[self.symbol_id].symbol

    def snapshot(self, note: str) -> Any:
        """Return the message that a new member begins with. note: why it comes, where from_seq was given."""
        raise NotImplementedError

    def changes(self) -> Sequence[Any]:
        """Return the messages for what has changed since the last one; the first names it in prev_seq."""
        raise NotImplementedError

    def join(self, connection: Outlet, note: str = "") -> None:
        """Send a snapshot, and from now on what follows. Raise `ApiError` where it is too large."""
        if self._timer is not None:
            self.flush()
        frame = json_frame(self.snapshot(note))
        if len(frame) > connection.limits.queue_bytes_max // SNAPSHOT_SHARE:
            text = f"the snapshot of {self.symbol} has {len(frame)} bytes, too many at once; ask for a depth"
            raise ApiError.of(ErrorCode.INVALID_FIELD, text, "depth")
        connection.send(frame, self.sequence)
        self.members[connection] = None

    def leave(self, connection: Outlet) -> None:
        """Send nothing more."""
        self.members.pop(connection, None)
        if not self.members and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def touch(self) -> None:
        """Something changed: send it, at once or when it is time."""
        if not self.conflated_ms:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.conflated_ms * 0.001, self.flush)

    def flush(self) -> None:
        """Send what has changed since the last message."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for message in self.changes():
            self.send(json_frame(message), message.seq)

    def send(self, frame: Frame, sequence: int) -> None:
        """Send a message to all members."""
        self.sequence = sequence
        fan_out(frame, self.members, sequence)


class TradesGroup(Group):
    """The trades of a symbol, and what becomes of them."""

    channel = "trades"

    def snapshot(self, note: str) -> TradesSnapshot:
        """Return the latest trades."""
        latest = self.market.latest_trades(self.symbol_id, SNAPSHOT_TRADES)
        return TradesSnapshot(
            symbol=self.symbol,
            seq=self.market.trade_chains.get(self.symbol_id, 0),
            note=note or UNSET,
            trades=[trade_view(trade, self.symbol) for trade in reversed(latest)],
        )

    def take(self, update: TapeUpdate) -> None:
        """Send a trade."""
        message = trade_message(update.trade, update.prev_sequence, self.symbol)
        self.send(json_frame(message), update.sequence)

    def announce(self, announcement: Announcement) -> None:
        """Send a bust or correction."""
        self.send(text_frame(announcement.message), announcement.sequence)


def trade_message(trade: Trade, prev_sequence: int, symbol: str) -> TradeMessage:
    """Return the message of a trade as it was executed."""
    return TradeMessage(
        symbol=symbol,
        prev_seq=prev_sequence,
        seq=trade.sequence,
        at=time_text(trade.executed_ns),
        trade=trade_view(trade.as_executed(), symbol),
    )


class StatusGroup(Group):
    """The status of a symbol, or of the whole exchange."""

    channel = "status"

    @property
    def symbol(self) -> str:
        """Return the symbol's name, empty for the whole exchange."""
        return "" if self.symbol_id == WHOLE_EXCHANGE else super().symbol

    def snapshot(self, note: str) -> StatusSnapshot:
        """Return where the symbol and the exchange stand."""
        market = self.market
        symbol = market.directory.symbols.get(self.symbol_id)
        return StatusSnapshot(
            symbol=self.symbol,
            seq=market.status_chains.get(self.symbol_id, 0),
            note=note or UNSET,
            state=STATE_TEXT[symbol.state] if symbol else None,
            reference_price=price_text(symbol.reference_price) if symbol else None,
            business_date=format_date(market.business_date) if market.business_date else None,
            epoch=market.epoch,
            phase=PHASES[symbol.phase] if symbol else None,
            indication=_indication(market.indications.get(self.symbol_id)),
            bands=bands_view(
                market.bands.get(self.symbol_id),
                market.limit_states.get(self.symbol_id, LimitState.NORMAL),
            ),
            breaker=market.breaker if self.symbol_id == WHOLE_EXCHANGE else None,
        )

    def announce(self, announcement: Announcement) -> None:
        """Send a message that is kept."""
        self.send(text_frame(announcement.message), announcement.sequence)


class BookGroup(Group):
    """A book, whole or its best levels. With all levels and not conflated its chain is that of the book itself."""

    channel = "book"

    def __init__(self, market: LiveMarket, symbol_id: int, depth: int, conflated_ms: int) -> None:
        super().__init__(market, symbol_id, conflated_ms)
        self.sequence = self.book.sequence
        self.view: View = BestLevels(depth, self.book) if depth else WholeBook()

    @property
    def book(self) -> Book:
        """Return the book as it stands."""
        return self.market.builder.book(self.symbol_id)

    def snapshot(self, note: str) -> BookSnapshot:
        """Return the levels in view."""
        bids, asks = self.book.totals(self.view.depth)
        return BookSnapshot(
            symbol=self.symbol,
            seq=self.sequence,
            note=note or UNSET,
            bids=level_texts(bids),
            asks=level_texts(asks),
            checksum=checksum_of(bids, asks),
        )

    def take(self, update: BookUpdate) -> None:
        """Take in what a command changed, and send it now or later."""
        if self.view.depth or self.conflated_ms:
            self.view.add(update)
            self.touch()
        else:
            self.send(json_frame(book_message(update, self.symbol)), update.sequence)

    def changes(self) -> list[BookDelta]:
        """Return what changed in view."""
        book, depth = self.book, self.view.depth
        bids, asks = self.view.take(book)
        if not bids and not asks:
            return []
        in_view = book.totals(depth) if 0 < depth < CHECKSUM_LEVELS else None
        return [
            BookDelta(
                symbol=self.symbol,
                prev_seq=self.sequence,
                seq=book.sequence,
                at=time_text(self.market.time_ns),
                bids=level_texts(bids),
                asks=level_texts(asks),
                checksum=checksum_of(*in_view) if in_view else book.checksum(),
            )
        ]


def book_message(update: BookUpdate, symbol: str) -> BookDelta:
    """Return the message of one command's changes of a whole book."""
    return BookDelta(
        symbol=symbol,
        prev_seq=update.prev_sequence,
        seq=update.sequence,
        at=time_text(update.time_ns),
        bids=level_texts(update.bids),
        asks=level_texts(update.asks),
        checksum=update.checksum,
    )


class TickerGroup(Group):
    """A symbol's ticker."""

    channel = "ticker"

    def snapshot(self, note: str) -> TickerMessage:
        """Return the ticker as it stands."""
        return self._message("snapshot", seq=self.sequence, note=note or UNSET)

    def changes(self) -> list[TickerMessage]:
        """Return the ticker as it stands."""
        return [self._message("ticker", prev_seq=self.sequence, seq=self.market.sequence)]

    def _message(self, kind: Literal["snapshot", "ticker"], **fields: Any) -> TickerMessage:
        return TickerMessage(
            type=kind,
            symbol=self.symbol,
            at=time_text(self.market.time_ns),
            ticker=ticker_of(self.market, self.symbol_id),
            **fields,
        )


class CandleGroup(Group):
    """A symbol's candles of one interval: the newest as it grows, and older ones that are corrected."""

    channel = "candles"

    def __init__(self, market: LiveMarket, symbol_id: int, interval_s: int, conflated_ms: int) -> None:
        super().__init__(market, symbol_id, conflated_ms)
        self.interval_s = interval_s
        self._changed: dict[CandleKey, tuple[Candle, bool]] = {}

    def snapshot(self, note: str) -> CandleMessage:
        """Return the newest candle."""
        newest = self.market.newest.get((self.symbol_id, self.interval_s))
        return self._message("snapshot", newest, seq=self.sequence, note=note or UNSET)

    def take(self, candle: Candle, corrected: bool) -> None:
        """Take in a candle that changed, and send it now or later."""
        before = self._changed.get(candle.key)
        self._changed[candle.key] = candle, corrected or bool(before and before[1])
        self.touch()

    def changes(self) -> list[CandleMessage]:
        """Return the candles that changed."""
        sequence, messages = self.sequence, []
        for candle, corrected in self._changed.values():
            seq = self.market.sequence
            messages.append(self._message("candle", candle, prev_seq=sequence, seq=seq, corrected=corrected))
            sequence = seq
        self._changed.clear()
        return messages

    def _message(
        self, kind: Literal["snapshot", "candle"], candle: Candle | None, **fields: Any
    ) -> CandleMessage:
        return CandleMessage(
            type=kind,
            symbol=self.symbol,
            interval=format_interval(self.interval_s),
            at=time_text(self.market.time_ns),
            candle=candle_view(candle) if candle else None,
            **fields,
        )


def _indication(event: e.AuctionIndicated | None) -> IndicationView | None:
    if event is None:
        return None
    return indication_view(
        event.price, event.far_price, event.reference_price, event.paired, event.imbalance, event.side
    )
