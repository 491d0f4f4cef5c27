"""The words of an order. Numbers are those of FIX where FIX has one."""

from __future__ import annotations

import re
from enum import IntEnum

import msgspec

CLIENT_ORDER_ID_PATTERN = re.compile(r"[\x21-\x7e]{1,36}\Z", re.ASCII)
"""1 to 36 printable ASCII characters, no blank."""
CLIENT_ORDER_IDS_MAX = 1_000_000
"""Client order ids one account may use on one business date."""
TRAIL_BPS_MAX = 5_000
"""The widest trail of a stop, in basis points of the price it follows."""
ICEBERG_SLICES_MAX = 100
"""A display quantity is at least this part of the order's quantity, so that one command refreshes only so often."""


class Side(IntEnum):
    """FIX 4.4 tag 54."""

    BUY = 1
    SELL = 2


class OrderType(IntEnum):
    """FIX 4.4 tag 40."""

    MARKET = 1
    LIMIT = 2
    STOP = 3
    """Waits until the last trade reaches its stop price, then is a market order."""
    STOP_LIMIT = 4
    """Waits until the last trade reaches its stop price, then is a limit order."""
    MARKET_TO_LIMIT = ord("K")
    """Takes the best price there is, and becomes a limit order at it."""


class TimeInForce(IntEnum):
    """FIX 4.4 tag 59."""

    DAY = 0
    GTC = 1
    AT_THE_OPEN = 2
    """In the opening auction, or not at all."""
    IOC = 3
    FOK = 4
    GTD = 6
    """Until the time that its terms give."""
    AT_THE_CLOSE = 7
    """In the closing auction, or not at all."""
    GOOD_FOR_AUCTION = ord("B")
    """In the next auction, or not at all."""


AUCTION_TIMES = (TimeInForce.AT_THE_OPEN, TimeInForce.AT_THE_CLOSE, TimeInForce.GOOD_FOR_AUCTION)
"""Of orders that trade in an auction only."""


class OrderFlag(IntEnum):
    """Bits of an order's `flags`."""

    POST_ONLY = 1
    """It never takes: it is refused where it would trade at once."""
    REPRICE = 2
    """With post-only: where it would trade at once it rests one tick behind the best opposite price."""
    ALL_OR_NONE = 4
    """It trades whole or waits."""
    HIDDEN = 8
    """It rests behind all that is shown at its price, and is not shown."""
    SHORT = 16
    """A sale of shares that the account does not have."""
    SHORT_EXEMPT = 32
    """A short sale to which the price restriction does not apply."""
    LOCATED = 64
    """Of a short sale: shares to borrow are located."""
    DO_NOT_REDUCE = 128
    """A cash dividend does not lower its price."""


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
    EXPIRED = 17
    """The time until which it was good is over."""
    MINIMUM_QUANTITY = 18
    """Its minimum was not there, and it may not wait."""
    PROTECTION = 19
    """What is left of a market order would trade outside the symbol's protection band."""
    NO_OPPOSITE = 20
    """A market-to-limit order that found no price to take."""
    SELF_TRADE = 21
    """It would have traded with an order of its own group."""
    AUCTION_ENDED = 40
    """What is left of an order for an auction after it."""
    PRICE_LIMIT = 41
    """What is left of a market order would trade beyond a price limit."""
    LINKED = 50
    """The other order of its pair was filled, triggered or cancelled."""
    QUOTE_REPLACED = 51
    """Its market maker quoted anew."""
    QUOTE_CANCELLED = 52
    """Its market maker withdrew the quote."""
    QUOTE_PROTECTION = 53
    """Its market maker's protection was reached."""
    KILL_SWITCH = 30
    """Trading was blocked."""
    CANCEL_TIMER = 31
    """Its owner did not set its cancel timer again in time."""
    CORPORATE_ACTION = 60
    """A split or dividend left it no price or no quantity."""
    SHORT_SALE = 61
    """A short stop order that was triggered while short sales are restricted."""
    RISK_LIMIT = 32
    """A stop order that was triggered, and broke a limit then."""


class SelfTradeMode(IntEnum):
    """What happens where two orders of one group would trade. Numbers 1 to 3 are those of FIX 5.0 tag 2964."""

    NONE = 0
    """They trade."""
    CANCEL_NEWEST = 1
    """The incoming order is cancelled."""
    CANCEL_OLDEST = 2
    """The resting order is cancelled."""
    CANCEL_BOTH = 3
    """Both are cancelled."""
    DECREMENT = 4
    """The smaller one is cancelled, and the larger one reduced by its quantity."""


class RepriceReason(IntEnum):
    """Why the market gave an order a price that its owner did not name."""

    MARKET_TO_LIMIT = 1
    """A market-to-limit order met this price."""
    POST_ONLY = 2
    """A post-only order would have traded at its own price."""
    PEG = 50
    """The prices to which it is pegged moved; 0 where it has none for now."""
    PRICE_LIMIT = 40
    """Its own price was beyond a price limit."""


PEGS_MAX = 1_000
"""Pegged orders of one symbol, for a move of its best prices looks at all of them; one more is refused."""


class PegKind(IntEnum):
    """To what a pegged order's price is pegged. Numbers are those of FIX 5.0 tag 1094."""

    MIDPOINT = 2
    """The middle between best bid and best offer."""
    MARKET = 4
    """The best price of the other side."""
    PRIMARY = 5
    """The best price of its own side."""


class Peg(msgspec.Struct, frozen=True, gc=False):
    """How a pegged order gets its price. offset: added to what it is pegged to; limit: of its price, 0 for none."""

    kind: PegKind
    offset: int
    limit: int


class SpecialTerms(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What an order asks beyond price, quantity, time in force and flags; 0 where it does not.

    minimum_quantity: of one trade or of one sweep; display_quantity: how much of it is shown at a time;
    stop_price: what the last trade must reach, of a trailing stop where it stands now; trail_amount (price) or
    trail_bps: how far the stop follows the last trade; expires_ns: until when it is good.
    """

    minimum_quantity: int = 0
    display_quantity: int = 0
    stop_price: int = 0
    trail_amount: int = 0
    trail_bps: int = 0
    expires_ns: int = 0


NO_TERMS = SpecialTerms()


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
