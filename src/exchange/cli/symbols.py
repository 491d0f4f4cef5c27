"""`exchange symbols …`: what is traded, and what operators do with it."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from exchange.cli import corporate_actions
from exchange.cli.connection import in_path
from exchange.cli.failures import UsageError
from exchange.cli.options import Options
from exchange.cli.output import show
from exchange.cli.symbol_lines import print_symbols, show_one

app = App(name="symbols", help="List, add and suspend symbols, and set their reference prices.")
DEFAULT = Options()
for action in (corporate_actions.split, corporate_actions.rename, corporate_actions.dividend):
    app.command(action)
app.command(corporate_actions.short_sales)


@app.default
@app.command(name="list")
def list_(*, options: Options = DEFAULT) -> None:
    """List the symbols: `exchange symbols list`."""
    show(options.public("engine").items("/api/v1/symbols"), options.json, print_symbols)


@app.command
def add(
    symbol: str,
    *,
    reference_price: str,
    name: str = "",
    round_lot: str = "1",
    ticks: str = "",
    options: Options = DEFAULT,
) -> None:
    """List a new symbol: `exchange symbols add ACME --name "Acme Corporation" --reference-price 25.00`.

    Parameters
    ----------
    symbol
        1 to 8 characters A-Z 0-9 . -
    reference_price
        What the first trade is compared with.
    name
        The name for people; default: the symbol.
    round_lot
        Quantities are multiples of this.
    ticks
        Tick sizes by price such as 0:0.0001,1:0.01; default: that one.
    """
    body: dict[str, Any] = {
        "symbol": symbol.upper(),
        "name": name or symbol.upper(),
        "reference_price": reference_price,
        "round_lot": round_lot,
    }
    if ticks:
        rows = (row.partition(":") for row in ticks.split(","))
        body["ticks"] = [{"from": start, "tick": tick} for start, _, tick in rows]
    show_one(options, options.official("operator", "engine").post("/api/v1/symbols", body))


@app.command
def suspend(symbol: str, *, reason: str = "", options: Options = DEFAULT) -> None:
    """Suspend trading in a symbol; cancels are still taken: `exchange symbols suspend AAPL --reason "news pending"`.

    Parameters
    ----------
    symbol
        Which symbol.
    reason
        Why, for people.
    """
    show_one(options, _change(options, symbol, "suspend", reason))


@app.command
def resume(symbol: str, *, reason: str = "", options: Options = DEFAULT) -> None:
    """Let a symbol trade again: `exchange symbols resume AAPL`.

    Parameters
    ----------
    symbol
        Which symbol.
    reason
        Why, for people.
    """
    show_one(options, _change(options, symbol, "resume", reason))


@app.command
def reference(symbol: str, price: str, *, options: Options = DEFAULT) -> None:
    """Set the price that the next trade is compared with: `exchange symbols reference AAPL 189.20`.

    Parameters
    ----------
    symbol
        Which symbol.
    price
        The new reference price.
    """
    path = f"/api/v1/symbols/{in_path(symbol.upper())}/reference_price"
    show_one(options, options.official("operator", "engine").ask("PUT", path, {}, {"price": price}))


@app.command
def protection(symbol: str, band_bps: int, *, options: Options = DEFAULT) -> None:
    """Set how far from the reference price market orders may trade: `exchange symbols protection AAPL 500`.

    Parameters
    ----------
    symbol
        Which symbol.
    band_bps
        In basis points: 500 is 5 %; 0 lets them trade at any price.
    """
    path = f"/api/v1/symbols/{in_path(symbol.upper())}/protection"
    show_one(options, options.official("operator", "engine").ask("PUT", path, {}, {"band_bps": band_bps}))


@app.command
def allocation(symbol: str, *steps: str, lead: str = "", options: Options = DEFAULT) -> None:
    """Set how trades are shared out at one price: `exchange symbols allocation AAPL top pro_rata,min=2 fifo`.

    Parameters
    ----------
    symbol
        Which symbol.
    steps
        price_time alone, or in their sequence: fifo; pro_rata, with min=2 or rounding=up behind a comma; top, with
        share=5000 (basis points), min=10 or max=100; lead; split,share=4000; leveling.
    lead
        Lead market makers for the lead step as account:basis points, such as 3:2000,5:1000.
    """
    if not steps:
        raise UsageError("name the steps, or price_time; `exchange symbols allocation --help` lists them")
    body = {"steps": [], "lead_makers": _lead_makers(lead)} if steps == ("price_time",) else {
        "steps": [_step(text) for text in steps], "lead_makers": _lead_makers(lead)
    }  # fmt: skip
    path = f"/api/v1/symbols/{in_path(symbol.upper())}/allocation"
    show_one(options, options.official("operator", "engine").ask("PUT", path, {}, body))


def _step(text: str) -> dict[str, Any]:
    from exchange.domain.allocation import parse_step
    from exchange.wire.rest.symbols import ROUNDING_TEXT, STEP_TEXT

    try:
        step = parse_step(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
    numbers = {"share_bps": step.share_bps, "minimum": step.minimum, "maximum": step.maximum}
    said = {"step": STEP_TEXT[step.kind], "rounding": ROUNDING_TEXT[step.rounding]} | numbers
    return {name: value for name, value in said.items() if value}


def _lead_makers(text: str) -> list[dict[str, Any]]:
    return [{"account": str(account), "share_bps": share} for account, share in lead_makers_of(text)]


def lead_makers_of(text: str) -> list[tuple[int, int]]:
    """Read (account, basis points) from a text such as 3:2000,5:1000. Raise `UsageError` where it is none."""
    makers = []
    for each in filter(None, text.split(",")):
        account, _, share = each.partition(":")
        if not (account.isdigit() and share.isdigit() and each.isascii()):
            raise UsageError(f"--lead takes account:basis points, such as 3:2000,5:1000; got {each!r}")
        makers.append((int(account), int(share)))
    return makers


def _change(options: Options, symbol: str, verb: str, reason: str) -> Any:
    path = f"/api/v1/symbols/{in_path(symbol.upper())}/{verb}"
    return options.official("operator", "engine").post(path, {"reason": reason} if reason else {})
