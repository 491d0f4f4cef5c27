"""The engine's side of the follower: a process whose life and death the engine survives."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from exchange.engine import follower_process
from exchange.engine.follower import FollowerReport, write_report
from exchange.engine.follower_process import FollowerProcess
from exchange.infra.snapshot import list_snapshots
from tests.engine.stored_engine import StoredEngine, until


def process_of(folder: Path, every: int = 10) -> FollowerProcess:
    return FollowerProcess(folder, 0, snapshot_every=every, snapshots_kept=2)


def state_of(follower: FollowerProcess) -> str:
    report = follower.report()
    return report.state if report else ""


@pytest.mark.integration
async def test_it_writes_snapshots_beside_a_running_engine_and_ends_with_it(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path)
    follower = process_of(tmp_path)
    await follower.start()
    await engine.fill(40)
    await until(lambda: len(list_snapshots(tmp_path / "snapshots")) == 2)
    assert follower.problem == ""
    await engine.stop()
    await follower.stop()
    assert state_of(follower) == "stopped"
    again = await StoredEngine.start(tmp_path)
    assert again.recovered.report.snapshot_sequence >= 20
    await again.stop()


@pytest.mark.integration
async def test_one_that_is_killed_is_started_again_and_the_engine_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_process, "RESTART_AFTER_S", 0.01)
    engine = await StoredEngine.start(tmp_path)
    follower = process_of(tmp_path)
    await follower.start()
    await until(lambda: state_of(follower) == "following")
    first = follower.report()
    assert first
    os.kill(first.process_id, signal.SIGKILL)
    await engine.fill(40)
    await until(lambda: follower.restarts == 1 and len(list_snapshots(tmp_path / "snapshots")) == 2)
    assert follower.problem == ""
    await engine.stop()
    await follower.stop()


@pytest.mark.integration
async def test_one_that_finds_another_history_is_not_started_again_and_told(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path, partition=2)
    await engine.fill(5)
    follower = process_of(tmp_path)
    await follower.start()
    await until(lambda: follower.problem)
    assert "ended with code 3" in follower.problem
    assert "partition 2" in follower.problem
    assert follower.restarts == 0
    await engine.stop()
    await follower.stop()


async def test_one_that_cannot_be_started_is_told_and_stops_no_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_process.sys, "executable", str(tmp_path / "nothing"))
    follower = process_of(tmp_path)
    await follower.start()
    await until(lambda: follower.problem)
    assert "nothing: No such file or directory" in follower.problem
    await follower.stop()


async def test_what_a_living_follower_complains_of_is_a_problem_too(tmp_path: Path) -> None:
    follower = process_of(tmp_path)
    assert follower.problem == ""
    write_report(tmp_path, FollowerReport("following", 1, 1, 1, "", "the archive is full"))
    assert follower.problem == "follower: the archive is full"
    write_report(tmp_path, FollowerReport("stopped", 1, 1, 1, "", "old"))
    assert follower.problem == ""


async def test_one_that_was_never_started_stops_at_once(tmp_path: Path) -> None:
    await process_of(tmp_path).stop()
