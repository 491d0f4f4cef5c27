"""What a snapshot holds of corporate actions: former names in its directory, and the last splits.

`snapshot.py` says how each lies in bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from struct import Struct
from typing import Any

from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.matching.venue_state import VenueState
from exchange.wire.records import encode_event

SECTIONS = 1
SPLIT = Struct("<IQ")


def directory_records(directory: Directory, blank: dict[str, Any]) -> Iterator[bytes]:
    """Give the former names as event records. blank: the header fields that are zero."""
    for former, symbol_id in sorted(directory.former_names.items()):
        symbol = directory.symbols[symbol_id]
        yield encode_event(e.SymbolRenamed(
            **blank, symbol_id=symbol.symbol_id, old_symbol=former, symbol=symbol.symbol, name=symbol.name
        ))  # fmt: skip


def sections(state: VenueState) -> Iterator[Iterable[bytes]]:
    """Give the records of each section."""
    yield (
        SPLIT.pack(symbol_id, market.split_sequence)
        for symbol_id, market in sorted(state.markets.items())
        if market.split_sequence
    )


def restore(state: VenueState, records: Callable[[Struct], Iterator[tuple[Any, ...]]]) -> None:
    """Restore the last splits from the next section."""
    for symbol_id, sequence in records(SPLIT):
        state.markets[symbol_id].split_sequence = sequence
