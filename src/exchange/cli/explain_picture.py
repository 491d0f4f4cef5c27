"""How an explanation looks in a terminal: sentences with their rules, books and tables with their figures aligned."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

WIDTH = 96
"""Of the sentences; the rule stands behind."""
OWN = "*"
"""Behind a quantity in which the order itself is."""


class Text(NamedTuple):
    """A line of text. style: see `output.colour`, or empty."""

    text: str
    style: str = ""


class Picture(NamedTuple):
    """A table with its title."""

    title: str
    columns: list[str]
    rows: list[list[str]]


def blocks(explanation: dict[str, Any]) -> Iterator[Text | Picture]:
    """Give what is printed of an explanation, from top to bottom."""
    yield Text(explanation["headline"], "bold")
    yield from map(_line, explanation["lines"])
    left_out = explanation["moments_left_out"]
    moments = explanation["moments"]
    for number, moment in enumerate(moments):
        if left_out and number == len(moments) // 2:
            yield Text("")
            yield Text(f"… {left_out} moments are left out here …", "dim")
        yield from _moment(moment)
    if explanation["rules"]:
        yield Text("")
        yield Text("The rules", "bold")
        for rule in explanation["rules"]:
            yield Text(f"  {rule['number']:<5} {rule['title']:<32} {rule['link']}")
    yield Text("")
    hash_ = f"running hash {explanation['proven']}, as in the journal"
    yield Text(f"Rebuilt by replay up to event {explanation['seq']}; {hash_}.", "dim")


def _moment(moment: dict[str, Any]) -> Iterator[Text | Picture]:
    yield Text("")
    phase = f"   {moment['phase']}" if moment["phase"] else ""
    yield Text(f"{moment['at'][11:23]}  {moment['title']}{phase}   command {moment['command']}", "bold")
    yield from map(_line, moment["lines"])
    for table in moment["tables"]:
        yield _table(table)
    ladder = _ladder(moment["before"], moment["after"])
    if ladder.rows:
        yield ladder


def _line(line: dict[str, Any]) -> Text:
    text = f"  - {line['text']}"
    return Text(f"{text:<{WIDTH}}  {line['rule']}".rstrip() if line["rule"] else text)


def _table(table: dict[str, Any]) -> Picture:
    """Put an arrow before the row that counts."""
    if table["mark"] < 0:
        return Picture(table["title"], table["columns"], table["rows"])
    rows = [["=>" if at == table["mark"] else "", *row] for at, row in enumerate(table["rows"])]
    return Picture(table["title"], ["", *table["columns"]], rows)


def _ladder(before: dict[str, Any], after: dict[str, Any]) -> Picture:
    """Lay the book before and after out side by side, one row for each price, highest first."""
    cells: dict[str, dict[str, str]] = {}
    for when, book in (("before", before), ("after", after)):
        for side in ("bids", "asks"):
            for level in book[side]:
                own = OWN if level["own_qty"] != "0" else " "
                cells.setdefault(level["price"], {})[f"{side} {when}"] = level["qty"] + own
    names = ("bids before", "asks before", "bids after", "asks after")
    rows = []
    for price in sorted(cells, key=Decimal, reverse=True):
        bid, ask, bid_after, ask_after = (cells[price].get(name, "") for name in names)
        rows.append([bid, ask, price, bid_after, ask_after])
    title = f"The book before and after ({OWN}: with this order)"
    return Picture(title, [">buy before", ">sell before", ">price", ">buy after", ">sell after"], rows)
