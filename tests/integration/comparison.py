"""What proves, from outside, that reporter and clearing hold what the engine holds; whoever starts them inherits it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any

from tests.integration.exchange_process import Client, wait_for

NAMES = ("engine", "reporter", "clearing")


class Comparison(ABC):
    """Reads figures of the three components over HTTP and compares them."""

    @abstractmethod
    def client(self, name: str, who: str = "operator") -> Client:
        """Connect to a component with somebody's key."""

    def stats(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client(name).get("/api/v1/stats")
        return found

    def engine_sequence(self) -> int:
        return int(self.client("engine", "auditor").get("/api/v1/components")["items"][0]["seq"])

    def behind(self) -> list[str]:
        """Name the consumers that do not hold all the engine's events."""
        wanted = self.engine_sequence()
        return [name for name in NAMES[1:] if int(self.stats(name)["seq"]) != wanted]

    def wait_until_equal(self, seconds: float = 60) -> float:
        """Wait until reporter and clearing hold what the engine holds, prove it, and return the seconds it took."""
        begun = time.monotonic()
        wait_for(lambda: not self.behind(), "equal sequences", seconds)
        taken = time.monotonic() - begun
        self.check_equal()
        return taken

    def check_equal(self) -> str:
        """Compare trades, money, books and ledger; return the ledger's hash."""
        clearing = self.client("clearing")
        wait_for(
            lambda: clearing.get("/api/v1/break-report")["status"] == "agree", "a break report that agrees"
        )
        proof = clearing.get("/api/v1/prove")
        assert proof["holds"], proof
        engine, reporter = (self.books(name) for name in ("engine", "reporter"))
        assert engine == reporter
        assert not self.stats("clearing")["halted"]
        return str(proof["ledger_hash"])

    def books(self, name: str) -> dict[str, Any]:
        """Return both sides of every book, as a component has it."""
        page = self.client(name).get("/api/v1/book?depth=1000")
        return {
            book["symbol"]: [
                [(row["price"], row["qty"], row["orders"]) for row in book[side]] for side in ("bids", "asks")
            ]
            for book in page["items"]
        }
