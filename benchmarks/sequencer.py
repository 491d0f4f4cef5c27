"""What numbering, storing and releasing cost beside the matching: durable submissions per second of the sequencer.

`python -m benchmarks.sequencer [--seconds 2] [--tasks 64]`. Closed loop: each task submits its next commands when the
last were answered. Once with a venue that does nothing, which leaves the sequencer, the journal with its fdatasync and
the event log; once with the reference matcher and a command that finds no order. CPU is that of all threads.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.run_info import describe, fdatasync_us
from exchange.domain.commands import CancelOrder, StartEngine
from exchange.domain.events import OrdersCancelled
from exchange.domain.units import CommandSequence, EventSequence, OrderId, ParticipantId, TimeNs
from exchange.engine.recovery import Storage, recover
from exchange.engine.replay import ReplayableVenue, VenueKind, python_matcher
from exchange.engine.sequencer import Sequencer
from exchange.infra.clock import SystemClock
from exchange.matching.batch import AppliedBatch, apply_batch
from exchange.wire.records import encode_command, encode_event

COMMAND = encode_command(CancelOrder(order_id=OrderId(1), participant_id=ParticipantId(1)))
EVENT = encode_event(
    OrdersCancelled(
        sequence=EventSequence(1),
        command_sequence=CommandSequence(1),
        time_ns=TimeNs(0),
        epoch=1,
        participant_id=ParticipantId(1),
        count=0,
    )
)


class NoVenue:
    """Answers every command with the same event."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.epoch = 0
        self.time_ns = 0
        self.command_sequence = 0
        self.event_sequence = 0
        self.running_hash = 0
        self.next_deadline = 0

    def apply(self, commands: bytes, time_ns: int) -> bytes:
        count = max(1, len(commands) // len(COMMAND))
        self.command_sequence += count
        self.event_sequence += count
        return EVENT * count

    def apply_batch(self, submissions: Sequence[bytes], time_ns: int) -> AppliedBatch:
        return apply_batch(self, submissions, time_ns)

    def snapshot(self) -> bytes:
        return b""

    def digest(self) -> str:
        return ""


def no_venue(_: bytes) -> ReplayableVenue:
    return NoVenue(0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--tasks", type=int, default=64)
    arguments = parser.parse_args()
    for what, value in describe():
        print(f"{what:10} {value}")
    kinds = (VenueKind("nothing", 1, NoVenue, no_venue), python_matcher())
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'fdatasync':10} {fdatasync_us(Path(folder)):.0f} µs (median of 4 KiB writes)\n")
        print(
            f"{'matcher':8} {'tasks':>5} {'commands':>8} {'submissions/s':>14} {'commands/s':>11}"
            f" {'µs each':>8} {'µs CPU':>7} {'batch':>6} {'write p50 µs':>13} {'p99':>7}"
        )
        for kind in kinds:
            for tasks, commands in ((1, 1), (arguments.tasks, 1), (arguments.tasks, 100)):
                name = Path(folder) / f"{kind.name}-{tasks}-{commands}"
                asyncio.run(_measure(name, kind, tasks, commands, arguments.seconds))


async def _measure(folder: Path, kind: VenueKind, tasks: int, commands: int, seconds: float) -> None:
    recovered = recover(folder, kind=kind, storage=Storage())
    sequencer = Sequencer(
        recovered.venue, recovered.journal, recovered.event_log, SystemClock(), epoch=recovered.epoch
    )
    await sequencer.start()
    await sequencer.submit(encode_command(StartEngine(epoch=recovered.epoch)), 1)
    run = COMMAND * commands
    done = 0
    end = time.perf_counter() + seconds

    async def submit() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await sequencer.submit(run, commands)
            done += 1

    cpu = time.process_time()
    started = time.perf_counter()
    await asyncio.gather(*(submit() for _ in range(tasks)))
    elapsed = time.perf_counter() - started
    cpu = time.process_time() - cpu
    stats = sequencer.stats
    await sequencer.stop()
    recovered.close()
    print(
        f"{kind.name:8} {tasks:5} {commands:8} {done / elapsed:14,.0f} {done * commands / elapsed:11,.0f}"
        f" {elapsed / done * 1e6:8.1f} {cpu / done * 1e6:7.1f} {stats.commands / stats.batches:6.0f}"
        f" {stats.write_p50_ns / 1000:13.0f} {stats.write_p99_ns / 1000:7.0f}"
    )


if __name__ == "__main__":
    main()
