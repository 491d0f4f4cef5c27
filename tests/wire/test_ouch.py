"""OUCH 5.0: every layout has the size of the definitions, every message comes back, bad bytes raise one error."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.wire import ouch
from exchange.wire import ouch_messages as m
from exchange.wire.records import ProtocolError

INBOUND_BYTES = {"O": 47, "U": 40, "X": 9, "M": 10, "C": 17, "D": 9, "E": 9, "Q": 1}
OUTBOUND_BYTES = {
    "S": 10, "A": 64, "U": 68, "C": 18, "D": 31, "E": 36, "B": 36, "F": 49, "J": 29, "P": 13, "I": 13, "T": 30,
    "M": 18, "R": 16, "Q": 13, "X": 27, "G": 19, "K": 19,
}  # fmt: skip
"""What `docs/ouch.md` says; the wide ones with the length of an empty appendage."""

TEXTS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E))
NUMBERS = {"B": 2**8, "H": 2**16, "I": 2**32, "Q": 2**64}
OPTIONS = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=20)), max_size=4).map(tuple)


def values_of(layout: ouch.Layout) -> st.SearchStrategy[Any]:
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, code in layout.fields:
        if code in NUMBERS:
            fields[name] = st.integers(0, NUMBERS[code] - 1)
        else:
            size = 1 if code == "c" else int(code)
            fields[name] = st.text(
                st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=0, max_size=size
            )
    if layout.appendage:
        fields["appendage"] = OPTIONS
    return st.builds(layout.value_type, **fields)


def test_every_message_has_the_length_of_the_definitions() -> None:
    assert {kind: layout.struct.size for kind, layout in ouch.INBOUND.items()} == INBOUND_BYTES
    assert {kind: layout.struct.size for kind, layout in ouch.OUTBOUND.items()} == OUTBOUND_BYTES


def test_the_page_says_what_the_layouts_are() -> None:
    page = (Path(__file__).parents[2] / "docs" / "ouch.md").read_text()
    rows = re.findall(r"^\| ((?:`[A-Z]` ?)+).*\| (\d+) \|$", page, re.MULTILINE)
    listed = [(kind, int(size)) for kinds, size in rows for kind in re.findall("[A-Z]", kinds)]
    inbound = dict(listed[: len(INBOUND_BYTES)])
    assert inbound == INBOUND_BYTES
    outbound = dict(listed[len(INBOUND_BYTES) :])
    assert {kind: OUTBOUND_BYTES[kind] for kind in outbound} == outbound
    assert set(OUTBOUND_BYTES) - set(outbound) == set("PIT")


@pytest.mark.parametrize("layout", list(ouch.LAYOUTS.values()), ids=lambda layout: layout.value_type.__name__)
def test_every_field_of_a_message_is_in_its_layout(layout: ouch.Layout) -> None:
    named = [name for name, _ in layout.fields] + (["appendage"] if layout.appendage else [])
    assert sorted(named) == sorted(layout.value_type.__struct_fields__)


@given(st.data(), st.sampled_from(list(ouch.LAYOUTS.values())))
def test_every_message_comes_back(data: st.DataObject, layout: ouch.Layout) -> None:
    message = data.draw(values_of(layout))
    written = ouch.encode(message)
    read = ouch.decode_outbound if isinstance(message, m.Outbound) else ouch.decode_inbound
    assert read(written) == message
    if layout.appendage != "o":
        with pytest.raises(ProtocolError, match="length"):
            read(written + b"\0")
        with pytest.raises(ProtocolError, match="length"):
            read(written[:-1])


@given(st.binary(max_size=120))
def test_no_bytes_raise_anything_but_a_protocol_error(data: bytes) -> None:
    for read in (ouch.decode_inbound, ouch.decode_outbound, ouch.decode_appendage):
        with suppress(ProtocolError):
            read(data)


@given(st.sampled_from(sorted(ouch.INBOUND)), st.binary(min_size=0, max_size=80))
def test_no_bytes_behind_a_known_type_do_either(kind: str, rest: bytes) -> None:
    with suppress(ProtocolError):
        ouch.decode_inbound(kind.encode() + rest)


def test_an_enter_order_is_these_bytes() -> None:
    order = m.EnterOrder(
        user_ref_num=1, side="B", quantity=100, symbol="AAPL", price=1_892_000, cl_ord_id="MINE"
    )
    assert ouch.encode(order).hex() == (
        "4f" "00000001" "42" "00000064" "4141504c20202020" "00000000001cdea0" "30" "59" "41" "4e" "4e"
        "4d494e4520202020202020202020" "0000"
    )  # fmt: skip


def test_the_short_messages_are_taken_with_and_without_an_appendage() -> None:
    assert ouch.decode_inbound(b"X\0\0\0\x05\0\0\0\0") == m.CancelOrder(user_ref_num=5)
    assert ouch.decode_inbound(b"X\0\0\0\x05\0\0\0\0\0\0") == m.CancelOrder(user_ref_num=5)
    assert ouch.decode_inbound(b"Q") == ouch.decode_inbound(b"Q\0\0") == m.AccountQuery()


def test_an_option_s_length_counts_its_tag() -> None:
    assert ouch.encode_appendage(((2, b"ABCD"), (12, b"P"))) == b"\x05\x02ABCD\x02\x0cP"
    assert ouch.decode_appendage(b"\x05\x02ABCD\x02\x0cP") == ((2, b"ABCD"), (12, b"P"))
    assert ouch.decode_appendage(b"\x01\x63") == ((99, b""),)
    for broken in (b"\x00", b"\x05\x02ABC", b"\x01"):
        with pytest.raises(ProtocolError, match="option at offset 0"):
            ouch.decode_appendage(broken)


def test_an_unknown_type_and_an_empty_message_are_refused() -> None:
    with pytest.raises(ProtocolError, match="type at offset 0: 'Z'"):
        ouch.decode_inbound(b"Zabc")
    with pytest.raises(ProtocolError, match="an empty message"):
        ouch.decode_inbound(b"")


def test_a_value_that_does_not_fit_says_which() -> None:
    with pytest.raises(ValueError, match="cl_ord_id: 'THIS IS TOO LONG'"):
        ouch.encode(
            m.EnterOrder(
                user_ref_num=1, side="B", quantity=1, symbol="A", price=1, cl_ord_id="THIS IS TOO LONG"
            )
        )
    with pytest.raises(ValueError, match="a number does not fit"):
        ouch.encode(m.CancelOrder(user_ref_num=2**32))
