"""An exchange with all there can be, so that it shows every figure; the servers it names are away."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp

from exchange.infra.config import Config
from exchange.infra.config_sections import BusConfig, ExchangeConfig, RedisConfig
from exchange.launch.up import up
from exchange.reporter.cache_app import CacheReporterApp

NOWHERE = 1
"""A port at which nothing listens."""
TYPE = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)


def everything(folder: Path) -> Config:
    """Configure a bus and a cache, and let the system choose the ports."""
    return Config(
        exchange=ExchangeConfig(data=str(folder), port_base=0),
        bus=BusConfig(kind="nsq", nsqd=(f"127.0.0.1:{NOWHERE}",)),
        redis=RedisConfig(url=f"redis://127.0.0.1:{NOWHERE}/0"),
    )


async def shown_figures(folder: Path) -> dict[str, str]:
    """Run an exchange and a read-only copy for a moment, and return what /metrics of each says."""
    exchange = await up(everything(folder))
    copy = CacheReporterApp(everything(folder))
    await copy.start()
    try:
        found = exchange.addresses
        addresses = {
            "engine": found.engine,
            "reporter": found.reporter,
            "clearing": found.clearing,
            "copy": copy.url,
        }
        async with aiohttp.ClientSession() as http:
            texts = {}
            for job, url in addresses.items():
                async with http.get(f"{url}/metrics") as answer:
                    assert answer.status == 200
                    texts[job] = await answer.text()
            return texts
    finally:
        await copy.stop()
        await exchange.stop()
