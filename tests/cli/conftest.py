"""What the tests of the command line share: a component to talk to, a data folder with keys, and a way to run."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import structlog

from exchange.cli import main
from tests.cli.stub_component import StubComponent, stub_component

KEYS = {
    "operator": "xk_operator",
    "clearing": "xk_clearing",
    "auditor": "xk_auditor",
    "component": "xk_component",
    "risk": "xk_risk",
    "participants": {
        "alice": {"participant_id": 1, "account_id": 1, "key": "xk_alice"},
        "bob": {"participant_id": 2, "account_id": 2, "key": "xk_bob"},
    },
}


class Ran(NamedTuple):
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err)


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder, with no variable of the user in the way."""
    monkeypatch.chdir(tmp_path)
    for name in ("EXCHANGE_KEY", "EXCHANGE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Forget a log that a command set up: it writes to what the test captured."""
    yield
    logging.getLogger().handlers.clear()
    structlog.reset_defaults()


@pytest.fixture
def component() -> Iterator[StubComponent]:
    with stub_component() as stub:
        yield stub


@pytest.fixture
def data(tmp_path: Path, component: StubComponent) -> Path:
    """Make a data folder with keys, whose running exchange is the stub."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "keys.json").write_text(json.dumps(KEYS))
    addresses = dict.fromkeys(("engine", "reporter", "clearing"), component.url)
    (folder / "addresses.json").write_text(json.dumps(addresses))
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_command(*words: str) -> Ran:
        capsys.readouterr()
        code = main(words)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run_command
