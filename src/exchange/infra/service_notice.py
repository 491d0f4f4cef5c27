"""Tells a service manager how this process is, as sd_notify(3) does: a datagram to the socket that it names.

Without NOTIFY_SOCKET in the environment nothing is sent, so nothing depends on systemd.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

import structlog

SOCKET_VARIABLE = "NOTIFY_SOCKET"
WATCHDOG_VARIABLE = "WATCHDOG_USEC"
WATCHDOG_PROCESS_VARIABLE = "WATCHDOG_PID"
STATUS_CHARACTERS_MAX = 300
SEND_S = 1.0

log = structlog.get_logger(component="service")


class ServiceNotice:
    """The way to the service manager. is_wanted: whether one listens; watchdog_s: how long it bears silence, or 0."""

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        env = os.environ if env is None else env
        self._address = env.get(SOCKET_VARIABLE, "")
        self.is_wanted = self._address.startswith(("/", "@"))
        self.watchdog_s = _watchdog_s(env) if self.is_wanted else 0.0
        self._is_lost = False

    def ready(self) -> None:
        """Say that the process serves; a unit of Type=notify has started then."""
        self._send("READY=1")

    def alive(self, status: str = "") -> None:
        """Feed the watchdog and say in a line how the process is."""
        line = " ".join(status.split())[:STATUS_CHARACTERS_MAX]
        self._send(f"WATCHDOG=1\nSTATUS={line}" if self.watchdog_s else f"STATUS={line}")

    def stopping(self) -> None:
        """Say that the process has begun to stop."""
        self._send("STOPPING=1\nSTATUS=stopping")

    def _send(self, text: str) -> None:
        """Send it; a manager that does not take it is no reason to stop, and is logged once."""
        if not self.is_wanted:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.settimeout(SEND_S)
                channel.connect(address)
                channel.send(text.encode())
        except OSError as error:
            if not self._is_lost:
                log.warning("service_manager_lost", address=self._address, error=str(error))
            self._is_lost = True
        else:
            self._is_lost = False


def _watchdog_s(env: Mapping[str, str]) -> float:
    """Return how long the manager bears silence of this process; 0 where it has no watchdog, or one for another."""
    if env.get(WATCHDOG_PROCESS_VARIABLE, str(os.getpid())) != str(os.getpid()):
        return 0.0
    text = env.get(WATCHDOG_VARIABLE, "")
    return int(text) / 1_000_000 if text.isascii() and text.isdecimal() else 0.0
