"""ITCH in files: a BinaryFILE per business date, made out of the events that an engine keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from exchange.infra.event_source import EventSource
from exchange.market_data.itch_choice import stream_kind
from exchange.market_data.itch_stream import DayPart
from exchange.wire import itch_framing

SUFFIX = ".itch"


class DayFile(msgspec.Struct):
    """What was written for one business date. is_whole: whether the date is over and the file ends so."""

    date: int
    path: Path
    messages: int = 0
    bytes: int = 0
    is_whole: bool = False


class ItchFiles:
    """Writes the parts of a stream into the files of their dates, `YYYYMMDD.itch` in a folder.

    wanted: the only date to write, 0 for all.
    """

    def __init__(self, folder: Path, wanted: int = 0) -> None:
        self.days: dict[int, DayFile] = {}
        self._folder = folder
        self._wanted = wanted

    def write(self, parts: list[DayPart]) -> None:
        """Write the next parts of the stream; the first one of a date begins its file anew."""
        for part in parts:
            if self._wanted in (0, part.date):
                self._write(part)

    def _write(self, part: DayPart) -> None:
        day = self.days.get(part.date)
        if day is None:
            day = self.days[part.date] = DayFile(part.date, self._folder / f"{part.date}{SUFFIX}")
        data = itch_framing.blocks(part.packets)
        with day.path.open("wb" if part.begins else "ab") as file:
            file.write(data)
        day.messages += part.count
        day.bytes += len(data)
        day.is_whole = part.ends


async def export_days(source: EventSource, files: ItchFiles, until_ns: int) -> AsyncIterator[int]:
    """Write every date from an engine's first event to its newest one, or to a time; give the sequence on the way.

    until_ns: so that it ends although the market goes on. Raise `EventsGone` where the first events are no longer
    kept: books cannot be built without them.
    """
    stream, sequence = stream_kind()(), 0
    while stream.time_ns < until_ns:
        batch = await source.fetch(sequence)
        if not batch.count:
            return
        files.write(stream.apply(batch.events))
        sequence = batch.last_sequence
        yield sequence
