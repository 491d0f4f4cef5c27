"""`exchange up` and the others tell where everything is, serve until a signal, and end well."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from exchange.cli.failures import InputError
from exchange.cli.services import check_folder, screen
from tests.cli.conftest import Run
from tests.cli.processes import ask, started
from tests.infra.redis_server import RedisServer, needs_server

FACTS = {
    "engine": "http://127.0.0.1:8001",
    "reporter": "http://127.0.0.1:8002",
    "clearing": "http://127.0.0.1:8003",
    "page": "http://127.0.0.1:8002/",
    "participants": {"alice": {"participant_id": 1, "account_id": 1, "key": "xk_alice"}},
    "operator_key": "xk_operator",
    "symbols": {"AAPL": "189.20"},
}


def test_the_screen_tells_addresses_keys_and_what_to_try(tmp_path: Path) -> None:
    text = "\n".join(screen({**FACTS, "data": str(tmp_path / "data")}))
    assert "page       http://127.0.0.1:8002/" in text
    assert "alice      xk_alice" in text
    assert "    exchange order buy AAPL 100 @ 189.20\n" in text
    assert "the market is quiet until someone trades" in text


def test_the_screen_tells_where_the_itch_feed_is_when_there_is_one(tmp_path: Path) -> None:
    facts = {**FACTS, "data": str(tmp_path / "data")}
    assert "ITCH" not in "\n".join(screen(facts))
    assert "ITCH feed  127.0.0.1:8012" in "\n".join(screen({**facts, "itch": "127.0.0.1:8012"}))


@pytest.mark.parametrize("below", ["", "deeper/down"])
def test_a_file_is_no_data_folder(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file is a file; --data names the folder"):
        check_folder(tmp_path / "file" / below)
    check_folder(tmp_path / "not" / "yet" / "there")


def test_the_screen_names_the_folder_where_it_is_not_the_usual_one(tmp_path: Path) -> None:
    lines = screen({**FACTS, "data": "/srv/market"}, moving=True)
    assert "    exchange book AAPL --watch --data /srv/market" in lines
    assert any("house traders keep the market moving" in line for line in lines)


def test_a_wrong_rule_keeps_the_exchange_from_starting(run: Run, tmp_path: Path) -> None:
    (tmp_path / "exchange.toml").write_text('[[clearing.rule]]\nid = "A"\nkind = "nonsense"\n')
    ran = run("up", "--port-base", "0")
    assert ran.code == 2
    assert "nonsense" in ran.err


# --- whole processes --------------------------------------------------------------------------------


@pytest.mark.integration
def test_up_serves_until_it_is_told_to_stop_and_goes_on_where_it_was(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "data"))
    with started("up", *data, "--port-base", "0") as (process, facts):
        assert facts["pid"] == process.pid
        assert list(facts["participants"]) == ["alice", "bob", "carol"]
        bought = ask("order", "buy", "AAPL", "100", "@", "189.20", "--json", *data).json
        sold = ask("order", "sell", "AAPL", "40@189.20", "--as", "bob", "--json", *data).json
        assert (bought["status"], sold["status"]) == ("new", "filled")
        assert ask("book", "AAPL", "--json", *data).json["bids"][0]["qty"] == "60"
        assert ask("doctor", *data).code == 0
    assert process.returncode == 0
    assert not (tmp_path / "data" / "addresses.json").exists()
    assert ask("order", "list", *data).code == 3
    assert ask("journal", "check", *data).code == 0

    with started("up", *data, "--port-base", "0"):
        assert ask("order", "list", "--json", *data).json[0]["leaves_qty"] == "60"
        assert ask("trades", "list", "--json", *data).json[0]["state"] == "accepted"
        assert len(ask("tape", "AAPL", "--json", *data).json) == 1


@pytest.mark.integration
def test_a_backup_taken_beside_a_running_exchange_can_be_started(tmp_path: Path) -> None:
    data, copy, restored = (str(tmp_path / name) for name in ("data", "copy", "restored"))
    with started("up", "--data", data, "--port-base", "0"):
        ask("order", "buy", "AAPL", "100", "@", "189.20", "--data", data)
        assert ask("backup", copy, "--data", data).code == 0
    assert ask("restore", copy, "--data", restored).code == 0
    assert ask("restore", copy, "--data", restored).code == 2
    with started("up", "--data", restored, "--port-base", "0"):
        assert ask("book", "AAPL", "--json", "--data", restored).json["bids"][0]["price"] == "189.20"


@pytest.mark.integration
def test_a_demo_has_a_moving_market(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "data"))
    with started("demo", *data, "--port-base", "0", "--seed", "7", "--pace", "200"):
        assert ask("book", "AAPL", "--json", *data).json["bids"]
        deadline = time.monotonic() + 10
        while len(ask("tape", "AAPL", "--json", *data).json) < 3:
            assert time.monotonic() < deadline, "no trades within ten seconds"
    assert ask("journal", "check", *data).code == 0


@pytest.mark.integration
def test_the_three_components_run_as_processes_of_their_own(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    base = str(20_000 + os.getpid() % 20_000)
    common = ("--data", data, "--port-base", base)
    with started("engine", *common), started("reporter", *common), started("clearing", *common):
        assert ask("order", "buy", "AAPL", "10", "@", "189.20", *common).code == 0
        assert ask("order", "sell", "AAPL", "10", "@", "189.20", "--as", "bob", *common).code == 0
        deadline = time.monotonic() + 20
        while not (
            ask("tape", "AAPL", "--json", *common).json and ask("trades", "list", "--json", *common).json
        ):
            assert time.monotonic() < deadline, "the trade did not reach reporter and clearing"


@pytest.mark.integration
def test_a_port_that_is_taken_is_told_in_one_sentence(tmp_path: Path) -> None:
    with started("up", "--data", str(tmp_path / "one"), "--port-base", "0") as (_, facts):
        base = int(facts["engine"].rpartition(":")[2]) - 1
        ran = ask("up", "--data", str(tmp_path / "two"), "--port-base", str(base), "--json")
    assert ran.code == 2
    assert "is taken, the engine cannot listen there" in ran.err.splitlines()[-1]


@pytest.mark.integration
@needs_server
def test_a_reporter_out_of_the_cache_answers_beside_the_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RedisServer() as server:
        monkeypatch.setenv("EXCHANGE__REDIS__URL", server.url)
        data = ("--data", str(tmp_path / "data"))
        with (
            started("up", *data, "--port-base", "0") as (_, facts),
            started("reporter", "--from-cache", *data, "--port-base", "0") as (_, copy),
        ):
            assert ask("order", "buy", "AAPL", "10", "@", "189.20", *data).code == 0
            own = ask("book", "AAPL", "--json", *data).json["bids"]
            deadline = time.monotonic() + 20
            while ask("book", "AAPL", "--json", "--url", copy["url"], *data).json.get("bids") != own:
                assert time.monotonic() < deadline, "the book did not reach the cache"
            assert facts["reporter"] != copy["url"]


def test_a_reporter_out_of_the_cache_needs_one(tmp_path: Path) -> None:
    ran = ask("reporter", "--from-cache", "--data", str(tmp_path), "--port-base", "0")
    assert ran.code == 2
    assert "[redis] url" in ran.err
