"""The canonical bytes of a venue's state: equal states give equal bytes, in every implementation.

All integers are little-endian, nothing is padded; `i128` is a signed integer of 16 bytes, `text36` ASCII
filled up with zeros. A snapshot is:

- the *envelope*, 20 bytes: magic `XVEN` · snapshot version u16 · rules version u16 · length u64 of all that
  follows · CRC-32 u32 of all that follows;
- the *numbers*: partition u8 · epoch u32 · time_ns u64 · command sequence u64 · event sequence u64
  · running hash u64 · business date u32 · day_ends_ns u64 · keys created u32;
- *sections*, numbered with gaps, each a count u32 of its records and then the records:
  1. directory: event records (see `wire/records.py`) with all header fields zero but length, type, version,
     flags (last of command) and symbol id: a SymbolAdded as the symbol is now, a SymbolRenamed for each
     former name by this name, a ShortSaleTermsSet and a ShortSaleRestricted of symbols that have them, a
     MarketProtectionSet where there is
     one, an AuctionTermsSet where there are some, a PhaseChanged where it is not continuous, a PriceBandsSet or a
     PriceCorridorSet where there is one, a MarketBreakerSet where there is a breaker, an AllocationSet where it
     has steps, a ParticipantCreated, a SelfTradePreventionSet where there is one, an AccountCreated and a KeyCreated
     each, in this order, each kind by id; a TradingBlocked (count 0, no symbol) by scope and subject, and a
     RiskLimitSet by scope, subject, symbol and kind, for each that holds; the RuleConfigured of the rules in force and
     of those that are coming; a ConfigurationChanged with nothing but its version, where there is one;
  2. reference prices by symbol id: symbol id u32 · last price u32 · trades u32 (how many follow in section 3);
  3. the trades that count for them, oldest first within each symbol: match id u64 · price u32;
  4. live orders by symbol id, bids, asks, hidden bids and hidden asks, best price first, oldest first, then stop
     orders, buys and sales, nearest stop price first, oldest first, then orders for an auction, buys and sales, market
     orders first, best price first, oldest first, then pegged orders without a price by id: order id u64
     · account id u32 · symbol id u32
     · side u8 · type u8 · time in force u8 · flags u8 · price u32 · quantity u32 · leaves u32 · reserve u32
     · entered_ns u64 · client order id text36;
  5. client order ids by account id and in the sequence of their use: account id u32 · order id u64
     · command type u8 · body 20 bytes · client order id text36;
  6. holdings other than 0 by account id and symbol id: account id u32 · symbol id u32 · balance i128;
  7. busted trades: match id u64, rising;
  8. corrected trades by match id: match id u64 · price u32 · quantity u32;
  9. special terms of live orders by order id: order id u64 · minimum quantity u32 · display quantity u32
     · stop price u32 · trail amount u32 · trail_bps u16 · expires_ns u64;
  10. live top orders by symbol id, of symbols that have one: symbol id u32 · bid order id u64 · ask order id u64,
      0 for none;
  11. cancel timers by participant id: participant id u32 · expires_ns u64;
  12. risk books by scope and subject: scope u8 · subject u32 · gross i128 · day's cash i128 · messages due_ns u64
     · duplicates from_ns u64 · executions from_ns u64 · executions bought u32, sold u32 · alerted of gross u8, of
     loss u8; what is open follows from section 4;
  13. their day's shares other than 0 by scope, subject and symbol: scope u8 · subject u32 · symbol u32 · shares i128;
  14. their duplicates by scope, subject, side, symbol, price and quantity: scope u8 · subject u32 · side u8
     · symbol u32 · price u32 · quantity u32 · count u32;
  15. markets that are not where a new one is, by symbol id, the market as a whole under 0: symbol id u32 · phase u8
     · scheduled phase u8 · extensions u8 · phase_ends_ns u64;
  16. scheduled phases by time, symbol id and phase: at_ns u64 · symbol id u32 · phase u8;
  20. price bands by symbol id: symbol id u32 · base price u32 · reference price u32 · lower u32 · upper u32
      · is late u8 · limit state u8 · limit_ends_ns u64 · update_ns u64 · collar lower u32, upper u32, step u32
      · buckets u32 (how many follow in section 21);
  21. their buckets, oldest first: first event sequence u64 · trades u64 · sum of their prices u64;
  22. price corridors by symbol id: symbol id u32 · static price u32 · seed u64;
  23. the market's breaker, where anything of it is not 0: close level u64 · last level u64 · tripped u8;
  25. splits by symbol id, of symbols that were split: symbol id u32 · sequence of the last split's event u64;
  26. closing prices by symbol id, of symbols whose short sales a decline restricts: symbol id u32 · closing price u32
      · days for which a restriction holds u8.
  30. order lists by list id: list id u64 · contingency u8 · account id u32 · symbol id u32 · first order id u64
      · second order id u64, 0 for none · filled u32;
  31. the orders that wait for entries, by list id, in their sequence there: list id u64 · order id u64 · side u8
      · type u8 · time in force u8 · flags u8 · price u32 · client order id text36 · minimum quantity u32
      · display quantity u32 · stop price u32 · trail amount u32 · trail_bps u16 · expires_ns u64;
  32. the order ids that are reserved for the next command, where there are some: the last command that reserved one
      u64 · how many did so u32;
  33. pegged orders by order id: order id u64 · kind u8 · offset i32 · limit u32;
  34. quotes that live and protections by account id and symbol id, 0 for all symbols: account id u32 · symbol id u32
      · bid order id u64 · ask order id u64, 0 for none · limits of quantity u32, executions u32, percent_bps u32,
      delta u32 · window_ms u32 · window from_ns u64 · quantity u64 · executions u32 · percent_bps u64
      · bought less sold i64 · reached u8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from struct import Struct
from typing import Any
from zlib import crc32

import msgspec
from msgspec import structs
from xxhash import xxh3_128_hexdigest

from exchange.domain import events as e
from exchange.domain.directory import Directory
from exchange.domain.order import NO_TERMS, Side, SpecialTerms
from exchange.domain.phase import INDICATED, Phase, PhaseCause, auction_of
from exchange.domain.symbol import AuctionTerms
from exchange.matching import corporate_snapshot, guard_snapshot, linked_snapshot, risk_snapshot
from exchange.matching.auction import indicate
from exchange.matching.client_order_ids import FirstUse
from exchange.matching.market import Market
from exchange.matching.order_book import RestingOrder
from exchange.matching.order_checks import ORDER_TYPES, SIDES, TIMES_IN_FORCE
from exchange.matching.venue_state import ScheduledPhase, VenueState
from exchange.wire.records import LENGTH, decode_event, encode_event

MAGIC = b"XVEN"
SNAPSHOT_VERSION = 5
TOP_ORDERS_RULES = 6
"""The first rules with top orders."""
ENVELOPE = Struct("<4sHHQI")
NUMBERS = Struct("<BIQQQQIQI")
COUNT = Struct("<I")
REFERENCE = Struct("<III")
REFERENCE_1 = Struct("<II")
REFERENCE_TRADE = Struct("<QI")
ORDER = Struct("<QIIBBBBIIIIQ36s")
ORDER_1 = Struct("<QIIBBBBIIIQ36s")
"""As version 1 has it."""
TERMS = Struct("<QIIIIHQ")
CLIENT_ORDER_ID = Struct("<IQB20s36s")
TOPS = Struct("<IQQ")
HOLDING = Struct("<II16s")
BUSTED = Struct("<Q")
CORRECTED = Struct("<QII")
MARKET = Struct("<IBBBQ")
SCHEDULED = Struct("<QIB")
BALANCE_BYTES = 16
PHASE_SECTIONS = 2
PHASES_FROM = 4
"""The first version that has phases."""
RISK_FROM = 3
"""The first version that has risk books."""
PHASES_FROM = 4
"""The first version that has phases."""
TERM_NAMES = SpecialTerms.__struct_fields__


class SnapshotError(ValueError):
    """Bytes that are no snapshot of this version; the message says what was seen and what to do."""


def write(state: VenueState, rules_version: int) -> bytes:
    """Write the state of a venue."""
    events = state.events
    markets = [state.markets[symbol_id] for symbol_id in sorted(state.markets)]
    numbers = NUMBERS.pack(
        events.partition, events.epoch, events.time_ns, events.command_sequence, events.sequence,
        events.running_hash, state.business_date, state.day_ends_ns, state.directory.keys_created,
    )  # fmt: skip
    content = b"".join((
        numbers,
        _section(_directory_records(state)),
        _section(
            REFERENCE.pack(market.symbol_id, market.last_price, len(market.reference.trades)) for market in markets
        ),
        _section(REFERENCE_TRADE.pack(*trade) for market in markets for trade in market.reference.trades),
        _section(_order_record(order) for market in markets for order in _resting(state, market)),
        _section(_client_order_id_records(state)),
        _section(
            HOLDING.pack(*owned, risk_snapshot.write_int128(balance))
            for owned, balance in sorted(state.holdings.balances.items()) if balance
        ),
        _section(BUSTED.pack(match_id) for match_id in sorted(state.busted)),
        _section(CORRECTED.pack(match_id, *values) for match_id, values in sorted(state.corrected.items())),
        _section(
            TERMS.pack(order_id, *structs.astuple(order.terms))
            for order_id, order in sorted(state.orders.items())
            if order.terms is not NO_TERMS
        ),
        _section(_top_records(state, markets)),
        *(_section(records) for records in risk_snapshot.sections(state)),
        _section(_market_records(state)),
        _section(SCHEDULED.pack(*row) for row in state.schedule),
        *(_section(records) for records in guard_snapshot.sections(state)),
        *(_section(records) for records in corporate_snapshot.sections(state)),
        *(_section(records) for records in linked_snapshot.sections(state)),
    ))  # fmt: skip
    return ENVELOPE.pack(MAGIC, SNAPSHOT_VERSION, rules_version, len(content), crc32(content)) + content


def partition_of(data: bytes, rules_version: int) -> int:
    """Return the partition of a snapshot. Raise `SnapshotError` unless it is whole and of these versions."""
    if len(data) < ENVELOPE.size + NUMBERS.size:
        raise SnapshotError(f"snapshot: {len(data)} bytes, the shortest has {ENVELOPE.size + NUMBERS.size}")
    magic, version, rules, length, checksum = ENVELOPE.unpack_from(data)
    if magic != MAGIC:
        raise SnapshotError(f"snapshot: starts with {magic!r}, a venue's snapshot starts with {MAGIC!r}")
    if version != SNAPSHOT_VERSION:
        raise SnapshotError(
            f"snapshot: version {version}, this engine reads {SNAPSHOT_VERSION}; use its writer's version"
        )
    if rules != rules_version:
        raise SnapshotError(
            f"snapshot: rules version {rules}, this engine has {rules_version}; use its writer's version"
        )
    content = memoryview(data)[ENVELOPE.size :]
    if len(content) != length:
        raise SnapshotError(
            f"snapshot: {len(content)} bytes follow the envelope, it says {length}; take an older one"
        )
    if crc32(content) != checksum:
        raise SnapshotError("snapshot: the checksum does not fit, the bytes are damaged; take an older one")
    partition: int = NUMBERS.unpack_from(data, ENVELOPE.size)[0]
    return partition


def upgraded(data: bytes, rules_version: int) -> bytes:
    """Return a whole snapshot that older rules wrote as this version writes it; others as they are.

    Version 1 had no reserves, no last prices and no special terms: the last price is as before the first trade.
    Version 2 had no cancel timers and no risk books, and by the rules before 6 no top orders; version 3 no phases;
    version 4 no price guards, no breaker, no splits and no order lists.
    """
    if len(data) < ENVELOPE.size + NUMBERS.size:
        return data
    magic, version, rules, length, checksum = ENVELOPE.unpack_from(data)
    content = data[ENVELOPE.size :]
    is_whole = (magic, length, checksum) == (
        MAGIC,
        len(content),
        crc32(content),
    ) and 0 < version < SNAPSHOT_VERSION
    if not is_whole or rules >= rules_version:
        return data
    if version == 1:
        content = _content_2(data)
    elif version == 2 and rules < TOP_ORDERS_RULES:
        content += _section(())
    if version < RISK_FROM:
        content += risk_snapshot.SECTIONS * _section(())
    if version < PHASES_FROM:
        content += PHASE_SECTIONS * _section(())
    content += guard_snapshot.SECTIONS * _section(())
    content += corporate_snapshot.SECTIONS * _section(())
    content += linked_snapshot.SECTIONS * _section(())
    return ENVELOPE.pack(MAGIC, SNAPSHOT_VERSION, rules_version, len(content), crc32(content)) + content


def _content_2(data: bytes) -> bytes:
    """Return the content of version 2 from a snapshot of version 1."""
    sections = _Sections(data, ENVELOPE.size + NUMBERS.size)
    list(sections.events())
    changed_from = sections.at
    references = [REFERENCE.pack(symbol_id, 0, trades) for symbol_id, trades in sections.records(REFERENCE_1)]
    trades = [REFERENCE_TRADE.pack(*trade) for trade in sections.records(REFERENCE_TRADE)]
    orders = [ORDER.pack(*order[:10], 0, *order[10:]) for order in sections.records(ORDER_1)]
    return b"".join((
        data[ENVELOPE.size : changed_from], _section(references), _section(trades), _section(orders),
        data[sections.at :], _section(()), _section(()),
    ))  # fmt: skip


def digest_of(data: bytes) -> str:
    """Return the fingerprint of a state: XXH3-128 of its snapshot, in hexadecimal."""
    return xxh3_128_hexdigest(data)


def read_into(state: VenueState, data: bytes) -> None:
    """Fill the state of a new venue from a snapshot that `partition_of` found whole."""
    events = state.events
    (
        _, events.epoch, events.time_ns, events.command_sequence, events.sequence, events.running_hash,
        state.business_date, state.day_ends_ns, keys_created,
    ) = NUMBERS.unpack_from(data, ENVELOPE.size)  # fmt: skip
    sections = _Sections(data, ENVELOPE.size + NUMBERS.size)
    for event in sections.events():
        _apply_to_directory(state, event)
    state.directory.keys_created = keys_created
    references = list(sections.records(REFERENCE))
    trades = sections.records(REFERENCE_TRADE)
    for symbol_id, last_price, count in references:
        state.markets[symbol_id].last_price = last_price
        state.markets[symbol_id].reference.restore(islice(trades, count))
    _restore_orders(state, sections.records(ORDER))
    for account_id, order_id, command_type, body, text in sections.records(CLIENT_ORDER_ID):
        first = FirstUse(order_id, command_type, body)
        state.client_order_ids.remember(account_id, _text(text), first)
    for account_id, symbol_id, balance in sections.records(HOLDING):
        state.holdings.balances[account_id, symbol_id] = risk_snapshot.read_int128(balance)
    for (match_id,) in sections.records(BUSTED):
        state.busted[match_id] = None
    for match_id, price, quantity in sections.records(CORRECTED):
        state.corrected[match_id] = (price, quantity)
    for order_id, *numbers in sections.records(TERMS):
        terms = state.orders[order_id].terms = SpecialTerms(**dict(zip(TERM_NAMES, numbers, strict=True)))
        state.expiries.add(terms.expires_ns, order_id)
    for symbol_id, bid, ask in sections.records(TOPS):
        state.markets[symbol_id].tops = {Side.BUY: bid, Side.SELL: ask}
    for order in state.orders.values():
        if order.is_waiting:
            state.markets[order.symbol_id].stops.add(order)
        elif order.is_for_auction:
            state.markets[order.symbol_id].auction.add(order)
    risk_snapshot.restore(state, sections.records)
    _restore_phases(state, sections)
    guard_snapshot.restore(state, sections.records)
    corporate_snapshot.restore(state, sections.records)
    linked_snapshot.restore(state, sections.records)
    risk_snapshot.restore_open(state)


def _restore_phases(state: VenueState, sections: _Sections) -> None:
    for symbol_id, phase, scheduled, extensions, ends_ns in sections.records(MARKET):
        if not symbol_id:
            state.market_phase, state.market_scheduled_phase = Phase(phase), Phase(scheduled)
            continue
        market = state.markets[symbol_id]
        market.phase, market.scheduled_phase = Phase(phase), Phase(scheduled)
        market.extensions, market.phase_ends_ns = extensions, ends_ns
        if ends_ns:
            state.phase_ends[symbol_id] = ends_ns
        kind = auction_of(market.phase)
        if kind and market.phase in INDICATED:
            state.indicated[symbol_id] = None
            market.indicated = indicate(market.book, market.auction, kind, market.reference.price)[1]
    for at_ns, symbol_id, phase in sections.records(SCHEDULED):
        state.schedule.append(ScheduledPhase(at_ns, symbol_id, Phase(phase)))


def directory_of(data: bytes) -> Directory:
    """Return the directory in a snapshot that `partition_of` found whole."""
    directory = Directory()
    for event in _Sections(data, ENVELOPE.size + NUMBERS.size).events():
        directory.apply(event)
    directory.keys_created = NUMBERS.unpack_from(data, ENVELOPE.size)[-1]
    return directory


class _Sections:
    """Reads the sections of a snapshot one after the other. at: where the next one begins."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at

    def records(self, layout: Struct) -> Iterator[tuple[Any, ...]]:
        """Give the records of the next section, which have one layout."""
        count = self._count()
        begins_at = self.at
        self.at += count * layout.size
        return layout.iter_unpack(memoryview(self._data)[begins_at : self.at])

    def events(self) -> Iterator[e.Event]:
        """Give the event records of the next section."""
        for _ in range(self._count()):
            yield decode_event(self._data, self.at)
            self.at += LENGTH.unpack_from(self._data, self.at)[0]

    def _count(self) -> int:
        (count,) = COUNT.unpack_from(self._data, self.at)
        self.at += COUNT.size
        return int(count)


def _section(records: Iterable[bytes]) -> bytes:
    listed = list(records)
    return COUNT.pack(len(listed)) + b"".join(listed)


def _directory_records(state: VenueState) -> Iterator[bytes]:
    directory = state.directory
    blank: dict[str, Any] = {"sequence": 0, "command_sequence": 0, "time_ns": 0, "epoch": 0}
    for symbol in directory.symbols.values():
        yield encode_event(e.SymbolAdded(
            **blank, symbol_id=symbol.symbol_id, symbol=symbol.symbol, name=symbol.name,
            reference_price=symbol.reference_price, round_lot=symbol.round_lot, state=symbol.state,
            ticks=symbol.ticks.rows,
        ))  # fmt: skip
    yield from corporate_snapshot.directory_records(directory, blank)
    for symbol in directory.symbols.values():
        if symbol.protection_bps:
            yield encode_event(e.MarketProtectionSet(
                **blank, symbol_id=symbol.symbol_id, protection_bps=symbol.protection_bps
            ))  # fmt: skip
    yield from _phase_records(directory, blank)
    yield from guard_snapshot.directory_records(directory, blank)
    for symbol in directory.symbols.values():
        if symbol.allocation.steps:
            yield encode_event(e.AllocationSet(
                **blank, symbol_id=symbol.symbol_id, steps=symbol.allocation.steps,
                lead_makers=symbol.allocation.lead_makers,
            ))  # fmt: skip
    for participant in directory.participants.values():
        yield encode_event(
            e.ParticipantCreated(**blank, participant_id=participant.participant_id, name=participant.name)
        )
    for participant in directory.participants.values():
        if participant.self_trade_group:
            yield encode_event(e.SelfTradePreventionSet(
                **blank, participant_id=participant.participant_id, group=participant.self_trade_group,
                mode=participant.self_trade_mode,
            ))  # fmt: skip
    for account in directory.accounts.values():
        yield encode_event(e.AccountCreated(
            **blank, account_id=account.account_id, participant_id=account.participant_id, name=account.name
        ))  # fmt: skip
    for key in directory.keys.values():
        yield encode_event(e.KeyCreated(
            **blank, key_id=key.key_id, participant_id=key.participant_id, role=key.role, sha256=key.sha256,
            label=key.label,
        ))  # fmt: skip
    yield from risk_snapshot.directory_records(directory, blank)
    yield from _configuration_records(directory, blank)


def _phase_records(directory: Directory, blank: dict[str, Any]) -> Iterator[bytes]:
    for symbol in directory.symbols.values():
        if symbol.auction != AuctionTerms():
            yield encode_event(e.AuctionTermsSet(
                **blank, symbol_id=symbol.symbol_id, **structs.asdict(symbol.auction)
            ))  # fmt: skip
    for symbol in directory.symbols.values():
        if symbol.phase is not Phase.CONTINUOUS:
            yield encode_event(e.PhaseChanged(
                **blank, symbol_id=symbol.symbol_id, phase=symbol.phase, cause=PhaseCause.OPERATOR, ends_ns=0,
                reason="",
            ))  # fmt: skip


def _market_records(state: VenueState) -> Iterator[bytes]:
    new = (Phase.CONTINUOUS, Phase.CONTINUOUS, 0, 0)
    if (state.market_phase, state.market_scheduled_phase) != new[:2]:
        yield MARKET.pack(0, state.market_phase, state.market_scheduled_phase, 0, 0)
    for symbol_id, market in sorted(state.markets.items()):
        numbers = (market.phase, market.scheduled_phase, market.extensions, market.phase_ends_ns)
        if numbers != new:
            yield MARKET.pack(symbol_id, *numbers)


def _configuration_records(directory: Directory, blank: dict[str, Any]) -> Iterator[bytes]:
    for rule in (*directory.rules.in_force, *directory.rules.coming):
        yield encode_event(e.RuleConfigured(**blank, **msgspec.structs.asdict(rule)))
    if directory.configuration_version:
        yield encode_event(e.ConfigurationChanged(
            **blank, configuration_version=directory.configuration_version, key_id=0, approver_key_id=0,
            sha256=bytes(32), note="",
        ))  # fmt: skip


def _apply_to_directory(state: VenueState, event: e.Event) -> None:
    state.directory.apply(event)
    if isinstance(event, e.MarketProtectionSet):
        state.markets[event.symbol_id].protection_bps = event.protection_bps
    elif isinstance(event, e.AuctionTermsSet):
        state.markets[event.symbol_id].auction_terms = state.directory.symbols[event.symbol_id].auction
    elif isinstance(event, e.AllocationSet):
        allocation = state.directory.symbols[event.symbol_id].allocation
        state.markets[event.symbol_id].set_allocation(allocation)
    elif isinstance(event, e.SelfTradePreventionSet):
        state.note_self_trade_group(event.participant_id, event.group, event.mode)
    elif isinstance(event, e.SymbolAdded):
        state.markets[event.symbol_id] = Market(state.directory.symbols[event.symbol_id])
    elif isinstance(event, e.AccountCreated):
        state.account_names[event.participant_id, event.name] = event.account_id
    elif isinstance(event, e.RiskLimitSet):
        risk_snapshot.restore_limit(state, event)


def _resting(state: VenueState, market: Market) -> Iterator[RestingOrder]:
    book = market.book
    for queues in (book.bids, book.asks, book.hidden_bids, book.hidden_asks):
        yield from queues.orders()
    for side in Side:
        yield from market.stops.of_side(side)
    for side in Side:
        yield from market.auction.of_side(side)
    pegged = [state.orders[order_id] for order_id in sorted(market.pegs)]
    yield from (order for order in pegged if order.is_parked)


def _top_records(state: VenueState, markets: list[Market]) -> Iterator[bytes]:
    """Give the top orders that are still live; the others mean nothing any more."""
    for market in markets:
        tops = [top if top in state.orders else 0 for top in (market.tops[Side.BUY], market.tops[Side.SELL])]
        if any(tops):
            yield TOPS.pack(market.symbol_id, *tops)


def _order_record(order: RestingOrder) -> bytes:
    return ORDER.pack(
        order.order_id, order.account_id, order.symbol_id, order.side, order.order_type, order.time_in_force,
        order.flags, order.price, order.quantity, order.leaves, order.reserve, order.entered_ns,
        order.client_order_id.encode("ascii"),
    )  # fmt: skip


def _restore_orders(state: VenueState, records: Iterator[tuple[Any, ...]]) -> None:
    """Put the orders into their queues as they come."""
    for (
        order_id, account_id, symbol_id, side, order_type, time_in_force, flags, price, quantity, leaves,
        reserve, entered_ns, text,
    ) in records:  # fmt: skip
        order = RestingOrder(
            order_id, account_id, symbol_id, SIDES[side], ORDER_TYPES[order_type],
            TIMES_IN_FORCE[time_in_force], flags, price, quantity, leaves, _text(text), entered_ns,
            NO_TERMS, reserve,
        )  # fmt: skip
        if not (order.is_waiting or order.is_for_auction or order.is_parked):
            state.markets[symbol_id].book.home_of(order).add(order)
        state.orders[order_id] = order


def _client_order_id_records(state: VenueState) -> Iterator[bytes]:
    for account_id, client_order_id, first in state.client_order_ids.entries():
        text = client_order_id.encode("ascii")
        yield CLIENT_ORDER_ID.pack(account_id, first.order_id, first.command_type, first.body, text)


def _text(padded: bytes) -> str:
    return padded.rstrip(b"\0").decode("ascii")
