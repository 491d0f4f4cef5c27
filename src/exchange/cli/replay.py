"""`exchange replay lobster`: real order flow from a LOBSTER file through an exchange, and what came of it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cyclopts import App

from exchange.cli.failures import REFUSED, InputError, RefusedError, UnreachableError, UsageError
from exchange.cli.options import KEY_VARIABLE, Options
from exchange.cli.output import print_facts, show

if TYPE_CHECKING:
    from exchange.simulation.lobster_run import Progress, ReplayInput, ReplayJob, ReplaySummary

app = App(name="replay", help="Replay real order flow through an exchange.")
app.command("exchange.cli.allocation_trial:allocation", name="allocation")
DEFAULT = Options()
PLACE_FILE = "replay.json"
SPEED_MAX = 1_000_000
SHOW_EVERY_S = 0.1

Result = TypeVar("Result")


@app.command
def lobster(
    messages: Path,
    *,
    opening: Path | None = None,
    exceptions: Path | None = None,
    verify: Path | None = None,
    speed: str = "max",
    symbol: str = "",
    against: str = "",
    reporter: str = "",
    resume: bool = False,
    options: Options = DEFAULT,
) -> int:
    """Replay a LOBSTER message file: `exchange replay lobster messages.csv --opening book.csv --speed max`.

    Without --against an exchange is started for it: in a folder that is thrown away, or in the one named with --data.
    With --verify it ends with 1 unless everything comes out.

    Parameters
    ----------
    messages
        Message file: time, type, order id, size, price, direction.
    opening
        Orders that rest before the first message: side,price,size,order_id.
    exceptions
        Executions out of turn: row,time,order_id,size. On these rows the named order is reduced.
    verify
        Best quotes to compare with what the reporter's feed shows: time,ask,ask_size,bid,bid_size,row.
    speed
        max, or a multiple of real time such as 10.
    symbol
        Name of the symbol to list; default: made from the file's name.
    against
        Address of the engine of a running exchange.
    reporter
        Address of its reporter, needed for --verify where it cannot be found by itself.
    resume
        Go on where an earlier replay stopped, in the same data folder.
    """
    job = _job(options, messages, opening, exceptions, verify, _speed(speed), symbol)
    files = _reading(job)
    if against:
        job = _aimed(job, options, against, reporter, resume)
        summary = _run(lambda: _replay(job, files))
    else:
        summary = _run(lambda: _embedded(job, files, options, resume))
    show(_plain(summary), options.json, lambda _: _print_summary(summary))
    return 0 if summary.holds else REFUSED


def _job(
    options: Options,
    messages: Path,
    opening: Path | None,
    exceptions: Path | None,
    verify: Path | None,
    speed: int,
    symbol: str,
) -> ReplayJob:
    from exchange.simulation.lobster_run import ReplayJob

    return ReplayJob(
        messages=messages,
        opening=opening,
        exceptions=exceptions,
        quotes=verify,
        speed=speed,
        symbol=symbol.upper(),
        engine_url="",
        reporter_url="",
        operator_key="",
        place_file=Path(),
    )


def _reading(job: ReplayJob) -> ReplayInput:
    from exchange.simulation.lobster import LobsterError
    from exchange.simulation.lobster_run import read_input

    try:
        return read_input(job)
    except LobsterError as error:
        raise InputError(str(error)) from error


def _aimed(job: ReplayJob, options: Options, against: str, reporter: str, resume: bool) -> ReplayJob:
    """Aim a job at a running exchange."""
    import msgspec

    folder = options.folder()
    return msgspec.structs.replace(
        job,
        engine_url=against,
        reporter_url=reporter or (options.address("reporter") if job.quotes else ""),
        operator_key=options.key
        or os.environ.get(KEY_VARIABLE, "")
        or options.key_named(options.as_ or "operator"),
        place_file=folder / PLACE_FILE if folder.is_dir() else Path(PLACE_FILE),
        resume=resume,
    )


async def _replay(job: ReplayJob, files: ReplayInput) -> ReplaySummary:
    from exchange.simulation.lobster_run import replay

    with _progress(files.rows) as progress:
        return await replay(job, files, progress)


async def _embedded(job: ReplayJob, files: ReplayInput, options: Options, resume: bool) -> ReplaySummary:
    """Start an exchange that lists nothing else, replay, and stop it."""
    import msgspec

    from exchange.launch.up import up

    if resume and options.data is None:
        raise UsageError(
            "an exchange in a folder that is thrown away cannot be resumed; name the folder with --data"
        )
    with tempfile.TemporaryDirectory(prefix="exchange-replay-") as thrown_away:
        folder = options.data or Path(thrown_away)
        ports = 0 if options.port_base is None else options.port_base
        given = {"data": str(folder), "port_base": ports}
        if options.data is None:
            given["engine.snapshot_every_commands"] = 0
        config = options.load(**given)
        config = msgspec.structs.replace(config, symbols=())
        embedded = await up(config)
        try:
            aimed = msgspec.structs.replace(
                job,
                engine_url=embedded.engine.url,
                reporter_url=embedded.reporter.url,
                operator_key=embedded.keys.operator,
                place_file=folder / PLACE_FILE,
                resume=resume,
            )
            return await _replay(aimed, files)
        finally:
            await embedded.stop()


def _run(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run to the end, and tell what went wrong in the words of the command line."""
    import uvloop

    from exchange.infra.log import configure_log
    from exchange.simulation.lobster import LobsterError
    from exchange.simulation.rest import ConnectionFailed, RequestRefused

    configure_log("warning")
    try:
        return uvloop.run(work())
    except LobsterError as error:
        raise InputError(str(error)) from error
    except RequestRefused as refused:
        raise RefusedError(str(refused), reason=refused.error.reason, code=refused.error.code) from refused
    except ConnectionFailed as error:
        raise UnreachableError(str(error)) from error


def _speed(text: str) -> int:
    if text == "max":
        return 0
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= SPEED_MAX:
        raise UsageError(
            f"--speed must be max or a whole multiple of real time from 1 to {SPEED_MAX}, got {text!r}"
        )
    return int(text)


@contextmanager
def _progress(rows: int) -> Iterator[Progress]:
    """Show a bar on a terminal, else nothing."""
    if not sys.stderr.isatty():
        yield lambda row, of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("replay"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("replay", total=rows)
        yield lambda row, of: bar.update(task, completed=row)


def _plain(summary: ReplaySummary) -> Any:
    import msgspec

    plain = msgspec.to_builtins(summary)
    plain["comparisons"] = [
        comparison._asdict() | {"holds": comparison.holds} for comparison in summary.comparisons
    ]
    return plain | {"holds": summary.holds}


def _print_summary(summary: ReplaySummary) -> None:
    resumed = f", resumed after row {summary.resumed_after_row:,}" if summary.resumed_after_row else ""
    quotes = (
        f"{summary.bid_qty} x {summary.bid or 'none'} / {summary.ask or 'none'} x {summary.ask_qty}"
        if summary.bid or summary.ask
        else "none"
    )
    print_facts(
        [
            ("symbol", summary.symbol + resumed),
            ("messages", f"{summary.messages:,} in {summary.elapsed_s:.1f} s, {summary.messages_per_s:,}/s"),
            ("orders", f"{summary.orders:,}, {summary.orders_per_s:,}/s, in {summary.requests:,} requests"),
            ("trades", f"{summary.trades:,}, {summary.volume:,} shares"),
            ("rejects", f"{summary.rejects:,}"),
            ("hidden executions", f"{summary.hidden:,}, ignored"),
            ("out of turn", f"{summary.out_of_turn:,} reductions, {summary.out_of_turn_shares:,} shares"),
            ("unknown orders", f"{summary.unknown:,}, ignored"),
            ("remaining orders", f"{summary.remaining:,}"),
            ("best quotes", quotes),
        ]
    )
    for line in summary.first_rejects:
        print(f"reject: {line}")
    for comparison in summary.comparisons:
        verdict = "as expected" if comparison.holds else f"DIFFERS, {comparison.seen:,} seen"
        print(f"verify: {comparison.what}: {comparison.equal:,} of {comparison.expected:,}, {verdict}")
        for difference in comparison.differences:
            print(f"  {difference}")
