"""How fast a start replays the journal: commands per second, with the event log written again and without.

`python -m benchmarks.replay [--commands 200000] [--runs 3] [--matcher python]`. The journal holds seeded
orders, cancels and trades; the start has no snapshot to help it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.run_info import describe
from exchange.domain.commands import (
    AddSymbol,
    CancelOrder,
    Command,
    CreateAccount,
    CreateParticipant,
    EnterOrder,
)
from exchange.domain.commands import StartEngine as Start
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.units import AccountId, OrderId, ParticipantId, Price, Quantity, SymbolId
from exchange.engine.recovery import Storage, recover
from exchange.engine.replay import VenueKind, choose_matcher
from exchange.engine.sequencer import Sequencer
from exchange.infra.clock import SystemClock
from exchange.wire.records import encode_command

SEED = 20261123
PER_SUBMISSION = 256


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--commands", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--matcher", default="python", choices=("python", "native"))
    arguments = parser.parse_args()
    for what, value in describe():
        print(f"{what:10} {value}")
    kind = choose_matcher(arguments.matcher)
    print(f"{'matcher':10} {kind.name}")
    print(f"{'seed':10} {SEED}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "engine"
        asyncio.run(_write(folder, arguments.commands))
        for what, without_log in (("event log there", False), ("event log made again", True)):
            rates = [_replay(folder, kind, without_log) for _ in range(arguments.runs)]
            print(f"{what:22} {median(rates):>10,.0f} commands/s (median of {arguments.runs})")


async def _write(folder: Path, count: int) -> None:
    recovered = recover(folder, storage=Storage(durability="buffered"))
    sequencer = Sequencer(
        recovered.venue, recovered.journal, recovered.event_log, SystemClock(), epoch=recovered.epoch
    )
    await sequencer.start()
    await sequencer.submit(encode_command(Start(epoch=recovered.epoch)), 1)
    commands = _commands(count, sequencer.venue.command_sequence)
    for at in range(0, len(commands), PER_SUBMISSION):
        part = commands[at : at + PER_SUBMISSION]
        await sequencer.submit(b"".join(map(encode_command, part)), len(part))
    await sequencer.stop()
    recovered.close()


def _commands(count: int, sequence: int) -> list[Command]:
    """Make 55 % orders around one price, which often trade, and 45 % cancels of one of the last 200 orders."""
    chance = random.Random(SEED)
    commands: list[Command] = [
        AddSymbol(symbol="AAPL", name="Apple Inc.", reference_price=Price(1_892_000)),
        CreateParticipant(name="alice"),
        CreateAccount(participant_id=ParticipantId(1), name="main"),
    ]
    entered: list[int] = []
    while len(commands) < count:
        if entered and chance.random() < 0.45:
            order_id = OrderId(entered.pop(chance.randrange(max(0, len(entered) - 200), len(entered))))
            commands.append(CancelOrder(order_id=order_id, participant_id=ParticipantId(1)))
            continue
        entered.append(sequence + len(commands) + 1)
        commands.append(
            EnterOrder(
                account_id=AccountId(1),
                symbol_id=SymbolId(1),
                side=chance.choice((Side.BUY, Side.SELL)),
                order_type=OrderType.LIMIT,
                time_in_force=TimeInForce.DAY,
                quantity=Quantity(100 * chance.randint(1, 10)),
                price=Price(1_892_000 + 100 * chance.randint(-30, 30)),
            )
        )
    return commands


def _replay(folder: Path, kind: VenueKind, without_log: bool) -> float:
    if without_log:
        shutil.rmtree(folder / "events")
    recovered = recover(folder, kind=kind)
    recovered.close()
    return recovered.report.commands / recovered.report.elapsed_ms * 1000


if __name__ == "__main__":
    main()
