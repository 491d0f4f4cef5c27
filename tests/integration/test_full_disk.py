"""A disk that runs full: the engine halts and loses nothing, the others say so, go on reading, and catch up."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.exchange_process import Client, wait_for
from tests.integration.fault_stand import FaultRow
from tests.integration.full_disk import SmallDisk
from tests.integration.parts import Parts

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


def enter(client: Client, number: int, side: str = "buy") -> tuple[int, Any]:
    order = {"symbol": "AAPL", "side": side, "qty": 1, "price": "189.20", "time_in_force": "gtc"}
    return client.call("POST", "/api/v1/order", {**order, "client_order_id": f"{side}{number}"})


def test_an_engine_whose_disk_is_full_halts_and_the_others_go_on_reading(tmp_path: Path) -> None:
    row = FaultRow("the engine's disk is full, until there is room and it is started again")
    with SmallDisk(tmp_path / "disk", 64) as disk, Parts(tmp_path) as parts:
        parts.start("engine", disk.folder / "data")
        parts.start("reporter", tmp_path / "reporter")
        parts.start("clearing", tmp_path / "clearing")
        traders = [parts.client("engine", name) for name in ("alice", "bob")]
        acknowledged: list[str] = []
        disk.fill(leave=300_000)
        for number in range(50_000):
            status, answer = enter(traders[number % 2], number, ("buy", "sell")[number % 2])
            if status != 201:
                break
            acknowledged.append(answer["id"])
        assert (status, answer["reason"], answer["retry"]) == (503, "engine_halted", True)
        assert "No space left on device" in answer["message"]
        assert len(acknowledged) > 10
        assert Client(parts.url("engine")).call("GET", "/readyz")[0] == 503
        for name, path in (("reporter", "/api/v1/trades"), ("clearing", "/api/v1/positions")):
            assert parts.client(name, "auditor").call("GET", path)[0] == 200

        assert parts.stop("engine") == 0
        disk.make_room()
        begun = time.monotonic()
        parts.start("engine", disk.folder / "data")
        found = parts.orders_of("alice") | parts.orders_of("bob")
        assert set(acknowledged) <= found
        assert len(found) <= len(acknowledged) + 1
        parts.wait_until_equal()
        row.healed(time.monotonic() - begun)
        assert "Traceback" not in (tmp_path / "engine.log").read_text()
    row.report()


@pytest.mark.parametrize("name", ["reporter", "clearing"])
def test_a_consumer_whose_disk_is_full_says_so_and_loses_nothing(name: str, tmp_path: Path) -> None:
    row = FaultRow(f"the disk of {name} is full, until there is room and it is started again")
    with SmallDisk(tmp_path / "disk", 32) as disk, Parts(tmp_path) as parts:
        parts.start("engine", tmp_path / "data")
        other = {"reporter": "clearing", "clearing": "reporter"}[name]
        parts.start(other, tmp_path / other)
        parts.start(name, disk.folder / "data")
        traders = [parts.client("engine", who) for who in ("alice", "bob")]
        for number in range(20):
            assert enter(traders[number % 2], number, ("buy", "sell")[number % 2])[0] == 201
        parts.wait_until_equal()
        disk.fill()

        def is_noticed() -> bool:
            for number in range(20):
                unique = time.monotonic_ns()
                assert enter(traders[number % 2], unique + number, ("buy", "sell")[number % 2])[0] == 201
            return "disk is full" in json.dumps(Client(parts.url(name)).call("GET", "/readyz")[1])

        wait_for(is_noticed, f"{name} says that its disk is full", 120)
        assert parts.client(name, "auditor").call("GET", "/api/v1/trades?limit=5")[0] == 200
        disk.make_room()
        assert parts.stop(name) == 0
        begun = time.monotonic()
        parts.start(name, disk.folder / "data")
        parts.wait_until_equal()
        row.healed(time.monotonic() - begun)
    row.report()
