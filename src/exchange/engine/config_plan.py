"""What a document of the configuration would do here: which keys change and when, and which commands are sequenced.

Pure: the same directory and document make the same plan. What the market has already makes no command, so that a
document can be carried out again where a crash came between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.allocation import PRICE_TIME, Allocation, allocation_text
from exchange.domain.configuration import RULE_BYTES_MAX
from exchange.domain.directory import Directory
from exchange.domain.reasons import sentence
from exchange.domain.symbol import DEFAULT_TICKS, Symbol, SymbolState, TickRow, TickTable
from exchange.domain.units import Price, Quantity, format_price
from exchange.infra.config import Config
from exchange.infra.config_document import (
    RULE,
    RULES,
    SYMBOLS,
    Document,
    SymbolTerms,
    check_document,
    effect_of,
)
from exchange.infra.config_keys import ConfigError, Problem, key_text
from exchange.matching.configuration import Configuring
from exchange.matching.order_book import Level
from exchange.matching.rehearsal import rehearse
from exchange.post_trade.rules import RulesError, parse_rules

Depth = Callable[[int, int], tuple[list[Level], list[Level]]]
NEW_NEEDS = "is not listed yet, and a new symbol needs name and reference_price"
NOT_LISTED, NO_RULE = "not listed", "no such rule"
LEVELS_LOOKED = 1_000
"""Price levels of each side that are looked through for orders off a new tick table."""
STATES = {"active": SymbolState.ACTIVE, "suspended": SymbolState.SUSPENDED}


class Row(NamedTuple):
    """A key that changes. before, after: None where it is as each component was started; effect: when."""

    key: str
    before: Any
    after: Any
    effect: str


class Wanted(NamedTuple):
    """The allocation that a symbol is to have and has not; a new symbol gets its number only by a command."""

    symbol: str
    allocation: Allocation


class Plan(NamedTuple):
    """What a document would do. commands: of this engine, without the confirmation at their end.

    allocations: become commands behind these (`allocation_commands`).
    """

    rows: list[Row]
    commands: list[Configuring]
    notes: list[str]
    allocations: Sequence[Wanted] = ()


class Planner:
    """Makes plans for one engine.

    is_ours: tells whether its partition trades a symbol; depth: gives a book's levels, bids and asks, best first.
    """

    def __init__(
        self, config: Config, directory: Directory, is_ours: Callable[[str], bool], depth: Depth
    ) -> None:
        self._config = config
        self._directory = directory
        self._is_ours = is_ours
        self._depth = depth

    def plan(
        self, before: Document, values: Mapping[str, Any], version: int, origin: str = "document"
    ) -> Plan:
        """Return what a document would do as a version. Raise `ConfigError` with every mistake, the venue's too."""
        symbols = check_document(self._config, values, origin)
        ours = [terms for terms in symbols if self._is_ours(terms.symbol)]
        wanted = (symbol_command(terms, self._directory, version) for terms in ours)
        commands = [command for command in wanted if command is not None]
        problems = list(self._refusals(commands, values, origin))
        rules: list[c.ConfigureRule] = []
        try:
            rules = rule_commands(values, self._directory, version, origin)
        except ConfigError as error:
            problems += error.problems
        if problems:
            raise ConfigError(problems)
        allocations = [one for terms in ours if (one := _wanted_allocation(terms, self._directory))]
        rows = [*_key_rows(before.values, values), *self._symbol_rows(commands)]
        rows += [self._allocation_row(one) for one in allocations]
        rows += _rule_rows(self._directory, rules)
        notes = [*self._notes(before, symbols), *self._notes_on_orders(commands)]
        return Plan(rows, [*commands, *rules], notes, allocations)

    def _refusals(
        self, commands: Sequence[c.ConfigureSymbol], values: Mapping[str, Any], origin: str
    ) -> Iterator[Problem]:
        """Give what the venue would refuse, with its place in the document."""
        numbers = {table["symbol"]: number for number, table in enumerate(values.get(SYMBOLS, []), 1)}
        for command, event in zip(commands, rehearse(commands, self._directory), strict=True):
            if isinstance(event, e.CommandRejected):
                is_new = self._directory.symbol_named(command.symbol) is None
                lacks = is_new and not (command.name and command.reference_price)
                key = key_text(f"{SYMBOLS}.{numbers[command.symbol]}.{command.symbol}")
                yield Problem(origin, key, NEW_NEEDS if lacks else refusal_text(event))

    def _symbol_rows(self, commands: Iterable[c.ConfigureSymbol]) -> Iterator[Row]:
        for command in commands:
            listed = self._directory.symbol_named(command.symbol)
            for name in ("name", "reference_price", "round_lot", "state", "ticks"):
                if value := getattr(command, name):
                    there = _shown(name, _listed_value(listed, name)) if listed else NOT_LISTED
                    yield Row(f"symbols.{command.symbol}.{name}", there, _shown(name, value), "sequenced")

    def _allocation_row(self, wanted: Wanted) -> Row:
        listed = self._directory.symbol_named(wanted.symbol)
        before = allocation_text(listed.allocation) if listed else NOT_LISTED
        return Row(
            f"symbols.{wanted.symbol}.allocation", before, allocation_text(wanted.allocation), "sequenced"
        )

    def _notes(self, before: Document, symbols: Iterable[SymbolTerms]) -> Iterator[str]:
        named = {terms.symbol for terms in symbols}
        for symbol in _symbols_of(before.values):
            if symbol not in named:
                yield f"{symbol} stays as version {before.version} left it: this document does not name it"
        others = sorted(symbol for symbol in named if not self._is_ours(symbol))
        if others:
            yield f"of another partition, whose engine must be given the document too: {', '.join(others)}"

    def _notes_on_orders(self, commands: Iterable[c.ConfigureSymbol]) -> Iterator[str]:
        """Say what becomes of the orders that rest in a symbol whose terms change."""
        for command in commands:
            listed = self._directory.symbol_named(command.symbol)
            if listed is None or not (command.ticks or command.round_lot):
                continue
            levels = [level for side in self._depth(listed.symbol_id, LEVELS_LOOKED) for level in side]
            ticks = TickTable(command.ticks) if command.ticks else listed.ticks
            off = sum(level.orders for level in levels if level.price % ticks.tick_at(level.price))
            if count := sum(level.orders for level in levels):
                yield (
                    f"{command.symbol}: {count} open orders keep price and quantity, {off} of them off the new ticks; "
                    "what is entered, amended or replaced from then on is checked"
                )


def symbol_command(terms: SymbolTerms, directory: Directory, version: int) -> c.ConfigureSymbol | None:
    """Return the command that makes a symbol as it is wanted, with only what differs; None where nothing does."""
    listed = directory.symbol_named(terms.symbol)
    if listed is None:
        return c.ConfigureSymbol(
            configuration_version=version,
            symbol=terms.symbol,
            name=terms.name,
            reference_price=terms.reference_price,
            round_lot=terms.round_lot or Quantity(1),
            state=STATES.get(terms.state, SymbolState.ACTIVE),
            ticks=terms.tick_rows or DEFAULT_TICKS,
        )
    wanted: dict[str, Any] = {
        "name": terms.name,
        "reference_price": terms.reference_price,
        "round_lot": terms.round_lot,
        "state": STATES.get(terms.state, 0),
        "ticks": terms.tick_rows,
    }
    changes = {
        name: value for name, value in wanted.items() if value and value != _listed_value(listed, name)
    }
    if not changes:
        return None
    return c.ConfigureSymbol(configuration_version=version, symbol=terms.symbol, **changes)


def allocation_commands(allocations: Iterable[Wanted], directory: Directory) -> list[c.SetAllocation]:
    """Return the commands that set allocations, of the symbols that are listed by now."""
    return [
        c.SetAllocation(symbol_id=listed.symbol_id, steps=one.allocation.steps)
        for one in allocations
        if (listed := directory.symbol_named(one.symbol)) is not None
    ]


def rule_commands(
    values: Mapping[str, Any], directory: Directory, version: int, origin: str = "document"
) -> list[c.ConfigureRule]:
    """Return the commands that give clearing the rules of a document, none where it has them. Raise `ConfigError`."""
    tables = values.get(RULE, [])
    rules_version = values.get(RULES, {}).get("version", 1)
    try:
        parse_rules(tables, rules_version)
    except RulesError as error:
        raise ConfigError([Problem(origin, "[[clearing.rule]]", str(error))]) from error
    texts = [msgspec.json.encode(table).decode() for table in tables]
    for number, text in enumerate(texts, 1):
        if len(text.encode()) > RULE_BYTES_MAX:
            size = len(text.encode())
            message = f"has {size} bytes as JSON, at most {RULE_BYTES_MAX} are taken; make two rules of it"
            raise ConfigError([Problem(origin, f"[[clearing.rule]] {number}", message)])
    in_force = directory.rules.in_force
    if [(rule.rules_version, rule.text) for rule in in_force] == [(rules_version, text) for text in texts]:
        return []
    numbered = list(enumerate(texts, 1)) or [(0, "")]
    return [
        c.ConfigureRule(
            configuration_version=version, number=number, count=len(texts),
            rules_version=rules_version if texts else 0, text=text,
        )
        for number, text in numbered
    ]  # fmt: skip


def refusal_text(event: e.CommandRejected) -> str:
    """Say why the venue would refuse, or refused, a command."""
    figures = f" (measured {event.measured}, limit {event.limit})" if event.measured or event.limit else ""
    return f"the market refuses it: {sentence(event.reason)}{figures}"


def command_text(command: Configuring) -> str:
    """Say on one line what a command would do."""
    match command:
        case c.ConfigureSymbol():
            names = ("name", "reference_price", "round_lot", "state", "ticks")
            parts = [f"{name} {_shown(name, value)}" for name in names if (value := getattr(command, name))]
            return f"{command.symbol}: {', '.join(parts)}"
        case c.ConfigureRule():
            if not command.count:
                return "clearing's rules: those it was started with"
            return f"clearing's rule {command.number} of {command.count}: {command.text}"
    return f"version {command.configuration_version} is in force"


def plan_texts(plan: Plan) -> list[str]:
    """Say what a plan would sequence, a line for each command."""
    allocations = (f"{one.symbol}: allocation {allocation_text(one.allocation)}" for one in plan.allocations)
    return [*map(command_text, plan.commands), *allocations]


def _wanted_allocation(terms: SymbolTerms, directory: Directory) -> Wanted | None:
    """Return the allocation that a document wants for a symbol, None where it has it; a new one has price-time."""
    wanted, listed = terms.wanted_allocation, directory.symbol_named(terms.symbol)
    there = listed.allocation if listed else PRICE_TIME
    return None if wanted is None or wanted == there else Wanted(terms.symbol, wanted)


def _key_rows(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Row]:
    for key in sorted({*before, *after} - {SYMBOLS, RULE, RULES}):
        if before.get(key) != after.get(key):
            effect = effect_of(key)
            at = f"at restart of {', '.join(effect.who)}" if effect.who else effect.when
            yield Row(key, before.get(key), after.get(key), at)


def _rule_rows(directory: Directory, commands: Sequence[c.ConfigureRule]) -> Iterator[Row]:
    """Compare the rules by their ids."""
    if not commands:
        return
    before = {_rule_id(rule.text): rule.text for rule in directory.rules.in_force}
    after = {_rule_id(each.text): each.text for each in commands if each.count}
    for rule_id in sorted({*before, *after}):
        if before.get(rule_id) != after.get(rule_id):
            yield Row(
                f"{RULE}.{rule_id}", before.get(rule_id, NO_RULE), after.get(rule_id, NO_RULE), "sequenced"
            )
    versions = [
        str(rules[0].rules_version) if rules and rules[0].count else None
        for rules in (directory.rules.in_force, commands)
    ]
    if versions[0] != versions[1]:
        yield Row(f"{RULES}.version", versions[0], versions[1], "sequenced")


def _rule_id(text: str) -> str:
    return str(msgspec.json.decode(text)["id"])


def _symbols_of(values: Mapping[str, Any]) -> list[str]:
    return [str(table.get("symbol", "")) for table in values.get(SYMBOLS, [])]


def _listed_value(symbol: Symbol, name: str) -> Any:
    return symbol.ticks.rows if name == "ticks" else getattr(symbol, name)


def _shown(name: str, value: Any) -> str:
    match value:
        case SymbolState():
            return value.name.lower()
        case tuple():
            return ", ".join(_row(row) for row in value)
    return format_price(Price(value)) if name == "reference_price" else str(value)


def _row(row: TickRow) -> str:
    return f"{format_price(row.tick)} from {format_price(row.from_price) if row.from_price else '0'}"
