"""The key for the engine: from the environment or the engine's file, or a clear refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.infra.component_key import given_component_key, read_component_key
from exchange.infra.errors import InfraError, SourceUnavailable


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text('{"operator": "xk_o", "component": "xk_file", "participants": {}}')
    assert read_component_key(file, {}) == "xk_file"
    key = "0123456789abcdef" * 4
    assert read_component_key(file, {"EXCHANGE_COMPONENT_KEY": f" {key}\n"}) == key


def test_a_key_that_could_be_guessed_is_refused() -> None:
    assert given_component_key({"EXCHANGE_COMPONENT_KEY": " "}) == ""
    with pytest.raises(InfraError, match="has 6 characters and must have at least 32"):
        given_component_key({"EXCHANGE_COMPONENT_KEY": "secret"})


def test_a_file_that_is_not_there_yet_can_be_waited_for(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"keys\.json is not there yet"):
        read_component_key(tmp_path / "keys.json", {})


@pytest.mark.parametrize("content", ["", "[]", '{"operator": "x"}', '{"component": 3}'])
def test_a_file_without_the_key_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(content)
    with pytest.raises(InfraError, match=r"keys\.json is not a file of keys"):
        read_component_key(file, {})


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InfraError, match="cannot be read"):
        read_component_key(tmp_path, {})
