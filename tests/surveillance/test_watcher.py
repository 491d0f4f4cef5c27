"""Live and offline are the same: what is raised depends on the events alone, not on batches, restarts or repeats."""

from __future__ import annotations

import random
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain.events import Event
from exchange.surveillance.alert import Alert, hash_of
from exchange.surveillance.settings import Settings, Spoofing, WashTrades
from exchange.surveillance.watcher import STATE_VERSION, StateRefused, Watcher
from exchange.wire.records import VERSION_OFFSET, ProtocolError, decode_events
from tests.surveillance.stage import Table, WatchedStage, read_tables


def everything() -> list[bytes]:
    """The events of every table, one after another on one venue, by command."""
    stage = WatchedStage()
    tables = [table for table in read_tables() if "start day" not in " ".join(table.steps)]
    for table in random.Random(8).sample(tables, len(tables)):
        if any(word in " ".join(table.steps) for word in ("bust", "phase", "halt", "protect")):
            continue
        stage.play([*table.steps, "wait 2 min", "cancel all by exchange", "wait 10 min"])
        for name in ("ann", "bob", "cat"):
            stage.play([f"group 0 of {name}"])
    stage.play(["start day 2026-11-24"])
    return stage.commands


COMMANDS = everything()
WHOLE = Watcher().take(b"".join(COMMANDS))


def test_the_long_stream_raises_alerts_of_many_kinds() -> None:
    assert len({alert.detector for alert in WHOLE}) >= 7
    assert len({alert.alert_id for alert in WHOLE}) == len(WHOLE)


@settings(max_examples=25, deadline=None)
@given(cuts=st.sets(st.integers(1, len(COMMANDS) - 1), max_size=60))
def test_any_cut_into_batches_raises_the_same_alerts(cuts: set[int]) -> None:
    watcher, raised = Watcher(), list[Alert]()
    for batch in batches(cuts):
        raised += watcher.take(batch)
    assert hash_of(raised) == hash_of(WHOLE)


@settings(max_examples=15, deadline=None)
@given(cuts=st.sets(st.integers(1, len(COMMANDS) - 1), min_size=1, max_size=12))
def test_a_restart_from_a_dump_at_any_place_raises_the_same_alerts(cuts: set[int]) -> None:
    watcher, raised = Watcher(), list[Alert]()
    for batch in batches(cuts):
        raised += watcher.take(batch)
        dumped = watcher.dump()
        watcher = Watcher()
        watcher.load(dumped)
        assert watcher.dump() == dumped
    assert hash_of(raised) == hash_of(WHOLE)


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(1, len(COMMANDS) - 1), back=st.integers(0, 200))
def test_events_that_come_again_after_a_restart_raise_the_same_alerts_once(cut: int, back: int) -> None:
    watcher = Watcher()
    raised = watcher.take(b"".join(COMMANDS[:cut]))
    raised += watcher.take(b"".join(COMMANDS[max(0, cut - back) :]), after=watcher.sequence)
    assert hash_of(raised) == hash_of(WHOLE)


@pytest.mark.parametrize("table", read_tables(), ids=lambda t: f"{t.file[:-4]}: {t.title}")
def test_a_restart_after_any_command_of_a_table_raises_the_same_alerts(table: Table) -> None:
    stage = WatchedStage()
    stage.play(table.steps)
    watcher, raised = Watcher(), list[Alert]()
    for number, command in enumerate(stage.commands):
        raised += watcher.take(command)
        if number < 100 or number % 50 == 0:
            dumped = watcher.dump()
            watcher = Watcher()
            watcher.load(dumped)
    assert hash_of(raised) == hash_of(stage.watch())


def test_every_alert_names_events_that_are_there_and_says_what_was_measured() -> None:
    events: dict[int, Event] = {event.sequence: event for event in decode_events(b"".join(COMMANDS))}
    for alert in WHOLE:
        assert alert.evidence == tuple(sorted(set(alert.evidence)))
        assert all(sequence in events for sequence in alert.evidence), alert
        assert alert.measures
        assert 0 <= alert.score <= 100
        assert alert.begins_ns <= alert.ends_ns
        assert all(measure.seen for measure in alert.measures)


def test_a_detector_that_is_switched_off_raises_nothing() -> None:
    raised = Watcher(Settings(wash_trades=WashTrades(enabled=False))).take(b"".join(COMMANDS))
    assert {alert.detector for alert in WHOLE} - {alert.detector for alert in raised} == {"WASH-1"}


def test_more_alerts_than_the_most_of_a_day_are_counted_only() -> None:
    watcher = Watcher(Settings(alerts_per_day_max=1))
    raised = watcher.take(b"".join(COMMANDS))
    assert len(raised) + watcher.suppressed == len(WHOLE)
    assert watcher.suppressed


def test_a_dump_of_other_settings_or_another_version_is_refused() -> None:
    watcher = Watcher()
    watcher.take(b"".join(COMMANDS[:50]))
    with pytest.raises(StateRefused, match="settings"):
        Watcher(Settings(spoofing=Spoofing(episodes=2))).load(watcher.dump())
    state = msgspec.msgpack.decode(watcher.dump())
    with pytest.raises(StateRefused, match=f"version {STATE_VERSION + 1}"):
        Watcher().load(msgspec.msgpack.encode(state | {"version": STATE_VERSION + 1}))
    with pytest.raises(StateRefused, match="cannot be read"):
        Watcher().load(b"nonsense")


def test_orders_from_before_the_first_event_that_was_seen_do_not_matter() -> None:
    watcher = Watcher()
    watcher.take(b"".join(COMMANDS[len(COMMANDS) // 2 :]))
    assert watcher.sequence


def test_a_record_of_another_version_is_refused() -> None:
    record = bytearray(COMMANDS[0])
    record[VERSION_OFFSET] = 9
    with pytest.raises(ProtocolError, match="version"):
        Watcher().take(bytes(record))


def batches(cuts: set[int]) -> list[bytes]:
    """Cut the stream into batches before these commands."""
    places = [0, *sorted(cuts), len(COMMANDS)]
    return [b"".join(COMMANDS[begin:end]) for begin, end in pairwise(places)]
