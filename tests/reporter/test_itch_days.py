"""The days of ITCH on disk: the same after a restart as without one, and what happens where that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.domain import commands as c
from exchange.domain.order import Side, TimeInForce
from exchange.market_data.book_builder import BookBuilder
from exchange.reporter.itch_days import CHECKPOINT_FILE, ItchDays
from exchange.wire import soupbintcp as soup
from tests.market_data.itch_book import ItchReader
from tests.market_data.venue_flow import DATE, VenueFlow


def messages(days: ItchDays, date: int) -> list[bytes]:
    found: list[bytes] = []
    while found_now := soup.split(days.streams.read(date, len(found) + 1)[0])[0]:
        found += [packet.payload for packet in found_now]
    return found


def everything(days: ItchDays) -> dict[str, list[bytes]]:
    return {days.session_name(date): messages(days, date) for date in days.dates()}


@pytest.mark.parametrize("seed", range(3))
def test_a_restart_changes_nothing_wherever_it_comes(tmp_path: Path, seed: int) -> None:
    flow = VenueFlow(seed)
    batches = [flow.open(), *flow.random_batches(30)]
    steady, interrupted = ItchDays(tmp_path / "a", 100), ItchDays(tmp_path / "b", 100)
    for batch in batches:
        steady.take(batch, 1)
    for at, batch in enumerate(batches):
        interrupted.take(batch, 1)
        if at % 5 == 2:
            interrupted.save()
            interrupted.take(batches[at + 1], 1)
            interrupted.close()
            interrupted = ItchDays(tmp_path / "b", 100)
    assert everything(interrupted) == everything(steady)
    assert (interrupted.sequence, interrupted.date) == (flow.venue.event_sequence, flow.venue.business_date)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xc0"])
def test_an_unreadable_checkpoint_means_to_make_all_again(tmp_path: Path, content: bytes) -> None:
    flow = VenueFlow()
    opened = flow.open()
    first = ItchDays(tmp_path, 5)
    first.take(opened, 1)
    first.save()
    before = everything(first)
    first.close()
    (tmp_path / CHECKPOINT_FILE).write_bytes(content)
    again = ItchDays(tmp_path, 5)
    assert (again.sequence, again.dates()) == (0, [])
    again.take(opened, 1)
    assert everything(again) == before


def test_old_days_are_forgotten(tmp_path: Path) -> None:
    flow, days = VenueFlow(), ItchDays(tmp_path, days_kept=2)
    days.take(flow.open(), 1)
    for later in range(1, 4):
        days.take(flow.do(c.StartBusinessDay(date=DATE + later)), 1)
    assert days.dates() == [DATE + 2, DATE + 3]
    assert len(list((tmp_path / "days").iterdir())) == 2


def test_a_day_that_begins_anew_has_another_name_and_what_stands_in_the_market(tmp_path: Path) -> None:
    flow, days = VenueFlow(), ItchDays(tmp_path, 5)
    opened = flow.open()
    resting = flow.limit(Side.BUY, 999_900) + flow.limit(Side.SELL, 1_000_100, time_in_force=TimeInForce.GTC)
    all_events = opened + resting
    days.take(all_events, 1)
    old = days.session_name(DATE)
    builder = BookBuilder()
    builder.apply(all_events)
    (run,) = days.begin_anew(flow.venue.directory, builder.snapshot(), DATE, 2, 77_000_000_000)
    assert (days.session_name(DATE), old, days.dates()) == ("20261123" + "25", "20261123" + "00", [DATE])
    reader = ItchReader()
    reader.read(soup.payloads(run.packets))
    assert (run.first, reader.system, set(reader.states)) == (1, "OSQ", {"AAPL", "MSFT"})
    assert [order.price for order in reader.orders.values()] == [999_900, 1_000_100]
    reader.read(soup.payloads(days.take(flow.limit(Side.SELL, 999_900), 2)[0].packets))
    assert [order.price for order in reader.orders.values()] == [1_000_100]
