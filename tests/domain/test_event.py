"""What all events share."""

from __future__ import annotations

from exchange.domain.event import Event
from exchange.wire.records import LAYOUTS


def test_every_event_of_a_layout_is_one() -> None:
    assert all(issubclass(layout.value_type, Event) == (layout.number > 100) for layout in LAYOUTS.values())
