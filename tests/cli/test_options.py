"""Addresses and keys are found in one order of precedence, and what is missing is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exchange.cli.failures import InputError, UsageError
from exchange.cli.options import Options, Where
from tests.cli.stub_component import StubComponent


def key_of(options: Options) -> str:
    connection = options.trader()
    return connection._headers.get("Authorization", "").removeprefix("Bearer ")


def test_an_address_comes_from_the_running_exchange_of_the_folder(
    component: StubComponent, data: Path
) -> None:
    assert Options(data=data).address("reporter") == component.url
    assert Options().address("engine") == component.url


def test_a_port_base_wins_over_what_the_folder_says(data: Path) -> None:
    assert Options(data=data, port_base=9000).address("clearing") == "http://127.0.0.1:9003"


def test_an_address_on_the_command_line_wins_over_all(data: Path) -> None:
    assert Options(data=data, url="http://10.0.0.1:7", port_base=9000).trader().url == "http://10.0.0.1:7"


def test_without_anything_the_configuration_has_the_addresses(tmp_path: Path) -> None:
    assert Options().address("engine") == "http://127.0.0.1:8001"
    (tmp_path / "exchange.toml").write_text('[engine]\nurl = "http://engine:1"\n')
    assert Options().address("engine") == "http://engine:1"


def test_the_first_participant_trades_unless_another_is_named(data: Path) -> None:
    assert key_of(Options()) == "xk_alice"
    assert key_of(Options(as_="bob")) == "xk_bob"
    assert key_of(Options(as_="operator")) == "xk_operator"


def test_a_key_wins_over_the_environment_and_that_over_the_folder(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXCHANGE_KEY", "xk_environment")
    assert key_of(Options()) == "xk_environment"
    assert key_of(Options(key="xk_given")) == "xk_given"


def test_an_unknown_name_is_told_with_those_there_are(data: Path) -> None:
    with pytest.raises(UsageError, match="no key of 'carol'; it has keys of: alice, bob, operator, clearing"):
        key_of(Options(as_="carol"))


def test_a_missing_key_file_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no key: data/keys\.json is not there; start an exchange"):
        key_of(Options())


def test_what_everyone_may_read_needs_no_key(tmp_path: Path) -> None:
    assert "Authorization" not in Options().public("engine")._headers


@pytest.mark.parametrize(
    ("text", "says"), [("{", "is not JSON"), ("[]", "must hold a JSON object, got list")]
)
def test_a_broken_key_file_is_named(data: Path, text: str, says: str) -> None:
    (data / "keys.json").write_text(text)
    with pytest.raises(InputError, match=says):
        key_of(Options())


def test_a_wrong_configuration_is_told_with_every_mistake(tmp_path: Path) -> None:
    (tmp_path / "exchange.toml").write_text("[engine]\nprot = 1\n")
    with pytest.raises(InputError) as caught:
        Where().load()
    assert "[engine] prot" in str(caught.value)
    assert json.dumps(caught.value.details["problems"])
