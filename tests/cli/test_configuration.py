"""`exchange config …` finds mistakes, shows what is in force and why, and writes a file to begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_the_file_that_is_written_has_no_mistakes(run: Run, tmp_path: Path) -> None:
    assert run("config", "init").out == "wrote exchange.toml; edit it, then `exchange config check`\n"
    assert run("config", "check").out == "no mistakes: exchange.toml\n"
    assert run("config", "check", "--json").json == {"file": "exchange.toml", "mistakes": 0}


def test_a_file_that_is_there_stays_as_it_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "exchange.toml").write_text("# mine\n")
    ran = run("config", "init")
    assert ran.code == 2
    assert "is there already and stays as it is" in ran.err
    assert (tmp_path / "exchange.toml").read_text() == "# mine\n"


def test_mistakes_are_told_with_file_key_and_the_nearest_right_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("[engine]\nprot = 1\n")
    ran = run("config", "check", "other.toml")
    assert ran.code == 2
    assert "other.toml" in ran.err
    assert "[engine] prot" in ran.err
    assert 'did you mean "port"' in ran.err


def test_a_wrong_clearing_rule_is_a_mistake_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "exchange.toml").write_text('[[clearing.rule]]\nid = "A"\nkind = "self_trad"\n')
    ran = run("config", "check")
    assert ran.code == 2
    assert "self_trade" in ran.err


def test_what_is_in_force_is_shown_with_where_it_came_from(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXCHANGE__ENGINE__PORT", "9001")
    out = run("config", "show", "--port-base", "7000").out
    assert "port = 9001  # environment EXCHANGE__ENGINE__PORT" in out
    shown = run("config", "show", "--port-base", "7000", "--json").json
    assert shown["config"]["exchange"]["port_base"] == 7000
    assert shown["file"] is None


def test_passwords_are_not_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE__REPORTER__STORE_URL", "postgresql://ann:secret@db/x")
    for words in (("config", "show"), ("config", "show", "--json")):
        assert "secret" not in run(*words).out
