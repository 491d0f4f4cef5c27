"""Which stream of ITCH runs: the native one where it is installed, else the definition."""

from __future__ import annotations

from exchange.market_data.itch_stream import ItchStream


def stream_kind() -> type[ItchStream]:
    """Return the class of the stream to use."""
    try:
        from exchange.market_data.itch_native import NativeItchStream
    except ImportError:
        return ItchStream
    return NativeItchStream
