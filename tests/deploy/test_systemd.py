"""The systemd units: what systemd itself says of them, and that the product takes their settings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.infra.config import load_config

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
COMMAND = "/opt/exchange/bin/exchange"
EXPOSURE_MAX = 20
"""Of 100, by `systemd-analyze security`; a unit without any protection has 96."""
NAMES = (
    "exchange@engine.service",
    "exchange@clearing.service",
    "exchange@reporter.service",
    "exchange.target",
)

needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed (Debian: systemd)"
)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, with the command that this machine has."""
    folder = tmp_path / "system"
    shutil.copytree(UNITS, folder)
    service = folder / "exchange@.service"
    text = service.read_text()
    assert f"ExecStart={COMMAND} %i\n" in text
    service.write_text(text.replace(COMMAND, str(Path(sys.executable).parent / "exchange")))
    return folder


def analyze(units: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *words],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"},
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_units(units: Path) -> None:
    done = analyze(units, "verify", "--man=no", *NAMES)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
def test_a_mistake_in_a_unit_would_be_found(units: Path) -> None:
    service = units / "exchange@.service"
    service.write_text(service.read_text().replace("Type=notify", "Type=notified"))
    assert "notified" in analyze(units, "verify", "--man=no", *NAMES).stderr


@needs_systemd
def test_the_service_is_well_confined(units: Path) -> None:
    shutil.copy(units / "exchange@.service", units / NAMES[0])
    done = analyze(
        units,
        "security",
        "--offline=true",
        f"--threshold={EXPOSURE_MAX}",
        "--no-pager",
        str(units / NAMES[0]),
    )
    assert done.returncode == 0, done.stdout


def test_the_components_start_in_order_and_say_when_they_are_ready() -> None:
    service = (UNITS / "exchange@.service").read_text()
    assert "\nType=notify\n" in service
    assert "\nWatchdogSec=" in service
    assert (
        "After=exchange@engine.service" in (UNITS / "exchange@clearing.service.d" / "order.conf").read_text()
    )
    reporter = (UNITS / "exchange@reporter.service.d" / "order.conf").read_text()
    assert "After=exchange@engine.service exchange@clearing.service" in reporter


def test_the_product_takes_the_settings_of_the_unit() -> None:
    (line,) = [
        line
        for line in (UNITS / "exchange@.service").read_text().splitlines()
        if line.startswith("Environment=")
    ]
    config = load_config(env=dict(pair.split("=", 1) for pair in line.removeprefix("Environment=").split()))
    assert config.data_folder == Path("/var/lib/exchange")
