"""A shadow run: proposed rules look at the trades that come, beside those in force, and decide nothing.

It reads the trades from the store when somebody asks how it goes, so the work of clearing does not wait for it. It is
kept in memory: a restart ends it.
"""

from __future__ import annotations

from sqlalchemy import Engine

from exchange.clearing import queries
from exchange.infra.store_retry import begin_read
from exchange.post_trade.dry_run import Comparison, DryRun
from exchange.post_trade.rules import RuleSet

READ_AT_ONCE = 1_000


class ShadowRun:
    """Compares the trades after a match id, up to a number of them. Used by one thread at a time."""

    def __init__(
        self, store: Engine, partition: int, comparison: Comparison, after: int, trades: int
    ) -> None:
        self.trades_wanted = trades
        self._store = store
        self._partition = partition
        self._comparison = comparison
        self._after = after

    @property
    def is_done(self) -> bool:
        """Tell whether it has seen as many trades as it was to see."""
        return self._comparison.run.trades >= self.trades_wanted

    def advance(self, present: RuleSet) -> DryRun:
        """Judge what has come since; return what was found up to now. Raise `StoreUnavailable`."""
        while not self.is_done:
            limit = min(READ_AT_ONCE, self.trades_wanted - self._comparison.run.trades)
            with begin_read(self._store) as connection:
                trades = queries.trades_after(connection, self._partition, self._after, limit)
            for trade in trades:
                self._comparison.take(present, trade)
                self._after = trade.match_id
            if len(trades) < limit:
                break
        return self._comparison.run
