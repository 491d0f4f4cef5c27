"""How fast a day is netted: the trades' sums while they come, and closing the day as clearing does it, in its store.

`python -m benchmarks.netting [--trades 10000000] [--members 1000] [--symbols 5000] [--days 1] [--postgres]`. Members
trade random symbols at random; making the trades is not measured. *Sums* is what clearing adds up for each trade as it
comes, all day. *Close* is all of `CycleDesk.close`: obligations with check and hash, instructions, closing prices,
audit entry, and the commit, synced. Of the day's trades only the last --stored-trades are in the store: closing looks
up one of each symbol and those that wait for a ruling, both by an index; no fees are configured. With --days 2 as many
trades come again, and the second day is netted against what the first one owes. The aim is 60 s and 4 GiB.
"""

from __future__ import annotations

import argparse
import random
import resource
from array import array
from collections.abc import Iterator

from sqlalchemy import Connection, Engine

from benchmarks.run_info import Watch, describe
from benchmarks.stores import add_store_options, new_stores
from exchange.clearing.app import MIGRATIONS
from exchange.clearing.book_keeper import BookKeeper
from exchange.clearing.cycle_desk import Cycle, CycleDesk
from exchange.clearing.store import TRADE_COLUMNS
from exchange.clearing.tables import trades as trades_table
from exchange.domain.events import SymbolAdded
from exchange.domain.order import Side
from exchange.domain.symbol import DEFAULT_TICKS, SymbolState
from exchange.domain.units import TimeNs
from exchange.infra.bulk_insert import bulk_insert
from exchange.infra.store import begin_write, open_store
from exchange.post_trade.books import Books
from exchange.post_trade.positions import Positions
from exchange.post_trade.review import Actor
from exchange.post_trade.rules import parse_rules
from exchange.post_trade.trade import Trade

SEED = 20261123
DAY = 20261123
PIECE = 100_000
GIB = 1 << 30


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trades", type=int, default=10_000_000)
    parser.add_argument("--members", type=int, default=1_000)
    parser.add_argument("--symbols", type=int, default=5_000)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--stored-trades", type=int, default=200_000)
    add_store_options(parser)
    options = parser.parse_args()
    for what, value in describe():
        print(f"{what:10} {value}")
    print(f"{'seed':10} {SEED}\n{'trades':10} {options.trades:,}, {options.members:,} x {options.symbols:,}")
    with new_stores(options, MIGRATIONS) as (kind, new_store):
        print(f"{'store':10} {kind}\n")
        store = open_store(new_store(), MIGRATIONS, synchronous="FULL")
        _run(store, options)
        store.dispose()


def _run(store: Engine, options: argparse.Namespace) -> None:
    keeper, positions, chance = BookKeeper(store, parse_rules([]), 0), Positions(), random.Random(SEED)

    def prepare(_: Connection, books: Books) -> None:
        books.positions = positions
        for symbol_id in range(1, options.symbols + 1):
            books.directory.apply(_symbol(symbol_id))

    keeper.within(prepare)
    desk = CycleDesk(keeper)
    for day in range(DAY, DAY + options.days):
        last, sums_s = _add_up(positions, options, day, chance)
        _store_trades(store, last[-options.stored_trades :])
        keeper.within(lambda _, books, next_day=day + 1: setattr(books, "business_date", next_day))  # type: ignore[misc]
        watch = Watch()
        cycle = desk.close(day, Actor(1, "benchmark"), "end of day", TimeNs(1))
        watch.stop()
        _say(cycle, watch, sums_s)


def _add_up(
    positions: Positions, options: argparse.Namespace, day: int, chance: random.Random
) -> tuple[list[Trade], float]:
    busy_s = cpu_s = 0.0
    last: list[Trade] = []
    for piece in _trades(options.trades, options.members, options.symbols, day, chance):
        watch = Watch()
        for trade in piece:
            positions.add_trade(trade)
        positions.forget_touched()
        watch.stop()
        busy_s, cpu_s = busy_s + watch.wall_s, cpu_s + watch.cpu_s
        last = [*last, *piece][-options.stored_trades :]
    print(
        f"{'sums':10} {busy_s:8.1f} s, {cpu_s:.1f} s of CPU: {options.trades / busy_s:,.0f} trades/s; {_peak()}",
        flush=True,
    )
    return last, busy_s


def _trades(count: int, members: int, symbols: int, day: int, chance: random.Random) -> Iterator[list[Trade]]:
    for start in range((day - DAY) * count, (day - DAY + 1) * count, PIECE):
        size = min(PIECE, (day - DAY + 1) * count - start)
        buyers, sellers = (array("H", chance.choices(range(1, members + 1), k=size)) for _ in range(2))
        yield [
            _trade(start + number, buyer, seller if seller != buyer else seller % members + 1, symbol_id, dice, day)
            for number, (buyer, seller, symbol_id, dice) in enumerate(
                zip(buyers, sellers, chance.choices(range(1, symbols + 1), k=size),
                    chance.choices(range(1, 501), k=size), strict=True), 1,
            )
        ]  # fmt: skip


def _trade(number: int, buyer: int, seller: int, symbol_id: int, dice: int, day: int) -> Trade:
    return Trade(
        match_id=number, partition=0, epoch=1, sequence=number, symbol_id=symbol_id,  # type: ignore[arg-type]
        price=1_892_000 + 100 * dice, quantity=dice, buy_account_id=buyer, sell_account_id=seller,  # type: ignore[arg-type]
        buy_order_id=number, sell_order_id=number, taker_side=Side.BUY, reference_price=1_892_000,  # type: ignore[arg-type]
        symbol_state=SymbolState.ACTIVE, executed_ns=number, business_date=day,  # type: ignore[arg-type]
    )  # fmt: skip


def _symbol(symbol_id: int) -> SymbolAdded:
    return SymbolAdded(
        sequence=symbol_id, command_sequence=symbol_id, time_ns=TimeNs(1), epoch=1, symbol_id=symbol_id,  # type: ignore[arg-type]
        symbol=f"S{symbol_id}", name="", reference_price=1_892_000, round_lot=100,  # type: ignore[arg-type]
        state=SymbolState.ACTIVE, ticks=DEFAULT_TICKS,
    )  # fmt: skip


def _store_trades(store: Engine, last: list[Trade]) -> None:
    names = tuple(column.name for column in TRADE_COLUMNS)
    with begin_write(store) as connection:
        bulk_insert(
            connection, trades_table, names, ([getattr(each, name) for name in names] for each in last)
        )


def _say(cycle: Cycle, watch: Watch, sums_s: float) -> None:
    count = f"{cycle.obligations:,} obligations, {cycle.obligations / watch.wall_s:,.0f} a second"
    print(f"{'close':10} {watch.wall_s:8.1f} s, {watch.cpu_s:.1f} s of CPU here: {count}; {_peak()}")
    print(f"{'both':10} {sums_s + watch.wall_s:8.1f} s; hash {cycle.hash.hex()}", flush=True)


def _peak() -> str:
    return f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB:.2f} GiB so far"


if __name__ == "__main__":
    main()
