"""`exchange reviews …`: reviews of trades that one side calls clearly erroneous, and the audit trail."""

from __future__ import annotations

from typing import Any, Literal

from cyclopts import App

from exchange.cli.connection import Connection, in_path
from exchange.cli.options import Options
from exchange.cli.output import print_facts, print_table, show

app = App(name="reviews", help="Ask for reviews of trades, answer, rule and appeal; show the audit trail.")
DEFAULT = Options()
State = Literal["filed", "granted", "denied", "appealed", "closed", "withdrawn"]
Code = Literal["E", "C", "S", "X"]


@app.default
@app.command(name="list")
def list_(*, state: State | None = None, limit: int = 50, options: Options = DEFAULT) -> None:
    """List reviews, newest first: `exchange reviews list --state filed`.

    Parameters
    ----------
    state
        Only those in this state.
    limit
        At most this many.
    """
    reviews = _reader(options).items("/api/v1/reviews", limit, state=state or "")
    show(reviews, options.json, _print_reviews)


@app.command(name="show")
def show_(review_id: str, *, options: Options = DEFAULT) -> None:
    """Show a review with all its steps: `exchange reviews show 3`.

    Parameters
    ----------
    review_id
        Which review.
    """
    show(_reader(options).get(f"/api/v1/reviews/{in_path(review_id)}"), options.json, _print_review)


@app.command
def ask(
    match_id: str, *, basis: str, price: str = "", quantity: str = "", options: Options = DEFAULT
) -> None:
    """Ask for the review of a trade of yours: `exchange reviews ask 88 --basis "typed 195 for 189" --as alice`.

    Without price and quantity a bust is asked for, else a correction.

    Parameters
    ----------
    match_id
        Which trade.
    basis
        The facts that the request rests on.
    price
        The price it should have had.
    quantity
        The quantity that should be left of it.
    """
    values = {name: value for name, value in (("price", price), ("qty", quantity)) if value}
    body = {"basis": basis, "remedy": "correct" if values else "bust"} | values
    _act(_side(options), f"/api/v1/trades/{in_path(match_id)}/review", body, options)


@app.command
def agree(review_id: str, *, reason: str, options: Options = DEFAULT) -> None:
    """Agree to what the other side asks for: `exchange reviews agree 3 --reason "so it was" --as bob`.

    Parameters
    ----------
    review_id
        Which review.
    reason
        Why, for the record.
    """
    _act(_side(options), f"/api/v1/reviews/{in_path(review_id)}/agree", {"reason": reason}, options)


@app.command
def withdraw(review_id: str, *, reason: str, options: Options = DEFAULT) -> None:
    """Take a request of yours back: `exchange reviews withdraw 3 --reason "found it" --as alice`.

    Parameters
    ----------
    review_id
        Which review.
    reason
        Why, for the record.
    """
    _act(_side(options), f"/api/v1/reviews/{in_path(review_id)}/withdraw", {"reason": reason}, options)


@app.command
def appeal(review_id: str, *, reason: str, options: Options = DEFAULT) -> None:
    """Appeal against a ruling: `exchange reviews appeal 3 --reason "the news was out" --as bob`.

    Parameters
    ----------
    review_id
        Which review.
    reason
        Why, for the record.
    """
    _act(_side(options), f"/api/v1/reviews/{in_path(review_id)}/appeal", {"reason": reason}, options)


@app.command
def rule(
    review_id: str,
    remedy: Literal["none", "bust", "correct"],
    *,
    reason: str,
    price: str = "",
    quantity: str = "",
    code: Code = "E",
    options: Options = DEFAULT,
) -> None:
    """Rule on a review, or decide its appeal: `exchange reviews rule 3 bust --reason "3 % off, no news"`.

    Parameters
    ----------
    review_id
        Which review.
    remedy
        `none` denies it.
    reason
        Why, for the record.
    price
        Of a correction: the price it is to have.
    quantity
        Of a correction: the quantity it is to have, less than now.
    code
        E erroneous, C consent, S supervisory, X external.
    """
    values = {name: value for name, value in (("price", price), ("qty", quantity)) if value}
    body = {"reason": reason, "remedy": remedy, "code": code} | values
    _act(_reader(options), f"/api/v1/reviews/{in_path(review_id)}/rule", body, options)


@app.command
def audit(*, limit: int = 50, options: Options = DEFAULT) -> None:
    """List what people did in clearing, newest first: `exchange reviews audit`.

    Parameters
    ----------
    limit
        At most this many.
    """
    show(_reader(options).items("/api/v1/audit", limit), options.json, _print_audit)


def _reader(options: Options) -> Connection:
    return options.official("clearing", "clearing")


def _side(options: Options) -> Connection:
    return options.trader("clearing")


def _act(connection: Connection, path: str, body: dict[str, str], options: Options) -> None:
    show(connection.post(path, body), options.json, _print_review)


def _print_reviews(reviews: list[dict[str, Any]]) -> None:
    rows = (
        (each["review_id"], each["match_id"], each["symbol"], each["state"], _remedy(each["wanted"]), each["agreed"],
         each["due_at"], each["overdue"])
        for each in reviews
    )  # fmt: skip
    columns = (">review", ">match id", "symbol", "state", "wanted", "agreed", "until", "overdue")
    print_table(columns, rows, "no reviews")


def _print_review(review: dict[str, Any]) -> None:
    remedies = ("wanted", "remedy", "waits_for_second")
    shown = {
        name: _remedy(value) if name in remedies and value else value
        for name, value in review.items()
        if name != "steps"
    }
    print_facts((name.replace("_", " "), value) for name, value in shown.items())
    print("\nwhat happened")
    steps = ((s["at"], s["what"], s["state"], s["who"], s["why"]) for s in review["steps"])
    print_table(("at", "what", "state", "who", "why"), steps)


def _print_audit(entries: list[dict[str, Any]]) -> None:
    rows = ((e["number"], e["at"], e["what"], e["subject"], e["who"], e["why"], e["detail"]) for e in entries)
    print_table((">number", "at", "what", "to what", "who", "why", "detail"), rows, "nothing was done")


def _remedy(remedy: dict[str, Any]) -> str:
    parts = [
        f"{name} {remedy[key]}" for name, key in (("price", "price"), ("quantity", "qty")) if remedy[key]
    ]
    return " ".join([remedy["kind"], *parts])
