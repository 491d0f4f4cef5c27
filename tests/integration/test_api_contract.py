"""Each component does what its OpenAPI document says, whatever is thrown at it: schemathesis over all three.

`schemathesis.toml` beside this file says how. An exchange with orders, fills, held, busted and corrected trades is
made first, so that the requests meet something.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.exchange_process import Client, ExchangeProcess, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
CONFIG = Path(__file__).with_name("schemathesis.toml")
RESTING_ORDERS = 40
WASH_TRADES = 8
TRADES = 120
FAR_FROM_REFERENCE = "200.00"
"""Where a trade in AAPL is held by clearing, and not busted at once."""


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangeProcess]:
    with ExchangeProcess(tmp_path_factory.mktemp("contract") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def config(exchange: ExchangeProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make what the requests are to meet, and lay the configuration beside the lists of it."""
    folder = tmp_path_factory.mktemp("schemathesis")
    for name, ids in make_market(exchange).items():
        (folder / f"{name}.dict").write_text("".join(f'"{each}"\n' for each in ids))
    shutil.copy(CONFIG.with_name("schemathesis_hooks.py"), folder)
    return Path(shutil.copy(CONFIG, folder))


@pytest.mark.parametrize("component", ["engine", "reporter", "clearing"])
def test_a_component_keeps_to_its_openapi_document(
    exchange: ExchangeProcess, config: Path, component: str
) -> None:
    url = exchange.url(component)
    keys = exchange.keys()
    members = keys["participants"]
    program = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [program, "--config-file", config, "run", f"{url}/openapi.json", "--no-color"],
        env={
            **os.environ, "OPERATOR_KEY": keys["operator"], "TRADER_KEY": members["bob"]["key"],
            "OTHER_TRADER_KEY": members["carol"]["key"],
            "COMPONENT_KEY": keys["component"],
        },
        cwd=config.parent, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-12_000:]}{done.stderr[-2_000:]}"
    assert Client(url).call("GET", "/readyz")[0] == 200, "the component is no longer ready"


def make_market(exchange: ExchangeProcess) -> dict[str, list[str]]:
    """Trade, rest orders, and rule on trades; return the ids of what there is."""
    keys = exchange.keys()
    url = exchange.url("engine")
    alice, bob = (Client(url, keys["participants"][name]["key"]) for name in ("alice", "bob"))
    clearing = Client(exchange.url("clearing"), keys["operator"])
    for number in range(TRADES):
        price = FAR_FROM_REFERENCE if number % 4 == 0 else "189.20"
        enter(bob, "sell", price, f"bob-{number}")
        enter(alice, "buy", price, f"alice-{number}")
    orders = [enter(bob, "buy", "150.00", f"resting-{number}") for number in range(4 * RESTING_ORDERS)]
    trades = wait_for(lambda: all_trades(clearing), "every trade in clearing")
    bust, correct = trades[1]["match_id"], trades[2]["match_id"]
    assert clearing.call("POST", f"/api/v1/trades/{bust}/bust", {"reason": "wrong"})[0] == 202
    correction = {"reason": "wrong", "price": "189.10"}
    assert clearing.call("POST", f"/api/v1/trades/{correct}/correct", correction)[0] == 202
    wait_for(lambda: clearing.get("/api/v1/trades?state=corrected")["items"], "the correction")
    sides = [Client(exchange.url("clearing"), keys["participants"][name]["key"]) for name in ("alice", "bob")]
    reviews = [
        sides[number % 2].call(
            "POST", f"/api/v1/trades/{trade['match_id']}/review", {"basis": "typed wrong"}
        )[1]
        for number, trade in enumerate(trades[4::2])
    ]
    for review in reviews[::4]:
        denial = {"reason": "within the band", "remedy": "none"}
        assert clearing.call("POST", f"/api/v1/reviews/{review['review_id']}/rule", denial)[0] == 200
    numbers = []
    for what in ("margin", "fund", "capital"):
        payment = {"reference": f"first {what}", "what": what, "amount": "1000.00", "reason": "to begin with"}
        payment |= {} if what == "capital" else {"account": "1"}
        status, paid = clearing.call("POST", "/api/v1/payments", payment)
        assert status == 201, paid
        numbers.append(str(paid["number"]))
    alerts = wash(Client(url, keys["participants"]["carol"]["key"]), clearing)
    to_release = [trade["match_id"] for trade in trades if trade["state"] == "held"][:8]
    operator = Client(url, keys["operator"])
    spare = [
        operator.call("POST", "/api/v1/keys", {"role": "viewer", "label": f"spare {number}"})[1]["id"]
        for number in range(40)
    ]
    return {
        "orders": orders[::4],
        "orders_to_amend": orders[1::4],
        "orders_to_cancel": orders[2::4],
        "orders_to_replace": orders[3::4],
        "trades": [trade["match_id"] for trade in trades if trade["match_id"] not in to_release],
        "trades_to_release": to_release,
        "reviews": [review["review_id"] for review in reviews],
        "alerts": alerts,
        "numbers": numbers,
        "own_accounts": [str(keys["participants"]["bob"]["account_id"])],
        "accounts": [str(member["account_id"]) for member in keys["participants"].values()],
        "keys": spare,
        "newcomers": [operator.call("POST", "/api/v1/participants", {"name": "newcomer"})[1]["id"]],
        "client_order_ids": [f"bob-{number}" for number in range(TRADES)],
    }


def wash(carol: Client, clearing: Client) -> list[str]:
    """Let a member trade with itself; return the ids of the alerts that follow."""
    for number in range(WASH_TRADES):
        enter(carol, "sell", "189.20", f"wash-sell-{number}")
        enter(carol, "buy", "189.20", f"wash-buy-{number}")

    def found() -> list[str]:
        items = clearing.get("/api/v1/surveillance/alerts?detector=WASH-1")["items"]
        return [alert["alert_id"] for alert in items] if len(items) >= WASH_TRADES else []

    ids: list[str] = wait_for(found, "alerts of wash trades")
    return ids


def enter(client: Client, side: str, price: str, client_order_id: str) -> str:
    """Enter an order in AAPL; return its id."""
    order = {
        "symbol": "AAPL", "side": side, "qty": "10", "price": price, "time_in_force": "gtc",
        "client_order_id": client_order_id,
    }  # fmt: skip
    status, answer = client.call("POST", "/api/v1/order", order)
    assert status == 201, answer
    order_id: str = answer["id"]
    return order_id


def all_trades(clearing: Client) -> list[dict[str, Any]]:
    """Return the trades that clearing has, once it has all of them."""
    items: list[dict[str, Any]] = clearing.get("/api/v1/trades?limit=1000")["items"]
    return items if len(items) == TRADES else []
