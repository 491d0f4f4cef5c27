"""What a document may hold: every key has its time, secrets stay out, and it is refused whole with every mistake."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import fields

from exchange.domain.symbol import TickRow
from exchange.infra.config import Config, load_config
from exchange.infra.config_document import (
    DOCUMENT_BYTES_MAX,
    Document,
    check_document,
    document_hash,
    effect_of,
    is_sealed,
    overlay,
    sealed,
    tables_of,
    value_at,
    values_of,
)
from exchange.infra.config_keys import ConfigError

STARTED = load_config(None, {}, {"exchange.rate_per_s": 5})
TABLES: dict[str, Any] = {
    "exchange": {"log_level": "debug"},
    "engine": {"segment_mib": 32},
    "symbols": [{"symbol": "ABC", "name": "Abc", "reference_price": "5.00"}],
    "clearing": {"rules": {"version": 2}, "rule": [{"id": "A", "kind": "halted"}]},
}


def refusal(tables: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        check_document(STARTED, values_of(tables), "x")
    return str(caught.value)


def test_a_file_is_read_by_key_path_and_written_back() -> None:
    values = values_of(TABLES)
    assert list(values) == [
        "exchange.log_level", "engine.segment_mib", "symbols", "clearing.rules", "clearing.rule",
    ]  # fmt: skip
    assert tables_of(values) == TABLES
    assert values_of({"loose": 1}) == {"loose": 1}


def test_every_key_of_the_configuration_has_its_time_or_a_reason_to_stay_out() -> None:
    for section in fields(Config):
        if section.name == "symbols":
            continue
        for field in fields(section.type):
            effect = effect_of(f"{section.name}.{field.encode_name}")
            assert (effect.when == "refused") == bool(effect.why)
            assert (effect.when == "at restart") == bool(effect.who)


@pytest.mark.parametrize(
    ("path", "when", "who"),
    [
        ("exchange.log_level", "at once", ()),
        ("redis.stale_s", "at once", ()),
        ("symbols", "sequenced", ()),
        ("clearing.rule", "sequenced", ()),
        ("engine.segment_mib", "at restart", ("engine",)),
        ("reporter.port", "at restart", ("reporter",)),
        ("bus.gap_wait_ms", "at restart", ("engine", "reporter", "clearing")),
    ],
)
def test_a_key_says_when_it_takes_effect(path: str, when: str, who: tuple[str, ...]) -> None:
    assert effect_of(path)[:2] == (when, who)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("redis.url", "may carry a password"),
        ("reporter.store_url", "may carry a password"),
        ("clearing.store_url", "may carry a password"),
        ("clearing.key_file", "leads to keys"),
        ("exchange.data", "data lie there"),
        ("exchange.name", "found by it"),
        ("exchange.config_approvals", "how many people must agree"),
        ("engine.partition", "whose data"),
        ("simulation.seed", "house traders"),
        ("exchange.log_levle", 'did you mean "log_level"'),
        ("exchnge.log_level", 'did you mean "exchange"'),
        ("exchange", "must be a table"),
        ("", "no such key"),
    ],
)
def test_what_may_not_stand_in_a_document_says_why(path: str, why: str) -> None:
    assert why in effect_of(path).why


def test_a_document_lies_over_what_a_component_was_started_with() -> None:
    values = values_of(TABLES)
    hot = overlay(STARTED, values, "x")
    assert (hot.exchange.log_level, hot.exchange.rate_per_s, hot.engine.segment_mib) == ("debug", 5, 16)
    later = overlay(STARTED, values, "x", ("at restart",))
    assert (later.exchange.log_level, value_at(later, "engine.segment_mib")) == ("info", 32)
    assert overlay(STARTED, values, "x", ("at restart",), ("engine.segment_mib",)) == STARTED
    assert overlay(STARTED, {}, "x") == STARTED


def test_the_symbols_of_a_document_are_read_with_what_they_leave_out() -> None:
    tables = {
        "symbols": [
            {"symbol": "ABC", "ticks": [{"from": "0", "tick": "0.05"}]},
            {"symbol": "XYZ", "state": "suspended"},
        ]
    }
    ticks, state = check_document(STARTED, values_of(tables), "x")
    assert (ticks.tick_rows, ticks.name, ticks.round_lot, ticks.reference_price) == (
        (TickRow(0, 500),),
        "",
        0,
        0,
    )
    assert (state.symbol, state.state, state.ticks) == ("XYZ", "suspended", ())


def test_a_document_is_refused_whole_with_every_mistake() -> None:
    text = refusal(
        {
            "exchange": {"rate_per_s": -1, "log_level": "debug", "log_levle": "debug"},
            "engine": {"port": 70_000},
            "redis": {"url": "redis://:secret@host"},
            "symbols": [{"symbol": "abc"}, {"symbol": "OK", "round_lot": 0}, {"symbol": "OK", "name": ""}, 5],
            "clearing": {"rules": {"version": 0}},
        }
    )
    for said in (
        "[exchange] rate_per_s: must be a whole number from 0",
        'did you mean "log_level"?',
        "[engine] port: must be a whole number from 0 to 65535",
        "[redis] url: stands in the file of each component only",
        '[[symbols]] 1 symbol: must be 1 to 8 characters A-Z 0-9 . -, got "abc"',
        "[[symbols]] 2 round_lot: must be a whole number from 1",
        "[[symbols]] 3 name: must not be empty; leave it out to leave it as it is",
        "must be a table, got the number 5",
        "[clearing.rules] version: must be a whole number from 1",
        "has none: write them as [[clearing.rule]]",
    ):
        assert said in text, text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"symbols": 5}, "must be a list of tables"),
        ({"symbols": {"a": 5}}, "'symbols' is a key, not a section"),
        ({"symbols": [{"symbol": "A", "ticks": []}]}, "must not be empty"),
        ({"symbols": [{"symbol": "A", "ticks": [{"from": "1", "tick": "1"}]}]}, 'the first from "0"'),
        ({"symbols": [{"symbol": "A"}, {"symbol": "A"}]}, "stands in the document already"),
        ({"symbols": [{"symbol": "A", "state": "paused"}]}, 'must be one of "active", "suspended"'),
        ({"symbols": [{"symbol": "A", "tick": "0.01"}]}, 'did you mean "ticks"?'),
        ({"clearing": {"rule": {}}}, "must be a list of tables"),
        ({"clearing": {"rule": []}}, "must not be empty"),
        ({"clearing": {"rule": [1]}}, "must be a list of tables"),
        ({"clearing": {"rules": 1}}, "must be a table"),
        ({"bus": {"kind": "nsq", "nsqd": []}}, "must name at least one nsqd"),
        ({"engine": {"port": 8_002}}, "is the port of the"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(tables: dict[str, Any], said: str) -> None:
    assert said in refusal(tables)


def test_a_document_that_is_too_large_is_refused_with_its_size() -> None:
    tables = {"exchange": {"log_level": "x" * DOCUMENT_BYTES_MAX}}
    assert f"at most {DOCUMENT_BYTES_MAX} are taken" in refusal(tables)


def test_a_seal_holds_only_for_what_was_sealed_and_with_its_key() -> None:
    document = sealed(Document(version=3, values={"a": 1}), {"operator": "one", "component": "two"})
    assert is_sealed(document, "operator", "one")
    assert is_sealed(document, "component", "two")
    assert not is_sealed(document, "operator", "two")
    assert not is_sealed(document, "other", "one")
    for forged in (
        msgspec.structs.replace(document, version=4),
        msgspec.structs.replace(document, values={"a": 2}),
        msgspec.structs.replace(document, key_id=9),
        msgspec.structs.replace(document, seals={"operator": "é"}),
        msgspec.structs.replace(document, seals={}),
    ):
        assert not is_sealed(forged, "operator", "one")


def test_the_hash_of_a_document_does_not_depend_on_the_sequence_of_its_keys() -> None:
    assert document_hash({"a": 1, "b": 2}) == document_hash({"b": 2, "a": 1}) != document_hash({"a": 1})
