"""The texts and numbers that the JSON is made of, each declared as narrowly as it is judged.

Patterns and bounds stand in the API's description only: the service, not the decoder, refuses what does not fit, and
says it in better words. A value that fits its declaration is never malformed; the market may still refuse it.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from exchange.domain.order import OrderType, PegKind, SelfTradeMode, Side, TimeInForce
from exchange.domain.participant import NAME_BYTES_MAX
from exchange.domain.units import MONEY_MAX, PRICE_MAX, QUANTITY_MAX, SCALE

NUMBER_END = 10**18 - 1
"""Every number lies below: 18 digits at most."""
PAGE_MAX = 1_000
SESSION_PREFIX = "ouch:"
"""How the labels of OUCH users begin."""
PAGE_DEFAULT = 100

SIDES = {side.name.lower(): side for side in Side}
ORDER_TYPES = {order_type.name.lower(): order_type for order_type in OrderType}
TIMES_IN_FORCE = {time_in_force.name.lower(): time_in_force for time_in_force in TimeInForce}


PEGS = {kind.name.lower(): kind for kind in PegKind}
SELF_TRADE_MODES = {mode.name.lower(): mode for mode in SelfTradeMode}


def choice(texts: dict[str, Any]) -> Meta:
    """Declare a text that is one of a table's keys."""
    return Meta(extra_json_schema={"enum": list(texts)})


def text(description: str, pattern: str, example: str) -> Meta:
    """Declare a text by its pattern, a regular expression of ECMA-262."""
    return Meta(description=description, examples=[example], extra_json_schema={"pattern": f"^{pattern}$"})


def whole(minimum: int, maximum: int) -> Meta:
    """Declare a whole number. One that has too many digits is refused by the decoder, which knows its field."""
    return Meta(gt=-NUMBER_END, lt=NUMBER_END, extra_json_schema={"minimum": minimum, "maximum": maximum})


# --- ids, names, pages ----------------------------------------------------------------------------

_ID = "[0-9]{1,19}"
_SYMBOL = "[A-Z0-9.-]{1,8}"
_PAGE = "`next` of the page before; empty for the first."

Id = Annotated[str, text("An id as a decimal text.", _ID, "4711")]
IdOrEmpty = Annotated[str, text("An id as a decimal text, or empty for any.", f"({_ID})?", "4711")]
IdNumber = Annotated[int, whole(0, NUMBER_END - 1)]
AnyNumber = Annotated[int, whole(1 - NUMBER_END, NUMBER_END - 1)]
SymbolText = Annotated[str, text("1 to 8 characters A-Z 0-9 . -", _SYMBOL, "AAPL")]
SymbolOrEmpty = Annotated[str, text("A listed symbol, or empty for any.", f"({_SYMBOL})?", "AAPL")]
ClientOrderIdText = Annotated[
    str,
    text(
        "The order's name of your own, without a blank and not with ~ in front; may be empty.",
        "([!-}][!-~]{0,35})?",
        "my-1",
    ),
]
NameText = Annotated[
    str,
    Meta(
        description=f"1 to {NAME_BYTES_MAX} bytes of printable text without a blank at either end.",
        examples=["alice"],
        extra_json_schema={"minLength": 1, "maxLength": NAME_BYTES_MAX},
    ),
]
KeyLabelText = Annotated[
    str,
    Meta(
        description=f"As a name; `{SESSION_PREFIX}` in front is for users of OUCH.",
        examples=["desk 1"],
        extra_json_schema={
            "minLength": 1,
            "maxLength": NAME_BYTES_MAX,
            "pattern": f"^(?!{SESSION_PREFIX})",
        },
    ),
]
SideText = Annotated[str, choice(SIDES)]
OrderTypeText = Annotated[str, choice(ORDER_TYPES)]
TimeInForceText = Annotated[str, choice(TIMES_IN_FORCE)]
PegText = Annotated[str, choice(PEGS)]

Limit = Annotated[int, Meta(ge=1, le=PAGE_MAX, description="Items per page.")]
Cursor = Annotated[str, text(_PAGE, "[0-9]{0,20}", "")]
PairCursor = Annotated[str, text(_PAGE, "([0-9]{1,19}-[0-9]{1,19})?", "")]
CandleCursor = Annotated[str, text(_PAGE, r"(([0-9]{1,18}|[1-8][0-9]{18})\.[0-9]{1,8})?", "")]


# --- prices, quantities, money --------------------------------------------------------------------

_PLACES = r"(\.[0-9]{1,4})?"
_PRICE = f"[01]?[0-9]{{1,5}}{_PLACES}"
_NOT_ZERO = "(?![0.]+$)"

PriceText = Annotated[str, text("Above 0, at most four decimals.", _NOT_ZERO + _PRICE, "189.20")]
PriceOrZero = Annotated[str, text("A price, or 0 for the beginning.", _PRICE, "1.00")]
PriceOrEmpty = Annotated[
    str, text("Above 0, at most four decimals; or empty.", f"({_NOT_ZERO}{_PRICE})?", "189.20")
]
PriceNumber = Annotated[int, whole(1, PRICE_MAX // SCALE)]
"""A price without decimals may come as a number."""
QuantityText = Annotated[str, text("A whole number of shares.", "[0-9]{1,20}", "100")]
SharesText = Annotated[str, text("A whole number of shares, with a sign.", "-?[0-9]{1,20}", "-100")]
SharesIn = Annotated[str, text("A whole number of shares.", "[1-9][0-9]{0,9}", "100")]
SharesNumber = Annotated[int, whole(1, QUANTITY_MAX)]
MoneyText = Annotated[
    str, text("At most four decimals, with a sign.", f"-?[0-9]{{1,18}}{_PLACES}", "18920.00")
]
OffsetText = Annotated[str, text("At most four decimals, with a sign.", f"-?[0-9]{{1,5}}{_PLACES}", "-0.02")]
AmountText = Annotated[
    str, text("Above 0, at most four decimals.", f"{_NOT_ZERO}[0-9]{{1,14}}{_PLACES}", "1000.00")
]
AmountNumber = Annotated[int, whole(1, MONEY_MAX // SCALE)]


# --- dates and times ------------------------------------------------------------------------------

_DAY_OF_YEAR = (
    "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
)
"""02-29 is taken where it exists, which a pattern cannot tell."""
_DATE = f"(19[7-9]|2[01][0-9])[0-9]-{_DAY_OF_YEAR}"
_TIME = rf"{_DATE}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{{1,9}})?Z"
_UTC = "RFC 3339 in UTC, up to nine digits of the second"

TimeText = Annotated[str, text(f"{_UTC}.", _TIME, "2026-11-22T14:30:00Z")]
TimeOrEmpty = Annotated[str, text(f"{_UTC}; or empty.", f"({_TIME})?", "2026-11-22T14:30:00Z")]
TimeOrNever = Annotated[
    str, text(f"{_UTC}, later than now; `never`; or empty.", f"(never|{_TIME})?", "2026-11-23T22:00:00Z")
]
DateText = Annotated[str, text("A business date.", _DATE, "2026-11-22")]
DateOrEmpty = Annotated[str, text("A business date, or empty.", f"({_DATE})?", "2026-11-22")]
IntervalText = Annotated[str, text("A candle interval.", "[1-9][0-9]{0,4}[smhd]", "1m")]
