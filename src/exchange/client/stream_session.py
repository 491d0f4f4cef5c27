"""The client's side of the stream without any socket: what is wanted, what to send, what a message means.

Whoever owns a connection tells `connected` and `disconnected`, passes each text message to `take`, gives on what it
returns, and sends what lies in `outgoing`. A subscription outlives connections: it goes on from the sequence after its
last message where the exchange still has it, else it begins anew with a snapshot. What was given once is not given
again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec

from exchange.client.book import Book
from exchange.client.errors import Refused
from exchange.wire.rest.errors import ErrorBody
from exchange.wire.rest.stream import (
    STREAM_VERSION,
    BookDelta,
    BookSnapshot,
    CandleMessage,
    Operation,
    QueueDelta,
    QueueSnapshot,
    Resumed,
    StatusMessage,
    StatusSnapshot,
    TickerMessage,
    TradeChanged,
    TradeMessage,
    TradesSnapshot,
)

EVERYTHING = "*"
RESUMABLE = ("trades", "status", "book")
Message: TypeAlias = (
    TradesSnapshot | TradeMessage | TradeChanged | BookSnapshot | BookDelta
    | QueueSnapshot | QueueDelta | TickerMessage | CandleMessage | StatusSnapshot | StatusMessage
)  # fmt: skip
Key: TypeAlias = tuple[str, str, str]
"""Channel, symbol, and the interval of candles, else empty."""

_TYPES: dict[tuple[str, str], Any] = {
    ("trades", "snapshot"): TradesSnapshot,
    ("trades", "trade"): TradeMessage,
    ("book", "snapshot"): BookSnapshot,
    ("book", "delta"): BookDelta,
    ("queue", "snapshot"): QueueSnapshot,
    ("queue", "delta"): QueueDelta,
    ("ticker", "snapshot"): TickerMessage,
    ("ticker", "ticker"): TickerMessage,
    ("candles", "snapshot"): CandleMessage,
    ("candles", "candle"): CandleMessage,
    ("status", "snapshot"): StatusSnapshot,
    **{(channel, kind): TradeChanged for channel in ("trades", "status") for kind in ("bust", "correction")},
    **{(channel, "resumed"): Resumed for channel in RESUMABLE},
}


class _Head(msgspec.Struct):
    """What is common to all messages, to see what one is."""

    type: str
    channel: str = ""
    symbol: str = ""
    interval: str = ""
    prev_seq: int | None = None
    seq: int = 0
    id: str = ""
    request_id: str = ""
    problem: str = ""
    heartbeat_ms: int = 0
    version: int = 0


class Wanted:
    """One subscription. symbol: a name, or "*". settled: whether the exchange has confirmed it at least once.

    is_whole: of "*", whether the first message of each symbol has come on this connection.
    """

    def __init__(self, channel: str, symbol: str, depth: int, conflated: int, interval: str) -> None:
        self.channel = channel
        self.symbol = symbol
        self.depth = depth
        self.conflated = conflated
        self.interval = interval
        self.book: Book | None = None
        self.refused: Refused | None = None
        self.is_settled = False
        self.is_pending = True
        self.is_whole = False

    @property
    def key(self) -> Key:
        """Return what tells it from others."""
        return self.channel, self.symbol, self.interval

    @property
    def is_resumable(self) -> bool:
        """Tell whether the exchange can go on from a sequence."""
        return self.channel in RESUMABLE and not self.depth and not self.conflated

    def operation(self, number: str, from_seq: int | None) -> Operation:
        """Return what asks for it."""
        symbols = [self.symbol] if self.symbol else []
        operation = Operation(
            "subscribe", number, self.channel, symbols, from_seq, self.depth, self.conflated
        )
        if self.interval:
            operation.interval = self.interval
        return operation


class StreamSession:
    """All subscriptions of one client. heartbeat_ms: how long the exchange is silent at most, 0 until it said so."""

    def __init__(self) -> None:
        self.outgoing: deque[Operation] = deque()
        self.heartbeat_ms = 0
        self.seq = 0
        self._wanted: dict[Key, Wanted] = {}
        self._asked: dict[str, list[Wanted]] = {}
        self._chains: dict[Key, int] = {}
        self._given: dict[Key, int] = {}
        self._is_connected = False
        self._numbers = 0
        self._decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
        self._head = msgspec.json.Decoder(_Head)

    # --- what is wanted ---------------------------------------------------------------------------

    def subscribe(
        self, channel: str, symbol: str, *, depth: int = 0, conflated: int = 0, interval: str = ""
    ) -> Wanted:
        """Want a channel of a symbol, or of "*"; asking twice for the same gives the same."""
        if channel == "candles":
            interval = interval or "1m"
        wanted = self._wanted.get((channel, symbol, interval))
        if wanted is None:
            wanted = Wanted(channel, symbol, depth, conflated, interval)
            self._wanted[wanted.key] = wanted
            if self._is_connected:
                self._ask([wanted])
        return wanted

    def keep_book(self, symbol: str) -> Wanted:
        """Want a book with all its levels; it is `book` of what this returns."""
        wanted = self.subscribe("book", symbol)
        if wanted.book is None:
            wanted.book = Book(symbol)
        return wanted

    def unsubscribe(self, wanted: Wanted) -> None:
        """Want it no longer."""
        self._forget(wanted)
        if self._is_connected and wanted.refused is None:
            self._leave(wanted)

    def books(self) -> Iterable[Book]:
        """List the books that are kept."""
        return [wanted.book for wanted in self._wanted.values() if wanted.book is not None]

    # --- the connection ---------------------------------------------------------------------------

    def connected(self) -> None:
        """Ask for everything that is wanted on a new connection."""
        self._is_connected = True
        self.outgoing.clear()
        self._asked.clear()
        self._ask(list(self._wanted.values()))

    def disconnected(self, why: str) -> None:
        """Let the books say that nothing comes."""
        self._is_connected = False
        self.outgoing.clear()
        self.doubt(f"the connection is lost: {why}")

    def doubt(self, why: str) -> None:
        """Let all books say that they may be wrong."""
        for book in self.books():
            book.doubt(why)

    def take(self, text: bytes) -> list[Message]:
        """Take a message in; return what of it is to be given to the program. Raise `msgspec.DecodeError`."""
        head = self._head.decode(text)
        if not head.channel or head.type in ("subscribed", "unsubscribed"):
            self._about_the_connection(head, text)
            return []
        if (wanted := self._wanted_for(head)) is None:
            return []
        if head.type == "resumed":
            wanted.is_pending = False
            return []
        if not self._follows(wanted, head):
            return []
        message: Message = self._decoder(head).decode(text)
        if wanted.book is not None:
            assert isinstance(message, BookSnapshot | BookDelta)
            if not wanted.book.take(message, self.seq):
                self._again(wanted, anew=True)
            return []
        key = head.channel, head.symbol, head.interval
        is_new = head.type == "snapshot" or head.seq > self._given.get(key, -1)
        self._given[key] = max(head.seq, self._given.get(key, -1))
        return [message] if is_new else []

    # --- one message ------------------------------------------------------------------------------

    def _about_the_connection(self, head: _Head, text: bytes) -> None:
        match head.type:
            case "welcome":
                self.heartbeat_ms, self.seq = head.heartbeat_ms, head.seq
                if head.version != STREAM_VERSION:
                    self.doubt(f"the stream has version {head.version}, this client speaks {STREAM_VERSION}")
            case "subscribed":
                for wanted in self._asked.pop(head.id, []):
                    wanted.is_settled = True
            case "error":
                error = msgspec.json.decode(text, type=ErrorBody)
                for wanted in self._asked.pop(head.request_id, []):
                    wanted.refused = Refused(422, error)
                    self._forget(wanted)
                    if wanted.book is not None:
                        wanted.book.doubt(f"refused: {error.message}")
            case "heartbeat" | "pong":
                self._up_to(head)

    def _up_to(self, head: _Head) -> None:
        """Take notice that everything up to a sequence has come."""
        self.seq = head.seq
        if head.type == "pong":
            for wanted in self._asked.pop(head.id, []):
                wanted.is_whole = True
        for wanted in self._wanted.values():
            if wanted.book is None or wanted.is_pending:
                continue
            if head.problem:
                wanted.book.doubt(f"nothing new comes: {head.problem}")
            else:
                wanted.book.confirm(max(head.seq, wanted.book.seq))

    def _wanted_for(self, head: _Head) -> Wanted | None:
        found = self._wanted.get((head.channel, head.symbol, head.interval))
        found = found or self._wanted.get((head.channel, EVERYTHING, head.interval))
        if found is None and head.channel == "status" and not head.symbol:
            found = next((each for key, each in self._wanted.items() if key[0] == "status"), None)
        return found

    def _follows(self, wanted: Wanted, head: _Head) -> bool:
        """Tell whether a message is the next of its chain; where one is missing ask for it."""
        key = head.channel, head.symbol, head.interval
        known = self._chains.get(key)
        if head.type == "snapshot":
            wanted.is_pending = False
        elif wanted.is_pending or (known is not None and head.seq <= known) or not _is_known(head):
            return False
        elif known is not None and head.prev_seq != known:
            if wanted.book is not None:
                wanted.book.doubt(f"a message is missing: one follows {head.prev_seq}, the last was {known}")
            self._again(wanted)
            return False
        self._chains[key] = head.seq
        self.seq = max(self.seq, head.seq)
        return True

    def _decoder(self, head: _Head) -> msgspec.json.Decoder[Any]:
        wanted = _TYPES.get((head.channel, head.type), StatusMessage)
        if wanted not in self._decoders:
            self._decoders[wanted] = msgspec.json.Decoder(wanted)
        return self._decoders[wanted]

    # --- what is sent -----------------------------------------------------------------------------

    def _ask(self, several: list[Wanted]) -> None:
        """Ask for subscriptions, each from where it ended if it had begun; a pong says that all has come."""
        for wanted in several:
            from_seq = self._from_seq(wanted)
            wanted.is_pending, wanted.is_whole = True, False
            self.outgoing.append(wanted.operation(self._number([wanted]), from_seq))
        if several:
            self.outgoing.append(Operation("ping", self._number(several)))

    def _number(self, several: list[Wanted]) -> str:
        self._numbers += 1
        self._asked[number := str(self._numbers)] = several
        return number

    def _from_seq(self, wanted: Wanted) -> int | None:
        """Return the sequence to go on from; None to begin with a snapshot."""
        if not wanted.is_resumable or (wanted.symbol == EVERYTHING and not wanted.is_whole):
            return None
        if wanted.symbol == EVERYTHING:
            known = [seq for key, seq in self._chains.items() if key[0] == wanted.channel]
            return max(known) + 1 if known else None
        seq = self._chains.get(wanted.key)
        if seq is not None and wanted.channel == "status":
            seq = min(seq, self._chains.get(("status", "", ""), seq))
        return None if seq is None else seq + 1

    def _again(self, wanted: Wanted, anew: bool = False) -> None:
        """Subscribe once more on the same connection. anew: with a snapshot."""
        if anew:
            self._chains.pop(wanted.key, None)
        self._leave(wanted)
        self._ask([wanted])

    def _leave(self, wanted: Wanted) -> None:
        symbols = [wanted.symbol] if wanted.symbol else []
        operation = Operation("unsubscribe", "", wanted.channel, symbols)
        if wanted.interval:
            operation.interval = wanted.interval
        self.outgoing.append(operation)

    def _forget(self, wanted: Wanted) -> None:
        self._wanted.pop(wanted.key, None)
        for key in [each for each in self._chains if self._is_of(each, wanted)]:
            del self._chains[key]
            self._given.pop(key, None)

    def _is_of(self, key: Key, wanted: Wanted) -> bool:
        same = key[0] == wanted.channel and key[2] == wanted.interval
        return same and wanted.symbol in (EVERYTHING, key[1])


def _is_known(head: _Head) -> bool:
    """Tell whether this client knows a type of message; others are let go by, as the protocol wants."""
    return head.channel == "status" or (head.channel, head.type) in _TYPES
