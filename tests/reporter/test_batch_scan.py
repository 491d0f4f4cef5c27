"""One look over a batch."""

from __future__ import annotations

from exchange.domain import events as e
from exchange.reporter.batch_scan import scan
from exchange.wire.records import decode_events
from tests.market_data.venue_flow import VenueFlow


def test_slices_are_whole_commands_and_together_the_batch() -> None:
    flow = VenueFlow(2)
    events = flow.open() + b"".join(flow.random_batches(10))
    for size in (1, 7, 50, 10**6):
        found = scan(events, size)
        assert b"".join(found.slices) == events
        assert all(decode_events(each)[-1].last_of_command for each in found.slices)
        assert all(len(decode_events(each)) >= size for each in found.slices[:-1])


def test_notable_events_are_those_of_directory_day_and_engine() -> None:
    found = scan(VenueFlow().open())
    assert [type(each) for each in found.notable] == [
        e.EngineStarted, e.BusinessDayStarted, e.SymbolAdded, e.SymbolAdded, e.ParticipantCreated,
        e.ParticipantCreated, e.AccountCreated, e.AccountCreated, e.KeyCreated,
    ]  # fmt: skip
    assert found.of_directory == found.notable[2:]


def test_an_empty_batch_has_no_slices() -> None:
    assert scan(b"").slices == []
