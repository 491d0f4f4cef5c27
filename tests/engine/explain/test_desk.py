"""The desk where explanations are asked for: its queue, its patience, and what it gives up."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from exchange.engine.explain import desk as desk_module
from exchange.engine.explain.desk import ExplainBusyError, ExplainDesk, ExplainGoneError


@pytest.fixture
async def test_a_replay_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    desk = ExplainDesk(tmp_path, answer_s_max=0.0)
    with pytest.raises(ExplainBusyError, match="took longer than 0 s and was ended"):
        await desk.explain(1)


async def test_more_questions_than_wait_are_turned_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = asyncio.Event()

    async def slow(_: ExplainDesk, order_id: int) -> tuple[int, bytes, str]:
        await go_on.wait()
        return 0, str(order_id).encode(), ""

    monkeypatch.setattr(ExplainDesk, "_ask_worker", slow)
    desk = ExplainDesk(tmp_path)
    waiting = [asyncio.create_task(desk.explain(number)) for number in range(desk_module.WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(ExplainBusyError, match="8 explanations are asked for already"):
        await desk.explain(99)
    go_on.set()
    assert await asyncio.gather(*waiting) == [
        str(number).encode() for number in range(desk_module.WAITING_MAX)
    ]


async def test_an_order_that_never_shows_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def unheard(_: ExplainDesk, order_id: int) -> tuple[int, bytes, str]:
        asked.append(order_id)
        return desk_module.UNHEARD, b"", "no event names it"

    monkeypatch.setattr(ExplainDesk, "_ask_worker", unheard)
    monkeypatch.setattr(desk_module, "HEARD_AFTER_S", 0)
    with pytest.raises(ExplainGoneError, match="no event names it"):
        await ExplainDesk(tmp_path).explain(1)
    assert len(asked) == desk_module.HEARD_TRIES
