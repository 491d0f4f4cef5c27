"""`exchange config diff|apply|history|rollback`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.processes import ask, started
from tests.infra.redis_server import RedisServer, needs_redis, needs_server

CHANGES = '[exchange]\nlog_level = "debug"\nrate_per_s = 500\n'


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    with RedisServer() as server:
        monkeypatch.setenv("EXCHANGE__REDIS__URL", server.url)
        yield server


def changes(folder: Path, text: str = CHANGES) -> str:
    file = folder / "changes.toml"
    file.write_text(text)
    return str(file)


def test_without_redis_it_says_what_is_missing(run: Run, tmp_path: Path) -> None:
    for words in (("apply", changes(tmp_path)), ("diff", changes(tmp_path)), ("history",), ("rollback", "1")):
        ran = run("config", *words)
        assert (ran.code, "needs Redis: set [redis] url" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[engine]\nport = 1\n", "needs a restart"),
        ("[exchange]\nrate_per_s = -1\n", "must be a whole number from 0"),
        ("[[symbols]]\n", "exchange symbols add"),
        ("nonsense", "is not TOML"),
    ],
)
def test_a_file_with_a_mistake_is_refused_before_anything_is_asked(
    run: Run, tmp_path: Path, text: str, said: str
) -> None:
    for verb in ("diff", "apply"):
        ran = run("config", verb, changes(tmp_path, text))
        assert ran.code == 2
        assert said in ran.err


def test_an_absent_file_is_told_in_one_sentence(run: Run) -> None:
    ran = run("config", "apply", "absent.toml")
    assert ran.code == 2
    assert "absent.toml cannot be read" in ran.err


class TestWithARealServer:
    """What only a real server shows."""

    pytestmark = needs_redis

    def test_versions_are_applied_shown_and_taken_back(
        self, run: Run, tmp_path: Path, redis: RedisServer
    ) -> None:
        rows = [
            {"key": "exchange.log_level", "before": None, "after": "debug"},
            {"key": "exchange.rate_per_s", "before": None, "after": 500},
        ]
        assert run("config", "diff", changes(tmp_path), "--json").json == rows
        applied = run("config", "apply", changes(tmp_path), "--note", "look closer", "--json").json
        assert applied == {"version": 1, "changes": rows}
        assert run("config", "diff", changes(tmp_path), "--json").json == []
        assert "version 2 is in force" in run("config", "rollback", "0").out
        shown = run("config", "history", "--json").json
        assert [(each["version"], each["note"]) for each in shown["versions"]] == [
            (2, "back to version 0"),
            (1, "look closer"),
        ]
        assert "look closer" in run("config", "history").out
        ran = run("config", "rollback", "9")
        assert ran.code == 2
        assert "there is no version 9" in ran.err

    def test_a_redis_that_is_away_is_told(self, run: Run, tmp_path: Path, redis: RedisServer) -> None:
        redis.kill()
        ran = run("config", "apply", changes(tmp_path))
        assert ran.code != 0
        assert "cannot be used" in ran.err


@pytest.mark.integration
@needs_server
def test_every_component_of_a_running_exchange_takes_a_change_and_says_so(
    tmp_path: Path, redis: RedisServer
) -> None:
    with started("up", "--data", str(tmp_path / "data"), "--port-base", "0"):
        assert ask("config", "apply", changes(tmp_path), "--json").json["version"] == 1
        deadline = time.monotonic() + 20
        running: dict[str, Any] = {}
        while sorted(running.values()) != [1, 1, 1]:
            assert time.monotonic() < deadline, running
            running = ask("config", "history", "--json").json["running"]
        assert [name.split()[0] for name in running] == ["clearing", "engine", "reporter"]
