"""The native writer leaves the same rows as the definition, whatever happens to orders, and fails alike."""

from __future__ import annotations

import random
import sqlite3
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from exchange.domain.order import Side
from exchange.domain.units import PRICE_MAX, QUANTITY_MAX
from exchange.engine.history_process import HistoryWriter, PythonWriter
from exchange.engine.order_projection import _TAKERS as TAKEN
from exchange.engine.order_projection import EXECUTED
from exchange.engine.order_store import OrderStoreDamaged
from exchange.infra.errors import InfraError
from exchange.wire.envelope import EventBatch, encode_batch
from exchange.wire.records import LAST_OF_COMMAND, ProtocolError, split
from tests.engine.own_commands import Desk, order
from tests.matching.desk import numbered_record
from tests.matching.random_commands import RandomCommands

native = pytest.importorskip(
    "exchange.engine.order_store_native",
    reason="the wheel exchange-native is not installed: install Rust and run `make setup`",
    exc_type=ImportError,
)
NativeWriter: type[HistoryWriter] = native.NativeWriter
KINDS = (PythonWriter, NativeWriter)
FIRST_SEED, SEEDS, SEEDS_MAX, TURNS, TURN = 4_210, 8, 60, 40, 60
"""At least so many seeds, and more until everything that the table takes came, for some of it is rare."""
SIZES = (1, 2, 17, 60, 300, 2_000)
TABLES = {"orders": 17, "fills": 10, "prevented": 11, "position": 3}
EMPTY = encode_batch(EventBatch(0, 1, 1, 0, b""))


def random_events(seed: int) -> bytes:
    """Return the events of random commands of every type; of four seeds one is of auctions, risk or price limits."""
    from exchange.matching.native import NativeVenue

    mode = seed % 4
    drawn = RandomCommands(seed, auctions=mode == 1, risk=mode == 2, price_limits=mode == 3)
    venue, stream, sequence = NativeVenue(), b"", 0
    for turn in range(TURNS):
        time_ns = drawn.advance()
        records = drawn.batch(TURN) if turn else drawn.opening()
        numbered = b"".join(numbered_record(r, sequence + n) for n, r in enumerate(records, 1))
        sequence += len(records)
        events = venue.apply(numbered, time_ns)
        drawn.note(events)
        stream += events
    return stream


def envelopes_of(stream: bytes, seed: int) -> Iterator[bytes]:
    """Cut a stream between commands, into envelopes of many sizes."""
    chance, first, start, count, wanted = random.Random(seed), 1, 0, 0, 1
    for offset, length in split(stream):
        count += 1
        if stream[offset + 6] & LAST_OF_COMMAND and (count >= wanted or offset + length == len(stream)):
            yield encode_batch(EventBatch(0, 1, first, count, stream[start : offset + length]))
            first, start, count, wanted = first + count, offset + length, 0, chance.choice(SIZES)


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table; a REAL is not the INTEGER it equals."""
    connection = sqlite3.connect(path)
    found = {
        table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall() for table in TABLES
    }
    check = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    assert check == [("ok",)]
    assert not [row for table in found.values() for row in table if any(type(v) is float for v in row)]
    assert {len(row) for row in found["orders"]} <= {TABLES["orders"]}
    return found


def write(kind: type[HistoryWriter], path: Path, envelopes: list[bytes]) -> None:
    writer = kind(path, 0)
    for envelope in envelopes:
        writer.commit(envelope)
    writer.close()


def test_random_flows_leave_the_same_rows_also_where_one_goes_on_for_the_other(tmp_path: Path) -> None:
    seen: set[int] = set()
    for seed in range(FIRST_SEED, FIRST_SEED + SEEDS_MAX):
        if seed >= FIRST_SEED + SEEDS and set(TAKEN) <= seen:
            break
        stream = random_events(seed)
        seen |= {stream[offset + 4] for offset, _ in split(stream)}
        envelopes = list(envelopes_of(stream, seed))
        expected, got, mixed = (tmp_path / f"{seed}-{name}.sqlite" for name in ("python", "native", "mixed"))
        write(PythonWriter, expected, envelopes)
        write(NativeWriter, got, envelopes)
        cuts = [0, len(envelopes) // 3, 2 * len(envelopes) // 3, len(envelopes)]
        for turn, (start, end) in enumerate(pairwise(cuts)):
            write(KINDS[(seed + turn) % 2], mixed, envelopes[start:end])
        of_definition = rows(expected)
        assert rows(got) == of_definition, f"seed {seed}"
        assert rows(mixed) == of_definition, f"seed {seed}"
        assert of_definition["orders"], f"seed {seed}"
    assert set(TAKEN) <= seen, f"never came: {sorted(set(TAKEN) - seen)}"


def desk_stream() -> bytes:
    desk = Desk()
    for number, side in enumerate((Side.BUY, Side.SELL, Side.SELL)):
        desk.do(order(1 + number % 2, side, 5, 1_892_000, client_order_id=f"c{number}"))
    return desk.stream


def desk_events() -> bytes:
    stream = desk_stream()
    return encode_batch(EventBatch(0, 1, 1, sum(1 for _ in split(stream)), stream))


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_whole_or_not_there(kind: type[HistoryWriter], tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    write(kind, path, [EMPTY])
    with sqlite3.connect(path) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON fills BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    other.close()
    writer = kind(path, 0)
    for _ in range(2):
        with pytest.raises(InfraError, match=rf"^{path} cannot be written: disk full$"):
            writer.commit(desk_events())
    writer.close()
    assert rows(path) == {"orders": [], "fills": [], "prevented": [], "position": [(0, 1, 0)]}
    with sqlite3.connect(path) as other:
        other.execute("DROP TRIGGER full")
    other.close()
    writer = kind(path, 0)
    writer.commit(desk_events())
    with pytest.raises(
        InfraError, match=r"another process wrote to it: it holds events up to 1\d, and those .* 1$"
    ):
        writer.commit(desk_events())
    writer.close()
    assert len(rows(path)["orders"]) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_envelope_is_refused_and_changes_nothing(
    kind: type[HistoryWriter], tmp_path: Path
) -> None:
    path, whole = tmp_path / "orders.sqlite", desk_events()
    writer = kind(path, 0)
    writer.commit(EMPTY)
    damaged = {
        "header": whole[:31],
        "magic": b"XXXX" + whole[4:],
        "version": whole[:4] + b"\x09\x00" + whole[6:],
        "length": whole[:-1],
        "checksum": whole[:-1] + bytes([whole[-1] ^ 1]),
    }
    for what, message in damaged.items():
        with pytest.raises(ProtocolError, match=what):
            writer.commit(message)
    writer.close()
    assert rows(path)["position"] == [(0, 1, 0)]


def test_records_that_are_cut_are_refused_and_change_nothing(tmp_path: Path) -> None:
    path, stream = tmp_path / "orders.sqlite", desk_events()[32:]
    writer = NativeWriter(path, 0)
    ends = [offset + length for offset, length in split(stream)]
    for cut in (ends[0] + 3, ends[-1] - 1, ends[0] + 40):
        with pytest.raises(ProtocolError, match=r"event record at offset \d+"):
            writer.commit(encode_batch(EventBatch(0, 1, 1, len(ends), stream[:cut])))
    short = (41).to_bytes(4, "little") + b"\x8c\x01" + bytes(35)
    with pytest.raises(ProtocolError, match="type 140 with 41 bytes"):
        writer.commit(encode_batch(EventBatch(0, 1, 1, 1, short)))
    writer.close()
    assert rows(path)["orders"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_cannot_be_opened_or_is_damaged_is_said(
    kind: type[HistoryWriter], tmp_path: Path
) -> None:
    with pytest.raises((InfraError, sqlite3.Error), match="unable to open"):
        kind(tmp_path / "missing" / "orders.sqlite", 0)
    (tmp_path / "damaged.sqlite").write_bytes(b"this is no database" * 1000)
    with pytest.raises(OrderStoreDamaged, match="is damaged"):
        kind(tmp_path / "damaged.sqlite", 0)


def test_the_largest_trade_fits_into_the_table(tmp_path: Path) -> None:
    stream, count = bytearray(desk_stream()), 0
    for offset, _ in split(bytes(stream)):
        count += 1
        if stream[offset + 4] == EXECUTED:
            stream[offset + 64 : offset + 72] = struct.pack("<II", PRICE_MAX, QUANTITY_MAX)
    for kind in KINDS:
        write(
            kind, tmp_path / f"{kind.name}.sqlite", [encode_batch(EventBatch(0, 1, 1, count, bytes(stream)))]
        )
    found = [rows(tmp_path / f"{kind.name}.sqlite") for kind in KINDS]
    assert found[0] == found[1]
    assert [fill[5:7] for fill in found[0]["fills"]] == [(PRICE_MAX, QUANTITY_MAX)] * 2
