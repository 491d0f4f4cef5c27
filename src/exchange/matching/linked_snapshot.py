"""The sections of a snapshot that hold order lists, pegs and quotes; the marks of orders follow from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import Struct
from typing import Any

from msgspec import structs

from exchange.domain.order import NO_TERMS, Peg, PegKind, SpecialTerms
from exchange.domain.order_list import Contingency
from exchange.domain.quote import ProtectionLimits
from exchange.matching.order_book import LINKED, PEGGED, QUOTED, RestingOrder
from exchange.matching.order_checks import ORDER_TYPES, SIDES, TIMES_IN_FORCE
from exchange.matching.order_lists import ids_of
from exchange.matching.venue_state import OrderList, QuoteDesk, VenueState

ORDER_LIST = Struct("<QBIIQQI")
WAITING = Struct("<QQBBBBI36sIIIIHQ")
RESERVED = Struct("<QI")
COUNT = Struct("<I")
PEG = Struct("<QBiI")
QUOTE_DESK = Struct("<IIQQIIIIIQQIQqB")
SECTIONS = 5
Records = Callable[[Struct], Iterator[tuple[Any, ...]]]
"""Gives the records of the next section, which have one layout."""


def sections(state: VenueState) -> Iterator[Iterator[bytes]]:
    """Give the records of each section."""
    lists = [order_list for _, order_list in sorted(state.order_lists.items())]
    yield (ORDER_LIST.pack(*structs.astuple(order_list)[:-1]) for order_list in lists)
    yield (_waiting_record(each.list_id, order) for each in lists for order in each.waiting)
    is_due = state.reserved_last and state.reserved_last == state.events.command_sequence
    pegs = sorted((id_, peg) for market in state.markets.values() for id_, peg in market.pegs.items())
    yield iter([RESERVED.pack(state.reserved_last, state.reserved_count)] if is_due else [])
    yield (PEG.pack(order_id, *structs.astuple(peg)) for order_id, peg in pegs)
    yield (_quote_desk_record(key, desk) for key, desk in quote_desks_of(state))


def quote_desks_of(state: VenueState) -> Iterator[tuple[tuple[int, int], QuoteDesk]]:
    """Give quotes and protections by account and symbol id, as if nobody remembered orders that have ended."""
    for key, desk in sorted(state.quote_desks.items()):
        bid, ask = (order_id if order_id in state.orders else 0 for order_id in (desk.bid, desk.ask))
        lasting = structs.replace(desk, bid=bid, ask=ask)
        if not lasting.is_empty:
            yield key, lasting


def _quote_desk_record(key: tuple[int, int], desk: QuoteDesk) -> bytes:
    bid, ask, limits, *counts = structs.astuple(desk)
    return QUOTE_DESK.pack(*key, bid, ask, *structs.astuple(limits), *counts)


def _waiting_record(list_id: int, order: RestingOrder) -> bytes:
    return WAITING.pack(
        list_id, order.order_id, order.side, order.order_type, order.time_in_force, order.flags, order.price,
        order.client_order_id.encode(), *structs.astuple(order.terms),
    )  # fmt: skip


def restore(state: VenueState, records: Records) -> None:
    """Restore the lists from the next sections; the live orders are there already."""
    for order_list in read_order_lists(records):
        state.order_lists[order_list.list_id] = order_list
        for order_id in ids_of(order_list):
            state.list_of[order_id] = order_list
            if live := state.orders.get(order_id):
                live.marks = LINKED
    for state.reserved_last, state.reserved_count in records(RESERVED):
        pass
    pegs = read_pegs(records)
    state.quote_desks.update(read_quote_desks(records))
    for desk in state.quote_desks.values():
        for order_id in filter(None, (desk.bid, desk.ask)):
            state.orders[order_id].marks = QUOTED
    for order_id, peg in pegs.items():
        state.orders[order_id].marks = PEGGED
        symbol_id = state.orders[order_id].symbol_id
        state.markets[symbol_id].pegs[order_id] = peg
        state.pegged[symbol_id] = None


def read_order_lists(records: Records) -> list[OrderList]:
    """Read the order lists from the next sections, by their ids."""
    lists = {row[0]: OrderList(*(*row, [])) for row in records(ORDER_LIST)}
    for list_id, order_id, side, order_type, time_in_force, flags, price, text, *terms in records(WAITING):
        order_list = lists[list_id]
        asked = SpecialTerms(**dict(zip(SpecialTerms.__struct_fields__, terms, strict=True)))
        order_list.waiting.append(RestingOrder(
            order_id, order_list.account_id, order_list.symbol_id, SIDES[side], ORDER_TYPES[order_type],
            TIMES_IN_FORCE[time_in_force], flags, price, 0, 0, text.rstrip(b"\0").decode("ascii"), 0,
            NO_TERMS if asked == NO_TERMS else asked, 0,
            0 if order_list.contingency == Contingency.ONE_TRIGGERS_OTHER else LINKED,
        ))  # fmt: skip
    return list(lists.values())


def read_pegs(records: Records) -> dict[int, Peg]:
    """Read how pegged orders get their prices from the next section, by their ids."""
    return {order_id: Peg(PegKind(kind), offset, limit) for order_id, kind, offset, limit in records(PEG)}


def read_quote_desks(records: Records) -> dict[tuple[int, int], QuoteDesk]:
    """Read quotes and protections from the next section, by account and symbol id."""
    desks = {}
    for account_id, symbol_id, bid, ask, *numbers in records(QUOTE_DESK):
        limits = ProtectionLimits(*numbers[:5])
        *counts, is_reached = numbers[5:]
        desks[account_id, symbol_id] = QuoteDesk(*(bid, ask, limits, *counts, bool(is_reached)))
    return desks


def records_of(data: bytes) -> Records:
    """Return what reads the sections of this module alone, one after the other."""
    at = 0

    def records(layout: Struct) -> Iterator[tuple[Any, ...]]:
        nonlocal at
        (count,) = COUNT.unpack_from(data, at)
        begins_at, at = at + COUNT.size, at + COUNT.size + count * layout.size
        return layout.iter_unpack(memoryview(data)[begins_at:at])

    return records
