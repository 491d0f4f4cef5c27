"""Days of ITCH in files: what is written, and that parsers which others wrote read it and build our books."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from itch.parser import MessageParser
from meatpy.itch50 import ITCH50MarketProcessor, ITCH50MessageReader

from exchange.domain import commands as c
from exchange.infra.errors import EventsGone
from exchange.market_data.itch_stream import ItchStream
from exchange.reporter.itch_files import ItchFiles, export_days
from exchange.wire import binary_file, itch
from exchange.wire.envelope import EventBatch
from tests.market_data.venue_flow import DATE, SYMBOLS, VenueFlow

COMMANDS = 1_500


def levels_in(depth: dict[str, Any]) -> int:
    return sum(len(side) for sides in depth.values() for side in sides)


class BusyDay:
    """A date with random flow, and the next one begun; its file, and the venue's books when they were fullest.

    depth_after: so many messages of the file came before that.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        flow, stream, files = VenueFlow(seed), ItchStream(), ItchFiles(folder)
        files.write(stream.apply(flow.open()))
        self.depth: dict[str, Any] = {}
        while flow.venue.command_sequence < COMMANDS and flow.venue.business_date == DATE:
            depth = {name: flow.venue.depth(number, 1_000) for number, name in enumerate(SYMBOLS, 1)}
            if levels_in(depth) >= levels_in(self.depth):
                self.depth, self.depth_after = depth, files.days[DATE].messages
            files.write(stream.apply(flow.random_events()))
        if flow.venue.business_date == DATE:
            files.write(stream.apply(flow.do(c.StartBusinessDay(date=DATE + 1))))
        self.files = files
        self.day = files.days[DATE]
        self.messages = list(binary_file.split(self.day.path.read_bytes()))


@pytest.fixture(params=[3, 5])
def busy_day(tmp_path: Path, request: pytest.FixtureRequest) -> BusyDay:
    return BusyDay(tmp_path, request.param)


def test_each_date_has_its_file_and_says_whether_it_is_whole(busy_day: BusyDay, tmp_path: Path) -> None:
    days = busy_day.files.days
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{DATE}.itch", f"{DATE + 1}.itch"]
    assert [(day.date, day.is_whole) for day in days.values()] == [(DATE, True), (DATE + 1, False)]
    assert (len(busy_day.messages), busy_day.day.path.stat().st_size) == (
        busy_day.day.messages,
        busy_day.day.bytes,
    )


def test_a_second_export_writes_the_same_files(tmp_path: Path) -> None:
    first = BusyDay(tmp_path, 3).messages
    assert BusyDay(tmp_path, 3).messages == first


def test_only_the_date_that_is_wanted_is_written(tmp_path: Path) -> None:
    flow, files = VenueFlow(), ItchFiles(tmp_path, wanted=DATE + 1)
    files.write(ItchStream().apply(flow.open() + flow.do(c.StartBusinessDay(date=DATE + 1))))
    assert [path.name for path in tmp_path.iterdir()] == [f"{DATE + 1}.itch"]


def test_itchfeed_reads_the_same_messages(busy_day: BusyDay) -> None:
    with busy_day.day.path.open("rb") as file:
        read = list(MessageParser().parse_file(file))
    ours = [itch.decode(message) for message in busy_day.messages]
    assert Counter(message.message_type.decode() for message in read) == Counter(m.letter for m in ours)
    for theirs, mine in zip(read, ours, strict=True):
        assert (theirs.stock_locate, theirs.timestamp) == (mine.stock_locate, mine.time_ns)
        if mine.letter == "A":
            assert (theirs.order_reference_number, theirs.shares, theirs.price) == (
                mine.values["ref"],
                mine.values["shares"],
                mine.values["price"],
            )
        if mine.letter in "EB":
            assert theirs.match_number == mine.values["match"]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_meatpy_builds_our_books(busy_day: BusyDay, symbol: str) -> None:
    processor = ITCH50MarketProcessor(symbol, datetime(2026, 11, 23, tzinfo=UTC))
    with ITCH50MessageReader(busy_day.day.path) as reader:
        for message in islice(reader, busy_day.depth_after):
            processor.process_message(message)
    lob = processor.current_lob
    assert lob is not None
    theirs = [
        [(level.price, level.total_volume, level.n_orders) for level in levels]
        for levels in (lob.bid_levels, lob.ask_levels)
    ]
    assert theirs == [[tuple(level) for level in side] for side in busy_day.depth[symbol]]
    assert levels_in(busy_day.depth) > 3


class OneBatch:
    """An event log with one batch; gone: whether it has lost its beginning."""

    def __init__(self, events: bytes, count: int, gone: int = 0) -> None:
        self.batch = EventBatch(0, 1, 1, count, events)
        self.gone = gone

    async def fetch(self, after: int, wait_s: float = 0) -> EventBatch:
        if self.gone:
            raise EventsGone(self.gone, "gone")
        return self.batch if after == 0 else EventBatch(0, 1, after + 1, 0, b"")


async def test_an_export_goes_to_the_newest_event_or_to_a_time(tmp_path: Path) -> None:
    flow = VenueFlow()
    source = OneBatch(flow.open(), flow.venue.event_sequence)
    for until_ns in (flow.time_ns, flow.time_ns + 1):
        files = ItchFiles(tmp_path)
        assert [each async for each in export_days(source, files, until_ns)] == [flow.venue.event_sequence]
        assert files.days[DATE].messages == 7


async def test_an_export_without_the_first_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EventsGone):
        async for _ in export_days(OneBatch(b"", 0, gone=9), ItchFiles(tmp_path), 1):
            pass
