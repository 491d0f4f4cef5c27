"""The price guards and the breaker in a snapshot; `snapshot.py` lays out its sections 20 to 23."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from struct import Struct
from typing import Any

from msgspec import structs

from exchange.domain import volatility_events as v
from exchange.domain.directory import Directory
from exchange.domain.units import SymbolId
from exchange.domain.volatility import LimitState
from exchange.matching.price_guard import PriceBands, PriceCorridor
from exchange.matching.venue_state import MarketBreaker, VenueState
from exchange.wire.records import encode_event

BANDS = Struct("<IIIIIBBQQIIII")
BUCKET = Struct("<QQQ")
CORRIDOR = Struct("<IIQ")
BREAKER = Struct("<QQBBQ")
SECTIONS = 4
OF_CORRIDOR = ("dynamic_bps", "static_bps", "call_ns", "random_ns_max")
Records = Callable[[Struct], Iterator[tuple[Any, ...]]]


def directory_records(directory: Directory, blank: dict[str, Any]) -> Iterator[bytes]:
    """Give what the directory knows of them. blank: the header fields that no record of a snapshot has."""
    for symbol in directory.symbols.values():
        if symbol.volatility.tier:
            yield encode_event(
                v.PriceBandsSet(**blank, symbol_id=symbol.symbol_id, tier=symbol.volatility.tier)
            )
    for symbol in directory.symbols.values():
        terms = structs.asdict(symbol.volatility)
        if symbol.volatility.dynamic_bps or symbol.volatility.static_bps:
            own = {name: terms[name] for name in OF_CORRIDOR}
            yield encode_event(v.PriceCorridorSet(**blank, symbol_id=symbol.symbol_id, **own))
    if directory.breaker_close:
        yield encode_event(
            v.MarketBreakerSet(**blank, symbol_id=SymbolId(0), close_level=directory.breaker_close)
        )


def sections(state: VenueState) -> Iterable[Iterable[bytes]]:
    """Give the records of each section."""
    guards = [(symbol_id, state.markets[symbol_id].guard) for symbol_id in sorted(state.guarded)]
    bands = [(symbol_id, guard) for symbol_id, guard in guards if isinstance(guard, PriceBands)]
    yield [
        BANDS.pack(
            symbol_id, guard.base, guard.reference, guard.lower, guard.upper, guard.is_late, guard.state,
            guard.limit_ends_ns, guard.update_ns, guard.collar_lower, guard.collar_upper, guard.collar_step,
            len(guard.buckets),
        )
        for symbol_id, guard in bands
    ]  # fmt: skip
    yield [BUCKET.pack(*bucket) for _, guard in bands for bucket in guard.buckets]
    yield [
        CORRIDOR.pack(symbol_id, guard.static_price, guard.seed)
        for symbol_id, guard in guards
        if isinstance(guard, PriceCorridor)
    ]
    breaker = structs.astuple(state.breaker)
    yield [BREAKER.pack(*breaker)] if any(breaker) else []


def restore(state: VenueState, records: Records) -> None:
    """Fill a venue's guards, of which the directory tells the terms, and its breaker from the next sections."""
    listed = list(records(BANDS))
    buckets = records(BUCKET)
    for symbol_id, base, reference, lower, upper, late, limit_state, limit_ends, update, *numbers in listed:
        guard = PriceBands(state.directory.symbols[symbol_id].volatility.tier, base)
        guard.reference, guard.lower, guard.upper, guard.is_late = reference, lower, upper, bool(late)
        guard.state, guard.limit_ends_ns, guard.update_ns = LimitState(limit_state), limit_ends, update
        guard.collar_lower, guard.collar_upper, guard.collar_step, count = numbers
        guard.buckets = [list(next(buckets)) for _ in range(count)]
        state.markets[symbol_id].guard = guard
        if update:
            state.guards_due[symbol_id] = min(filter(None, (update, limit_ends)))
    for symbol_id, static_price, seed in records(CORRIDOR):
        terms = state.directory.symbols[symbol_id].volatility
        state.markets[symbol_id].guard = PriceCorridor(terms, seed, static_price)
    for symbol_id in sorted(state.markets):
        if state.markets[symbol_id].guard is not None:
            state.guarded[symbol_id] = None
    for close_level, last_level, tripped, stop_phase, stop_ends_ns in records(BREAKER):
        state.breaker = MarketBreaker(close_level, last_level, tripped, stop_phase, stop_ends_ns)
