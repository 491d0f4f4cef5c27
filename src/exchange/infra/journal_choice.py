"""Which journal runs: the native one where it is installed, else the definition; and what writes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypedDict, Unpack

from exchange.infra.journal import CommandBatch, Journal, SegmentedJournal, SegmentFile
from exchange.infra.journal_buffered import BufferedWriter
from exchange.infra.journal_segments import JournalEnd
from exchange.infra.journal_writer import JournalWriter

if TYPE_CHECKING:
    from exchange.infra.journal_native import NativeJournal, NativeJournalWriter


class Writer(Protocol):
    """What owns a journal; see `JournalWriter`."""

    def start(self, on_durable: Callable[[int], None], on_failure: Callable[[str], None]) -> None:
        """Begin."""

    def write(self, batch: CommandBatch) -> None:
        """Store a batch."""

    async def close(self, *, clean: bool) -> bool:
        """End the journal; tell whether all was stored."""


class JournalTerms(TypedDict):
    """What every journal is opened with; see `SegmentedJournal`."""

    partition: int
    rules_version: int
    epoch: int
    segment_bytes: int
    durability: str


def open_journal(
    folder: Path,
    end: JournalEnd,
    *,
    open_file: Callable[[Path], SegmentFile] = SegmentFile,
    **terms: Unpack[JournalTerms],
) -> Journal:
    """Open a journal behind its last good batch, durably; see `SegmentedJournal`.

    open_file: another than the plain one is known to the journal in Python only, which is taken then.
    """
    native = _native()
    if native and open_file is SegmentFile:
        return native.journal(folder, end, **terms)
    return SegmentedJournal(folder, end, open_file=open_file, **terms)


def writer_of(journal: Journal, seal_after_s: float) -> Writer:
    """Return what writes a journal: a thread of its own kind, or the loop itself where no sync is to be waited for."""
    if journal.stats().durability == "buffered":
        return BufferedWriter(journal, seal_after_s=seal_after_s)
    native = _native()
    if native and isinstance(journal, native.journal):
        return native.writer(journal, seal_after_s=seal_after_s)
    return JournalWriter(journal, seal_after_s=seal_after_s)


class _Native(NamedTuple):
    journal: type[NativeJournal]
    writer: type[NativeJournalWriter]


def _native() -> _Native | None:
    """Return what the wheel has, where it is installed."""
    try:
        from exchange.infra.journal_native import NativeJournal, NativeJournalWriter
    except ImportError:
        return None
    return _Native(NativeJournal, NativeJournalWriter)
