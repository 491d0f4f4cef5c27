"""A state comes whole and unchanged, or is refused, wherever it is damaged or cut."""

from __future__ import annotations

from io import BytesIO

import pytest

from exchange.reporter.state_stream import (
    FORMAT,
    FRAME_BYTES_MAX,
    StateHeader,
    StateReader,
    StateRefused,
    StateRows,
    StateWriter,
)

ROWS = [StateRows("trades", [[1, "a"], [2, "b"]]), StateRows("candles", [[3, b"\x00"]])]


def header(format_: int = FORMAT) -> StateHeader:
    return StateHeader(
        format=format_, migration="0001", partition=0, epoch=1, sequence=7, held=(3, b"record"),
        rows={"trades": 2, "candles": 1},
    )  # fmt: skip


def written(format_: int = FORMAT) -> bytes:
    writer = StateWriter()
    parts = [writer.frame(header(format_)), *map(writer.frame, ROWS)]
    return b"".join([*parts, writer.end({"trades": 2, "candles": 1})])


def read(data: bytes) -> tuple[StateHeader, list[StateRows]]:
    reader = StateReader(BytesIO(data).read)
    found = []
    while (piece := reader.next()) is not None:
        found.append(piece)
    return reader.header, found


def test_what_was_written_is_read() -> None:
    assert read(written()) == (header(), ROWS)


def test_a_cut_anywhere_is_refused() -> None:
    data = written()
    for size in range(len(data)):
        with pytest.raises(StateRefused):
            read(data[:size])


def test_damage_of_any_byte_is_refused() -> None:
    data = written()
    for place in range(len(data)):
        for mask in (0x01, 0x80, 0xFF):
            damaged = bytearray(data)
            damaged[place] ^= mask
            with pytest.raises(StateRefused):
                read(bytes(damaged))


def test_what_follows_the_end_is_refused() -> None:
    with pytest.raises(StateRefused, match="behind its end"):
        read(written() + b"\0")


def test_another_format_is_refused_by_name() -> None:
    with pytest.raises(StateRefused, match="format 2, this program reads 1"):
        read(written(2))


def test_a_frame_that_is_too_large_is_not_read() -> None:
    with pytest.raises(StateRefused, match="at most"):
        read((FRAME_BYTES_MAX + 1).to_bytes(4, "little"))


def test_rows_that_were_left_out_are_refused() -> None:
    writer = StateWriter()
    parts = [writer.frame(header()), writer.frame(ROWS[0]), writer.end({"trades": 2, "candles": 0})]
    with pytest.raises(StateRefused, match="had said"):
        read(b"".join(parts))
