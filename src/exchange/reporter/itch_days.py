"""The ITCH feed on disk: a stream of messages per business date, made by events, and made again after a crash.

A checkpoint in the reporter's folder holds the state after some event and how long each date's stream was then. A
start reads it and goes on with the events after it, so that a subscriber that comes back finds every message under
its old sequence. Where events are gone that are needed for this, the present date begins anew under another session
name: what a subscriber knew of it is worth nothing then, and its login for the old name is refused.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import structlog

from exchange.domain.directory import Directory
from exchange.infra import disk
from exchange.infra.message_streams import MessageStreams, StreamExtent
from exchange.market_data.itch_choice import stream_kind
from exchange.market_data.itch_stream import DayPart
from exchange.wire.records import ProtocolError

CHECKPOINT_FILE = "checkpoint"
_VERSION = 1
_FIRST_SUFFIX = "00"
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

log = structlog.get_logger(component="itch")


class Checkpoint(msgspec.Struct):
    """What a start begins with. suffixes: the last two characters of session names, by date."""

    version: int
    epoch: int
    stream: bytes
    suffixes: dict[int, str]
    extents: dict[int, StreamExtent]


class Run(msgspec.Struct, frozen=True):
    """Messages of one date that are new. first: the sequence of the first one; packets: they as `S` packets."""

    date: int
    first: int
    count: int
    packets: bytes
    ends: bool = False


class ItchDays:
    """State and streams of all dates kept. sequence, epoch: of the last event taken in.

    All but the reading of streams is for one thread at a time. Everything may raise `OSError`.
    """

    def __init__(self, folder: Path, days_kept: int) -> None:
        self.sequence = self.epoch = 0
        self.date = 0
        """The present business date, 0 before any; the streams of all others are over."""
        self._folder = folder
        self._kind = stream_kind()
        self._days_kept = days_kept
        self._stream = self._kind()
        self._suffixes: dict[int, str] = {}
        folder.mkdir(parents=True, exist_ok=True)
        disk.remove_unfinished(folder)
        checkpoint = self._read_checkpoint()
        self.streams = MessageStreams(folder / "days", checkpoint.extents if checkpoint else None)
        if checkpoint is not None:
            self.epoch, self._suffixes = checkpoint.epoch, checkpoint.suffixes
            self.sequence, self.date = self._stream.sequence, self._stream.date

    def session_name(self, date: int) -> str:
        """Return what a date's session is called: the date and two characters."""
        return f"{date:08}{self._suffixes.get(date, _FIRST_SUFFIX)}"

    def dates(self) -> list[int]:
        """List the dates that can be read, oldest first."""
        return sorted(self._suffixes)

    def take(self, events: bytes, epoch: int) -> list[Run]:
        """Take events of whole commands in, and return what they add to the streams."""
        runs = [self._append(part) for part in self._stream.apply(events)]
        self.sequence, self.epoch = self._stream.sequence, epoch
        return runs

    def begin_anew(self, directory: Directory, books: bytes, date: int, epoch: int, now_ns: int) -> list[Run]:
        """Forget what was, and begin the present date with what stands in the market now."""
        self.clear()
        parts = self._stream.begin(directory, books, date)
        self.sequence, self.epoch = self._stream.sequence, epoch
        second = now_ns // 1_000_000_000
        self._suffixes[date] = _LETTERS[second // 36 % 36] + _LETTERS[second % 36]
        return [self._append(part) for part in parts]

    def clear(self) -> None:
        """Forget everything."""
        for each in self.dates():
            self._forget(each)
        self._stream = self._kind()
        self.sequence = self.epoch = self.date = 0

    def save(self) -> None:
        """Write a checkpoint of the present state."""
        checkpoint = Checkpoint(
            _VERSION, self.epoch, self._stream.snapshot(), self._suffixes, self.streams.extents()
        )
        self.streams.sync()
        disk.write_whole(self._folder / CHECKPOINT_FILE, msgspec.msgpack.encode(checkpoint))

    def close(self) -> None:
        """Close the files."""
        self.streams.close()

    def _append(self, part: DayPart) -> Run:
        date = part.date
        if part.begins:
            self._suffixes.setdefault(date, _FIRST_SUFFIX)
            for each in self.dates()[: -self._days_kept]:
                self._forget(each)
        first = self.streams.last(date) + 1
        self.streams.append(date, part.packets, part.count)
        self.date = date
        return Run(date, first, part.count, part.packets, part.ends)

    def _forget(self, date: int) -> None:
        del self._suffixes[date]
        self.streams.drop(date)

    def _read_checkpoint(self) -> Checkpoint | None:
        path = self._folder / CHECKPOINT_FILE
        try:
            checkpoint = msgspec.msgpack.decode(path.read_bytes(), type=Checkpoint)
            if checkpoint.version != _VERSION:
                raise ProtocolError(f"version {checkpoint.version}, this program reads {_VERSION}")
            self._stream = self._kind.restore(checkpoint.stream)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, ProtocolError) as error:
            log.warning(
                "itch_checkpoint_unreadable", path=str(path), error=str(error), done="made again from events"
            )
            return None
        return checkpoint
