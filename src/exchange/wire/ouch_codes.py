"""The codes of OUCH 5.0, and which of ours they stand for: reject reasons, cancel reasons, sides, times in force."""

from __future__ import annotations

from enum import IntEnum

from exchange.domain.order import CancelReason, OrderFlag, Side, TimeInForce
from exchange.domain.reasons import Reason


class RejectReason(IntEnum):
    """The u16 of a Rejected message."""

    QUOTE_UNAVAILABLE = 0x01
    DESTINATION_CLOSED = 0x02
    INVALID_DISPLAY = 0x03
    INVALID_MAX_FLOOR = 0x04
    INVALID_PEG_TYPE = 0x05
    FAT_FINGER = 0x06
    HALTED = 0x07
    ISO_NOT_ALLOWED = 0x08
    INVALID_SIDE = 0x09
    PROCESSING_ERROR = 0x0A
    CANCEL_PENDING = 0x0B
    FIRM_NOT_AUTHORISED = 0x0C
    INVALID_MIN_QUANTITY = 0x0D
    NO_CLOSING_REFERENCE_PRICE = 0x0E
    OTHER = 0x0F
    CANCEL_NOT_ALLOWED = 0x10
    PEGGING_NOT_ALLOWED = 0x11
    CROSSED_MARKET = 0x12
    INVALID_QUANTITY = 0x13
    INVALID_CROSS_ORDER = 0x14
    REPLACE_NOT_ALLOWED = 0x15
    ROUTING_NOT_ALLOWED = 0x16
    INVALID_SYMBOL = 0x17
    TEST_MODE = 0x18
    LATE_LOC_TOO_AGGRESSIVE = 0x19
    RETAIL_NOT_ALLOWED = 0x1A
    INVALID_MIDPOINT_POST_ONLY_PRICE = 0x1B
    INVALID_DESTINATION = 0x1C
    INVALID_PRICE = 0x1D
    SHARES_EXCEED_THRESHOLD = 0x1E
    EXCEEDS_MAX_NOTIONAL = 0x1F


REJECT_REASONS: dict[int, RejectReason] = {
    Reason.SIDE_INVALID: RejectReason.INVALID_SIDE,
    Reason.UNKNOWN_ACCOUNT: RejectReason.FIRM_NOT_AUTHORISED,
    Reason.UNKNOWN_SYMBOL: RejectReason.INVALID_SYMBOL,
    Reason.SYMBOL_SUSPENDED: RejectReason.HALTED,
    Reason.QUANTITY_NOT_POSITIVE: RejectReason.INVALID_QUANTITY,
    Reason.QUANTITY_NOT_IN_LOTS: RejectReason.INVALID_QUANTITY,
    Reason.PRICE_MISSING: RejectReason.INVALID_PRICE,
    Reason.PRICE_NOT_ALLOWED: RejectReason.INVALID_PRICE,
    Reason.PRICE_TOO_HIGH: RejectReason.INVALID_PRICE,
    Reason.PRICE_NOT_ON_TICK: RejectReason.INVALID_PRICE,
    Reason.NOTIONAL_OVERFLOW: RejectReason.EXCEEDS_MAX_NOTIONAL,
    Reason.POST_ONLY_NOT_ALLOWED: RejectReason.INVALID_DISPLAY,
    Reason.POST_ONLY_WOULD_TRADE: RejectReason.CROSSED_MARKET,
    Reason.UNKNOWN_ORDER: RejectReason.REPLACE_NOT_ALLOWED,
    Reason.MINIMUM_QUANTITY_INVALID: RejectReason.INVALID_MIN_QUANTITY,
    Reason.DISPLAY_NOT_ALLOWED: RejectReason.INVALID_DISPLAY,
    Reason.DISPLAY_QUANTITY_INVALID: RejectReason.INVALID_MAX_FLOOR,
    Reason.MARKET_BLOCKED: RejectReason.HALTED,
    Reason.SYMBOL_BLOCKED: RejectReason.HALTED,
    Reason.PARTICIPANT_BLOCKED: RejectReason.FIRM_NOT_AUTHORISED,
    Reason.ACCOUNT_BLOCKED: RejectReason.FIRM_NOT_AUTHORISED,
    Reason.SESSION_BLOCKED: RejectReason.FIRM_NOT_AUTHORISED,
    Reason.SYMBOL_BARRED: RejectReason.INVALID_SYMBOL,
    Reason.MAX_QUANTITY: RejectReason.SHARES_EXCEED_THRESHOLD,
    Reason.MAX_NOTIONAL: RejectReason.EXCEEDS_MAX_NOTIONAL,
    Reason.PRICE_COLLAR: RejectReason.INVALID_PRICE,
}
"""Our reasons that have a code of their own; all others are OTHER."""

CANCEL_REASONS: dict[int, bytes] = {
    CancelReason.REQUESTED: b"U",
    CancelReason.IMMEDIATE_OR_CANCEL: b"I",
    CancelReason.FILL_OR_KILL: b"I",
    CancelReason.DAY_ENDED: b"T",
    CancelReason.OPERATOR: b"S",
    CancelReason.MASS_CANCEL: b"U",
    CancelReason.EXPIRED: b"T",
    CancelReason.MINIMUM_QUANTITY: b"I",
    CancelReason.PROTECTION: b"K",
    CancelReason.NO_OPPOSITE: b"K",
    CancelReason.SELF_TRADE: b"Q",
    CancelReason.KILL_SWITCH: b"S",
    CancelReason.CANCEL_TIMER: b"T",
}
"""All others are Z, system."""

SIDES = {b"B": Side.BUY, b"S": Side.SELL, b"T": Side.SELL, b"E": Side.SELL}
SHORT_SIDES: dict[bytes, int] = {
    b"T": OrderFlag.SHORT | OrderFlag.LOCATED,
    b"E": OrderFlag.SHORT_EXEMPT | OrderFlag.LOCATED,
}
"""The flags of a short sale. OUCH has no field for a locate: who sends one states that shares to borrow are located."""
TIMES_IN_FORCE = {b"0": TimeInForce.DAY, b"3": TimeInForce.IOC, b"6": TimeInForce.GTD}
CONTINUOUS = b"N"
CROSSES = {
    b"O": TimeInForce.AT_THE_OPEN,
    b"C": TimeInForce.AT_THE_CLOSE,
    b"H": TimeInForce.GOOD_FOR_AUCTION,
}
"""Cross types of orders that trade in an auction only; the third is for the next one, whichever it is."""
CROSS_CODES = {time_in_force: code for code, time_in_force in CROSSES.items()}
TIME_IN_FORCE_CODES = {
    TimeInForce.DAY: b"0",
    TimeInForce.IOC: b"3",
    TimeInForce.FOK: b"3",
    TimeInForce.GTC: b"0",
    TimeInForce.GTD: b"6",
    TimeInForce.AT_THE_OPEN: b"0",
    TimeInForce.AT_THE_CLOSE: b"0",
    TimeInForce.GOOD_FOR_AUCTION: b"0",
}
DISPLAYED, POST_ONLY_DISPLAYS = b"YA", b"PL"
"""Shown; shown and post-only. Both of a pair are one and the same here: nobody's name is shown."""
HIDDEN_DISPLAY = b"N"
CAPACITIES = b"APRO"
ADDED, REMOVED, ADDED_HIDDEN = b"A", b"R", b"J"


class Tag(IntEnum):
    """The options of an appendage."""

    SECONDARY_ORDER_REFERENCE = 1
    FIRM = 2
    MIN_QUANTITY = 3
    CUSTOMER_TYPE = 4
    MAX_FLOOR = 5
    PRICE_TYPE = 6
    PEG_OFFSET = 7
    DISCRETION_PRICE = 9
    DISCRETION_PEG_TYPE = 10
    DISCRETION_PEG_OFFSET = 11
    POST_ONLY = 12
    RANDOM_RESERVES = 13
    ROUTE = 14
    EXPIRE_TIME = 15
    TRADE_NOW = 16
    HANDLE_INST = 17
    BBO_WEIGHT_INDICATOR = 18
    REFERENCE_PRICE = 19
    REFERENCE_PRICE_TYPE = 20
    DISPLAY_QUANTITY = 22
    DISPLAY_PRICE = 23


TAG_BYTES = {
    Tag.SECONDARY_ORDER_REFERENCE: 8,
    Tag.FIRM: 4,
    Tag.MIN_QUANTITY: 4,
    Tag.CUSTOMER_TYPE: 1,
    Tag.MAX_FLOOR: 4,
    Tag.PRICE_TYPE: 1,
    Tag.PEG_OFFSET: 4,
    Tag.DISCRETION_PRICE: 8,
    Tag.DISCRETION_PEG_TYPE: 1,
    Tag.DISCRETION_PEG_OFFSET: 4,
    Tag.POST_ONLY: 1,
    Tag.RANDOM_RESERVES: 4,
    Tag.ROUTE: 4,
    Tag.EXPIRE_TIME: 4,
    Tag.TRADE_NOW: 1,
    Tag.HANDLE_INST: 1,
    Tag.BBO_WEIGHT_INDICATOR: 1,
    Tag.REFERENCE_PRICE: 8,
    Tag.REFERENCE_PRICE_TYPE: 1,
    Tag.DISPLAY_QUANTITY: 4,
    Tag.DISPLAY_PRICE: 8,
}
"""How long each option's value is."""

REFUSED_TAGS: dict[int, tuple[tuple[bytes, ...], RejectReason]] = {
    Tag.CUSTOMER_TYPE: ((b" ", b"N"), RejectReason.RETAIL_NOT_ALLOWED),
    Tag.PRICE_TYPE: ((b"L",), RejectReason.INVALID_PEG_TYPE),
    Tag.PEG_OFFSET: ((bytes(4),), RejectReason.PEGGING_NOT_ALLOWED),
    Tag.DISCRETION_PRICE: ((bytes(8),), RejectReason.PEGGING_NOT_ALLOWED),
    Tag.DISCRETION_PEG_TYPE: ((b" ",), RejectReason.PEGGING_NOT_ALLOWED),
    Tag.DISCRETION_PEG_OFFSET: ((bytes(4),), RejectReason.PEGGING_NOT_ALLOWED),
    Tag.RANDOM_RESERVES: ((bytes(4),), RejectReason.INVALID_MAX_FLOOR),
    Tag.ROUTE: ((b"    ",), RejectReason.ROUTING_NOT_ALLOWED),
    Tag.TRADE_NOW: ((b" ", b"N"), RejectReason.OTHER),
    Tag.HANDLE_INST: ((b" ",), RejectReason.OTHER),
}
"""Options of an order that have no meaning here: the values that say so, and the reason for any other."""
