"""Tables in files: Parquet, Arrow and CSV say the same, exactly; LOBSTER's two files have a row for each message."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest

from exchange.market_data.day_tables import DayTable
from exchange.reporter import table_files
from exchange.reporter.table_files import (
    LobsterFiles,
    TableFile,
    TableFiles,
    TooManyFiles,
    export_lobster,
    export_table,
)
from tests.market_data.venue_flow import VenueFlow
from tests.reporter.reporter_stand import VenueSource

FOREVER_NS = 1 << 62


def source_of(*events: bytes) -> VenueSource:
    source = VenueSource()
    for each in events:
        source.add(each)
    return source


def unfinished(folder: Path) -> list[Path]:
    return list(folder.rglob("*.unfinished"))


async def export(folder: Path, kind: str, table: str = "trades") -> list[TableFile]:
    flow = VenueFlow(seed=2)
    opened = flow.open()
    trades = flow.trade(1_000_000), flow.trade(1_010_000, symbol_id=2)
    source = source_of(opened, *trades, *flow.random_batches(10))
    files = TableFiles(folder, table, kind)
    reached = [each async for each in export_table(source, DayTable(table), files, FOREVER_NS)]
    assert reached == [source.last_sequence]
    return list(files.files.values())


async def test_parquet_arrow_and_csv_say_the_same(tmp_path: Path) -> None:
    found = {kind: await export(tmp_path, kind) for kind in table_files.FORMATS}
    aapl = min((file for file in found["parquet"] if file.symbol == "AAPL"), key=lambda file: file.date)
    assert aapl.path == tmp_path / "trades" / "2026-11-23" / "AAPL.parquet"
    parquet = pyarrow.parquet.read_table(aapl.path)
    assert (parquet.num_rows, aapl.bytes) == (aapl.rows, aapl.path.stat().st_size)
    assert parquet.column("executed_price").to_pylist()[0] == Decimal("100.0000")
    assert parquet.schema.field("executed_at").type == pa.timestamp("ns", "UTC")
    with pyarrow.ipc.open_file(str(aapl.path.with_suffix(".arrow"))) as arrow:
        assert arrow.read_all().equals(parquet)
    with aapl.path.with_suffix(".csv").open() as text:
        rows = list(csv.DictReader(text))
    assert [Decimal(row["price"]) for row in rows] == parquet.column("price").to_pylist()
    assert [row["status"] for row in rows] == parquet.column("status").to_pylist()
    assert rows[0]["executed_at"].startswith("2026-11-23T09:30:0")
    assert not unfinished(tmp_path)


@pytest.mark.parametrize("table", ["orders", "book", "candles"])
async def test_every_table_can_be_written_as_parquet(tmp_path: Path, table: str) -> None:
    for file in await export(tmp_path, "parquet", table):
        assert pyarrow.parquet.read_table(file.path).num_rows == file.rows > 0


async def test_many_rows_are_written_in_several_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_files, "ROWS_AT_ONCE", 7)
    for file in await export(tmp_path, "parquet", "book"):
        found = pyarrow.parquet.read_table(file.path)
        assert found.num_rows == file.rows
        assert found.column("sequence").to_pylist() == sorted(found.column("sequence").to_pylist())


async def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_files, "FILES_MAX", 1)
    monkeypatch.setattr(table_files, "ROWS_AT_ONCE", 1)
    with pytest.raises(TooManyFiles, match="more than 1 files at a time; export one date or one symbol"):
        await export(tmp_path, "csv")


async def test_an_export_ends_at_its_time_although_the_market_goes_on(tmp_path: Path) -> None:
    flow = VenueFlow()
    source = source_of(flow.open(), *[flow.trade(1_000_000) for _ in range(5)])
    files = TableFiles(tmp_path, "trades", "csv")
    assert len([each async for each in export_table(source, DayTable("trades"), files, 1)]) == 1


async def test_lobsters_files_have_a_row_for_each_message(tmp_path: Path) -> None:
    flow = VenueFlow(seed=4)
    source = source_of(flow.open(), *flow.random_batches(10))
    for _ in range(2):
        files = LobsterFiles(tmp_path, "AAPL", 3)
        assert [each async for each in export_lobster(source, files, FOREVER_NS)]
    (pair,) = files.files.values()
    names = [file.path.name for file in pair]
    assert names == [
        "AAPL_2026-11-23_0_86400000_message_3.csv", "AAPL_2026-11-23_0_86400000_orderbook_3.csv",
    ]  # fmt: skip
    messages, books = [file.path.read_text().splitlines() for file in pair]
    assert len(messages) == len(books) == pair[0].rows > 10
    assert {len(line.split(",")) for line in books} == {12}
    assert {len(line.split(",")) for line in messages} == {6}
