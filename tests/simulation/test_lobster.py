"""LOBSTER files are read exactly, every broken line is refused by file and line; the data is made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.domain.order import Side
from exchange.simulation.lobster import (
    LINE_CHARACTERS_MAX,
    LobsterError,
    Message,
    MessageType,
    OpeningOrder,
    QueueException,
    Quotes,
    QuoteState,
    parse_time_ns,
    read_exceptions,
    read_messages,
    read_opening_book,
    read_quotes,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "messages.csv"


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("34200.004241176", 34_200_004_241_176),
        ("34200.00426064", 34_200_004_260_640),
        ("34200", 34_200_000_000_000),
        ("0.000000001", 1),
        ("57600.999999999", 57_600_999_999_999),
        ("34200.", None),
        (".5", None),
        ("34200.1234567891", None),
        ("3.42e4", None),
        ("-1", None),
        ("٣٤", None),
        ("", None),
    ],
)
def test_times_become_nanoseconds_from_their_text(text: str, time_ns: int | None) -> None:
    assert parse_time_ns(text) == time_ns


def test_every_type_of_message_is_read(file: Path) -> None:
    file.write_text(
        "34200.5,1,11,100,1002500,1\n"
        "34200.5,2,11,40,1002500,1\n"
        "34200.6,4,11,10,1002500,1\n"
        "34200.6,5,0,7,1002550,-1\n"
        "34200.7,3,11,50,1002500,1\n"
        "34201,7,0,0,-1,-1\n"
    )
    assert list(read_messages(file)) == [
        Message(1, 34_200_500_000_000, MessageType.NEW, 11, 100, 1_002_500, Side.BUY),
        Message(2, 34_200_500_000_000, MessageType.REDUCE, 11, 40, 1_002_500, Side.BUY),
        Message(3, 34_200_600_000_000, MessageType.EXECUTE, 11, 10, 1_002_500, Side.BUY),
        Message(4, 34_200_600_000_000, MessageType.EXECUTE_HIDDEN, 0, 7, 1_002_550, Side.SELL),
        Message(5, 34_200_700_000_000, MessageType.DELETE, 11, 50, 1_002_500, Side.BUY),
        Message(6, 34_201_000_000_000, MessageType.HALT, 0, 0, -1, Side.SELL),
    ]


def test_a_header_line_is_skipped_and_rows_are_counted_without_it(file: Path) -> None:
    file.write_text("Time,Type,OrderID,Size,Price,Direction\r\n34200.5,1,11,100,1002500,-1\r\n")
    (message,) = read_messages(file)
    assert (message.row, message.side) == (1, Side.SELL)


def test_further_columns_are_ignored(file: Path) -> None:
    file.write_text("34200.5,1,11,100,1002500,1,null\n")
    assert len(list(read_messages(file))) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("34200.5,1,11,100,1002500", "needs 6 columns (time, type, order id, size, price, direction), got 5"),
        ("", "needs 6 columns"),
        (
            "noon,1,11,100,1002500,1",
            "time must be seconds after midnight such as 34200.004241176, got 'noon'",
        ),
        ("34199.9,1,12,100,1002500,1", "time 34199.9 is before that of the line above"),
        ("34200.5,8,11,100,1002500,1", "message type must be one of 1 new, 2 reduce"),
        ("34200.5,one,11,100,1002500,1", "got 'one'"),
        ("34200.5,1,0,100,1002500,1", "order id must be a whole number from 1 to"),
        ("34200.5,1,x,100,1002500,1", "order id must be a whole number"),
        ("34200.5,1,11,0,1002500,1", "size must be a whole number from 1 to 4294967295, got '0'"),
        ("34200.5,1,11,4294967296,1002500,1", "size must be a whole number"),
        ("34200.5,1,11,10.5,1002500,1", "size must be a whole number"),
        ("34200.5,1,11,100,0,1", "price must be a whole number from 1 to 1999999900"),
        ("34200.5,1,11,100,9999999999,1", "price must be a whole number"),
        ("34200.5,1,11,100,1002500,2", "direction must be a whole number from -1 to 1"),
        ("34200.5,1,11,100,1002500,0", "direction must be 1 (buy) or -1 (sell), got '0'"),
        ("34200.5,7,0,0,2,-1", "price of a halt must be a whole number from -1 to 1"),
        (
            "34200.5,1,11,100," + "9" * LINE_CHARACTERS_MAX + ",1",
            f"longer than {LINE_CHARACTERS_MAX} characters",
        ),
    ],
)
def test_a_broken_line_names_file_and_line(file: Path, line: str, says: str) -> None:
    file.write_text(f"34200.4,1,10,100,1002500,1\n{line}\n34200.6,1,12,100,1002500,1\n")
    with pytest.raises(LobsterError) as caught:
        list(read_messages(file))
    assert str(caught.value).startswith(f"{file}, line 2: ")
    assert says in str(caught.value)


def test_the_messages_before_a_broken_line_are_given(file: Path) -> None:
    file.write_text("34200.4,1,10,100,1002500,1\nbroken\n")
    messages = read_messages(file)
    assert next(messages).order_id == 10
    with pytest.raises(LobsterError, match="line 2"):
        next(messages)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LobsterError, match=r"absent\.csv: cannot be read: No such file"):
        list(read_messages(tmp_path / "absent.csv"))


def test_a_file_that_is_no_text_is_refused(file: Path) -> None:
    file.write_bytes(b"\x1f\x8b\x08\x00\xff\xfe")
    with pytest.raises(LobsterError, match="0x8b is no ASCII"):
        list(read_messages(file))


def test_an_empty_file_has_no_messages(file: Path) -> None:
    file.write_text("")
    assert list(read_messages(file)) == []


def test_the_opening_book_is_read_in_the_order_of_its_lines(file: Path) -> None:
    file.write_text("side,price,size,order_id,basis\nbuy,1002400,50,7,book\nsell,1002600,30,8,late\n")
    assert read_opening_book(file) == [
        OpeningOrder(Side.BUY, 1_002_400, 50, 7),
        OpeningOrder(Side.SELL, 1_002_600, 30, 8),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: the header must begin with side,price,size,order_id"),
        (
            "buy,1002400,50,7\n",
            "line 1: the header must begin with side,price,size,order_id, got 'buy,1002400,50,7'",
        ),
        ("side,price,size,order_id\nbid,1002400,50,7\n", "line 2: side must be buy or sell, got 'bid'"),
        ("side,price,size,order_id\nbuy,1,1,7\nbuy,1,1,7\n", "line 3: order 7 stands in line 2 already"),
    ],
)
def test_a_broken_opening_book_is_refused(file: Path, text: str, says: str) -> None:
    file.write_text(text)
    with pytest.raises(LobsterError) as caught:
        read_opening_book(file)
    assert says in str(caught.value)


def test_queue_exceptions_are_read_by_row(file: Path) -> None:
    file.write_text(
        "row,time,order_id,size,price,direction,reason\n12,34200.5,7,50,1002500,-1,skipped_order\n"
    )
    assert read_exceptions(file) == {12: QueueException(12, 7, 50)}


def test_a_row_cannot_be_an_exception_twice(file: Path) -> None:
    file.write_text("row,time,order_id,size\n12,34200.5,7,50\n12,34200.5,8,50\n")
    with pytest.raises(LobsterError, match="line 3: row 12 is named twice"):
        read_exceptions(file)


def test_best_quotes_are_read_with_empty_sides(file: Path) -> None:
    file.write_text(
        "time,ask,ask_size,bid,bid_size,row\n34200.5,1002600,30,0,0,1\n34200.6,1002600,30,1002400,5,4\n"
    )
    assert read_quotes(file) == [
        QuoteState(1, Quotes(1_002_600, 30, 0, 0)),
        QuoteState(4, Quotes(1_002_600, 30, 1_002_400, 5)),
    ]


def test_rows_of_best_quotes_must_rise(file: Path) -> None:
    file.write_text("time,ask,ask_size,bid,bid_size,row\n34200.5,2,1,1,1,4\n34200.6,2,1,1,1,4\n")
    with pytest.raises(LobsterError, match="line 3: row 4 must be above the 4"):
        read_quotes(file)
