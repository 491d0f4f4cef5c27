"""What tests of several packages share: the databases that stores are run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.infra.postgres_server import WHY_NOT, PostgresServer

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)]
"""What every suite of a store is run on."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Start a PostgreSQL for this run of the tests."""
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=DATABASES)
def new_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Give the address of a database by a name, the same for the same name; each test has its own ones."""
    if request.param == "sqlite":
        return lambda name: f"sqlite:///{tmp_path / name}.sqlite"
    server: PostgresServer = request.getfixturevalue("postgres")
    urls: dict[str, str] = {}
    return lambda name: urls.get(name) or urls.setdefault(name, server.new_database())


@pytest.fixture
def store_url(new_store_url: Callable[[str], str]) -> str:
    """Give the address of an empty database."""
    return new_store_url("store")
