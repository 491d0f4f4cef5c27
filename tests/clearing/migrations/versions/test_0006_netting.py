"""A store of version 0005 is brought to 0006 with the same cycles and instructions, and goes back."""

from __future__ import annotations

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

from exchange.clearing.app import MIGRATIONS
from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.cycle_store import first_cycle_fault, read_netted
from exchange.clearing.instruction_store import instruction_faults, read_open
from exchange.infra.store import open_store
from exchange.post_trade.rules import parse_rules
from tests.clearing.test_settlement_desk import MONDAY, TUESDAY, Desk


def test_closed_days_are_brought_over_whole(store_url: str) -> None:
    store = open_store(store_url, MIGRATIONS)
    desk = Desk(BookKeeper(store, parse_rules([]), 0))
    desk.begin(MONDAY)
    desk.stream.trade(1, 2, 100, price="189.00")
    desk.begin(TUESDAY)
    with as_file(files(MIGRATIONS)) as folder, store.connect() as connection:
        before = list(read_netted(connection, 0)), read_open(connection, 0)
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.downgrade(config, "0005")
    store.dispose()
    store = open_store(store_url, MIGRATIONS)
    with store.connect() as connection:
        assert before[0]
        assert before == (list(read_netted(connection, 0)), read_open(connection, 0))
        assert first_cycle_fault(connection, 0) == ""
        assert instruction_faults(connection, 0) == []
        assert len(inspect(connection).get_indexes("instructions")) == 2
    store.dispose()
