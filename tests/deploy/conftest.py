"""What the tests of the files for operators share: the series that a running exchange shows."""

from __future__ import annotations

import asyncio

import pytest

from tests.deploy.expressions import Shown, shown_by
from tests.launch.everything import shown_figures


@pytest.fixture(scope="package")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Run an exchange for a moment and keep what it shows."""
    texts = asyncio.run(shown_figures(tmp_path_factory.mktemp("figures") / "data"))
    return shown_by(texts.values())
