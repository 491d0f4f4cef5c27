"""Why the exchange says no: every reason with its number, its sentence and whether trying again can help.

A number is never reused. When several reasons apply to an order, the one that stands first here is given. The text of
`measured` and `limit` says what the two integers beside a reason mean, where they mean anything.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Reason(IntEnum):
    """The number of a reason; `REASONS` has its sentence."""

    NONE = 0
    UNKNOWN_COMMAND = 1
    COMMAND_MALFORMED = 41
    SIDE_INVALID = 2
    ORDER_TYPE_INVALID = 3
    TIME_IN_FORCE_INVALID = 4
    UNKNOWN_ACCOUNT = 5
    UNKNOWN_SYMBOL = 6
    CLIENT_ORDER_ID_INVALID = 42
    CLIENT_ORDER_ID_REUSED = 7
    CLIENT_ORDER_ID_TABLE_FULL = 8
    MARKET_BLOCKED = 80
    PARTICIPANT_BLOCKED = 81
    ACCOUNT_BLOCKED = 82
    SYMBOL_BLOCKED = 83
    SYMBOL_BARRED = 84
    SYMBOL_SUSPENDED = 9
    SYMBOL_HALTED = 120
    PHASE_TAKES_NO_ORDERS = 121
    PHASE_TAKES_NO_CANCELS = 122
    ORDER_NOT_IN_PHASE = 123
    AUCTION_OVER = 124
    QUANTITY_NOT_POSITIVE = 10
    QUANTITY_NOT_IN_LOTS = 11
    PRICE_MISSING = 12
    PRICE_NOT_ALLOWED = 13
    PRICE_TOO_HIGH = 14
    PRICE_NOT_ON_TICK = 15
    NOTIONAL_OVERFLOW = 16
    TIME_IN_FORCE_NOT_ALLOWED = 17
    POST_ONLY_NOT_ALLOWED = 18
    EXPIRY_INVALID = 54
    MINIMUM_QUANTITY_INVALID = 55
    DISPLAY_NOT_ALLOWED = 56
    DISPLAY_QUANTITY_INVALID = 57
    STOP_PRICE_NOT_ALLOWED = 59
    STOP_PRICE_MISSING = 60
    STOP_PRICE_INVALID = 61
    STOP_ALREADY_REACHED = 62
    TRAIL_INVALID = 63
    PEG_INVALID = 195
    QUOTES_NOT_RESET = 197
    QUOTE_INVALID = 198
    QUOTE_CROSSED = 199
    ORDER_LIST_INVALID = 190
    ORDER_IDS_MISSING = 194
    LIST_ORDER_INVALID = 191
    LIST_SIDES_INVALID = 192
    LIST_QUANTITIES_DIFFER = 193
    POST_ONLY_WOULD_TRADE = 19
    UNKNOWN_ORDER = 20
    PEG_NOT_CHANGED = 196
    QUOTE_NOT_CHANGED = 201
    NOTHING_TO_AMEND = 21
    AMEND_BELOW_FILLED = 22
    MAX_QUANTITY = 85
    MAX_NOTIONAL = 86
    PRICE_COLLAR = 87
    DUPLICATE_ORDERS = 88
    MESSAGE_RATE = 89
    POSITION_LIMIT = 90
    BUYING_POWER = 91
    SHORT_SALE = 92
    GROSS_LIMIT = 93
    LOSS_LIMIT = 94
    UNKNOWN_PARTICIPANT = 23
    UNKNOWN_KEY = 24
    NAME_TAKEN = 25
    NAME_INVALID = 26
    ROLE_INVALID = 27
    KEY_TAKEN = 28
    SYMBOL_INVALID = 43
    SYMBOL_TAKEN = 29
    TICK_TABLE_INVALID = 30
    ROUND_LOT_INVALID = 31
    REFERENCE_PRICE_INVALID = 32
    SYMBOL_STATE_INVALID = 33
    AMOUNT_NOT_POSITIVE = 34
    INSUFFICIENT_BALANCE = 35
    UNKNOWN_TRADE = 36
    TRADE_ALREADY_BUSTED = 37
    CORRECTION_INVALID = 38
    BUSINESS_DATE_NOT_LATER = 39
    DIRECTORY_FULL = 40
    PROTECTION_INVALID = 58
    SELF_TRADE_MODE_INVALID = 65
    PHASE_INVALID = 125
    PHASE_TIME_INVALID = 126
    AUCTION_TERMS_INVALID = 127
    NOT_HALTED = 128
    ALLOCATION_TOO_LONG = 71
    ALLOCATION_STEP_INVALID = 72
    LEAD_MAKERS_INVALID = 73
    CONFIGURATION_SUPERSEDED = 70
    SCOPE_INVALID = 95
    ALREADY_BLOCKED = 96
    NOT_BLOCKED = 97
    ANOTHER_ROLE_NEEDED = 98
    TIMER_INVALID = 99
    RISK_LIMIT_INVALID = 100
    QUOTE_PROTECTION_INVALID = 200


class ReasonText(NamedTuple):
    """What people are told of a reason.

    sentence: the whole sentence; retry: whether the same request can succeed later without being changed;
    field: the REST field at fault; measured, limit: what the integers beside the reason are; empty if none.
    """

    sentence: str
    retry: bool = False
    field: str = ""
    measured: str = ""
    limit: str = ""


REASONS: dict[Reason, ReasonText] = {
    Reason.NONE: ReasonText("No reason: the command was carried out."),
    Reason.UNKNOWN_COMMAND: ReasonText(
        "The engine does not know this command type.", measured="command type"
    ),
    Reason.COMMAND_MALFORMED: ReasonText(
        "The command's version, length or one of its numbers is not what its type allows.",
        measured="number seen",
    ),
    Reason.SIDE_INVALID: ReasonText("The side is neither buy nor sell.", field="side", measured="side"),
    Reason.ORDER_TYPE_INVALID: ReasonText(
        "The order type is not one the market takes.", field="type", measured="type"
    ),
    Reason.TIME_IN_FORCE_INVALID: ReasonText(
        "The time in force is not one the market takes.", field="time_in_force", measured="time in force"
    ),
    Reason.UNKNOWN_ACCOUNT: ReasonText("There is no such account.", field="account", measured="account"),
    Reason.UNKNOWN_SYMBOL: ReasonText("There is no such symbol.", field="symbol", measured="symbol"),
    Reason.CLIENT_ORDER_ID_INVALID: ReasonText(
        "A client order id is 1 to 36 printable ASCII characters without a blank.", field="client_order_id"
    ),
    Reason.CLIENT_ORDER_ID_REUSED: ReasonText(
        "This client order id was used before with another order.",
        field="client_order_id",
        measured="order id",
    ),
    Reason.CLIENT_ORDER_ID_TABLE_FULL: ReasonText(
        "The account has used the maximum number of client order ids for this business date.",
        retry=True,
        field="client_order_id",
        measured="ids used",
        limit="maximum",
    ),
    Reason.MARKET_BLOCKED: ReasonText(
        "Trading is blocked in the whole market; cancels are taken.", retry=True
    ),
    Reason.PARTICIPANT_BLOCKED: ReasonText(
        "The participant is blocked from trading; cancels are taken.",
        retry=True,
        field="account",
        measured="participant",
    ),
    Reason.ACCOUNT_BLOCKED: ReasonText(
        "The account is blocked from trading; cancels are taken.",
        retry=True,
        field="account",
        measured="account",
    ),
    Reason.SYMBOL_BLOCKED: ReasonText(
        "Trading in this symbol is blocked; cancels are taken.", retry=True, field="symbol"
    ),
    Reason.SYMBOL_BARRED: ReasonText("The account may not trade this symbol.", field="symbol"),
    Reason.SYMBOL_SUSPENDED: ReasonText(
        "Trading in this symbol is suspended; cancels are taken.", retry=True, field="symbol"
    ),
    Reason.SYMBOL_HALTED: ReasonText(
        "Trading in this symbol is halted; cancels are taken.", retry=True, field="symbol"
    ),
    Reason.PHASE_TAKES_NO_ORDERS: ReasonText(
        "The market takes no orders in this phase; cancels are taken.",
        retry=True,
        field="symbol",
        measured="phase",
    ),
    Reason.PHASE_TAKES_NO_CANCELS: ReasonText(
        "Just before an auction orders can be entered, but not cancelled or changed.",
        retry=True,
        field="order_id",
        measured="phase",
    ),
    Reason.ORDER_NOT_IN_PHASE: ReasonText(
        "Before an auction no ioc, fok, market-to-limit or post-only order is taken, after the close only gtc and gtd.",
        retry=True,
        field="type",
        measured="phase",
    ),
    Reason.AUCTION_OVER: ReasonText(
        "The opening auction is over, or has not been called yet.",
        retry=True,
        field="time_in_force",
        measured="phase",
    ),
    Reason.QUANTITY_NOT_POSITIVE: ReasonText(
        "The quantity must be at least 1.", field="qty", measured="quantity"
    ),
    Reason.QUANTITY_NOT_IN_LOTS: ReasonText(
        "The quantity is not a multiple of the round lot.",
        field="qty",
        measured="quantity",
        limit="round lot",
    ),
    Reason.PRICE_MISSING: ReasonText("An order with a limit needs a price.", field="price"),
    Reason.PRICE_NOT_ALLOWED: ReasonText(
        "An order without a limit takes no price.", field="price", measured="price"
    ),
    Reason.PRICE_TOO_HIGH: ReasonText(
        "The price is above the highest price there is.",
        field="price",
        measured="price",
        limit="highest price",
    ),
    Reason.PRICE_NOT_ON_TICK: ReasonText(
        "The price is not a multiple of the tick size at that price.",
        field="price",
        measured="price",
        limit="tick size",
    ),
    Reason.NOTIONAL_OVERFLOW: ReasonText(
        "Price times quantity is larger than the exchange can account for.",
        field="qty",
        measured="quantity",
        limit="maximum",
    ),
    Reason.TIME_IN_FORCE_NOT_ALLOWED: ReasonText(
        "The order type does not take this time in force: market orders no gtc or gtd, stop orders only these and day.",
        field="time_in_force",
        measured="time in force",
    ),
    Reason.POST_ONLY_NOT_ALLOWED: ReasonText(
        "Post-only needs a limit order that may rest: time in force day, gtc or gtd.", field="post_only"
    ),
    Reason.EXPIRY_INVALID: ReasonText(
        "Good till date needs a time that is later than now; other times in force take none.",
        field="expires_at",
        measured="expires at",
        limit="now",
    ),
    Reason.MINIMUM_QUANTITY_INVALID: ReasonText(
        "A minimum is not above the order's quantity; all-or-none needs none; orders for an auction take neither.",
        field="min_qty",
        measured="minimum",
        limit="quantity",
    ),
    Reason.DISPLAY_NOT_ALLOWED: ReasonText(
        "Only an order that may rest is shown in parts or hidden, and not both; one with a minimum rests hidden.",
        field="display_qty",
    ),
    Reason.DISPLAY_QUANTITY_INVALID: ReasonText(
        "A display quantity is in round lots, at most the order's quantity and at least a hundredth of it.",
        field="display_qty",
        measured="display quantity",
        limit="least",
    ),
    Reason.STOP_PRICE_NOT_ALLOWED: ReasonText(
        "Only a stop order takes a stop price or a trail.", field="stop_price", measured="stop price"
    ),
    Reason.STOP_PRICE_MISSING: ReasonText("A stop order needs a stop price or a trail.", field="stop_price"),
    Reason.STOP_PRICE_INVALID: ReasonText(
        "A stop price is on a tick and at most the highest price.",
        field="stop_price",
        measured="stop price",
        limit="tick size",
    ),
    Reason.STOP_ALREADY_REACHED: ReasonText(
        "The last trade has reached this stop price already.",
        retry=True,
        field="stop_price",
        measured="stop price",
        limit="last price",
    ),
    Reason.TRAIL_INVALID: ReasonText(
        "A trail is an amount or up to 5,000 basis points, for a stop order without any price, and leads to a price.",
        field="trail_amount",
        measured="trail",
    ),
    Reason.PEG_INVALID: ReasonText(
        "A pegged order is primary, market or midpoint, the last without an offset, and good for the day or gtc.",
        field="peg",
        measured="peg or offset",
    ),
    Reason.QUOTES_NOT_RESET: ReasonText(
        "The protection of these quotes was reached; reset it to quote again.", field="symbol"
    ),
    Reason.QUOTE_INVALID: ReasonText(
        "A mass quote has 1 to 100 quotes, each of another symbol, and each with a side.",
        field="quotes",
        measured="quotes",
        limit="maximum",
    ),
    Reason.QUOTE_CROSSED: ReasonText(
        "The bid of a quote must be below its ask.", field="bid_price", measured="bid", limit="ask"
    ),
    Reason.ORDER_LIST_INVALID: ReasonText(
        "An order list is a pair, an entry with one order that waits for it, or a bracket of three orders.",
        field="orders",
        measured="orders",
        limit="orders due",
    ),
    Reason.ORDER_IDS_MISSING: ReasonText(
        "A command with several orders needs an id reserved for each but one by the commands just before it.",
        measured="ids reserved",
        limit="ids due",
    ),
    Reason.LIST_ORDER_INVALID: ReasonText(
        "A pair is a limit order and then a stop order behind it, both plain; what waits for an entry is plain too.",
        field="orders",
        measured="place in the list",
    ),
    Reason.LIST_SIDES_INVALID: ReasonText(
        "A pair is on one side, and in a bracket opposite to its entry.",
        field="side",
        measured="place in the list",
    ),
    Reason.LIST_QUANTITIES_DIFFER: ReasonText(
        "The orders of a list have one quantity; that of a pair is not changed.",
        field="qty",
        measured="quantity",
        limit="quantity due",
    ),
    Reason.POST_ONLY_WOULD_TRADE: ReasonText(
        "The post-only order would trade at once.",
        retry=True,
        field="price",
        measured="price",
        limit="best opposite price",
    ),
    Reason.UNKNOWN_ORDER: ReasonText("No live order has this id.", field="order_id", measured="order id"),
    Reason.PEG_NOT_CHANGED: ReasonText(
        "A pegged order is not amended or replaced; cancel it and enter another.",
        field="order_id",
        measured="order id",
    ),
    Reason.QUOTE_NOT_CHANGED: ReasonText(
        "An order of a quote is not amended or replaced; quote anew.", field="order_id", measured="order id"
    ),
    Reason.NOTHING_TO_AMEND: ReasonText("The order already has this quantity and price.", field="qty"),
    Reason.AMEND_BELOW_FILLED: ReasonText(
        "The new quantity is not above what is already filled; cancel the order instead.",
        field="qty",
        measured="new quantity",
        limit="filled quantity",
    ),
    Reason.MAX_QUANTITY: ReasonText(
        "The quantity is above the limit for one order.", field="qty", measured="quantity", limit="limit"
    ),
    Reason.MAX_NOTIONAL: ReasonText(
        "The worst price times the quantity is above the limit for one order.",
        field="qty",
        measured="notional",
        limit="limit",
    ),
    Reason.PRICE_COLLAR: ReasonText(
        "The price lies beyond the collar around the reference price.",
        retry=True,
        field="price",
        measured="price",
        limit="collar",
    ),
    Reason.DUPLICATE_ORDERS: ReasonText(
        "The same order came too often within the limit's time.",
        retry=True,
        field="qty",
        measured="orders",
        limit="limit",
    ),
    Reason.MESSAGE_RATE: ReasonText(
        "Too many messages in too short a time; cancels are taken.",
        retry=True,
        measured="milliseconds to wait",
        limit="messages a second",
    ),
    Reason.POSITION_LIMIT: ReasonText(
        "The position with all open orders filled would be above the limit.",
        retry=True,
        field="qty",
        measured="position",
        limit="limit",
    ),
    Reason.BUYING_POWER: ReasonText(
        "The account has less cash and credit than that, open orders reserved.",
        retry=True,
        field="qty",
        measured="needed",
        limit="available",
    ),
    Reason.SHORT_SALE: ReasonText(
        "The account has fewer shares than that, open orders reserved.",
        retry=True,
        field="qty",
        measured="quantity",
        limit="available",
    ),
    Reason.GROSS_LIMIT: ReasonText(
        "What is traded and open today would be above the limit.",
        retry=True,
        field="qty",
        measured="notional",
        limit="limit",
    ),
    Reason.LOSS_LIMIT: ReasonText(
        "Today's trades have lost as much as the limit allows.", retry=True, measured="loss", limit="limit"
    ),
    Reason.UNKNOWN_PARTICIPANT: ReasonText(
        "There is no such participant.", field="participant", measured="participant"
    ),
    Reason.UNKNOWN_KEY: ReasonText("There is no such key.", field="key_id", measured="key id"),
    Reason.NAME_TAKEN: ReasonText("This name is taken.", field="name"),
    Reason.NAME_INVALID: ReasonText(
        "A name is 1 to 64 bytes of text without control characters.", field="name"
    ),
    Reason.ROLE_INVALID: ReasonText(
        "The role is not one of the exchange's roles.", field="role", measured="role"
    ),
    Reason.KEY_TAKEN: ReasonText("This key is known already.", field="key"),
    Reason.SYMBOL_INVALID: ReasonText(
        "A symbol is 1 to 8 characters of A to Z, 0 to 9, full stop and hyphen.", field="symbol"
    ),
    Reason.SYMBOL_TAKEN: ReasonText("This symbol exists already.", field="symbol"),
    Reason.TICK_TABLE_INVALID: ReasonText(
        "A tick table has 1 to 16 rows from rising prices, the first from 0, each with a tick above 0.",
        field="ticks",
    ),
    Reason.ROUND_LOT_INVALID: ReasonText(
        "The round lot must be at least 1.", field="round_lot", measured="round lot"
    ),
    Reason.REFERENCE_PRICE_INVALID: ReasonText(
        "The reference price must be above 0, at most the highest price, and on a tick.",
        field="reference_price",
        measured="price",
        limit="tick size",
    ),
    Reason.SYMBOL_STATE_INVALID: ReasonText(
        "The symbol state is neither active nor suspended.", field="state", measured="state"
    ),
    Reason.AMOUNT_NOT_POSITIVE: ReasonText(
        "The amount must be above 0 and within the exchange's limits.",
        field="amount",
        measured="amount",
        limit="maximum",
    ),
    Reason.INSUFFICIENT_BALANCE: ReasonText(
        "The account holds less than that.", field="amount", measured="amount", limit="balance"
    ),
    Reason.UNKNOWN_TRADE: ReasonText(
        "There is no such trade, or it is no longer kept.", field="match_id", measured="match id"
    ),
    Reason.TRADE_ALREADY_BUSTED: ReasonText(
        "This trade is busted already; a bust is final.", field="match_id", measured="match id"
    ),
    Reason.CORRECTION_INVALID: ReasonText(
        "A correction needs a price on a tick, a quantity of 1 up to the trade's, and a change.",
        field="qty",
        measured="quantity",
        limit="traded quantity",
    ),
    Reason.BUSINESS_DATE_NOT_LATER: ReasonText(
        "The new business date must be in the calendar and later than the present one, and its end later than now.",
        field="date",
        measured="date",
        limit="present date",
    ),
    Reason.DIRECTORY_FULL: ReasonText(
        "The exchange has its maximum number of these.", measured="count", limit="maximum"
    ),
    Reason.PROTECTION_INVALID: ReasonText(
        "A protection band is 0 to 10,000 basis points.",
        field="band_bps",
        measured="basis points",
        limit="maximum",
    ),
    Reason.SELF_TRADE_MODE_INVALID: ReasonText(
        "A self-trade group needs one of the modes, and no group needs none.", field="mode", measured="mode"
    ),
    Reason.PHASE_INVALID: ReasonText(
        "The phase is not one that can be set, or it is in force already.", field="phase", measured="phase"
    ),
    Reason.PHASE_TIME_INVALID: ReasonText(
        "A phase begins later than now; a call or its random end takes at most a day.",
        field="at",
        measured="time",
        limit="now or most",
    ),
    Reason.AUCTION_TERMS_INVALID: ReasonText(
        "A collar is at most 10,000 basis points and has 0 to 20 extensions of up to a day, each above 0.",
        field="collar_bps",
        measured="basis points",
        limit="maximum",
    ),
    Reason.NOT_HALTED: ReasonText(
        "The symbol is halted already, or there is no halt to end.", field="symbol", measured="phase"
    ),
    Reason.ALLOCATION_TOO_LONG: ReasonText(
        "An allocation has at most 8 steps and 16 lead market makers.",
        field="steps",
        measured="count",
        limit="maximum",
    ),
    Reason.ALLOCATION_STEP_INVALID: ReasonText(
        "This step is of no kind that there is, has numbers that its kind does not take, or stands where it cannot.",
        field="steps",
        measured="step",
        limit="steps",
    ),
    Reason.LEAD_MAKERS_INVALID: ReasonText(
        "A lead step and lead market makers need each other; each is named once, with a share, all at most 10,000.",
        field="lead_makers",
        measured="basis points",
        limit="maximum",
    ),
    Reason.CONFIGURATION_SUPERSEDED: ReasonText(
        "This version of the configuration, or a later one, is in force already.",
        measured="version",
        limit="version in force",
    ),
    Reason.SCOPE_INVALID: ReasonText(
        "There is nothing of this scope and number that could be blocked or limited.",
        field="subject",
        measured="subject",
    ),
    Reason.ALREADY_BLOCKED: ReasonText("This is blocked already.", field="subject"),
    Reason.NOT_BLOCKED: ReasonText("This is not blocked.", field="subject"),
    Reason.ANOTHER_ROLE_NEEDED: ReasonText(
        "A block is lifted by the role risk or operator, and by another one than pulled the switch.",
        measured="role",
        limit="role that blocked",
    ),
    Reason.TIMER_INVALID: ReasonText(
        "A cancel timer runs for 1 to 3,600,000 milliseconds; 0 stops it.",
        field="timeout_ms",
        measured="milliseconds",
        limit="maximum",
    ),
    Reason.RISK_LIMIT_INVALID: ReasonText(
        "A limit of this kind does not hold for that scope or symbol, or is out of its range.",
        field="value",
        measured="kind",
    ),
    Reason.QUOTE_PROTECTION_INVALID: ReasonText(
        "A protection has a window of at most an hour and a limit in it; to reset is one that was reached.",
        field="window_ms",
        measured="milliseconds",
        limit="maximum",
    ),
}


def sentence(reason: int) -> str:
    """Return the sentence of a reason's number."""
    return REASONS[Reason(reason)].sentence
