"""What `exchange doctor` finds among the servers; the real ones are in `test_doctor.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.cli.doctor_servers import look_at_nsq, look_at_redis, look_at_stores, newest_shared_version
from exchange.infra.config import Config
from exchange.infra.config_sections import BusConfig, ClearingConfig, ExchangeConfig, RedisConfig

NOWHERE = "127.0.0.1:1"


def test_servers_that_are_not_configured_are_well() -> None:
    assert look_at_redis(Config())[0].verdict == "ok"
    assert look_at_nsq(Config())[0].verdict == "ok"
    assert newest_shared_version(Config()) is None


def test_a_redis_that_is_away_is_a_warning_and_shows_no_password() -> None:
    config = Config(redis=RedisConfig(url=f"redis://:secret@{NOWHERE}/0"))
    (finding,) = look_at_redis(config)
    assert finding.verdict == "warning"
    assert "cannot be used" in finding.seen
    assert "secret" not in finding.seen
    assert "[redis] url" in finding.do
    assert newest_shared_version(config) is None


def test_every_nsqd_and_nsqlookupd_is_tried() -> None:
    bus = BusConfig(kind="nsq", nsqd=(NOWHERE, "127.0.0.1:2"), nsqlookupd=("http://127.0.0.1:3",))
    found = look_at_nsq(Config(bus=bus))
    assert [each.verdict for each in found] == ["warning"] * 3
    assert [each.what for each in found] == [
        f"nsqd {NOWHERE}", "nsqd 127.0.0.1:2", "nsqlookupd http://127.0.0.1:3",
    ]  # fmt: skip
    assert "cannot be reached" in found[0].seen


def test_a_store_that_cannot_be_reached_is_bad_and_shows_no_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    config = Config(
        exchange=ExchangeConfig(data=str(tmp_path)),
        clearing=ClearingConfig(store_url=f"postgresql+psycopg://me:secret@{NOWHERE}/x?password=secret"),
    )
    reporter, clearing = look_at_stores(config)
    assert reporter.verdict == "ok"
    assert clearing.verdict == "bad"
    assert "secret" not in clearing.seen + clearing.do
