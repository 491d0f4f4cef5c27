"""Writing the journal: segments, seals, cuts, and what a failing disk does."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.infra.journal import JournalFailed, SegmentedJournal, SegmentFile
from exchange.infra.journal_segments import JournalDamaged, JournalReader
from tests.infra.journal_suite import SEGMENT_BYTES, JournalSuite, Opener, batch, end_of


class BrokenFile(SegmentFile):
    """A file whose disk fails at a chosen moment: after so many good syncs."""

    syncs_left = 0
    attempts = 0

    def sync(self) -> None:
        type(self).attempts += 1
        if type(self).syncs_left <= 0:
            raise OSError(5, "Input/output error")
        type(self).syncs_left -= 1
        super().sync()


def opened(folder: Path, epoch: int = 1, **options: object) -> SegmentedJournal:
    return SegmentedJournal(
        folder,
        end_of(folder),
        **({"partition": 0, "rules_version": 1, "epoch": epoch, "segment_bytes": SEGMENT_BYTES} | options),  # type: ignore[arg-type]
    )


class TestSegmentedJournal(JournalSuite):
    """The definition keeps the rules of every journal."""

    @pytest.fixture
    def opened(self) -> Opener:
        return opened


def test_a_failed_sync_is_final_and_never_tried_again(tmp_path: Path) -> None:
    BrokenFile.syncs_left, BrokenFile.attempts = 3, 0
    journal = opened(tmp_path, open_file=BrokenFile)
    journal.append(batch(1))
    journal.append(batch(2))
    for _ in range(3):
        with pytest.raises(JournalFailed, match=r"Input/output error.*nothing more is taken"):
            journal.append(batch(3))
    assert BrokenFile.attempts == 4
    journal.close(clean=False)


def test_a_full_disk_stops_the_journal_only_when_the_next_segment_is_needed(tmp_path: Path) -> None:
    BrokenFile.syncs_left = 1
    journal = opened(tmp_path, open_file=BrokenFile)
    BrokenFile.syncs_left = 0
    assert not journal.prepare()
    assert "Input/output error" in journal.stats().spare_failure
    BrokenFile.syncs_left = 100
    for sequence in range(1, 20):
        journal.append(batch(sequence))
    assert journal.stats().segments_begun > 0
    assert journal.stats().spare_failure == ""
    journal.close(clean=True)


def test_a_buffered_journal_syncs_nothing_and_says_so(tmp_path: Path) -> None:
    BrokenFile.syncs_left = 1
    journal = opened(tmp_path, open_file=BrokenFile, durability="buffered")
    BrokenFile.syncs_left, BrokenFile.attempts = 0, 0
    for sequence in range(1, 30):
        journal.append(batch(sequence))
    assert (BrokenFile.attempts, journal.stats().durability) == (0, "buffered")
    journal.close(clean=True)


def test_the_journal_of_another_partition_is_refused(tmp_path: Path) -> None:
    journal = opened(tmp_path, partition=2)
    journal.append(batch(1))
    journal.close(clean=True)
    with pytest.raises(JournalDamaged, match="partition 2, this engine has 0"):
        list(JournalReader(tmp_path, 0).batches())
