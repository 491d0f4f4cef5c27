"""What every component shows of itself."""

from __future__ import annotations

from pathlib import Path

from exchange import __version__
from exchange.infra.component_metrics import about, component_metrics
from exchange.infra.metrics import exposition


def lines_of(folder: Path) -> list[str]:
    engine = about("engine", 3, folder, matcher="python", rules_version="2")
    return exposition(lambda: component_metrics(engine, None, None, None)).decode().splitlines()


def test_a_component_says_what_it_is_and_how_full_its_disk_is(tmp_path: Path) -> None:
    lines = lines_of(tmp_path)
    (build,) = [line for line in lines if line.startswith("exchange_build_info{")]
    for label in (
        'component="engine"',
        f'version="{__version__}"',
        'matcher="python"',
        'rules_version="2"',
        'partition="3"',
    ):
        assert label in build
    values = {line.split()[0]: float(line.split()[-1]) for line in lines if not line.startswith("#")}
    assert 0 < values["exchange_disk_free_bytes"] < values["exchange_disk_size_bytes"]
    assert values["exchange_start_time_seconds"] > 1_700_000_000


def test_a_folder_that_is_not_there_has_no_disk(tmp_path: Path) -> None:
    assert not any("exchange_disk" in line for line in lines_of(tmp_path / "none"))
