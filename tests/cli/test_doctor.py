"""`exchange doctor` finds what is wrong and says what to do."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from exchange.cli import doctor
from exchange.cli.doctor import (
    health_of,
    is_free,
    look_at_disk,
    look_at_folder,
    nearest_present,
    sync_times_us,
)
from tests.cli.conftest import Run
from tests.cli.stub_component import StubComponent


def verdicts(run: Run, *words: str) -> dict[str, tuple[str, str]]:
    return {each["what"]: (each["verdict"], each["message"]) for each in run("doctor", "--json", *words).json}


def test_on_a_fresh_machine_nothing_is_bad(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        base = str(free.getsockname()[1] - 1)
    found = verdicts(run, "--port-base", base)
    assert found["python"][0] == "ok"
    assert found["data folder"] == ("ok", "data (not there yet, will be made)")
    assert found["disk"][1].startswith("fdatasync of 4 KiB takes ")
    assert found["engine"][1].endswith("is free")


def test_a_port_that_something_else_has_is_bad(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "HEALTH_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = run("doctor", "--port-base", str(taken.getsockname()[1] - 1))
    assert ran.code == 1
    assert "is taken by something else; choose another with --port-base" in ran.out


def test_a_component_that_answers_is_well(run: Run, component: StubComponent, data: Path) -> None:
    component.answer("GET", "/readyz", {"ready": True})
    assert verdicts(run)["engine"] == ("ok", f"answers at {component.url}")


def test_a_component_that_is_not_ready_says_why(component: StubComponent) -> None:
    component.answer("GET", "/readyz", {"message": "replaying the journal"}, 503)
    assert health_of(component.url) == "replaying the journal"
    component.answer("GET", "/readyz", b"oops", 500)
    assert health_of(component.url) == "status 500"
    assert health_of("http://127.0.0.1:1") == ""


def test_a_wrong_configuration_is_bad_and_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "exchange.toml").write_text("[engine]\nport = 70000\n")
    ran = run("doctor")
    assert ran.code == 1
    assert "[engine] port" in ran.out


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_is_bad(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    (finding,) = look_at_folder(tmp_path / "data")
    assert finding.verdict == "bad"


def test_a_folder_that_is_there_is_said_to_be(tmp_path: Path) -> None:
    assert look_at_folder(tmp_path)[0].message == f"{tmp_path} (there)"


def test_the_disk_is_measured_where_the_data_will_be(tmp_path: Path) -> None:
    times = sync_times_us(tmp_path)
    assert times == sorted(times)
    assert list(tmp_path.iterdir()) == []
    assert look_at_disk(tmp_path / "a" / "b")[0].what == "disk"


def test_the_nearest_folder_there_is_stands_for_one_that_is_not(tmp_path: Path) -> None:
    assert nearest_present(tmp_path / "a" / "b") == tmp_path
    assert nearest_present(tmp_path) == tmp_path


def test_a_port_can_be_free_or_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert not is_free("127.0.0.1", taken.getsockname()[1])
    assert is_free("127.0.0.1", 0)
