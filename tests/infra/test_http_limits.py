"""Token buckets."""

from __future__ import annotations

import pytest

from exchange.infra import http_limits
from exchange.infra.config import load_config
from exchange.infra.http_limits import HttpLimits, TokenBuckets, limits_of


def test_the_rate_comes_from_the_configuration_and_is_off_by_default() -> None:
    assert limits_of(load_config(None, {}).exchange) == HttpLimits()
    set_ = load_config(None, {}, {"exchange.rate_per_s": 10, "exchange.rate_burst": 20}).exchange
    assert limits_of(set_, sockets_max=3) == HttpLimits(rate_per_s=10, rate_burst=20, sockets_max=3)


def test_a_burst_fits_and_then_tokens_flow_in_at_the_rate() -> None:
    buckets = TokenBuckets(10, 20)
    assert [buckets.take("a", 100.0).taken for _ in range(25)] == [True] * 20 + [False] * 5
    assert [buckets.take("a", 101.0).taken for _ in range(12)] == [True] * 10 + [False] * 2


def test_a_grant_tells_what_is_left_and_when_to_come_back() -> None:
    buckets = TokenBuckets(10, 2)
    first, second, third = (buckets.take("a", 5.0) for _ in range(3))
    assert (first.limit, first.remaining) == (2, 1)
    assert second.remaining == 0
    assert second.reset_s == pytest.approx(0.2)
    assert not third.taken
    assert third.retry_after_s == pytest.approx(0.1)
    assert buckets.take("a", 5.0 + third.retry_after_s + 1e-6).taken


def test_keys_do_not_share_a_bucket() -> None:
    buckets = TokenBuckets(1)
    assert buckets.take("a", 0.0).taken
    assert buckets.take("b", 0.0).taken
    assert not buckets.take("a", 0.0).taken


def test_the_bucket_used_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_limits, "KEYS_REMEMBERED_MAX", 2)
    buckets = TokenBuckets(1)
    for key in ("a", "b", "a", "c"):
        buckets.take(key, 0.0)
    assert not buckets.take("a", 0.0).taken
    assert buckets.take("b", 0.0).taken
