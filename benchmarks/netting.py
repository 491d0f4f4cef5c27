"""How fast a day is netted: the trades' sums, the obligations with their check and hash, and their rows in SQLite.

`python -m benchmarks.netting [--trades 10000000] [--members 1000] [--symbols 5000] [--no-store]`. Members trade random
symbols at random; making the trades is not measured. *Sums* is what clearing does for each trade as it comes, all day;
*net* is what closing the day works out, and *store* that its rows are durable. The aim is net in 60 s and 4 GiB.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path

from benchmarks.run_info import Watch, describe
from exchange.clearing.app import MIGRATIONS
from exchange.clearing.cycle_desk import Cycle, save_cycle
from exchange.clearing.instruction_store import write_instructions
from exchange.domain.order import Side
from exchange.domain.symbol import SymbolState
from exchange.infra.store import begin_write, open_store
from exchange.post_trade.netting import Obligation, cycle_hash, faults, net
from exchange.post_trade.positions import Positions
from exchange.post_trade.trade import Trade

SEED = 20261123
DAY, NEXT_DAY = 20261123, 20261124
PIECE = 100_000
GIB = 1 << 30


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trades", type=int, default=10_000_000)
    parser.add_argument("--members", type=int, default=1_000)
    parser.add_argument("--symbols", type=int, default=5_000)
    parser.add_argument("--no-store", action="store_true")
    arguments = parser.parse_args()
    for what, value in describe():
        print(f"{what:10} {value}")
    print(
        f"{'seed':10} {SEED}\n{'trades':10} {arguments.trades:,}, {arguments.members:,} x {arguments.symbols:,}\n"
    )
    positions = _positions(arguments.trades, arguments.members, arguments.symbols)
    watch = Watch()
    owed = net(positions.positions, (), {})
    assert list(faults(owed)) == []
    hashed = cycle_hash(bytes(16), DAY, owed)
    _say("net", watch.stop(), len(owed), "obligations")
    if not arguments.no_store:
        with tempfile.TemporaryDirectory() as folder:
            _say("store", _store(Path(folder), owed, hashed), len(owed), "obligations")
    print(f"hash       {hashed.hex()}")


def _positions(trades: int, members: int, symbols: int) -> Positions:
    positions, busy_s, cpu_s = Positions(), 0, 0
    for piece in _trades(trades, members, symbols):
        watch = Watch()
        for trade in piece:
            positions.add_trade(trade)
        positions.forget_touched()
        watch.stop()
        busy_s, cpu_s = busy_s + watch.wall_s, cpu_s + watch.cpu_s
    print(
        f"{'sums':10} {busy_s:8.1f} s, {cpu_s:.1f} s of CPU: {trades / busy_s:,.0f} trades/s; {_peak()}",
        flush=True,
    )
    return positions


def _trades(count: int, members: int, symbols: int) -> Iterator[list[Trade]]:
    chance = random.Random(SEED)
    for start in range(0, count, PIECE):
        size = min(PIECE, count - start)
        buyers, sellers = (array("H", chance.choices(range(1, members + 1), k=size)) for _ in range(2))
        yield [
            _trade(start + number, buyer, seller if seller != buyer else seller % members + 1, symbol_id, dice)
            for number, (buyer, seller, symbol_id, dice) in enumerate(
                zip(buyers, sellers, chance.choices(range(1, symbols + 1), k=size),
                    chance.choices(range(1, 501), k=size), strict=True), 1,
            )
        ]  # fmt: skip


def _trade(number: int, buyer: int, seller: int, symbol_id: int, dice: int) -> Trade:
    return Trade(
        match_id=number, partition=0, epoch=1, sequence=number, symbol_id=symbol_id,  # type: ignore[arg-type]
        price=1_892_000 + 100 * dice, quantity=dice, buy_account_id=buyer, sell_account_id=seller,  # type: ignore[arg-type]
        buy_order_id=number, sell_order_id=number, taker_side=Side.BUY, reference_price=1_892_000,  # type: ignore[arg-type]
        symbol_state=SymbolState.ACTIVE, executed_ns=number, business_date=DAY,  # type: ignore[arg-type]
    )  # fmt: skip


def _store(folder: Path, owed: list[Obligation], hashed: bytes) -> Watch:
    store = open_store(f"sqlite:///{folder}/clearing.sqlite", MIGRATIONS, synchronous="FULL")
    watch = Watch()
    with begin_write(store) as connection:
        save_cycle(connection, 0, Cycle(DAY, 0, 0, len(owed), 0, "benchmark", "", hashed), owed, {})
        write_instructions(connection, 0, DAY, NEXT_DAY, owed)
    watch.stop()
    store.dispose()
    return watch


def _say(what: str, watch: Watch, count: int, unit: str) -> None:
    rate = f"{count:,} {unit}, {count / watch.wall_s:,.0f} a second"
    print(f"{what:10} {watch.wall_s:8.1f} s, {watch.cpu_s:.1f} s of CPU: {rate}; {_peak()}", flush=True)


def _peak() -> str:
    return f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB:.2f} GiB so far"


if __name__ == "__main__":
    main()
