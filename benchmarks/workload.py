"""The fixed order streams A and B as command records, and the fills that every price-time engine must make of them.

The streams lie beside the repository in `../shared/workload`; its README has their layout and the check points.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from struct import Struct
from typing import NamedTuple

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import OrderType, Side, TimeInForce
from exchange.domain.symbol import TickRow
from exchange.domain.units import AccountId, OrderId, ParticipantId, Price, Quantity, SymbolId, sequence_of
from exchange.wire.records import LAYOUTS, encode_command, number_of, split

FOLDER = Path(__file__).parents[1] / ".." / "shared" / "workload"
FILE_HEADER = Struct("<6I")
FILE_RECORD = Struct("<BBHIIIII")
MAGIC = 0x4D534731
ADD, CANCEL = 0, 1
REFERENCE_PRICE = Price(8192)
HASH_FACTOR = 0x9E3779B97F4A7C15
TRADE, TRADE_NUMBER = LAYOUTS[e.TradeExecuted].struct, number_of(e.TradeExecuted)
REJECTS = (number_of(e.OrderRejected), number_of(e.CommandRejected))
TYPE_OFFSET = 4


class Fills(NamedTuple):
    """What a stream's timed records led to. fill_hash: as in the streams' README."""

    trades: int = 0
    volume: int = 0
    notional: int = 0
    fill_hash: int = 0
    live: int = 0
    rejects: int = 0


CHECK_POINTS = {
    "A": {
        50: Fills(5, 800, 6_552_800, 4270976480794436199, 4_997),
        1_000: Fills(67, 9_426, 77_219_395, 17649705094366619551, 4_993),
        10_000: Fills(923, 131_593, 1_078_316_620, 15019593791655053001, 4_784),
        20_000: Fills(1_953, 275_806, 2_259_649_572, 17582419175900134387, 4_321),
        100_000: Fills(9_631, 1_343_895, 10_986_609_065, 14950087070580336126, 3_748),
        200_000: Fills(19_457, 2_706_281, 22_091_053_440, 13244671457475577286, 3_881),
        300_000: Fills(29_425, 4_087_040, 33_313_343_057, 8124359680753210118, 3_716),
        500_000: Fills(48_947, 6_821_683, 55_354_348_037, 12199067076561545995, 3_721),
        1_000_000: Fills(98_004, 13_656_482, 110_338_021_277, 9167141234595866486, 3_903),
    },
    "B": {
        50: Fills(0, 0, 0, 0, 99_992),
        1_000: Fills(67, 11_553, 94_640_757, 6288035293108549521, 99_975),
        10_000: Fills(939, 136_036, 1_114_418_983, 5329179662888870406, 99_607),
        20_000: Fills(1_852, 260_561, 2_134_539_135, 16320946927139814526, 99_104),
        100_000: Fills(9_391, 1_351_175, 11_069_186_832, 3791357534097998283, 95_888),
        200_000: Fills(19_218, 2_730_913, 22_372_555_415, 8182591772408498241, 93_132),
        300_000: Fills(28_891, 4_102_018, 33_605_689_377, 623732525974211073, 91_192),
        500_000: Fills(48_345, 6_846_190, 56_088_730_057, 5742550876900558699, 88_147),
        1_000_000: Fills(96_338, 13_673_063, 112_006_348_029, 6675924923537671749, 83_037),
    },
}
"""By stream and number of timed records."""


class Stream(NamedTuple):
    """A stream as numbered command records. before: set-up and prefill; timed: one record per message.

    stream_ids: the stream's id of each order, by the sequence in our order id.
    """

    before: list[bytes]
    timed: list[bytes]
    stream_ids: dict[int, int]


def is_present(name: str) -> bool:
    """Tell whether the stream lies where it is expected."""
    return (FOLDER / f"{name}.bin.xz").is_file()


def read_stream(name: str, records: int) -> Stream:
    """Read the prefill and so many timed records of stream A or B."""
    with lzma.open(FOLDER / f"{name}.bin.xz") as file:
        magic, prefill, timed, _, symbols, _ = FILE_HEADER.unpack(file.read(FILE_HEADER.size))
        assert magic == MAGIC, f"{file}: no order stream, its magic is {magic:#x}"
        assert records <= timed, f"{name} has {timed} timed records, {records} were asked for"
        messages = file.read((prefill + records) * FILE_RECORD.size)
    commands = _setup(symbols)
    known_as: dict[int, int] = {}
    for message in FILE_RECORD.iter_unpack(messages):
        commands.append(_command_record(message, len(commands) + 1, known_as))
    begins_at = len(commands) - records
    stream_ids = {sequence: stream_id for stream_id, sequence in known_as.items()}
    return Stream(commands[:begins_at], commands[begins_at:], stream_ids)


def batches(records: list[bytes], size: int) -> list[bytes]:
    """Join records to batches of so many, the last one shorter."""
    borders = [*range(0, len(records), size), len(records)]
    return [b"".join(records[start:end]) for start, end in pairwise(borders)]


def fills_of(events: list[bytes], stream_ids: dict[int, int], live: int) -> Fills:
    """Count and hash the trades in the events of the timed records."""
    trades = volume = notional = fill_hash = rejects = 0
    for maker, taker, price, quantity in _trades(events):
        pair = stream_ids[maker] << 32 | stream_ids[taker]
        fill_hash = (fill_hash * HASH_FACTOR + pair + quantity) & (1 << 64) - 1
        trades += 1
        volume += quantity
        notional += quantity * price
    for run in events:
        rejects += sum(run[at + TYPE_OFFSET] in REJECTS for at, _ in split(run))
    return Fills(trades, volume, notional, fill_hash, live, rejects)


def _trades(events: list[bytes]) -> Iterator[tuple[int, int, int, int]]:
    for run in events:
        for at, _ in split(run):
            if run[at + TYPE_OFFSET] == TRADE_NUMBER:
                maker, taker, _, _, price, quantity, *_ = TRADE.unpack_from(run, at)[10:]
                yield sequence_of(maker), sequence_of(taker), price, quantity


def _setup(symbols: int) -> list[bytes]:
    commands: list[c.Command] = [
        c.StartEngine(epoch=1),
        c.CreateParticipant(name="benchmark"),
        c.CreateAccount(participant_id=ParticipantId(1), name="benchmark"),
    ]
    ticks = (TickRow(Price(0), Price(1)),)
    commands += [
        c.AddSymbol(symbol=f"S{n}", name=f"Symbol {n}", reference_price=REFERENCE_PRICE, ticks=ticks)
        for n in range(symbols)
    ]
    return [encode_command(command, sequence) for sequence, command in enumerate(commands, 1)]


def _command_record(message: tuple[int, ...], sequence: int, known_as: dict[int, int]) -> bytes:
    """Turn one message into a record; note under which sequence the stream's order ids are known to us."""
    kind, side, symbol, price, quantity, stream_id, reference, _ = message
    command: c.Command
    if kind == CANCEL:
        command = c.CancelOrder(order_id=OrderId(known_as[reference]), participant_id=ParticipantId(1))
    elif kind == ADD:
        command = c.EnterOrder(
            account_id=AccountId(1),
            symbol_id=SymbolId(symbol + 1),
            side=(Side.BUY, Side.SELL)[side],
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.DAY,
            quantity=Quantity(quantity),
            price=Price(price),
        )
        known_as[stream_id] = sequence
    else:
        command = c.ReplaceOrder(
            order_id=OrderId(known_as[reference]),
            participant_id=ParticipantId(1),
            quantity=Quantity(quantity),
            price=Price(price),
        )
        known_as[stream_id] = sequence
    return encode_command(command, sequence)
