"""Margin, payments and defaults over real HTTP: who may what, and what is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from exchange.domain.events import BusinessDayStarted
from tests.clearing.fake_engine import eventually
from tests.clearing.running import RunningClearing

PAY = {"reference": "call-1", "what": "margin", "account": "1", "amount": "500.00", "reason": "call"}
DEFAULT = {"participant": "2", "taker": "3", "worse_bps": 500, "reason": "call not met"}
DRILL = {"participant": "1", "worse_bps": 1000}
PRICES = {"prices": [{"symbol": "AAPL", "date": "2026-11-20", "price": "188.00"}], "reason": "history"}


@pytest.fixture
async def clearing(tmp_path: Path) -> AsyncIterator[RunningClearing]:
    async with RunningClearing(tmp_path) as running:
        running.stream.add(BusinessDayStarted, date=20261123, ends_ns=0)
        running.stream.deposit(1, 1_000_0000)
        running.stream.deposit(3, 1_000_0000)
        running.stream.trade(1, 2, 10, price="189.00")
        await running.caught_up()
        yield running


async def test_a_call_is_shown_and_met_by_its_participant(clearing: RunningClearing) -> None:
    status, act = await clearing.ask("POST", "/margin", "clearing", {"reason": "intraday"})
    assert (status, act["kind"], act["detail"]["accounts"]) == (201, "margin", 2), act
    (own,) = (await clearing.get("/margin", "alice"))["items"]
    assert (own["account"], own["required"], own["called"], own["overdue"]) == (
        "1",
        "189.00",
        "189.00",
        False,
    )
    status, act = await clearing.ask("POST", "/payments", "alice", PAY)
    assert (status, act["source"]) == (201, "payment/call-1"), act
    assert (await clearing.ask("POST", "/payments", "alice", PAY))[1] == act
    (own,) = (await clearing.get("/margin", "alice"))["items"]
    assert (own["held"], own["called"], own["due"]) == ("500.00", "0.00", "")
    status, correction = await clearing.ask(
        "POST", f"/payments/{act['number']}/correct", "clearing", {"reason": "twice"}
    )
    assert (status, correction["source"]) == (201, f"correction/{act['number']}")
    assert (await clearing.get("/prove"))["holds"]


async def test_a_drill_changes_nothing_and_a_default_stops_the_participant(clearing: RunningClearing) -> None:
    status, drill = await clearing.ask("POST", "/defaults/drill", "auditor", DRILL)
    assert (status, drill["loss"], drill["borne"]) == (
        200, "189.00", [{"step": "defaulter's cash", "account": "1", "amount": "189.00"}],
    ), drill  # fmt: skip
    status, act = await clearing.ask("POST", "/defaults", "clearing", DEFAULT)
    assert (status, act["kind"]) == (201, "default"), act

    async def stopped() -> Any:
        (row,) = (await clearing.get("/defaults"))["items"]
        return row["stopped_at"] and row

    row = await eventually(stopped)
    assert (row["participant"], row["answer"]) == ("2", "blocked, 2 orders canceled, event 77")
    assert clearing.engine.blocked == [{"scope": "participant", "subject": "2", "cancel_orders": True,
                                        "reason": f"in default, act {act['number']}"}]  # fmt: skip
    assert (await clearing.get("/prove"))["holds"]


async def test_past_prices_are_entered(clearing: RunningClearing) -> None:
    assert (await clearing.ask("POST", "/closing-prices", "clearing", PRICES))[1]["prices"] == 1


@pytest.mark.parametrize(
    ("path", "key", "body", "status"),
    [
        ("/margin", "alice", {"reason": "x"}, 403),
        ("/payments", "bob", PAY | {"account": "2"}, 403),
        ("/payments", "alice", PAY | {"amount": "-1"}, 403),
        ("/payments", "alice", PAY | {"what": "fund"}, 403),
        ("/payments", "alice", PAY | {"account": "2"}, 404),
        ("/payments", "clearing", PAY | {"account": "77"}, 404),
        ("/payments", "clearing", PAY | {"account": ""}, 404),
        ("/payments", "clearing", PAY | {"amount": "0.00"}, 400),
        ("/payments", "clearing", PAY | {"amount": "much"}, 400),
        ("/payments", "clearing", PAY | {"amount": "9000.00"}, 409),
        ("/payments", "clearing", PAY | {"what": "capital"}, 409),
        ("/payments/77/correct", "clearing", {"reason": "x"}, 409),
        ("/defaults", "auditor", DEFAULT, 403),
        ("/defaults", "clearing", DEFAULT | {"taker": "2"}, 409),
        ("/defaults", "clearing", DEFAULT | {"participant": "99999999999999"}, 409),
        ("/defaults/drill", "clearing", DRILL | {"worse_bps": 10_001}, 400),
        ("/closing-prices", "clearing", PRICES | {"prices": [PRICES["prices"][0] | {"symbol": "NONE"}]}, 404),  # type: ignore[dict-item]
        (
            "/closing-prices",
            "clearing",
            PRICES | {"prices": [PRICES["prices"][0] | {"date": "2026-11-23"}]},
            409,
        ),  # type: ignore[dict-item]
    ],
)
async def test_who_may_not_or_says_nonsense_changes_nothing(
    clearing: RunningClearing, path: str, key: str, body: dict[str, Any], status: int
) -> None:
    found, answer = await clearing.ask("POST", path, key, body)
    assert found == status, answer
    assert (await clearing.get("/house/acts"))["items"] == []
