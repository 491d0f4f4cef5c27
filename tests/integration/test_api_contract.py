"""Each component does what its OpenAPI document says, whatever is thrown at it: schemathesis over all three."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.exchange_process import Client, ExchangeProcess

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
SEED = 20261123
EXAMPLES = 15


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangeProcess]:
    with ExchangeProcess(tmp_path_factory.mktemp("contract") / "data") as running:
        yield running


@pytest.mark.parametrize("component", ["engine", "reporter", "clearing"])
def test_a_component_keeps_to_its_openapi_document(
    exchange: ExchangeProcess, component: str, tmp_path: Path
) -> None:
    url = exchange.url(component)
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"), "run", f"{url}/openapi.json", "--no-color",
            "--header", f"Authorization: Bearer {exchange.keys()['operator']}", "--max-examples", str(EXAMPLES),
            "--seed", str(SEED), "--request-timeout", "20", "--workers", "1", "--suppress-health-check", "all",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"seed {SEED}\n{done.stdout[-8000:]}{done.stderr[-2000:]}"
    assert Client(url).call("GET", "/readyz")[0] == 200, "the component is no longer ready"
