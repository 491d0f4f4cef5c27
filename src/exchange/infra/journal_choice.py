"""Which journal runs: the native one where it is installed, else the definition; and what writes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from exchange.infra.journal import CommandBatch, Journal, SegmentedJournal, SegmentFile
from exchange.infra.journal_buffered import BufferedWriter
from exchange.infra.journal_segments import JournalEnd
from exchange.infra.journal_writer import JournalWriter


class Writer(Protocol):
    """What owns a journal; see `JournalWriter`."""

    def start(self, on_durable: Callable[[int], None], on_failure: Callable[[str], None]) -> None:
        """Begin."""

    def write(self, batch: CommandBatch) -> None:
        """Store a batch."""

    async def close(self, *, clean: bool) -> bool:
        """End the journal; tell whether all was stored."""


def open_journal(
    folder: Path,
    end: JournalEnd,
    *,
    partition: int,
    rules_version: int,
    epoch: int,
    segment_bytes: int,
    durability: str,
    open_file: Callable[[Path], SegmentFile] = SegmentFile,
) -> Journal:
    """Open a journal behind its last good batch, durably; see `SegmentedJournal`.

    open_file: another than the plain one is known to the journal in Python only, which is taken then.
    """
    if open_file is SegmentFile:
        try:
            from exchange.infra.journal_native import NativeJournal
        except ImportError:
            pass
        else:
            return NativeJournal(
                folder,
                end,
                partition=partition,
                rules_version=rules_version,
                epoch=epoch,
                segment_bytes=segment_bytes,
                durability=durability,
            )
    return SegmentedJournal(
        folder,
        end,
        partition=partition,
        rules_version=rules_version,
        epoch=epoch,
        segment_bytes=segment_bytes,
        durability=durability,
        open_file=open_file,
    )


def writer_of(journal: Journal, seal_after_s: float) -> Writer:
    """Return what writes a journal: a thread of its own kind, or the loop itself where no sync is to be waited for."""
    if journal.stats().durability == "buffered":
        return BufferedWriter(journal, seal_after_s=seal_after_s)
    try:
        from exchange.infra.journal_native import NativeJournal, NativeJournalWriter
    except ImportError:
        return JournalWriter(journal, seal_after_s=seal_after_s)
    if isinstance(journal, NativeJournal):
        return NativeJournalWriter(journal, seal_after_s=seal_after_s)
    return JournalWriter(journal, seal_after_s=seal_after_s)
