"""OUCH 5.0: the layout of every message, both ways, and the codec of single messages.

Integers are big-endian, texts ASCII to the left and filled with blanks. `docs/ouch.md` lists the layouts; it is checked
against `INBOUND` and `OUTBOUND`. The hot path (`ouch_inbound`, `ouch_outbound`) uses the same layouts' structs.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from exchange.wire import ouch_messages as m
from exchange.wire.records import ProtocolError

APPENDAGE_LENGTH = struct.Struct(">H")
APPENDAGE_BYTES_MAX = 1_024
CL_ORD_ID_CHARACTERS = 14
FIRM_CHARACTERS = 4
SYMBOL_CHARACTERS = 8
MARKET_PRICE = 0x7FFF_FFFF
"""A price that means: at market."""


class Layout:
    """How a message lies in bytes.

    body: "name:code" pairs, code being B u8, H u16, I u32, Q u64, c one character, 4 8 14 text of so many characters;
    then, at the end: a appendage with its length before it, o the same but missing altogether where it is empty.
    """

    def __init__(self, value_type: type[m.Inbound | m.Outbound], kind: str, body: str) -> None:
        self.value_type = value_type
        self.kind: Final = kind
        is_outbound = issubclass(value_type, m.Outbound)
        pairs = [pair.split(":") for pair in (("timestamp:Q " if is_outbound else "") + body).split()]
        self.appendage = pairs.pop()[1] if pairs and pairs[-1][1] in "ao" else ""
        self.fields = [(name, code) for name, code in pairs]
        codes = "".join(f"{code}s" if code.isdigit() else code for _, code in self.fields)
        self.struct = struct.Struct(">c" + codes + ("H" if self.appendage == "a" else ""))
        self.fixed = struct.Struct(">c" + codes)


_ORDER = "time_in_force:c display:c order_reference:Q capacity:c intermarket_sweep:c cross_type:c state:c cl_ord_id:14"
_LAYOUTS = (
    Layout(
        m.EnterOrder, "O",
        "user_ref_num:I side:c quantity:I symbol:8 price:Q time_in_force:c display:c capacity:c "
        "intermarket_sweep:c cross_type:c cl_ord_id:14 appendage:a",
    ),
    Layout(
        m.ReplaceOrder, "U",
        "orig_user_ref_num:I user_ref_num:I quantity:I price:Q time_in_force:c display:c intermarket_sweep:c "
        "cl_ord_id:14 appendage:a",
    ),
    Layout(m.CancelOrder, "X", "user_ref_num:I quantity:I appendage:o"),
    Layout(m.ModifyOrder, "M", "user_ref_num:I side:c quantity:I appendage:o"),
    Layout(m.MassCancel, "C", "user_ref_num:I firm:4 symbol:8 appendage:o"),
    Layout(m.DisableOrderEntry, "D", "user_ref_num:I firm:4 appendage:o"),
    Layout(m.EnableOrderEntry, "E", "user_ref_num:I firm:4 appendage:o"),
    Layout(m.AccountQuery, "Q", "appendage:o"),
    Layout(m.SystemEvent, "S", "event:c"),
    Layout(
        m.Accepted, "A",
        f"user_ref_num:I side:c quantity:I symbol:8 price:Q {_ORDER} appendage:a",
    ),
    Layout(
        m.Replaced, "U",
        f"orig_user_ref_num:I user_ref_num:I side:c quantity:I symbol:8 price:Q {_ORDER} appendage:a",
    ),
    Layout(m.Canceled, "C", "user_ref_num:I decrement:I reason:c"),
    Layout(
        m.AiqCanceled, "D",
        "user_ref_num:I decrement:I reason:c quantity_prevented:I price:Q liquidity:c",
    ),
    Layout(m.Executed, "E", "user_ref_num:I quantity:I price:Q liquidity:c match_number:Q appendage:a"),
    Layout(m.BrokenTrade, "B", "user_ref_num:I match_number:Q reason:c cl_ord_id:14"),
    Layout(
        m.TradeCorrection, "F",
        "user_ref_num:I quantity:I price:Q liquidity:c match_number:Q reason:c cl_ord_id:14",
    ),
    Layout(m.Rejected, "J", "user_ref_num:I reason:H cl_ord_id:14"),
    Layout(m.CancelPending, "P", "user_ref_num:I"),
    Layout(m.CancelRejected, "I", "user_ref_num:I"),
    Layout(m.PriorityUpdate, "T", "user_ref_num:I price:Q display:c order_reference:Q"),
    Layout(m.Modified, "M", "user_ref_num:I side:c quantity:I"),
    Layout(m.Restated, "R", "user_ref_num:I reason:c appendage:a"),
    Layout(m.MassCancelResponse, "X", "user_ref_num:I firm:4 symbol:8 appendage:a"),
    Layout(m.DisableOrderEntryResponse, "G", "user_ref_num:I firm:4 appendage:a"),
    Layout(m.EnableOrderEntryResponse, "K", "user_ref_num:I firm:4 appendage:a"),
    Layout(m.AccountQueryResponse, "Q", "next_user_ref_num:I"),
)  # fmt: skip
LAYOUTS: dict[type, Layout] = {layout.value_type: layout for layout in _LAYOUTS}
INBOUND = {layout.kind: layout for layout in _LAYOUTS if issubclass(layout.value_type, m.Inbound)}
OUTBOUND = {layout.kind: layout for layout in _LAYOUTS if issubclass(layout.value_type, m.Outbound)}


def encode(message: m.Inbound | m.Outbound) -> bytes:
    """Write a message. Raise `ValueError` where a text is too long or not ASCII, or a number does not fit."""
    layout = LAYOUTS[type(message)]
    values: list[Any] = []
    for name, code in layout.fields:
        value = getattr(message, name)
        values.append(_text_bytes(name, value, code) if code == "c" or code.isdigit() else value)
    appendage = encode_appendage(getattr(message, "appendage", ()))
    try:
        fixed = layout.fixed.pack(layout.kind.encode(), *values)
    except struct.error as error:
        raise ValueError(f"{type(message).__name__}: a number does not fit: {error}") from error
    if layout.appendage == "a" or appendage:
        return fixed + APPENDAGE_LENGTH.pack(len(appendage)) + appendage
    return fixed


def decode_inbound(data: bytes) -> m.Inbound:
    """Read what a client sent. Raise `ProtocolError` where it is no message of OUCH 5.0."""
    message = _decode(INBOUND, data)
    assert isinstance(message, m.Inbound)
    return message


def decode_outbound(data: bytes) -> m.Outbound:
    """Read what the exchange sent. Raise `ProtocolError` where it is no message of OUCH 5.0."""
    message = _decode(OUTBOUND, data)
    assert isinstance(message, m.Outbound)
    return message


def layout_of(layouts: dict[str, Layout], data: bytes | bytearray | memoryview) -> Layout:
    """Return the layout of a message by its first byte. Raise `ProtocolError` where it has none."""
    layout = layouts.get(chr(data[0])) if data else None
    if layout is None:
        seen = repr(chr(data[0])) if data else "an empty message"
        raise ProtocolError(f"type at offset 0: {seen}, known are {' '.join(layouts)}")
    return layout


def appendage_of(layout: Layout, data: bytes) -> bytes:
    """Return a message's appendage. Raise `ProtocolError` where the message's length is not what its type has."""
    fixed = layout.fixed.size
    if len(data) == fixed and layout.appendage != "a":
        return b""
    if not layout.appendage or len(data) < fixed + APPENDAGE_LENGTH.size:
        raise ProtocolError(f"length of {layout.kind}: {len(data)} bytes, it has {layout.struct.size}")
    (length,) = APPENDAGE_LENGTH.unpack_from(data, fixed)
    rest = len(data) - fixed - APPENDAGE_LENGTH.size
    if length != rest or length > APPENDAGE_BYTES_MAX:
        raise ProtocolError(
            f"appendage length at offset {fixed} of {layout.kind}: {length}, there are {rest} bytes, allowed are "
            f"{APPENDAGE_BYTES_MAX}"
        )
    return data[fixed + APPENDAGE_LENGTH.size :]


def encode_appendage(options: m.Appendage) -> bytes:
    """Write options: a length that counts the tag, the tag, the value."""
    return b"".join(bytes((len(value) + 1, tag)) + value for tag, value in options)


def decode_appendage(data: bytes) -> m.Appendage:
    """Read options. Raise `ProtocolError` where a length leads beyond the end or leaves no room for the tag."""
    options: list[tuple[int, bytes]] = []
    at, end = 0, len(data)
    while at < end:
        length = data[at]
        if length < 1 or at + 1 + length > end:
            raise ProtocolError(f"option at offset {at}: length {length} with {end - at - 1} bytes left")
        options.append((data[at + 1], data[at + 2 : at + 1 + length]))
        at += 1 + length
    return tuple(options)


def _decode(layouts: dict[str, Layout], data: bytes) -> m.Inbound | m.Outbound:
    layout = layout_of(layouts, data)
    appendage = appendage_of(layout, data)
    values = layout.fixed.unpack_from(data)[1:]
    fields: dict[str, Any] = {}
    for (name, _), value in zip(layout.fields, values, strict=True):
        fields[name] = _text(name, value) if isinstance(value, bytes) else value
    if layout.appendage:
        fields["appendage"] = decode_appendage(appendage)
    return layout.value_type(**fields)


def _text(name: str, field: bytes) -> str:
    try:
        return field.decode("ascii").rstrip(" ")
    except UnicodeDecodeError as error:
        raise ProtocolError(f"{name}: {field!r} is not ASCII") from error


def _text_bytes(name: str, text: str, code: str) -> bytes:
    size = 1 if code == "c" else int(code)
    field = text.encode("ascii", "replace")
    if len(text) > size or not text.isascii():
        raise ValueError(f"{name}: {text!r} is not {size} ASCII characters or less")
    return field.ljust(size)
