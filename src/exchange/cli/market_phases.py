"""`exchange phases …`: the phases of the trading day, halts, and how auctions are checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from cyclopts.validators import Number

from exchange.cli.connection import in_path
from exchange.cli.options import Options
from exchange.cli.output import print_table, show

if TYPE_CHECKING:
    from exchange.cli.calendar_table import Table

app = App(
    name="phases", help="Show the schedule; begin phases, halt and resume trading, set auction collars."
)
DEFAULT = Options()


@app.default
@app.command
def schedule(*, options: Options = DEFAULT) -> None:
    """Show what is scheduled: `exchange phases schedule`."""
    show(options.public("engine").get("/api/v1/market/schedule"), options.json, _print_schedule)


@app.command(name="set")
def set_(phase: str, *, symbol: str = "", reason: str = "", options: Options = DEFAULT) -> None:
    """Begin a phase now: `exchange phases set closing_auction --symbol AAPL`.

    Parameters
    ----------
    phase
        continuous, pre_open, opening_auction, opening_no_cancel, closing_auction, closing_no_cancel, post_close or
        closed.
    symbol
        Which symbol; default: all.
    reason
        Why, for people.
    """
    _post(options, "phase", {"phase": phase, "symbol": symbol.upper(), "reason": reason})


@app.command
def halt(reason: str, *, symbol: str = "", options: Options = DEFAULT) -> None:
    """Halt trading; cancels are still taken: `exchange phases halt "news pending" --symbol AAPL`.

    Parameters
    ----------
    reason
        Why, for people.
    symbol
        Which symbol; default: all.
    """
    _post(options, "halt", {"reason": reason, "symbol": symbol.upper()})


@app.command
def resume(
    *, symbol: str = "", call_s: int = 0, random_end_s: int = 0, reason: str = "", options: Options = DEFAULT
) -> None:
    """End a halt by an auction: `exchange phases resume --symbol AAPL --call-s 300`.

    Parameters
    ----------
    symbol
        Which symbol; default: all.
    call_s
        For how many seconds orders gather before the auction.
    random_end_s
        How many seconds longer at most, by chance.
    reason
        Why, for people.
    """
    body = {"symbol": symbol.upper(), "call_s": call_s, "random_end_s": random_end_s, "reason": reason}
    _post(options, "resume", body)


@app.command
def collar(
    symbol: str, collar_bps: int, *, extension_s: int = 0, extensions: int = 0, options: Options = DEFAULT
) -> None:
    """Set how far from the reference price auctions may end: `exchange phases collar AAPL 1000 --extensions 2
    --extension-s 300`.

    Parameters
    ----------
    symbol
        Which symbol.
    collar_bps
        In basis points: 1000 is 10 %; 0 lets them end anywhere.
    extension_s
        How long an auction goes on whose price is outside.
    extensions
        How often at most; the collar gets wider by itself each time.
    """
    body = {"collar_bps": collar_bps, "extension_s": extension_s, "extensions_max": extensions}
    path = f"/api/v1/symbols/{in_path(symbol.upper())}/auction"
    changed = options.official("operator", "engine").ask("PUT", path, {}, body)
    show(
        changed,
        options.json,
        lambda one: print_table(("symbol", "phase"), [(one["symbol"], one["phase"])], ""),
    )


@app.command
def calendar(
    market: str,
    *,
    year: Annotated[int, Parameter(validator=Number(gte=2000, lte=2100))],
    years: Annotated[int, Parameter(validator=Number(gte=1, lte=10))] = 1,
    opening_call: Annotated[int, Parameter(validator=Number(gte=0, lte=240))] = 5,
    closing_call: Annotated[int, Parameter(validator=Number(gte=0, lte=240))] = 10,
    dates_only: bool = False,
    write: Path | None = None,
    json: bool = False,
) -> None:
    """Print `[engine.schedule]` with the holidays and half days of a real exchange: `exchange phases calendar XNYS
    --year 2027`.

    Needs exchange-calendars: pip install 'stock-exchange[calendars]'. The engine takes it at its next start.

    Parameters
    ----------
    market
        A market identifier code such as XNYS, XLON or XTKS.
    year
        The first year.
    years
        How many, from that on.
    opening_call
        Minutes of the auction before the market opens; 0: none.
    closing_call
        Minutes of the auction at the end of the day; 0: none.
    dates_only
        Leave the phases of regular and half days out.
    write
        Merge it into this file instead, such as exchange.toml; dates of other years there stay.
    json
        Write JSON for machines.
    """
    from datetime import timedelta

    from exchange.cli.calendar_file import write_table
    from exchange.cli.calendar_table import table_of, table_text
    from exchange.cli.exchange_calendar import calendar_of

    wanted = range(year, year + years)
    found = calendar_of(market.upper(), wanted)
    calls = timedelta(minutes=opening_call), timedelta(minutes=closing_call)
    table = table_of(found, wanted, *calls, dates_only=dates_only)
    answer = {
        "market": found.name,
        "years": list(wanted),
        "schedule": table.values,
        "other_days": table.other_days,
    }
    if write is not None:
        answer["schedule"] = write_table(write, table, wanted)
        answer["file"] = str(write)
    title = f"{found.name} {year}" + (f" to {wanted[-1]}" if years > 1 else "")
    show(
        answer,
        json,
        lambda _: print(_said(table, title, write) if write else table_text(table, title), end=""),
    )


def _said(table: Table, title: str, file: Path) -> str:
    days = f"{len(table.values['holidays'])} days without trading, {len(table.values['half_days'])} half days"
    others = "".join(f"no trading here, though the market has: {day}\n" for day in table.other_days)
    return f"{others}{file} has the days of {title} ({days}); the engine takes them at its next start\n"


def _post(options: Options, verb: str, body: dict[str, Any]) -> None:
    answer = options.official("operator", "engine").post(f"/api/v1/market/{verb}", body)
    show(answer, options.json, _print_schedule)


def _print_schedule(schedule: dict[str, Any]) -> None:
    rows = ((row["at"], row["symbol"] or "all", row["phase"]) for row in schedule["items"])
    print_table(("begins", "symbol", "phase"), rows, "nothing is scheduled")
