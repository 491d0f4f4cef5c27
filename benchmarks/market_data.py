"""How fast the reporter takes events in: books alone, and whole with its store; and how many trades a second.

`python -m benchmarks.market_data [--commands 100000] [--runs 3] [--batch 1000] [--trading 0.1]
[--postgres | --store URL]`. The events are those of a venue with seeded flow in one symbol: orders, of which a share
trades at once, and cancels. The last figure is of trades alone, which go into the tape, its candles and the store.
--postgres starts a server for the run; --store takes a database that is there, and empties the reporter's schema in it.
CPU is that of this process, and says more where the machine does other things too.
"""

from __future__ import annotations

import argparse
import random
from itertools import islice

from benchmarks.clearing import trade_batches
from benchmarks.run_info import Watch, describe, rates
from benchmarks.stores import add_store_options, new_stores
from exchange.domain import commands as c
from exchange.domain.events import TradeExecuted
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.units import AccountId, OrderId, ParticipantId, Price, Quantity, SymbolId, public_id
from exchange.market_data.book_builder import BookBuilder
from exchange.market_data.candles import DEFAULT_INTERVALS, parse_intervals
from exchange.matching.venue import Venue
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.store import MIGRATIONS, ReporterStore
from exchange.reporter.stream_hub import StreamHub
from exchange.wire.envelope import EventBatch
from exchange.wire.fields import RECORD_START, kind_of
from exchange.wire.records import encode_command, split

SEED = 20261123
LIVE_ORDERS = 1_000
REFERENCE = 1_892_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--commands", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=1_000, help="commands per stored batch")
    parser.add_argument("--trading", type=float, default=0.1, help="share of the orders that trade at once")
    add_store_options(parser)
    arguments = parser.parse_args()
    for what, value in describe():
        print(f"{what:10} {value}")
    batches = _batches(arguments.commands, arguments.batch, arguments.trading)
    events = sum(batch.count for batch in batches)
    trades = sum(map(_trades_in, batches))
    print(
        f"{'seed':10} {SEED}\n{'events':10} {events:,} of {arguments.commands:,} commands, {trades:,} trades\n"
    )
    with new_stores(arguments, MIGRATIONS) as (kind, new_url):
        runs = [
            ("books", lambda: _books(batches)),
            (f"reporter with {kind}", lambda: _reporter(new_url(), batches)),
        ]
        for what, run in runs:
            print(rates(what, "event", events, [run() for _ in range(arguments.runs)]))
        prints = trade_batches(arguments.commands, arguments.batch)
        watches = [_history(new_url(), prints) for _ in range(arguments.runs)]
        print(rates(f"trades into {kind}", "trade", arguments.commands, watches))


def _books(batches: list[EventBatch]) -> Watch:
    builder = BookBuilder()
    watch = Watch()
    for batch in batches:
        builder.apply(batch.events)
    return watch.stop()


def _reporter(url: str, batches: list[EventBatch]) -> Watch:
    """Store, move on and hand to a stream that nobody listens to, as the service does in its loop."""
    store = ReporterStore(url, 0, parse_intervals(DEFAULT_INTERVALS))
    market = LiveMarket(store.restore(1), trades_in_memory=1_000)
    hub = StreamHub(market, replay_messages=100_000, heartbeat_s=1)
    watch = Watch()
    for batch in batches:
        for _ in market.advance(store.commit(batch, market.builder), hub):
            pass
    watch.stop()
    store.close()
    return watch


def _history(url: str, batches: list[EventBatch]) -> Watch:
    """Store trades alone; the books are left out, for which their orders are missing."""
    store, builder = ReporterStore(url, 0, parse_intervals(DEFAULT_INTERVALS)), BookBuilder()
    store.restore(1)
    watch = Watch()
    for batch in batches:
        store.commit(batch, builder)
    watch.stop()
    store.close()
    return watch


def _batches(commands: int, size: int, trading: float) -> list[EventBatch]:
    """Return the events of seeded flow, a batch for so many commands."""
    venue, chance, live = Venue(), random.Random(SEED), list[int]()
    opening: list[c.Command] = [
        c.StartEngine(epoch=1),
        c.StartBusinessDay(date=20261123),
        c.AddSymbol(symbol="AAPL", name="Apple Inc.", reference_price=Price(REFERENCE)),
        c.CreateParticipant(name="a"),
        c.CreateAccount(participant_id=ParticipantId(1), name="a"),
    ]
    flow = (_command(chance, live, len(opening) + 1 + at, trading) for at in range(commands))
    batches, time_ns = [_apply(venue, opening, 10**18)], 10**18
    while wanted := list(islice(flow, size)):
        time_ns += 10_000_000
        batches.append(_apply(venue, wanted, time_ns))
    return batches


def _command(chance: random.Random, live: list[int], sequence: int, trading: float) -> c.Command:
    """Make the next command; a cancel may name an order that has traded, which is refused."""
    if len(live) > LIVE_ORDERS and chance.random() < 0.5:
        order_id = live.pop(chance.randrange(len(live)))
        return c.CancelOrder(order_id=OrderId(order_id), participant_id=ParticipantId(0))
    live.append(public_id(0, sequence))
    side = chance.choice((Side.BUY, Side.SELL))
    away = -200 if chance.random() < trading else int(chance.expovariate(1 / 20)) * 100
    return c.EnterOrder(
        account_id=AccountId(1),
        symbol_id=SymbolId(1),
        side=side,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        quantity=Quantity(100),
        price=Price(REFERENCE - away if side == Side.BUY else REFERENCE + 100 + away),
    )


def _trades_in(batch: EventBatch) -> int:
    events, trade = batch.events, kind_of(TradeExecuted)
    return sum(RECORD_START.unpack_from(events, offset)[1] == trade for offset, _ in split(events))


def _apply(venue: Venue, commands: list[c.Command], time_ns: int) -> EventBatch:
    first = venue.event_sequence + 1
    records = [encode_command(command, venue.command_sequence + at) for at, command in enumerate(commands, 1)]
    events = venue.apply(b"".join(records), time_ns)
    return EventBatch(0, 1, first, sum(1 for _ in split(events)), events)


if __name__ == "__main__":
    main()
