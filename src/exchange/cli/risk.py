"""`exchange risk …`: the kill switch, and the limits of accounts, participants and symbols."""

from __future__ import annotations

from typing import Any, Literal

from cyclopts import App

from exchange.cli.connection import in_path
from exchange.cli.failures import UsageError
from exchange.cli.options import Options
from exchange.cli.output import print_facts, print_table, show

app = App(name="risk", help="Block and unblock trading, and set limits.")
DEFAULT = Options()

ScopeName = Literal["market", "symbol", "participant", "account", "session"]
LimitScope = Literal["symbol", "participant", "account"]
KINDS = (
    "symbol_barred", "max_quantity", "max_notional", "collar", "duplicates", "messages", "position",
    "buying_power", "short_sales", "gross", "loss", "executions",
)  # fmt: skip
"""What a limit may be of, as rulebook and REST have it; with hyphens for underscores they are taken too."""


@app.command
def blocks(*, options: Options = DEFAULT) -> None:
    """List who is blocked from trading: `exchange risk blocks`."""
    found = options.official("operator", "engine").get("/api/v1/risk/blocks")["items"]
    rows = ((one["scope"], one["subject"], one["by"], one["cause"], one.get("reason", "")) for one in found)
    columns = ("scope", "subject", "by", "cause", "reason")
    show(found, options.json, lambda _: print_table(columns, rows, "nobody is blocked"))


@app.command
def block(
    scope: ScopeName,
    subject: str = "",
    *,
    reason: str = "",
    keep_orders: bool = False,
    options: Options = DEFAULT,
) -> None:
    """Pull the kill switch: `exchange risk block account 1`, `exchange risk block symbol AAPL`, `… block market`.

    Parameters
    ----------
    scope
        What to block.
    subject
        The symbol, or the id of the participant, the account or the session's key; none for the market.
    reason
        Why, for people.
    keep_orders
        Let the orders that rest stay; else they are cancelled.
    """
    body = {"scope": scope, "subject": subject.upper(), "cancel_orders": not keep_orders, "reason": reason}
    answer = options.official("operator", "engine").post("/api/v1/risk/blocks", body)
    show(answer, options.json, lambda facts: print_facts(facts.items()))


@app.command
def unblock(scope: ScopeName, subject: str = "", *, reason: str = "", options: Options = DEFAULT) -> None:
    """Let trade again who was blocked, as another role than pulled the switch: `exchange risk unblock account 1`.

    With a data folder it takes the key of the role that may: risk where an operator pulled it, else operator.

    Parameters
    ----------
    scope
        What to unblock.
    subject
        The symbol, or the id of the participant, the account or the session's key; none for the market.
    reason
        Why, for people.
    """
    found = options.official("operator", "engine").get("/api/v1/risk/blocks")["items"]
    wanted = (scope, subject.upper())
    pulled_by = next((one["by"] for one in found if (one["scope"], one["subject"]) == wanted), "")
    engine = options.official("risk" if pulled_by == "operator" else "operator", "engine")
    body = {"scope": scope, "subject": subject.upper(), "reason": reason}
    answer = engine.post("/api/v1/risk/blocks/lift", body)
    show(answer, options.json, lambda facts: print_facts(facts.items()))


@app.command
def limits(scope: LimitScope | None = None, subject: str = "", *, options: Options = DEFAULT) -> None:
    """List the limits: `exchange risk limits`, `exchange risk limits account 1`.

    Parameters
    ----------
    scope
        Only of this scope.
    subject
        Only of this symbol, participant or account.
    """
    engine = options.official("operator", "engine")
    found = engine.items("/api/v1/risk/limits", scope=scope or "", subject=subject.upper())
    show(found, options.json, _print_limits)


@app.command(name="set")
def set_(
    scope: LimitScope,
    subject: str,
    kind: str,
    value: str,
    *,
    symbol: str = "",
    span: int = 0,
    options: Options = DEFAULT,
) -> None:
    """Set a limit: `exchange risk set account 1 position 10000 --symbol AAPL`, `… set symbol AAPL collar 1000`.

    Parameters
    ----------
    scope
        For whom it holds.
    subject
        The symbol, or the id of the participant or account.
    kind
        What it limits: symbol_barred, max_quantity, max_notional, collar, duplicates, messages, position,
        buying_power, short_sales, gross, loss or executions; docs/rulebook.md, part 4, says what each measures.
    value
        Money such as 10000.00, else a whole number; `none` takes the limit away.
    symbol
        Of position, short_sales and symbol_barred: the symbol.
    span
        Of duplicates and executions: milliseconds; of messages: the burst.
    """
    body: dict[str, Any] = {
        "scope": scope, "subject": subject.upper(), "kind": kind_of(kind), "symbol": symbol.upper(),
        "span": span,
    }  # fmt: skip
    if value != "none":
        body["value"] = value
    answer = options.official("operator", "engine").ask("PUT", "/api/v1/risk/limits", {}, body)
    show(answer, options.json, lambda one: _print_limits([one]))


@app.command
def usage(scope: Literal["participant", "account"], subject: str, *, options: Options = DEFAULT) -> None:
    """Show what limits measure: `exchange risk usage account 1`.

    Parameters
    ----------
    scope
        Of a participant or an account.
    subject
        Its id.
    """
    path = f"/api/v1/risk/usage/{scope}/{in_path(subject)}"
    show(options.official("operator", "engine").get(path), options.json, _print_usage)


def kind_of(text: str) -> str:
    """Return the kind of a limit, written with underscores or hyphens. Raise `UsageError` where it is none."""
    kind = text.lower().replace("-", "_")
    if kind not in KINDS:
        raise UsageError(f"the kind of a limit is one of {', '.join(KINDS)}; got {text!r}")
    return kind


def _print_limits(found: list[dict[str, Any]]) -> None:
    rows = (
        (
            one["scope"], one["subject"], one["kind"], one.get("symbol", ""),
            one.get("value", "none"), one.get("span", ""),
        )
        for one in found
    )  # fmt: skip
    print_table(("scope", "subject", "kind", "symbol", ">value", ">span"), rows, "no limits")


def _print_usage(used: dict[str, Any]) -> None:
    print_facts((name.replace("_", " "), value) for name, value in used.items() if name != "limits")
    print()
    _print_limits(used["limits"])
