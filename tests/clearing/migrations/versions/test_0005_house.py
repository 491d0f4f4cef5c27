"""A store of version 0004 is brought to 0005: what its cycles owe is to be settled; and it goes back."""

from __future__ import annotations

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

from exchange.clearing.app import MIGRATIONS
from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.house_tables import house_acts, instructions
from exchange.clearing.instruction_store import instruction_faults, read_open
from exchange.infra.store import open_store
from exchange.post_trade.rules import parse_rules
from tests.clearing.test_settlement_desk import MONDAY, TUESDAY, Desk

NEW = {"house_entries", "house_pending", "house_balances", "settlement_lines", "closing_prices", "margin_accounts",
       "house_defaults", "fee_charges", house_acts.name, instructions.name}  # fmt: skip


def test_what_cycles_owe_becomes_instructions(store_url: str) -> None:
    store = open_store(store_url, MIGRATIONS)
    desk = Desk(BookKeeper(store, parse_rules([]), 0))
    desk.begin(MONDAY)
    desk.stream.trade(1, 2, 100, price="189.00")
    desk.begin(TUESDAY)
    with as_file(files(MIGRATIONS)) as folder, store.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")
        assert not NEW & set(inspect(connection).get_table_names())
    store.dispose()
    store = open_store(store_url, MIGRATIONS)
    with store.connect() as connection:
        assert set(inspect(connection).get_table_names()) >= NEW
        found = [(each.account_id, each.due, each.quantity, each.cash) for each in read_open(connection, 0)]
        assert found == [(1, MONDAY, 100, -18_900_0000), (2, MONDAY, -100, 18_900_0000)]
        assert instruction_faults(connection, 0) == []
    store.dispose()
