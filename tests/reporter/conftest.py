"""What several files of tests of the reporter begin with; a file may have its own stand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.reporter.reporter_stand import Stand
from tests.reporter.webhook_receiver import Receiver
from tests.reporter.webhook_stand import opened


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    """A reporter with two members and their keys."""
    async with Stand(tmp_path) as running:
        await opened(running)
        yield running


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Somebody who takes deliveries."""
    async with Receiver() as listening:
        yield listening
