"""What people are told of each reason; see `reason.py` for their numbers and their sequence."""

from __future__ import annotations

from exchange.domain.reason import Reason, ReasonText

__all__ = ["REASONS", "Reason", "ReasonText"]

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
    Reason.SESSION_BLOCKED: ReasonText(
        "The session is blocked from trading; cancels are taken.", retry=True, measured="key id"
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
    Reason.SHORT_FLAG_INVALID: ReasonText(
        "A sale is marked short or short exempt, not both, and only such a one says that shares are located.",
        field="short",
        measured="flags",
    ),
    Reason.SHORT_SALE_NOT_PERMITTED: ReasonText(
        "The account may not sell this symbol short.", retry=True, field="short"
    ),
    Reason.LOCATE_MISSING: ReasonText(
        "A short sale of this symbol must say that shares to borrow are located.", field="located"
    ),
    Reason.SHORT_SALE_UNMARKED: ReasonText(
        "The account has fewer shares than that, so the sale must be marked short.",
        retry=True,
        field="short",
        measured="quantity",
        limit="available",
    ),
    Reason.SHORT_SALE_PRICE: ReasonText(
        "Short sales are restricted: they need a limit above the best bid, or are exempt.",
        retry=True,
        field="price",
        measured="price",
        limit="best bid",
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
    Reason.LIST_QUANTITIES_DIFFER: ReasonText(
        "The orders of a list have one quantity; that of a pair is not changed.",
        field="qty",
        measured="quantity",
        limit="quantity due",
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
    Reason.SYMBOL_RENAMED: ReasonText(
        "This is the former name of a symbol; use the new one.", field="symbol", measured="symbol"
    ),
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
    Reason.TRADE_BEFORE_SPLIT: ReasonText(
        "The symbol was split since this trade, so its shares are others; settle it outside the market.",
        field="match_id",
        measured="match id",
        limit="split's event",
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
    Reason.PRICE_BANDS_INVALID: ReasonText(
        "Price bands are of tier 1 or 2, or of none.", field="tier", measured="tier", limit="last tier"
    ),
    Reason.PRICE_CORRIDOR_INVALID: ReasonText(
        "A corridor has at most 10,000 basis points, and an auction of up to a day, above 0.",
        field="dynamic_bps",
        measured="basis points",
        limit="maximum",
    ),
    Reason.INDEX_LEVEL_INVALID: ReasonText(
        "An index level is above 0, at most 2^53.", field="level", measured="level", limit="maximum"
    ),
    Reason.NO_BREAKER: ReasonText("There is no breaker that an index level could trip.", field="level"),
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
    Reason.SHORT_TERMS_INVALID: ReasonText(
        "A decline that restricts short sales is 0 to 9,999 basis points.",
        field="trigger_bps",
        measured="basis points",
        limit="maximum",
    ),
    Reason.CORPORATE_ACTION_NOT_NOW: ReasonText(
        "A corporate action needs the symbol closed, halted or suspended.",
        retry=True,
        field="symbol",
        measured="phase",
    ),
    Reason.SPLIT_INVALID: ReasonText(
        "A split has 1 to 10,000 new shares for another number of old ones, and leaves a price that there is.",
        field="new_shares",
        measured="new shares",
        limit="old shares",
    ),
    Reason.DIVIDEND_INVALID: ReasonText(
        "A dividend is above 0, and leaves a reference price of at least a tick.",
        field="amount",
        measured="amount",
        limit="reference price",
    ),
    Reason.HOLDING_TOO_LARGE: ReasonText(
        "An account would have, or get, more than the exchange can account for.",
        field="account",
        measured="account",
        limit="maximum",
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
