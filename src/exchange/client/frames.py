"""What the client lists as tables for analysis: Arrow, and out of it Polars and pandas.

Prices and money become decimals, never floats; times nanoseconds in UTC. Needs the extra `frames` (pyarrow), and Polars
or pandas where they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import pyarrow as pa

MONEY = {"notional", "cash", "amount"}
PRICES = {
    "price", "open", "high", "low", "close", "last", "vwap", "avg_price", "reference_price", "executed_price", "bid",
    "ask", "previous_close", "change",
}  # fmt: skip
QUANTITIES = {"qty", "filled_qty", "leaves_qty", "volume", "executed_qty", "bid_qty", "ask_qty", "busted_qty"}
TIMES = {"at", "start", "end", "executed_at", "changed_at", "created_at", "updated_at"}


def to_arrow(items: Iterable[msgspec.Struct]) -> pa.Table:
    """Make an Arrow table of what a client lists, a column for each field; all items must be of one type."""
    import pyarrow as pa

    rows = [msgspec.to_builtins(item) for item in items]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: _column(pa, name, [row.get(name) for row in rows]) for name in names})


def to_polars(items: Iterable[msgspec.Struct]) -> Any:
    """Make a Polars frame of what a client lists."""
    import polars

    return polars.from_arrow(to_arrow(items))


def to_pandas(items: Iterable[msgspec.Struct]) -> Any:
    """Make a pandas frame of what a client lists."""
    return to_arrow(items).to_pandas()


def _column(pa: Any, name: str, values: list[Any]) -> Any:
    if name in PRICES or name in MONEY:
        kind = pa.decimal128(38, 4)
        return pa.array([None if each is None else Decimal(each) for each in values], kind)
    if name in QUANTITIES:
        return pa.array([None if each is None else int(each) for each in values], pa.int64())
    if name in TIMES:
        return pa.array([None if each is None else _ns(each) for each in values], pa.timestamp("ns", "UTC"))
    return pa.array(values)


def _ns(text: str) -> int:
    """Read an RFC 3339 time of UTC with up to nine digits of the second, as nanoseconds since 1970."""
    second, _, fraction = text.removesuffix("Z").partition(".")
    moment = datetime.fromisoformat(second + "+00:00")
    return int(moment.timestamp()) * 1_000_000_000 + int(fraction.ljust(9, "0") or 0)
