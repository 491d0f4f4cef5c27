"""What bad clients cost the others: how late frames come to well-behaved subscribers, without and with them.

`python -m benchmarks.bad_clients [--subscribers 100] [--per-s 100] [--seconds 10] [--connects 10000]`. A reporter in
this process, subscribers of one book in another one, as in `benchmarks.fan_out`. After so many seconds of quiet a third
process begins, and goes on as long: clients that subscribe and never read, bytes that are no HTTP, and within the
first second so many connections that say nothing. Latency is from the moment at which the event was due to that at
which a subscriber has the frame. The clients take part of the same processors, so on two cores some of what is
measured is theirs.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import multiprocessing
import random
import resource
import socket
import time
from multiprocessing.connection import Connection
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from benchmarks.fan_out import TIMED, UPGRADE, MemorySource, opening, order, subscribe
from benchmarks.run_info import describe, percentile
from exchange.domain import commands as c
from exchange.domain.units import OrderId, ParticipantId
from exchange.infra.config import load_config
from exchange.reporter.app import ReporterApp

SEED = 20261123
NEVER_READ = 20
GARBAGE_PER_S = 100
SOCKETS_SPARE = 500


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
    connected, began = _storm(address, connects, kept), time.monotonic()
    garbage = 0
    while time.monotonic() < ends:
        with socket.socket() as plug:
            if plug.connect_ex(address) == 0:
                plug.send(chance.randbytes(chance.randint(1, 2_000)))
                garbage += 1
        time.sleep(1 / GARBAGE_PER_S)
    pipe.send((connected, garbage, time.monotonic() - began))
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


async def run(arguments: argparse.Namespace, folder: str) -> None:
    """Run the reporter, first without bad clients and then with them; print both."""
    overrides: dict[str, object] = {"data": folder, "port_base": 0, "bus.kind": "none", "log_level": "error"}
    overrides["reporter.itch.enabled"] = False
    source = MemorySource()
    app = ReporterApp(load_config(None, {}, overrides), source=source)
    await app.start()
    source.do(*opening())
    context, loop = multiprocessing.get_context("spawn"), asyncio.get_running_loop()
    here, there = context.Pipe()
    good = context.Process(target=subscribe, args=(app.url, arguments.subscribers, there))
    good.start()
    assert await loop.run_in_executor(None, here.recv) == "ready"
    quiet = await drive(source, arguments.per_s, arguments.seconds, 0)
    bad_here, bad_there = context.Pipe()
    bad = context.Process(target=be_bad, args=(app.url, arguments.connects, arguments.seconds + 1, bad_there))
    bad.start()
    await asyncio.sleep(0.5)
    disturbed = await drive(source, arguments.per_s, arguments.seconds, len(quiet))
    while app.market.sequence < disturbed[-1]:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    connected, garbage, _ = await loop.run_in_executor(None, bad_here.recv)
    here.send("stop")
    frames, came = await loop.run_in_executor(None, here.recv)
    for process in (good, bad):
        await loop.run_in_executor(None, process.join)
    await app.stop()
    print(f"{'bad clients':22} {NEVER_READ} never read, {connected:,} connects, {garbage:,} times garbage")
    complete = sum(len(came.get(seq, ())) >= TIMED for seq in (*quiet, *disturbed))
    print(
        f"{'frames':22} {frames:,}; {complete:,} of {len(quiet) + len(disturbed):,} changes came to all {TIMED} timed"
    )
    tails = []
    # A heartbeat names the last sequence too, later than the frame.
    for what, changes in (("without them", quiet), ("with them", disturbed)):
        late = [at - source.given_at[seq] for seq in changes for at in came.get(seq, ())[:TIMED]]
        middle, tail = percentile(late, 0.5) * 1e3, percentile(late, 0.99) * 1e3
        tails.append(tail)
        print(f"{what:22} {middle:.2f} ms median, {tail:.2f} ms p99, {max(late) * 1e3:.1f} ms at most")
    print(f"{'p99 against p99':22} {tails[1] / tails[0]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subscribers", type=int, default=100)
    parser.add_argument("--per-s", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connects", type=int, default=10_000)
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
