"""The directory and the markets follow what a version of the configuration says; the market's rules are scenarios."""

from __future__ import annotations

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.configuration import NOTE_BYTES_MAX, RULE_BYTES_MAX, SymbolChange
from exchange.domain.directory import Directory
from exchange.domain.reasons import Reason
from exchange.domain.symbol import SymbolState, TickRow
from exchange.matching.venue import Venue
from tests.matching.desk import XYZ, Desk

FINE = (TickRow(0, 1),)
CONFIRM = c.ConfirmConfiguration(
    configuration_version=1, key_id=3, approver_key_id=4, sha256=bytes(range(32)), note="why"
)


def test_the_directory_is_what_the_events_make_and_a_snapshot_keeps_it() -> None:
    desk = Desk()
    followed = Directory()
    events = desk.opened + desk.send(
        c.ConfigureSymbol(configuration_version=1, symbol="XYZ", name="Other", round_lot=7, ticks=FINE),
        c.ConfigureRule(configuration_version=1, number=1, count=1, rules_version=2, text="{}"),
        CONFIRM,
        c.ConfigureRule(configuration_version=2, number=1, count=2, rules_version=3, text='{"a": 1}'),
    )
    for event in events:
        followed.apply(event)
    restored = Venue.restore(desk.venue.snapshot())
    assert vars(followed) == vars(desk.venue.directory) == vars(restored.directory)
    assert restored.digest() == desk.venue.digest()
    symbol = restored.directory.symbols[XYZ]
    assert (symbol.name, symbol.round_lot, symbol.ticks.rows) == ("Other", 7, FINE)
    assert restored.directory.configuration_version == 1
    assert len(restored.directory.rules.in_force) == len(restored.directory.rules.coming) == 1


def test_an_event_says_how_the_symbol_is_now_and_what_changed() -> None:
    event = Desk().only(
        c.ConfigureSymbol(configuration_version=9, symbol="XYZ", round_lot=7, state=SymbolState.SUSPENDED)
    )
    assert isinstance(event, e.SymbolConfigured)
    assert (event.configuration_version, event.name, event.round_lot) == (9, "Xyzzy", 7)
    assert event.changes == SymbolChange.ROUND_LOT | SymbolChange.STATE


def test_what_is_too_long_for_a_record_is_refused() -> None:
    desk = Desk()
    rule = c.ConfigureRule(
        configuration_version=1, number=1, count=1, rules_version=1, text="x" * RULE_BYTES_MAX
    )
    assert isinstance(desk.only(rule), e.RuleConfigured)
    for changes in (
        c.ConfigureRule(
            configuration_version=1, number=1, count=1, rules_version=1, text="x" * (RULE_BYTES_MAX + 1)
        ),
        c.ConfirmConfiguration(
            configuration_version=1,
            key_id=1,
            approver_key_id=0,
            sha256=bytes(32),
            note="x" * (NOTE_BYTES_MAX + 1),
        ),
        c.ConfigureRule(configuration_version=1, number=1, count=1, rules_version=1, text=""),
    ):
        assert desk.only(changes).reason is Reason.COMMAND_MALFORMED
    assert isinstance(desk.only(CONFIRM), e.ConfigurationChanged)
