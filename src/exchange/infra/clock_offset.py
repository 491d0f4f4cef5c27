"""How far the clock of this machine is from true time, as its kernel knows it: chrony and ntpd keep that up to date.

`adjtimex` with no mode only reads. Where nobody disciplines the clock, or there is no such call, it is not known.
"""

from __future__ import annotations

import ctypes
import math
from typing import NamedTuple

from exchange.infra.metrics import Family, gauge

_UNSYNCHRONIZED, _IN_NANOSECONDS, _ERROR = 0x0040, 0x2000, 5
_NS_PER_S, _US_PER_S = 1e9, 1e6


class _Timex(ctypes.Structure):
    """The head of `struct timex` of Linux, with room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 32),
    )


class ClockEstimate(NamedTuple):
    """What the kernel says. offset_s, error_s: NaN where it is not known."""

    is_synchronized: bool
    offset_s: float
    error_s: float


UNKNOWN = ClockEstimate(False, math.nan, math.nan)


def read_clock() -> ClockEstimate:
    """Ask the kernel; `UNKNOWN` where it does not know, or cannot be asked."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (AttributeError, OSError):
        return UNKNOWN
    timex = _Timex()
    state = adjtimex(ctypes.byref(timex))
    return estimate_of(state, timex.status, timex.offset, timex.maxerror)


def estimate_of(state: int, status: int, offset: int, error_us: int) -> ClockEstimate:
    """Make sense of what the kernel says. offset: in ns or µs, as a bit of `status` says."""
    if state < 0 or state == _ERROR or status & _UNSYNCHRONIZED:
        return UNKNOWN
    unit = _NS_PER_S if status & _IN_NANOSECONDS else _US_PER_S
    return ClockEstimate(True, offset / unit, error_us / _US_PER_S)


CLOCK_FAMILIES: tuple[Family[ClockEstimate], ...] = (
    gauge(
        "exchange_clock_synchronized",
        "1 where the kernel says that its clock is disciplined, by chrony or ntpd.",
        lambda clock: clock.is_synchronized,
    ),
    gauge(
        "exchange_clock_offset_seconds",
        "How far the clock is from true time, by the kernel's estimate; NaN where it is not known.",
        lambda clock: clock.offset_s,
    ),
    gauge(
        "exchange_clock_error_seconds_max",
        "How far it may be off at most, by the kernel's estimate; NaN where it is not known.",
        lambda clock: clock.error_s,
    ),
)
