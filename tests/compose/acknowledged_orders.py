"""A load that remembers what it was promised: every order that the engine acknowledged, to be asked for later."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from typing import Any

from tests.integration.comparison import Comparison
from tests.integration.exchange_process import wait_for

ORDERS_PER_REQUEST = 10
PAUSE_S = 0.02
AWAY_S = 0.1
PAGE_ITEMS = 1_000


class AcknowledgedOrders(threading.Thread):
    """Alice and bob trade with each other while something happens: `with AcknowledgedOrders(stand, "a") as load`.

    They change sides, so that neither runs out of cash or shares.
    """

    def __init__(self, stand: Comparison, name: str) -> None:
        super().__init__(daemon=True)
        self._stand = stand
        self._run_name = name
        self._ending = threading.Event()
        self.promised: dict[str, set[str]] = {"alice": set(), "bob": set()}
        self.away = 0
        self.failure = ""

    @property
    def count(self) -> int:
        """Return how many orders were acknowledged."""
        return sum(map(len, self.promised.values()))

    def run(self) -> None:
        clients = {who: self._stand.client("engine", who) for who in self.promised}
        for turn in itertools.count():
            if self._ending.is_set():
                return
            who = ("alice", "bob")[turn % 2]
            try:
                status, answer = clients[who].call("POST", "/api/v1/orders", self._orders(who, turn))
            except (OSError, http.client.HTTPException):
                status, answer = 503, None
            if status == 503:
                self.away += 1
                time.sleep(AWAY_S)
            elif status >= 300:
                self.failure = f"{status}: {str(answer)[:300]}"
                return
            else:
                self.promised[who] |= {row["order"]["id"] for row in answer["items"] if row.get("order")}
            time.sleep(PAUSE_S)

    def __enter__(self) -> AcknowledgedOrders:
        self.start()
        self.wait_for_more()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self.join()
        assert not self.failure, self.failure

    def wait_for_more(self, orders: int = 50, seconds: float = 120) -> None:
        """Wait until some more orders are acknowledged."""
        wanted = self.count + orders
        wait_for(lambda: self.count >= wanted or self.failure, "acknowledged orders", seconds)
        assert not self.failure, self.failure

    def lost(self) -> list[str]:
        """Return the orders that were acknowledged and that the engine does not know now."""
        missing: list[str] = []
        for who, promised in self.promised.items():
            known: set[str] = set()
            client = self._stand.client("engine", who)
            cursor = ""
            while True:
                page = client.get(f"/api/v1/orders?status=all&limit={PAGE_ITEMS}&cursor={cursor}")
                known |= {row["id"] for row in page["items"]}
                cursor = page["next"] or ""
                if not cursor:
                    break
            missing += promised - known
        return missing

    def _orders(self, who: str, turn: int) -> list[dict[str, Any]]:
        side = "sell" if (who == "alice") == (turn // 2 % 2 == 0) else "buy"
        return [
            {
                "symbol": ("AAPL", "MSFT")[number % 2], "side": side, "qty": str(1 + number % 3), "type": "limit",
                "price": ("189.", "415.")[number % 2] + f"{(turn + number) % 5 + 10:02d}", "time_in_force": "gtc",
                "client_order_id": f"{self._run_name}-{turn}-{number}",
            }
            for number in range(ORDERS_PER_REQUEST)
        ]  # fmt: skip
