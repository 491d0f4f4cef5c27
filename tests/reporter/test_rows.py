"""Trades and candles come back from their rows as they were."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, select

from exchange.domain.order import Side
from exchange.domain.trade import BustReason
from exchange.domain.units import public_id
from exchange.infra.bulk_insert import bulk_insert
from exchange.market_data.candles import Candle, CandleKey
from exchange.market_data.statistics import Figures
from exchange.market_data.trade import Trade, TradeStatus
from exchange.reporter import schema
from exchange.reporter.rows import candle_of, candle_row, trade_of, trade_row


def trade(partition: int) -> Trade:
    return Trade(
        partition, 7, 2, 20261123, 10**18, 1_892_000, 50, 1_892_100, 60, public_id(partition, 3),
        public_id(partition, 4), Side.SELL, 99, TradeStatus.BUSTED, 3, 9, 10**18, BustReason.CONSENT, 5,
    )  # fmt: skip


@pytest.mark.parametrize("partition", [0, 1, 255])
def test_a_trade_of_any_partition_comes_back_whole(partition: int) -> None:
    store = create_engine("sqlite://")
    schema.metadata.create_all(store)
    with store.begin() as connection:
        bulk_insert(connection, schema.trades, tuple(schema.trades.c.keys()), [trade_row(trade(partition))])
        assert [trade_of(row) for row in connection.execute(select(schema.trades))] == [trade(partition)]


def test_a_candle_comes_back_whole_with_a_sum_beyond_64_bits() -> None:
    store = create_engine("sqlite://")
    schema.metadata.create_all(store)
    candle = Candle(CandleKey(1, 60, 20261123, 10**18), Figures(1, 2, 3, 4, 5, 6, 2**60, 10**30, 8))
    with store.begin() as connection:
        bulk_insert(connection, schema.candles, tuple(schema.candles.c.keys()), [candle_row(0, candle)])
        assert [candle_of(row) for row in connection.execute(select(schema.candles))] == [candle]


def test_a_candle_without_figures_has_no_row() -> None:
    with pytest.raises(AssertionError, match="no row"):
        candle_row(0, Candle(CandleKey(1, 60, 20261123, 0), None))
