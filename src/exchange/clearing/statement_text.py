"""Statements as CSV for machines and as a page to read and to print."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from html import escape
from io import StringIO
from typing import Any

import msgspec

from exchange.wire.rest.statements import StatementFill, StatementLine, StatementView

LINE_COLUMNS = tuple(name for name in StatementLine.__struct_fields__ if name != "lots")
FILL_COLUMNS = StatementFill.__struct_fields__
_STYLE = (
    "body{font:14px/1.5 sans-serif;margin:2em;color:#111}table{border-collapse:collapse;margin:0 0 2em}"
    "th,td{border-bottom:1px solid #ccc;padding:.2em .7em;text-align:right}th{text-align:right}"
    "th:first-child,td:first-child{text-align:left}@media print{body{margin:0}table{page-break-inside:auto}}"
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(statement: StatementView) -> bytes:
    """Write a statement as CSV (RFC 4180): a head, then symbols, fees and fills, each section with its columns."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(("section", "account", "business_date", "currency", "made_at", "seq", "fills_count"))
    writer.writerow(
        ("statement", statement.account, statement.business_date, statement.currency, statement.made_at,
         statement.seq, statement.fills_count)
    )  # fmt: skip
    writer.writerow(("section", *LINE_COLUMNS))
    writer.writerows(("symbol", *_cells(line, LINE_COLUMNS)) for line in statement.lines)
    writer.writerow(("section", "name", "amount"))
    writer.writerows(("fee", _harmless(name), amount) for name, amount in statement.fees.items())
    for section, columns, rows in house_sections(statement):
        writer.writerow(("section", *columns))
        writer.writerows((section, *row) for row in rows)
    writer.writerow(("section", *FILL_COLUMNS))
    writer.writerows(("fill", *_cells(fill, FILL_COLUMNS)) for fill in statement.fills)
    return out.getvalue().encode()


def as_html(statement: StatementView, exchange: str) -> bytes:
    """Write a statement as one page without scripts, ready to print."""
    title = f"{exchange}: statement of account {statement.account}, {statement.business_date}"
    left_out = statement.fills_count - len(statement.fills)
    parts = [
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>",
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>",
        f"<p>In {escape(statement.currency)}, as of event {statement.seq}, made {escape(statement.made_at)}.</p>",
        "<h2>Symbols</h2>",
        _table(LINE_COLUMNS, (_cells(line, LINE_COLUMNS) for line in statement.lines)),
        "<h2>Fees</h2>",
        _table(("name", "amount"), statement.fees.items()),
        *(
            f"<h2>{escape(section.capitalize())}</h2>{_table(columns, rows)}"
            for section, columns, rows in house_sections(statement)
        ),
        "<h2>Fills</h2>",
        _table(FILL_COLUMNS, (_cells(fill, FILL_COLUMNS) for fill in statement.fills)),
        f"<p>{left_out} more fills are in the sums.</p>" if left_out else "",
        "</body></html>",
    ]
    return "".join(parts).encode()


def house_sections(statement: StatementView) -> list[tuple[str, tuple[str, ...], list[list[str]]]]:
    """Return the house's part of a statement: sections with columns and rows, without those that are empty."""
    margin = [] if statement.margin is None else [statement.margin]
    parts: list[tuple[str, Sequence[msgspec.Struct]]] = [
        ("settled", statement.settled),
        ("to be settled", statement.open),
        ("margin", margin),
        ("house", statement.house),
    ]
    found = [
        (section, rows[0].__struct_fields__, [_cells(row, row.__struct_fields__) for row in rows])
        for section, rows in parts
        if rows
    ]
    charged = [[_harmless(name), amount] for name, amount in statement.charged.items()]
    return [*found, *([("charged", ("name", "amount"), charged)] if charged else [])]


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(row: msgspec.Struct, columns: Sequence[str]) -> list[str]:
    values = msgspec.structs.asdict(row)
    return ["" if values[name] is None else str(values[name]) for name in columns]


def _harmless(text: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
