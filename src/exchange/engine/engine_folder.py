"""Where the engine keeps what: one folder, its sub-folders and files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class EngineFolder(NamedTuple):
    """The engine's part of the data folder: `DATA/engine`."""

    path: Path

    @property
    def journal(self) -> Path:
        """Return the folder of the journal's segments."""
        return self.path / "journal"

    @property
    def events(self) -> Path:
        """Return the folder of the event log."""
        return self.path / "events"

    @property
    def snapshots(self) -> Path:
        """Return the folder of the snapshots."""
        return self.path / "snapshots"

    @property
    def lock(self) -> Path:
        """Return the file that the running engine locks."""
        return self.path / "lock"

    @property
    def follower_report(self) -> Path:
        """Return the file in which the follower says how far it is and what is wrong."""
        return self.path / "follower.json"
