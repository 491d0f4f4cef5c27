"""Three processes over a real Redis: a document changes symbols, ticks and rules, through kills of the engine.

What is shown: an order meets the new terms, clearing judges by the new rules, a kill between the document and its
commands loses nothing and repeats nothing, the journal replays to the same hash, and a clearing made anew ends with the
same rulings.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.infra.redis_server import RedisServer, needs_redis
from tests.integration.exchange_process import EXCHANGE, READY_S, Client, free_port_base, wait_for

pytestmark = [*needs_redis, pytest.mark.timeout(600)]

SEED = 20261123
KILLS = int(os.environ.get("CONFIG_KILLS", "4"))
PATH = "/api/v1/config"
WITHIN_S = 120.0


class Component:
    """A component as a process of its own, killed as a power cut would and started again."""

    def __init__(self, name: str, data: Path, port_base: int, redis: str) -> None:
        self.command = [*EXCHANGE, name, "--data", str(data), "--port-base", str(port_base), "--json"]
        self.environment = {**os.environ, "EXCHANGE__REDIS__URL": redis}
        self.log = data.parent / f"{name}.log"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self.command, stdout=subprocess.PIPE, stderr=log, text=True, env=self.environment
            )
        assert self.process.stdout is not None
        assert self.process.stdout.readline(), self.log.read_text()[-2_000:]

    def end(self, *, kill: bool) -> None:
        """End it, at once or as an operator does."""
        if self.process is not None:
            self.process.kill() if kill else self.process.terminate()
            self.process.wait(READY_S)
            self.process = None


class Place:
    """Engine, reporter and clearing over one data folder and one Redis."""

    def __init__(self, folder: Path, redis: str) -> None:
        self.data = folder / "data"
        self.base = free_port_base()
        self.parts = {
            name: Component(name, self.data, self.base, redis) for name in ("engine", "reporter", "clearing")
        }

    def client(self, component: str, who: str) -> Client:
        """Connect to a component with a key of the key file."""
        port = self.base + 1 + list(self.parts).index(component)
        keys = json.loads((self.data / "keys.json").read_text())
        key = keys["participants"][who]["key"] if who in keys["participants"] else keys[who]
        return Client(f"http://127.0.0.1:{port}", key, timeout_s=WITHIN_S)

    def ask(self, component: str, who: str, path: str) -> Any:
        """Ask until it is answered; a component that starts may not be there yet."""

        def answer() -> Any:
            try:
                status, found = self.client(component, who).call("GET", path)
            except (OSError, http.client.HTTPException):
                return None
            return (found,) if status == 200 else None

        return wait_for(answer, f"GET {path} of the {component}", WITHIN_S)[0]

    def order(self, who: str, side: str, symbol: str, price: str) -> dict[str, Any]:
        """Enter an order for 5."""
        body = {"symbol": symbol, "side": side, "qty": "5", "price": price}
        found: dict[str, Any] = self.client("engine", who).call("POST", "/api/v1/order", body)[1]
        return found

    def trade(self, symbol: str, price: str) -> None:
        """Have alice buy from bob."""
        assert self.order("alice", "buy", symbol, price)["status"] == "new"
        assert self.order("bob", "sell", symbol, price)["status"] == "filled"

    def rulings(self, count: int) -> list[Any]:
        """Return what clearing makes of its trades, once it has so many."""

        def all_of_them() -> Any:
            items = self.ask("clearing", "auditor", "/api/v1/trades?limit=100")["items"]
            return items if len(items) >= count else None

        items = wait_for(all_of_them, f"{count} trades in clearing", WITHIN_S)
        return sorted(
            [self.ask("clearing", "auditor", f"/api/v1/trades/{each['match_id']}") for each in items],
            key=lambda each: int(each["match_id"]),
        )

    def settled(self) -> dict[str, Any]:
        """Return the configuration once the market has all of it."""

        def state() -> Any:
            found = self.ask("engine", "operator", PATH + "/shared")
            return found if found["version"] == found["sequenced"] else None

        found: dict[str, Any] = wait_for(state, "the market has the configuration", WITHIN_S)
        return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with RedisServer() as server, ExitStack() as stack:
        place = Place(tmp_path, server.url)
        for part in place.parts.values():
            part.start()
            stack.callback(part.end, kill=True)
        yield place


def document(number: int) -> dict[str, Any]:
    """Return a document that changes everything at once: ticks, lot, name, a new symbol, and a rule."""
    return {
        "exchange": {"log_level": ("info", "debug")[number % 2]},
        "symbols": [
            {"symbol": "AAPL", "ticks": [{"from": "0", "tick": f"0.{5 + number:02d}"}]},
            {"symbol": f"N{number}", "name": f"New {number}", "reference_price": "25.00", "round_lot": 5},
        ],
        "clearing": {
            "rules": {"version": number + 2},
            "rule": [{"id": "SMALL", "kind": "max_quantity", "limit": 4, "action": "hold"}],
        },
    }


def applied_with_a_kill(place: Place, number: int, after_s: float) -> None:
    """Send a document, and kill the engine meanwhile."""
    operator = place.client("engine", "operator")

    def send() -> None:
        try:
            operator.call("POST", PATH, {"document": document(number)})
        except (OSError, http.client.HTTPException):
            return

    sending = threading.Thread(target=send)
    sending.start()
    sending.join(after_s)
    place.parts["engine"].end(kill=True)
    sending.join(READY_S)
    place.parts["engine"].start()


def test_a_document_changes_the_market_and_the_rules_through_kills_of_the_engine(place: Place) -> None:
    chance = random.Random(SEED)
    place.trade("AAPL", "189.21")
    taken = 0
    for number in range(KILLS):
        applied_with_a_kill(place, number, chance.uniform(0, 0.08))
        before = place.settled()
        assert before["version"] in (taken, taken + 1), "a document was taken whole or not at all"
        assert_equal_to_the_document(place, number, was_taken=before["version"] > taken)
        taken = before["version"]
    status, done = place.client("engine", "operator").call("POST", PATH, {"document": document(KILLS)})
    assert (status, done["problem"]) == (200, ""), done
    assert place.order("bob", "sell", "AAPL", "189.21")["reason"] == "price_not_on_tick"
    place.trade(f"N{KILLS}", "25.00")
    judged = place.rulings(2)
    assert [each["state"] for each in judged] == ["accepted", "held"]
    assert f"rules {KILLS + 2} (configuration {done['version']})" in json.dumps(judged[1])
    assert_history_repeats_itself(place)
    assert_a_new_clearing_is_equal(place, judged)


def assert_equal_to_the_document(place: Place, number: int, *, was_taken: bool) -> None:
    listed = {each["symbol"]: each for each in place.ask("engine", "operator", "/api/v1/symbols")["items"]}
    assert (f"N{number}" in listed) == was_taken
    assert (listed["AAPL"]["ticks"] == [{"from": "0.00", "tick": f"0.{5 + number:02d}"}]) == was_taken


def assert_history_repeats_itself(place: Place) -> None:
    """Stop the engine; its journal must replay to the same hash, each change by one version and once."""
    place.parts["engine"].end(kill=False)
    checked = subprocess.run(
        [*EXCHANGE, "journal", "check", "--data", str(place.data), "--json"],
        capture_output=True, text=True, timeout=READY_S, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
    place.parts["engine"].start()
    events = place.ask("engine", "auditor", "/api/v1/events?after=0&limit=10000")["items"]
    changed = [each for each in events if each["type"] == "configuration_changed"]
    versions = [each["data"]["configuration_version"] for each in changed]
    assert versions == sorted(set(versions))
    added = [
        each["data"]["symbol"]
        for each in events
        if each["type"] == "symbol_configured" and "listed" in each["data"]["changes"]
    ]
    assert len(added) == len(set(added)) == len(versions)


def assert_a_new_clearing_is_equal(place: Place, judged: list[Any]) -> None:
    clearing = place.parts["clearing"]
    clearing.end(kill=False)
    shutil.rmtree(place.data / "clearing")
    clearing.start()
    assert place.rulings(len(judged)) == judged
    assert place.ask("clearing", "auditor", "/api/v1/prove")["holds"]
