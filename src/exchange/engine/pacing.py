"""When gateways read: not while a generation is on its way to a disk that is waited for, so that reads come together.

What clients send meanwhile gathers in their sockets and is read, understood and matched at once, instead of in many
small pieces that cost as much each. A large generation costs little per command as it is: then matching beside the disk
gains more. Gateways rest for one generation at a time: what others gather meanwhile goes to disk first, and never keeps
them from reading for long.
"""

from __future__ import annotations

from typing import Protocol

SMALL_COMMANDS = 64
"""Gateways rest behind generations of at most so many commands."""


class Reader(Protocol):
    """A gateway that reads what clients send, and may leave it in their sockets for a moment."""

    def rest(self) -> None:
        """Read no more, for what is read now could not go to disk yet."""

    def go_on(self) -> None:
        """Read again."""


class Pacing:
    """Tells readers when to rest. is_disk_awaited: without, nobody ever rests."""

    def __init__(self, is_disk_awaited: bool) -> None:
        self.readers: list[Reader] = []
        self._is_disk_awaited = is_disk_awaited
        self._is_resting = False

    def sent(self, commands: int) -> None:
        """Rest, where few commands, with what was read, are on their way to disk."""
        self._set(self._is_small(commands))

    def durable(self, next_sent: int) -> None:
        """Go on; or rest, where the next generation is on its way already, with what readers read.

        next_sent: its commands, 0 where there is none.
        """
        self._set(self._is_small(next_sent) and not self._is_resting)

    def end(self) -> None:
        """Go on for good: who still sends is told that the engine has stopped."""
        self._is_disk_awaited = False
        self._set(False)

    def _is_small(self, commands: int) -> bool:
        return self._is_disk_awaited and 0 < commands <= SMALL_COMMANDS

    def _set(self, is_resting: bool) -> None:
        if is_resting == self._is_resting:
            return
        self._is_resting = is_resting
        for reader in self.readers:
            if is_resting:
                reader.rest()
            else:
                reader.go_on()
