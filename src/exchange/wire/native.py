"""The one door to the compiled module; importing this raises `ImportError` where it is not installed or does not fit.

A wheel says by `INTERFACE` which stub it was built with. One of another program version would fail somewhere in the
middle, so it is not taken at all: what is written in Python runs instead, and the engine says why at its start.
"""

from __future__ import annotations

import exchange_native

INTERFACE = 2513122583
"""The CRC-32 of `native/python/exchange_native.pyi`, with which a wheel is built; a test says which number to write."""
_seen: int | None = getattr(exchange_native, "INTERFACE", None)
if _seen != INTERFACE:
    raise ImportError(
        "the installed wheel exchange-native is of another version than this program: its interface is"
        f" {_seen or 'older than all that have a number'}, needed is {INTERFACE}; run `make setup` again",
        name="exchange_native",
    )

from exchange_native import (  # noqa: E402
    ItchStream,
    Journal,
    OuchTranslator,
    count_records,
    itch_blocks,
    itch_datagrams,
)

__all__ = [
    "INTERFACE",
    "ItchStream",
    "Journal",
    "OuchTranslator",
    "count_records",
    "exchange_native",
    "itch_blocks",
    "itch_datagrams",
]
