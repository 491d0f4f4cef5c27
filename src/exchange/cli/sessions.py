"""`exchange sessions …`: who may log in over OUCH, and how each session stands."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from exchange.cli.connection import Connection, in_path
from exchange.cli.options import Options
from exchange.cli.output import print_facts, print_table, show

app = App(name="sessions", help="List, make and remove OUCH users.")
DEFAULT = Options()
_COLUMNS = (
    ">id", "user", ">account", "connected", "address", ">sequence", ">sent", ">next number", ">live", ">waiting",
)  # fmt: skip


@app.default
@app.command(name="list")
def list_sessions(*, options: Options = DEFAULT) -> None:
    """List the OUCH sessions: `exchange sessions list`."""
    answer = _operator(options).get("/api/v1/sessions")
    show(answer, options.json, _print_sessions)


@app.command(name="add")
def add_session(
    user: str, account: str, *, cancel_on_disconnect: bool = False, options: Options = DEFAULT
) -> None:
    """Make an OUCH user; its password is shown this once: `exchange sessions add ALICE2 1 --cancel-on-disconnect`.

    Parameters
    ----------
    user
        1 to 6 characters A-Z 0-9.
    account
        For which account it enters orders.
    cancel_on_disconnect
        Cancel its orders whenever its connection ends.
    """
    body = {"user": user.upper(), "account": account, "cancel_on_disconnect": cancel_on_disconnect}
    answer = _operator(options).post("/api/v1/sessions", body)
    show(answer, options.json, lambda facts: print_facts(facts.items()))
    if not options.json:
        print("The password is shown this once; keep it.")


@app.command(name="remove")
def remove_session(user: str, *, options: Options = DEFAULT) -> None:
    """Remove an OUCH user, disconnect it and cancel its orders: `exchange sessions remove ALICE2`.

    Parameters
    ----------
    user
        Which one.
    """
    answer = _operator(options).delete(f"/api/v1/sessions/{in_path(user.upper())}")
    show(answer, options.json, lambda facts: print_facts(facts.items()))


def _operator(options: Options) -> Connection:
    return options.official("operator", "engine")


def _print_sessions(answer: dict[str, Any]) -> None:
    rows = (
        (
            each["id"], each["user"], each["account"], each["connected"], each["address"], each["sequence"],
            each["sent"], each["next_user_ref_num"], each["live_orders"], each["waiting_orders"],
        )
        for each in answer["items"]
    )  # fmt: skip
    print_table(_COLUMNS, rows, "no sessions")
