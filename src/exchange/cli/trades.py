"""`exchange trades …`: what clearing has of each trade, and the rulings of its operators."""

from __future__ import annotations

from typing import Any, Literal

from cyclopts import App

from exchange.cli.connection import in_path
from exchange.cli.options import Options
from exchange.cli.output import print_facts, print_table, show

app = App(name="trades", help="List trades as clearing has them; release, bust and correct them.")
DEFAULT = Options()
State = Literal["captured", "accepted", "held", "bust_pending", "busted", "corrected"]
Code = Literal["E", "C", "S", "X"]


@app.command(name="list")
def list_(
    *, state: State | None = None, symbol: str = "", limit: int = 50, options: Options = DEFAULT
) -> None:
    """List trades, newest first: `exchange trades list --state busted --symbol AAPL`.

    Parameters
    ----------
    state
        Only those in this state.
    symbol
        Only in this symbol.
    limit
        At most this many.
    """
    _list(options, limit, state=state or "", symbol=symbol.upper())


@app.command
def held(*, symbol: str = "", limit: int = 50, options: Options = DEFAULT) -> None:
    """List the trades that wait for a ruling: `exchange trades held`.

    Parameters
    ----------
    symbol
        Only in this symbol.
    limit
        At most this many.
    """
    _list(options, limit, state="held", symbol=symbol.upper())


@app.command(name="show")
def show_(match_id: str, *, options: Options = DEFAULT) -> None:
    """Show everything that happened to a trade: `exchange trades show 88`.

    Parameters
    ----------
    match_id
        Which trade.
    """
    answer = options.official("clearing", "clearing").get(f"/api/v1/trades/{in_path(match_id)}")
    show(answer, options.json, _print_story)


@app.command
def cascade(match_id: str, *, options: Options = DEFAULT) -> None:
    """Show a trade with the trades that it caused by reaching stop prices: `exchange trades cascade 88`.

    Parameters
    ----------
    match_id
        Which trade.
    """
    answer = options.official("clearing", "clearing").get(f"/api/v1/trades/{in_path(match_id)}/cascade")
    show(answer, options.json, _print_cascade)


@app.command
def release(match_id: str, *, reason: str, options: Options = DEFAULT) -> None:
    """Rule that a held trade is good: `exchange trades release 88 --reason "both sides confirm"`.

    Parameters
    ----------
    match_id
        Which trade.
    reason
        Why, for the record.
    """
    _rule(options, match_id, "release", {"reason": reason})


@app.command
def bust(match_id: str, *, reason: str, code: Code = "E", options: Options = DEFAULT) -> None:
    """Break a trade; it is final: `exchange trades bust 88 --reason "price far off the market"`.

    Parameters
    ----------
    match_id
        Which trade.
    reason
        Why, for the record.
    code
        E erroneous, C consent, S supervisory, X external.
    """
    _rule(options, match_id, "bust", {"reason": reason, "code": code})


@app.command
def correct(
    match_id: str,
    *,
    reason: str,
    price: str = "",
    quantity: str = "",
    code: Code = "E",
    options: Options = DEFAULT,
) -> None:
    """Give a trade another price or less quantity: `exchange trades correct 88 --price 189.20 --reason "typo"`.

    Parameters
    ----------
    match_id
        Which trade.
    reason
        Why, for the record.
    price
        The price it is to have.
    quantity
        The quantity it is to have, less than now.
    code
        E erroneous, C consent, S supervisory, X external.
    """
    values = {name: value for name, value in (("price", price), ("qty", quantity)) if value}
    _rule(options, match_id, "correct", {"reason": reason, "code": code} | values)


def _list(options: Options, limit: int, **query: str) -> None:
    trades = options.official("clearing", "clearing").items("/api/v1/trades", limit, **query)
    show(trades, options.json, lambda found: _print_trades(found, query["state"]))


def _rule(options: Options, match_id: str, verb: str, body: dict[str, str]) -> None:
    answer = options.official("clearing", "clearing").post(f"/api/v1/trades/{in_path(match_id)}/{verb}", body)
    show(answer, options.json, lambda trade: _print_trades([trade], ""))


def _print_trades(trades: list[dict[str, Any]], state: str) -> None:
    columns = (">match id", "symbol", ">price", ">qty", ">reference", "buyer", "seller", "state", "executed")
    rows = (
        (
            trade["match_id"],
            trade["symbol"],
            trade["price"],
            trade["qty"],
            trade["reference_price"],
            trade["buy_account"],
            trade["sell_account"],
            trade["state"].replace("_", " "),
            trade["executed_at"],
        )
        for trade in trades
    )
    print_table(columns, rows, f"no {state + ' ' if state else ''}trades")


def _print_story(trade: dict[str, Any]) -> None:
    lists = ("steps", "rulings", "requests", "ledger")
    print_facts((name.replace("_", " "), value) for name, value in trade.items() if name not in lists)
    print("\nwhat happened")
    steps = ((s["at"], s["state"], s["what"], s["who"], s["why"]) for s in trade["steps"])
    print_table(("at", "state", "what", "who", "why"), steps)
    hits = [hit for ruling in trade["rulings"] for hit in ruling["hits"]]
    if hits:
        print("\nrules that spoke")
        print_table(
            ("rule", "verdict", "finding"), ((h["rule_id"], h["verdict"], h["sentence"]) for h in hits)
        )
    if trade["ledger"]:
        print("\nledger")
        rows = (
            (e["number"], e["asset"], e["amount"], _side(e["debit"]), _side(e["credit"]), e["what"])
            for e in trade["ledger"]
        )
        print_table((">number", "asset", ">amount", "from", "to", "what"), rows)


def _side(side: dict[str, Any]) -> str:
    return f"{side['holder']} {side['account']}" if side["account"] else str(side["holder"])


def _print_cascade(answer: dict[str, Any]) -> None:
    levels = [
        (answer["trade"], 0, ""),
        *((e["trade"], e["depth"], e["stop_price"]) for e in answer["caused"]),
    ]
    rows = (
        (
            "  " * depth + trade["match_id"],
            trade["symbol"],
            trade["price"],
            trade["qty"],
            trade["state"],
            stop,
        )
        for trade, depth, stop in levels
    )
    print_table(("trade", "symbol", ">price", ">qty", "state", ">by the stop at"), rows)
    if not answer["caused"]:
        print("it caused no other trade")
