"""All three components in one process, from an order to a cleared, or busted, trade on the tape."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from exchange.infra.config import Config, load_config
from exchange.infra.errors import InfraError
from exchange.launch.up import Embedded, up
from tests.launch.market import Market, market


def config_for(folder: Path, **overrides: object) -> Config:
    settings: dict[str, object] = {"data": str(folder), "port_base": 0, "log_level": "error", **overrides}
    return load_config(env={}, overrides=settings)


@asynccontextmanager
async def running(folder: Path, **overrides: object) -> AsyncIterator[tuple[Embedded, Market]]:
    embedded = await up(config_for(folder, **overrides))
    addresses = embedded.addresses
    urls = {"engine": addresses.engine, "reporter": addresses.reporter, "clearing": addresses.clearing}
    try:
        async with market(urls, embedded.keys) as seen:
            yield embedded, seen
    finally:
        await embedded.stop()


@pytest.mark.parametrize("bus", ["memory", "none"])
async def test_an_order_becomes_a_trade_on_the_tape_that_clearing_accepts(tmp_path: Path, bus: str) -> None:
    async with running(tmp_path, **{"bus.kind": bus}) as (embedded, seen):
        assert embedded.ready() == []
        await seen.trade("AAPL", 10, "189.20")
        await seen.trade_states("reporter", "status", ["executed"])
        await seen.trade_states("clearing", "state", ["accepted"])


async def test_an_erroneous_trade_is_busted_by_clearing_and_seen_as_busted_by_all(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, seen):
        before = [await seen.cash_and_shares(name) for name in ("alice", "bob")]
        await seen.trade("XYZ", 100, "14.00")
        await seen.trade_states("clearing", "state", ["busted"])
        await seen.trade_states("reporter", "status", ["busted"])
        after = [await seen.cash_and_shares(name) for name in ("alice", "bob")]
        assert after == before
        await seen.trade("XYZ", 100, "10.05")
        await seen.trade_states("reporter", "status", ["busted", "executed"])
        await seen.trade_states("clearing", "state", ["busted", "accepted"])


async def test_a_restart_goes_on_where_everything_stopped(tmp_path: Path) -> None:
    async with running(tmp_path) as (embedded, seen):
        await seen.trade("AAPL", 10, "189.20")
        await seen.order("alice", "sell", "AAPL", 5, "190.00")
        await seen.trade_states("clearing", "state", ["accepted"])
        keys, epoch = embedded.keys, embedded.engine.sequencer.epoch
    async with running(tmp_path) as (embedded, seen):
        assert embedded.keys == keys
        assert embedded.engine.sequencer.epoch == epoch + 1
        await seen.trade_states("reporter", "status", ["executed"])
        await seen.order("bob", "buy", "AAPL", 5, "190.00")
        await seen.trade_states("reporter", "status", ["executed", "executed"])
        await seen.trade_states("clearing", "state", ["accepted", "accepted"])


async def test_others_find_a_running_exchange_by_its_data_folder(tmp_path: Path) -> None:
    file = tmp_path / "addresses.json"
    async with running(tmp_path) as (embedded, _):
        told: dict[str, Any] = json.loads(file.read_text())
        assert told["engine"] == embedded.engine.url
        assert told["page"] == embedded.reporter.url + "/"
        assert told["data"] == str(embedded.config.data_folder.resolve())
    assert not file.exists()


async def test_a_second_exchange_on_the_same_folder_is_refused_and_leaves_nothing_running(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as (_, seen):
        with pytest.raises(InfraError):
            await up(config_for(tmp_path))
        await seen.trade("AAPL", 10, "189.20")
        await seen.trade_states("clearing", "state", ["accepted"])


async def test_a_taken_port_stops_the_start_and_frees_the_folder(tmp_path: Path) -> None:
    async with running(tmp_path / "first") as (embedded, _):
        port = embedded.config.clearing.port
        with pytest.raises(InfraError, match=f"port {port} of 127\\.0\\.0\\.1 is taken, the clearing"):
            await up(config_for(tmp_path / "second", **{"clearing.port": port}))
        async with running(tmp_path / "second") as (second, _):
            assert second.ready() == []
