"""Symbols as lines of a table, as `exchange symbols` prints them."""

from __future__ import annotations

from typing import Any

from exchange.cli.options import Options
from exchange.cli.output import print_table, show


def show_one(options: Options, symbol: Any) -> None:
    """Print one symbol."""
    show(symbol, options.json, lambda one: print_symbols([one]))


def print_symbols(symbols: list[dict[str, Any]]) -> None:
    """Print symbols, each a line."""
    rows = (
        (
            symbol["symbol"],
            symbol["state"],
            symbol["reference_price"],
            symbol["round_lot"],
            ", ".join(f"{row['tick']} from {row['from']}" for row in symbol["ticks"]),
            f"{symbol.get('protection_bps', 0)} bps" if symbol.get("protection_bps") else "none",
            " ".join(step["step"] for step in symbol.get("allocation", {}).get("steps", ())) or "price_time",
            symbol["name"],
        )
        for symbol in symbols
    )
    print_table(
        ("symbol", "state", ">reference", ">round lot", "ticks", "protection", "allocation", "name"),
        rows,
        "no symbols",
    )
