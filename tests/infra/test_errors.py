"""Failures of the world outside: one family, so that whoever decides on a retry or a halt catches one name."""

from __future__ import annotations

import pytest

from exchange.infra.errors import AccessRefused, EventsGone, InfraError, SourceUnavailable


@pytest.mark.parametrize("error", [SourceUnavailable("x"), AccessRefused("x"), EventsGone(1)])
def test_every_failure_is_an_infra_error(error: Exception) -> None:
    assert isinstance(error, InfraError)


def test_events_that_are_gone_say_from_where_they_are_kept() -> None:
    assert str(EventsGone(42)) == "events before 42 are no longer kept; begin from a snapshot or a backup"
    assert (str(EventsGone(42, "too old")), EventsGone(42).first_kept) == ("too old", 42)
