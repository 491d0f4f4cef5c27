"""Where the real LOBSTER sample lies, outside the project; tests that need it skip where it is absent."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

FOLDER = Path(__file__).parents[2] / ".." / "shared" / "data" / "lobster"


class LobsterData(NamedTuple):
    """The four files of one sample."""

    messages: Path
    opening: Path
    exceptions: Path
    quotes: Path


AAPL = LobsterData(
    *(
        FOLDER / f"AAPL_2012-06-21_{name}.csv"
        for name in (
            "message_50_first10min",
            "opening_book",
            "queue_exceptions_first10min",
            "best_quotes_first10min",
        )
    )
)
needs_lobster = pytest.mark.skipif(
    not AAPL.messages.exists(),
    reason="needs the LOBSTER sample in ../shared/data/lobster, which may not be part of the project",
)
