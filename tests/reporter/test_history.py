"""The stored history does what one in memory does, whatever is busted and corrected."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select

from exchange.infra.store import begin_write, open_store
from exchange.market_data.candles import Candle, CandleKey
from exchange.market_data.statistics import figures_of_trade
from exchange.market_data.tape import Tape
from exchange.reporter.history import StoredHistory
from exchange.reporter.rows import candle_of, trade_of
from exchange.reporter.schema import candles, trades
from exchange.reporter.store import MIGRATIONS
from tests.market_data.memory_history import MemoryHistory
from tests.market_data.venue_flow import VenueFlow

INTERVALS = (1, 5, 60, 3_600, 86_400)


@pytest.fixture
def store(store_url: str) -> Iterator[Engine]:
    engine = open_store(store_url, MIGRATIONS)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("seed", range(3))
def test_a_tape_leaves_the_same_trades_and_candles_in_both(store: Engine, seed: int) -> None:
    flow, memory, stored = VenueFlow(seed, step_ns=300_000_000), MemoryHistory(), StoredHistory(0)
    tapes = Tape(memory, INTERVALS), Tape(stored, INTERVALS)
    for events in [flow.open(), *flow.random_batches(25)]:
        with begin_write(store) as connection:
            stored.connection = connection
            first, second = [tape.apply(events) for tape in tapes]
            assert first == second, f"seed {seed}"
            for tape in tapes:
                tape.save()
    with store.connect() as connection:
        kept = {each.sequence: each for each in map(trade_of, connection.execute(select(trades)))}
        found = [candle_of(row) for row in connection.execute(select(candles))]
    assert kept == memory.trades
    assert {each.key: each.figures for each in found} == memory.candles


def test_what_was_never_written_is_not_found(store: Engine) -> None:
    history = StoredHistory(0)
    with store.connect() as connection:
        history.connection = connection
        key = CandleKey(1, 60, 20261123, 0)
        assert history.trade(1) is None
        assert history.figures(key) is None
        assert list(history.trades_of(key)) == []
        assert list(history.figures_within(key, 1)) == []


def test_a_candle_of_another_partition_is_another_candle(store: Engine) -> None:
    candle = Candle(CandleKey(1, 60, 20261123, 0), figures_of_trade(1, 100, 10))
    with begin_write(store) as connection:
        for partition in (0, 1):
            history = StoredHistory(partition)
            history.connection = connection
            history.save([], [], [candle])
        history.save([], [], [Candle(candle.key, None)])
        assert history.figures(candle.key) is None
        history.partition = 0
        assert history.figures(candle.key) == candle.figures


def test_a_history_outside_a_transaction_is_a_broken_invariant() -> None:
    with pytest.raises(AssertionError, match="outside a transaction"):
        StoredHistory(0).trade(1)
