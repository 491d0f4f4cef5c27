"""One look over a batch of events: where it can be cut, and which events are neither orders nor trades."""

from __future__ import annotations

import msgspec

from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain import volatility_events as v
from exchange.wire.fields import RECORD_START, kind_of
from exchange.wire.records import LAST_OF_COMMAND, decode_event
from exchange.wire.rest.volatility import LIMIT_EVENTS

SLICE_EVENTS = 500
"""Events that are published in one turn of the loop, whole commands: about 5 ms."""
OF_DIRECTORY = (
    e.SymbolAdded,
    e.SymbolStateChanged,
    e.ReferencePriceSet,
    e.SymbolConfigured,
    ce.SymbolSplit,
    ce.SymbolRenamed,
    ce.DividendPaid,
    ce.ShortSaleTermsSet,
    ce.ShortSaleRestricted,
    e.MarketProtectionSet,
    e.PhaseChanged,
    e.AuctionTermsSet,
    v.PriceBandsSet,
    v.PriceCorridorSet,
    v.MarketBreakerSet,
    e.RuleConfigured,
    e.ConfigurationChanged,
    e.ParticipantCreated,
    e.AccountCreated,
    e.KeyCreated,
    e.KeyRevoked,
)
OF_AUCTIONS = (e.PhaseScheduled, e.AuctionIndicated, e.AuctionExecuted, e.AuctionExtended)
NOTABLE = (
    *OF_DIRECTORY, *OF_AUCTIONS, *LIMIT_EVENTS, e.EngineStarted, e.BusinessDayStarted, e.TradingBlocked,
    e.TradingUnblocked,
)  # fmt: skip
_NOTABLE_KINDS = {kind_of(event_type): True for event_type in NOTABLE}


class BatchScan(msgspec.Struct):
    """What was found: the batch in slices of whole commands, and its notable events in order."""

    slices: list[bytes]
    notable: list[e.Event]

    @property
    def of_directory(self) -> list[e.Event]:
        """Return the events that change the directory."""
        return [event for event in self.notable if isinstance(event, OF_DIRECTORY)]


def scan(events: bytes, slice_events: int = SLICE_EVENTS) -> BatchScan:
    """Look over event records of whole commands."""
    found = BatchScan([], [])
    offset = start = count = 0
    end = len(events)
    while offset < end:
        length, kind, flags = RECORD_START.unpack_from(events, offset)
        if kind in _NOTABLE_KINDS:
            found.notable.append(decode_event(events, offset))
        offset += length
        count += 1
        if count >= slice_events and flags & LAST_OF_COMMAND:
            found.slices.append(events[start:offset])
            start, count = offset, 0
    if start < end:
        found.slices.append(events[start:])
    return found
