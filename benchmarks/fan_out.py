"""How many frames the stream sends on one core: so many subscribers of one book, so many changes of it a second.

`python -m benchmarks.fan_out [--subscribers 1000] [--per-s 100] [--seconds 10]`. The reporter runs in this process,
with a store and an engine's events out of memory; the subscribers are raw sockets in another one, which counts every
frame and takes the time of those of ten connections. Latency is from the moment at which the reporter is given the
event to that at which the subscribers' process has the frame. Frames per second of one core are those sent, by the CPU
time of the reporter's process. With `--per-s 0` nothing happens: then it says what so many idle connections cost, with
their heartbeats.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import re
import resource
import time
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from benchmarks.run_info import Watch, describe, percentile
from exchange.domain import commands as c
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.units import AccountId, OrderId, ParticipantId, Price, Quantity, SymbolId
from exchange.infra.config import load_config
from exchange.matching.venue import Venue
from exchange.reporter.app import ReporterApp
from exchange.wire.envelope import EventBatch
from exchange.wire.records import decode_events, encode_command

TIMED = 10
"""Connections whose frames are looked into."""
SOCKETS_SPARE = 100
PING = 0x89
PONG = bytes((0x8A, 0x80)) + bytes(4)
"""What answers a ping without payload, masked with zeroes."""
_SEQ = re.compile(rb'"seq":(\d+)')
UPGRADE = (
    "GET /api/v1/stream HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class MemorySource:
    """Events of a venue, given when they are asked for."""

    def __init__(self) -> None:
        self.venue = Venue()
        self.batches: list[EventBatch] = []
        self.given_at: dict[int, float] = {}
        self._came = asyncio.Event()

    def do(self, *commands: c.Command) -> int:
        """Carry commands out and publish their events; return the last sequence."""
        first = self.venue.command_sequence + 1
        records = b"".join(encode_command(each, first + at) for at, each in enumerate(commands))
        events = self.venue.apply(records, time.time_ns())
        found = decode_events(events)
        last = found[-1].sequence
        self.given_at[last] = time.monotonic()
        self.batches.append(EventBatch(0, 1, found[0].sequence, len(found), events))
        self._came.set()
        self._came = asyncio.Event()
        return last

    async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
        """Return the batch after a sequence."""
        while True:
            for batch in reversed(self.batches):
                if batch.first_sequence == after + 1:
                    return batch
            try:
                async with asyncio.timeout(wait_s):
                    await self._came.wait()
            except TimeoutError:
                return EventBatch(0, 1, after + 1, 0, b"")


class Subscriber(asyncio.Protocol):
    """One raw connection: after the handshake it counts frames, and where it is timed notes when each came."""

    def __init__(self, host: str, is_timed: bool, came: dict[int, list[float]]) -> None:
        self.frames = 0
        self.ready = asyncio.get_running_loop().create_future()
        self._host, self._is_timed, self._came = host, is_timed, came
        self._rest = b""
        self._upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the WebSocket, and subscribe."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        operation = b'{"op":"subscribe","channel":"book","symbols":["AAPL"]}'
        frame = bytes((0x81, 0x80 | len(operation))) + bytes(4) + operation
        transport.write(UPGRADE.format(host=self._host).encode() + frame)

    def data_received(self, data: bytes) -> None:
        """Count frames."""
        now = time.monotonic()
        data = self._rest + data
        at = 0
        if not self._upgraded:
            at = data.find(b"\r\n\r\n") + 4
            if at < 4:
                self._rest = data
                return
            self._upgraded = True
        end = len(data)
        while end - at >= 4:
            size, head = data[at + 1], 2
            if size == 126:
                size, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
            if at + head + size > end:
                break
            if data[at] == PING:
                self._transport.write(PONG)
            else:
                self._frame(data, at + head, at + head + size, now)
            at += head + size
        self._rest = data[at:]

    def _frame(self, data: bytes, start: int, end: int, now: float) -> None:
        self.frames += 1
        if self.frames == 3 and not self.ready.done():
            self.ready.set_result(None)
        if self._is_timed and (found := _SEQ.search(data, start, end)):
            self._came.setdefault(int(found[1]), []).append(now)


def subscribe(url: str, count: int, pipe: Connection) -> None:
    """Run the subscribers until told to stop; report frames and times."""
    asyncio.run(_subscribe(url, count, pipe))


async def _subscribe(url: str, count: int, pipe: Connection) -> None:
    parts = urlsplit(url)
    loop, came = asyncio.get_running_loop(), dict[int, list[float]]()
    members: list[Subscriber] = []
    for number in range(count):
        _, member = await loop.create_connection(
            lambda number=number: Subscriber(parts.netloc, number < TIMED, came), parts.hostname, parts.port
        )
        members.append(member)
    await asyncio.gather(*[member.ready for member in members])
    before = sum(member.frames for member in members)
    pipe.send("ready")
    await loop.run_in_executor(None, pipe.recv)
    await asyncio.sleep(1)
    pipe.send((sum(member.frames for member in members) - before, came))


def opening() -> list[c.Command]:
    """Return the commands that open a market in one symbol."""
    return [
        c.StartEngine(epoch=1),
        c.AddSymbol(symbol="AAPL", name="Apple", reference_price=Price(1_892_000)),
        c.CreateParticipant(name="alice"),
        c.CreateAccount(participant_id=ParticipantId(1), name="main"),
    ]


def order(number: int) -> c.EnterOrder:
    """Return an order that rests at one of twenty prices."""
    return c.EnterOrder(
        account_id=AccountId(1), symbol_id=SymbolId(1), side=Side.BUY, order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY, quantity=Quantity(100), price=Price(1_800_000 + number % 20 * 100),
    )  # fmt: skip


async def run(arguments: argparse.Namespace, folder: str) -> None:
    """Run the reporter, drive it, and print what came of it."""
    overrides = {"data": folder, "port_base": 0, "bus.kind": "none", "log_level": "error"}
    overrides |= {
        "reporter.websocket_connections_max": arguments.subscribers + TIMED,
        "reporter.itch.enabled": False,
    }
    source = MemorySource()
    app = ReporterApp(load_config(None, {}, overrides), source=source)
    await app.start()
    source.do(*opening())
    empty_bytes = resident_bytes()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=subscribe, args=(app.url, arguments.subscribers, there))
    process.start()
    loop = asyncio.get_running_loop()
    assert await loop.run_in_executor(None, here.recv) == "ready"
    watch, started = Watch(), loop.time()
    changes = round(arguments.per_s * arguments.seconds)
    if not changes:
        await asyncio.sleep(arguments.seconds)
    for number in range(changes):
        await asyncio.sleep(max(0.0, started + number / arguments.per_s - loop.time()))
        if number % 40 < 20:
            source.do(order(number))
        else:
            source.do(
                c.CancelOrder(
                    participant_id=ParticipantId(1), order_id=OrderId(source.venue.command_sequence - 19)
                )
            )
    while app.market.sequence < source.batches[-1].last_sequence:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    watch.stop()
    held_bytes = resident_bytes()
    here.send("stop")
    frames, came = await loop.run_in_executor(None, here.recv)
    await loop.run_in_executor(None, process.join)
    await app.stop()
    _report_memory(arguments.subscribers, empty_bytes, held_bytes, watch)
    if not changes:
        return
    late = [
        at - source.given_at[seq] for seq, times in came.items() if seq in source.given_at for at in times
    ]
    _report(arguments, watch, changes, frames, late)


def resident_bytes() -> int:
    """Return how much memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _report_memory(subscribers: int, empty: int, held: int, watch: Watch) -> None:
    each = (held - empty) / subscribers / 1024
    print(
        f"{'memory':22} {held / 2**20:,.0f} MiB with {subscribers:,} connections, {each:.1f} KiB for each more; "
        f"{watch.cpu_s / watch.wall_s:.0%} of a core"
    )


def _report(
    arguments: argparse.Namespace, watch: Watch, changes: int, frames: int, late: list[float]
) -> None:
    print(
        f"{'offered':22} {changes:,} changes to {arguments.subscribers:,} subscribers in {watch.wall_s:.1f} s"
    )
    print(f"{'frames counted':22} {frames:,}, {frames / watch.wall_s:,.0f} a second")
    print(
        f"{'one core':22} {frames / watch.cpu_s:,.0f} frames/s ({watch.cpu_s / frames * 1e6:.2f} µs of CPU each)"
    )
    middle, tail = percentile(late, 0.5) * 1e3, percentile(late, 0.99) * 1e3
    print(f"{'latency':22} {middle:.1f} ms median, {tail:.1f} ms p99 of {len(late):,} frames")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subscribers", type=int, default=1_000)
    parser.add_argument("--per-s", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=10)
    arguments = parser.parse_args()
    needed = 2 * arguments.subscribers + SOCKETS_SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, needed)), hard))
    for what, value in describe():
        print(f"{what:10} {value}")
    print(f"{'process':10} {os.getpid()}\n")
    import uvloop

    with TemporaryDirectory() as folder:
        uvloop.run(run(arguments, folder))


if __name__ == "__main__":
    main()
