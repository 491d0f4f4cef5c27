"""`exchange journal …` reads what an engine wrote, for people and machines, and says where it is damaged."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.simulation.running import running_engine


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Make the data folder of an engine that ran once."""

    async def run_once() -> None:
        async with running_engine(tmp_path / "data"):
            pass

    asyncio.run(run_once())
    return tmp_path / "data"


def test_a_whole_journal_is_said_to_be(run: Run, written: Path) -> None:
    ran = run("journal", "check")
    assert ran.code == 0
    assert ran.out.endswith("all whole\n")
    assert run("journal", "check", "--json").json["problems"] == []


def test_a_damaged_journal_ends_with_one_and_says_where(run: Run, written: Path) -> None:
    segment = next((written / "engine" / "journal").glob("*.journal"))
    content = bytearray(segment.read_bytes())
    content[100] ^= 1
    segment.write_bytes(content)
    ran = run("journal", "check")
    assert ran.code == 1
    assert "problem: " in ran.out
    assert segment.name in ran.out


def test_what_a_journal_holds_is_counted(run: Run, written: Path) -> None:
    assert run("journal", "stat", "--json").json["by_type"]["StartEngine"] == 1
    assert "clean stops" in run("journal", "stat").out


def test_commands_are_shown_batch_by_batch(run: Run, written: Path) -> None:
    out = run("journal", "show", "--limit", "1").out
    assert "  1 StartEngine epoch=1\n" in out
    first = json.loads(run("journal", "show", "--limit", "1", "--json").out.splitlines()[0])
    assert first["commands"][0]["name"] == "StartEngine"


def test_a_snapshot_is_taken_on_request(run: Run, written: Path) -> None:
    taken = run("journal", "snapshot", "--json").json
    assert Path(taken["path"]).exists()
    assert taken["command_sequence"] == run("journal", "check", "--json").json["last_sequence"]


def test_a_folder_without_a_journal_is_said_to_have_none(run: Run, tmp_path: Path) -> None:
    ran = run("journal", "check", "--data", str(tmp_path / "nothing"))
    assert ran.code == 2
    assert "holds no journal" in ran.err
