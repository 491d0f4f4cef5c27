"""Tests of exchange.engine.rest_stats: statistics over HTTP and for Prometheus."""

from __future__ import annotations

from pathlib import Path

from exchange.engine.replay import choose_matcher
from tests.engine.running_engine import RunningEngine, shape


async def test_statistics_count_orders_trades_and_rejects_by_reason(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path) as engine:
        await engine.trade()
        await engine.order("alice", "buy", "1", "189.2055")
        stats = (await engine.get("/api/v1/stats", "alice")).body
        assert stats["counters"] == {
            "orders": 2, "cancels": 0, "trades": 1, "rejects": {"price_not_on_tick": 1}, "resting_orders": 0,
        }  # fmt: skip
        sequences = stats["sequences"]
        assert sequences["epoch"] == 1
        assert sequences["durable_event"] == sequences["event"] == stats["event_log"]["last_sequence"]
        assert len(stats["running_hash"]) == 16
        assert shape(stats, "matcher", "halted", "partition") == {
            "matcher": choose_matcher().name,
            "halted": "",
            "partition": 0,
        }
        assert stats["recovery"]["commands"] == 0
        assert stats["queue"]["pending"] == 0
        route = next(route for route in stats["routes"] if route["path"] == "/api/v1/order")
        assert shape(route, "method", "count", "errors") == {"method": "POST", "count": 3, "errors": 1}


async def test_statistics_need_a_key(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path) as engine:
        assert (await engine.get("/api/v1/stats")).status == 401


async def test_prometheus_reads_the_same_counters(tmp_path: Path) -> None:
    async with RunningEngine(tmp_path) as engine:
        await engine.trade()
        await engine.order("alice", "buy", "1", "189.2055")
        text = (await engine.get("/metrics")).body.decode()
        for line in (
            "exchange_orders_total 2.0",
            "exchange_trades_total 1.0",
            'exchange_rejects_total{reason="price_not_on_tick"} 1.0',
            "exchange_halted 0.0",
        ):
            assert line in text
