"""Tests of exchange.wire.rest.engine_stats: the statistics are one flat document of named groups."""

from __future__ import annotations

import msgspec

from exchange.wire.rest.engine_stats import CountersView, EngineStats


def test_every_group_of_the_statistics_is_described() -> None:
    (schema,), components = msgspec.json.schema_components([EngineStats])
    assert schema == {"$ref": "#/$defs/EngineStats"}
    for name in ("SequencesView", "CountersView", "QueueView", "JournalView", "RouteView"):
        assert components[name]["description"], name


def test_counters_name_their_rejects() -> None:
    counters = CountersView(orders=1, cancels=0, trades=0, rejects={"price_not_on_tick": 2}, resting_orders=1)
    assert msgspec.json.decode(msgspec.json.encode(counters), type=CountersView) == counters
