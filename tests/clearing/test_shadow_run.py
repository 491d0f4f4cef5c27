"""A shadow run over the store: each trade once, in order, and no more than was asked for."""

from __future__ import annotations

from pathlib import Path

from exchange.clearing.shadow_run import ShadowRun
from exchange.post_trade.dry_run import Comparison
from exchange.post_trade.rule import Context
from exchange.post_trade.rules import parse_rules
from tests.clearing.running import RunningClearing

BIG = parse_rules([{"id": "BIG", "kind": "max_quantity", "limit": 100}])


async def test_each_trade_is_looked_at_once_and_no_more_than_wanted(tmp_path: Path) -> None:
    async with RunningClearing(tmp_path) as clearing:
        office = clearing.app.office
        comparison = Comparison(
            BIG, lambda trade, recent: Context(symbol="AAPL", buyer=1, seller=2, recent=recent)
        )
        shadow = ShadowRun(office.store, office.partition, comparison, 0, 5)
        for size in (100, 101, 100):
            clearing.stream.trade(1, 2, size, price="189.20")
        await clearing.caught_up()
        assert shadow.advance(office.rule_set).trades == shadow.advance(office.rule_set).trades == 3
        for size in (101, 101, 101):
            clearing.stream.trade(1, 2, size, price="189.20")
        await clearing.caught_up()
        run = shadow.advance(office.rule_set)
        assert (run.trades, run.hits, shadow.is_done) == (5, {"BIG": 3}, True)
