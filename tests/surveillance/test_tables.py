"""Play every table on a real venue: the watcher raises what the table says, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from exchange.matching.venue import Venue
from exchange.surveillance.watcher import DETECTORS
from tests.surveillance.stage import Table, WatchedStage, read_tables, said

TABLES = read_tables()


def python_venue() -> Venue:
    return Venue()


def native_venue() -> Venue:
    native = pytest.importorskip(
        "exchange.matching.native",
        reason="the wheel exchange-native is not installed: install Rust and run `make setup`",
        exc_type=ImportError,
    )
    venue: Venue = native.NativeVenue()
    return venue


@pytest.mark.parametrize("make", [python_venue, native_venue], ids=["python", "native"])
@pytest.mark.parametrize("table", TABLES, ids=lambda t: f"{t.file[:-4]}: {t.title}")
def test_the_watcher_raises_what_the_table_says(table: Table, make: Callable[[], Venue]) -> None:
    stage = WatchedStage(make())
    stage.play(table.steps)
    raised = [said(alert) for alert in stage.watch()]
    assert raised == [line for line in table.raised if line != "nothing"]


def test_every_table_says_what_is_raised() -> None:
    assert not [table.title for table in TABLES if not table.raised]


def test_every_detector_has_a_pattern_and_a_near_miss() -> None:
    for kind in DETECTORS.values():
        own = [table for table in TABLES if table.file.startswith(kind.CODE.lower())]
        assert any(re.match(kind.CODE, line) for table in own for line in table.raised), kind.CODE
        assert any(table.title.startswith("near miss") for table in own), kind.CODE
        assert all(table.raised == ["nothing"] for table in own if table.title.startswith("near miss"))
