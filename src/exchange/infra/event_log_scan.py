"""Reads an event log's files in order without opening it: beside a running engine, or of a folder that was put away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from exchange.infra.errors import InfraError
from exchange.infra.event_log_files import list_event_files
from exchange.wire.envelope import HEADER, EventBatch, decode_batch
from exchange.wire.records import ProtocolError


def scan_log(folder: Path) -> Iterator[EventBatch]:
    """Give every batch in its order, up to one that is being written. Raise `InfraError` where some are missing."""
    files = list_event_files(folder) if folder.is_dir() else []
    if not files:
        raise InfraError(f"{folder} holds no event log: no file such as 00000000000000000001.events")
    expected = files[0][0]
    for first_sequence, path in files:
        if first_sequence != expected:
            raise InfraError(f"{path}: events {expected} to {first_sequence - 1} are missing before it")
        is_last = path is files[-1][1]
        for batch in _batches_of(path, is_last):
            if batch.first_sequence != expected:
                raise InfraError(f"{path}: event {batch.first_sequence} stands where {expected} is due")
            expected = batch.last_sequence + 1
            yield batch


def _batches_of(path: Path, is_last: bool) -> Iterator[EventBatch]:
    data, at = path.read_bytes(), 0
    while at < len(data):
        end = at + HEADER.size
        end += HEADER.unpack_from(data, at)[7] if end <= len(data) else 0
        try:
            batch = decode_batch(data[at:end])
        except ProtocolError as error:
            if is_last and end >= len(data):
                return
            raise InfraError(f"{path} is damaged at offset {at}: {error}") from error
        yield batch
        at = end
