"""What a version of the configuration changes in the market: symbols as it wants them, rules for clearing, its end.

Resting orders stay as they are when tick table or round lot change: they keep price, quantity and place, and trade.
What is entered, amended or replaced from then on is checked by the new terms.
"""

from __future__ import annotations

import msgspec

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.configuration import NOTE_BYTES_MAX, RULE_BYTES_MAX, SymbolChange
from exchange.domain.directory import rule_of
from exchange.domain.participant import is_valid_name
from exchange.domain.reasons import Reason
from exchange.domain.symbol import Symbol, SymbolState, TickTable
from exchange.matching.administration import STATES, refusal_of_new_symbol, refusal_of_reference_price
from exchange.matching.market import Market
from exchange.matching.order_checks import Refusal
from exchange.matching.phases import Phases
from exchange.matching.venue_state import VenueState
from exchange.wire.records import number_of

Configuring = c.ConfigureSymbol | c.ConfigureRule | c.ConfirmConfiguration
WHOLE = sum(SymbolChange)


class Configuration:
    """Judges and carries out the commands of a version. A version that is in force already is refused."""

    def __init__(self, state: VenueState, phases: Phases) -> None:
        self._state = state
        self._phases = phases
        self._events = state.events
        self._directory = state.directory

    def configure_symbol(self, command: c.ConfigureSymbol) -> None:
        """List a symbol, or change it."""
        symbol_id = self._directory.symbol_ids.get(command.symbol, 0)
        refusal = self._refusal_of_version(command)
        if symbol_id:
            refusal = refusal or refusal_of_change(command, self._directory.symbols[symbol_id])
        else:
            limit = self._state.limits.symbols
            refusal = refusal or refusal_of_new_symbol(command, self._directory, limit)
        if refusal:
            self._refuse(command, refusal, symbol_id)
        elif symbol_id:
            self._change(symbol_id, command)
        else:
            self._list(command)

    def _list(self, command: c.ConfigureSymbol) -> None:
        symbol_id = len(self._directory.symbols) + 1
        event = self._events.write(
            e.SymbolConfigured, symbol_id=symbol_id, configuration_version=command.configuration_version,
            changes=WHOLE, symbol=command.symbol, name=command.name, reference_price=command.reference_price,
            round_lot=command.round_lot, state=SymbolState(command.state), ticks=command.ticks,
        )  # fmt: skip
        self._directory.apply(event)
        market = self._state.markets[symbol_id] = Market(self._directory.symbols[symbol_id])
        self._phases.begin_listed(market)

    def _change(self, symbol_id: int, command: c.ConfigureSymbol) -> None:
        old = self._directory.symbols[symbol_id]
        new = changed(old, command)
        event = self._events.write(
            e.SymbolConfigured, symbol_id=symbol_id, configuration_version=command.configuration_version,
            changes=changes_of(old, new, command), symbol=new.symbol, name=new.name,
            reference_price=new.reference_price, round_lot=new.round_lot, state=new.state, ticks=new.ticks.rows,
        )  # fmt: skip
        self._directory.apply(event)
        market = self._state.markets[symbol_id]
        market.set_terms(new)
        if command.reference_price:
            market.reference.set(command.reference_price)
        self._phases.follow_state(market)

    def configure_rule(self, command: c.ConfigureRule) -> None:
        """Take the next rule for clearing; what it says only clearing judges."""
        rule, size = rule_of(command), len(command.text.encode())
        refusal = self._refusal_of_version(command)
        if not refusal and not self._directory.rules.is_next(rule):
            refusal = Refusal(Reason.COMMAND_MALFORMED, command.number)
        if not refusal and (size > RULE_BYTES_MAX or (size > 0) != (command.count > 0)):
            refusal = Refusal(Reason.COMMAND_MALFORMED, size)
        if refusal:
            self._refuse(command, refusal)
            return
        self._directory.apply(self._events.write(e.RuleConfigured, **msgspec.structs.asdict(command)))

    def confirm(self, command: c.ConfirmConfiguration) -> None:
        """Put a version in force."""
        size = len(command.note.encode())
        refusal = self._refusal_of_version(command)
        if not refusal and size > NOTE_BYTES_MAX:
            refusal = Refusal(Reason.COMMAND_MALFORMED, size)
        if refusal:
            self._refuse(command, refusal)
            return
        self._directory.apply(self._events.write(e.ConfigurationChanged, **msgspec.structs.asdict(command)))

    def _refusal_of_version(self, command: Configuring) -> Refusal | None:
        in_force = self._directory.configuration_version
        if command.configuration_version > in_force:
            return None
        return Refusal(Reason.CONFIGURATION_SUPERSEDED, command.configuration_version, in_force)

    def _refuse(self, command: Configuring, refusal: Refusal, symbol_id: int = 0) -> None:
        self._events.command_rejected(
            number_of(type(command)), refusal.reason, subject=command.configuration_version,
            measured=refusal.measured, limit=refusal.limit, symbol_id=symbol_id,
        )  # fmt: skip


def refusal_of_change(command: c.ConfigureSymbol, symbol: Symbol) -> Refusal | None:
    """Check what is to change about a listed symbol."""
    ticks = TickTable(command.ticks) if command.ticks else symbol.ticks
    if command.name and not is_valid_name(command.name):
        return Refusal(Reason.NAME_INVALID)
    if not ticks.is_valid():
        return Refusal(Reason.TICK_TABLE_INVALID)
    if command.reference_price and (refusal := refusal_of_reference_price(command.reference_price, ticks)):
        return refusal
    if command.state and command.state not in STATES:
        return Refusal(Reason.SYMBOL_STATE_INVALID, command.state)
    return None


def changed(symbol: Symbol, command: c.ConfigureSymbol) -> Symbol:
    """Return a listed symbol as a command wants it."""
    return msgspec.structs.replace(
        symbol,
        name=command.name or symbol.name,
        reference_price=command.reference_price or symbol.reference_price,
        round_lot=command.round_lot or symbol.round_lot,
        state=SymbolState(command.state) if command.state else symbol.state,
        ticks=TickTable(command.ticks) if command.ticks else symbol.ticks,
    )


def changes_of(old: Symbol, new: Symbol, command: c.ConfigureSymbol) -> int:
    """Return the bits of what changes; a reference price counts wherever it is given, for it is set anew."""
    bits = {
        SymbolChange.NAME: new.name != old.name,
        SymbolChange.REFERENCE_PRICE: command.reference_price > 0,
        SymbolChange.ROUND_LOT: new.round_lot != old.round_lot,
        SymbolChange.STATE: new.state != old.state,
        SymbolChange.TICKS: new.ticks != old.ticks,
    }
    return sum(int(bit) for bit, is_changed in bits.items() if is_changed)
