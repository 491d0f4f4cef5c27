"""Events of order lists, pegs and quotes."""

from __future__ import annotations

from exchange.domain import events, linked_events
from exchange.domain.event import Event


def test_they_are_found_among_all_events() -> None:
    own = {
        name
        for name, kind in vars(linked_events).items()
        if isinstance(kind, type) and issubclass(kind, Event)
    }
    assert len(own) > 10
    assert own <= vars(events).keys()
