"""Lists of the client as Arrow tables: exact decimals, whole numbers and nanoseconds."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pyarrow as pa

from exchange.client.frames import to_arrow
from exchange.wire.rest.market import CandleView

CANDLE = CandleView(
    start="2026-11-23T14:30:00.000000001Z", end="2026-11-23T14:31:00Z", business_date="2026-11-23", open="1.10",
    high="1.20", low="1.00", close="1.15", volume="300", notional="331.50", vwap="1.1050", trades=3,
)  # fmt: skip


def test_candles_become_exact_columns() -> None:
    empty = msgspec.structs.replace(CANDLE, open=None, vwap=None)
    table = to_arrow([CANDLE, empty])
    assert table.column("open").to_pylist() == [Decimal("1.1000"), None]
    assert table.column("volume").to_pylist() == [300, 300]
    assert table.schema.field("start").type == pa.timestamp("ns", "UTC")
    assert table.column("start").cast(pa.int64()).to_pylist()[0] == 1_795_444_200_000_000_001
    assert table.column("trades").to_pylist() == [3, 3]


def test_nothing_is_an_empty_table() -> None:
    assert to_arrow([]).num_rows == 0
