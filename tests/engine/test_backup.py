"""A backup beside a running engine fits together, and what is restored from it starts."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from exchange.engine.backup import MANIFEST, backup, read_manifest, restore
from exchange.engine.recovery import recover
from exchange.engine.replay import snapshot_of
from exchange.infra.errors import InfraError
from exchange.infra.folder_lock import FolderLock, FolderLocked
from exchange.infra.journal_segments import JournalReader, list_segments
from exchange.infra.retention import LOCK_NAME, retire
from exchange.infra.snapshot import write_snapshot
from exchange.matching.venue import RULES_VERSION
from tests.engine.stored_engine import SMALL, StoredEngine, cancel


def store(path: Path, position: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE IF NOT EXISTS position (sequence INTEGER)")
    connection.execute("INSERT INTO position VALUES (?)", (position,))
    connection.commit()
    connection.close()


def position_of(path: Path) -> int:
    connection = sqlite3.connect(path)
    (found,) = connection.execute("SELECT max(sequence) FROM position").fetchone()
    connection.close()
    return int(found)


async def test_a_backup_of_a_stopped_engine_starts_as_the_engine_would(tmp_path: Path) -> None:
    data = tmp_path / "data"
    engine = await StoredEngine.start(data / "engine")
    await engine.fill(4, 1000)
    await engine.stop(snapshot=True)
    store(data / "reporter" / "reporter.sqlite", 4001)
    (data / "addresses.json").write_text("what is running now is not copied")
    (data / "keys.json").write_text("{}")
    (data / "keys.json").chmod(0o600)
    manifest = backup(data, tmp_path / "backup")
    assert (manifest.last_sequence, manifest.last_event, manifest.epoch) == (4001, 4001, 1)
    assert restore(tmp_path / "backup", tmp_path / "restored") == manifest
    assert not (tmp_path / "restored" / "addresses.json").exists()
    recovered = recover(tmp_path / "restored" / "engine", storage=SMALL)
    venue = recovered.venue
    assert (venue.command_sequence, venue.event_sequence, venue.running_hash) == engine.history
    assert recovered.event_log.first_sequence == 1
    recovered.close()
    assert position_of(tmp_path / "restored" / "reporter" / "reporter.sqlite") == 4001
    assert (tmp_path / "restored" / "keys.json").stat().st_mode & 0o777 == 0o600


async def test_backups_beside_a_busy_engine_are_whole_moments_of_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    engine = await StoredEngine.start(data / "engine")
    busy = True

    async def submit() -> None:
        while busy:
            await engine.submit(*[cancel()] * 20)

    tasks = [asyncio.create_task(submit()) for _ in range(8)]
    manifests = []
    for number in range(4):
        await asyncio.sleep(0.1)
        store(data / "clearing" / "clearing.sqlite", engine.sequencer.durable_event_sequence)
        manifests.append(await asyncio.to_thread(backup, data, tmp_path / f"backup{number}"))
    busy = False
    await asyncio.gather(*tasks)
    await engine.stop()
    assert len(list_segments(data / "engine" / "journal")) > 1
    sequences = [manifest.last_sequence for manifest in manifests]
    assert sequences == sorted(set(sequences))
    for number, manifest in enumerate(manifests):
        restored = tmp_path / f"restored{number}"
        restore(tmp_path / f"backup{number}", restored)
        recovered = recover(restored / "engine", storage=SMALL)
        assert recovered.venue.command_sequence == manifest.last_sequence
        position = position_of(restored / "clearing" / "clearing.sqlite")
        assert position <= recovered.event_log.last_sequence
        recovered.close()


async def test_nothing_is_removed_while_a_backup_is_taken(tmp_path: Path) -> None:
    data = tmp_path / "data"
    engine = await StoredEngine.start(data / "engine")
    await engine.fill(6, 1000)
    await engine.stop(snapshot=True)
    segments = list_segments(data / "engine" / "journal")
    with FolderLock(data / "engine" / LOCK_NAME, shared=True):
        with pytest.raises(FolderLocked):
            retire(data / "engine", snapshots_kept=1)
        backup(data, tmp_path / "backup")
    assert list_segments(data / "engine" / "journal") == segments


async def test_a_backup_after_retention_holds_the_snapshot_and_the_journal_from_it_on(tmp_path: Path) -> None:
    data = tmp_path / "data"
    engine = await StoredEngine.start(data / "engine")
    await engine.fill(6, 1000)
    write_snapshot(engine.folder.snapshots, snapshot_of(engine.recovered.venue, RULES_VERSION))
    assert retire(data / "engine", snapshots_kept=1).segments
    await engine.fill(3)
    backup(data, tmp_path / "backup")
    await engine.stop()
    restore(tmp_path / "backup", tmp_path / "restored")
    recovered = recover(tmp_path / "restored" / "engine", storage=SMALL)
    assert recovered.venue.command_sequence == 6004
    assert recovered.report.snapshot_sequence == 6001
    recovered.close()


async def test_a_backup_may_lie_inside_the_data_folder(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path / "engine")
    await engine.stop()
    manifest = backup(tmp_path, tmp_path / "backups")
    assert not any(file.name.startswith("backups") for file in manifest.files)


async def test_what_is_not_empty_is_never_overwritten(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path / "data" / "engine")
    await engine.stop()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    with pytest.raises(InfraError, match="full is not empty"):
        backup(tmp_path / "data", tmp_path / "full")
    backup(tmp_path / "data", tmp_path / "backup")
    with pytest.raises(InfraError, match="data is not empty"):
        restore(tmp_path / "backup", tmp_path / "data")


def test_a_folder_without_an_engine_is_not_backed_up(tmp_path: Path) -> None:
    with pytest.raises(InfraError, match="is no data folder of an engine"):
        backup(tmp_path, tmp_path / "backup")


async def test_a_damaged_backup_is_refused_with_the_name_of_the_file(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path / "data" / "engine")
    await engine.fill(3)
    await engine.stop()
    manifest = backup(tmp_path / "data", tmp_path / "backup")
    name = next(file.name for file in manifest.files if file.name.endswith(".journal"))
    path = tmp_path / "backup" / name
    data = path.read_bytes()
    for damaged in (data[:-1], data[:-1] + b"?"):
        path.write_bytes(damaged)
        with pytest.raises(InfraError, match=r"\.journal is missing or not what was copied"):
            restore(tmp_path / "backup", tmp_path / "restored")
    path.unlink()
    with pytest.raises(InfraError, match="is missing"):
        restore(tmp_path / "backup", tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


async def test_a_backup_that_was_not_finished_is_none(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path / "data" / "engine")
    await engine.stop()
    backup(tmp_path / "data", tmp_path / "backup")
    manifest = json.loads((tmp_path / "backup" / MANIFEST).read_bytes())
    (tmp_path / "backup" / MANIFEST).write_text(json.dumps(manifest | {"version": 9}))
    with pytest.raises(InfraError, match="backup of version 9, this program reads 1"):
        read_manifest(tmp_path / "backup")
    (tmp_path / "backup" / MANIFEST).write_text("{")
    with pytest.raises(InfraError, match="is damaged"):
        read_manifest(tmp_path / "backup")
    (tmp_path / "backup" / MANIFEST).unlink()
    with pytest.raises(InfraError, match="or one that was not finished"):
        restore(tmp_path / "backup", tmp_path / "restored")


async def test_a_batch_that_is_half_written_while_it_is_copied_is_left_out_with_all_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy reads on while the engine writes: a half batch can then stand before a whole one."""
    engine = await StoredEngine.start(tmp_path / "data" / "engine")
    await engine.fill(5)
    batches = list(JournalReader(engine.folder.journal, 0).batches())
    read_bytes = Path.read_bytes

    def read_while_written(path: Path) -> bytes:
        data = read_bytes(path)
        if path != batches[3].path:
            return data
        half = batches[3].offset + 70
        return data[:half] + bytes(batches[4].offset - half) + data[batches[4].offset :]

    monkeypatch.setattr(Path, "read_bytes", read_while_written)
    (tmp_path / "data" / "engine" / "events").rename(tmp_path / "events")
    manifest = backup(tmp_path / "data", tmp_path / "backup")
    assert manifest.last_sequence == 3
    await engine.crash()


async def test_a_journal_that_is_damaged_is_not_passed_off_as_a_backup(tmp_path: Path) -> None:
    engine = await StoredEngine.start(tmp_path / "data" / "engine")
    await engine.fill(6, 1000)
    await engine.stop()
    path = list_segments(tmp_path / "data" / "engine" / "journal")[0].path
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(InfraError, match="does not fit together"):
        backup(tmp_path / "data", tmp_path / "backup")
    assert not (tmp_path / "backup" / MANIFEST).exists()
