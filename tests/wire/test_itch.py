"""The table of ITCH messages: sizes of the specification, values that come back, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.wire import itch
from exchange.wire.records import ProtocolError

SIZES = {
    "S": 12, "R": 39, "H": 25, "Y": 20, "L": 26, "V": 35, "W": 12, "K": 28, "J": 35, "h": 21, "A": 36, "F": 40,
    "E": 31, "C": 36, "X": 23, "D": 19, "U": 35, "P": 44, "Q": 40, "B": 19, "I": 50, "N": 20, "O": 48,
}  # fmt: skip


def test_every_message_has_the_length_of_the_specification() -> None:
    assert {letter: layout.size for letter, layout in itch.LAYOUTS.items()} == SIZES
    assert max(SIZES.values()) == itch.MESSAGE_BYTES_MAX


def test_an_order_lies_in_bytes_as_the_specification_says() -> None:
    message = itch.ADD_ORDER.pack(7, 34_200_000_000_001, 9, b"B", 100, itch.text("AAPL"), 1_892_000)
    assert message.hex(" ") == (
        "41 00 07 00 00 1f 1a ce d9 f0 01 00 00 00 00 00 00 00 09 42 00 00 00 64 41 41 50 4c 20 20 20 20 00 1c de a0"
    )
    read = itch.decode(message)
    assert (read.letter, read.stock_locate, read.time_ns) == ("A", 7, 34_200_000_000_001)
    assert read.values == {"ref": 9, "side": "B", "shares": 100, "stock": "AAPL", "price": 1_892_000}


def test_times_are_counted_from_midnight() -> None:
    day_ns = 20_000 * itch.DAY_NS
    assert itch.decode(itch.DELETE.pack(1, day_ns + 5, 1)).time_ns == 5


@pytest.mark.parametrize("message", [b"", b"z", b"A", b"D" * 20, itch.DELETE.pack(1, 0, 1)[:-1]])
def test_what_is_no_message_is_refused(message: bytes) -> None:
    with pytest.raises(ProtocolError, match="ITCH"):
        itch.decode(message)


@given(st.binary(max_size=60))
def test_no_bytes_do_more_than_be_refused(message: bytes) -> None:
    try:
        itch.decode(message)
    except ProtocolError:
        return


def test_a_text_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ProtocolError, match="'ABCDEFGHI' has 9 characters, its field 8"):
        itch.text("ABCDEFGHI")
