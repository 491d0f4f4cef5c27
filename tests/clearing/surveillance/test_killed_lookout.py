"""Killed at any of its commits, surveillance goes on from the last one, and its alerts are those of a run offline."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from exchange.clearing.surveillance.alert_store import read_alerts, read_place
from exchange.clearing.surveillance.office import MIGRATIONS
from exchange.infra.store import open_store
from exchange.surveillance.alert import hash_of_all
from exchange.surveillance.watcher import Watcher
from exchange.wire.records import encode_event
from tests.clearing.surveillance.killed_lookout import TRADES, day

PLACES = [("before", 1), ("after", 1), ("before", 2)]
"""How many commits there are depends on how fast the events come; there is a first one in any case."""
LIMIT_S = 120


def look(url: str, when: str, number: int) -> int:
    """Let a process of its own look; return how it ended."""
    command = [
        sys.executable, "-m", "tests.clearing.surveillance.killed_lookout", url, when, str(number),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode


def facts(store: Engine) -> tuple[str, int, int, bytes]:
    with store.connect() as connection:
        place, alerts = read_place(connection, 0), list(read_alerts(connection, 0))
    assert place is not None
    return hash_of_all(alerts), len(alerts), place.sequence, place.state


@pytest.mark.integration
def test_killed_at_any_commit_it_goes_on_with_equal_alerts(new_store_url: Callable[[str], str]) -> None:
    events = day().events
    watcher = Watcher()
    raised = watcher.take(b"".join(map(encode_event, events)))
    expected = (hash_of_all(raised), TRADES // 3, len(events), watcher.dump())
    for when, number in PLACES:
        url = new_store_url(f"{when}{number}")
        open_store(url, MIGRATIONS).dispose()
        assert look(url, when, number) == -9 or number > 1, (when, number)
        assert look(url, "after", 0) == 0
        store = open_store(url, MIGRATIONS)
        assert facts(store) == expected, (when, number)
        store.dispose()
