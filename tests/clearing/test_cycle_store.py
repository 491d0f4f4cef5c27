"""What cycles owe is added up in the database, exactly whatever its size, and closing reads no whole day of trades."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, event

from exchange.clearing import cycle_desk, queries
from exchange.clearing.cycle_store import (
    NO_CYCLES,
    Cycle,
    add_to_netted,
    first_cycle_fault,
    last_cycle,
    list_cycles,
    list_obligations,
    read_netted,
    save_cycle,
    save_obligations,
)
from exchange.clearing.queries import TradeFilter
from exchange.infra.store import begin_write
from exchange.post_trade.netting import Obligation, sum_of

MONDAY, TUESDAY = 20261123, 20261124
HUGE = 10**30


def test_sums_of_any_size_are_exact_and_what_is_new_is_added(store: Engine) -> None:
    with begin_write(store) as connection:
        save_obligations(connection, 0, MONDAY, [Obligation(1, 1, 5, HUGE), Obligation(1, 2, -5, -HUGE)])
        add_to_netted(connection, 0, MONDAY)
        save_obligations(connection, 0, TUESDAY, [Obligation(1, 1, -7, HUGE), Obligation(9, 1, 2, 3)])
        add_to_netted(connection, 0, TUESDAY)
        save_obligations(connection, 1, TUESDAY, [Obligation(1, 1, 1, 1)])
        assert list(read_netted(connection, 0)) == [
            ((1, 1), (-2, 2 * HUGE)),
            ((1, 2), (-5, -HUGE)),
            ((9, 1), (2, 3)),
        ]


def test_cycles_are_listed_and_their_hashes_made_anew(store: Engine) -> None:
    owed = [Obligation(1, 1, 5, -10), Obligation(2, 1, -5, 10)]
    hashed = sum_of(NO_CYCLES, MONDAY, owed).hash
    cycle = Cycle(MONDAY, 5, 7, 2, 0, "otto", "end of day", hashed)
    with begin_write(store) as connection:
        save_obligations(connection, 0, MONDAY, owed)
        add_to_netted(connection, 0, MONDAY)
        save_cycle(connection, 0, cycle)
        assert last_cycle(connection, 0) == cycle
        assert list_cycles(connection, 0, MONDAY, 5) == []
        assert list_obligations(connection, 0, MONDAY, [2], (0, 0), 5) == [owed[1]]
        assert first_cycle_fault(connection, 0) == ""
        save_obligations(connection, 0, MONDAY, [Obligation(3, 1, 1, 0)])
        assert "not those that were closed" in first_cycle_fault(connection, 0)


@pytest.fixture
def plans(store: Engine) -> list[str]:
    """Gather how the database finds what is asked from here on."""
    if store.dialect.name != "sqlite":
        pytest.skip("PostgreSQL plans by how much it has, and has nothing here")
    found: list[str] = []

    @event.listens_for(store, "before_cursor_execute")
    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        found.extend(row[3] for row in cursor.fetchall())

    return found


def test_closing_and_counting_look_only_at_the_trades_they_want(store: Engine, plans: list[str]) -> None:
    with store.connect() as connection:
        list(cycle_desk._left_out(connection, 0, MONDAY))
        cycle_desk._waiting(connection, 0, MONDAY)
        queries.last_price(connection, 0, 1, MONDAY)
        queries.count_by_state(connection, 0)
        queries.list_trades(connection, 0, TradeFilter(state="held"), 5)
    on_trades = [plan for plan in plans if "trades" in plan]
    assert on_trades == [
        "SEARCH trades USING INDEX trades_by_state (state=?)",
        "SEARCH trades USING INDEX trades_by_date (business_date>?)",
        "SEARCH trades USING INDEX trades_by_state (state=?)",
        "SEARCH trades USING INDEX trades_by_symbol (symbol_id=?)",
        "SEARCH trades USING INDEX trades_by_state (state=?)",
        "SEARCH trades USING INDEX trades_by_state (state=?)",
    ]
