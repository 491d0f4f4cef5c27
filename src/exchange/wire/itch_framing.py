"""The messages of a feed from their `S` packets into other frames: BinaryFILE, and datagrams of MoldUDP64.

`blocks_of` and `datagrams_of` are the definitions; the others take the compiled module where it is installed.
"""

from __future__ import annotations

from contextlib import suppress
from types import ModuleType

from exchange.wire import binary_file
from exchange.wire import moldudp64 as mold
from exchange.wire import soupbintcp as soup

_native: ModuleType | None = None
with suppress(ImportError):
    from exchange.wire import native

    _native = native


def blocks(packets: bytes) -> bytes:
    """Return the messages of whole packets, each after its length in two bytes."""
    return bytes(_native.itch_blocks(packets)) if _native else blocks_of(packets)


def datagrams(session: str, first: int, packets: bytes) -> list[bytes]:
    """Return the messages of whole packets in datagrams. first: the sequence of the first one."""
    if _native:
        return list(_native.itch_datagrams(mold.session_field(session), first, packets))
    return datagrams_of(session, first, packets)


def blocks_of(packets: bytes) -> bytes:
    """See `blocks`."""
    return binary_file.encode(soup.payloads(packets))


def datagrams_of(session: str, first: int, packets: bytes) -> list[bytes]:
    """See `datagrams`."""
    messages, found, at = soup.payloads(packets), [], 0
    while at < len(messages):
        count = mold.fitting(messages[at : at + mold.PAYLOAD_BYTES_MAX])
        found.append(mold.encode(session, first + at, messages[at : at + count]))
        at += count
    return found
