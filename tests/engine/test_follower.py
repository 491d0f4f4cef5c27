"""The follower: a second venue that proves the first, writes its snapshots, and never disturbs it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import msgspec
import pytest

from exchange.engine import follower as following
from exchange.engine.follower import (
    FAILED,
    MISMATCH,
    Follower,
    FollowerReport,
    follow,
    parse_options,
    read_report,
    run,
    write_report,
)
from exchange.engine.replay import ReplayFailed, VenueKind, python_matcher
from exchange.infra.journal_segments import JournalDamaged, list_segments
from exchange.infra.snapshot import list_snapshots, read_snapshot
from exchange.matching.venue import RULES_VERSION, Venue
from tests.engine.stored_engine import StoredEngine


def follower_of(folder: Path, *, every: int = 0, kept: int = 3, archive: Path | None = None) -> Follower:
    return Follower(folder, 0, python_matcher(), snapshot_every=every, snapshots_kept=kept, archive=archive)


def replay_all(follower: Follower) -> None:
    while follower.step():
        pass


async def test_it_follows_a_running_engine_one_batch_behind(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path)
    follower = follower_of(tmp_path)
    await engine.fill(10)
    replay_all(follower)
    assert follower.venue.command_sequence == 10
    await engine.stop()
    replay_all(follower)
    assert follower.venue.running_hash == engine.recovered.venue.running_hash
    assert follower.venue.digest() == engine.recovered.venue.digest()
    follower.close()


async def test_it_writes_a_snapshot_every_so_many_commands_and_begins_there(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path)
    await engine.fill(35)
    await engine.stop()
    follower = follower_of(tmp_path, every=10, kept=2)
    replay_all(follower)
    follower.close()
    assert [sequence for sequence, _ in list_snapshots(tmp_path / "snapshots")] == [30, 20]
    again = follower_of(tmp_path)
    assert again.venue.command_sequence == 30
    replay_all(again)
    assert again.venue.digest() == engine.recovered.venue.digest()
    again.close()


async def test_its_snapshot_equals_the_one_the_engine_would_write(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path)
    await engine.fill(9)
    await engine.stop(snapshot=True)
    (sequence, path) = list_snapshots(tmp_path / "snapshots")[0]
    from_engine = read_snapshot(path)
    path.unlink()
    follower = follower_of(tmp_path, every=sequence)
    replay_all(follower)
    follower.close()
    assert read_snapshot(path) == from_engine


async def test_it_removes_what_is_no_longer_needed_and_the_engine_still_starts(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path / "engine")
    await engine.fill(12, 1000)
    await engine.stop()
    files = len(list_segments(tmp_path / "engine" / "journal"))
    follower = follower_of(tmp_path / "engine", every=2000, kept=2, archive=tmp_path / "archive")
    replay_all(follower)
    follower.close()
    kept = len(list_segments(tmp_path / "engine" / "journal"))
    assert files > kept >= 1
    assert len(list_segments(tmp_path / "archive")) == files - kept
    again = await StoredEngine.start(tmp_path / "engine")
    assert again.history[0] == 12_002
    await again.stop()


async def test_an_archive_that_cannot_be_written_is_told_and_stops_nothing(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path / "engine")
    await engine.fill(12, 1000)
    await engine.stop()
    (tmp_path / "archive").write_text("a file, not a folder")
    follower = follower_of(tmp_path / "engine", every=2000, kept=1, archive=tmp_path / "archive")
    replay_all(follower)
    assert "no journal file is removed before it is archived" in follower.report("following").message
    assert follower.venue.command_sequence == 12_001
    follower.close()


async def test_another_outcome_than_the_engines_is_a_mismatch(tmp_path: Path) -> None:
    class Wrong(Venue):
        def apply(self, commands: bytes, time_ns: int) -> bytes:
            return super().apply(commands, time_ns + 1)

    engine = await StoredEngine.start(tmp_path)
    await engine.fill(5)
    kind = VenueKind("wrong", python_matcher().rules_version, Wrong, Wrong.restore)
    follower = Follower(tmp_path, 0, kind, snapshot_every=0, snapshots_kept=3, archive=None)
    with pytest.raises(ReplayFailed, match="differs from history before command 2"):
        replay_all(follower)
    follower.close()
    await engine.stop()


async def test_damage_ahead_is_told_when_there_is_no_progress(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path)
    await engine.fill(5)
    await engine.crash()
    path = list_segments(tmp_path / "journal")[0].path
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    follower = follower_of(tmp_path)
    replay_all(follower)
    with pytest.raises(JournalDamaged):
        follower.check_damage()
    follower.close()


def options(folder: Path, *more: str) -> argparse.Namespace:
    return parse_options([str(folder), *more])


class Parent:
    """The pipe that tells a follower whether its engine lives."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read_end, self.write_end = os.pipe()
        monkeypatch.setattr(following.sys, "stdin", self)
        monkeypatch.setattr(following.os, "nice", lambda _: 0)

    def fileno(self) -> int:
        return self.read_end

    def die(self) -> None:
        os.close(self.write_end)


async def test_it_ends_when_the_engine_is_gone_having_replayed_what_there_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await StoredEngine.start(tmp_path)
    await engine.fill(5)
    await engine.stop()
    parent = Parent(monkeypatch)
    parent.die()
    assert run(options(tmp_path)) == 0
    report = read_report(tmp_path)
    assert report
    assert (report.state, report.message) == ("stopped", "")


async def test_a_mismatch_is_said_loudly_and_has_its_own_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = await StoredEngine.start(tmp_path)
    await engine.fill(5)
    await engine.stop()
    Parent(monkeypatch)
    other_rules = VenueKind("python", 99, Venue, Venue.restore)
    monkeypatch.setattr(following, "choose_matcher", lambda _: other_rules)
    assert run(options(tmp_path)) == MISMATCH
    report = read_report(tmp_path)
    assert report
    assert report.state == "mismatch"
    assert f"matched by rules version {RULES_VERSION}" in report.message
    assert f"matched by rules version {RULES_VERSION}" in capsys.readouterr().err


def test_a_follower_without_engine_ends_as_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Parent(monkeypatch).die()
    assert run(options(tmp_path)) == FAILED
    report = read_report(tmp_path)
    assert report
    assert "gone before it made a journal" in report.message


async def test_it_waits_for_more_while_the_engine_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await StoredEngine.start(tmp_path)
    await engine.fill(3)
    await engine.stop()
    parent = Parent(monkeypatch)
    follower = follower_of(tmp_path)
    steps = 0
    step = follower.step

    def counted() -> int:
        nonlocal steps
        steps += 1
        if steps == 4:
            parent.die()
        return step()

    monkeypatch.setattr(follower, "step", counted)
    monkeypatch.setattr(following, "POLL_S", 0.001)
    monkeypatch.setattr(following, "STUCK_S", 0)
    monkeypatch.setattr(following, "REPORT_S", 0)
    follow(follower, parent.fileno())
    assert steps == 4
    assert follower.venue.command_sequence == 4
    follower.close()


def test_reports_come_back_and_half_written_ones_are_none(tmp_path: Path) -> None:
    assert read_report(tmp_path) is None
    report = FollowerReport("following", 7, 12, 10, "00", "")
    write_report(tmp_path, report)
    assert read_report(tmp_path) == report
    (tmp_path / "follower.json").write_bytes(msgspec.json.encode(report)[:-3])
    assert read_report(tmp_path) is None
