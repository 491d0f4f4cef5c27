"""What bad clients cost the others: how late frames come to well-behaved subscribers, without and with them.

`python -m benchmarks.bad_clients [--subscribers 100] [--per-s 100] [--seconds 10] [--connects 10000] [--rounds 3]`.
A reporter in this process, launched as `exchange reporter` is; subscribers of one book in another one, as in
`benchmarks.fan_out`. In each round, after so many seconds of quiet, a third process begins, and goes on as long:
clients that subscribe and never read, bytes that are no HTTP, and within the first second so many connections that say
nothing; then it waits until each of these was answered. Latency is from the moment at which the event was due to that
at which a subscriber has the frame. The clients take part of the same processors, so on two cores some of what is
measured is theirs; one p99 of a few seconds is noise, so the ratio is the median of the rounds. The longest turn is the
reporter's alone: the most processor time between two turns of a task that asks for one every millisecond.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import multiprocessing
import os
import random
import resource
import selectors
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from multiprocessing.connection import Connection
from statistics import median
from tempfile import TemporaryDirectory
from typing import cast
from urllib.parse import urlsplit

from benchmarks.fan_out import TIMED, UPGRADE, MemorySource, opening, order, subscribe
from benchmarks.run_info import describe, percentile
from exchange.domain import commands as c
from exchange.domain.units import OrderId, ParticipantId
from exchange.infra.config import load_config
from exchange.launch import life
from exchange.reporter.app import ReporterApp

SEED = 20261123
NEVER_READ = 20
GARBAGE_PER_S = 100
SOCKETS_SPARE = 500
ANSWERED_S = 60
"""How long the last of the silent connections may wait for its answer."""


def be_bad(url: str, connects: int, seconds: float, pipe: Connection) -> None:
    """Misbehave for so long; report what was connected."""
    parts = urlsplit(url)
    address = parts.hostname, parts.port
    chance, kept, ends = random.Random(SEED), list[socket.socket](), time.monotonic() + seconds
    operation = b'{"op":"subscribe","channel":"book","symbols":["AAPL"]}'
    frame = bytes((0x81, 0x80 | len(operation))) + bytes(4) + operation
    for _ in range(NEVER_READ):
        plug = socket.create_connection(address)
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        plug.sendall(UPGRADE.format(host=parts.netloc).encode() + frame)
        kept.append(plug)
    began, silent = time.monotonic(), list[socket.socket]()
    connected = _storm(address, connects, silent)
    garbage = 0
    while time.monotonic() < ends:
        with socket.socket() as plug:
            if plug.connect_ex(address) == 0:
                plug.send(chance.randbytes(chance.randint(1, 2_000)))
                garbage += 1
        time.sleep(1 / GARBAGE_PER_S)
    pipe.send((connected, garbage))
    answered, last_at = _until_answered(silent)
    pipe.send((answered, last_at - began))
    for plug in kept:
        plug.close()


def _storm(address: object, connects: int, kept: list[socket.socket]) -> int:
    """Open so many connections within a second; return how many."""
    began, opened = time.monotonic(), 0
    for number in range(connects):
        plug = socket.socket()
        plug.setblocking(False)
        if plug.connect_ex(address) in (0, errno.EINPROGRESS):  # type: ignore[arg-type]
            opened += 1
        kept.append(plug)
        if number % 100 == 99:
            time.sleep(max(0.0, began + number / connects - time.monotonic()))
    return opened


def _until_answered(silent: list[socket.socket]) -> tuple[int, float]:
    """Wait until each of the connections was answered and closed; return how many were, and when the last one."""
    answered, last_at, ends = 0, time.monotonic(), time.monotonic() + ANSWERED_S
    with selectors.DefaultSelector() as selector:
        for plug in silent:
            selector.register(plug, selectors.EVENT_READ)
        while selector.get_map() and time.monotonic() < ends:
            for key, _ in selector.select(1):
                plug = cast(socket.socket, key.fileobj)
                selector.unregister(plug)
                with suppress(OSError):
                    answered += plug.recv(4_096).startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 503 "))
                    last_at = time.monotonic()
                plug.close()
    return answered, last_at


async def watch(longest: list[float]) -> None:
    """Add the longest CPU time between two turns of this task."""
    longest.append(0.0)
    before = time.process_time()
    while True:
        await asyncio.sleep(0.001)
        now = time.process_time()
        longest[-1], before = max(longest[-1], now - before), now


async def drive(source: MemorySource, per_s: float, seconds: float, first: int) -> list[int]:
    """Change the book so often; return the sequences of the changes."""
    changed, started = list[int](), time.monotonic()
    for number in range(round(per_s * seconds)):
        due = started + number / per_s
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if (first + number) % 40 < 20:
            changed.append(source.do(order(number)))
        else:
            cancelled = OrderId(source.venue.command_sequence - 19)
            changed.append(source.do(c.CancelOrder(participant_id=ParticipantId(1), order_id=cancelled)))
        source.given_at[changed[-1]] = due
    return changed


class Stand:
    """A reporter that runs as it is launched, well-behaved subscribers, and what was seen of both."""

    def __init__(self, arguments: argparse.Namespace, app: ReporterApp, source: MemorySource) -> None:
        self.arguments, self.app, self.source = arguments, app, source
        self.changes = list[tuple[list[int], list[int]]]()
        """By round: those without and those with bad clients."""
        self.longest = list[float]()
        self.said = list[str]()
        self.frames, self.came = 0, dict[int, list[float]]()

    async def measure(self) -> None:
        """Do all rounds, each with subscribers of its own."""
        self.source.do(*opening())
        context, arguments = multiprocessing.get_context("spawn"), self.arguments
        for _ in range(arguments.rounds):
            here, there = multiprocessing.Pipe()
            good = context.Process(target=subscribe, args=(self.app.url, arguments.subscribers, there))
            good.start()
            assert await asyncio.to_thread(here.recv) == "ready"
            await self._round()
            here.send("stop")
            frames, came = await asyncio.to_thread(here.recv)
            await asyncio.to_thread(good.join)
            self.frames += frames
            # The snapshot that the next subscribers begin with has the last sequence of this round.
            self.came = came | self.came

    async def _round(self) -> None:
        arguments, source = self.arguments, self.source
        first = sum(len(each) for both in self.changes for each in both)
        async with watched(self.longest):
            quiet = await drive(source, arguments.per_s, arguments.seconds, first)
        here, there = multiprocessing.Pipe()
        given = self.app.url, arguments.connects, arguments.seconds + 1, there
        bad = multiprocessing.get_context("spawn").Process(target=be_bad, args=given)
        bad.start()
        async with watched(self.longest):
            await asyncio.sleep(0.5)
            disturbed = await drive(source, arguments.per_s, arguments.seconds, first + len(quiet))
            while self.app.market.sequence < disturbed[-1]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        connected, garbage = await asyncio.to_thread(here.recv)
        answered, within_s = await asyncio.to_thread(here.recv)
        await asyncio.to_thread(bad.join)
        self.changes.append((quiet, disturbed))
        self.said.append(
            f"{connected:,} connects, {garbage:,} times garbage; {answered:,} silent ones answered with a reason, "
            f"the last after {within_s:.1f} s"
        )

    def report(self) -> None:
        """Print what was seen."""
        for said in self.said:
            print(f"{'bad clients':22} {NEVER_READ} never read, {said}")
        changes = [seq for both in self.changes for each in both for seq in each]
        complete = sum(len(self.came.get(seq, ())) >= TIMED for seq in changes)
        print(
            f"{'frames':22} {self.frames:,}; {complete:,} of {len(changes):,} changes came to all {TIMED} timed"
        )
        ratios = [self._report_round(number) for number in range(len(self.changes))]
        print(f"{'p99 against p99':22} {median(ratios):.2f}, the median of {len(ratios)}")

    def _report_round(self, number: int) -> float:
        tails = []
        for at, what in enumerate(("without them", "with them")):
            # A heartbeat names the last sequence too, later than the frame.
            changes, given_at = self.changes[number][at], self.source.given_at
            late = [came - given_at[seq] for seq in changes for came in self.came.get(seq, ())[:TIMED]]
            if not late:
                raise SystemExit(f"round {number + 1} {what}: of {len(changes)} changes none came")
            tails.append(percentile(late, 0.99) * 1e3)
            print(
                f"{f'{number + 1} {what}':22} {percentile(late, 0.5) * 1e3:.2f} ms median, {tails[-1]:.2f} ms p99, "
                f"{max(late) * 1e3:.1f} ms at most; longest turn {self.longest[2 * number + at] * 1e3:.1f} ms of CPU"
            )
        return tails[1] / tails[0]


@asynccontextmanager
async def watched(longest: list[float]) -> AsyncIterator[None]:
    """Add the longest turn within it."""
    watching = asyncio.create_task(watch(longest))
    try:
        yield
    finally:
        watching.cancel()


async def run(arguments: argparse.Namespace, folder: str) -> None:
    """Run the reporter as `exchange reporter` does, to the signal that ends it; measure, and print."""
    overrides: dict[str, object] = {"data": folder, "port_base": 0, "bus.kind": "none", "log_level": "error"}
    overrides["reporter.itch.enabled"] = False
    config, source = load_config(None, {}, overrides), MemorySource()
    app = ReporterApp(config, source=source)
    stand, running = Stand(arguments, app, source), list[asyncio.Task[None]]()

    async def begin(stack: AsyncExitStack) -> None:
        await life.start("reporter", app, config.reporter_address(), stack)
        running.append(asyncio.create_task(stand.measure()))
        running[0].add_done_callback(lambda _: os.kill(os.getpid(), signal.SIGTERM))

    await life.run_until_signal(begin)
    await running[0]
    stand.report()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subscribers", type=int, default=100)
    parser.add_argument("--per-s", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connects", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    needed = arguments.connects + 2 * arguments.subscribers + SOCKETS_SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, needed)), hard))
    for what, value in describe():
        print(f"{what:10} {value}")
    print()
    import uvloop

    with TemporaryDirectory() as folder:
        uvloop.run(run(arguments, folder))


if __name__ == "__main__":
    main()
