"""kill -9 while orders come in: nothing acknowledged is lost, nothing happens twice, and all components agree."""

from __future__ import annotations

import http.client
import os
import random
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.exchange_process import EXCHANGE, Client, ExchangeProcess, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
SEED = 20261123
ROUNDS = int(os.environ.get("KILL_ROUNDS", "4"))


class Trader(threading.Thread):
    """Enters orders as fast as they are answered, and keeps what was acknowledged and what is in doubt."""

    def __init__(self, engine: str, key: str, name: str, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.client = Client(engine, key)
        self.label = name
        self.chance = chance
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.in_doubt: dict[str, dict[str, Any]] = {}

    def run(self) -> None:
        for number in range(1_000_000):
            order = self.make_order(f"{self.label}-{number}")
            try:
                status, answer = self.client.call("POST", "/api/v1/order", order)
            except (OSError, http.client.HTTPException):
                self.in_doubt[order["client_order_id"]] = order
                return
            if status == 503:
                return
            assert status == 201, (status, answer)
            self.acknowledged[order["client_order_id"]] = answer

    def make_order(self, client_order_id: str) -> dict[str, Any]:
        cents = 18_920 + self.chance.randint(-20, 20)
        return {
            "symbol": "AAPL", "side": self.chance.choice(["buy", "sell"]), "qty": str(self.chance.randint(1, 9)),
            "price": f"{cents // 100}.{cents % 100:02d}", "type": "limit", "time_in_force": "gtc",
            "client_order_id": client_order_id,
        }  # fmt: skip


def test_no_acknowledged_order_is_lost_or_doubled_by_kill_nine(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    exchange = ExchangeProcess(tmp_path / "data")
    known: dict[str, dict[str, dict[str, Any]]] = {"alice": {}, "bob": {}}
    with exchange:
        for number in range(ROUNDS):
            traders = [
                Trader(
                    exchange.url("engine"), member["key"], f"{name}-{number}", random.Random(chance.random())
                )
                for name, member in exchange.keys()["participants"].items()
                if name in known
            ]
            for trader in traders:
                trader.start()
            time.sleep(chance.uniform(0.5, 2))
            exchange.kill()
            for trader in traders:
                trader.join()
            exchange.start()
            for trader in traders:
                mine = known[trader.label.split("-")[0]]
                mine.update(trader.acknowledged)
                settle_doubts(exchange, trader, mine)
            check_orders(exchange, known)
            check_components_agree(exchange)
        assert exchange.stop() == 0
    check_journal(exchange.data)


def settle_doubts(exchange: ExchangeProcess, trader: Trader, mine: dict[str, dict[str, Any]]) -> None:
    """Send what is in doubt again under the same name: it is entered once, whichever way it was."""
    client = Client(
        exchange.url("engine"), exchange.keys()["participants"][trader.label.split("-")[0]]["key"]
    )
    for name, order in trader.in_doubt.items():
        status, answer = client.call("POST", "/api/v1/order", order)
        assert status in (200, 201), (status, answer)
        mine[name] = answer


def check_orders(exchange: ExchangeProcess, known: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Every acknowledged order is there under its id, and there is none beside them."""
    for name, orders in known.items():
        client = Client(exchange.url("engine"), exchange.keys()["participants"][name]["key"])
        found = list_all(client, "/api/v1/orders?status=all&limit=1000")
        ids = {order["client_order_id"]: order["id"] for order in found}
        assert len(found) == len(ids), f"an order of {name} is there twice"
        assert ids == {name: order["id"] for name, order in orders.items()}


def check_components_agree(exchange: ExchangeProcess) -> None:
    """Engine, reporter and clearing have the same trades, and clearing's books balance."""
    clearing = Client(exchange.url("clearing"), exchange.keys()["operator"])

    def report_without_breaks() -> dict[str, Any] | None:
        status, report = clearing.call("GET", "/api/v1/break-report")
        return report if status == 200 and report["status"] == "agree" else None

    wait_for(report_without_breaks, "a break report in which all agree")
    proof = clearing.get("/api/v1/prove")
    assert proof["holds"], proof


def check_journal(data: Path) -> None:
    """The journal replays whole and to the same hash."""
    done = subprocess.run(
        [*EXCHANGE, "journal", "check", "--data", str(data)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def list_all(client: Client, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = client.get(path + (f"&cursor={cursor}" if cursor else ""))
        items += page["items"]
        cursor = page["next"]
        if not cursor:
            return items
