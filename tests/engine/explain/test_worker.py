"""The process that explains: what it answers, and with which exit code."""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

import msgspec
import pytest

from exchange.domain import commands as c
from exchange.domain.order import Side
from exchange.engine.explain.witness import Unheard
from exchange.engine.explain.worker import UNHEARD, explain_order, main
from exchange.engine.replay import python_matcher
from exchange.wire.rest.explain import Explanation
from tests.engine.own_commands import order
from tests.engine.stored_engine import StoredEngine

MEMBERS: tuple[c.Command, ...] = (
    c.AddSymbol(symbol="AAPL", name="Apple Inc.", reference_price=1_892_000),
    c.CreateParticipant(name="alice"),
    c.CreateAccount(participant_id=1, name="main"),
)


async def test_an_order_that_no_event_names_is_unheard(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path, kind=python_matcher())
    await engine.stop()
    with pytest.raises(Unheard, match="no event names order 99"):
        explain_order(tmp_path, 99)
    before = resource.getrlimit(resource.RLIMIT_CPU)
    assert main([str(tmp_path), "99"]) == UNHEARD
    assert resource.getrlimit(resource.RLIMIT_CPU) == before


async def test_an_explanation_is_written_as_json(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path, kind=python_matcher())
    await engine.submit(*MEMBERS)
    (event, *_) = await engine.submit(order(1, Side.BUY, 10, 1_000_000))
    await engine.stop()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exchange.engine.explain.worker", str(tmp_path), str(event.command_sequence),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    text, _ = await process.communicate()
    assert process.returncode == 0
    told = msgspec.json.decode(text, type=Explanation)
    assert told.headline == "Waiting: buy 10 AAPL at 100.00, nothing traded yet."
    assert told.proven == f"{engine.recovered.venue.running_hash:016x}"
