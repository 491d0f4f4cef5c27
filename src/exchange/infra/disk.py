"""Files that survive a power loss: written whole or not at all, their names synced with their folder."""

from __future__ import annotations

import os
from pathlib import Path

UNFINISHED = ".unfinished"
"""Ending of a file that is being written; what a crash leaves behind under it may go."""

# macOS has no fdatasync; there fsync does more than is needed.
sync_data = getattr(os, "fdatasync", os.fsync)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a file durably: after a crash there is the old one or the new one, never a part."""
    unfinished = path.with_name(path.name + UNFINISHED)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        write_at(descriptor, 0, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(unfinished, path)
    sync_folder(path.parent)


def write_at(descriptor: int, offset: int, data: bytes | bytearray | memoryview) -> None:
    """Write all of the data at an offset, however many calls the system needs for it."""
    written = os.pwrite(descriptor, data, offset)
    while written < len(data):
        written += os.pwrite(descriptor, memoryview(data)[written:], offset + written)


def remove_unfinished(folder: Path) -> None:
    """Remove what a crash left half written in a folder."""
    for path in folder.glob("*" + UNFINISHED):
        path.unlink(missing_ok=True)
