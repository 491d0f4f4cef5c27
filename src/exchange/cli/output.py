"""What commands print: a table or a few lines for people, JSON for machines; colours only on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Row = Sequence[object]


def show(value: Any, as_json: bool, people: Callable[[Any], None]) -> None:
    """Print an answer: as JSON, or as a function writes it for people."""
    if as_json:
        print_json(value)
    else:
        people(value)


def print_json(value: Any) -> None:
    """Print one value as one line of JSON."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def print_table(columns: Sequence[str], rows: Iterable[Row], nothing: str = "") -> None:
    """Print rows under column names; columns that begin with `>` are set to the right.

    nothing: what to say where there are no rows.
    """
    cells = [[_text(value) for value in row] for row in rows]
    if not cells and nothing:
        print(nothing)
        return
    if sys.stdout.isatty():
        _print_rich(columns, cells)
        return
    for line in table_lines(columns, cells):
        print(line)


def table_lines(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Lay out a table as plain lines."""
    right = [column.startswith(">") for column in columns]
    table = [[column.lstrip(">") for column in columns], *cells]
    widths = [max(len(row[at]) for row in table) for at in range(len(columns))]
    return [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in table
    ]


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names with their values, one a line, values aligned."""
    shown = [(name, _text(value)) for name, value in facts]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        print(f"{name.ljust(width)}  {value}")


def colour(text: str, style: str) -> str:
    """Colour a text where the output is a terminal. style: green, red, dim or bold."""
    codes = {"green": 32, "red": 31, "dim": 2, "bold": 1}
    return f"\x1b[{codes[style]}m{text}\x1b[0m" if sys.stdout.isatty() else text


def _print_rich(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(
            column.lstrip(">"), justify="right" if column.startswith(">") else "left", overflow="fold"
        )
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _text(value: object) -> str:
    """Write a value in one line; control characters of a foreign text cannot reach the terminal."""
    text = "" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)
    return "".join(character if character.isprintable() else "?" for character in text)
