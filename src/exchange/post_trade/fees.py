"""Fees: rows with a date, of which for each name and trading day the latest begun one holds.

A row charges the side it names by shares or by money. What is below zero is a rebate. Each row rounds each fill by
itself, half away from zero, to 1/10,000 of the currency unit, or up to the whole cent where it says so; and charges no
more for it than its cap. Of the tiers of one name and side that one holds which the account's volume has reached: the
shares that it traded in the calendar month before the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from exchange.domain.printable import is_printable
from exchange.domain.units import Money, UnitError, parse_money
from exchange.post_trade.lots import Fill
from exchange.post_trade.positions import rounded
from exchange.post_trade.rule_values import nearest

ROWS_MAX = 200
NAME_CHARACTERS_MAX = 32
WHO = ("maker", "taker", "both", "buyer", "seller")
KEYS = ("name", "from", "who", "per_share", "percent", "volume_from", "cap", "round_up")
CENT = 100
"""A cent is so many 1/10,000."""
PERCENT_SCALE = 1_000_000
"""A percent is read with four decimals, so money × percent is divided by this."""


class FeesError(ValueError):
    """A fee that cannot be; the message names the row and the key, what was seen and what is allowed."""


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """A row. from_date: YYYYMMDD; per_share: money in 1/10,000; percent: of the money, in 1/10,000 of a percent.

    volume_from: shares of the month from which the tier holds; cap: money for one fill, 0 for none; round_up: to cents.
    """

    name: str
    from_date: int
    who: str
    per_share: int = 0
    percent: int = 0
    volume_from: int = 0
    cap: int = 0
    round_up: bool = False

    def concerns(self, fill: Fill) -> bool:
        """Tell whether this row charges a fill."""
        match self.who:
            case "maker":
                return fill.is_maker
            case "taker":
                return not fill.is_maker
            case "buyer":
                return fill.quantity > 0
            case "seller":
                return fill.quantity < 0
        return True

    def charge(self, fill: Fill) -> Money:
        """Return what a fill costs by this row; below zero for a rebate."""
        by_money = self.percent * fill.shares * fill.price
        half_up = rounded(abs(by_money), PERCENT_SCALE)
        if self.round_up and by_money > 0:
            half_up = -(-by_money // PERCENT_SCALE)
        amount = self.per_share * fill.shares + (half_up if by_money >= 0 else -half_up)
        if self.round_up and amount > 0:
            amount = -(-amount // CENT) * CENT
        return Money(min(amount, self.cap) if self.cap else amount)


class FeeSchedule:
    """All rows, and which of them hold on a day."""

    def __init__(self, fees: Sequence[Fee] = ()) -> None:
        self.fees = tuple(sorted(fees, key=lambda fee: fee.from_date))
        self._on: dict[int, tuple[Fee, ...]] = {}

    def on(self, business_date: int) -> tuple[Fee, ...]:
        """Return the rows that hold on a trading day, one for each name, side and tier."""
        found = self._on.get(business_date)
        if found is None:
            latest: dict[tuple[str, str], dict[int, Fee]] = {}
            begun: dict[tuple[str, str], int] = {}
            for fee in self.fees:
                if fee.from_date <= business_date:
                    side = fee.name, fee.who
                    if begun.get(side) != fee.from_date:
                        latest[side] = {}  # Tiers that begin on a day take the place of all before.
                    begun[side] = fee.from_date
                    latest[side][fee.volume_from] = fee
            found = tuple(fee for tiers in latest.values() for fee in tiers.values())
            self._on[business_date] = found
        return found

    @property
    def has_tiers(self) -> bool:
        """Tell whether volumes matter."""
        return any(fee.volume_from for fee in self.fees)

    def charges(self, fill: Fill, volume: int = 0) -> list[tuple[str, Money]]:
        """Return what a fill costs, by name, in the order of the rows. volume: shares of the month before the day."""
        reached: dict[tuple[str, str], Fee] = {}
        for fee in self.on(fill.business_date):
            side = fee.name, fee.who
            if fee.volume_from <= volume and fee.volume_from >= (reached.get(side) or fee).volume_from:
                reached[side] = fee
        return [(fee.name, fee.charge(fill)) for fee in reached.values() if fee.concerns(fill)]


def parse_fees(tables: Iterable[Mapping[str, Any]]) -> FeeSchedule:
    """Read fees as the configuration has them. Raise `FeesError` at the first mistake."""
    rows = list(tables)
    if len(rows) > ROWS_MAX:
        raise FeesError(f"clearing fees: got {len(rows)} rows, at most {ROWS_MAX} are allowed")
    fees = [_fee(number, table) for number, table in enumerate(rows, 1)]
    seen: set[tuple[str, int, str, int]] = set()
    for number, fee in enumerate(fees, 1):
        row = fee.name, fee.from_date, fee.who, fee.volume_from
        if row in seen:
            raise FeesError(
                f"clearing fee {number}: {fee.name!r} from this day for {fee.who} is there already"
            )
        seen.add(row)
    return FeeSchedule(fees)


def _fee(number: int, table: Mapping[str, Any]) -> Fee:
    for key, value in table.items():
        if key not in KEYS:
            raise _mistake(number, key, value, f"a fee has {', '.join(KEYS)}{nearest(key, KEYS)}")
    name, who = table.get("name"), table.get("who")
    if not isinstance(name, str) or not 0 < len(name) <= NAME_CHARACTERS_MAX or not is_printable(name):
        raise _mistake(number, "name", name, f"allowed are 1 to {NAME_CHARACTERS_MAX} characters")
    if who not in WHO:
        raise _mistake(number, "who", who, f"allowed are {', '.join(WHO)}{nearest(who, WHO)}")
    if ("per_share" in table) == ("percent" in table):
        raise FeesError(f"clearing fee {number} ({name}): it has just one of per_share and percent")
    key = "per_share" if "per_share" in table else "percent"
    amount = _amount(number, key, table[key])
    volume_from, cap, round_up = _limits_of(number, table)
    return Fee(
        name=name,
        from_date=_date(number, table.get("from")),
        who=str(who),
        per_share=amount if key == "per_share" else 0,
        percent=amount if key == "percent" else 0,
        volume_from=volume_from,
        cap=cap,
        round_up=round_up,
    )


def _limits_of(number: int, table: Mapping[str, Any]) -> tuple[int, int, bool]:
    volume, round_up = table.get("volume_from", 0), table.get("round_up", False)
    if not isinstance(volume, int) or isinstance(volume, bool) or not 0 <= volume < 1 << 62:
        raise _mistake(number, "volume_from", volume, "allowed is a whole number of shares, at least 0")
    if not isinstance(round_up, bool):
        raise _mistake(number, "round_up", round_up, "allowed are true and false")
    cap = _amount(number, "cap", table["cap"]) if "cap" in table else 0
    if cap < 0:
        raise _mistake(number, "cap", table["cap"], "allowed is an amount of at least 0")
    return volume, cap, round_up


def _date(number: int, value: Any) -> int:
    digits = value.replace("-", "") if isinstance(value, str) and len(value) == 10 else ""
    is_date = value[4::3] == "--" if digits else False
    year_ok = len(digits) == 8 and digits.isascii() and digits.isdecimal()
    if not (is_date and year_ok and 1 <= int(digits[4:6]) <= 12 and 1 <= int(digits[6:]) <= 31):
        raise _mistake(number, "from", value, "allowed is the first day as a text, such as '2026-11-23'")
    return int(digits)


def _amount(number: int, key: str, value: Any) -> int:
    if not isinstance(value, str):
        raise _mistake(number, key, value, "allowed is a text with at most four decimals, such as '0.0030'")
    try:
        return int(parse_money(value))
    except UnitError as error:
        raise _mistake(number, key, value, str(error)) from error


def _mistake(number: int, key: str, seen: Any, what: str) -> FeesError:
    return FeesError(f"clearing fee {number}, key {key!r}: got {seen!r:.60}; {what}")
