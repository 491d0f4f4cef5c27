"""What `exchange doctor` finds on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from exchange.cli import doctor_machine
from exchange.cli.doctor_machine import (
    kernel_clock,
    look_at_clock,
    look_at_disk,
    look_at_folder,
    look_at_keys,
    look_at_limits,
    look_at_matcher,
    look_at_time_keeping,
    look_at_versions,
    nearest_present,
    sync_times_us,
)


def test_a_part_that_is_missing_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [each.verdict for each in look_at_versions()] == ["ok", "ok"]
    found = {"python": "3.9", "exchange": "1", "aiohttp": "not installed"}
    monkeypatch.setattr(doctor_machine, "versions", lambda: found)
    monkeypatch.setattr(doctor_machine, "PYTHON_WANTED", (99, 0))
    python, parts = look_at_versions()
    assert (python.verdict, python.seen, python.do) == ("bad", "3.9", "install 3.11 or newer")
    assert (parts.verdict, parts.seen) == ("bad", "missing: aiohttp")


@pytest.mark.parametrize(
    ("wanted", "there", "verdict"),
    [
        ("native", "native", "ok"),
        ("native", "python", "bad"),
        ("auto", "python", "ok"),
        ("auto", "native", "ok"),
        ("python", "native", "ok"),
    ],
)
def test_a_matcher_that_is_wanted_must_be_there(
    monkeypatch: pytest.MonkeyPatch, wanted: str, there: str, verdict: str
) -> None:
    monkeypatch.setattr(doctor_machine, "versions", lambda: {"matcher": there})
    (finding,) = look_at_matcher(wanted)
    assert finding.verdict == verdict
    assert bool(finding.do) == (verdict == "bad")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_is_bad(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    (finding,) = look_at_folder(tmp_path / "data")
    assert finding.verdict == "bad"


def test_a_folder_that_is_there_is_said_to_be(tmp_path: Path) -> None:
    assert look_at_folder(tmp_path)[0].seen == f"{tmp_path} (there)"


def test_a_disk_that_is_almost_full_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_machine, "FREE_BYTES_WANTED", 1 << 60)
    space = look_at_folder(tmp_path)[1]
    assert (space.verdict, space.do) == ("warning", "free some: with a full disk the engine halts")


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    assert look_at_keys(file)[0].seen.endswith("is not there yet, the engine's first start makes it")
    file.write_text("{}")
    file.chmod(0o600)
    assert look_at_keys(file)[0].verdict == "ok"
    for mode in (0o640, 0o604):
        file.chmod(mode)
        (finding,) = look_at_keys(file)
        assert (finding.verdict, finding.seen) == ("bad", f"{file} can be read by others (mode {mode:o})")
        assert f"chmod 600 {file}" in finding.do


def test_the_disk_is_measured_where_the_data_will_be(tmp_path: Path) -> None:
    times = sync_times_us(tmp_path)
    assert times == sorted(times)
    assert list(tmp_path.iterdir()) == []
    assert look_at_disk(tmp_path / "a" / "b")[0].what == "disk"


def test_a_slow_disk_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_machine, "sync_times_us", lambda folder: [9_000] * 50)
    (finding,) = look_at_disk(tmp_path)
    assert (finding.verdict, finding.seen) == (
        "warning", "fdatasync of 4 KiB takes 9000 µs, at most 9000 µs of 50",
    )  # fmt: skip
    assert "every answer waits that long" in finding.do


def test_a_clock_of_the_past_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look_at_clock()[0].verdict in ("ok", "warning")
    monkeypatch.setattr(doctor_machine, "YEAR_WANTED", 9_999)
    assert look_at_clock()[0].verdict == "bad"


def test_a_clock_that_nothing_keeps_right_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    for answer, verdicts in (((120, True), ["ok"]), ((16_000_000, False), ["warning"]), (None, [])):
        monkeypatch.setattr(doctor_machine, "kernel_clock", lambda answer=answer: answer)
        assert [each.verdict for each in look_at_time_keeping()] == verdicts


def test_the_kernel_says_how_wrong_the_clock_may_be() -> None:
    answer = kernel_clock()
    if answer is not None:
        assert 0 <= answer[0] <= 60_000_000


def test_few_files_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_machine.resource, "getrlimit", lambda which: (64, 64))
    (finding,) = look_at_limits()
    assert (finding.verdict, finding.do) == ("warning", "raise it with `ulimit -n 1024`")


def test_the_nearest_folder_there_is_stands_for_one_that_is_not(tmp_path: Path) -> None:
    assert nearest_present(tmp_path / "a" / "b") == tmp_path
    assert nearest_present(tmp_path) == tmp_path
