"""`exchange clearing settle, margin, pay, default, drill` and their neighbours: what the clearing house does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

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
    clearing = options.official("clearing", "clearing")
    with clearing.patiently(f"settling {date}", "exchange clearing settlements"):
        run = clearing.post("/api/v1/settlements", body)
    _facts(run, options)


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
    clearing = options.official("clearing", "clearing")
    with clearing.patiently(f"buying in what failed on {date}", "exchange clearing instructions"):
        answer = clearing.post("/api/v1/buy-ins", body)
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


@app.command
def margin(*, account: str = "", run: str = "", options: Options = DEFAULT) -> None:
    """Show margin and open calls by account: `exchange clearing margin`.

    Parameters
    ----------
    account
        Whose; default: all.
    run
        Work it out anew first, for this reason.
    """
    clearing = options.official("clearing", "clearing")
    if run:
        with clearing.patiently("the margin run", "exchange clearing margin"):
            clearing.post("/api/v1/margin", {"reason": run})
    names = (
        "account",
        "required",
        "variation",
        "value_at_risk",
        "floor",
        "haircut",
        "held",
        "called",
        "due",
        "overdue",
    )
    _table(clearing.get("/api/v1/margin", account=account)["items"], names, options, "no margin is required")


@app.command
def pay(
    amount: str,
    *,
    reference: str,
    reason: str,
    to: Literal["margin", "fund", "capital"] = "margin",
    account: str = "",
    options: Options = DEFAULT,
) -> None:
    """Pay into margin, the default fund or the house's own money: `exchange clearing pay 500.00 --account 1 ...`.

    Parameters
    ----------
    amount
        Money in; below zero out.
    reference
        Names the payment: the same once more does nothing.
    reason
        Why, for the record.
    to
        margin, fund, or capital, which is the house's own.
    account
        Whose; not for capital.
    """
    body = {"reference": reference, "what": to, "amount": amount, "reason": reason, "account": account}
    answer = options.official("clearing", "clearing").post("/api/v1/payments", body)
    show(answer, options.json, lambda act: print(f"act {act['number']}: {act['source']}"))


@app.command(name="default")
def declare_default(
    participant: str, *, taker: str, reason: str, worse_bps: int = 0, options: Options = DEFAULT
) -> None:
    """Declare a participant in default: `exchange clearing default 1 --taker 2 --reason "call not met"`.

    What it has open goes over to the taker, the loss runs through the waterfall, the engine's kill switch stops it.

    Parameters
    ----------
    participant
        Its id.
    taker
        Account that takes over what is open.
    reason
        Why, for the record.
    worse_bps
        By how much the taker's prices are worse than the last ones, in 1/100 of a percent.
    """
    body = {"participant": participant, "taker": taker, "worse_bps": worse_bps, "reason": reason}
    clearing = options.official("clearing", "clearing")
    with clearing.patiently(f"the default of participant {participant}", "exchange clearing defaults"):
        answer = clearing.post("/api/v1/defaults", body)
    show(answer, options.json, lambda act: print(f"act {act['number']}: {act['source']}"))


@app.command
def defaults(*, options: Options = DEFAULT) -> None:
    """List participants in default, and whether the engine has stopped them: `exchange clearing defaults`."""
    found = options.official("clearing", "clearing").get("/api/v1/defaults")["items"]
    _table(
        found,
        ("participant", "declared_at", "stopped_at", "attempts", "answer"),
        options,
        "nobody is in default",
    )


@app.command
def drill(participant: str, *, worse_bps: int = 1_000, options: Options = DEFAULT) -> int:
    """Let one default run through the waterfall, without booking it: `exchange clearing drill 1 --worse-bps 2000`.

    Ends with 1 where some of the loss nobody could bear.

    Parameters
    ----------
    participant
        Whose default.
    worse_bps
        By how much prices are worse than the last ones, in 1/100 of a percent.
    """
    body = {"participant": participant, "worse_bps": worse_bps}
    clearing = options.official("clearing", "clearing")
    with clearing.patiently(f"the drill with participant {participant}", "exchange clearing drill"):
        answer = clearing.post("/api/v1/defaults/drill", body)
    show(answer, options.json, _print_drill)
    return 0 if answer["uncovered"] == "0.00" else REFUSED


def _print_drill(answer: dict[str, Any]) -> None:
    print_facts((name, answer[name]) for name in ("participant", "worth", "loss"))
    rows = ((each["step"], each["account"], each["amount"]) for each in answer["borne"])
    print_table(("step", ">account", ">bears"), rows, "nothing is to be borne")
    print(f"uncovered: {answer['uncovered']}")


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
