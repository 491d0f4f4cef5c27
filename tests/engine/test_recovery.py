"""Every start is a recovery: what comes back, what is cut, what is refused, and what is left untouched then."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from exchange.engine.engine_folder import EngineFolder
from exchange.engine.recovery import HistoryMissing, Recovered, Storage, recover
from exchange.engine.replay import ReplayFailed, VenueKind, python_matcher
from exchange.infra.errors import EventsGone, InfraError
from exchange.infra.event_log import EventLog
from exchange.infra.folder_lock import FolderLocked
from exchange.infra.journal_format import HEADER_BYTES
from exchange.infra.journal_segments import JournalDamaged, JournalReader, list_segments
from exchange.infra.snapshot import list_snapshots
from exchange.matching.venue import RULES_VERSION, Venue
from exchange.wire.records import decode_events
from tests.engine.stored_engine import SMALL, StoredEngine, cancel

CHILD = Path(__file__).parent / "killed_engine.py"


def fingerprint(folder: Path) -> dict[str, str]:
    """What lies in the folder, but for the lock."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "lock")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def state(recovered: Recovered) -> tuple[int, int, int, str]:
    venue = recovered.venue
    return venue.command_sequence, venue.event_sequence, venue.running_hash, venue.digest()


def last_batch(folder: Path) -> tuple[Path, int, int]:
    """Return file, offset and size of the last batch."""
    batch = list(JournalReader(folder / "journal", 0).batches())[-1]
    return batch.path, batch.offset, batch.header.size_bytes


def damage(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


async def written(
    folder: Path, batches: int = 20, commands: int = 1, *, clean: bool = False, snapshot: bool = False
) -> StoredEngine:
    """Start, store so many batches of so many commands behind the first one, and end."""
    engine = await StoredEngine.start(folder)
    await engine.fill(batches, commands)
    if clean:
        await engine.stop(snapshot=snapshot)
    else:
        await engine.crash()
    return engine


def test_an_empty_folder_is_an_empty_exchange(tmp_path: Path) -> None:
    recovered = recover(tmp_path)
    assert (recovered.epoch, recovered.venue.command_sequence, recovered.event_log.last_sequence) == (1, 0, 0)
    assert recovered.report.was_stopped_cleanly
    recovered.close()


@pytest.mark.parametrize("clean", [True, False])
async def test_the_same_state_comes_back_from_the_journal_alone(tmp_path: Path, clean: bool) -> None:
    engine = await written(tmp_path, clean=clean)
    recovered = recover(tmp_path, storage=SMALL)
    assert state(recovered) == (*engine.history, engine.recovered.venue.digest())
    report = recovered.report
    assert (report.epoch, report.commands, report.cut_bytes, report.was_stopped_cleanly) == (2, 21, 0, clean)
    recovered.close()


async def test_a_snapshot_shortens_the_replay_to_its_tail(tmp_path: Path) -> None:
    await written(tmp_path, clean=True, snapshot=True)
    engine = await written(tmp_path, 7)
    recovered = recover(tmp_path, storage=SMALL)
    assert (recovered.report.snapshot_sequence, recovered.report.commands) == (21, 8)
    assert state(recovered) == (*engine.history, engine.recovered.venue.digest())
    recovered.close()


async def test_a_second_start_is_refused_and_names_the_process(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path)
    with pytest.raises(FolderLocked, match=f"in use by process {os.getpid()}"):
        recover(tmp_path)
    await engine.stop()
    recover(tmp_path).close()


async def test_a_refused_start_gives_the_lock_back(tmp_path: Path) -> None:
    await written(tmp_path)
    with pytest.raises(InfraError, match="partition 0, this engine has 3"):
        recover(tmp_path, partition=3)
    recover(tmp_path, storage=SMALL).close()


async def test_a_torn_tail_is_cut_and_the_engine_goes_on_behind_it(tmp_path: Path) -> None:
    await written(tmp_path)
    path, offset, size = last_batch(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: offset + size // 2] + bytes(len(data) - offset - size // 2))
    EventLog.open(tmp_path / "events").begin_at(1)  # as after a power loss, which takes the unsynced log too
    engine = await StoredEngine.start(tmp_path)
    assert engine.recovered.report.cut_bytes > 0
    assert engine.recovered.report.command_sequence == 20
    (event,) = await engine.submit(cancel())
    assert event.command_sequence == 22
    await engine.stop()
    recovered = recover(tmp_path, storage=SMALL)
    assert recovered.report.command_sequence == 22
    recovered.close()


@pytest.mark.parametrize("place", [0, HEADER_BYTES + 3])
async def test_a_bad_batch_with_a_good_one_behind_it_is_refused_and_nothing_is_changed(
    tmp_path: Path, place: int
) -> None:
    await written(tmp_path)
    batch = list(JournalReader(tmp_path / "journal", 0).batches())[5]
    damage(batch.path, batch.offset + place)
    before = fingerprint(tmp_path)
    with pytest.raises(JournalDamaged, match="exchange journal check") as caught:
        recover(tmp_path)
    assert (caught.value.path, caught.value.offset) == (batch.path, batch.offset)
    assert fingerprint(tmp_path) == before


async def test_a_flipped_bit_in_the_last_batch_is_refused_behind_a_close_record(tmp_path: Path) -> None:
    await written(tmp_path, clean=True)
    batch = list(JournalReader(tmp_path / "journal", 0).batches())[-2]
    damage(batch.path, batch.offset + HEADER_BYTES)
    with pytest.raises(JournalDamaged):
        recover(tmp_path)


async def test_a_flipped_bit_in_the_last_batch_is_refused_because_the_event_log_knows_it(
    tmp_path: Path,
) -> None:
    """Without seal or close record it looks like a torn tail; the event log still tells the two apart."""
    await written(tmp_path)
    path, offset, _ = last_batch(tmp_path)
    damage(path, offset + HEADER_BYTES)
    before = fingerprint(tmp_path)
    with pytest.raises(
        HistoryMissing, match=r"event log knows event 21, but the journal in .* ends with command 20"
    ):
        recover(tmp_path)
    assert fingerprint(tmp_path) == before


async def test_a_snapshot_beyond_the_end_of_the_journal_is_refused(tmp_path: Path) -> None:
    await written(tmp_path, clean=True, snapshot=True)
    _, offset, _ = last_batch(tmp_path)
    path = list_segments(tmp_path / "journal")[0].path
    path.write_bytes(path.read_bytes()[: offset - 1])
    with pytest.raises(HistoryMissing, match=r"snapshot 0+21\.snapshot is of command 21"):
        recover(tmp_path)


async def test_a_journal_that_is_gone_is_refused_where_a_snapshot_remembers_it(tmp_path: Path) -> None:
    await written(tmp_path, clean=True, snapshot=True)
    list_segments(tmp_path / "journal")[0].path.unlink()
    with pytest.raises(HistoryMissing, match="ends with command 0"):
        recover(tmp_path)


async def test_a_damaged_snapshot_is_left_out_with_a_warning_where_the_journal_reaches_back(
    tmp_path: Path,
) -> None:
    await written(tmp_path, clean=True, snapshot=True)
    engine = await written(tmp_path, clean=True, snapshot=True)
    damage(list_snapshots(tmp_path / "snapshots")[0][1], 160)
    recovered = recover(tmp_path, storage=SMALL)
    assert recovered.report.snapshot_sequence == 21
    assert "checksum does not match; it was left out" in recovered.report.warnings[0]
    assert state(recovered) == (*engine.history, engine.recovered.venue.digest())
    recovered.close()


async def test_a_damaged_snapshot_is_refused_where_the_journal_does_not_reach_back(tmp_path: Path) -> None:
    await written(tmp_path, 5, 1000, clean=True, snapshot=True)
    damage(list_snapshots(tmp_path / "snapshots")[0][1], 160)
    segments = list_segments(tmp_path / "journal")
    assert len(segments) > 1
    segments[0].path.unlink()
    with pytest.raises(HistoryMissing, match=r"no whole snapshot reaches so far: .*checksum does not match"):
        recover(tmp_path)


async def test_a_missing_event_log_is_made_anew_from_the_beginning(tmp_path: Path) -> None:
    engine = await written(tmp_path, clean=True, snapshot=True)
    before = engine.recovered.event_log.read(0).events
    for path in (tmp_path / "events").iterdir():
        path.unlink()
    recovered = recover(tmp_path, storage=SMALL)
    assert recovered.report.events_completed == 21
    assert recovered.event_log.read(0).events == before
    assert recovered.report.snapshot_sequence == 0, "only the beginning has all events"
    recovered.close()


async def test_a_missing_event_log_begins_at_the_oldest_snapshot_where_the_journal_does(
    tmp_path: Path,
) -> None:
    await written(tmp_path, 5, 1000, clean=True, snapshot=True)
    await written(tmp_path, 10, clean=True, snapshot=True)
    list_segments(tmp_path / "journal")[0].path.unlink()
    for path in (tmp_path / "events").iterdir():
        path.unlink()
    recovered = recover(tmp_path, storage=SMALL)
    assert (recovered.event_log.first_sequence, recovered.event_log.last_sequence) == (5002, 5012)
    with pytest.raises(EventsGone):
        recovered.event_log.read(5000)
    recovered.close()


@pytest.mark.parametrize("lost", range(0, 2200, 97))
async def test_a_torn_event_log_is_completed_to_the_same_bytes(tmp_path: Path, lost: int) -> None:
    engine = await written(tmp_path)
    before = engine.recovered.event_log.read(0).events
    (path,) = (tmp_path / "events").glob("*.events")
    for index in (tmp_path / "events").glob("*.index"):
        index.unlink()
    path.write_bytes(path.read_bytes()[:-lost] if lost else path.read_bytes())
    recovered = recover(tmp_path, storage=SMALL)
    assert recovered.event_log.read(0).events == before
    recovered.close()


async def test_an_event_log_behind_the_newest_snapshot_is_completed_from_an_older_one(tmp_path: Path) -> None:
    await written(tmp_path, 10, clean=True, snapshot=True)
    kept = (tmp_path / "events").glob("*.events").__next__().read_bytes()
    engine = await written(tmp_path, 10, clean=True, snapshot=True)
    before = engine.recovered.event_log.read(0).events
    for path in (tmp_path / "events").iterdir():
        path.unlink()
    (tmp_path / "events" / "00000000000000000001.events").write_bytes(kept)
    recovered = recover(tmp_path, storage=SMALL)
    assert recovered.report.snapshot_sequence == 11
    assert recovered.event_log.read(0).events == before
    recovered.close()


async def test_an_event_log_of_another_history_is_refused(tmp_path: Path) -> None:
    await written(tmp_path / "one", 20)
    other = await StoredEngine.start(tmp_path / "other")
    for number in range(5):
        await other.submit(cancel(number + 77))
    await other.crash()
    for path in (tmp_path / "one" / "events").iterdir():
        path.unlink()
    for path in (tmp_path / "other" / "events").iterdir():
        path.rename(tmp_path / "one" / "events" / path.name)
    with pytest.raises(HistoryMissing, match=r"event 6 .* is another one than the journal gives"):
        recover(tmp_path / "one")


def with_rules(version: int) -> VenueKind:
    return VenueKind("python", version, Venue, Venue.restore)


async def test_a_tail_of_other_rules_is_refused_with_the_way_out(tmp_path: Path) -> None:
    await written(tmp_path)
    before = fingerprint(tmp_path)
    with pytest.raises(ReplayFailed, match="Start the version that wrote them and stop it cleanly"):
        recover(tmp_path, kind=with_rules(RULES_VERSION + 1))
    assert fingerprint(tmp_path) == before


async def test_new_rules_start_from_the_snapshot_of_a_clean_stop_and_go_on(tmp_path: Path) -> None:
    await written(tmp_path, clean=True, snapshot=True)
    for _ in range(2):
        engine = await StoredEngine.start(tmp_path, kind=with_rules(RULES_VERSION + 1))
        assert engine.recovered.report.snapshot_sequence == 21
        await engine.fill(3)
        await engine.crash()
    with pytest.raises(ReplayFailed, match=f"matched by rules version {RULES_VERSION + 1}"):
        recover(tmp_path, kind=with_rules(RULES_VERSION))


async def test_new_rules_do_not_start_from_a_snapshot_without_a_clean_stop(tmp_path: Path) -> None:
    await written(tmp_path, clean=True, snapshot=True)
    path, offset, size = last_batch(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[:offset] + bytes(len(data) - offset))
    with pytest.raises(ReplayFailed, match="does not end with a clean stop"):
        recover(tmp_path, kind=with_rules(RULES_VERSION + 1))
    recover(tmp_path, storage=SMALL).close()
    assert size == HEADER_BYTES


async def test_a_venue_that_does_not_repeat_itself_is_refused(tmp_path: Path) -> None:
    await written(tmp_path)

    class Forgetful(Venue):
        def apply(self, commands: bytes, time_ns: int) -> bytes:
            return super().apply(commands, time_ns + 1)

    kind = VenueKind("forgetful", python_matcher().rules_version, Forgetful, Forgetful.restore)
    with pytest.raises(ReplayFailed, match="the replay differs from history before command 2"):
        recover(tmp_path, kind=kind)


async def test_a_snapshot_of_another_partition_is_refused(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path / "three", partition=3)
    await engine.stop(snapshot=True)
    (tmp_path / "zero").mkdir()
    (tmp_path / "three" / "snapshots").rename(tmp_path / "zero" / "snapshots")
    with pytest.raises(InfraError, match="partition 3, this engine has 0"):
        recover(tmp_path / "zero")


async def test_the_epoch_rises_with_every_start(tmp_path: Path) -> None:
    for epoch in range(1, 5):
        engine = await written(tmp_path, 1, clean=epoch % 2 == 0, snapshot=epoch == 2)
        assert engine.recovered.epoch == epoch


async def test_what_a_crash_left_half_written_is_removed(tmp_path: Path) -> None:
    await written(tmp_path)
    left = [tmp_path / "snapshots" / "1.snapshot.unfinished", tmp_path / "journal" / "next.segment"]
    for path in left:
        path.write_bytes(b"half")
    recover(tmp_path, storage=SMALL).close()
    assert not any(path.exists() for path in left)


async def test_a_buffered_engine_says_so(tmp_path: Path) -> None:
    storage = msgspec.structs.replace(SMALL, durability="buffered")
    engine = await StoredEngine.start(tmp_path, storage=storage)
    assert engine.sequencer.stats.journal.durability == "buffered"
    await engine.stop()
    recover(tmp_path, storage=Storage()).close()


@pytest.mark.integration
def test_killed_while_writing_no_answered_command_is_lost_and_none_is_there_twice(tmp_path: Path) -> None:
    """Each round a child answers what it stored, is killed somewhere, and the next one begins."""
    answered: list[tuple[int, str]] = []
    for round_number in range(6):
        process = subprocess.Popen(
            [sys.executable, str(CHILD), str(tmp_path), str(round_number)], stdout=subprocess.PIPE
        )
        assert process.stdout
        assert process.stdout.readline() == b"started\n"
        time.sleep(0.15 + round_number * 0.07)
        process.send_signal(signal.SIGKILL)
        lines, _ = process.communicate()
        complete = lines.decode().rpartition("\n")[0].splitlines()
        answered += [(int(sequence), name) for sequence, name in (line.split() for line in complete)]
    recovered = recover(tmp_path)
    events: list[tuple[int, str]] = []
    while (batch := recovered.event_log.read(events[-1][0] if events else 0)).count:
        events += [(event.sequence, getattr(event, "name", "")) for event in decode_events(batch.events)]
    recovered.close()
    assert len(answered) > 100
    assert set(answered) <= set(events)
    assert [sequence for sequence, _ in events] == list(range(1, len(events) + 1))
    names = [name for _, name in events if name]
    assert len(names) == len(set(names))
    assert EngineFolder(tmp_path).lock.exists()
