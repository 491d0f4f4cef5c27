"""`exchange book` and `exchange tape`: what rests and what traded, once or as it goes."""

from __future__ import annotations

from typing import Any, Literal

from exchange.cli.failures import RefusedError
from exchange.cli.options import Options
from exchange.cli.output import print_json, show
from exchange.cli.pictures import TAPE_HEAD, book_lines, trade_line

DEFAULT = Options()


def book(
    symbol: str,
    *,
    depth: int = 10,
    level: Literal[2, 3] = 2,
    watch: bool = False,
    options: Options = DEFAULT,
) -> None:
    """Show the order book: `exchange book AAPL`, or as it changes: `exchange book AAPL --watch`.

    Parameters
    ----------
    symbol
        Which symbol.
    depth
        Price levels a side, or orders with --level 3.
    level
        2: price levels; 3: every order, in the sequence in which they would trade.
    watch
        Show it as it changes, until Ctrl-C; comes from the reporter.
    """
    if watch:
        from exchange.cli.watch import watch_book

        watch_book(options, symbol.upper(), depth)
        return
    found = options.public("engine").get("/api/v1/book", symbol=symbol.upper(), depth=depth, level=level)[
        "items"
    ]
    if not found:
        raise RefusedError(f"there is no book of {symbol.upper()}; `exchange symbols list` shows the symbols")
    show(found[0], options.json, print_book)


def tape(symbol: str, *, limit: int = 20, follow: bool = False, options: Options = DEFAULT) -> None:
    """Show the latest trades: `exchange tape AAPL`, or as they happen: `exchange tape AAPL --follow`.

    Parameters
    ----------
    symbol
        Which symbol.
    limit
        At most this many of the past.
    follow
        Go on with those that come, until Ctrl-C.
    """
    trades = options.public("reporter").items("/api/v1/trades", limit, symbol=symbol.upper())
    if options.json:
        for trade in reversed(trades) if follow else [trades]:
            print_json(trade)
    elif trades or follow:
        print(TAPE_HEAD)
        for trade in reversed(trades):
            print(trade_line(trade))
    else:
        print(f"no trades in {symbol.upper()}")
    if follow:
        from exchange.cli.watch import follow_tape

        follow_tape(options, symbol.upper(), after=trades[0]["seq"] if trades else 0)


def print_book(book: dict[str, Any]) -> None:
    """Print a book: asks above bids, best in the middle."""
    for line in book_lines(book):
        print(line)
