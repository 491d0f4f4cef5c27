"""The dead-man timers of participants: when their orders are cancelled unless they speak up."""

from __future__ import annotations

from bisect import bisect_left, insort


class CancelTimers:
    """When each participant's timer ends, at most one each."""

    __slots__ = ("_sorted", "expires_ns")

    def __init__(self) -> None:
        self.expires_ns: dict[int, int] = {}
        """By participant, of those that have one."""
        self._sorted: list[tuple[int, int]] = []

    def set(self, participant_id: int, expires_ns: int) -> None:
        """Let a participant's timer end then, and no longer when it was to; 0: it has none."""
        before = self.expires_ns.pop(participant_id, 0)
        if before:
            del self._sorted[bisect_left(self._sorted, (before, participant_id))]
        if expires_ns:
            self.expires_ns[participant_id] = expires_ns
            insort(self._sorted, (expires_ns, participant_id))

    def next_ns(self) -> int:
        """Return when the next timer ends, 0 for never."""
        return self._sorted[0][0] if self._sorted else 0

    def take_due(self, now_ns: int) -> int:
        """Take out the timer that ends soonest, of several the lowest participant's, if its time is over; else 0."""
        if not self._sorted or self._sorted[0][0] > now_ns:
            return 0
        participant_id = self._sorted[0][1]
        self.set(participant_id, 0)
        return participant_id
