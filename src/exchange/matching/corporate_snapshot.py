"""What a snapshot holds of corporate actions and short sales: former names and terms, last splits, closing prices.

`snapshot.py` says how each lies in bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from struct import Struct
from typing import Any

from msgspec import structs

from exchange.domain import corporate_events as ce
from exchange.domain.directory import Directory
from exchange.domain.symbol import ShortSaleTerms
from exchange.domain.units import Price
from exchange.matching.venue_state import VenueState
from exchange.wire.records import encode_event

SECTIONS = 2
SPLIT = Struct("<IQ")
CLOSING = Struct("<IIB")


def directory_records(directory: Directory, blank: dict[str, Any]) -> Iterator[bytes]:
    """Give the former names and the terms of short sales as event records. blank: the header fields that are zero."""
    for former, symbol_id in sorted(directory.former_names.items()):
        symbol = directory.symbols[symbol_id]
        yield encode_event(ce.SymbolRenamed(
            **blank, symbol_id=symbol.symbol_id, old_symbol=former, symbol=symbol.symbol, name=symbol.name
        ))  # fmt: skip
    for symbol in directory.symbols.values():
        if symbol.short_sales != ShortSaleTerms():
            yield encode_event(ce.ShortSaleTermsSet(
                **blank, symbol_id=symbol.symbol_id, closing_price=Price(0), **structs.asdict(symbol.short_sales)
            ))  # fmt: skip
        if symbol.is_short_restricted:
            yield encode_event(ce.ShortSaleRestricted(
                **blank, symbol_id=symbol.symbol_id, is_restricted=True, days=0, price=Price(0), closing_price=Price(0)
            ))  # fmt: skip


def sections(state: VenueState) -> Iterator[Iterable[bytes]]:
    """Give the records of each section."""
    yield (
        SPLIT.pack(symbol_id, market.split_sequence)
        for symbol_id, market in sorted(state.markets.items())
        if market.split_sequence
    )
    yield (
        CLOSING.pack(symbol_id, market.short_sales.closing_price, market.short_sales.days)
        for symbol_id, market in sorted(state.markets.items())
        if market.short_sales.terms.trigger_bps
    )


def restore(state: VenueState, records: Callable[[Struct], Iterator[tuple[Any, ...]]]) -> None:
    """Restore the last splits and the closing prices from the next sections."""
    for symbol_id, sequence in records(SPLIT):
        state.markets[symbol_id].split_sequence = sequence
    closing = {symbol_id: numbers for symbol_id, *numbers in records(CLOSING)}
    for symbol_id, symbol in state.directory.symbols.items():
        price, days = closing.get(symbol_id, (0, 0))
        state.markets[symbol_id].short_sales.restore(symbol.short_sales, price, days)
