"""`exchange export …`: what happened on the market as files that other programs read."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

from exchange.cli.failures import InputError, RefusedError, UnreachableError
from exchange.cli.options import Options
from exchange.cli.output import print_table, show

if TYPE_CHECKING:
    from exchange.reporter.itch_files import ItchFiles

app = App(name="export", help="Write what happened on the market into files that other programs read.")
DEFAULT = Options()


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
    from exchange.reporter.itch_files import ItchFiles

    wanted = _date(date)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = ItchFiles(folder, wanted)
        _export(files, options)
    except OSError as error:
        raise InputError(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    if wanted and not files.days:
        raise InputError(f"no event of {date}: the engine has not been in that business date")
    show([_plain(day) for day in files.days.values()], options.json, _print_days)


def _export(files: ItchFiles, options: Options) -> None:
    import uvloop

    from exchange.infra.errors import EventsGone, InfraError
    from exchange.infra.http_source import HttpEventSource
    from exchange.reporter.itch_files import export_days

    engine = options.official("auditor", "engine")

    async def run() -> None:
        source = HttpEventSource(engine.url, engine.key)
        try:
            with _progress() as progress:
                async for sequence in export_days(source, files, time.time_ns()):
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


def _date(text: str) -> int:
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
