"""What the table of orders costs: the same envelopes of events into both writers, in turns.

`python -m benchmarks.order_history [--commands 400000] [--kib 1024,4096] [--runs 3]`. The flow is that of
`benchmarks.wire_to_wire`: 45 % new orders, 45 % cancels, 5 % replacements and 5 % immediate-or-cancel orders that
cross, around 5,000 live orders of 4 accounts in 4 symbols. An envelope is one transaction; `--kib` says how large they
are, as the engine cuts its event log. The figures are of the writer alone: what it takes to check, decode and store an
envelope, with the moves from SQLite's write-ahead log into the file, and without the pipe.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.run_info import Watch, describe
from exchange.domain import commands as c
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.units import AccountId, OrderId, ParticipantId, Price, Quantity, SymbolId
from exchange.engine.history_process import HistoryWriter, PythonWriter, writer_kind
from exchange.engine.replay import choose_matcher
from exchange.wire.envelope import EventBatch, encode_batch
from exchange.wire.records import encode_command, split

SEED = 20261123
TIME_NS = 1_795_435_200_000_000_000
SYMBOLS = ("AAPL", "MSFT", "NVDA", "TSLA")
ACCOUNTS = 4
LIVE_ORDERS = 5_000
MIDDLE, TICK = 1_892_000, 100
TURN = 100
"""Commands of one turn of the engine; the event log is cut between turns."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--commands", type=int, default=400_000)
    parser.add_argument("--kib", default="256,1024,4096", help="sizes of the envelopes")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    for what, value in describe():
        print(f"{what:10} {value}")
    print(f"{'seed':10} {SEED}\n")
    turns = list(event_turns(arguments.commands))
    kinds: list[type[HistoryWriter]] = list(dict.fromkeys((PythonWriter, writer_kind())))
    print(
        f"{'writer':8} {'KiB':>6} {'µs of CPU per command':>22} {'commands/s':>12}  least of {arguments.runs}"
    )
    for kib in map(int, arguments.kib.split(",")):
        envelopes = list(envelopes_of(turns, kib << 10))
        runs = [[_run(kind, envelopes) for kind in kinds] for _ in range(arguments.runs)]
        for kind, watches in zip(kinds, zip(*runs, strict=True), strict=True):
            cpu_us = min(watch.cpu_s for watch in watches) / arguments.commands * 1e6
            rate = arguments.commands / min(watch.wall_s for watch in watches)
            print(f"{kind.name:8} {kib:>6} {cpu_us:>22.2f} {rate:>12,.0f}")


def event_turns(commands: int) -> Iterator[bytes]:
    """Yield the events of so many commands of the flow, a turn at a time."""
    venue = choose_matcher("auto").new(0)
    setting: list[c.Command] = [c.StartEngine(epoch=1), c.StartBusinessDay(date=20261123)]
    setting += [c.AddSymbol(symbol=s, name=s, reference_price=Price(MIDDLE)) for s in SYMBOLS]
    for number in range(1, ACCOUNTS + 1):
        setting.append(c.CreateParticipant(name=f"member {number}"))
        setting.append(c.CreateAccount(participant_id=ParticipantId(number), name="main"))
    flow, records = mixed_flow(len(setting)), b"".join(map(encode_command, setting))
    for turn in range(commands // TURN + 1):
        yield venue.apply_batch([records], TIME_NS + turn * 1_000_000).events
        records = b"".join(encode_command(next(flow)) for _ in range(TURN))


def mixed_flow(before: int) -> Iterator[c.Command]:
    """Yield commands without end. before: how many the venue took already, for an order's id is its command's."""
    chance, live = random.Random(SEED), list[tuple[int, int, Side]]()
    sequence = before
    while True:
        sequence += 1
        drawn, crosses = chance.randrange(100), False
        if drawn < 5:
            crosses = True
        elif drawn >= 50 and len(live) > LIVE_ORDERS - (drawn - 50) * 10:
            order_id, account, side = _any_of(chance, live)
            if drawn < 95:
                yield c.CancelOrder(order_id=OrderId(order_id), participant_id=ParticipantId(account))
            else:
                live.append((sequence, account, side))
                yield c.ReplaceOrder(
                    order_id=OrderId(order_id), participant_id=ParticipantId(account), price=_price(chance, side),
                    quantity=Quantity(100 * chance.randint(1, 5)), client_order_id=_reference(account, sequence),
                )  # fmt: skip
            continue
        side, account = chance.choice((Side.BUY, Side.SELL)), chance.randint(1, ACCOUNTS)
        if not crosses:
            live.append((sequence, account, side))
        yield c.EnterOrder(
            account_id=AccountId(account), symbol_id=SymbolId(chance.randint(1, len(SYMBOLS))), side=side,
            order_type=OrderType.LIMIT, time_in_force=TimeInForce.IOC if crosses else TimeInForce.DAY,
            quantity=Quantity(100 if crosses else 100 * chance.randint(1, 5)),
            price=_price(chance, Side(3 - side) if crosses else side),
            client_order_id=_reference(account, sequence),
        )  # fmt: skip


def _any_of(chance: random.Random, live: list[tuple[int, int, Side]]) -> tuple[int, int, Side]:
    place = chance.randrange(len(live))
    live[place], live[-1] = live[-1], live[place]
    return live.pop()


def _price(chance: random.Random, side: Side) -> Price:
    away = chance.randint(1, 100) * TICK
    return Price(MIDDLE - away if side is Side.BUY else MIDDLE + away)


def _reference(account: int, number: int) -> str:
    """Return a client order id as long as that of an OUCH order with a short ClOrdID."""
    return f"~{account:04}{number:012}LOAD"


def envelopes_of(turns: Sequence[bytes], size: int) -> Iterator[bytes]:
    """Yield envelopes of whole turns, of about so many bytes."""
    first, run = 1, b""
    for number, turn in enumerate(turns, 1):
        run += turn
        if len(run) >= size or number == len(turns):
            batch = EventBatch(0, 1, first, sum(1 for _ in split(run)), run)
            yield encode_batch(batch)
            first, run = first + batch.count, b""


def _run(kind: type[HistoryWriter], envelopes: Sequence[bytes]) -> Watch:
    with tempfile.TemporaryDirectory() as folder:
        writer = kind(Path(folder) / "orders.sqlite", 0)
        watch = Watch()
        for envelope in envelopes:
            writer.commit(envelope)
        watch.stop()
        writer.close()
    return watch


if __name__ == "__main__":
    main()
