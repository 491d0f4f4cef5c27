"""`exchange clearing`: starts clearing alone; `exchange clearing prove` makes its ledger anew from the events."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from exchange.cli.connection import NOTE_EVERY_S, in_path
from exchange.cli.failures import REFUSED, InputError, RefusedError, UnreachableError, UsageError
from exchange.cli.options import Options, Where
from exchange.cli.output import print_facts, print_table, show

app = App(name="clearing", help="Start clearing alone, prove its books, close trading days, show statements.")
DEFAULT = Options()
STANDS = Where()


@app.default
def start(*, where: Where = STANDS) -> None:
    """Start clearing alone; it takes its events from a running engine: `exchange clearing`."""
    from exchange.cli.services import clearing

    clearing(where=where)


@app.command
def prove(*, engine: str = "", options: Options = DEFAULT) -> int:
    """Make the ledger anew from the engine's event log, and compare it by hash: `exchange clearing prove`.

    Clearing recomputes its own books from what it stored; this command makes them a second time, from the events alone.
    Ends with 1 where anything differs. Trading may go on meanwhile.

    Parameters
    ----------
    engine
        Address of the engine; default: that of the configuration.
    """
    clearing = options.official("auditor", "clearing")
    with clearing.patiently("the proof", "exchange clearing prove"):
        stated = clearing.get("/api/v1/prove")
    found = _replayed(engine or options.address("engine"), clearing.key, stated)
    answer = {
        "holds": stated["holds"] and not found["differences"],
        "seq": stated["seq"],
        "trades": stated["trades"],
        "transfers": stated["transfers"],
        "ledger_hash": stated["ledger_hash"],
        "hash_from_events": found["hash"],
        "house_acts": stated.get("house_acts", 0),
        "house_hash": stated.get("house_hash", ""),
        "faults": [*stated["faults"], *found["differences"]],
    }
    show(answer, options.json, _print_proof)
    return 0 if answer["holds"] else REFUSED


@app.command
def statement(
    *,
    account: str = "",
    date: str = "",
    to: Path | None = None,
    as_format: Annotated[Literal["json", "csv", "html"], Parameter(name="--format")] = "json",
    options: Options = DEFAULT,
) -> None:
    """Show an account's statement of a trading day: `exchange clearing statement --date 2026-11-23 --as alice`.

    Parameters
    ----------
    account
        Whose; default: the first account of who asks.
    date
        Which trading day; default: the present one.
    to
        Write it into this file; CSV and HTML need one.
    as_format
        For a file: json, csv, or html to print.
    """
    if as_format != "json" and to is None:
        raise UsageError(f"{as_format} goes into a file; name it with --to")
    clearing = options.trader("clearing")
    query = {"account": account, "date": date, "format": as_format}
    if to is None:
        show(clearing.get("/api/v1/statement", **query), options.json, _print_statement)
        return
    content = clearing.fetch("/api/v1/statement", **query)
    try:
        with to.open("xb") as out:
            out.write(content)
    except FileExistsError:
        raise InputError(f"{to} is there already and stays as it is; give another name") from None
    except OSError as error:
        raise InputError(f"{to} cannot be written: {error.strerror}") from error
    show({"file": str(to), "bytes": len(content)}, options.json, lambda done: print(f"wrote {done['file']}"))


@app.command
def close(date: str, *, reason: str, options: Options = DEFAULT) -> None:
    """Close a trading day that is over: `exchange clearing close 2026-11-23 --reason "end of day"`.

    Refused while engine, clearing and reporter do not agree on it.

    Parameters
    ----------
    date
        Which trading day; days before it that are open are closed with it.
    reason
        Why, for the record.
    """
    body = {"date": date, "reason": reason}
    clearing = options.official("clearing", "clearing")
    with clearing.patiently(f"closing {date}", "exchange clearing cycles"):
        cycle = clearing.post("/api/v1/cycles", body)
    show(cycle, options.json, lambda done: print_facts((k.replace("_", " "), v) for k, v in done.items()))


@app.command
def cycles(*, limit: int = 50, options: Options = DEFAULT) -> None:
    """List the closed trading days, newest first: `exchange clearing cycles`.

    Parameters
    ----------
    limit
        At most this many.
    """
    found = options.official("clearing", "clearing").items("/api/v1/cycles", limit)
    show(found, options.json, _print_cycles)


@app.command
def obligations(date: str, *, account: str = "", limit: int = 1000, options: Options = DEFAULT) -> None:
    """List what accounts owe and are owed for a closed day: `exchange clearing obligations 2026-11-23`.

    Parameters
    ----------
    date
        Which trading day.
    account
        Whose; default: of all.
    limit
        At most this many.
    """
    path = f"/api/v1/cycles/{in_path(date)}"
    found = options.official("clearing", "clearing").items(path, limit, account=account)
    show(found, options.json, _print_obligations)


def _print_cycles(found: list[dict[str, Any]]) -> None:
    names = ("date", "closed_at", "obligations", "left_out", "who", "hash")
    print_table(
        (*(n.replace("_", " ") for n in names),),
        ([each[n] for n in names] for each in found),
        "no closed days",
    )


def _print_obligations(found: list[dict[str, Any]]) -> None:
    rows = ((each["account"], each["symbol"], each["qty"], each["cash"]) for each in found)
    print_table((">account", "symbol", ">shares", ">cash"), rows, "nothing is owed")


def _print_statement(answer: dict[str, Any]) -> None:
    print(f"account {answer['account']} on {answer['business_date']}, {answer['currency']}")
    columns = ("symbol", "opening", "bought", "sold", "closing", "average_price", "mark", "realised_fifo",
               "unrealised_fifo", "fees")  # fmt: skip
    rows = ([line[name] for name in columns] for line in answer["lines"])
    heads = (columns[0], *(f">{name.replace('_', ' ')}" for name in columns[1:]))
    print_table(heads, rows, "no trades until then")
    if answer["fees"]:
        print_table(("fee", ">amount"), answer["fees"].items())
    print(f"{answer['fills_count']} fills on the day")


def _notes(last: int) -> Callable[[int], None]:
    """Return what says now and then on standard error how far the events are read."""
    said_s = time.monotonic()

    def note(sequence: int) -> None:
        nonlocal said_s
        if time.monotonic() - said_s >= NOTE_EVERY_S:
            said_s = time.monotonic()
            print(f"engine: read {sequence:,} of {last:,} events", file=sys.stderr, flush=True)

    return note


def _replayed(url: str, key: str, stated: dict[str, Any]) -> dict[str, Any]:
    import asyncio

    from exchange.clearing.replay_proof import differences, replay
    from exchange.infra.errors import EventsGone, InfraError
    from exchange.infra.http_source import HttpEventSource
    from exchange.post_trade.invariants import BooksBroken

    async def run() -> dict[str, Any]:
        source = HttpEventSource(url, key)
        try:
            ledger = await replay(source, stated["seq"], _notes(stated["seq"]))
        finally:
            await source.close()
        found = differences(ledger, stated["ledger_hash"], stated["transfers"], stated["trades"])
        return {"hash": ledger.books.ledger.running_hash.hex(), "differences": found}

    try:
        return asyncio.run(run())
    except EventsGone as error:
        raise RefusedError(
            f"the engine's event log no longer reaches back to the first event ({error}); give it more "
            "[engine] event_log_mib, or prove from its journal on an engine started from that",
            status=410,
        ) from error
    except BooksBroken as error:
        return {"hash": "", "differences": [f"the events contradict each other: {error}"]}
    except InfraError as error:
        raise UnreachableError(str(error), url=url) from error


def _print_proof(answer: dict[str, Any]) -> None:
    print_facts((name.replace("_", " "), value) for name, value in answer.items() if name != "faults")
    for fault in answer["faults"]:
        print(f"fault: {fault}")
