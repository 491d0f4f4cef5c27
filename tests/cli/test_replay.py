"""`exchange replay lobster` refuses what cannot be before anything starts, and tells what came of what can."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from exchange.simulation.lobster_check import Comparison
from exchange.simulation.lobster_flow import Execute
from exchange.simulation.lobster_run import ReplayJob, ReplaySummary, read_input
from tests.cli.conftest import Run
from tests.cli.processes import ask, command, started
from tests.simulation.lobster_data import AAPL, needs_lobster
from tests.simulation.made_up_flow import write_flow
from tests.simulation.test_lobster_run import EXCEPTIONS, MESSAGES, OPENING, QUOTES


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Write a small file with all that belongs to it, and say how it is replayed."""
    texts = {"messages": MESSAGES, "opening": OPENING, "exceptions": EXCEPTIONS, "verify": QUOTES}
    for name, text in texts.items():
        (tmp_path / f"TOY_{name}.csv").write_text(text)
    options = [
        word for name in ("opening", "exceptions", "verify") for word in (f"--{name}", f"TOY_{name}.csv")
    ]
    return ["replay", "lobster", "TOY_messages.csv", *options]


def test_a_replay_without_an_exchange_starts_one_and_sums_up(
    run: Run, words: list[str], tmp_path: Path
) -> None:
    ran = run(*words)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == "symbol             TOY"
    assert "trades             2, 55 shares" in lines
    assert "best quotes        50 x 100.24 / 100.26 x 10" in lines
    assert "verify: best-quote states: 6 of 6, as expected" in lines
    assert not (tmp_path / "data").exists()


def test_what_does_not_come_out_ends_with_one(run: Run, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "TOY_verify.csv").write_text(QUOTES.replace("1002500,60,2", "1002500,61,2"))
    ran = run(*words, "--json")
    assert ran.code == 1
    assert ran.json["holds"] is False
    assert ran.json["comparisons"][0]["differences"]


def test_a_folder_that_is_named_keeps_the_market(run: Run, words: list[str], tmp_path: Path) -> None:
    assert run(*words, "--data", "market").code == 0
    assert run("journal", "check", "--data", "market").code == 0
    resumed = run(*words, "--data", "market", "--resume", "--json")
    assert resumed.code == 0, resumed.err
    assert (resumed.json["orders"], resumed.json["trades"]) == (0, 2)


def test_a_broken_line_names_file_and_line(run: Run, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "TOY_messages.csv").write_text(MESSAGES + "34201,1,13,10,100\n")
    ran = run(*words)
    assert ran.code == 2
    assert ran.err.startswith("exchange: TOY_messages.csv, line 10: needs 6 columns")


@pytest.mark.parametrize("speed", ["0", "fast", "-1", "1.5", "1000001"])
def test_a_speed_is_max_or_a_whole_multiple(run: Run, words: list[str], speed: str) -> None:
    ran = run(*words, f"--speed={speed}")
    assert ran.code == 2
    assert "--speed must be max or a whole multiple" in ran.err


def test_what_is_thrown_away_cannot_be_resumed(run: Run, words: list[str]) -> None:
    ran = run(*words, "--resume")
    assert ran.code == 2
    assert "name the folder with --data" in ran.err


def test_an_exchange_that_does_not_answer_is_unreachable(run: Run, words: list[str]) -> None:
    ran = run(*words, "--against", "http://127.0.0.1:1", "--key", "xk_operator")
    assert ran.code == 3
    assert "http://127.0.0.1:1 does not answer" in ran.err


def test_rejects_and_differences_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    from exchange.cli.replay import _print_summary

    figures = dict.fromkeys(
        [
            "messages", "resumed_after_row", "requests", "orders", "duplicates", "orders_per_s",
            "messages_per_s", "trades", "volume", "reconnects", "hidden", "out_of_turn", "out_of_turn_shares",
            "unknown", "halts", "remaining",
        ],
        0,
    )  # fmt: skip
    _print_summary(
        ReplaySummary(
            **figures, symbol="TOY", elapsed_s=0.5, rejects=1, first_rejects=["row 3: no"], bid=None,
            bid_qty=None, ask=None, ask_qty=None, comparisons=[Comparison("states", 2, 1, 2, ["row 2: other"])],
        )
    )  # fmt: skip
    out = capsys.readouterr().out
    assert "best quotes        none\nreject: row 3: no\n" in out
    assert "verify: states: 1 of 2, DIFFERS, 2 seen\n  row 2: other\n" in out


@needs_lobster
@pytest.mark.integration
@pytest.mark.timeout(600)
def test_the_real_ten_minutes_come_out_by_one_command(run: Run) -> None:
    ran = run(
        *("replay", "lobster", str(AAPL.messages), "--opening", str(AAPL.opening)),
        *("--exceptions", str(AAPL.exceptions), "--verify", str(AAPL.quotes), "--json"),
    )
    assert ran.code == 0, ran.err
    assert [each["equal"] for each in ran.json["comparisons"]] == [6_503, 932, 259, 0]


@pytest.mark.integration
@pytest.mark.timeout(300)
def test_a_kill_9_of_the_exchange_in_the_middle_of_a_replay_loses_nothing(tmp_path: Path) -> None:
    messages, quotes = write_flow(tmp_path, 3_000)
    job = ReplayJob(messages=messages, engine_url="", reporter_url="", operator_key="", place_file=tmp_path)
    wanted = sum(entry.quantity for entry in read_input(job).entries if isinstance(entry, Execute))
    place = ("--data", str(tmp_path / "data"), "--port-base", str(20_000 + os.getpid() % 20_000))

    with started("up", *place) as (process, facts):
        replay = ("replay", "lobster", str(messages), "--against", facts["engine"], "--json", *place)
        replaying = subprocess.Popen(
            command(*replay), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 60
        listing = ("order", "list", "--as", "auditor", "--status", "all", "--limit", "1000", "--json", *place)
        while len(ask(*listing).json) < 200:
            assert time.monotonic() < deadline, "the replay does not get going"
        process.kill()
        process.wait()
    with started("up", *place):
        out, err = replaying.communicate(timeout=120)
        assert replaying.returncode == 0, err
        summary = json.loads(out)
        assert (summary["rejects"], summary["volume"]) == (0, wanted)
        assert summary["reconnects"] > 0
        resumed = ask(*replay, "--resume", "--verify", str(quotes))
        assert resumed.code == 0, resumed.err
        assert resumed.json["orders"] == 0
        assert {each["what"]: each["equal"] for each in resumed.json["comparisons"]}["remaining orders"] > 0
        tape = ask("tape", summary["symbol"], "--limit", "100000", "--json", *place).json
        assert sum(int(trade["qty"]) for trade in tape) == wanted
    assert ask("journal", "check", *place).code == 0
