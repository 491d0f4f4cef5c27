"""Snapshots of the venue: the whole state at one command, so that a start need not replay everything.

A file is a header of 152 bytes, little-endian, and the venue's bytes: 0 magic `XSNP` · 4 version u16 · 6 partition u8
· 7 zero · 8 rules version u32 · 12 epoch u32 · 16 command sequence u64 · 24 event sequence u64 · 32 running hash u64
· 40 time u64 · 48 length of the state u64 · 56 digest, hexadecimal text of at most 92 bytes · 148 CRC-32 of the rest.
It is written whole or not at all, and named by its command sequence.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from zlib import crc32

import msgspec

from exchange.infra import disk
from exchange.infra.errors import InfraError

MAGIC = b"XSNP"
VERSION = 1
_HEADER = struct.Struct("<4sHBBIIQQQQQ92sI")
_BEFORE_CHECKSUM = _HEADER.size - 4
_NAME = re.compile(r"(\d{20})\.snapshot\Z", re.ASCII)


class SnapshotDamaged(InfraError):
    """A snapshot file is not what was written."""

    def __init__(self, path: Path, seen: str) -> None:
        super().__init__(f"snapshot {path}: {seen}")
        self.path = path
        self.seen = seen


class Snapshot(msgspec.Struct, frozen=True):
    """The state after one command, and what proves it. state: from `Venue.snapshot`; digest: from `Venue.digest`."""

    partition: int
    rules_version: int
    epoch: int
    command_sequence: int
    event_sequence: int
    running_hash: int
    time_ns: int
    digest: str
    state: bytes


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """Write a snapshot as the bytes of its file."""
    front = _HEADER.pack(
        MAGIC,
        VERSION,
        snapshot.partition,
        0,
        snapshot.rules_version,
        snapshot.epoch,
        snapshot.command_sequence,
        snapshot.event_sequence,
        snapshot.running_hash,
        snapshot.time_ns,
        len(snapshot.state),
        snapshot.digest.encode("ascii"),
        0,
    )[:_BEFORE_CHECKSUM]
    return front + struct.pack("<I", crc32(snapshot.state, crc32(front))) + snapshot.state


def decode_snapshot(data: bytes, path: Path) -> Snapshot:
    """Read the bytes of a snapshot file. Raise `SnapshotDamaged` where they are not whole."""
    if len(data) < _HEADER.size:
        raise SnapshotDamaged(path, f"{len(data)} bytes, its header has {_HEADER.size}")
    magic, version, partition, _, rules, epoch, command, event, running, time_ns, length, digest, checksum = (
        _HEADER.unpack_from(data)
    )
    if magic != MAGIC:
        raise SnapshotDamaged(path, f"it begins with {magic!r}, a snapshot with {MAGIC!r}")
    state = data[_HEADER.size :]
    if len(state) != length:
        raise SnapshotDamaged(path, f"{len(state)} bytes of state, its header says {length}")
    if crc32(state, crc32(data[:_BEFORE_CHECKSUM])) != checksum:
        raise SnapshotDamaged(path, "its checksum does not match")
    if version != VERSION:
        raise SnapshotDamaged(path, f"version {version}, this program reads {VERSION}")
    text = digest.rstrip(b"\0").decode("ascii")
    return Snapshot(partition, rules, epoch, command, event, running, time_ns, text, state)


def snapshot_path(folder: Path, command_sequence: int) -> Path:
    """Return the file of the snapshot after this command."""
    return folder / f"{command_sequence:020d}.snapshot"


def list_snapshots(folder: Path) -> list[tuple[int, Path]]:
    """List (command sequence, file), newest first."""
    if not folder.is_dir():
        return []
    found = [(name, path) for path in folder.iterdir() if (name := _NAME.match(path.name))]
    return sorted(((int(name[1]), path) for name, path in found), reverse=True)


def write_snapshot(folder: Path, snapshot: Snapshot) -> Path:
    """Store a snapshot durably, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = snapshot_path(folder, snapshot.command_sequence)
    disk.write_whole(path, encode_snapshot(snapshot))
    return path


def read_snapshot(path: Path) -> Snapshot:
    """Read one snapshot file. Raise `SnapshotDamaged` where it is not whole or not what its name says."""
    snapshot = decode_snapshot(path.read_bytes(), path)
    if path.name != f"{snapshot.command_sequence:020d}.snapshot":
        raise SnapshotDamaged(path, f"it is the snapshot after command {snapshot.command_sequence}")
    return snapshot
