"""The words of an order. Numbers are those of FIX where FIX has one."""

from __future__ import annotations

import re
from enum import IntEnum

CLIENT_ORDER_ID_PATTERN = re.compile(r"[\x21-\x7e]{1,36}\Z", re.ASCII)
"""1 to 36 printable ASCII characters, no blank."""
CLIENT_ORDER_IDS_MAX = 1_000_000
"""Client order ids one account may use on one business date."""


class Side(IntEnum):
    """FIX 4.4 tag 54."""

    BUY = 1
    SELL = 2


class OrderType(IntEnum):
    """FIX 4.4 tag 40."""

    MARKET = 1
    LIMIT = 2


class TimeInForce(IntEnum):
    """FIX 4.4 tag 59."""

    DAY = 0
    GTC = 1
    IOC = 3
    FOK = 4


class OrderFlag(IntEnum):
    """Bits of an order's `flags`."""

    POST_ONLY = 1


class CancelReason(IntEnum):
    """Why an order, or what was left of it, went without trading."""

    REQUESTED = 1
    """Its owner asked for it."""
    IMMEDIATE_OR_CANCEL = 2
    """The remainder of an immediate-or-cancel or market order."""
    FILL_OR_KILL = 3
    """A fill-or-kill order that could not fill whole."""
    DAY_ENDED = 4
    """A day order at the end of its business date."""
    OPERATOR = 5
    """An operator asked for it."""
    MASS_CANCEL = 6
    """Its owner asked for all of a kind."""


class OrderStatus(IntEnum):
    """Where an order stands."""

    NEW = 1
    PARTIALLY_FILLED = 2
    FILLED = 3
    CANCELED = 4
    EXPIRED = 5
    REJECTED = 6
    REPLACED = 7


FINAL_STATUSES = (
    OrderStatus.FILLED,
    OrderStatus.CANCELED,
    OrderStatus.EXPIRED,
    OrderStatus.REJECTED,
    OrderStatus.REPLACED,
)
