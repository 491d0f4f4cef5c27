"""The three formats hold the same rows with the same hashes, and a changed byte is found in each."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from exchange.clearing.surveillance.audit_files import AuditFile, export_audit, verify_file
from exchange.domain.events import BusinessDayStarted, OrderCancelled
from exchange.domain.order import CancelReason, Side
from exchange.infra.errors import InfraError
from exchange.surveillance.audit_trail import AuditTrail
from tests.clearing.fake_engine import StreamSource
from tests.post_trade.stream import Stream

DATE = 20261123
FORMATS: list[Any] = ["csv", "json", *(["parquet"] if find_spec("pyarrow") else [])]


def stream() -> Stream:
    made = Stream()
    made.add(BusinessDayStarted, date=DATE, ends_ns=0)
    for number in range(1, 30):
        made.trade(1, 2, 10)
        made.add(
            OrderCancelled, symbol_id=1, order_id=number, account_id=1, side=Side.BUY,
            reason=CancelReason.REQUESTED, price=100_000, quantity=10,
        )  # fmt: skip
    return made


async def write(folder: Path, kind: Any) -> tuple[Path, AuditTrail]:
    trail = AuditTrail(0, DATE)
    with AuditFile(folder, 0, DATE, kind) as file:
        async for _ in export_audit(StreamSource(stream()), trail, file):
            pass
    return file.path, trail


@pytest.mark.parametrize("kind", FORMATS)
async def test_a_file_is_whole_and_its_hash_is_the_same_in_every_format(tmp_path: Path, kind: Any) -> None:
    path, trail = await write(tmp_path, kind)
    assert verify_file(path) == ("", 88, trail.hash.hex())
    assert path.name == f"audit-2026-11-23-0.{kind}"
    _, plain = await write(tmp_path, "csv")
    assert plain.hash == trail.hash
    assert path.with_suffix(f".{kind}.part") not in tmp_path.iterdir()  # noqa: ASYNC240


@pytest.mark.parametrize("kind", ["csv", "json"])
async def test_any_change_of_a_text_file_is_found(tmp_path: Path, kind: Any) -> None:
    path, _ = await write(tmp_path, kind)
    lines = path.read_text().splitlines(keepends=True)
    for changed in (
        [*lines[:20], lines[20].replace("AAPL", "XYZ"), *lines[21:]],
        [*lines[:20], *lines[21:]],
        lines[:-1],
        [*lines, lines[-1]],
    ):
        path.write_text("".join(changed))
        assert verify_file(path)[0]


async def test_what_is_no_trail_is_said(tmp_path: Path) -> None:
    path, _ = await write(tmp_path, "csv")
    for target, text, message in (
        ("other.csv", "a,b\n", "is no name of an audit trail"),
        ("audit-2026-11-23-0.csv", "a,b\n1,2\n", "does not name the columns"),
        ("audit-2026-11-23-0.json", "not json\n", "cannot be read"),
    ):
        (tmp_path / target).write_text(text)
        with pytest.raises(InfraError, match=message):
            verify_file(tmp_path / target)
    with pytest.raises(InfraError, match="cannot be read"):
        verify_file(tmp_path / "audit-2026-11-24-0.csv")
    assert path.exists()
