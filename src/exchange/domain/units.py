"""The numbers of the exchange, their units and limits, and the only way from text into them and back."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NewType

Price = NewType("Price", int)
"""1/10,000 of a currency unit, 1 to `PRICE_MAX`; 0 where a record has no price. ITCH 5.0 Price(4)."""
Quantity = NewType("Quantity", int)
"""Whole shares, fits an unsigned 32-bit integer."""
Money = NewType("Money", int)
"""1/10,000 of a currency unit, signed."""
TimeNs = NewType("TimeNs", int)
"""Nanoseconds since the Unix epoch, UTC."""
CommandSequence = NewType("CommandSequence", int)
EventSequence = NewType("EventSequence", int)
OrderId = NewType("OrderId", int)
MatchId = NewType("MatchId", int)
SymbolId = NewType("SymbolId", int)
"""1, 2, 3, … in the order in which symbols were added; 0 where a record has no symbol."""
ParticipantId = NewType("ParticipantId", int)
"""1, 2, 3, …; 0 is the exchange itself."""
AccountId = NewType("AccountId", int)
"""1, 2, 3, …; 0 where a record has no account."""
KeyId = NewType("KeyId", int)

_NS_PER_DAY = 86_400_000_000_000
SCALE = 10_000
DECIMALS = 4
PRICE_MAX = Price(1_999_999_900)
QUANTITY_MAX = Quantity(2**32 - 1)
NOTIONAL_MAX = Money(10**18)
"""Largest price × quantity of one order: leaves room for sums in signed 64 bits."""
MONEY_MAX = Money(10**18)
SECONDS_REMEMBERED = 256
SEQUENCE_BITS = 56
"""The low bits of a public 64-bit id are a sequence, the top eight the partition."""

_DECIMAL = re.compile(r"(?P<sign>-?)(?P<whole>\d{1,18})(?:\.(?P<fraction>\d{1,18}))?\Z", re.ASCII)
_WHOLE = re.compile(r"\d{1,18}\Z", re.ASCII)


class UnitError(ValueError):
    """A text or number that is no value of its unit; the message says what was seen and what is allowed."""


def public_id(partition: int, sequence: int) -> int:
    """Return the 64-bit id that outsiders see: the partition in the top 8 bits, the sequence below."""
    return partition << SEQUENCE_BITS | sequence


def sequence_of(public: int) -> int:
    """Return the sequence inside a public id."""
    return public & (1 << SEQUENCE_BITS) - 1


def parse_price(text: str) -> Price:
    """Turn a decimal text such as `189.20` into a price, exactly."""
    value = _parse_decimal(text, "price", "189.20")
    if not 0 < value <= PRICE_MAX:
        raise UnitError(f"price must be above 0 and at most {format_price(PRICE_MAX)}, got {_shown(text)}")
    return Price(value)


def parse_money(text: str) -> Money:
    """Turn a decimal text such as `-1250.5` into money, exactly."""
    value = _parse_decimal(text, "amount", "1250.50")
    if abs(value) > MONEY_MAX:
        raise UnitError(f"amount must be within ±{format_money(MONEY_MAX)}, got {_shown(text)}")
    return Money(value)


def parse_quantity(text: str | int) -> Quantity:
    """Turn a whole number or its text into a quantity of shares, 1 to `QUANTITY_MAX`."""
    if isinstance(text, bool):
        raise UnitError("quantity must be a whole number such as 100, got a boolean")
    if isinstance(text, str):
        if not _WHOLE.match(text):
            raise UnitError(f"quantity must be a whole number such as 100, got {_shown(text)}")
        text = int(text)
    if not 0 < text <= QUANTITY_MAX:
        raise UnitError(f"quantity must be 1 to {QUANTITY_MAX}, got {_shown(text)}")
    return Quantity(text)


def format_price(price: int) -> str:
    """Write a price with at least two decimals and no needless zeros: `189.20`, `0.1234`."""
    return _format_decimal(price)


def format_money(money: int) -> str:
    """Write money as `format_price` does, with a sign where it is negative."""
    return _format_decimal(money)


def format_time(time_ns: int) -> str:
    """Write a time as RFC 3339 in UTC with nine digits of the second."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    return f"{_format_second(seconds)}.{nanoseconds:09d}Z"


def parse_time(text: str) -> TimeNs:
    """Read what `format_time` writes; fewer digits of the second, or none, are allowed."""
    found = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z\Z", text, re.ASCII)
    if not found:
        raise UnitError(f"time must be RFC 3339 in UTC such as 2026-11-22T14:30:00Z, got {_shown(text)}")
    try:
        moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    except ValueError as error:
        raise UnitError(f"time {_shown(text)} does not exist: {error}") from error
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return TimeNs(
        (since.days * 86_400 + since.seconds) * 1_000_000_000 + int((found[2] or "").ljust(9, "0") or 0)
    )


def date_number(time_ns: int) -> int:
    """Return the UTC date of a time as the number YYYYMMDD."""
    return _number_of_day(time_ns // _NS_PER_DAY)


@lru_cache(maxsize=64)
def _number_of_day(days: int) -> int:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days)
    return moment.year * 10_000 + moment.month * 100 + moment.day


def next_date(number: int) -> int:
    """Return the day after a date, both as YYYYMMDD."""
    following = date(number // 10_000, number // 100 % 100, number % 100) + timedelta(days=1)
    return following.year * 10_000 + following.month * 100 + following.day


def format_date(number: int) -> str:
    """Write YYYYMMDD as `YYYY-MM-DD`."""
    return f"{number // 10_000:04d}-{number // 100 % 100:02d}-{number % 100:02d}"


@lru_cache(SECONDS_REMEMBERED)
def _format_second(seconds: int) -> str:
    """Write a whole second; most times of a moment share theirs, and calendars are slow."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


def _parse_decimal(text: str, what: str, example: str) -> int:
    found = _DECIMAL.match(text)
    if not found:
        raise UnitError(f"{what} must be a plain decimal such as {example}, got {_shown(text)}")
    fraction = found["fraction"] or ""
    if fraction[DECIMALS:].strip("0"):
        raise UnitError(f"{what} has at most {DECIMALS} decimals, got {_shown(text)}")
    value = int(found["whole"]) * SCALE + int(fraction[:DECIMALS].ljust(DECIMALS, "0"))
    return -value if found["sign"] else value


def _format_decimal(value: int) -> str:
    whole, fraction = divmod(abs(value), SCALE)
    digits = f"{fraction:04d}".rstrip("0").ljust(2, "0")
    return f"{'-' if value < 0 else ''}{whole}.{digits}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
