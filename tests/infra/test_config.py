"""The configuration as a whole: where it is found, what overrides what, what is derived, and how mistakes read."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from exchange.infra.config import (
    Address,
    Config,
    ConfigError,
    EngineConfig,
    ExchangeConfig,
    load_config,
    mask_password,
    read_config,
    url_of,
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "exchange.toml") -> Path:
    file = Path(name)
    file.write_text(text)
    return file


def mistakes(text: str = "", env: dict[str, str] | None = None, **overrides: object) -> list[str]:
    file = write(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file, env or {}, overrides)
    return [str(problem) for problem in caught.value.problems]


# --- where it comes from ----------------------------------------------------------------------------


def test_without_a_file_everything_has_its_default() -> None:
    loaded = read_config(env={})
    assert loaded.config == Config()
    assert (loaded.file, loaded.origins) == (None, {})
    assert [symbol.symbol for symbol in loaded.config.symbols] == ["AAPL", "MSFT", "NVDA", "TSLA", "XYZ"]
    assert loaded.config.symbols[0].reference_price == 1_892_000


def test_the_file_in_the_working_folder_is_found() -> None:
    write('[exchange]\nname = "here"')
    loaded = read_config(env={})
    assert (loaded.config.exchange.name, loaded.file) == ("here", Path("exchange.toml"))


def test_the_named_file_wins_over_the_environment_and_that_over_the_working_folder() -> None:
    write('[exchange]\nname = "here"')
    write('[exchange]\nname = "variable"', "variable.toml")
    named = write('[exchange]\nname = "named"', "named.toml")
    env = {"EXCHANGE_CONFIG": "variable.toml"}
    assert load_config(env=env).exchange.name == "variable"
    assert load_config(named, env).exchange.name == "named"


def test_the_environment_wins_over_the_file_and_the_command_line_over_both() -> None:
    write("[exchange]\nport_base = 1000\n[engine]\nport = 1\nsegment_mib = 1\ndemo = true")
    env = {
        "EXCHANGE__ENGINE__PORT": "2",
        "EXCHANGE__ENGINE__SEGMENT_MIB": "2",
        "EXCHANGE__ENGINE__DEMO": "false",
    }
    loaded = read_config(None, env, {"engine.port": 3, "port_base": "3000", "data": None})
    engine = loaded.config.engine
    assert (engine.port, engine.segment_mib, engine.demo) == (3, 2, False)
    assert loaded.config.exchange == ExchangeConfig(port_base=3000)
    assert loaded.origins == {
        "engine.demo": "environment EXCHANGE__ENGINE__DEMO",
        "engine.segment_mib": "environment EXCHANGE__ENGINE__SEGMENT_MIB",
        "engine.port": "command line engine.port",
        "exchange.port_base": "command line port_base",
    }


def test_lists_and_nested_keys_can_come_from_the_environment() -> None:
    env = {
        "EXCHANGE__EXCHANGE__CORS_ORIGINS": '["https://a.example"]',
        "EXCHANGE__CLEARING__RULES__VERSION": "7",
        "EXCHANGE__SYMBOLS": '[{symbol = "ABC", name = "A", reference_price = "1"}]',
        "EXCHANGE__SIMULATION__CASH": "12.50",
        "OTHER": "x",
    }
    config = load_config(env=env)
    assert config.exchange.cors_origins == ("https://a.example",)
    assert config.clearing.rules.version == 7
    assert [symbol.symbol for symbol in config.symbols] == ["ABC"]
    assert config.simulation.cash == 125_000


# --- mistakes ---------------------------------------------------------------------------------------


def test_every_mistake_is_told_with_its_origin_and_key() -> None:
    text = """
[engine]
prot = 8001
port = "eight"
[[symbols]]
symbol = "aapl"
name = "Apple"
reference_price = "1"
"""
    env = {"EXCHANGE__ENGIN__PORT": "1", "EXCHANGE__BUS__KIND": "nqs"}
    assert mistakes(text, env, port_base="many") == [
        'environment EXCHANGE__ENGIN__PORT: no such section; did you mean "engine"?',
        'command line port_base: [exchange] port_base: must be a whole number from 0 to 65000, got the text "many"',
        'exchange.toml: [engine] prot: no such key; did you mean "port"?',
        'exchange.toml: [engine] port: must be a whole number from 0 to 65535, got the text "eight"',
        'environment EXCHANGE__BUS__KIND: [bus] kind: must be one of "memory", "none", "nsq", got the text "nqs"',
        'exchange.toml: [[symbols]] 1 symbol: must be 1 to 8 characters A-Z 0-9 . -, got "aapl"',
    ]


def test_broken_toml_is_told_with_its_line() -> None:
    (mistake,) = mistakes("[engine]\nport = = 1\n")
    assert mistake == "exchange.toml: is not TOML: Invalid value (at line 2, column 8)"


def test_a_file_that_is_not_there_says_how_to_make_one() -> None:
    with pytest.raises(ConfigError, match=r"gone.toml: cannot be read: No such file.*exchange config init"):
        load_config("gone.toml", {})
    with pytest.raises(ConfigError, match=r"gone\.toml"):
        load_config(None, {"EXCHANGE_CONFIG": "gone.toml"})


def test_a_folder_or_other_bytes_in_place_of_the_file_are_refused() -> None:
    Path("folder").mkdir()
    with pytest.raises(ConfigError, match=r"folder: cannot be read"):
        load_config("folder", {})
    Path("bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"bytes\.toml: is not UTF-8 text"):
        load_config("bytes.toml", {})


def test_a_symbol_listed_twice_is_refused() -> None:
    symbol = '[[symbols]]\nsymbol = "ABC"\nname = "A"\nreference_price = "1"\n'
    assert mistakes(symbol * 2) == [
        'exchange.toml: [[symbols]] 2 symbol: "ABC" is listed already, as number 1'
    ]


def test_two_components_on_one_port_are_refused() -> None:
    assert mistakes("[reporter]\nport = 8001\n[reporter.itch]\nport = 9000") == [
        "exchange.toml: [reporter] port: 8001 is the port of the engine too; give each its own"
    ]
    assert mistakes("[reporter.itch]\nport = 8011") == [
        "exchange.toml: [reporter.itch] port: 8011 is the port of the engine.ouch too; give each its own"
    ]


def test_an_override_below_something_that_is_no_table_is_told_once() -> None:
    assert mistakes("engine = 5", {"EXCHANGE__ENGINE__PORT": "1"}) == [
        "exchange.toml: [engine]: must be a table, got the number 5"
    ]


# --- what is derived --------------------------------------------------------------------------------


def test_addresses_follow_the_port_base() -> None:
    config = load_config(env={}, overrides={"port_base": 9000, "host": "0.0.0.0"})
    assert config.engine_address() == Address("0.0.0.0", 9001)
    assert config.reporter_address() == Address("0.0.0.0", 9002)
    assert config.clearing_address() == Address("0.0.0.0", 9003)
    assert config.engine_url() == "http://127.0.0.1:9001"
    assert config.clearing_url() == "http://127.0.0.1:9003"


def test_a_port_base_of_zero_lets_the_system_choose_every_port() -> None:
    config = load_config(env={}, overrides={"port_base": 0, "clearing.port": 7000})
    assert (config.engine_address().port, config.reporter_address().port) == (0, 0)
    assert config.clearing_address().port == 7000


def test_components_find_each_other_by_url_or_by_what_they_are_told() -> None:
    config = load_config(env={}, overrides={"engine.url": "http://engine:8001/"})
    assert config.engine_url_for("reporter") == "http://engine:8001"
    assert config.reporter_url_for_clearing() == "http://127.0.0.1:8002"
    told = load_config(
        env={}, overrides={"clearing.engine_url": "http://e/", "clearing.reporter_url": "http://r"}
    )
    assert told.engine_url_for("clearing") == "http://e"
    assert told.engine_url_for("reporter") == "http://127.0.0.1:8001"
    assert told.reporter_url_for_clearing() == "http://r"


def test_files_lie_in_the_data_folder_unless_told_otherwise() -> None:
    config = load_config(env={}, overrides={"data": "/srv/x"})
    assert config.component_folder("engine") == Path("/srv/x/engine")
    assert config.store_url_for("reporter") == "sqlite:////srv/x/reporter/reporter.sqlite"
    assert config.key_file_for("clearing") == Path("/srv/x/keys.json")
    told = load_config(env={}, overrides={"clearing.store_url": "postgresql://db", "clearing.key_file": "k"})
    assert told.store_url_for("clearing") == "postgresql://db"
    assert (told.key_file_for("clearing"), told.key_file_for("reporter")) == (
        Path("k"),
        Path("data/keys.json"),
    )


def test_the_partition_is_the_number_before_the_slash() -> None:
    assert msgspec.structs.replace(Config(), engine=EngineConfig(partition="3/4")).partition == 3


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (Address("127.0.0.1", 1), "http://127.0.0.1:1"),
        (Address("::", 1), "http://[::1]:1"),
        (Address("exchange.example", 1), "http://exchange.example:1"),
    ],
)
def test_an_address_becomes_a_url_that_this_machine_reaches(address: Address, url: str) -> None:
    assert url_of(address) == url


def test_a_password_in_a_url_is_masked() -> None:
    assert mask_password("postgresql://me:secret@db:5432/x") == "postgresql://me:***@db:5432/x"
    assert mask_password("sqlite:////srv/x.sqlite") == "sqlite:////srv/x.sqlite"
