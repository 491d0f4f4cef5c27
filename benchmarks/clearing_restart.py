"""How long clearing takes to read its books at a start, by how many positions it has.

`python -m benchmarks.clearing_restart [--members 1000] [--symbols 5000] [--postgres]`. Every member has a position in
every symbol, and the ledger accounts of it; storing them is not measured. *Restart* is what stands between a start and
the next batch of events: directory, balances, positions, and the memory of the latest trades.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Iterator
from itertools import islice

from sqlalchemy import Engine, Table

from benchmarks.run_info import Watch, describe
from benchmarks.stores import add_store_options, new_stores
from exchange.clearing.app import MIGRATIONS
from exchange.clearing.store import read_books
from exchange.clearing.tables import balances, positions
from exchange.infra.bulk_insert import bulk_insert
from exchange.infra.store import begin_write, open_store
from exchange.post_trade.ledger import Holder, account_number
from exchange.post_trade.rules import parse_rules

PIECE = 50_000
GIB = 1 << 30


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=int, default=1_000)
    parser.add_argument("--symbols", type=int, default=5_000)
    add_store_options(parser)
    options = parser.parse_args()
    for what, value in describe():
        print(f"{what:10} {value}")
    with new_stores(options, MIGRATIONS) as (kind, new_store):
        print(f"{'store':10} {kind}\n", flush=True)
        url = new_store()
        store = open_store(url, MIGRATIONS)
        _fill(store, positions, _positions(options.members, options.symbols))
        _fill(store, balances, _balances(options.members, options.symbols))
        store.dispose()
        watch = Watch()
        store = open_store(url, MIGRATIONS)
        with store.connect() as connection:
            books = read_books(connection, 0, parse_rules([]))
        watch.stop()
        count, peak = (
            len(books.positions.positions),
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        )
        print(
            f"{'restart':10} {watch.wall_s:8.1f} s, {watch.cpu_s:.1f} s of CPU: "
            f"{count:,} positions; {peak / GIB:.2f} GiB"
        )
        store.dispose()


def _positions(members: int, symbols: int) -> Iterator[tuple[object, ...]]:
    for account_id in range(1, members + 1):
        for symbol_id in range(1, symbols + 1):
            yield 0, account_id, symbol_id, 0, 700, 600, "132440000", "113520000"


def _balances(members: int, symbols: int) -> Iterator[tuple[object, ...]]:
    for account_id in range(1, members + 1):
        for asset in range(1, symbols + 1):
            number = account_number(Holder.DUE, account_id, asset)
            yield 0, number, account_id, asset, Holder.DUE.value, "600", "700"


def _fill(store: Engine, table: Table, rows: Iterator[tuple[object, ...]]) -> None:
    while piece := list(islice(rows, PIECE)):
        with begin_write(store) as connection:
            bulk_insert(connection, table, tuple(table.c.keys()), piece)


if __name__ == "__main__":
    main()
