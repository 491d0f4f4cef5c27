"""What the keys of the sections take, where it is more than a type and a range."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.domain.symbol import DEFAULT_TICKS, TickTable
from exchange.infra.config_keys import Section, TableReader
from exchange.infra.config_sections import (
    DEFAULT_SYMBOLS,
    EngineConfig,
    ExchangeConfig,
    RedisConfig,
    SymbolConfig,
)

GOOD = {"symbol": "ABC", "name": "A", "reference_price": "1.00"}


def mistakes_in(section: type[Section], table: dict[str, Any]) -> list[str]:
    reader = TableReader("file", {})
    reader.read(section, table, "x")
    return [f"{problem.key}: {problem.message}" for problem in reader.problems]


def test_a_symbol_has_the_default_ticks_of_the_domain() -> None:
    assert all(TickTable(symbol.tick_rows).is_valid() for symbol in DEFAULT_SYMBOLS)
    assert DEFAULT_SYMBOLS[0].tick_rows == DEFAULT_TICKS


@pytest.mark.parametrize("symbol", ["A", "BRK.B", "X-1", "12345678"])
def test_good_symbols_are_taken(symbol: str) -> None:
    assert mistakes_in(SymbolConfig, {**GOOD, "symbol": symbol}) == []


@pytest.mark.parametrize("symbol", ["", "a", "TOO-LONG-1", "A B", "Ä"])
def test_bad_symbols_are_refused(symbol: str) -> None:
    (mistake,) = mistakes_in(SymbolConfig, {**GOOD, "symbol": symbol})
    assert mistake == f'[x] symbol: must be 1 to 8 characters A-Z 0-9 . -, got "{symbol}"'


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"name": " x"}, "[x] name: must be 1 to 64 bytes of printable text without a blank at either end"),
        ({"reference_price": "0"}, "[x] reference_price: price must be above 0"),
        ({"reference_price": "1.00001"}, "[x] reference_price: price has at most 4 decimals"),
        ({"reference_price": 1}, '[x] reference_price: must be text in quotes such as "189.20"'),
        ({"round_lot": 0}, "[x] round_lot: must be a whole number from 1 to 4294967295"),
        ({"ticks": []}, '[x] ticks: must be 1 to 16 rows, the first from "0", rising; got from: nothing'),
        (
            {"ticks": [{"from": "1", "tick": "0.01"}]},
            '[x] ticks: must be 1 to 16 rows, the first from "0", rising; got from: 1.00',
        ),
        (
            {"ticks": [{"from": "0", "tick": "1"}, {"from": "0", "tick": "2"}]},
            '[x] ticks: must be 1 to 16 rows, the first from "0", rising; got from: 0, 0',
        ),
        ({"allocation": ["lifo"]}, "[x] allocation: an allocation step begins with one of fifo, pro_rata"),
        (
            {"allocation": ["leveling"]},
            "[x] allocation: must be at most 8 steps, each where it can stand, without",
        ),
        (
            {"allocation": ["lead"]},
            "[x] allocation: must be at most 8 steps, each where it can stand, without lead",
        ),
        ({"allocation": ["fifo"] * 9}, "[x] allocation: must be at most 8 steps"),
        (
            {"bands_tier": 1, "corridor_static_bps": 5},
            "[x] bands_tier: must be 0 where there is a corridor, got 1",
        ),
        ({"bands_tier": 3}, "[x] bands_tier: "),
        ({"ticks": [{"from": "0", "tick": "0"}]}, "[[x.ticks]] 1 tick: price must be above 0"),
        ({"ticks": [{"form": "0", "tick": "1"}]}, '[[x.ticks]] 1 form: no such key; did you mean "from"?'),
    ],
)
def test_a_symbol_that_cannot_be_is_refused_with_the_reason(change: dict[str, Any], mistake: str) -> None:
    assert mistakes_in(SymbolConfig, {**GOOD, **change})[0].startswith(mistake)


@pytest.mark.parametrize("partition", ["0/1", "3/4", "127/128"])
def test_good_partitions_are_taken(partition: str) -> None:
    assert mistakes_in(EngineConfig, {"partition": partition}) == []


@pytest.mark.parametrize("partition", ["", "1", "1/1", "0/0", "0/129", "-1/2", "a/b", "0/1/2"])
def test_bad_partitions_are_refused(partition: str) -> None:
    (mistake,) = mistakes_in(EngineConfig, {"partition": partition})
    assert mistake.startswith('[x] partition: must be "number/count" such as "0/4"')


@pytest.mark.parametrize("time", ["00:00", "23:59", "never"])
def test_good_ends_of_the_day_are_taken(time: str) -> None:
    assert mistakes_in(EngineConfig, {"day_ends": time}) == []


@pytest.mark.parametrize("time", ["24:00", "1:00", "12:60", "noon", ""])
def test_bad_ends_of_the_day_are_refused(time: str) -> None:
    (mistake,) = mistakes_in(EngineConfig, {"day_ends": time})
    assert mistake.startswith('[x] day_ends: must be a time of day in UTC such as "00:00", or "never"')


@pytest.mark.parametrize("url", ["", "http://engine:8001", "https://exchange.example/", "http://[::1]:8001"])
def test_good_addresses_are_taken(url: str) -> None:
    assert mistakes_in(EngineConfig, {"url": url}) == []


@pytest.mark.parametrize("url", ["", "redis://h:6379/0", "rediss://u:p@h", "unix:///run/redis.sock"])
def test_good_addresses_of_redis_are_taken(url: str) -> None:
    assert mistakes_in(RedisConfig, {"url": url}) == []


def test_a_bad_address_of_redis_is_refused_without_showing_it() -> None:
    (mistake,) = mistakes_in(RedisConfig, {"url": "http://:secret@h"})
    assert mistake == "[x] url: must begin with redis://, rediss://, unix://, or be empty"


@pytest.mark.parametrize("url", ["engine:8001", "ftp://x", "http://", "http://x/y", "http://a b"])
def test_bad_addresses_are_refused(url: str) -> None:
    (mistake,) = mistakes_in(EngineConfig, {"url": url})
    assert mistake == f'[x] url: must be like "http://host:8001", or empty, got "{url}"'


@pytest.mark.parametrize(
    ("key", "value", "mistake"),
    [
        (
            "cors_origins",
            ["example.com"],
            'a list, each text in quotes, such as "https://example.com", got the list',
        ),
        ("host", "", 'text in quotes, without a blank, got the text ""'),
        ("data", "a?b", 'text in quotes, without a question mark, got the text "a?b"'),
        ("currency", "usd", 'text in quotes, three capital letters, got the text "usd"'),
    ],
)
def test_other_texts_are_refused_with_what_is_allowed(key: str, value: object, mistake: str) -> None:
    (found,) = mistakes_in(ExchangeConfig, {key: value})
    assert found.startswith(f"[x] {key}: must be {mistake}")
