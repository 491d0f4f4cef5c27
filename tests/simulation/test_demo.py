"""A demo opens the market before it says so, and a signal ends traders and exchange in order."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import msgspec
import pytest

from exchange.launch.up import Embedded
from exchange.simulation.demo import run_demo
from tests.simulation.running import config_for


@pytest.mark.integration
async def test_a_demo_is_open_when_it_says_so_and_stops_at_a_signal(tmp_path: Path) -> None:
    config = config_for(tmp_path)
    config = msgspec.structs.replace(
        config, simulation=msgspec.structs.replace(config.simulation, orders_per_second=1_000)
    )
    seen: list[Embedded] = []
    depth: list[int] = []

    def announce(embedded: Embedded) -> None:
        seen.append(embedded)
        bids, asks = embedded.engine.venue.depth(1, 5)
        depth.extend((len(bids), len(asks)))
        asyncio.get_running_loop().call_later(1.0, os.kill, os.getpid(), signal.SIGTERM)

    await run_demo(config, announce)
    assert min(depth) > 0
    (embedded,) = seen
    assert embedded.engine.venue.counters.trades > 0
    assert embedded.engine.venue.orders(1) == ([], [])
