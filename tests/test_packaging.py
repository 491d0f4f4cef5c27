"""Build the distribution and check what a user gets: the package, its types, its command, nothing else."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

import exchange

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, check=True)
    return folder


def wheel_of(built: Path) -> zipfile.ZipFile:
    (wheel,) = built.glob("*.whl")
    return zipfile.ZipFile(wheel)


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    with wheel_of(built) as wheel:
        names = wheel.namelist()
    assert {name.split("/")[0] for name in names} == {
        "exchange",
        f"stock_exchange-{exchange.__version__}.dist-info",
    }
    assert "exchange/py.typed" in names
    assert not [name for name in names if "__pycache__" in name]


def test_the_wheel_holds_both_pages_where_the_terminal_was_built(built: Path) -> None:
    with wheel_of(built) as wheel:
        names = set(wheel.namelist())
    assert "exchange/reporter/page/index.html" in names
    if not (ROOT / "src/exchange/reporter/static/index.html").is_file():
        pytest.skip("the terminal was not built: make setup with Node.js 20.19 or newer")
    assert {"exchange/reporter/static/index.html", "exchange/reporter/static/licenses.txt"} <= names
    assert not [name for name in names if "node_modules" in name]


def test_the_wheel_says_its_version_licence_and_command(built: Path) -> None:
    folder = f"stock_exchange-{exchange.__version__}.dist-info"
    with wheel_of(built) as wheel:
        metadata = HeaderParser().parsestr(wheel.read(f"{folder}/METADATA").decode())
        commands = wheel.read(f"{folder}/entry_points.txt").decode()
    assert metadata["Version"] == exchange.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE", "NOTICE"]
    assert "exchange = exchange.cli:main" in commands


def test_the_source_distribution_can_be_built_and_tested_from(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    assert {"pyproject.toml", "Makefile", "requirements/dev.txt", "tests/test_house.py", "LICENSE"} <= names
    assert {"web/package-lock.json", "web/src/main.ts", "hatch_build.py"} <= names
    assert not [name for name in names if "node_modules" in name]


@pytest.mark.parametrize("name", ["core.txt", "dev.txt"])
def test_the_lock_fixes_every_dependency_with_a_hash(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text().replace("\\\n", " ")
    entries = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert entries
    assert not [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]
