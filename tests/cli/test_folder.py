"""`exchange backup` and `exchange restore` copy whole data folders and overwrite nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.cli.conftest import Run
from tests.simulation.running import running_engine


async def run_once(folder: Path) -> None:
    async with running_engine(folder):
        pass


def test_a_folder_comes_back_from_its_backup(run: Run, tmp_path: Path) -> None:
    asyncio.run(run_once(tmp_path / "data"))
    made = run("backup", "copy", "--json").json
    assert made["last_sequence"] > 0
    ran = run("restore", "copy", "--data", "again")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("made again from copy\nfiles ")
    assert run("journal", "check", "--data", "again").code == 0


def test_nothing_is_overwritten(run: Run, tmp_path: Path) -> None:
    asyncio.run(run_once(tmp_path / "data"))
    run("backup", "copy")
    for words in (("backup", "copy"), ("restore", "copy")):
        ran = run(*words)
        assert ran.code == 2
        assert "is not empty" in ran.err


def test_what_is_no_data_folder_cannot_be_backed_up(run: Run, tmp_path: Path) -> None:
    ran = run("backup", "copy")
    assert ran.code == 2
    assert "is no data folder of an engine" in ran.err
