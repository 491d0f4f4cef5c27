"""A document of the shared configuration: which keys it may hold, when each takes effect, and who sealed it.

The file is the whole document: a key that it leaves out is as each component was started. What it says of symbols is
the exception: a market is nowhere as it was started, so a symbol that is left out stays as it is.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from exchange.domain.allocation import NO_STEPS, PRICE_TIME, Allocation, parse_step
from exchange.domain.participant import is_valid_name
from exchange.domain.symbol import SYMBOL_PATTERN, TICK_ROWS_MAX, TickRow, TickTable
from exchange.domain.units import QUANTITY_MAX, Price, Quantity
from exchange.infra.config import Config
from exchange.infra.config_keys import (
    ConfigError,
    Problem,
    Secret,
    Section,
    TableReader,
    field_at,
    key_text,
    marker,
    shown,
)
from exchange.infra.config_sections import PriceText, RulesConfig, TickConfig, mistake_in_steps

DOCUMENT_BYTES_MAX = 256 * 1024
"""As JSON. A larger one is refused whole."""
HOT_KEYS = (
    "exchange.log_level",
    "exchange.rate_per_s",
    "exchange.rate_burst",
    "redis.writes_per_second",
    "redis.stale_s",
)
"""What takes effect at once."""
SYMBOLS, RULE, RULES = "symbols", "clearing.rule", "clearing.rules"
COMPONENTS = ("engine", "reporter", "clearing")
ALL_SECTIONS = ("exchange", "bus", "redis")
_NOT_HERE = {
    "exchange.data": "each component's data lie there",
    "exchange.name": "the shared configuration itself is found by it",
    "exchange.currency": "the ledger is kept in it",
    "exchange.config_approvals": "no document may say how many people must agree to it",
    "exchange.config_proposal_hours": "no document may say how many people must agree to it",
    "engine.partition": "it says whose data lie in the data folder",
    "redis.url": "the document itself is found there, and it may carry a password",
}
_SECRET = "it may carry a password or leads to keys, and whoever reads Redis would read it"
When = Literal["at once", "sequenced", "at restart", "refused"]


class Effect(NamedTuple):
    """When a key takes effect. who: the components that must be restarted; why: it is refused."""

    when: When
    who: tuple[str, ...] = ()
    why: str = ""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One version. values: from key path to value; at: when it was applied; note: why, for people.

    key_id, who: of the operator's key; approver_key_id, approver: of the second one's, 0 and empty where nobody had to.
    """

    version: int = 0
    at: str = ""
    note: str = ""
    values: dict[str, Any] = {}
    key_id: int = 0
    who: str = ""
    approver_key_id: int = 0
    approver: str = ""
    seals: dict[str, str] = {}


class SymbolTerms(Section, frozen=True, kw_only=True):
    """How a symbol is to be. What is left out stays as it is; a new symbol needs name and reference price."""

    symbol: str
    name: str = ""
    reference_price: PriceText = Price(0)
    round_lot: Annotated[Quantity, Meta(ge=1, le=QUANTITY_MAX)] = Quantity(0)
    state: Literal["active", "suspended", ""] = ""
    ticks: tuple[TickConfig, ...] = ()
    allocation: tuple[str, ...] = ()

    @property
    def tick_rows(self) -> tuple[TickRow, ...]:
        """Return the rows of the tick table as commands carry them."""
        return tuple(TickRow(row.from_price, row.tick) for row in self.ticks)

    @property
    def wanted_allocation(self) -> Allocation | None:
        """Return the allocation, None where it is to stay as it is. Raise `ValueError` where a step is none."""
        if not self.allocation:
            return None
        return (
            PRICE_TIME
            if self.allocation == (NO_STEPS,)
            else Allocation(tuple(map(parse_step, self.allocation)))
        )

    def mistakes(self) -> Iterable[tuple[str, str]]:
        """Check names, ticks and steps by the rules of the domain."""
        if self.allocation != (NO_STEPS,) and (mistake := mistake_in_steps(self.allocation)):
            yield "allocation", mistake
        if not SYMBOL_PATTERN.match(self.symbol):
            yield "symbol", f'must be 1 to 8 characters A-Z 0-9 . -, got "{self.symbol}"'
        if self.name and not is_valid_name(self.name):
            yield "name", "must be 1 to 64 bytes of printable text without a blank at either end"
        if self.ticks and not TickTable(self.tick_rows).is_valid():
            yield (
                "ticks",
                f'must be 1 to {TICK_ROWS_MAX} rows, the first from "0", rising, with ticks above 0',
            )


def values_of(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file of TOML holds, by key path: `{"exchange": {"log_level": …}}` → `exchange.log_level`."""
    values: dict[str, Any] = {}
    for name, table in tables.items():
        if isinstance(table, Mapping):
            values |= {f"{name}.{key}": value for key, value in table.items()}
        else:
            values[name] = table
    return values


def tables_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by key path as the tables of a file again."""
    tables: dict[str, Any] = {}
    for path, value in values.items():
        section, _, key = path.partition(".")
        if key:
            tables.setdefault(section, {})[key] = value
        else:
            tables[section] = value
    return tables


def effect_of(path: str) -> Effect:
    """Tell when a key of a document takes effect, or why it may not stand in one."""
    if path in HOT_KEYS:
        return Effect("at once")
    if path in (SYMBOLS, RULE, RULES):
        return Effect("sequenced")
    field = field_at(Config, path.split("."))
    if isinstance(field, str):
        return Effect("refused", why=field)
    why = _NOT_HERE.get(path, "")
    if not why and (marker(field.type, Secret) or path.endswith(".key_file")):
        why = _SECRET
    section = path.split(".")[0]
    if why:
        return Effect("refused", why=f"stands in the file of each component only: {why}")
    if "." not in path:
        return Effect("refused", why=f"must be a table: [{path}]")
    if section in COMPONENTS:
        return Effect("at restart", (section,))
    if section in ALL_SECTIONS:
        return Effect("at restart", COMPONENTS)
    return Effect("refused", why="is no component's: change it where the house traders are started")


def check_document(config: Config, values: Mapping[str, Any], origin: str) -> tuple[SymbolTerms, ...]:
    """Look through a whole document; return what it says of symbols. Raise `ConfigError` with every mistake.

    What the rules of clearing say, and whether the market takes the symbols, only the engine can judge.
    """
    size = len(msgspec.json.encode(values))
    if size > DOCUMENT_BYTES_MAX:
        message = f"the document has {size} bytes as JSON, at most {DOCUMENT_BYTES_MAX} are taken; list fewer symbols"
        raise ConfigError([Problem(origin, "", message)])
    problems: list[Problem] = []
    try:
        overlay(config, values, origin, ("at once", "at restart"))
    except ConfigError as error:
        problems += error.problems
    reader = TableReader(origin, {})
    symbols = _symbols(values.get(SYMBOLS, []), reader)
    _check_rules(values, reader)
    if problems or reader.problems:
        raise ConfigError(problems + reader.problems)
    return symbols


def overlay(
    config: Config,
    values: Mapping[str, Any],
    origin: str,
    when: tuple[When, ...] = ("at once",),
    but: Iterable[str] = (),
) -> Config:
    """Return a configuration with a document's values in it, of the keys that take effect so. but: keys left out.

    Raise `ConfigError` with every mistake in them, and with every key that may not be there.
    """
    effects = {path: effect_of(path) for path in values}
    problems = [Problem(origin, key_text(path), each.why) for path, each in effects.items() if each.why]
    paths = [path for path, each in effects.items() if each.when in when and path not in set(but)]
    reader, sections = TableReader(origin, {}), {}
    for name in {path.split(".")[0]: None for path in paths}:
        section = getattr(config, name)
        table = {path.partition(".")[2]: values[path] for path in paths if path.startswith(name + ".")}
        made = reader.read(type(section), table, name)
        if made is not None:
            changed = msgspec.structs.replace(section, **{key: getattr(made, key) for key in table})
            problems += [Problem(origin, key_text(f"{name}.{key}"), text) for key, text in changed.mistakes()]
            sections[name] = changed
    if problems or reader.problems:
        raise ConfigError(problems + reader.problems)
    whole = msgspec.structs.replace(config, **sections)
    if mistakes := [Problem(origin, key_text(key), text) for key, text in whole.mistakes()]:
        raise ConfigError(mistakes)
    return whole


def value_at(config: Config, path: str) -> Any:
    """Return what a configuration has at the path of a key."""
    section, _, key = path.partition(".")
    return getattr(getattr(config, section), key)


def _symbols(tables: Any, reader: TableReader) -> tuple[SymbolTerms, ...]:
    if not isinstance(tables, list):
        reader.note(SYMBOLS, f"must be a list of tables, [[symbols]], got {shown(tables)}")
        return ()
    found: dict[str, SymbolTerms] = {}
    for number, table in enumerate(tables, 1):
        terms = reader.read(SymbolTerms, table, f"{SYMBOLS}.{number}")
        if terms is None:
            continue
        for key, value in table.items():
            if value in ("", []):
                reader.note(
                    f"{SYMBOLS}.{number}.{key}", "must not be empty; leave it out to leave it as it is"
                )
        if terms.symbol in found:
            reader.note(f"{SYMBOLS}.{number}.symbol", f'"{terms.symbol}" stands in the document already')
        found[terms.symbol] = terms
    return tuple(found.values())


def _check_rules(values: Mapping[str, Any], reader: TableReader) -> None:
    if RULES in values:
        reader.read(RulesConfig, values[RULES], RULES)
        if RULE not in values:
            reader.note(
                RULES, "counts the rules of a document, which has none: write them as [[clearing.rule]]"
            )
    rules = values.get(RULE, [])
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        reader.note(RULE, f"must be a list of tables, [[clearing.rule]], got {shown(rules)}")
    elif RULE in values and not rules:
        reader.note(RULE, "must not be empty; leave it out to have the rules with which clearing was started")


# --- seals ----------------------------------------------------------------------------------------


def sealed(document: Document, keys: Mapping[str, str]) -> Document:
    """Return a document with a seal for each of these keys, by name; who has the key can tell that nobody forged it."""
    seals = {name: _seal(document, key) for name, key in keys.items()}
    return msgspec.structs.replace(document, seals=seals)


def is_sealed(document: Document, name: str, key: str) -> bool:
    """Tell whether a document was sealed with this key."""
    return hmac.compare_digest(document.seals.get(name, "").encode(), _seal(document, key).encode())


def document_hash(values: Mapping[str, Any]) -> bytes:
    """Return the SHA-256 of what a document says."""
    return sha256(msgspec.json.encode(values, order="deterministic")).digest()


def _seal(document: Document, key: str) -> str:
    plain = msgspec.structs.replace(document, seals={})
    text = msgspec.json.encode(plain, order="deterministic")
    return hmac.new(key.encode(), text, "sha256").hexdigest()
