"""`exchange clearing prove` makes the ledger anew from the engine's events and compares it with clearing's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from exchange.clearing.replay_proof import replay
from exchange.wire.envelope import encode_batch
from tests.clearing.fake_engine import StreamSource
from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent
from tests.post_trade.stream import Stream


@pytest.fixture
def stated(component: StubComponent, data: Path) -> dict[str, Any]:
    """Let the component serve a stream of events, and return what clearing should state of them."""
    stream = Stream()
    stream.bust(stream.trade(1, 2, 100, price="230.00"))
    stream.trade(1, 2, 5)
    ledger = asyncio.run(replay(StreamSource(stream), len(stream.events))).books
    (batch,) = stream.batches([])
    component.answer("GET", "/api/v1/events", encode_batch(batch))
    return {
        "holds": True, "seq": len(stream.events), "trades": ledger.trades, "transfers": ledger.ledger.transfers,
        "ledger_hash": ledger.ledger.running_hash.hex(), "faults": [],
    }  # fmt: skip


def test_equal_hashes_are_a_proof(run: Run, component: StubComponent, stated: dict[str, Any]) -> None:
    component.answer("GET", "/api/v1/prove", stated)
    ran = run("clearing", "prove", "--json")
    assert (ran.code, ran.json["holds"], ran.json["hash_from_events"]) == (0, True, stated["ledger_hash"])
    assert {asked.key for asked in component.asked} == {"xk_auditor"}


def test_another_hash_is_a_fault_and_ends_with_one(
    run: Run, component: StubComponent, stated: dict[str, Any]
) -> None:
    component.answer("GET", "/api/v1/prove", stated | {"ledger_hash": "00" * 16})
    ran = run("clearing", "prove")
    assert ran.code == 1
    assert (
        f"fault: ledger hash: {stated['ledger_hash']} from the events, {'00' * 16} in clearing's books"
        in ran.out
    )


def test_a_log_that_does_not_reach_back_is_said(
    run: Run, component: StubComponent, stated: dict[str, Any]
) -> None:
    component.answer("GET", "/api/v1/prove", stated)
    component.refuse("GET", "/api/v1/events", 410, "gone", "events before 500 are not kept")
    ran = run("clearing", "prove")
    assert ran.code == 1
    assert "no longer reaches back to the first event" in ran.err


def test_books_that_clearing_itself_finds_wrong_are_no_proof(
    run: Run, component: StubComponent, stated: dict[str, Any]
) -> None:
    component.answer("GET", "/api/v1/prove", stated | {"holds": False, "faults": ["cash does not sum to 0"]})
    ran = run("clearing", "prove")
    assert (ran.code, "fault: cash does not sum to 0" in ran.out) == (1, True)


STATEMENT = {
    "account": "1", "business_date": "2026-11-23", "currency": "USD", "fees": {"trading": "1.00"}, "fills_count": 2,
    "lines": [{"symbol": "AAPL", "opening": "0", "bought": "100", "sold": "0", "closing": "100",
               "average_price": "189.00", "mark": "190.00", "realised_fifo": "0.00", "unrealised_fifo": "100.00",
               "fees": "1.00"}],
}  # fmt: skip


def test_a_statement_is_shown_to_whom_it_belongs(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/statement", STATEMENT)
    lines = run("clearing", "statement", "--date", "2026-11-23").out.splitlines()
    assert (lines[0], lines[2].split()[:5]) == (
        "account 1 on 2026-11-23, USD",
        ["AAPL", "0", "100", "0", "100"],
    )
    (asked,) = component.asked
    assert (asked.key, asked.query) == ("xk_alice", {"date": "2026-11-23", "format": "json"})


def test_a_statement_goes_into_a_new_file(
    run: Run, component: StubComponent, data: Path, tmp_path: Path
) -> None:
    component.answer("GET", "/api/v1/statement", b"section,account\r\n")
    file = tmp_path / "statement.csv"
    assert run("clearing", "statement", "--format", "csv", "--to", str(file)).out == f"wrote {file}\n"
    assert file.read_bytes() == b"section,account\r\n"
    again = run("clearing", "statement", "--format", "csv", "--to", str(file))
    assert (again.code, "is there already and stays as it is" in again.err) == (2, True)
    assert run("clearing", "statement", "--format", "html").code == 2


CYCLE = {"date": "2026-11-23", "closed_at": "t", "seq": 9, "obligations": 2, "left_out": 1, "who": "otto", "why": "end",
         "hash": "ab"}  # fmt: skip


def test_a_day_is_closed_by_clearing(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("POST", "/api/v1/cycles", CYCLE, 201)
    assert "left out" in run("clearing", "close", "2026-11-23", "--reason", "end").out
    (asked,) = component.asked
    assert (asked.key, asked.body) == ("xk_clearing", {"date": "2026-11-23", "reason": "end"})


def test_closed_days_and_their_obligations_are_listed(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/api/v1/cycles", {"items": [CYCLE], "next": None})
    assert run("clearing", "cycles").out.splitlines()[1].split() == [
        "2026-11-23",
        "t",
        "2",
        "1",
        "otto",
        "ab",
    ]
    owed = {"account": "1", "symbol": "AAPL", "qty": "-5", "cash": "945.00"}
    component.answer("GET", "/api/v1/cycles/2026-11-23", {"items": [owed], "next": None})
    assert run("clearing", "obligations", "2026-11-23").out.splitlines()[1].split() == [
        "1",
        "AAPL",
        "-5",
        "945.00",
    ]
