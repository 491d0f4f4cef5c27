"""Alerts are numbered as they come, each once, and listed newest first."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from sqlalchemy import Engine

from exchange.clearing.surveillance.alert_store import (
    Filter,
    add_alerts,
    change_case,
    count_by_state,
    list_alerts,
    read_alert,
    read_alerts,
)
from exchange.clearing.surveillance.office import MIGRATIONS
from exchange.infra.store import begin_write, open_store
from exchange.surveillance.case_file import CaseState, Officer, escalate
from tests.surveillance.test_alert import ALERT

OTHERS = [msgspec.structs.replace(ALERT, evidence=(number,)) for number in range(100, 105)]


@pytest.fixture
def store(store_url: str) -> Iterator[Engine]:
    store = open_store(store_url, MIGRATIONS)
    yield store
    store.dispose()


def test_an_alert_that_comes_again_changes_nothing(store: Engine) -> None:
    with begin_write(store) as connection:
        assert add_alerts(connection, 0, [ALERT, *OTHERS, ALERT]) == 6
    with begin_write(store) as connection:
        change_case(connection, 0, ALERT.alert_id, lambda case: escalate(case, Officer(1, "kim"), "why", 5))
        assert add_alerts(connection, 0, [*OTHERS, ALERT]) == 0
        filed = read_alert(connection, 0, ALERT.alert_id)
        assert filed is not None
        assert (filed.number, filed.alert, filed.case.state) == (1, ALERT, CaseState.ESCALATED)
        assert count_by_state(connection, 0) == {"escalated": 1, "new": 5}
        assert list(read_alerts(connection, 0)) == [ALERT, *OTHERS]


def test_partitions_have_alerts_of_their_own(store: Engine) -> None:
    with begin_write(store) as connection:
        assert (add_alerts(connection, 0, [ALERT]), add_alerts(connection, 1, [ALERT])) == (1, 1)
        assert len(list_alerts(connection, 1, Filter(), 10)) == 1


def test_pages_go_from_the_newest_to_the_oldest(store: Engine) -> None:
    with begin_write(store) as connection:
        add_alerts(connection, 0, [ALERT, *OTHERS])
        first = list_alerts(connection, 0, Filter(), 4)
        second = list_alerts(connection, 0, Filter(before=first[-1].number), 4)
    assert [filed.number for filed in (*first, *second)] == [6, 5, 4, 3, 2, 1]


def test_what_is_not_there_is_not_changed(store: Engine) -> None:
    with begin_write(store) as connection:
        assert change_case(connection, 0, "9" * 18, lambda case: case) is None
