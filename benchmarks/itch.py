"""How many ITCH messages a second the reporter makes, writes and sends: the encoder alone, the file of a day, the feed.

`python -m benchmarks.itch [--commands 500000] [--batch 2000] [--runs 5] [--python]`. The events are those of seeded
flow in ten symbols: orders, of which a tenth trades at once, and cancels. *Encoder*: events in, packets out. *File of a
day*: the same, into a BinaryFILE. *Feed*: the reporter's own path, as it runs: the stream's file, every message over
SoupBinTCP to one subscriber, which is another process and compares what it has with that file, and every message in
datagrams of MoldUDP64. Its time ends when the subscriber has everything. --python takes the definition in the place of
the compiled module, with a twentieth of the commands. CPU is that of this process.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import random
import socket
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

import structlog

from benchmarks.run_info import Watch, describe, rates
from exchange.domain import commands as c
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.units import AccountId, OrderId, ParticipantId, Price, Quantity, SymbolId, public_id
from exchange.engine.replay import choose_matcher
from exchange.infra.config import Config, load_config
from exchange.infra.errors import SourceUnavailable
from exchange.market_data import itch_choice
from exchange.market_data.itch_stream import DayPart, ItchStream
from exchange.reporter import itch_days
from exchange.reporter.itch_feed import WAITING_BATCHES_MAX, ItchFeed
from exchange.reporter.itch_files import ItchFiles
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.store import ReporterStore
from exchange.wire import itch_framing
from exchange.wire import soupbintcp as soup
from exchange.wire.envelope import EventBatch
from exchange.wire.records import encode_command, split

SEED = 20261123
SYMBOLS = 10
LIVE_ORDERS = 10_000
REFERENCE = 1_892_000
DATE = 20261123
UNSENT_KIB = 64 * 1024
RECEIVE_BYTES = 1 << 20
UDP_BUFFER_BYTES = 8 << 20


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--commands", type=int, default=500_000)
    parser.add_argument("--batch", type=int, default=2_000, help="commands whose events are one batch")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--python", action="store_true", help="the definition, not the compiled module")
    arguments = parser.parse_args()
    kind = itch_choice.stream_kind()
    if arguments.python:
        kind, arguments.commands = ItchStream, arguments.commands // 20
        itch_framing._native = None
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    for what, value in describe():
        print(f"{what:10} {value}")
    batches = _batches(arguments.commands, arguments.batch)
    messages = sum(part.count for part in _parts(kind, batches))
    events = sum(batch.count for batch in batches)
    print(f"{'seed':10} {SEED}\n{'events':10} {events:,}, {messages:,} messages, by {kind.__name__}\n")
    itch_days.stream_kind = lambda: kind  # type: ignore[attr-defined]
    for what, run in (("encoder", _encode), ("file of a day", _write), ("feed", _feed)):
        runs = [run(kind, batches) for _ in range(arguments.runs)]
        print(rates(what, "message", messages, runs))


def _parts(kind: type[ItchStream], batches: list[EventBatch]) -> list[DayPart]:
    stream = kind()
    return [part for batch in batches for part in stream.apply(batch.events)]


def _encode(kind: type[ItchStream], batches: list[EventBatch]) -> Watch:
    stream = kind()
    watch = Watch()
    for batch in batches:
        stream.apply(batch.events)
    return watch.stop()


def _write(kind: type[ItchStream], batches: list[EventBatch]) -> Watch:
    with TemporaryDirectory() as folder:
        stream, files = kind(), ItchFiles(Path(folder))
        watch = Watch()
        for batch in batches:
            files.write(stream.apply(batch.events))
        return watch.stop()


def _feed(_: type[ItchStream], batches: list[EventBatch]) -> Watch:
    with TemporaryDirectory() as folder:
        return asyncio.run(_serve(Path(folder), batches))


async def _serve(folder: Path, batches: list[EventBatch]) -> Watch:
    """Follow the batches as a reporter does; return the time until the subscriber has all."""
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 0))
    udp_to = f"127.0.0.1:{sink.getsockname()[1]}"
    here, there = multiprocessing.Pipe()
    async with AsyncExitStack() as stack:
        stack.callback(sink.close)
        store = ReporterStore(f"sqlite:///{folder / 'r.sqlite'}", 0, (60,))
        stack.callback(store.close)
        market = LiveMarket(store.restore(1), 1)
        feed = ItchFeed(_config(udp_to), folder / "itch", Nowhere(), market)
        await feed.start(stack)
        feed.take(batches[0])
        await _until(lambda: feed.days.sequence == batches[0].last_sequence)
        child = multiprocessing.Process(target=_subscribe, args=(feed.server.port, there, sink))
        child.start()
        await asyncio.to_thread(here.recv)
        watch = Watch()
        for batch in batches[1:]:
            await _until(lambda: len(feed._waiting) <= WAITING_BATCHES_MAX // 2)
            feed.take(batch)
        await _until(lambda: feed.days.sequence == batches[-1].last_sequence)
        size = feed.days.streams.size_bytes()
        here.send(size)
        received, datagrams = await asyncio.to_thread(here.recv)
        watch.stop()
        child.join()
        written = crc32((folder / "itch/days" / f"{DATE}.stream").read_bytes())
        assert received == written, "the subscriber has other messages than the file"
        assert feed.mold is not None
        print(
            f"  datagrams sent {feed.mold.sent_packets:,}, received {datagrams:,}; TCP {size:,} bytes, equal"
        )
        return watch


class Nowhere:
    """An engine that cannot be asked: a feed that needed it would stand still."""

    async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
        """Refuse."""
        raise SourceUnavailable(f"asked for what is after {after}")


def _config(udp_to: str) -> Config:
    env = {
        "EXCHANGE__REPORTER__ITCH__UDP_TO": udp_to,
        "EXCHANGE__REPORTER__ITCH__UNSENT_KIB": str(UNSENT_KIB),
    }
    return load_config(None, env, {"port_base": 0})


async def _until(holds: Callable[[], bool]) -> None:
    """Look again and again, and let others run between."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


def _subscribe(port: int, parent: Connection, sink: socket.socket) -> None:
    """Take everything of the day; answer with the checksum of its bytes, and how many datagrams came."""
    datagrams = [0]
    threading.Thread(target=_count, args=(sink, datagrams), daemon=True).start()
    with socket.create_connection(("127.0.0.1", port)) as plug:
        plug.sendall(soup.login_request(soup.LoginRequest("BENCH", "", "", 1)))
        accepted = len(soup.login_accepted(soup.LoginAccepted("2026112300", 1)))
        while accepted:
            accepted -= len(plug.recv(accepted))
        parent.send("ready")
        room, received, checksum, wanted = bytearray(RECEIVE_BYTES), 0, 0, 0
        view = memoryview(room)
        while not wanted or received < wanted:
            if parent.poll():
                wanted = parent.recv()
                continue
            plug.settimeout(0.01)
            with suppress(TimeoutError):
                size = plug.recv_into(room)
                assert size, "the reporter ended the connection"
                checksum = crc32(view[:size], checksum)
                received += size
    parent.send((checksum, datagrams[0]))


def _count(sink: socket.socket, datagrams: list[int]) -> None:
    sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_BUFFER_BYTES)
    while True:
        sink.recv(2_048)
        datagrams[0] += 1


def _batches(commands: int, size: int) -> list[EventBatch]:
    """Return the events of seeded flow, a batch for so many commands; the first batch is the opening."""
    venue, chance, live = choose_matcher("auto").new(0), random.Random(SEED), list[tuple[int, int]]()
    opening: list[c.Command] = [
        c.StartEngine(epoch=1),
        c.StartBusinessDay(date=DATE),
        *(
            c.AddSymbol(symbol=f"S{at}", name=f"S{at}", reference_price=Price(REFERENCE))
            for at in range(SYMBOLS)
        ),
        c.CreateParticipant(name="a"),
        c.CreateAccount(participant_id=ParticipantId(1), name="a"),
    ]
    flow = (_command(chance, live, len(opening) + 1 + at) for at in range(commands))
    commands_of, time_ns, batches = opening, 10**18, list[EventBatch]()
    while commands_of:
        records = [encode_command(command) for command in commands_of]
        events = venue.apply_batch(records, time_ns).events
        first = batches[-1].last_sequence + 1 if batches else 1
        batches.append(EventBatch(0, 1, first, sum(1 for _ in split(events)), events))
        commands_of, time_ns = list(islice(flow, size)), time_ns + 10_000_000
    return batches


def _command(chance: random.Random, live: list[tuple[int, int]], sequence: int) -> c.Command:
    """Make the next command; a cancel may name an order that has traded, which is refused."""
    if len(live) > LIVE_ORDERS and chance.random() < 0.5:
        at = chance.randrange(len(live))
        live[at], live[-1] = live[-1], live[at]
        return c.CancelOrder(order_id=OrderId(live.pop()[0]), participant_id=ParticipantId(0))
    symbol_id = chance.randint(1, SYMBOLS)
    live.append((public_id(0, sequence), symbol_id))
    side = chance.choice((Side.BUY, Side.SELL))
    away = -200 if chance.random() < 0.1 else int(chance.expovariate(1 / 20)) * 100
    return c.EnterOrder(
        account_id=AccountId(1),
        symbol_id=SymbolId(symbol_id),
        side=side,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        quantity=Quantity(100),
        price=Price(REFERENCE - away if side == Side.BUY else REFERENCE + 100 + away),
    )


if __name__ == "__main__":
    main()
