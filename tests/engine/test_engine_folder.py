"""Where the engine keeps what."""

from __future__ import annotations

from pathlib import Path

from exchange.engine.engine_folder import EngineFolder


def test_everything_of_the_engine_lies_under_one_folder() -> None:
    folder = EngineFolder(Path("data/engine"))
    parts = (folder.journal, folder.events, folder.snapshots, folder.lock, folder.follower_report)
    assert [str(part.relative_to("data/engine")) for part in parts] == [
        "journal",
        "events",
        "snapshots",
        "lock",
        "follower.json",
    ]
