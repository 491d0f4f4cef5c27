"""`exchange doctor` finds what is wrong and says what to do."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.processes import started
from tests.infra.nsq_daemons import Daemon
from tests.infra.postgres_server import WHY_NOT, PostgresServer
from tests.infra.redis_server import RedisServer, needs_redis


def findings(run: Run, *words: str) -> dict[str, dict[str, str]]:
    return {each["what"]: each for each in run("doctor", "--json", *words).json}


@pytest.fixture
def free_base() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1] - 1)


def test_on_a_fresh_machine_nothing_is_bad(run: Run, free_base: str) -> None:
    found = findings(run, "--port-base", free_base)
    assert not [each for each in found.values() if each["verdict"] == "bad"]
    assert found["data folder"]["seen"] == "data (not there yet, will be made)"
    assert found["disk"]["seen"].startswith("fdatasync of 4 KiB takes ")
    assert found["engine"]["seen"].endswith("is free")
    assert found["redis"]["seen"] == "not configured, nothing needs it"
    assert found["nsq"]["seen"] == 'not configured, the bus is "memory"'
    assert found["store of clearing"]["seen"].endswith("is not there yet, the first start makes it")
    assert not Path("data").exists()


def test_something_bad_ends_with_1_and_says_what_to_do(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = run("doctor", "--port-base", str(taken.getsockname()[1] - 1))
    assert ran.code == 1
    assert "is taken by something else" in ran.out
    assert "→ stop that, or choose another with --port-base" in ran.out


def test_a_wrong_configuration_is_bad_and_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "exchange.toml").write_text("[engine]\nport = 70000\n")
    ran = run("doctor")
    assert ran.code == 1
    assert "[engine] port" in ran.out
    assert "`exchange config check` looks again" in ran.out


def test_every_finding_says_what_was_seen_and_unless_well_what_to_do(run: Run, free_base: str) -> None:
    for each in findings(run, "--port-base", free_base).values():
        assert set(each) == {"what", "verdict", "seen", "do"}
        assert each["seen"]
        assert bool(each["do"]) == (each["verdict"] != "ok")


@pytest.mark.integration
def test_a_running_exchange_is_well_until_its_file_changes(run: Run, tmp_path: Path) -> None:
    with started("up", "--port-base", "0", "--data", str(tmp_path / "data")):
        found = findings(run, "--data", str(tmp_path / "data"))
        for what in ("engine", "reporter", "clearing", "running versions", "engine's configuration"):
            assert found[what]["verdict"] == "ok", found[what]
        (tmp_path / "exchange.toml").write_text(
            "[engine]\nsnapshots_kept = 9\n[reporter]\npage_items_max = 5\n"
        )
        found = findings(run, "--data", str(tmp_path / "data"))
        assert found["engine's configuration"]["seen"].startswith(
            "engine.snapshots_kept is 3, by the file 9; "
        )
        assert found["clearing's configuration"]["verdict"] == "warning"


def settings(redis: RedisServer, postgres: PostgresServer, nsqd: Daemon, lookupd: Daemon) -> dict[str, Any]:
    return {
        "EXCHANGE__REDIS__URL": redis.url,
        "EXCHANGE__REPORTER__STORE_URL": postgres.new_database(),
        "EXCHANGE__CLEARING__STORE_URL": postgres.new_database(),
        "EXCHANGE__BUS__KIND": "nsq",
        "EXCHANGE__BUS__NSQD": json.dumps([nsqd.address]),
        "EXCHANGE__BUS__NSQLOOKUPD": json.dumps([lookupd.url]),
    }


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "-")
class TestRealServers:
    pytestmark = needs_redis

    def test_each_is_seen_with_its_version_and_each_that_is_away_is_told(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nsqd, lookupd = Daemon("nsqd", tmp_path / "nsqd"), Daemon("nsqlookupd", tmp_path / "lookup")
        data = str(tmp_path / "data")
        with RedisServer("secret") as redis, PostgresServer() as postgres, lookupd, nsqd:
            for name, value in settings(redis, postgres, nsqd, lookupd).items():
                monkeypatch.setenv(name, value)
            found = findings(run, "--data", data)
            assert found["store of reporter"]["seen"].endswith(
                "without tables yet: the first start makes them"
            )
            with started("up", "--port-base", "0", "--data", data):
                found = findings(run, "--data", data)
                assert not [each for each in found.values() if each["verdict"] == "bad"], found
                assert found["redis"]["seen"].startswith("Redis ")
                assert "secret" not in json.dumps(found)
                assert found[f"nsqd {nsqd.address}"]["seen"] == "nsqd 1.3.0"
                assert found[f"nsqlookupd {lookupd.url}"]["verdict"] == "ok"
                assert found["store of clearing"]["seen"].startswith("PostgreSQL ")
                assert "schema version 0" in found["store of clearing"]["seen"]
                assert found["shared configuration"]["verdict"] == "ok"
                assert found["clearing's configuration"]["verdict"] == "ok"
            redis.kill()
            nsqd.kill()
            lookupd.kill()
            postgres.stop()
            ran = run("doctor", "--json", "--data", data)
            found = {each["what"]: each for each in ran.json}
            assert ran.code == 1
            assert found["redis"]["verdict"] == "warning"
            assert found[f"nsqd {nsqd.address}"]["verdict"] == "warning"
            assert found[f"nsqlookupd {lookupd.url}"]["verdict"] == "warning"
            for name in ("reporter", "clearing"):
                assert found[f"store of {name}"]["verdict"] == "bad"
                assert "store_url" in found[f"store of {name}"]["do"]
