"""`exchange export …`: what happened on the market as files that other programs read."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import App, Parameter

from exchange.cli.failures import InputError, RefusedError, UnreachableError
from exchange.cli.options import Options
from exchange.cli.output import print_table, show

if TYPE_CHECKING:
    from exchange.infra.event_source import EventSource
    from exchange.reporter.table_files import TableFile

Format = Literal["parquet", "arrow", "csv"]
LEVELS_MAX = 100

app = App(name="export", help="Write what happened on the market into files that other programs read.")
DEFAULT = Options()


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Selection:
    """What of a table is written, and how."""

    date: str = ""
    "Only this business date, such as 2026-11-23."
    symbol: str = ""
    "Only this symbol."
    format: Format = "parquet"
    "parquet and arrow need pyarrow; csv needs nothing."


ALL = Selection()


@app.command
def itch(folder: Path = Path(), *, date: str = "", options: Options = DEFAULT) -> None:
    """Write a file of ITCH 5.0 for each business date: `exchange export itch days --date 2026-11-23`.

    The files have the form BinaryFILE, which parsers of ITCH read; the one of today ends where the market is now.

    Parameters
    ----------
    folder
        Where `YYYYMMDD.itch` is written; made where it is missing.
    date
        Only this business date, such as 2026-11-23.
    """
    from exchange.reporter.itch_files import ItchFiles, export_days

    wanted = date_number(date)
    with writing(folder):
        files = ItchFiles(folder, wanted)
        export_from_engine(lambda source: export_days(source, files, time.time_ns()), options)
    if wanted and not files.days:
        raise InputError(f"no event of {date}: the engine has not been in that business date")
    show([_plain(day) for day in files.days.values()], options.json, _print_days)


@app.command
def trades(
    folder: Path = Path(),
    *,
    selection: Selection = ALL,
    options: Options = DEFAULT,
) -> None:
    """Write all trades as they stand now, busts and corrections marked: `exchange export trades files --symbol AAPL`.

    Parameters
    ----------
    folder
        Where `trades/DATE/SYMBOL.parquet` is written; made where it is missing.
    """
    _export_table("trades", folder, selection, options)


@app.command
def orders(
    folder: Path = Path(),
    *,
    selection: Selection = ALL,
    options: Options = DEFAULT,
) -> None:
    """Write everything that happened to every order, with accounts: `exchange export orders files --format csv`.

    Parameters
    ----------
    folder
        Where `orders/DATE/SYMBOL.parquet` is written; made where it is missing.
    """
    _export_table("orders", folder, selection, options)


@app.command
def book(
    folder: Path = Path(),
    *,
    selection: Selection = ALL,
    options: Options = DEFAULT,
) -> None:
    """Write each change of each price level: `exchange export book files --date 2026-11-23`.

    Parameters
    ----------
    folder
        Where `book/DATE/SYMBOL.parquet` is written; made where it is missing.
    """
    _export_table("book", folder, selection, options)


@app.command
def candles(
    folder: Path = Path(),
    *,
    interval: str = "1m",
    selection: Selection = ALL,
    options: Options = DEFAULT,
) -> None:
    """Write candles of any interval, of the trades that stand: `exchange export candles files --interval 5m`.

    Parameters
    ----------
    folder
        Where `candles/DATE/SYMBOL.parquet` is written; made where it is missing.
    interval
        Such as 1s, 5m, 1h or 1d.
    """
    from exchange.market_data.candles import IntervalError, parse_interval

    try:
        interval_s = parse_interval(interval)
    except IntervalError as error:
        raise InputError(f"--interval: {error}") from error
    _export_table("candles", folder, selection, options, interval_s)


@app.command
def lobster(
    symbol: str, folder: Path = Path(), *, date: str = "", levels: int = 10, options: Options = DEFAULT
) -> None:
    """Write a symbol's message and book files in the form of LOBSTER: `exchange export lobster AAPL files`.

    Parameters
    ----------
    symbol
        Which symbol.
    folder
        Where `AAPL_DATE_0_86400000_message_10.csv` and `…_orderbook_10.csv` are written; made where it is missing.
    date
        Only this business date, such as 2026-11-23.
    levels
        Price levels a side in the book file, 1 to 100.
    """
    from exchange.reporter.table_files import LobsterFiles, export_lobster

    if not 1 <= levels <= LEVELS_MAX:
        raise InputError(f"--levels must be 1 to {LEVELS_MAX}, got {levels}")
    wanted = date_number(date)
    with writing(folder):
        files = LobsterFiles(folder, symbol, levels, wanted)
        export_from_engine(lambda source: export_lobster(source, files, time.time_ns()), options)
    if not files.rows.is_listed:
        raise InputError(f"no symbol {symbol!r} was ever listed; `exchange symbols list` shows them")
    found = [file for pair in files.files.values() for file in pair]
    show([_plain_file(file) for file in found], options.json, _print_files)


def _export_table(
    name: str, folder: Path, selection: Selection, options: Options, interval_s: int = 60
) -> None:
    from exchange.market_data.day_tables import DayTable
    from exchange.reporter.table_files import TableFiles, TooManyFiles, export_table

    if selection.format != "csv":
        need_pyarrow(selection.format)
    wanted = date_number(selection.date)
    table = DayTable(name, wanted_date=wanted, wanted_symbol=selection.symbol, interval_s=interval_s)
    with writing(folder):
        files = TableFiles(folder, name, selection.format)
        try:
            export_from_engine(lambda source: export_table(source, table, files, time.time_ns()), options)
        except TooManyFiles as error:
            raise InputError(str(error)) from error
    found = sorted(files.files.values(), key=lambda file: (file.date, file.symbol))
    show([_plain_file(file) for file in found], options.json, _print_files)


def need_pyarrow(kind: str) -> None:
    """Refuse a format whose library is not installed. Raise `InputError`."""
    from importlib.util import find_spec

    if find_spec("pyarrow") is None:
        raise InputError(f"{kind} needs pyarrow: pip install 'stock-exchange[frames]', or take --format csv")


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Make a folder to write into; what cannot be written is said. Raise `InputError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise InputError(f"{error.filename or folder} cannot be written: {error.strerror}") from error


def export_from_engine(begin: Callable[[EventSource], AsyncIterator[int]], options: Options) -> None:
    """Run an export from the engine's events, showing how far it is."""
    import uvloop

    from exchange.infra.errors import EventsGone, InfraError
    from exchange.infra.http_source import HttpEventSource

    engine = options.official("auditor", "engine")

    async def run() -> None:
        source = HttpEventSource(engine.url, engine.key)
        try:
            with _progress() as progress:
                async for sequence in begin(source):
                    progress(sequence)
        finally:
            await source.close()

    try:
        uvloop.run(run())
    except EventsGone as gone:
        raise RefusedError(
            f"the engine keeps events from {gone.first_kept} on, and books are built from the first one; "
            "[engine] event_log_mib says how much it keeps",
            reason="gone",
        ) from gone
    except InfraError as error:
        raise UnreachableError(str(error), url=engine.url) from error


@contextmanager
def _progress() -> Iterator[Callable[[int], object]]:
    """Show how far it is on a terminal, else nothing."""
    if not sys.stderr.isatty():
        yield lambda sequence: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} events"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("export", total=None)
        yield lambda sequence: bar.update(task, completed=sequence)


def date_number(text: str) -> int:
    """Read a date as YYYYMMDD, 0 for none. Raise `InputError`."""
    from datetime import date

    if not text:
        return 0
    try:
        return int(date.fromisoformat(text).strftime("%Y%m%d"))
    except ValueError as error:
        raise InputError(f"--date must be such as 2026-11-23, got {text!r}: {error}") from error


def _plain(day: Any) -> dict[str, Any]:
    from exchange.domain.units import format_date

    return {
        "date": format_date(day.date),
        "file": str(day.path),
        "messages": day.messages,
        "bytes": day.bytes,
        "is_whole": day.is_whole,
    }


def _plain_file(file: TableFile) -> dict[str, Any]:
    from exchange.domain.units import format_date

    found = {"date": format_date(file.date), "symbol": file.symbol, "file": str(file.path)}
    return {**found, "rows": file.rows, "bytes": file.bytes}


def _print_files(files: list[dict[str, Any]]) -> None:
    print_table(
        ["date", "symbol", "file", "rows", "bytes"],
        [
            [file["date"], file["symbol"], file["file"], f"{file['rows']:,}", f"{file['bytes']:,}"]
            for file in files
        ],
    )


def _print_days(days: list[dict[str, Any]]) -> None:
    print_table(
        ["date", "file", "messages", "bytes", "day"],
        [
            [
                day["date"],
                day["file"],
                f"{day['messages']:,}",
                f"{day['bytes']:,}",
                "over" if day["is_whole"] else "goes on",
            ]
            for day in days
        ],
    )
