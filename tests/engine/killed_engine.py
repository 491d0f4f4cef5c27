"""A process for the kill test: creates participants from many tasks and prints what was answered."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from exchange.domain.commands import CreateParticipant, StartEngine
from exchange.domain.events import ParticipantCreated
from exchange.engine.recovery import Storage, recover
from exchange.engine.sequencer import Sequencer
from exchange.infra.clock import SystemClock
from exchange.wire.records import decode_events, encode_command


async def main(folder: Path, round_number: str) -> None:
    recovered = recover(folder, storage=Storage(segment_bytes=1 << 18, event_file_bytes=1 << 16))
    sequencer = Sequencer(
        recovered.venue, recovered.journal, recovered.event_log, SystemClock(), epoch=recovered.epoch
    )
    await sequencer.start()
    await sequencer.submit(encode_command(StartEngine(epoch=recovered.epoch)), 1)
    print("started", flush=True)

    async def create(task: int) -> None:
        for number in range(1_000_000):
            command = encode_command(CreateParticipant(name=f"r{round_number}t{task}n{number}"))
            (event,) = decode_events(await sequencer.submit(command, 1))
            if isinstance(event, ParticipantCreated):
                print(event.sequence, event.name, flush=True)

    await asyncio.gather(*(create(task) for task in range(16)))


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
