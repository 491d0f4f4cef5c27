"""Where a replay begins, and what is said where history is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.domain import commands as c
from exchange.domain.order import Side
from exchange.engine.engine_folder import EngineFolder
from exchange.engine.explain.past import HistoryGone, past_of
from exchange.engine.explain.witness import hear
from exchange.engine.explain.worker import GONE, explain_order, main
from exchange.engine.replay import ReplayFailed, python_matcher, snapshot_of
from exchange.infra.journal_segments import list_segments
from exchange.infra.snapshot import list_snapshots, write_snapshot
from exchange.matching.venue import RULES_VERSION
from tests.engine.own_commands import order
from tests.engine.stored_engine import StoredEngine

MEMBERS: tuple[c.Command, ...] = (
    c.AddSymbol(symbol="AAPL", name="Apple Inc.", reference_price=1_892_000),
    c.CreateParticipant(name="alice"),
    c.CreateAccount(participant_id=1, name="main"),
)


async def test_a_replay_begins_at_the_newest_snapshot_before_the_order(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path, kind=python_matcher())
    await engine.submit(*MEMBERS)
    early = (await engine.submit(order(1, Side.BUY, 10, 1_000_000)))[0].command_sequence
    write_snapshot(engine.folder.snapshots, snapshot_of(engine.recovered.venue, RULES_VERSION))
    late = (await engine.submit(order(1, Side.BUY, 20, 1_000_000)))[0].command_sequence
    await engine.stop()
    assert past_of(tmp_path, late, python_matcher()).start().command_sequence == early
    assert past_of(tmp_path, early, python_matcher()).start().command_sequence == 0
    assert explain_order(tmp_path, late).headline.startswith("Waiting: buy 20 AAPL")
    assert explain_order(tmp_path, early, "python").headline.startswith("Waiting: buy 10 AAPL")


async def test_history_that_is_gone_is_said_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = await StoredEngine.start(tmp_path, kind=python_matcher())
    await engine.submit(*MEMBERS)
    await engine.submit(order(1, Side.BUY, 10, 1_000_000))
    await engine.fill(700, 5)
    await engine.stop(snapshot=True)
    first, *_ = segments = list_segments(engine.folder.journal)
    assert len(segments) > 1
    first.path.unlink()
    with pytest.raises(HistoryGone, match=r"no snapshot before it is kept; what became of the order is in"):
        past_of(tmp_path, 5, python_matcher())
    assert main([str(tmp_path), "5"]) == GONE
    assert "snapshots_kept" in capsys.readouterr().err


async def test_a_history_that_does_not_repeat_itself_is_not_explained(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path, kind=python_matcher())
    await engine.submit(*MEMBERS)
    await engine.submit(order(1, Side.BUY, 10, 1_000_000))
    await engine.stop()
    past = past_of(tmp_path, 5, python_matcher())
    wrong = past._replace(runs=lambda: (run._replace(before=7) for run in past.runs()))
    with pytest.raises(ReplayFailed, match="the replay differs from history before command 1"):
        hear(wrong, 5)


async def test_a_damaged_snapshot_is_passed_over(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path, kind=python_matcher())
    await engine.submit(*MEMBERS)
    await engine.stop(snapshot=True)
    ((_, path),) = list_snapshots(EngineFolder(tmp_path).snapshots)
    path.write_bytes(path.read_bytes()[:100])
    assert past_of(tmp_path, 90, python_matcher()).start().command_sequence == 0
