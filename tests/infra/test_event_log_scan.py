"""A log is read in order without opening it; a torn end is left alone, and what is missing is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.infra.errors import InfraError
from exchange.infra.event_log import EventLog
from exchange.infra.event_log_scan import scan_log
from exchange.wire.records import encode_event
from tests.post_trade.stream import Stream


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of a hundred events in several files."""
    stream = Stream()
    while len(stream.events) < 100:
        stream.trade(1, 2, 10)
    written = EventLog.open(tmp_path, file_bytes=2_000)
    for number, event in enumerate(stream.events[:100], 1):
        written.append(encode_event(event), number, 1)
    written.close()
    return tmp_path


def test_every_event_comes_once_and_in_order(log: Path) -> None:
    assert len(list(log.glob("*.events"))) > 2
    batches = list(scan_log(log))
    assert [batch.first_sequence for batch in batches] == list(range(1, 101))


def test_an_envelope_that_is_being_written_is_left_alone(log: Path) -> None:
    newest = max(log.glob("*.events"))
    newest.write_bytes(newest.read_bytes()[:-3])
    assert len(list(scan_log(log))) == 99


def test_a_missing_file_and_damage_are_said(log: Path) -> None:
    files = sorted(log.glob("*.events"))
    data = bytearray(files[0].read_bytes())
    data[60] ^= 1
    files[0].write_bytes(data)
    with pytest.raises(InfraError, match="is damaged at offset 0: checksum"):
        list(scan_log(log))
    files[0].unlink()
    files[2].unlink()
    with pytest.raises(InfraError, match="are missing before it"):
        list(scan_log(log))


def test_a_folder_without_a_log_is_said(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(InfraError, match="holds no event log"):
            list(scan_log(folder))
