"""Who has subscribed to what: hands each change of the live market to the groups that want it.

A group exists while it has members. What may be asked for again by its sequence is kept whether anyone listens or
not: the latest messages of trades, book and status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import msgspec

from exchange.domain.reasons import Reason
from exchange.infra.http_routes import ApiError
from exchange.infra.websocket import Outlet, json_frame
from exchange.market_data.book_builder import BookUpdate
from exchange.market_data.queue_changes import QueueChanges
from exchange.market_data.tape import TapeUpdate
from exchange.reporter.announcements import WHOLE_EXCHANGE, Announcement
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.queue_group import QueueGroup
from exchange.reporter.replay_buffer import ReplayBuffer
from exchange.reporter.stream_groups import (
    BookGroup,
    CandleGroup,
    Group,
    StatusGroup,
    TickerGroup,
    TradesGroup,
)
from exchange.wire.rest.stream import Heartbeat

HEARTBEAT_CHECKS = 4
"""How many times in a heartbeat's interval it is looked whose turn it is."""


class Selection(msgspec.Struct, frozen=True):
    """One way to look at one channel. interval_s: of candles; depth: of the book, 0 for all levels."""

    channel: str
    depth: int = 0
    conflated_ms: int = 0
    interval_s: int = 0

    @property
    def is_resumable(self) -> bool:
        """Tell whether single messages of it are kept."""
        whole = not self.depth and not self.conflated_ms
        return self.channel in ("trades", "status") or (self.channel == "book" and whole)


class Subscriber:
    """One connection and what it has subscribed to: by channel, interval and symbol.

    everything: by channel and interval, where it is "*".
    """

    def __init__(self, connection: Outlet) -> None:
        self.connection = connection
        self.groups: dict[tuple[str, int, int], Group] = {}
        self.everything: dict[tuple[str, int], Selection] = {}

    @property
    def count(self) -> int:
        """Return how many subscriptions it has; all symbols of a channel together are one."""
        single = [key for key in self.groups if key[:2] not in self.everything]
        return len(single) + len(self.everything)


class StreamHub:
    """The groups and subscribers of one partition; the live market's listener.

    problem: why nothing new comes, empty while all is well; said in heartbeats.
    """

    def __init__(
        self,
        market: LiveMarket,
        replay_messages: int,
        heartbeat_s: float,
        problem: Callable[[], str] = lambda: "",
    ) -> None:
        self.market = market
        self.heartbeat_s = heartbeat_s
        self._problem = problem
        self.subscribers: dict[Outlet, Subscriber] = {}
        since = market.sequence
        self.trades: ReplayBuffer[TapeUpdate | Announcement] = ReplayBuffer(replay_messages, since)
        self.status: ReplayBuffer[Announcement] = ReplayBuffer(replay_messages, since)
        self.books: ReplayBuffer[BookUpdate] = ReplayBuffer(replay_messages, since)
        self._trade_groups: dict[int, TradesGroup] = {}
        self._status_groups: dict[int, StatusGroup] = {}
        self._queues = QueueChanges()
        self._queue_groups: dict[int, QueueGroup] = {}
        self._book_groups: dict[int, dict[tuple[int, int], BookGroup]] = {}
        self._ticker_groups: dict[int, dict[int, TickerGroup]] = {}
        self._candle_groups: dict[tuple[int, int], dict[int, CandleGroup]] = {}

    # --- what happens (Listener) ------------------------------------------------------------------

    def symbol_added(self, symbol_id: int) -> None:
        """Subscribe those who wanted everything."""
        for subscriber in self.subscribers.values():
            for selection in subscriber.everything.values():
                self.join(subscriber, selection, symbol_id)

    def trade_printed(self, update: TapeUpdate) -> None:
        """Keep and send a trade."""
        symbol_id = update.trade.symbol_id
        self.trades.add(symbol_id, msgspec.structs.replace(update, bases=()))
        group = self._trade_groups.get(symbol_id)
        if group is not None:
            group.take(update)

    def announced(self, announcement: Announcement) -> None:
        """Keep and send a message that was written before."""
        symbol_id = announcement.symbol_id
        group: TradesGroup | StatusGroup | None
        if announcement.channel == "trades":
            self.trades.add(symbol_id, announcement)
            group = self._trade_groups.get(symbol_id)
        else:
            self.status.add(symbol_id, announcement)
            group = self._status_groups.get(symbol_id)
        if group is not None:
            group.announce(announcement)

    def book_changed(self, update: BookUpdate) -> None:
        """Keep and send what a command changed in a book."""
        self.books.add(update.symbol_id, update)
        for group in self._book_groups.get(update.symbol_id, {}).values():
            group.take(update)
        if (queue := self._queue_groups.get(update.symbol_id)) is not None:
            queue.take(update, self._queues.take(update.symbol_id))

    def ticker_changed(self, symbol_id: int, sequence: int) -> None:
        """Send a ticker."""
        for group in self._ticker_groups.get(symbol_id, {}).values():
            group.touch()

    def candles_changed(self, update: TapeUpdate, sequence: int) -> None:
        """Send the candles that somebody wants of those that a trade changed."""
        if not self._candle_groups:
            return
        for place, base in enumerate(update.bases):
            groups = self._candle_groups.get((base.key.symbol_id, base.key.interval_s))
            if groups:
                candle = update.candle_at(place)
                for group in groups.values():
                    group.take(candle, update.before is not None)

    # --- who listens ------------------------------------------------------------------------------

    def enter(self, connection: Outlet) -> Subscriber:
        """Take a connection in."""
        subscriber = self.subscribers[connection] = Subscriber(connection)
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """End all of a connection's subscriptions."""
        del self.subscribers[subscriber.connection]
        subscriber.everything.clear()
        for channel, interval_s, symbol_id in list(subscriber.groups):
            self.part(subscriber, channel, interval_s, symbol_id)

    def join(self, subscriber: Subscriber, selection: Selection, symbol_id: int, note: str = "") -> None:
        """Subscribe to one symbol, beginning with a snapshot; nothing happens where it is subscribed to.

        Raise `ApiError` where the snapshot is too large.
        """
        key = selection.channel, selection.interval_s, symbol_id
        if key in subscriber.groups:
            return
        group = subscriber.groups[key] = self.group(selection, symbol_id)
        try:
            group.join(subscriber.connection, note)
        except ApiError:
            self.part(subscriber, *key)
            raise

    def resume(self, subscriber: Subscriber, selection: Selection, symbol_id: int) -> None:
        """Subscribe to one symbol without a snapshot, for one who has everything up to now."""
        group = self.group(selection, symbol_id)
        subscriber.groups[selection.channel, selection.interval_s, symbol_id] = group
        group.members[subscriber.connection] = None

    def part(self, subscriber: Subscriber, channel: str, interval_s: int, symbol_id: int) -> None:
        """End the subscription to one symbol."""
        group = subscriber.groups.pop((channel, interval_s, symbol_id))
        group.leave(subscriber.connection)
        if not group.members:
            self._forget(group)

    def group(self, selection: Selection, symbol_id: int) -> Group:
        """Return the group for a selection, made where it is not there."""
        market, conflated_ms = self.market, selection.conflated_ms
        match selection.channel:
            case "trades":
                return self._trade_groups.setdefault(symbol_id, TradesGroup(market, symbol_id))
            case "status":
                return self._status_groups.setdefault(symbol_id, StatusGroup(market, symbol_id))
            case "queue":
                self._queues.want(symbol_id)
                market.builder.watch(self._queues)
                return self._queue_groups.setdefault(symbol_id, QueueGroup(market, symbol_id))
            case "ticker":
                tickers = self._ticker_groups.setdefault(symbol_id, {})
                return tickers.setdefault(conflated_ms, TickerGroup(market, symbol_id, conflated_ms))
            case "candles":
                candles = self._candle_groups.setdefault((symbol_id, selection.interval_s), {})
                if conflated_ms not in candles:
                    candles[conflated_ms] = CandleGroup(market, symbol_id, selection.interval_s, conflated_ms)
                return candles[conflated_ms]
        books = self._book_groups.setdefault(symbol_id, {})
        view = selection.depth, conflated_ms
        if view not in books:
            books[view] = BookGroup(market, symbol_id, *view)
        return books[view]

    def symbol_ids(self, selection: Selection) -> Iterable[int]:
        """Return what "*" stands for now."""
        ids = self.market.directory.symbols
        return [WHOLE_EXCHANGE, *ids] if selection.channel == "status" else list(ids)

    def _forget(self, group: Group) -> None:
        """Remove a group without members."""
        symbol_id = group.symbol_id
        match group:
            case TradesGroup():
                del self._trade_groups[symbol_id]
            case StatusGroup():
                del self._status_groups[symbol_id]
            case QueueGroup():
                self._queues.leave(symbol_id)
                del self._queue_groups[symbol_id]
                if not self._queue_groups:
                    self.market.builder.watch(None)
            case TickerGroup():
                del self._ticker_groups[symbol_id][group.conflated_ms]
            case CandleGroup():
                del self._candle_groups[symbol_id, group.interval_s][group.conflated_ms]
            case BookGroup():
                del self._book_groups[symbol_id][group.view.depth, group.conflated_ms]

    # --- heartbeats -------------------------------------------------------------------------------

    async def beat(self) -> None:
        """Send a heartbeat to each connection that was silent for a while; runs until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.heartbeat_s / HEARTBEAT_CHECKS)
            frame = json_frame(Heartbeat(self.market.sequence, self._problem()))
            silent_since = loop.time() - self.heartbeat_s
            for connection in self.subscribers:
                if connection.last_sent_s <= silent_since:
                    connection.send(frame)


def unknown_symbol(name: str, present: str = "") -> ApiError:
    """Refuse a symbol that is not listed. present: what it is called now, where this was its name."""
    if present:
        text = f"{name[:20]!r} is the former name of {present}; use that"
        return ApiError(422, Reason.SYMBOL_RENAMED, text, "symbols")
    text = f"there is no symbol {name[:20]!r}; /api/v1/symbols lists them"
    return ApiError(422, Reason.UNKNOWN_SYMBOL, text, "symbols")
