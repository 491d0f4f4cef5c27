"""Plans: only what differs becomes a command, and what the market would refuse is a mistake of the document."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.domain import commands as c
from exchange.domain.configuration import RULE_BYTES_MAX
from exchange.domain.order import Side
from exchange.domain.symbol import SymbolState, TickRow
from exchange.engine.config_plan import (
    Plan,
    Planner,
    allocation_commands,
    command_text,
    plan_texts,
    rule_commands,
)
from exchange.infra.config import Config
from exchange.infra.config_document import Document, values_of
from exchange.infra.config_keys import ConfigError
from tests.matching.desk import Desk

NICKEL = [{"from": "0", "tick": "0.05"}]
HALTED = {"id": "HALTED", "kind": "halted", "action": "hold"}
SMALL = {"id": "SMALL", "kind": "max_quantity", "limit": 10, "action": "hold"}
NEW = {"symbol": "ABC", "name": "Abc", "reference_price": "5.00"}


def plan(desk: Desk, tables: dict[str, Any], before: dict[str, Any] | None = None) -> Plan:
    planner = Planner(Config(), desk.venue.directory, lambda symbol: symbol != "ELSE", desk.venue.depth)
    return planner.plan(Document(version=4, values=values_of(before or {})), values_of(tables), 5)


def carried_out(desk: Desk, tables: dict[str, Any]) -> Desk:
    desk.send(*plan(desk, tables).commands)
    return desk


def refusal(desk: Desk, tables: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        plan(desk, tables)
    return str(caught.value)


def test_a_new_symbol_needs_little_and_a_listed_one_only_what_changes() -> None:
    found = plan(
        Desk(), {"symbols": [NEW, {"symbol": "XYZ", "ticks": NICKEL, "state": "active", "round_lot": 1}]}
    )
    assert found.commands == [
        c.ConfigureSymbol(
            configuration_version=5, symbol="ABC", name="Abc", reference_price=50_000, round_lot=1,
            state=SymbolState.ACTIVE, ticks=(TickRow(0, 1), TickRow(10_000, 100)),
        ),
        c.ConfigureSymbol(configuration_version=5, symbol="XYZ", ticks=(TickRow(0, 500),)),
    ]  # fmt: skip
    assert [tuple(row) for row in found.rows][-1] == (
        "symbols.XYZ.ticks", "0.0001 from 0, 0.01 from 1.00", "0.05 from 0", "sequenced",
    )  # fmt: skip
    assert [command_text(command) for command in found.commands][1] == "XYZ: ticks 0.05 from 0"


def test_what_the_market_has_already_makes_no_command() -> None:
    tables = {
        "symbols": [NEW, {"symbol": "XYZ", "reference_price": "11.00", "state": "suspended"}],
        "clearing": {"rules": {"version": 3}, "rule": [SMALL, HALTED]},
    }
    desk = Desk()
    assert len(plan(desk, tables).commands) == 4
    carried_out(desk, tables)
    again = plan(desk, tables, before=tables)
    assert (again.commands, again.rows) == ([], [])


def test_rules_are_compared_by_their_ids_and_given_whole() -> None:
    first = {"clearing": {"rules": {"version": 3}, "rule": [SMALL, HALTED]}}
    desk = carried_out(Desk(), first)
    second = plan(desk, {"clearing": {"rules": {"version": 4}, "rule": [SMALL | {"limit": 20}, HALTED]}})
    assert [row.key for row in second.rows] == ["clearing.rule.SMALL", "clearing.rules.version"]
    assert [command_text(command)[:24] for command in second.commands] == [
        "clearing's rule 1 of 2: ", "clearing's rule 2 of 2: ",
    ]  # fmt: skip
    none = plan(desk, {})
    assert [command_text(command) for command in none.commands] == [
        "clearing's rules: those it was started with"
    ]
    assert [(row.key, row.after) for row in none.rows] == [
        ("clearing.rule.HALTED", "no such rule"), ("clearing.rule.SMALL", "no such rule"),
        ("clearing.rules.version", None),
    ]  # fmt: skip
    assert plan(Desk(), {}).commands == []


def test_keys_say_when_they_take_effect() -> None:
    found = plan(
        Desk(),
        {"exchange": {"log_level": "debug"}, "clearing": {"page_items_max": 5}},
        {"exchange": {"rate_per_s": 7}},
    )
    assert [tuple(row) for row in found.rows] == [
        ("clearing.page_items_max", None, 5, "at restart of clearing"),
        ("exchange.log_level", None, "debug", "at once"),
        ("exchange.rate_per_s", 7, None, "at once"),
    ]


def test_what_the_market_would_refuse_is_a_mistake_with_its_place() -> None:
    text = refusal(
        Desk(),
        {
            "symbols": [
                NEW,
                {"symbol": "XYZ", "ticks": NICKEL, "reference_price": "10.01"},
                {"symbol": "DEF", "reference_price": "5.00"},
            ]
        },
    )
    assert "2 mistakes" in text
    assert "[[symbols]] 2 XYZ: the market refuses it: " in text
    assert "[[symbols]] 3 DEF: is not listed yet, and a new symbol needs name and reference_price" in text


def test_mistakes_in_symbols_and_in_rules_are_told_together() -> None:
    text = refusal(
        Desk(), {"symbols": [{"symbol": "DEF"}], "clearing": {"rule": [{"id": "A", "kind": "no_such"}]}}
    )
    assert "2 mistakes" in text


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"id": "A", "kind": "no_such"}, "allowed are price_band"),
        ({"id": "A", "kind": "halted", "actoin": "hold"}, "did you mean 'action'"),
        ({"id": "A", "kind": "max_quantity", "limit": 10, "action": "eat"}, "allowed are"),
        ({"id": "A", "kind": "halted", "when": {"symbol": ["X" * RULE_BYTES_MAX]}}, "make two rules of it"),
    ],
)
def test_a_rule_that_clearing_could_not_read_is_a_mistake(rule: dict[str, Any], said: str) -> None:
    assert said in refusal(Desk(), {"clearing": {"rule": [rule]}})


def test_open_orders_and_symbols_left_out_are_told_beforehand() -> None:
    desk = Desk()
    desk.enter(Side.BUY, 10, 100_100)
    desk.enter(Side.BUY, 10, 100_500)
    found = plan(desk, {"symbols": [{"symbol": "XYZ", "ticks": NICKEL}]}, {"symbols": [{"symbol": "ABC"}]})
    assert found.notes == [
        "ABC stays as version 4 left it: this document does not name it",
        "XYZ: 2 open orders keep price and quantity, 1 of them off the new ticks; what is entered, amended or replaced "
        "from then on is checked",
    ]


def test_symbols_of_another_partition_are_looked_through_but_not_sequenced() -> None:
    found = plan(Desk(), {"symbols": [NEW | {"symbol": "ELSE"}]})
    assert found.commands == []
    assert "ELSE" in found.notes[0]


def test_rules_are_read_without_a_planner_too() -> None:
    assert rule_commands({}, Desk().venue.directory, 5) == []


def test_an_allocation_becomes_a_command_where_it_differs() -> None:
    desk = Desk()
    tables = {"symbols": [{"symbol": "XYZ", "allocation": ["top", "pro_rata,min=2", "fifo"]}]}
    found = plan(desk, tables)
    assert [tuple(row) for row in found.rows] == [
        ("symbols.XYZ.allocation", "price_time", "top,share=10000 pro_rata,min=2 fifo", "sequenced"),
    ]
    assert plan_texts(found) == ["XYZ: allocation top,share=10000 pro_rata,min=2 fifo"]
    assert found.commands == []
    desk.send(*allocation_commands(found.allocations, desk.venue.directory))
    assert plan(desk, tables).allocations == []
    assert plan(desk, {"symbols": [{"symbol": "XYZ"}]}).allocations == []
    taken_away = plan(desk, {"symbols": [{"symbol": "XYZ", "allocation": ["price_time"]}]})
    desk.send(*allocation_commands(taken_away.allocations, desk.venue.directory))
    assert plan(desk, tables).rows == found.rows


def test_a_new_symbol_is_listed_before_its_allocation_is_set() -> None:
    desk = Desk()
    found = plan(desk, {"symbols": [NEW | {"allocation": ["pro_rata", "fifo"]}]})
    assert found.rows[-1].before == "not listed"
    assert allocation_commands(found.allocations, desk.venue.directory) == []
    desk.send(*found.commands)
    (command,) = allocation_commands(found.allocations, desk.venue.directory)
    assert command.symbol_id == desk.venue.directory.symbol_ids["ABC"]
    assert plan(Desk(), {"symbols": [NEW | {"allocation": ["price_time"]}]}).allocations == []


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (["nonsense"], "begins with one of"),
        (["lead", "fifo"], "without lead"),
        (["leveling"], "each where it can stand"),
        (["fifo"] * 9, "at most 8 steps"),
        ([], "must not be empty"),
    ],
)
def test_an_allocation_that_cannot_be_is_a_mistake(steps: list[str], said: str) -> None:
    assert said in refusal(Desk(), {"symbols": [{"symbol": "XYZ", "allocation": steps}]})
