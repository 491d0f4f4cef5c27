"""The configuration written as TOML: the commented example with every key, or one that is in force."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Mapping
from functools import cache
from itertools import groupby
from typing import Any

from msgspec.structs import FieldInfo, fields

from exchange.infra import clearing_house_config, config_sections, schedule_config, surveillance_config
from exchange.infra.config import Config, mask_password
from exchange.infra.config_keys import Secret, Section, Text, item_section, join, marker, unwrap

WIDTH = 110
HEAD = """\
# The configuration of the exchange: every key, with its default and its meaning. All of it may be left out.
# Later wins: the default, this file, the environment (EXCHANGE__ENGINE__PORT=9001), the command line.
# Text stands in quotes, and so do prices and amounts of money ("189.20"), for they are exact.
# `exchange config check` finds mistakes; `exchange config show` shows what is in force, and why.
"""


def example_text() -> str:
    """Write the commented example: `exchange.toml`."""
    return HEAD + "\n" + config_text(Config(), with_comments=True)


def config_text(
    config: Config, *, with_comments: bool = False, origins: Mapping[str, str] | None = None
) -> str:
    """Write a configuration, passwords hidden. origins: key path → where its value came from, noted behind it."""
    writer = _Writer(with_comments, origins or {})
    for field in fields(Config):
        writer.write(field, getattr(config, field.name), field.encode_name)
    return "\n\n".join(writer.tables) + "\n"


class _Writer:
    """Gathers tables, one text each."""

    def __init__(self, with_comments: bool, origins: Mapping[str, str]) -> None:
        self.with_comments = with_comments
        self.origins = origins
        self.tables: list[str] = []

    def write(self, field: FieldInfo, value: Any, path: str) -> None:
        """Write what a key holds as tables of their own."""
        if isinstance(value, Section):
            self._table(f"[{path}]", value, path, self.with_comments)
        elif item_section(field.type):
            for number, item in enumerate(value, 1):
                self._table(f"[[{path}]]", item, f"{path}.{number}", self.with_comments, is_short=number > 1)
        else:
            for rule in value:
                lines = [f"[[{path}]]", *(f"{key} = {toml_value(inner)}" for key, inner in rule.items())]
                self.tables.append("\n".join(lines))

    def _table(self, head: str, section: Section, path: str, commented: bool, is_short: bool = False) -> None:
        """Write a section. is_short: like one before it, so without comments, and without keys left at default."""
        commented = commented and not is_short
        lines = [*_comment(type(section).__doc__ or ""), head] if commented else [head]
        later = []
        for field in fields(type(section)):
            value = getattr(section, field.name)
            if _has_own_table(field, value):
                later.append((field, value))
            elif not (is_short and self.with_comments and value == field.default):
                lines += _meaning(type(section), field) if commented else []
                lines.append(self._line(field, value, join(path, field.encode_name)))
        self.tables.append("\n".join(lines))
        for field, value in later:
            self.write(field, value, join(path, field.encode_name))

    def _line(self, field: FieldInfo, value: Any, path: str) -> str:
        line = f"{field.encode_name} = {_field_value(field.type, value)}"
        return f"{line}  # {self.origins[path]}" if path in self.origins else line


def _has_own_table(field: FieldInfo, value: Any) -> bool:
    """Tell whether a key is written as a table of its own: sections, and rules where there are any."""
    is_rules = isinstance(value, tuple) and bool(value) and isinstance(value[0], dict)
    return isinstance(value, Section) or is_rules


def _field_value(kind: Any, value: Any) -> str:
    text = marker(kind, Text)
    if text:
        return toml_value(text.show(value))
    if marker(kind, Secret):
        return toml_value(mask_password(value))
    if item_section(kind):
        return "[" + ", ".join(_inline_table(item) for item in value) + "]"
    return toml_value(value)


def _inline_table(section: Section) -> str:
    pairs = (
        f"{field.encode_name} = {_field_value(field.type, getattr(section, field.name))}"
        for field in fields(type(section))
    )
    return "{ " + ", ".join(pairs) + " }"


def toml_value(value: Any) -> str:
    """Write a value as TOML on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{toml_key(key)} = {toml_value(inner)}" for key, inner in value.items()) + " }"
        )
    return str(value)


def toml_key(key: str) -> str:
    """Write a key, in quotes where it needs them."""
    return key if key.replace("-", "_").isidentifier() and key.isascii() else json.dumps(key)


def _meaning(section: type[Section], field: FieldInfo) -> list[str]:
    """Write the comment of a key, and of the keys inside it."""
    lines = _comment(descriptions()[section.__name__][field.name])
    inner = item_section(field.type)
    if inner:
        for part in fields(inner):
            text = descriptions()[inner.__name__][part.name]
            lines += [f"#   {line}" for line in textwrap.wrap(f"{part.encode_name}: {text}", WIDTH - 4)]
    elif isinstance(unwrap(field.type), type) and issubclass(unwrap(field.type), Section):
        lines = []
    return lines


def _comment(text: str) -> list[str]:
    """Write a text as comment lines: paragraphs wrapped, lines that begin with a blank as they stand."""
    lines: list[str] = []
    for is_kept, group in groupby(inspect.cleandoc(text).splitlines(), lambda line: line.startswith(" ")):
        part = list(group)
        lines += part if is_kept else textwrap.wrap(" ".join(part), WIDTH - 2, break_on_hyphens=False)
    return [f"# {line}" for line in lines]


@cache
def descriptions() -> dict[str, dict[str, str]]:
    """Return the text below each key of the configuration, by section and field."""
    found: dict[str, dict[str, str]] = {}
    modules = (config_sections, schedule_config, surveillance_config, clearing_house_config)
    for node in (node for module in modules for node in ast.parse(inspect.getsource(module)).body):
        if isinstance(node, ast.ClassDef):
            texts = found.setdefault(node.name, {})
            for before, after in zip(node.body, node.body[1:], strict=False):
                if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name):
                    texts[before.target.id] = _text_of(after)
    return found


def _text_of(node: ast.stmt) -> str:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return inspect.cleandoc(str(node.value.value)) if is_text else ""  # type: ignore[attr-defined]
