"""`exchange version` names what runs here."""

from __future__ import annotations

import platform

from exchange import __version__
from tests.cli.conftest import Run


def test_versions_are_named_for_people_and_machines(run: Run) -> None:
    found = run("version", "--json").json
    assert found["exchange"] == __version__
    assert found["python"] == platform.python_version()
    assert found["aiohttp"] != "not installed"
    assert f"exchange    {__version__}\n" in run("version").out
