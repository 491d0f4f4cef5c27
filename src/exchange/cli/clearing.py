"""`exchange clearing`: starts clearing alone; `exchange clearing prove` makes its ledger anew from the events."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from exchange.cli.failures import REFUSED, RefusedError, UnreachableError
from exchange.cli.options import Options, Where
from exchange.cli.output import print_facts, show

app = App(name="clearing", help="Start clearing alone, or prove its books from the engine's events.")
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
    stated = clearing.get("/api/v1/prove")
    found = _replayed(engine or options.address("engine"), clearing.key, stated)
    answer = {
        "holds": stated["holds"] and not found["differences"],
        "seq": stated["seq"],
        "trades": stated["trades"],
        "transfers": stated["transfers"],
        "ledger_hash": stated["ledger_hash"],
        "hash_from_events": found["hash"],
        "faults": [*stated["faults"], *found["differences"]],
    }
    show(answer, options.json, _print_proof)
    return 0 if answer["holds"] else REFUSED


def _replayed(url: str, key: str, stated: dict[str, Any]) -> dict[str, Any]:
    import asyncio

    from exchange.clearing.replay_proof import differences, replay
    from exchange.infra.errors import EventsGone, InfraError
    from exchange.infra.http_source import HttpEventSource
    from exchange.post_trade.invariants import BooksBroken

    async def run() -> dict[str, Any]:
        source = HttpEventSource(url, key)
        try:
            ledger = await replay(source, stated["seq"])
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
