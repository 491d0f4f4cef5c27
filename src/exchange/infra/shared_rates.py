"""Rate limits that several processes share: the generic cell rate algorithm in Redis, by the clock of Redis.

The local bucket comes first, so that a flood never reaches Redis; without Redis it alone decides.
"""

from __future__ import annotations

from exchange.infra.cache import CacheUnavailable
from exchange.infra.config import Config
from exchange.infra.http_limits import Grant
from exchange.infra.redis_cache import RedisLink

_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local full_at = tonumber(redis.call('GET', KEYS[1]) or '0')
if full_at < now then full_at = now end
local ahead = full_at + tonumber(ARGV[1]) - now
if ahead > tonumber(ARGV[2]) then return {0, math.floor(full_at - now), math.ceil(ahead - tonumber(ARGV[2]))} end
redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000) + 1)
return {1, math.floor(ahead), 0}
"""
"""KEYS: the bucket. ARGV: µs per token, µs of a full bucket. Answer: taken, µs until it is full, µs to wait."""


def open_shared_rates(config: Config, link: RedisLink | None, component: str) -> RedisRates | None:
    """Make the buckets that all copies of a component share, where the configuration wants them."""
    rates = config.exchange
    if link is None or not config.redis.shared_rates or not rates.rate_per_s:
        return None
    return RedisRates(link, component, rates.rate_per_s, rates.rate_burst)


class RedisRates:
    """Buckets in Redis. group: those with the same name share them, such as all copies of a component."""

    def __init__(self, link: RedisLink, group: str, rate_per_s: int, burst: int = 0) -> None:
        self._link = link
        self._group = group
        self._burst = burst or rate_per_s
        self._step_us = 1_000_000 / rate_per_s
        self._window_us = self._burst * self._step_us

    async def take(self, owner: str, local: Grant) -> Grant:
        """Take one token of an owner; without Redis the local grant stands."""
        key = self._link.key("rate", self._group, owner)
        try:
            (answer,) = await self._link.call(("EVAL", _TAKE, 1, key, self._step_us, self._window_us))
        except CacheUnavailable:
            return local
        taken, full_in_us, wait_us = answer
        remaining = int((self._window_us - full_in_us) / self._step_us + 1e-6)
        return Grant(bool(taken), self._burst, max(0, remaining), full_in_us / 1e6, wait_us / 1e6)
