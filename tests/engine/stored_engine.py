"""An engine of journal, event log and sequencer alone, for tests that stop, crash and start it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from exchange.domain.commands import CancelOrder, Command, CreateParticipant, StartEngine
from exchange.domain.events import Event
from exchange.domain.units import OrderId, ParticipantId
from exchange.engine.engine_folder import EngineFolder
from exchange.engine.recovery import Recovered, Storage, recover
from exchange.engine.replay import VenueKind, snapshot_of
from exchange.engine.sequencer import Limits, Sequencer
from exchange.infra.clock import Clock, SystemClock
from exchange.infra.snapshot import write_snapshot
from exchange.matching.venue import RULES_VERSION
from exchange.wire.records import decode_events, encode_command

KIB = 1024
SMALL = Storage(segment_bytes=64 * KIB, event_file_bytes=64 * KIB)
NO_SEAL = Limits(seal_after_s=60)


def cancel(order_id: int = 1) -> Command:
    """A command that needs no preparation and has one event: this order does not exist."""
    return CancelOrder(order_id=OrderId(order_id), participant_id=ParticipantId(0))


def participant(name: str) -> Command:
    return CreateParticipant(name=name)


class StoredEngine:
    """`await StoredEngine.start(folder)`; then `submit`, and `stop` or `crash`."""

    def __init__(self, folder: Path, recovered: Recovered, sequencer: Sequencer) -> None:
        self.folder = EngineFolder(folder)
        self.recovered = recovered
        self.sequencer = sequencer

    @classmethod
    async def start(
        cls,
        folder: Path,
        clock: Clock | None = None,
        *,
        limits: Limits = NO_SEAL,
        storage: Storage = SMALL,
        kind: VenueKind | None = None,
        partition: int = 0,
    ) -> StoredEngine:
        recovered = recover(folder, partition, kind=kind, storage=storage)
        sequencer = Sequencer(
            recovered.venue,
            recovered.journal,
            recovered.event_log,
            clock or SystemClock(),
            epoch=recovered.epoch,
            limits=limits,
        )
        await sequencer.start()
        engine = cls(folder, recovered, sequencer)
        await engine.submit(StartEngine(epoch=recovered.epoch))
        return engine

    async def submit(self, *commands: Command) -> list[Event]:
        run = b"".join(encode_command(command) for command in commands)
        return decode_events(await self.sequencer.submit(run, len(commands)))

    async def fill(self, batches: int, commands: int = 1) -> None:
        """Submit so many batches of so many commands."""
        for _ in range(batches):
            await self.submit(*[cancel()] * commands)

    async def stop(self, *, snapshot: bool = False) -> None:
        assert await self.sequencer.stop()
        if snapshot:
            write_snapshot(self.folder.snapshots, snapshot_of(self.recovered.venue, RULES_VERSION))
        self.recovered.close()

    async def crash(self) -> None:
        """End as a killed process does: no seal, no close record, nothing that waits is told."""
        self.sequencer.halt("the test kills the engine")
        await self.sequencer.stop()
        self.recovered.close()

    @property
    def history(self) -> tuple[int, int, int]:
        venue = self.recovered.venue
        return venue.command_sequence, venue.event_sequence, venue.running_hash


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that a thread or another process brings about."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


async def at_once(engine: StoredEngine, count: int) -> list[list[Event]]:
    """Submit so many commands from as many tasks."""
    return list(await asyncio.gather(*(engine.submit(cancel(number + 1)) for number in range(count))))
