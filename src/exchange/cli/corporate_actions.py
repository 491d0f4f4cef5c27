"""`exchange symbols split|rename|dividend|short-sales`: corporate actions, and what is asked of short sales."""

from __future__ import annotations

from typing import Any

from exchange.cli.connection import in_path
from exchange.cli.failures import UsageError
from exchange.cli.options import Options
from exchange.cli.symbol_lines import show_one

DEFAULT = Options()


def split(
    symbol: str, ratio: str, *, cash_price: str = "", note: str = "", options: Options = DEFAULT
) -> None:
    """Split a symbol that is closed, halted or suspended: `exchange symbols split AAPL 2:1`.

    Parameters
    ----------
    symbol
        Which symbol.
    ratio
        New shares for old ones: 2:1 doubles the shares and halves the prices, 1:10 makes one share of ten.
    cash_price
        What a new share is worth where a fraction of one is paid out; default: the new reference price.
    note
        What for, for people.
    """
    new, _, old = ratio.partition(":")
    if not (new.isdigit() and old.isdigit() and ratio.isascii()):
        raise UsageError(f"the ratio is new:old, such as 2:1; got {ratio!r}")
    body: dict[str, Any] = {"new_shares": int(new), "old_shares": int(old), "note": note}
    _post(options, symbol, "split", body | ({"cash_price": cash_price} if cash_price else {}))


def rename(symbol: str, ticker: str, *, name: str = "", options: Options = DEFAULT) -> None:
    """Give a symbol that is closed, halted or suspended another ticker: `exchange symbols rename FB META`.

    Parameters
    ----------
    symbol
        Which symbol; this ticker points to the new one from then on.
    ticker
        1 to 8 characters A-Z 0-9 . -
    name
        Another name for people; default: as it is.
    """
    _post(options, symbol, "rename", {"symbol": ticker.upper(), "name": name})


def dividend(symbol: str, amount: str, *, note: str = "", options: Options = DEFAULT) -> None:
    """Let a symbol go ex dividend, and pay its holders: `exchange symbols dividend AAPL 0.25`.

    Parameters
    ----------
    symbol
        Which symbol; it must be closed, halted or suspended.
    amount
        Money per share.
    note
        What for, for people.
    """
    _post(options, symbol, "dividend", {"amount": amount, "note": note})


def short_sales(
    symbol: str,
    *,
    trigger_bps: int = 0,
    needs_locate: bool = False,
    needs_marking: bool = False,
    options: Options = DEFAULT,
) -> None:
    """Set what is asked of short sales: `exchange symbols short-sales AAPL --trigger-bps 1000 --needs-locate`.

    Parameters
    ----------
    symbol
        Which symbol.
    trigger_bps
        The decline from the closing price, in basis points, that restricts short sales; 0 for none.
    needs_locate
        Each says that shares to borrow are located.
    needs_marking
        Each is marked as one.
    """
    body = {"trigger_bps": trigger_bps, "needs_locate": needs_locate, "needs_marking": needs_marking}
    path = f"/api/v1/symbols/{in_path(symbol.upper())}/short_sales"
    show_one(options, options.official("risk", "engine").ask("PUT", path, {}, body))


def _post(options: Options, symbol: str, verb: str, body: dict[str, Any]) -> None:
    path = f"/api/v1/symbols/{in_path(symbol.upper())}/{verb}"
    show_one(options, options.official("operator", "engine").post(path, body))
