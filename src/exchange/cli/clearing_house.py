"""`exchange clearing settle, instructions, settlements, buy-in, house`: what the clearing house does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchange.cli.clearing import DEFAULT, app
from exchange.cli.connection import in_path
from exchange.cli.failures import REFUSED
from exchange.cli.options import Options
from exchange.cli.output import print_facts, print_table, show

__all__ = ["app"]


@app.command
def settle(date: str, *, reason: str, options: Options = DEFAULT) -> None:
    """Settle what is due on a day: `exchange clearing settle 2026-11-24 --reason "night run"`.

    All or nothing. A run that was interrupted is ended instead.

    Parameters
    ----------
    date
        Which settlement day.
    reason
        Why, for the record.
    """
    body = {"date": date, "reason": reason}
    _facts(options.official("clearing", "clearing").post("/api/v1/settlements", body), options)


@app.command
def give_up(*, reason: str, options: Options = DEFAULT) -> None:
    """Give up a run of settlement that is reserved and not posted: `exchange clearing give-up --reason "wrong day"`.

    Parameters
    ----------
    reason
        Why, for the record.
    """
    _facts(
        options.official("clearing", "clearing").post("/api/v1/settlements/give-up", {"reason": reason}),
        options,
    )


@app.command
def settlements(*, limit: int = 50, options: Options = DEFAULT) -> None:
    """List runs of settlement, newest first: `exchange clearing settlements`.

    Parameters
    ----------
    limit
        At most this many.
    """
    names = ("number", "date", "state", "instructions", "failed", "paid", "who")
    _table(
        options.official("clearing", "clearing").items("/api/v1/settlements", limit),
        names,
        options,
        "no runs",
    )


@app.command
def settled(number: str, *, account: str = "", limit: int = 1000, options: Options = DEFAULT) -> None:
    """List what a run of settlement did: `exchange clearing settled 7`.

    Parameters
    ----------
    number
        Of the run.
    account
        Whose lines; default: all.
    limit
        At most this many.
    """
    names = ("cycle", "account", "symbol", "due", "qty", "price", "mark", "failed")
    path = f"/api/v1/settlements/{in_path(number)}"
    found = options.official("clearing", "clearing").items(path, limit, account=account)
    _table(found, names, options, "nothing was due")


@app.command
def instructions(
    *, account: str = "", settled: bool = False, limit: int = 1000, options: Options = DEFAULT
) -> None:
    """List what is to be settled, and for how long it has failed: `exchange clearing instructions --account 1`.

    Parameters
    ----------
    account
        Whose; default: of all.
    settled
        Those that are settled too.
    limit
        At most this many.
    """
    names = ("cycle", "account", "symbol", "due", "qty", "cash", "days", "moved", "compensated", "settled_on")
    found = options.official("clearing", "clearing").items(
        "/api/v1/instructions", limit, account=account, open="false" if settled else "true"
    )
    _table(found, names, options, "nothing is to be settled")


@app.command
def buy_in(date: str, *, reason: str, options: Options = DEFAULT) -> int:
    """Close fails that are too old for money: `exchange clearing buy-in 2026-11-30 --reason "four days"`.

    After the run of the day. Ends with 1 where some could not be closed.

    Parameters
    ----------
    date
        The day of the run.
    reason
        Why, for the record.
    """
    body = {"date": date, "reason": reason}
    answer = options.official("clearing", "clearing").post("/api/v1/buy-ins", body)
    show(answer, options.json, _print_buy_ins)
    return REFUSED if answer["refused"] else 0


@app.command
def house(*, account: str = "", options: Options = DEFAULT) -> None:
    """List the accounts of the house's ledger: `exchange clearing house`.

    Parameters
    ----------
    account
        Whose; default: all.
    """
    found = options.official("clearing", "clearing").get("/api/v1/house/balances", account=account)["items"]
    _table(
        found, ("holder", "account", "asset", "balance", "reserved", "free"), options, "the house has nothing"
    )


@app.command
def acts(*, kind: str = "", limit: int = 50, options: Options = DEFAULT) -> None:
    """List what the house did, newest first: `exchange clearing acts`.

    Parameters
    ----------
    kind
        Only of this kind, such as settlement.
    limit
        At most this many.
    """
    found = options.official("clearing", "clearing").items("/api/v1/house/acts", limit, kind=kind)
    _table(found, ("number", "kind", "source", "entries", "who", "why"), options, "the house did nothing")


def _print_buy_ins(answer: dict[str, Any]) -> None:
    rows = ((each["source"], *(each["detail"][name] for name in ("quantity", "price", "premium"))) for each in
            answer["acts"])  # fmt: skip
    print_table(
        ("bought in", ">shares", ">price in 1/10000", ">premium in 1/10000"), rows, "nothing is too old"
    )
    for sentence in answer["refused"]:
        print(sentence)


def _facts(answer: dict[str, Any], options: Options) -> None:
    show(answer, options.json, lambda done: print_facts((k.replace("_", " "), v) for k, v in done.items()))


def _table(found: list[dict[str, Any]], names: Sequence[str], options: Options, nothing: str) -> None:
    heads = tuple(name.replace("_", " ") for name in names)
    show(
        found,
        options.json,
        lambda items: print_table(heads, ([each[name] for name in names] for each in items), nothing),
    )
