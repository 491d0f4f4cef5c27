"""Drives the definition and the native venue with the same random commands and finds the first difference.

`tests/matching/test_native.py` does so for seconds, `tests/integration/campaign.py` for hours. What is drawn stands
in `tests/matching/random_commands.py` alone: a command, order type or flag that is added there joins both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from exchange.domain import commands as c
from exchange.matching.native import NativeVenue
from exchange.matching.venue import Venue
from exchange.matching.venue_state import VenueLimits
from exchange.wire.records import decode_events, decode_unchecked, encode_command, split
from tests.matching.desk import numbered_record
from tests.matching.random_commands import RandomCommands

TICK = encode_command(c.Tick())
SMALL_LIMITS = VenueLimits(
    symbols=4, participants=5, accounts=6, keys=3, client_order_ids=12, rulings=40, risk_limits=4
)  # fmt: skip
BATCH_SIZES = (1, 7, 60, 200)
TYPE_OFFSET = 4
Timed = tuple[bytes, int]
"""A command record without its sequence, and its time."""


class Comparison:
    """Both venues after the same commands from one seed."""

    def __init__(
        self,
        seed: int,
        limits: VenueLimits,
        *,
        auctions: bool = False,
        risk: bool = False,
        price_limits: bool = False,
    ) -> None:
        self.limits = limits
        self.drawn = RandomCommands(seed, auctions=auctions, risk=risk, price_limits=price_limits)
        self.definition, self.fast = Venue(limits=limits), NativeVenue(limits=limits)
        self.told: list[Timed] = []
        self.events: Counter[int] = Counter()
        """How many events of each record type there were."""
        self.commands: Counter[int] = Counter()
        """How many commands of each record type there were, those that cannot be read among them."""
        self._reasons: Counter[int] = Counter()

    def step(self) -> bool:
        """Carry out the next batch on both; tell whether events and hash are the same."""
        next_sequence, time_ns = len(self.told) + 1, self.drawn.advance()
        size = self.drawn.random.choice(BATCH_SIZES)
        records = self.drawn.batch(size) if self.told else self.drawn.opening()
        self.told += [(record, time_ns) for record in records]
        self.commands.update(record[TYPE_OFFSET] for record in records)
        numbered = b"".join(numbered_record(r, next_sequence + n) for n, r in enumerate(records))
        events = self.definition.apply(numbered, time_ns)
        same = self.fast.apply(numbered, time_ns) == events
        self.drawn.note(events)
        self.events.update(events[at + TYPE_OFFSET] for at, _ in split(events))
        return same and self.fast.running_hash == self.definition.running_hash

    @property
    def reasons(self) -> Counter[int]:
        """Return how often each reason was given."""
        return self._reasons + self.definition.counters.rejects

    def has_same_snapshot(self) -> bool:
        """Tell whether both write the same snapshot."""
        return self.fast.snapshot() == self.definition.snapshot()

    def cross(self) -> None:
        """Restore each from the other's snapshot; only with the usual limits, which a restored venue has."""
        self._reasons = self.reasons
        restored = Venue.restore(self.fast.snapshot()), NativeVenue.restore(self.definition.snapshot())
        self.definition, self.fast = restored

    def shrunk(self) -> str:
        """Return the shortest list of commands found that still shows a difference, readable."""
        return shrunk(self.told, self.limits)


def first_difference(commands: Sequence[Timed], limits: VenueLimits) -> str:
    """Carry commands out on both, each alone; say where they first differ, empty where nowhere."""
    definition, fast = Venue(limits=limits), NativeVenue(limits=limits)
    for sequence, (record, time_ns) in enumerate(commands, 1):
        numbered = numbered_record(record, sequence)
        expected, got = definition.apply(numbered, time_ns), fast.apply(numbered, time_ns)
        if expected != got or definition.snapshot() != fast.snapshot():
            return (
                f"command {sequence}: {decode_events(expected)}\nbecame native: {shown(decode_events, got)}"
            )
    return ""


def shown(decode: Callable[[bytes], object], data: bytes) -> str:
    """Decode bytes, or show them where that fails."""
    try:
        return str(decode(data))
    except ValueError as error:
        return f"{data.hex()} ({error})"


def shrunk(commands: list[Timed], limits: VenueLimits) -> str:
    """Leave out what the first difference does not need; return what is left, readable.

    What is left out becomes a Tick, so that the ids of orders stay.
    """
    said = first_difference(commands, limits)
    commands = commands[: int(said.split()[1].rstrip(":"))] if said else commands
    step = max(len(commands) // 2, 1)
    while True:
        for start in range(0, len(commands) - 1, step):
            tried = [
                (TICK if start <= at < start + step else record, time)
                for at, (record, time) in enumerate(commands)
            ]
            if tried != commands and first_difference(tried, limits):
                commands = tried
        if step == 1:
            break
        step //= 2
    left = [
        f"{n} at {time}: {record.hex()} {shown(decode_unchecked, record)}"
        for n, (record, time) in enumerate(commands, 1)
        if record != TICK
    ]
    return "\n".join([*left, first_difference(commands, limits)])
