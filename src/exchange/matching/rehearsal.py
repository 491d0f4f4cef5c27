"""Rehearse what a version of the configuration would do: by the judge of the venue, on a copy of what it judges by."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.domain.symbol import Symbol
from exchange.matching.configuration import Configuration, Configuring
from exchange.matching.market import Market
from exchange.matching.matcher import Matcher
from exchange.matching.phases import Phases
from exchange.matching.venue_state import LIMITS, VenueState
from exchange.wire.records import decode_events


def rehearse(commands: Sequence[Configuring], directory: Directory) -> list[e.Event]:
    """Return the one event of each command, as the venue of this directory would answer; nothing is changed.

    Neither books nor balances matter to these commands, so they are not copied.
    """
    state = VenueState(0, LIMITS)
    _copy(directory, state.directory)
    state.markets.update({symbol_id: Market(symbol) for symbol_id, symbol in directory.symbols.items()})
    configuration = Configuration(state, Phases(state, Matcher(state)))
    for number, command in enumerate(commands, 1):
        state.events.begin_command(number)
        match command:
            case c.ConfigureSymbol():
                configuration.configure_symbol(command)
            case c.ConfigureRule():
                configuration.configure_rule(command)
            case c.ConfirmConfiguration():
                configuration.confirm(command)
        state.events.end_command()
    return decode_events(state.events.take())


def _copy(directory: Directory, to: Directory) -> None:
    symbols: dict[int, Symbol] = directory.symbols
    to.symbols.update(symbols)
    to.symbol_ids.update(directory.symbol_ids)
    to.configuration_version = directory.configuration_version
    to.rules.in_force = list(directory.rules.in_force)
    to.rules.coming = list(directory.rules.coming)
