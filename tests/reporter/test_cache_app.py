"""The read-only reporter as a component: it starts without its cache, and says how the cache is."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import msgspec
import pytest

from exchange.infra.cache import Change, MemoryCache
from exchange.infra.config import RedisConfig
from exchange.infra.errors import InfraError
from exchange.reporter import cache_app
from exchange.reporter.cache_app import CacheReporterApp
from exchange.reporter.cached_market import TABLES
from tests.infra.event_streams import until
from tests.reporter.reporter_stand import reporter_config


async def until_ready(app: CacheReporterApp, said: str = "") -> None:
    """Wait until it is ready, or not ready for a reason."""
    await until(lambda: said in "; ".join(app.ready()) if said else not app.ready())


async def test_it_is_ready_while_the_cache_is_whole_and_young(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_app, "LOOK_S", 0.01)
    now_s = 0.0
    cache = MemoryCache(TABLES, lambda: now_s)
    app = CacheReporterApp(reporter_config(tmp_path), cache=cache)
    assert app.ready() == ["the reporter is starting or stopping"]
    await app.start()
    await until_ready(app, "empty or being filled")
    await cache.write("w", Change(begin=True))
    await cache.write("w", Change(sequence=5, time_ns=1))
    await until_ready(app)
    now_s += 60
    await until_ready(app, "the cache is 60 s old")
    async with aiohttp.ClientSession(app.url) as http:
        assert (await http.get("/readyz")).status == 503
        assert "exchange_cache_age_seconds 60" in await (await http.get("/metrics")).text()
        assert (await http.get("/api/v1/symbols")).status == 200
    await app.stop()


async def test_without_a_configured_cache_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(InfraError, match=r"\[redis\] url"):
        await CacheReporterApp(reporter_config(tmp_path)).start()


async def test_it_starts_while_redis_is_away_and_says_so(tmp_path: Path) -> None:
    redis = RedisConfig(url="redis://:secret@127.0.0.1:1/0")
    app = CacheReporterApp(msgspec.structs.replace(reporter_config(tmp_path), redis=redis))
    await app.start()
    (reason,) = app.ready()
    assert "cannot be used" in reason
    assert "secret" not in reason
    await app.stop()
