"""How a store fares, in figures."""

from __future__ import annotations

from time import time_ns

from exchange.domain import events as e
from exchange.domain.units import CommandSequence, EventSequence, TimeNs
from exchange.infra.store_meter import StoreMeter
from exchange.wire.envelope import EventBatch
from exchange.wire.records import encode_event

SECOND_NS = 1_000_000_000


def batch(time: int) -> EventBatch:
    event = e.EngineStarted(
        sequence=EventSequence(1),
        command_sequence=CommandSequence(1),
        time_ns=TimeNs(time),
        epoch=1,
        rules_version=1,
    )
    return EventBatch(0, 1, 1, 1, encode_event(event))


def test_a_batch_that_was_stored_has_a_time_and_its_events_an_age() -> None:
    meter = StoreMeter("reporter")
    meter.begin()
    meter.stored(batch(time_ns() - 5 * SECOND_NS), is_current=True)
    assert (meter.times.count, meter.ages.count) == (1, 1)
    assert 5 * SECOND_NS <= meter.ages.max_ns < 60 * SECOND_NS


def test_events_of_the_past_and_of_a_clock_ahead_do_not_spoil_the_ages() -> None:
    meter = StoreMeter("reporter")
    meter.begin()
    meter.stored(batch(0), is_current=False)
    assert (meter.times.count, meter.ages.count) == (1, 0)
    meter.begin()
    meter.stored(batch(time_ns() + 1_000 * SECOND_NS), is_current=True)
    assert (meter.ages.count, meter.ages.max_ns) == (1, 0)


def test_a_failure_is_told_until_a_batch_is_stored() -> None:
    meter = StoreMeter("reporter")
    meter.begin()
    meter.failed(batch(1), "the disk is full", 1)
    meter.failed(batch(1), "the disk is full", 2)
    assert meter.retries == 2
    assert meter.problem == "the store did not take events up to 1: the disk is full"
    meter.stored(batch(1), is_current=False)
    assert (meter.problem, meter.retries) == ("", 2)
