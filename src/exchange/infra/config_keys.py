"""How a key of the configuration is described, read, checked and shown, whatever sections there are.

A section is a `Section` struct. Each field is `Annotated` with a `Meta` that carries its description and its
bounds; text that becomes a number of the domain carries a `Text` as well. The commented example is made from
the same annotations.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta
from msgspec.structs import FieldInfo, fields

from exchange.domain.units import UnitError

SHOWN_CHARACTERS_MAX = 60


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the configuration; its docstring opens the table in the commented example."""

    def mistakes(self) -> Iterable[tuple[str, str]]:
        """Give (key, what is wrong) for rules that no single key can hold; empty key: the table itself."""
        return ()


@dataclass(frozen=True)
class Text:
    """A value written as text in quotes. parse: raises `ValueError` saying what is allowed; example: as
    written.
    """

    parse: Callable[[str], Any]
    show: Callable[[Any], str]
    example: str


class Secret:
    """Marks text that may carry a password, which is never shown."""


@dataclass(frozen=True)
class Problem:
    """One mistake. key: where it stands, as `[engine] port`; message: what was seen and what is allowed."""

    origin: str
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.origin}: {self.key}: {self.message}" if self.key else f"{self.origin}: {self.message}"


class ConfigError(Exception):
    """The configuration is wrong; the message lists every mistake that was found, one a line."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        super().__init__("\n".join([f"configuration: {count}", *(f"  {problem}" for problem in problems)]))


S = TypeVar("S", bound=Section)


class TableReader:
    """Reads tables into sections and gathers every mistake. origins: key path → where its value came from."""

    def __init__(self, origin: str, origins: Mapping[str, str]) -> None:
        self.origin = origin
        self.origins = origins
        self.problems: list[Problem] = []

    def read(self, section: type[S], table: object, path: str = "") -> S | None:
        """Make a section of a table; None, with the mistakes noted, where it has any."""
        if not isinstance(table, Mapping):
            self.note(path, f"must be a table, got {shown(table)}")
            return None
        known = {field.encode_name: field for field in fields(section)}
        before = len(self.problems)
        for key in table:
            if key not in known:
                self.note(join(path, key), unknown_name("key", key, known))
        values = {}
        for key, field in known.items():
            if key in table:
                values[field.name] = self._value(field.type, table[key], join(path, key))
            elif field.required:
                self.note(join(path, key), f"is missing; it must be {allowed(field.type)}")
        if len(self.problems) > before:
            return None
        made = section(**values)
        for key, message in made.mistakes():
            self.note(join(path, key) if key else path, message)
        return made if len(self.problems) == before else None

    def _value(self, kind: Any, value: object, path: str) -> Any:
        plain, section = unwrap(kind), item_section(kind)
        if isinstance(plain, type) and issubclass(plain, Section):
            return self.read(plain, value, path)
        if section is not None:
            return self._sections(section, value, path)
        text = marker(kind, Text)
        try:
            return _parse_text(text, value) if text else msgspec.convert(value, kind, strict=True)
        except UnitError as error:
            self.note(path, str(error))
        except ValueError:
            self.note(path, f"must be {allowed(kind)}, got {shown(value)}")
        return None

    def _sections(self, section: type[Section], value: object, path: str) -> tuple[Section | None, ...]:
        if not isinstance(value, list):
            self.note(path, f"must be a list of tables, got {shown(value)}")
            return ()
        return tuple(self.read(section, item, f"{path}.{number}") for number, item in enumerate(value, 1))

    def note(self, path: str, message: str) -> None:
        """Note a mistake at a key path."""
        self.problems.append(Problem(self.origins.get(path, self.origin), key_text(path), message))


def _parse_text(text: Text, value: object) -> Any:
    if not isinstance(value, str):
        hint = " in quotes" if isinstance(value, int | float) and not isinstance(value, bool) else ""
        raise UnitError(f'must be text{hint} such as "{text.example}", got {shown(value)}')
    return text.parse(value)


def value_from_text(kind: Any, text: str) -> object:
    """Read a value from an environment variable or the command line, typed by its target; text where nothing
    fits.
    """
    plain = unwrap(kind)
    if plain is str or get_origin(plain) is Literal or marker(kind, Text):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def field_at(section: type[Section], path: list[str]) -> FieldInfo | str:
    """Find the key at a path of names, or say why there is none."""
    known = {field.encode_name: field for field in fields(section)}
    field = known.get(path[0])
    if field is None:
        return unknown_name("key" if len(path) == 1 else "section", path[0], known)
    if len(path) == 1:
        return field
    inner = unwrap(field.type)
    if isinstance(inner, type) and issubclass(inner, Section):
        return field_at(inner, path[1:])
    return f"{path[0]!r} is a key, not a section"


def unwrap(kind: Any) -> Any:
    """Return a type without its annotations, and a number of the domain as the integer it is."""
    plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return getattr(plain, "__supertype__", plain)


def marker(kind: Any, wanted: type) -> Any:
    """Return the annotation of a class on a type, or None."""
    found = (
        [note for note in get_args(kind)[1:] if isinstance(note, wanted)]
        if get_origin(kind) is Annotated
        else []
    )
    return found[0] if found else None


def item_section(kind: Any) -> type[Section] | None:
    """Return the section of which a type is a list, or None."""
    arguments = get_args(unwrap(kind))
    inner = arguments[0] if get_origin(unwrap(kind)) is tuple and arguments else None
    return inner if isinstance(inner, type) and issubclass(inner, Section) else None


def allowed(kind: Any) -> str:
    """Say in words what a key takes."""
    plain, meta, text = unwrap(kind), marker(kind, Meta), marker(kind, Text)
    if text:
        return f'text such as "{text.example}"'
    if get_origin(plain) is Literal:
        return "one of " + ", ".join(json.dumps(value) for value in get_args(plain))
    if plain is bool:
        return "true or false"
    if plain is int:
        return "a whole number" + _range(meta)
    if plain is str:
        return "text in quotes" + (f", {meta.title}" if meta and meta.title else "")
    inner = get_args(plain)[0]
    is_table = get_origin(inner) is dict or item_section(kind) is not None
    return "a list of tables" if is_table else f"a list, each {allowed(inner)}"


def _range(meta: Meta | None) -> str:
    low, high = (meta.ge, meta.le) if meta else (None, None)
    if low is None or high is None:
        return f", at least {low}" if low is not None else ""
    return f" from {low} to {high}"


def unknown_name(what: str, name: str, known: Iterable[str]) -> str:
    """Say that a name is unknown, with the nearest right one or with all there are."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"no such {what}; " + (f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(names)}")


def join(path: str, key: str) -> str:
    """Put a key under a path."""
    return f"{path}.{key}" if path else key


def key_text(path: str) -> str:
    """Write a key path as it stands in the file: `engine.port` → `[engine] port`, `symbols.2.name` →
    `[[symbols]] 2 name`.
    """
    *tables, key = path.split(".")
    if not tables:
        return f"[{key}]" if key else ""
    if key.isdecimal():
        return f"[[{'.'.join(tables)}]] {key}"
    numbers = [index for index, part in enumerate(tables) if part.isdecimal()]
    if not numbers:
        return f"[{'.'.join(tables)}] {key}"
    first = numbers[0]
    return " ".join([f"[[{'.'.join(tables[:first])}]]", *tables[first:], key])


def shown(value: object) -> str:
    """Show a value that was seen, with its kind and cut short."""
    kinds = {
        bool: "the boolean",
        int: "the number",
        float: "the number",
        str: "the text",
        list: "the list",
        dict: "the table",
    }
    text = json.dumps(value, default=str, ensure_ascii=False)
    cut = text if len(text) <= SHOWN_CHARACTERS_MAX else text[: SHOWN_CHARACTERS_MAX - 1] + "…"
    return f"{kinds.get(type(value), type(value).__name__)} {cut}"
