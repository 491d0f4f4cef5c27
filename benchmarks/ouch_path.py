"""What each step of an OUCH order costs, without network and disk: decode, match, encode; natively and in Python.

`python -m benchmarks.ouch_path [--orders 200000] [--batch 500] [--runs 5]`. One session enters and cancels orders that
rest; a batch is what one read gives. Least CPU of the runs, per message of the client.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from benchmarks.run_info import describe
from exchange.domain import commands as c
from exchange.domain.participant import Role
from exchange.domain.units import ParticipantId, Price
from exchange.engine.replay import VenueKind, native_matcher, python_matcher
from exchange.wire import ouch_messages as m
from exchange.wire.ouch import encode
from exchange.wire.ouch_choice import translator_kind
from exchange.wire.ouch_translator import OuchTranslator
from exchange.wire.records import encode_command
from exchange.wire.soupbintcp import UNSEQUENCED, packet

TIME_NS = 1_795_435_200_000_000_000
SESSION = 1
OPENING: Sequence[c.Command] = (
    c.StartEngine(epoch=1),
    c.StartBusinessDay(date=20261123),
    c.AddSymbol(symbol="AAPL", name="Apple Inc.", reference_price=Price(1_892_000)),
    c.CreateParticipant(name="alice"),
    c.CreateAccount(participant_id=ParticipantId(1), name="main"),
    c.CreateKey(
        participant_id=ParticipantId(1), role=Role.TRADER, sha256=bytes(32), label="ouch:LOAD account=1"
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    for what, value in describe():
        print(f"{what:10} {value}")
    print(f"\n{'':8} {'decode µs':>10} {'match µs':>10} {'encode µs':>10} {'all µs':>10}")
    for kind, translator in ((native_matcher(), translator_kind()), (python_matcher(), OuchTranslator)):
        orders = arguments.orders if kind.name == "native" else arguments.orders // 20
        runs = [_run(kind, translator, orders, arguments.batch) for _ in range(arguments.runs)]
        least = [min(run[step] for run in runs) / (2 * orders) * 1e6 for step in range(3)]
        print(f"{kind.name:8} {least[0]:>10.3f} {least[1]:>10.3f} {least[2]:>10.3f} {sum(least):>10.3f}")


def _run(
    kind: VenueKind, translator_type: type[OuchTranslator], orders: int, batch: int
) -> tuple[float, ...]:
    """Return the seconds of CPU that decoding, matching and encoding took."""
    venue, translator = kind.new(0), translator_type()
    opening = b"".join(encode_command(command) for command in OPENING)
    translator.encode(venue.apply_batch([opening], TIME_NS).events)
    spent = [0.0, 0.0, 0.0]
    for first in range(1, orders + 1, batch):
        for read in (_enters(first, batch), _cancels(first, batch)):
            started = time.process_time()
            decoded = translator.decode(SESSION, read, 1_000_000)
            after_decode = time.process_time()
            applied = venue.apply_batch([decoded.commands], TIME_NS + first)
            after_match = time.process_time()
            translator.encode(applied.events)
            ended = time.process_time()
            assert decoded.command_count == batch
            for step, passed in enumerate(
                (after_decode - started, after_match - after_decode, ended - after_match)
            ):
                spent[step] += passed
    return tuple(spent)


def _enters(first: int, count: int) -> bytes:
    return b"".join(
        packet(
            UNSEQUENCED,
            encode(
                m.EnterOrder(
                    user_ref_num=number,
                    side="B",
                    quantity=100,
                    symbol="AAPL",
                    price=1_000_000 + number % 50 * 100,
                )
            ),
        )
        for number in range(first, first + count)
    )


def _cancels(first: int, count: int) -> bytes:
    return b"".join(
        packet(UNSEQUENCED, encode(m.CancelOrder(user_ref_num=number)))
        for number in range(first, first + count)
    )


if __name__ == "__main__":
    main()
