"""The latest messages of a channel, kept for subscribers who come back and name the first one they miss."""

from __future__ import annotations

from collections import deque
from typing import Generic, Protocol, TypeVar


class Sequenced(Protocol):
    """Something with the sequence of an event."""

    @property
    def sequence(self) -> int:
        """Return it."""


T = TypeVar("T", bound=Sequenced)


class ReplayBuffer(Generic[T]):
    """At most so many messages of all symbols together; when it is full the oldest goes.

    since: the last sequence before anything could be kept.
    """

    def __init__(self, messages_max: int, since: int) -> None:
        self._max = messages_max
        self._since = since
        self._gone: dict[int, int] = {}
        self._kept: dict[int, deque[T]] = {}
        self._symbols: deque[int] = deque()

    def add(self, symbol_id: int, message: T) -> None:
        """Keep a message; it is newer than all others of its symbol."""
        self._kept.setdefault(symbol_id, deque()).append(message)
        self._symbols.append(symbol_id)
        if len(self._symbols) > self._max:
            oldest = self._symbols.popleft()
            self._gone[oldest] = self._kept[oldest].popleft().sequence

    def since(self, symbol_id: int, from_sequence: int) -> list[T] | None:
        """Return a symbol's messages from a sequence on, oldest first; None where some are no longer kept."""
        if from_sequence <= self._gone.get(symbol_id, self._since):
            return None
        return [each for each in self._kept.get(symbol_id, ()) if each.sequence >= from_sequence]

    def __len__(self) -> int:
        """Return how many messages are kept."""
        return len(self._symbols)
