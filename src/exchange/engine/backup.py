"""Backup and restore of a data folder: `exchange backup` beside a running engine, `exchange restore` into an empty one.

The order of copying is what makes a backup fit together: stores first, then snapshots, then the event log, the journal
last. So nothing in it knows more than its journal, and of the journal only whole batches are taken. While it runs
nothing is removed by retention. `backup.json` is written at the very end; a folder without it is no backup.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from exchange.engine import journal_reader
from exchange.engine.engine_folder import EngineFolder
from exchange.infra import disk
from exchange.infra.errors import InfraError
from exchange.infra.event_log_files import list_event_files
from exchange.infra.folder_lock import FolderLock
from exchange.infra.journal_format import used_bytes
from exchange.infra.journal_segments import list_segments
from exchange.infra.retention import LOCK_NAME, whole_snapshots

MANIFEST = "backup.json"
VERSION = 1
ENGINE = "engine"
_OF_THE_MOMENT = {"lock", LOCK_NAME, "follower.json", "addresses.json"}
"""Files that only say what is running now."""
_STORE_SUFFIXES = {".sqlite", ".sqlite3", ".db"}
_STORE_COMPANIONS = ("-wal", "-shm", "-journal")


class BackupFile(msgspec.Struct, frozen=True):
    """One file of a backup. name: its path in the data folder."""

    name: str
    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds. last_sequence: of the last command in it; made_ns: when it was finished."""

    version: int
    made_ns: int
    partition: int
    last_sequence: int
    last_event: int
    epoch: int
    files: tuple[BackupFile, ...]


def backup(data: Path, target: Path) -> Manifest:
    """Copy a data folder, with its engine running or not, and check the copy.

    Raise `InfraError` where the target is not empty or the copy does not fit together.
    """
    if not (data / ENGINE / "journal").is_dir():
        raise InfraError(f"{data} is no data folder of an engine: it has no {ENGINE}/journal")
    _make_empty(target)
    with FolderLock(data / ENGINE / LOCK_NAME, shared=True, wait=True):
        for path in _other_files(data, target):
            _copy(path, target / path.relative_to(data))
        _copy_engine(EngineFolder(data / ENGINE), EngineFolder(target / ENGINE))
    found = _checked(target)
    files = tuple(_described(path, target) for path in sorted(target.rglob("*")) if path.is_file())
    manifest = Manifest(
        VERSION,
        time.time_ns(),
        found.partition,
        found.last_sequence,
        found.last_event,
        found.epoch,
        files,
    )
    disk.write_whole(target / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


def restore(source: Path, data: Path) -> Manifest:
    """Make a data folder from a backup, having compared every file with the backup's list.

    Raise `InfraError` where the backup is not whole or the data folder is not empty; nothing is overwritten.
    """
    manifest = read_manifest(source)
    for file in manifest.files:
        path = source / file.name
        if not path.is_file() or _described(path, source) != file:
            raise InfraError(
                f"backup {source}: {file.name} is missing or not what was copied; take another backup"
            )
    _make_empty(data)
    for file in manifest.files:
        _copy_plain(source / file.name, data / file.name)
    _checked(data)
    return manifest


def read_manifest(source: Path) -> Manifest:
    """Return what a backup says it holds. Raise `InfraError` where it is none, or of a later version."""
    try:
        manifest = msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise InfraError(
            f"{source} has no {MANIFEST}: it is no backup, or one that was not finished"
        ) from None
    except msgspec.DecodeError as error:
        raise InfraError(f"{source / MANIFEST} is damaged: {error}") from error
    if manifest.version != VERSION:
        raise InfraError(f"{source} is a backup of version {manifest.version}, this program reads {VERSION}")
    return manifest


def _copy_engine(source: EngineFolder, target: EngineFolder) -> None:
    for _, path in whole_snapshots(source.snapshots):
        _copy_plain(path, target.snapshots / path.name)
    for _, path in list_event_files(source.events) if source.events.is_dir() else []:
        _copy_plain(path, target.events / path.name)
    # Listed once: a segment that begins later is left out, for the one before it may have been copied too early.
    for segment in list_segments(source.journal):
        data = segment.path.read_bytes()
        _write(target.journal / segment.path.name, data[: used_bytes(data, segment.first_sequence)])


def _other_files(data: Path, target: Path) -> Iterator[Path]:
    """List the stores and small files beside the engine's own folders."""
    engine = EngineFolder(data / ENGINE)
    skipped = {engine.journal, engine.events, engine.snapshots, target}
    for folder, folders, names in os.walk(data):
        folders[:] = sorted(name for name in folders if Path(folder, name) not in skipped)
        for name in sorted(names):
            path = Path(folder, name)
            passing = name in _OF_THE_MOMENT or name.endswith((disk.UNFINISHED, *_STORE_COMPANIONS))
            if path.is_file() and not passing:
                yield path


def _copy(source: Path, target: Path) -> None:
    if source.suffix not in _STORE_SUFFIXES:
        _copy_plain(source, target)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as store,
        closing(sqlite3.connect(target)) as copy,
    ):
        store.backup(copy)


def _copy_plain(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    _sync(target)


def _write(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    disk.write_whole(target, data)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InfraError(f"{folder} is not empty; give a folder that is, or that does not exist yet")
    folder.mkdir(parents=True, exist_ok=True)


def _checked(data: Path) -> journal_reader.JournalCheck:
    found = journal_reader.check(data / ENGINE)
    if found.problems:
        raise InfraError(f"the copy in {data} does not fit together: {'; '.join(found.problems)}")
    return found


def _described(path: Path, folder: Path) -> BackupFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return BackupFile(str(path.relative_to(folder)), path.stat().st_size, digest)
