"""A kept book under all that goes wrong on its way: it is right whenever it says that it is live, and gets live."""

from __future__ import annotations

import random
import struct
from collections import deque
from zlib import crc32

import msgspec
import pytest

from exchange.client.book import Book
from exchange.client.stream_session import StreamSession
from exchange.domain.units import format_price
from exchange.wire.rest.stream import BookDelta, BookSnapshot, LevelText, Operation

AT = "2026-11-23T14:30:00.000000000Z"
STEPS = 300
FAULTS = ("lose", "double", "spoil", "swap", "break", "replica", "old_replica", "stop", "split")
Side = dict[int, int]


class Source:
    """A reporter of one symbol: its book at each sequence, and the changes that led there. Prices in 1/10,000."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.seq = 10
        self.middle = 100_0000
        self.sides: tuple[Side, Side] = ({99_9900: 5}, {100_0100: 5})
        self.messages: list[BookDelta] = []
        self.seen = {self.seq: self.state()}

    def state(self) -> tuple[Side, Side]:
        return dict(self.sides[0]), dict(self.sides[1])

    def change(self) -> None:
        """Change one level, or take it away."""
        side, quantity = self.random.randrange(2), self.random.choice((0, 0, 7, 30, 90))
        changed = {self.middle + (1 if side else -1) * self.random.randrange(1, 15) * 100: quantity}
        self.apply(({}, changed) if side else (changed, {}))

    def split(self) -> None:
        """Split two for one, or one for two: in one message every level goes, and comes at another price."""
        before, self.middle = self.middle, 150_0000 - self.middle
        bids, asks = (
            dict.fromkeys(side, 0) | {price - before + self.middle: 2 * size for price, size in side.items()}
            for side in self.sides
        )
        self.apply((bids, asks))

    def apply(self, changes: tuple[Side, Side]) -> None:
        before, self.seq = self.seq, self.seq + self.random.randrange(1, 4)
        for side, changed in zip(self.sides, changes, strict=True):
            side.update(changed)
            for price in [price for price, quantity in side.items() if not quantity]:
                del side[price]
        bids, asks = (rows(each) for each in changes)
        self.messages.append(
            BookDelta(
                symbol="AAPL", prev_seq=before, seq=self.seq, at=AT, checksum=checksum(self.sides), bids=bids, asks=asks
            )
        )  # fmt: skip
        self.seen[self.seq] = self.state()


def rows(side: Side) -> list[LevelText]:
    return [(format_price(price), str(quantity), 1) for price, quantity in side.items()]


def checksum(sides: tuple[Side, Side]) -> int:
    best = [*sorted(sides[0].items(), reverse=True)[:10], *sorted(sides[1].items())[:10]]
    numbers = [number for row in best for number in row]
    return crc32(struct.pack(f"<{len(numbers)}q", *numbers))


class Line:
    """A connection to a replica that has come to `cut` messages of the source; what it has sent waits in `wire`."""

    def __init__(self, source: Source, session: StreamSession) -> None:
        self.source, self.session = source, session
        self.wire: deque[bytes] = deque()
        self.next = len(source.messages)
        self.is_subscribed = False

    def connect(self, behind: int = 0) -> None:
        """Begin anew with a replica that is so many messages behind."""
        self.wire.clear()
        self.is_subscribed = False
        self.next = max(0, len(self.source.messages) - behind)
        self.session.connected()
        self.put(type="welcome", version=1, epoch=1, seq=self.at(), heartbeat_ms=1000)

    def at(self) -> int:
        return self.source.messages[self.next - 1].seq if self.next else 10

    def put(self, **fields: object) -> None:
        self.wire.append(msgspec.json.encode(fields))

    def answer(self) -> None:
        """Answer what the client has sent, as a reporter does, then send what is new."""
        while self.session.outgoing:
            self.heed(self.session.outgoing.popleft())
        if self.is_subscribed:
            for message in self.source.messages[self.next :]:
                self.wire.append(msgspec.json.encode(message))
            self.next = len(self.source.messages)

    def heed(self, asked: Operation) -> None:
        if asked.op == "ping":
            self.put(type="pong", id=asked.id, seq=self.at())
        elif asked.op == "unsubscribe":
            self.is_subscribed = False
        elif asked.from_seq is not None and asked.from_seq <= self.at() + 1:
            self.put(type="subscribed", id=asked.id, channel="book", symbols=["AAPL"])
            self.put(channel="book", type="resumed", symbol="AAPL", from_seq=asked.from_seq)
            missed = [each for each in self.source.messages[: self.next] if each.seq >= asked.from_seq]
            self.wire.extend(msgspec.json.encode(each) for each in missed)
            self.is_subscribed = True
        else:
            self.put(type="subscribed", id=asked.id, channel="book", symbols=["AAPL"])
            self.wire.append(msgspec.json.encode(self.snapshot()))
            self.is_subscribed = True

    def snapshot(self) -> BookSnapshot:
        """Return the book as this replica has it."""
        sides = self.source.seen[self.at()]
        bids, asks = (rows(each) for each in sides)
        return BookSnapshot(symbol="AAPL", seq=self.at(), checksum=checksum(sides), bids=bids, asks=asks)

    def heartbeat(self, problem: str = "") -> None:
        self.put(type="heartbeat", seq=self.at(), problem=problem)

    def deliver(self) -> None:
        while self.wire:
            self.session.take(self.wire.popleft())


def is_right(book: Book, source: Source) -> bool:
    """Tell whether a book is what its source had at the book's sequence."""
    found = tuple(
        {int(level.price * 10_000): level.quantity for level in side} for side in (book.bids, book.asks)
    )
    return found == source.seen[book.seq]


def fault(kind: str, line: Line) -> None:
    """Let something go wrong with what is on its way."""
    wire, chance = line.wire, line.source.random
    if kind == "lose" and (deltas := [at for at, each in enumerate(wire) if b'"delta"' in each]):
        del wire[chance.choice(deltas)]
    elif kind == "double" and wire:
        wire.append(wire[chance.randrange(len(wire))])
    elif kind == "swap" and len(wire) > 1:
        wire[0], wire[-1] = wire[-1], wire[0]
    elif kind == "spoil":
        wire.extend(msgspec.json.encode(spoilt(msgspec.json.decode(wire.pop()))) for _ in range(bool(wire)))
    elif kind == "break":
        line.session.disconnected("it broke")
        line.connect()
    elif kind in ("replica", "old_replica"):
        line.session.disconnected("the reporter is gone")
        line.connect(behind=chance.randrange(1, 9) if kind == "old_replica" else 0)
    elif kind == "stop":
        line.heartbeat("engine: gone")
    elif kind == "split":
        line.source.split()


def spoilt(message: dict[str, object]) -> dict[str, object]:
    return message | {"checksum": 1} if "checksum" in message else message


@pytest.mark.parametrize("only", [*FAULTS, "all of them"])
@pytest.mark.parametrize("seed", range(5))
def test_a_live_book_is_right_and_every_fault_is_mended(only: str, seed: int) -> None:
    source, session = Source(seed), StreamSession()
    book = session.keep_book("AAPL").book
    assert book is not None
    line = Line(source, session)
    line.connect()
    was_stale = 0
    for step in range(STEPS):
        for _ in range(source.random.randrange(1, 5)):
            source.change()
        line.answer()
        if source.random.random() < 0.2:
            fault(source.random.choice(FAULTS) if only == "all of them" else only, line)
        line.deliver()
        was_stale += not book.is_live
        assert not book.is_live or is_right(book, source), (step, book)
    settle(line, book)
    assert book.is_live, book.stale
    assert is_right(book, source)
    assert book.seq == source.seq
    assert was_stale or only in ("double", "split"), "the fault was never seen"


def settle(line: Line, book: Book) -> None:
    """Let a whole connection do its work, with the heartbeats that end a silence."""
    for _ in range(10):
        line.source.change()
        line.answer()
        line.heartbeat()
        line.deliver()
        line.answer()
        line.deliver()
