"""ITCH 5.0: each message of the public order-by-order feed as bytes, in a table.

Integers are big-endian and unsigned, texts ASCII, left-justified, padded with spaces; a price is an integer of
1/10,000, which is our own unit. Every message begins: 0 type · 1 stock locate u16 · 3 tracking number u16 (ours is 0)
· 5 nanoseconds since midnight, 48 bits. Source: Nasdaq TotalView-ITCH 5.0.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from exchange.wire.records import ProtocolError

DAY_NS = 86_400_000_000_000
MESSAGE_BYTES_MAX = 50
_HEADER = struct.Struct(">cHHHI")
_HIGH_BITS = 32
_LOW_MASK = (1 << _HIGH_BITS) - 1


class Message(msgspec.Struct, frozen=True):
    """A message that was read. letter: its type; time_ns: since midnight; values: its fields by name."""

    letter: str
    stock_locate: int
    time_ns: int
    values: dict[str, Any]


class Layout:
    """How one type of message lies in bytes. fields: "name:code" pairs, code being that of `struct`."""

    def __init__(self, letter: str, title: str, fields: str) -> None:
        pairs = [pair.split(":") for pair in fields.split()]
        self.letter = letter
        self.title = title
        self.names = [name for name, _ in pairs]
        self.codes = [code for _, code in pairs]
        self._texts = [code[-1] in "cs" for code in self.codes]
        self._letter = letter.encode("ascii")
        self._struct = struct.Struct(_HEADER.format + "".join(self.codes))
        self.size = self._struct.size

    def pack(self, stock_locate: int, time_ns: int, *values: int | bytes) -> bytes:
        """Write a message. time_ns: since any midnight of UTC; texts must be padded already, see `text`."""
        time_ns %= DAY_NS
        return self._struct.pack(
            self._letter, stock_locate, 0, time_ns >> _HIGH_BITS, time_ns & _LOW_MASK, *values
        )

    def unpack(self, message: bytes) -> Message:
        """Read a message of this type. Raise `ProtocolError` where its length or a text is wrong."""
        if len(message) != self.size:
            raise ProtocolError(
                f"ITCH {self.letter} ({self.title}): {len(message)} bytes, it has {self.size}"
            )
        _, stock_locate, _, high, low, *values = self._struct.unpack(message)
        try:
            read = [
                value.decode("ascii").rstrip(" ") if is_text else value
                for value, is_text in zip(values, self._texts, strict=True)
            ]
        except UnicodeDecodeError as error:
            raise ProtocolError(f"ITCH {self.letter} ({self.title}): {error}") from error
        return Message(
            self.letter, stock_locate, high << _HIGH_BITS | low, dict(zip(self.names, read, strict=True))
        )


SYSTEM_EVENT = Layout("S", "system event", "event:c")
STOCK_DIRECTORY = Layout(
    "R",
    "stock directory",
    "stock:8s market_category:c financial_status:c round_lot:I round_lots_only:c issue_class:c sub_type:2s "
    "authenticity:c short_sale_threshold:c ipo_flag:c luld_tier:c etp_flag:c etp_leverage:I inverse:c",
)
TRADING_ACTION = Layout("H", "trading action", "stock:8s state:c reserved:c reason:4s")
REG_SHO = Layout("Y", "short sale restriction", "stock:8s action:c")
PARTICIPANT_POSITION = Layout("L", "market participant position", "mpid:4s stock:8s primary:c mode:c state:c")
BREAKER_LEVELS = Layout("V", "circuit breaker levels", "level_1:Q level_2:Q level_3:Q")
BREAKER_BREACH = Layout("W", "circuit breaker breach", "level:c")
IPO_QUOTING = Layout("K", "IPO quoting period", "stock:8s release_s:I qualifier:c price:I")
AUCTION_COLLAR = Layout("J", "volatility auction collar", "stock:8s reference:I upper:I lower:I extension:I")
OPERATIONAL_HALT = Layout("h", "operational halt", "stock:8s market:c action:c")
ADD_ORDER = Layout("A", "add order", "ref:Q side:c shares:I stock:8s price:I")
ADD_ORDER_MPID = Layout("F", "add order with participant", "ref:Q side:c shares:I stock:8s price:I mpid:4s")
EXECUTED = Layout("E", "order executed", "ref:Q shares:I match:Q")
EXECUTED_AT = Layout("C", "order executed with price", "ref:Q shares:I match:Q printable:c price:I")
CANCEL = Layout("X", "order cancel, part", "ref:Q shares:I")
DELETE = Layout("D", "order delete", "ref:Q")
REPLACE = Layout("U", "order replace", "ref:Q new_ref:Q shares:I price:I")
TRADE = Layout("P", "trade, not displayed", "ref:Q side:c shares:I stock:8s price:I match:Q")
CROSS_TRADE = Layout("Q", "cross trade", "shares:Q stock:8s price:I match:Q cross_type:c")
BROKEN_TRADE = Layout("B", "broken trade", "match:Q")
IMBALANCE = Layout(
    "I",
    "net order imbalance",
    "paired:Q imbalance:Q direction:c stock:8s far:I near:I reference:I cross_type:c variation:c",
)
RETAIL_INTEREST = Layout("N", "retail interest", "stock:8s interest:c")
DIRECT_LISTING = Layout(
    "O",
    "direct listing with capital raise",
    "stock:8s open_eligible:c min_price:I max_price:I near_price:I near_time:Q lower:I upper:I",
)

LAYOUTS: dict[str, Layout] = {
    layout.letter: layout
    for layout in (
        SYSTEM_EVENT,
        STOCK_DIRECTORY,
        TRADING_ACTION,
        REG_SHO,
        PARTICIPANT_POSITION,
        BREAKER_LEVELS,
        BREAKER_BREACH,
        IPO_QUOTING,
        AUCTION_COLLAR,
        OPERATIONAL_HALT,
        ADD_ORDER,
        ADD_ORDER_MPID,
        EXECUTED,
        EXECUTED_AT,
        CANCEL,
        DELETE,
        REPLACE,
        TRADE,
        CROSS_TRADE,
        BROKEN_TRADE,
        IMBALANCE,
        RETAIL_INTEREST,
        DIRECT_LISTING,
    )
}


def text(value: str, width: int = 8) -> bytes:
    """Pad a text to its width. Raise `ProtocolError` where it is longer."""
    padded = value.encode("ascii").ljust(width)
    if len(padded) > width:
        raise ProtocolError(f"text {value!r} has {len(value)} characters, its field {width}")
    return padded


def decode(message: bytes) -> Message:
    """Read one message. Raise `ProtocolError` where it is none."""
    letter = chr(message[0]) if message else ""
    layout = LAYOUTS.get(letter)
    if layout is None:
        raise ProtocolError(f"ITCH type {letter!r} is none of {' '.join(LAYOUTS)}")
    return layout.unpack(bytes(message))
