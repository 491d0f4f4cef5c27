"""Which journal and which writer are taken."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from exchange.infra.journal import SegmentedJournal
from exchange.infra.journal_buffered import BufferedWriter
from exchange.infra.journal_choice import open_journal, writer_of
from exchange.infra.journal_writer import JournalWriter
from tests.infra.journal_suite import SEGMENT_BYTES, end_of
from tests.infra.test_journal import BrokenFile


def opened(folder: Path, **options: Any) -> Any:
    return open_journal(
        folder, end_of(folder), partition=0, rules_version=1, epoch=1, segment_bytes=SEGMENT_BYTES,
        **({"durability": "fsync"} | options),
    )  # fmt: skip


def test_without_the_wheel_the_definition_is_taken_with_its_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "exchange.infra.journal_native", None)
    journal = opened(tmp_path)
    assert type(journal) is SegmentedJournal
    assert type(writer_of(journal, 1)) is JournalWriter


def test_with_the_wheel_the_native_one_is_taken_with_its_thread(tmp_path: Path) -> None:
    native = pytest.importorskip("exchange.infra.journal_native", reason="exchange-native is not installed")
    journal = opened(tmp_path)
    assert type(journal) is native.NativeJournal
    assert type(writer_of(journal, 1)) is native.NativeJournalWriter


def test_a_file_of_another_kind_is_for_the_definition(tmp_path: Path) -> None:
    BrokenFile.syncs_left = 9
    journal = opened(tmp_path, open_file=BrokenFile)
    assert type(journal) is SegmentedJournal
    assert type(writer_of(journal, 1)) is JournalWriter


def test_what_is_not_synced_is_written_on_the_loop(tmp_path: Path) -> None:
    assert type(writer_of(opened(tmp_path, durability="buffered"), 1)) is BufferedWriter
