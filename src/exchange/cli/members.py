"""`exchange participants|accounts|keys|deposit|withdraw`: who takes part, with what, and how they get in."""

from __future__ import annotations

from typing import Any, Literal

from cyclopts import App

from exchange.cli.connection import Connection, in_path
from exchange.cli.failures import UsageError
from exchange.cli.options import Options
from exchange.cli.output import print_facts, print_table, show

participants = App(name="participants", help="List and admit participants.")
accounts = App(name="accounts", help="List and open accounts, and show what they hold.")
keys = App(name="keys", help="List, make and revoke keys.")
DEFAULT = Options()

SelfTradeModeName = Literal["none", "cancel-newest", "cancel-oldest", "cancel-both", "decrement"]
RoleName = Literal["viewer", "trader", "risk", "clearing", "operator", "auditor", "component"]


@participants.default
@participants.command(name="list")
def list_participants(*, options: Options = DEFAULT) -> None:
    """List the participants: `exchange participants list`."""
    found = _operator(options).items("/api/v1/participants")
    rows = ((each["id"], each["name"], ", ".join(each["accounts"])) for each in found)
    show(found, options.json, lambda _: print_table((">id", "name", "accounts"), rows, "no participants"))


@participants.command(name="self-trade")
def set_self_trade(
    participant: str, mode: SelfTradeModeName, *, group: int = 1, options: Options = DEFAULT
) -> None:
    """Keep a participant from trading with itself: `exchange participants self-trade 1 cancel-newest`.

    Parameters
    ----------
    participant
        The participant's id.
    mode
        What happens where one of its orders would trade with one of its group; none: they trade.
    group
        Participants of one group do not trade with each other either.
    """
    body = {"group": group if mode != "none" else 0, "mode": mode.replace("-", "_")}
    path = f"/api/v1/participants/{in_path(participant)}/self_trade_prevention"
    show(
        _operator(options).ask("PUT", path, {}, body), options.json, lambda facts: print_facts(facts.items())
    )


@participants.command(name="create")
def create_participant(
    name: str, *, account: str = "main", cash: str = "", options: Options = DEFAULT
) -> None:
    """Admit a participant with an account and a trader's key: `exchange participants create dora --cash 100000.00`.

    Parameters
    ----------
    name
        The participant's name.
    account
        Name of its first account.
    cash
        Cash to deposit there.
    """
    operator = _operator(options)
    participant = operator.post("/api/v1/participants", {"name": name})
    opened = operator.post("/api/v1/accounts", {"participant": participant["id"], "name": account})
    if cash:
        operator.post(f"/api/v1/accounts/{opened['id']}/deposits", {"amount": cash})
    key = operator.post(
        "/api/v1/keys", {"participant": participant["id"], "role": "trader", "label": f"{name}'s first"}
    )
    created = {
        "participant": participant["id"],
        "name": name,
        "account": opened["id"],
        "cash": cash or "0.00",
        "key": key["key"],
    }
    show(created, options.json, lambda facts: print_facts(facts.items()))
    if not options.json:
        print("The key is shown this once; keep it.")


@accounts.default
@accounts.command(name="list")
def list_accounts(*, options: Options = DEFAULT) -> None:
    """List the accounts: `exchange accounts list`."""
    found = _operator(options).items("/api/v1/accounts")
    rows = ((each["id"], each["name"], each["participant"]) for each in found)
    show(found, options.json, lambda _: print_table((">id", "name", ">participant"), rows, "no accounts"))


@accounts.command(name="show")
def show_account(account: str, *, options: Options = DEFAULT) -> None:
    """Show an account's cash and shares: `exchange accounts show 1`.

    Parameters
    ----------
    account
        Which account.
    """
    answer = _operator(options).get(f"/api/v1/accounts/{in_path(account)}")
    show(answer, options.json, _print_balances)


@accounts.command(name="create")
def create_account(participant: str, name: str, *, options: Options = DEFAULT) -> None:
    """Open an account of a participant: `exchange accounts create 1 savings`.

    Parameters
    ----------
    participant
        Whose account it is.
    name
        The account's name.
    """
    answer = _operator(options).post("/api/v1/accounts", {"participant": participant, "name": name})
    show(answer, options.json, lambda facts: print_facts(facts.items()))


@keys.default
@keys.command(name="list")
def list_keys(*, options: Options = DEFAULT) -> None:
    """List the keys, without their texts, which nobody keeps: `exchange keys list`."""
    found = _operator(options).items("/api/v1/keys")
    rows = ((each["id"], each["role"], each["participant"], each["label"]) for each in found)
    show(
        found, options.json, lambda _: print_table((">id", "role", ">participant", "label"), rows, "no keys")
    )


@keys.command(name="create")
def create_key(
    role: RoleName, *, participant: str = "", label: str = "key", options: Options = DEFAULT
) -> None:
    """Make a key, shown this once: `exchange keys create trader --participant 1 --label laptop`.

    Parameters
    ----------
    role
        What its holder may do.
    participant
        Whose key it is; leave it out for a key of the exchange itself.
    label
        To tell keys apart.
    """
    body = {"role": role, "label": label} | ({"participant": participant} if participant else {})
    answer = _operator(options).post("/api/v1/keys", body)
    show(answer, options.json, lambda facts: print_facts(facts.items()))


@keys.command(name="revoke")
def revoke_key(key_id: str, *, options: Options = DEFAULT) -> None:
    """Make a key worthless from now on: `exchange keys revoke 7`.

    Parameters
    ----------
    key_id
        Which key, by its number in `exchange keys list`.
    """
    answer = _operator(options).delete(f"/api/v1/keys/{in_path(key_id)}")
    show(answer, options.json, lambda facts: print_facts(facts.items()))


def deposit(account: str, what: str, quantity: str = "", *, options: Options = DEFAULT) -> None:
    """Bring cash or shares into an account: `exchange deposit 1 1000.00`, `exchange deposit 1 AAPL 100`.

    Parameters
    ----------
    account
        Which account.
    what
        The amount of cash, or a symbol.
    quantity
        How many shares, where a symbol was named.
    """
    _move("deposits", account, what, quantity, options)


def withdraw(account: str, what: str, quantity: str = "", *, options: Options = DEFAULT) -> None:
    """Take cash or shares out of an account: `exchange withdraw 1 1000.00`, `exchange withdraw 1 AAPL 100`.

    Parameters
    ----------
    account
        Which account.
    what
        The amount of cash, or a symbol.
    quantity
        How many shares, where a symbol was named.
    """
    _move("withdrawals", account, what, quantity, options)


def _move(kind: str, account: str, what: str, quantity: str, options: Options) -> None:
    is_cash = what.replace(".", "", 1).isdigit()
    if is_cash == bool(quantity):
        raise UsageError(
            "say an amount of cash such as 1000.00, or a symbol with a number of shares: AAPL 100"
        )
    body = {"amount": what} if is_cash else {"symbol": what.upper(), "qty": quantity}
    answer = _operator(options).post(f"/api/v1/accounts/{in_path(account)}/{kind}", body)
    show(answer, options.json, lambda facts: print_facts(facts.items()))


def _operator(options: Options) -> Connection:
    return options.official("operator", "engine")


def _print_balances(account: dict[str, Any]) -> None:
    print_facts(
        [
            ("account", f"{account['id']} {account['name']}"),
            ("participant", account["participant"]),
            ("cash", f"{account['cash']} {account['currency']}"),
        ]
    )
    rows = ((holding["symbol"], holding["qty"]) for holding in account["holdings"])
    print()
    print_table(("symbol", ">shares"), rows, "no shares")
