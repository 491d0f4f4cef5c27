"""How fast clearing judges and books trades: the books alone, and whole with its durable store.

`python -m benchmarks.clearing [--trades 50000] [--runs 3] [--batch 5000] [--postgres | --store URL]`. Fifty accounts
trade one symbol at random; each trade is judged by the built-in rules and booked in four transfers; the store syncs
every transaction to disk. --postgres starts a server for the run; --store takes a database that is there, and empties
the schema of clearing in it. CPU is that of this process, and says more where the machine does other things too.
"""

from __future__ import annotations

import argparse
import random
from itertools import pairwise

from benchmarks.run_info import Watch, describe, rates
from benchmarks.stores import add_store_options, new_stores
from exchange.clearing.app import MIGRATIONS
from exchange.clearing.book_keeper import BookKeeper, events_for_clearing
from exchange.domain import events as e
from exchange.domain.order import Side
from exchange.domain.symbol import DEFAULT_TICKS, SymbolState
from exchange.infra.store import open_store
from exchange.post_trade.books import Books
from exchange.post_trade.rules import DEFAULT_RULES, parse_rules
from exchange.wire.envelope import EventBatch
from exchange.wire.records import encode_event

SEED = 20261123
ACCOUNTS = 50
REFERENCE = 1_892_000
TIME_NS = 1_790_000_000_000_000_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trades", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=5_000, help="events per transaction")
    add_store_options(parser)
    arguments = parser.parse_args()
    for what, value in describe():
        print(f"{what:10} {value}")
    batches = trade_batches(arguments.trades, arguments.batch)
    print(
        f"{'seed':10} {SEED}\n{'trades':10} {arguments.trades:,}, {arguments.batch:,} events a transaction\n"
    )
    with new_stores(arguments, MIGRATIONS) as (kind, new_url):
        runs = [
            ("books", lambda: _books(batches)),
            (f"books with {kind}", lambda: _store(new_url(), batches)),
        ]
        for what, run in runs:
            print(rates(what, "trade", arguments.trades, [run() for _ in range(arguments.runs)]))


def _books(batches: list[EventBatch]) -> Watch:
    books = Books(parse_rules(DEFAULT_RULES))
    watch = Watch()
    for batch in batches:
        for event in events_for_clearing(batch.events, 0):
            books.take(event, lambda _: None)
        books.check()
        books.forget_changes()
    return watch.stop()


def _store(url: str, batches: list[EventBatch]) -> Watch:
    store = open_store(url, MIGRATIONS, synchronous="FULL")
    keeper = BookKeeper(store, parse_rules(DEFAULT_RULES), 0)
    watch = Watch()
    for batch in batches:
        keeper.commit(batch)
    watch.stop()
    store.dispose()
    return watch


def trade_batches(trades: int, size: int) -> list[EventBatch]:
    """Return the events of accounts that trade at random around the reference price, so many a batch."""
    chance = random.Random(SEED)
    records = [_event(e.SymbolAdded, 1, symbol_id=1, symbol="AAPL", name="Apple Inc.", reference_price=REFERENCE,
                      round_lot=1, state=SymbolState.ACTIVE, ticks=DEFAULT_TICKS)]  # fmt: skip
    for number in range(1, ACCOUNTS + 1):
        records.append(
            _event(e.AccountCreated, len(records) + 1, account_id=number, participant_id=number, name="a")
        )
    for _ in range(trades):
        maker, taker = chance.sample(range(1, ACCOUNTS + 1), 2)
        sequence = len(records) + 1
        records.append(
            _event(
                e.TradeExecuted, sequence, symbol_id=1, maker_order_id=sequence, taker_order_id=sequence + 1,
                maker_account_id=maker, taker_account_id=taker, price=REFERENCE + 100 * chance.randint(-50, 50),
                quantity=chance.randint(1, 500), reference_price=REFERENCE, maker_leaves=0, taker_leaves=0,
                taker_side=chance.choice(list(Side)), state=SymbolState.ACTIVE,
            )
        )  # fmt: skip
    starts = [*range(0, len(records), size), len(records)]
    return [
        EventBatch(0, 1, low + 1, high - low, b"".join(records[low:high])) for low, high in pairwise(starts)
    ]


def _event(kind: type[e.Event], sequence: int, **fields: object) -> bytes:
    made = kind(  # type: ignore[arg-type]
        sequence=sequence, command_sequence=sequence, time_ns=TIME_NS + sequence, epoch=1, **fields
    )  # fmt: skip
    return encode_event(made)


if __name__ == "__main__":
    main()
