"""The page `docs/records.md`, written from the layouts."""

from __future__ import annotations

import struct

from exchange.wire.records import COMMAND_HEADER, EVENT_HEADER, LAYOUTS, Layout

_CODES = {
    "B": ("u8", "number"),
    "H": ("u16", "number"),
    "I": ("u32", "number"),
    "Q": ("u64", "number"),
    "q": ("i64", "number"),
    "z": ("i32", "number"),
    "e": ("u8", "enum"),
    "E": ("u16", "enum"),
    "?": ("u8", "0 or 1"),
    "t": ("8 bytes", "ASCII, filled up with zeros"),
    "i": ("36 bytes", "ASCII, filled up with zeros"),
    "k": ("32 bytes", "SHA-256"),
    "b": ("u16", "bytes of this text in the tail, UTF-8"),
    "r": ("u16", "rows in the tail, each from_price u32 and tick u32"),
    "s": ("u16", "rows in the tail, each kind u8, rounding u8, share_bps u16, minimum u32 and maximum u32"),
    "o": (
        "u16",
        "rows in the tail, each side u8, type u8, time in force u8, flags u8, price u32, quantity u32, client order id"
        " of 36 bytes, minimum quantity u32, display quantity u32, stop price u32, trail amount u32, trail_bps u16 and"
        " expires_ns u64",
    ),
    "u": (
        "u16",
        "rows in the tail, each symbol_id u32, bid_price u32, bid_quantity u32, ask_price u32 and ask_quantity u32",
    ),
    "l": ("u16", "rows in the tail, each account_id u32 and share_bps u16"),
}
_INTRODUCTION = f"""# Records

Commands and events lie in these records everywhere: in the journal, in the event log, on the bus and at the
border of the native core. This page is generated: `python -m exchange.wire.record_page > docs/records.md`.

Integers are little-endian, nothing is padded. Prices are 1/10,000 of the currency unit, quantities whole
shares, times nanoseconds since the Unix epoch. A tail, where a type has one, follows the body in the order of
the fields that announce it. A reader refuses a type or version it does not know.

| command header ({COMMAND_HEADER.size} bytes) | at | | event header ({EVENT_HEADER.size} bytes) | at |
|---|---|---|---|---|
| length u32, of the whole record | 0 | | length u32 | 0 |
| type u8 | 4 | | type u8 | 4 |
| version u8 | 5 | | version u8 | 5 |
| flags u8, zero | 6 | | flags u8, bit 0: last of its command | 6 |
| partition u8 | 7 | | partition u8 | 7 |
| command sequence u64 | 8 | | event sequence u64 | 8 |
| | | | command sequence u64 | 16 |
| | | | time u64 | 24 |
| | | | epoch u32 | 32 |
| | | | symbol id u32, 0 for none | 36 |
"""


def render() -> str:
    """Return the page as Markdown."""
    commands = [layout for layout in LAYOUTS.values() if not layout.is_event]
    events = [layout for layout in LAYOUTS.values() if layout.is_event]
    parts = [_INTRODUCTION, "## Commands\n", *map(_section, commands), "## Events\n", *map(_section, events)]
    return "\n".join(parts)


def _section(layout: Layout) -> str:
    first_line = (layout.value_type.__doc__ or "").strip().splitlines()[0]
    head = f"### {layout.number} {layout.value_type.__name__}: {layout.struct.size} bytes\n\n{first_line}\n"
    if not layout.fields:
        return head
    rows = ["", "| at | field | type | what |", "|---|---|---|---|"]
    at = layout.header_bytes
    for name, code in layout.fields:
        kind, what = _CODES[code]
        if name in layout.enums:
            what = ", ".join(f"{member.value} {member.name.lower()}" for member in layout.enums[name])
            what = "a reason of `domain/reasons.py`" if code == "E" else what
        rows.append(f"| {at} | `{name}` | {kind} | {what} |")
        at += struct.calcsize("<" + Layout.CODES.get(code, code))
    return head + "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(render(), end="")
