"""`exchange volatility …`: price bands and corridors of symbols, and the breaker of the market."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from exchange.cli.connection import in_path
from exchange.cli.options import Options
from exchange.cli.output import print_table, show

app = App(
    name="volatility",
    help="Show and set what protects a symbol from sudden prices; set the breaker of the market.",
)
DEFAULT = Options()


@app.command
def limits(symbol: str, *, options: Options = DEFAULT) -> None:
    """Show what protects a symbol, and where its limits stand: `exchange volatility limits AAPL`.

    Parameters
    ----------
    symbol
        Which symbol.
    """
    _show_limits(options, options.public("engine").get(_path(symbol, "limits")))


@app.command
def bands(symbol: str, tier: int, *, options: Options = DEFAULT) -> None:
    """Give a symbol the bands of the limit-up/limit-down plan: `exchange volatility bands AAPL 1`.

    Parameters
    ----------
    symbol
        Which symbol.
    tier
        1 or 2; 0 takes its bands or its corridor away.
    """
    _show_limits(options, _put(options, _path(symbol, "bands"), {"tier": tier}))


@app.command
def corridor(
    symbol: str,
    *,
    dynamic_bps: int = 0,
    static_bps: int = 0,
    call_s: int = 120,
    random_end_s: int = 30,
    options: Options = DEFAULT,
) -> None:
    """Give a symbol a corridor with a volatility auction: `exchange volatility corridor AAPL --dynamic-bps 200`.

    Parameters
    ----------
    symbol
        Which symbol.
    dynamic_bps
        Around the last price, in basis points: 200 is 2 %; 0 for none.
    static_bps
        Around the last auction's price; 0 for none. Without both the symbol has no protection.
    call_s
        For how many seconds orders gather before the auction.
    random_end_s
        How many seconds longer at most, by chance.
    """
    body = {
        "dynamic_bps": dynamic_bps,
        "static_bps": static_bps,
        "call_s": call_s,
        "random_end_s": random_end_s,
    }
    _show_limits(options, _put(options, _path(symbol, "corridor"), body))


@app.command
def breaker(close_level: str = "", *, options: Options = DEFAULT) -> None:
    """Show the breaker of the market, or set the close it compares with: `exchange volatility breaker 5123.45`.

    Parameters
    ----------
    close_level
        The last close of its index; 0 for no breaker.
    """
    path = "/api/v1/market/breaker"
    answer = (
        _put(options, path, {"close_level": close_level})
        if close_level
        else options.public("engine").get(path)
    )
    _show_breaker(options, answer)


@app.command
def index(level: str, *, options: Options = DEFAULT) -> None:
    """Report where the breaker's index stands: `exchange volatility index 5080.10`.

    Parameters
    ----------
    level
        In the unit of its close, with up to four decimals.
    """
    answer = options.official("operator", "engine").post("/api/v1/market/index", {"level": level})
    _show_breaker(options, answer)


def _path(symbol: str, what: str) -> str:
    return f"/api/v1/symbols/{in_path(symbol.upper())}/{what}"


def _put(options: Options, path: str, body: dict[str, Any]) -> Any:
    return options.official("operator", "engine").ask("PUT", path, {}, body)


def _show_limits(options: Options, answer: Any) -> None:
    show(answer, options.json, _print_limits)


def _print_limits(answer: dict[str, Any]) -> None:
    names = {"bands": f"bands of tier {answer['tier']}", "none": "none"}
    corridor_text = f"corridor {answer['dynamic_bps']} bps, static {answer['static_bps']} bps"
    row = (
        answer["symbol"], names.get(answer["mode"], corridor_text), answer["lowest_price"] or "-",
        answer["highest_price"] or "-", answer["reference_price"] or "-", answer["state"],
        answer["pause_at"] or "-",
    )  # fmt: skip
    heads = ("symbol", "protection", ">lowest", ">highest", ">reference", "state", "pause at")
    print_table(heads, [row], "")


def _show_breaker(options: Options, answer: Any) -> None:
    show(
        answer, options.json, lambda one: print_table(("close",), [(one["close_level"] or "no breaker",)], "")
    )
