"""How the value of each key of a rule is read from the configuration: one parser per key.

A parser returns the value or raises a `ValueError` that says what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from exchange.domain.trade import BustReason
from exchange.domain.units import UnitError, parse_money, parse_price, parse_quantity
from exchange.post_trade.expressions import compiled
from exchange.post_trade.rule import SESSIONS, Verdict, When
from exchange.post_trade.rule_kinds import Hours, Tier

TIERS_MAX = 32
BPS_MAX = 100_000
MULTIPLE_MAX = 1_000
REPETITIONS_MAX = 1_000
WITHIN_MS_MAX = 3_600_000
LEVERAGE_MAX = 10
LEVERAGED_MAX = 200
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def nearest(name: Any, names: Iterable[str]) -> str:
    """Ask whether the nearest of some names was meant; nothing where none is near."""
    found = get_close_matches(name, list(names), n=1) if isinstance(name, str) else []
    return f"; did you mean {found[0]!r}?" if found else ""


def one_of(names: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return a parser that takes one of the names and gives what it stands for."""

    def parse(value: Any) -> Any:
        if not isinstance(value, str) or value not in names:
            raise ValueError(f"allowed are {', '.join(map(repr, names))}{nearest(value, names)}")
        return names[value]

    return parse


def whole(low: int, high: int) -> Callable[[Any], int]:
    """Return a parser that takes whole numbers from `low` to `high`."""

    def parse(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"allowed are whole numbers from {low} to {high}")
        return value

    return parse


def _when(value: Any) -> When:
    allowed = f"allowed is a table of lists: session (of {', '.join(SESSIONS)}), symbol (of symbol names)"
    if not isinstance(value, dict):
        raise ValueError(allowed)
    for key, names in value.items():
        if key not in ("session", "symbol"):
            raise ValueError(f"{allowed}{nearest(key, ('session', 'symbol'))}")
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            raise ValueError(allowed)
    for name in value.get("session", ()):
        if name not in SESSIONS:
            raise ValueError(f"{allowed}{nearest(name, SESSIONS)}")
    return When(tuple(value.get("session", ())), tuple(value.get("symbol", ())))


def _tiers(value: Any) -> tuple[Tier, ...]:
    rows = 'tables {up_to = "25.00", percent = "10"} with rising up_to, the last without it'
    allowed = f"allowed are 1 to {TIERS_MAX} {rows}"
    if not isinstance(value, list | tuple) or not 0 < len(value) <= TIERS_MAX:
        raise ValueError(allowed)
    tiers = tuple(_tier(row, allowed) for row in value)
    ends = [tier.up_to for tier in tiers[:-1]]
    if tiers[-1].up_to or 0 in ends or sorted(ends) != ends or len(set(ends)) != len(ends):
        raise ValueError(allowed)
    return tiers


def _tier(row: Any, allowed: str) -> Tier:
    if not isinstance(row, dict) or "percent" not in row or row.keys() - {"up_to", "percent"}:
        raise ValueError(allowed)
    try:
        up_to = parse_price(_text(row["up_to"])) if "up_to" in row else 0
        hundredths, rest = divmod(parse_money(_text(row["percent"])), 100)
    except UnitError as error:
        raise ValueError(f"{error}; {allowed}") from error
    if rest or not 0 < hundredths <= BPS_MAX:
        raise ValueError(
            f"percent is above 0, at most {BPS_MAX // 100}, with at most two decimals; {allowed}"
        )
    return Tier(up_to, hundredths)


def _hours(value: Any) -> Hours:
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("allowed are two times of the day in UTC, such as '14:30-21:00'")
    hours = [int(part) for part in found.groups()]
    return Hours(hours[0] * 60 + hours[1], hours[2] * 60 + hours[3])


def _leverage(value: Any) -> dict[str, int]:
    allowed = f"allowed are at most {LEVERAGED_MAX} symbols with whole numbers from 1 to {LEVERAGE_MAX}"
    if not isinstance(value, dict) or len(value) > LEVERAGED_MAX:
        raise ValueError(f"{allowed}, such as {{ TQQQ = 3 }}")
    times = whole(1, LEVERAGE_MAX)
    try:
        return {str(symbol): times(each) for symbol, each in value.items()}
    except ValueError as error:
        raise ValueError(f"{allowed}, such as {{ TQQQ = 3 }}") from error


def _expression(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("allowed is an expression as a text, such as 'quantity > 1000'")
    compiled(value)
    return value


def _money(value: Any) -> int:
    amount = parse_money(_text(value))
    if amount <= 0:
        raise ValueError("allowed is an amount above 0 as a text, such as '5000000.00'")
    return amount


def _quantity(value: Any) -> int:
    if not isinstance(value, str | int):
        raise ValueError("allowed is a whole number of shares such as 100000")
    return parse_quantity(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise UnitError("prices, money and percents are texts, such as '25.00'")
    return value


PARSERS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("", "when"): _when,
    ("", "reason"): one_of({chr(reason): reason for reason in BustReason}),
    ("", "action"): one_of({verdict.name.lower(): verdict for verdict in Verdict if verdict}),
    ("price_band", "tiers"): _tiers,
    ("price_band", "hold_at"): whole(1, MULTIPLE_MAX),
    ("price_band", "bust_at"): whole(0, MULTIPLE_MAX),
    ("price_band", "core_hours"): _hours,
    ("price_band", "outside_times"): whole(1, LEVERAGE_MAX),
    ("price_band", "leverage"): _leverage,
    ("expr", "expr"): _expression,
    ("self_trade", "scope"): one_of({"account": "account", "participant": "participant"}),
    ("max_notional", "limit"): _money,
    ("max_quantity", "limit"): _quantity,
    ("duplicate", "at_least"): whole(2, REPETITIONS_MAX),
    ("duplicate", "within_ms"): whole(1, WITHIN_MS_MAX),
}
"""How the value of a key is read: (kind, key), or ("", key) for what all kinds share."""
