"""What a component knows of all components: how each said that it is, and what happened last. Bounded, no I/O."""

from __future__ import annotations

from collections import deque

import msgspec

from exchange.wire.bus_messages import Announcement, Rulings

INSTANCES_MAX = 64
"""When more are known, the one not heard of for longest is forgotten."""
HAPPENINGS_MAX = 100
"""Older ones are forgotten."""
BEATS_MISSED_MAX = 3
"""A component that missed so many announcements is lost."""
NS_PER_MS = 1_000_000
LOST = "lost"


class Heard(msgspec.Struct):
    """The last announcement of an instance, and when it came by the clock of this process."""

    announcement: Announcement
    heard_ns: int


class Happening(msgspec.Struct, frozen=True):
    """Something that was announced. match_id: the trade of a ruling."""

    time_ns: int
    component: str
    partition: int
    what: str
    match_id: str = ""


class Roster:
    """The known components. Times given are of one monotonic clock."""

    def __init__(self) -> None:
        self.happenings: deque[Happening] = deque(maxlen=HAPPENINGS_MAX)
        self._heard: dict[str, Heard] = {}

    def note(self, announcement: Announcement, now_ns: int) -> None:
        """Take an announcement in; one that comes late or again changes nothing."""
        known = self._heard.get(announcement.instance)
        if known is not None and known.announcement.number >= announcement.number:
            return
        if known is None or known.announcement.state != announcement.state:
            self.happenings.appendleft(
                Happening(
                    announcement.time_ns, announcement.component, announcement.partition, announcement.state
                )
            )
        self._heard[announcement.instance] = Heard(announcement, now_ns)
        while len(self._heard) > INSTANCES_MAX:
            del self._heard[min(self._heard, key=lambda instance: self._heard[instance].heard_ns)]

    def note_rulings(self, rulings: Rulings) -> None:
        """Take rulings in."""
        for item in rulings.items[-HAPPENINGS_MAX:]:
            self.happenings.appendleft(
                Happening(
                    item.time_ns, "clearing", rulings.partition, f"ruling: {item.verdict}", item.match_id
                )
            )

    def known(self, now_ns: int) -> list[tuple[Heard, str]]:
        """Return each instance with its state, by component; one that another took the place of is left out."""
        shown = [
            (heard, self._state(heard, now_ns))
            for heard in self._heard.values()
            if not self._is_replaced(heard, now_ns)
        ]
        return sorted(shown, key=lambda pair: _order(pair[0].announcement))

    def _state(self, heard: Heard, now_ns: int) -> str:
        said = heard.announcement
        silent_ms = (now_ns - heard.heard_ns) // NS_PER_MS
        return LOST if said.every_ms and silent_ms > BEATS_MISSED_MAX * said.every_ms else said.state

    def _is_replaced(self, heard: Heard, now_ns: int) -> bool:
        """Tell whether an instance is silent and another began later in its place."""
        said = heard.announcement
        if said.every_ms and now_ns - heard.heard_ns <= said.every_ms * 3 // 2 * NS_PER_MS:
            return False
        return any(
            _place(other.announcement) == _place(said) and other.announcement.started_ns > said.started_ns
            for other in self._heard.values()
        )


def _place(said: Announcement) -> tuple[str, int, str]:
    return said.component, said.partition, said.url


def _order(said: Announcement) -> tuple[int, int, int]:
    return ("engine", "reporter", "clearing").index(said.component), said.partition, said.started_ns
