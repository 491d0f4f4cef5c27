"""The random commands that compare two matchers reach every command, every event, and all reasons but a few."""

from __future__ import annotations

from collections import Counter

from exchange.domain.reasons import Reason
from exchange.matching.venue import Venue
from exchange.matching.venue_state import LIMITS, VenueLimits
from exchange.wire.records import BY_NUMBER, split
from tests.matching.desk import numbered_record
from tests.matching.random_commands import RandomCommands

COMMANDS_PER_SEED = 20_000
SMALL = VenueLimits(
    symbols=4, participants=5, accounts=6, keys=3, client_order_ids=12, rulings=40, risk_limits=4
)
UNREACHED_MAX = 4
"""Reasons that these few seeds may miss; the campaign of 10 million commands may miss none."""
TYPE_OFFSET = 4


def test_few_seeds_reach_every_command_and_event_and_nearly_every_reason() -> None:
    commands, events, reasons = Counter[int](), Counter[int](), Counter[int]()
    for drawn, limits in (
        (RandomCommands(1), LIMITS), (RandomCommands(2, risk=True), LIMITS),
        (RandomCommands(3, auctions=True), LIMITS), (RandomCommands(4), SMALL),
        (RandomCommands(5, price_limits=True), LIMITS),
    ):  # fmt: skip
        venue, records = Venue(limits=limits), drawn.opening()
        while venue.command_sequence < COMMANDS_PER_SEED:
            first = venue.command_sequence + 1
            numbered = b"".join(numbered_record(each, first + at) for at, each in enumerate(records))
            out = venue.apply(numbered, drawn.advance())
            drawn.note(out)
            commands.update(each[TYPE_OFFSET] for each in records)
            events.update(out[at + TYPE_OFFSET] for at, _ in split(out))
            records = drawn.batch(drawn.random.choice((1, 7, 60, 200)))
        reasons += venue.counters.rejects
    names = {number: layout.value_type.__name__ for number, layout in BY_NUMBER.items()}
    seen = commands + events
    assert [names[number] for number in names if not seen[number]] == []
    missing = [reason.name for reason in Reason if reason and not reasons[reason]]
    assert len(missing) <= UNREACHED_MAX, missing
