"""What people are told of a journal; reading it changes nothing, beside a running engine too."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.domain.commands import CancelOrder, StartEngine
from exchange.engine import journal_reader
from exchange.engine.replay import ReplayFailed, VenueKind, python_matcher
from exchange.infra.errors import InfraError
from exchange.infra.journal_segments import JournalReader, list_segments
from exchange.infra.snapshot import list_snapshots
from exchange.matching.venue import RULES_VERSION, Venue
from exchange.wire.records import encode_command
from tests.engine.stored_engine import StoredEngine, cancel


async def written(folder: Path, *, clean: bool = True) -> StoredEngine:
    engine = await StoredEngine.start(folder)
    await engine.submit(cancel(5), cancel(6))
    await engine.fill(3)
    await (engine.stop(snapshot=True) if clean else engine.crash())
    return engine


def damage(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


async def test_a_whole_journal_has_no_problem(tmp_path: Path) -> None:
    await written(tmp_path)
    found = journal_reader.check(tmp_path, replay=python_matcher())
    assert (found.problems, found.notes, found.is_running) == ((), (), False)
    assert (found.batches, found.commands, found.first_sequence, found.last_sequence) == (6, 6, 1, 6)
    assert (found.ends_with, found.epoch, found.first_event, found.last_event) == ("close", 1, 1, 6)
    assert [(seen.command_sequence, seen.problem) for seen in found.snapshots] == [(6, "")]


async def test_a_check_beside_a_running_engine_says_so(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path)
    await engine.fill(3)
    found = journal_reader.check(tmp_path, replay=python_matcher())
    assert (found.is_running, found.problems, found.commands) == (True, (), 4)
    await engine.stop()


async def test_a_torn_tail_is_a_note_and_damage_a_problem(tmp_path: Path) -> None:
    await written(tmp_path, clean=False)
    last = list(JournalReader(tmp_path / "journal", 0).batches())[-1]
    damage(last.path, last.offset + 70)
    found = journal_reader.check(tmp_path)
    assert "are a torn tail; the next start cuts them" in found.notes[0]
    assert (found.last_sequence, found.problems) == (5, ())
    found = journal_reader.check(tmp_path, replay=python_matcher())
    assert found.problems == ("the event log knows event 6, the journal ends with 5",)
    damage(last.path, 70)
    found = journal_reader.check(tmp_path)
    assert "is damaged in" in found.problems[0]


async def test_damaged_snapshots_and_event_logs_are_notes(tmp_path: Path) -> None:
    await written(tmp_path)
    damage(list_snapshots(tmp_path / "snapshots")[0][1], 170)
    damage(next((tmp_path / "events").glob("*.events")), 50)
    found = journal_reader.check(tmp_path)
    assert found.problems == ()
    assert len(found.notes) == 2


async def test_what_lies_beyond_the_end_is_a_problem(tmp_path: Path) -> None:
    await written(tmp_path)
    path = list_segments(tmp_path / "journal")[0].path
    path.write_bytes(path.read_bytes()[:200])
    found = journal_reader.check(tmp_path)
    assert "lies beyond the end of the journal" in found.problems[0]


async def test_a_replay_that_differs_is_a_problem(tmp_path: Path) -> None:
    await written(tmp_path, clean=False)
    kind = VenueKind("python", RULES_VERSION + 1, Venue, Venue.restore)
    found = journal_reader.check(tmp_path, replay=kind)
    assert f"rules version {RULES_VERSION}" in found.problems[0]


async def test_batches_are_shown_with_their_commands(tmp_path: Path) -> None:
    await written(tmp_path)
    shown = list(journal_reader.show(tmp_path))
    assert [(batch.kind, batch.first_sequence, batch.count) for batch in shown[:2]] == [
        ("commands", 1, 1),
        ("commands", 2, 2),
    ]
    assert shown[0].commands[0].command == StartEngine(epoch=1)
    assert [(one.sequence, one.name) for one in shown[1].commands] == [(2, "CancelOrder"), (3, "CancelOrder")]
    assert isinstance(shown[1].commands[1].command, CancelOrder)
    assert shown[-1].kind == "close"


async def test_showing_begins_behind_a_sequence_and_ends_at_the_limit(tmp_path: Path) -> None:
    await written(tmp_path)
    shown = list(journal_reader.show(tmp_path, after=2, limit=2))
    assert [[one.sequence for one in batch.commands] for batch in shown] == [[3], [4]]


async def test_a_record_that_this_version_does_not_know_is_shown_as_it_is(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path)
    unknown = bytearray(encode_command(cancel()))
    unknown[4] = 99
    await engine.sequencer.submit(bytes(unknown), 1)
    await engine.stop()
    (shown,) = next(iter(journal_reader.show(tmp_path, after=1))).commands
    assert (shown.name, shown.command) == ("type 99", None)
    assert "99 is unknown to this version" in shown.problem


async def test_statistics_count_batches_and_commands_by_type(tmp_path: Path) -> None:
    await written(tmp_path)
    found = journal_reader.stat(tmp_path)
    assert found.by_type == {"CancelOrder": 5, "StartEngine": 1}
    assert (found.batches, found.clean_stops, found.commands, found.batch_commands_max) == (5, 1, 6, 2)
    assert (found.first_sequence, found.last_sequence, found.last_epoch) == (1, 6, 1)
    assert found.size_bytes > found.used_bytes > 0
    assert 0 < found.first_ns <= found.last_ns


async def test_a_snapshot_on_request_holds_all_that_is_durable(tmp_path: Path) -> None:
    engine = await written(tmp_path, clean=False)
    taken = journal_reader.take_snapshot(tmp_path)
    assert (taken.command_sequence, taken.digest) == (6, engine.recovered.venue.digest())
    again = await StoredEngine.start(tmp_path)
    assert (again.recovered.report.snapshot_sequence, again.recovered.report.commands) == (6, 0)
    taken = journal_reader.take_snapshot(tmp_path)
    assert taken.command_sequence == 6, "the last batch of a running engine may not be on disk yet"
    await again.fill(2)
    assert journal_reader.take_snapshot(tmp_path).command_sequence == 8
    await again.stop()


async def test_no_snapshot_is_taken_of_a_history_that_does_not_repeat_itself(tmp_path: Path) -> None:
    await written(tmp_path, clean=False)
    with pytest.raises(ReplayFailed):
        journal_reader.take_snapshot(
            tmp_path, kind=VenueKind("python", RULES_VERSION + 1, Venue, Venue.restore)
        )
    assert list_snapshots(tmp_path / "snapshots") == []


def test_a_folder_that_is_no_engines_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(InfraError, match="holds no journal; give the data folder of an engine"):
        journal_reader.check(tmp_path)


async def test_the_partition_is_read_from_the_journal_itself(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path, partition=7)
    await engine.stop()
    assert journal_reader.partition_of(tmp_path) == 7
    assert journal_reader.check(tmp_path).problems == ()


async def test_the_flow_of_a_journal_is_all_its_commands_with_their_times(tmp_path: Path) -> None:
    await written(tmp_path)
    flow = journal_reader.flow_of(tmp_path)
    venue = Venue()
    for commands, time_ns in flow:
        venue.apply(commands, time_ns)
    assert venue.command_sequence == 6
