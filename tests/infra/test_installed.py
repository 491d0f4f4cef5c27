"""What other installed packages bring: found by its group, refused whole where it cannot be loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.infra.errors import InfraError
from exchange.infra.installed import installed

GROUP = "exchange.tests_of_installed"


def install(folder: Path, name: str, points: str) -> None:
    info = folder / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{points}\n")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_entry_points_are_loaded_by_name(folder: Path) -> None:
    install(folder, "one", "path = pathlib:Path")
    assert installed(GROUP) == {"path": Path}
    assert installed(GROUP + ".nothing") == {}


def test_what_cannot_be_loaded_is_refused_by_name(folder: Path) -> None:
    install(folder, "two", "gone = no_such_module_here:Rule")
    with pytest.raises(InfraError, match=r"'gone' in .* cannot be loaded from no_such_module_here:Rule"):
        installed(GROUP)


def test_two_packages_with_one_name_are_refused(folder: Path) -> None:
    install(folder, "three", "path = pathlib:Path")
    install(folder, "four", "path = pathlib:PurePath")
    with pytest.raises(InfraError, match="two installed packages bring 'path'"):
        installed(GROUP)
