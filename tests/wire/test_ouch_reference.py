"""References and notes: what ties orders and answers to sessions comes back, and fits where it must."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exchange.domain import commands as c
from exchange.domain.order import CLIENT_ORDER_ID_PATTERN
from exchange.domain.units import OrderId, ParticipantId
from exchange.wire import ouch_reference as ref
from exchange.wire.records import decode_command, encode_command, split

SESSIONS = st.integers(1, ref.SESSIONS_MAX)
NUMBERS = st.integers(0, 2**32 - 1)
PRINTABLE = st.binary(max_size=14).map(lambda text: bytes(0x21 + byte % 94 for byte in text))


@given(SESSIONS, NUMBERS, PRINTABLE)
def test_a_reference_comes_back_and_is_a_client_order_id(session: int, number: int, cl_ord_id: bytes) -> None:
    reference = ref.write_reference(session, number, b"B", b"Y", b"A", b"FI  ", cl_ord_id)
    assert CLIENT_ORDER_ID_PATTERN.match(reference.decode())
    assert ref.is_reference(reference)
    assert (ref.session_of(reference), ref.number_of(reference)) == (session, number)
    assert ref.cl_ord_id_of(reference.ljust(ref.BYTES, b"\0")) == cl_ord_id.ljust(14)
    assert ref.firm_of(reference) == b"FI  "


def test_other_client_order_ids_are_no_references() -> None:
    good = ref.write_reference(7, 1, b"B", b"Y", b"A", b"    ", b"")
    assert good == b"~0000700000001BYA~~~~"
    for other in (b"", b"mine", good[1:], good[:-1], good.replace(b"7", b"g"), good + b"x" * 15):
        assert not ref.is_reference(other)


@given(SESSIONS, st.sampled_from(ref.NoteKind), NUMBERS)
def test_a_note_is_a_cancel_whose_order_id_comes_back(session: int, kind: ref.NoteKind, value: int) -> None:
    command = decode_command(ref.note(session, kind, value))
    assert ref.read_note(command.order_id) == (session, kind, value)  # type: ignore[attr-defined]


def test_an_order_id_is_no_note() -> None:
    for order_id in (0, 1, 254 << 56 | 1 << 36 | 1, 255 << 56 | 1_000_000):
        assert ref.read_note(order_id) is None


def test_a_record_tells_whether_it_is_a_note() -> None:
    cancel = encode_command(c.CancelOrder(order_id=OrderId(7), participant_id=ParticipantId(1)))
    tick = encode_command(c.Tick())
    run = tick + ref.note(3, ref.NoteKind.MODIFY, 1) + cancel
    assert [ref.is_note(run, offset) for offset, _ in split(run)] == [False, True, False]


def test_the_note_of_a_firm_holds_its_four_characters() -> None:
    command = decode_command(ref.firm_note(3, b"ABCD"))
    note = ref.read_note(command.order_id)  # type: ignore[attr-defined]
    assert note is not None
    assert note.value.to_bytes(4) == b"ABCD"
