"""A rehearsal answers as the venue would, and leaves everything as it was."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.reasons import Reason
from exchange.domain.symbol import SymbolState, TickRow
from exchange.matching.configuration import Configuring
from exchange.matching.rehearsal import rehearse
from tests.matching.desk import Desk

COMMANDS: list[Configuring] = [
    c.ConfigureSymbol(configuration_version=2, symbol="XYZ", ticks=(TickRow(0, 500),), reference_price=100_500),
    c.ConfigureSymbol(configuration_version=2, symbol="XYZ", reference_price=100_001),
    c.ConfigureSymbol(
        configuration_version=2, symbol="ABC", name="Abc", reference_price=100, round_lot=1,
        state=SymbolState.ACTIVE, ticks=(TickRow(0, 1),),
    ),
    c.ConfigureRule(configuration_version=2, number=2, count=2, rules_version=1, text="{}"),
    c.ConfigureRule(configuration_version=2, number=1, count=1, rules_version=1, text="{}"),
    c.ConfirmConfiguration(configuration_version=2, key_id=1, approver_key_id=0, sha256=bytes(32), note=""),
    c.ConfigureSymbol(configuration_version=2, symbol="XYZ", round_lot=2),
]  # fmt: skip


def told(event: e.Event) -> tuple[str, Reason | None]:
    return type(event).__name__, event.reason if isinstance(event, e.CommandRejected) else None


def test_a_rehearsal_says_what_the_venue_says_afterwards_and_changes_nothing() -> None:
    desk = Desk()
    desk.send(
        c.ConfirmConfiguration(
            configuration_version=1, key_id=1, approver_key_id=0, sha256=bytes(32), note=""
        )
    )
    before = desk.venue.digest()
    rehearsed = [told(event) for event in rehearse(COMMANDS, desk.venue.directory)]
    assert desk.venue.digest() == before
    assert rehearsed == [told(event) for event in desk.send(*COMMANDS)]
    assert [reason.name for _, reason in rehearsed if reason] == [
        "REFERENCE_PRICE_INVALID", "COMMAND_MALFORMED", "CONFIGURATION_SUPERSEDED",
    ]  # fmt: skip
