"""What can go wrong with the world outside: disk, network, store, bus.

An `InfraError` is handled where a retry or a halt is decided; its message says what failed, what was seen,
what to do.
"""

from __future__ import annotations


class InfraError(Exception):
    """A dependency failed or answered nonsense."""


class SourceUnavailable(InfraError):
    """The other side is not there now or is too busy; trying again can help."""


class AccessRefused(InfraError):
    """The other side does not take our key; trying again with the same key cannot help."""


class StoreUnavailable(InfraError):
    """The database is not there now, or has no connection to spare; trying again can help."""


class EventsGone(InfraError):
    """The events asked for are no longer kept. first_kept: the oldest event sequence that is."""

    def __init__(self, first_kept: int, message: str = "") -> None:
        super().__init__(
            message or f"events before {first_kept} are no longer kept; begin from a snapshot or a backup"
        )
        self.first_kept = first_kept
