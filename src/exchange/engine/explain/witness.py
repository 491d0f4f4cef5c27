"""What happened to one order: a replay finds the commands that touched it, a second one looks before and after each.

The first pass only searches the bytes of the events for the order's id; what it finds is decoded. The second one
stops at the commands found, as many as are told. Both prove themselves by the running hash of the journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from msgspec import structs

from exchange.domain import events as e
from exchange.domain.allocation import AllocationStep
from exchange.domain.order import Side
from exchange.domain.order_list import ORDERS_OF
from exchange.domain.phase import AuctionKind, Phase
from exchange.domain.symbol import Symbol
from exchange.domain.units import SymbolId
from exchange.engine.explain.past import Past, Run
from exchange.engine.replay import ReplayFailed
from exchange.matching.allocation import Standing, allocate
from exchange.matching.auction import auction_rank, is_for
from exchange.matching.order_book import Level, QueuePlace, RestingOrder
from exchange.matching.venue import Venue
from exchange.wire.records import COMMAND_HEADER, SEQUENCE, decode_event, decode_events, split

MOMENTS_MAX = 12
"""Moments that are told; of more the first and the last ones."""
EVENTS_MAX = 20_000
"""Events of one order that are gathered."""
LIST_ORDERS_MAX = max(ORDERS_OF.values())
DEPTH = 5
LEVELS_MAX = 1_000
"""Price levels that are looked through for what is ahead of an order."""


class View(NamedTuple):
    """What the market was for an order. better: shares shown on its side at better prices; symbol: None for unknown."""

    symbol: Symbol | None
    time_ns: int
    event_sequence: int
    bids: list[Level]
    asks: list[Level]
    order: RestingOrder | None
    place: QueuePlace | None
    better: int
    reference_price: int


class Sharing(NamedTuple):
    """How a quantity was shared out. steps: after each what everybody had; none where everybody got all."""

    quantity: int
    orders: tuple[Standing, ...]
    given: tuple[int, ...]
    steps: tuple[tuple[AllocationStep | None, tuple[int, ...]], ...]


class Gathered(NamedTuple):
    """Who took part in an auction just before it ended, who trades first first."""

    buys: list[RestingOrder]
    sells: list[RestingOrder]


class Moment(NamedTuple):
    """One command that touched the order. events: all of the command."""

    command_sequence: int
    events: tuple[e.Event, ...]
    before: View
    after: View
    sharings: tuple[Sharing, ...]
    gathered: Gathered | None


class Testimony(NamedTuple):
    """All that is known of an order. events: those that name it; now: how the market stands at the end."""

    order_id: int
    events: list[e.Event]
    moments: list[Moment]
    left_out: int
    now: View
    command_sequence: int
    running_hash: int


class Unheard(LookupError):
    """No event names the order."""


def hear(past: Past, order_id: int) -> Testimony:
    """Return what happened to an order. Raise `Unheard`, or `InfraError` where history does not repeat itself."""
    found, end = _find(past, order_id)
    if not found:
        raise Unheard(f"no event names order {order_id}")
    symbol_id = next((event.symbol_id for event in found if event.symbol_id), 0)
    now, last, running_hash = _view(end, symbol_id, order_id), end.command_sequence, end.running_hash
    del end
    commands = list(dict.fromkeys(event.command_sequence for event in found))
    half = MOMENTS_MAX // 2
    told = commands if len(commands) <= MOMENTS_MAX else commands[:half] + commands[-half:]
    moments = list(_watch_all(past, told, symbol_id, order_id))
    return Testimony(order_id, found, moments, len(commands) - len(told), now, last, running_hash)


def names(event: e.Event, order_id: int, list_id: int = 0) -> bool:
    """Tell whether an event is about an order, or about the list that it is in. list_id: 0 for none."""
    if isinstance(event, e.OrderListAccepted):
        return has_in_list(event, order_id)
    if isinstance(event, (e.OrderListTriggered, e.OrderListEnded)) and list_id:
        return event.list_id == list_id
    return any(getattr(event, name) == order_id for name in order_fields(type(event)))


def has_in_list(event: e.OrderListAccepted, order_id: int) -> bool:
    """Tell whether an order is in a list: its first order has the list's id, each next one the id before."""
    return event.list_id - len(event.orders) < order_id <= event.list_id


def list_of(events: Sequence[e.Event], order_id: int) -> int:
    """Return the id of the list that an order is in, 0 for none."""
    lists = (event for event in events if isinstance(event, e.OrderListAccepted))
    return next((event.list_id for event in lists if has_in_list(event, order_id)), 0)


@cache
def order_fields(kind: type[e.Event]) -> tuple[str, ...]:
    """Return which fields of a kind of event are ids of orders."""
    return tuple(
        name for name in kind.__struct_fields__ if name.endswith("order_id") and name != "client_order_id"
    )


# --- the first pass --------------------------------------------------------------------------------------------------


def _find(past: Past, order_id: int) -> tuple[list[e.Event], Venue]:
    """Return the events that name an order, and the venue as it stands at the end."""
    needles = [SEQUENCE.pack(one) for one in range(order_id, order_id + LIST_ORDERS_MAX)]
    venue, found, list_id = past.start(), list[e.Event](), 0
    for run in past.runs():
        _prove(venue, run)
        events = venue.apply(run.commands, run.time_ns)
        if len(found) < EVENTS_MAX and any(needle in events for needle in needles):
            near = list(_naming(events, needles))
            list_id = list_id or list_of(near, order_id)
            found += [event for event in near if names(event, order_id, list_id)]
    return found, venue


def _naming(events: bytes, needles: Sequence[bytes]) -> Iterator[e.Event]:
    """Give the events that may be about an order: they have its id in them, or one that its list may have."""
    for offset, length in split(events):
        if any(events.find(needle, offset, offset + length) >= 0 for needle in needles):
            yield decode_event(events, offset)


def _prove(venue: Venue, run: Run) -> None:
    if run.before is not None and run.before != venue.running_hash:
        raise ReplayFailed(
            f"the replay differs from history before command {venue.command_sequence + 1}: its running hash is"
            f" {venue.running_hash:016x}, the journal has {run.before:016x}; look with `exchange journal check`"
        )


# --- the second pass -------------------------------------------------------------------------------------------------


def _watch_all(past: Past, told: Sequence[int], symbol_id: int, order_id: int) -> Iterator[Moment]:
    """Look before and after each command that is told, and go no further than the last of them."""
    venue = past.start()
    for run in past.runs():
        first, count = _extent(run.commands)
        if first > told[-1]:
            return
        _prove(venue, run)
        wanted = [sequence for sequence in told if first <= sequence < first + count]
        for part, is_told in _parts(run.commands, wanted):
            if is_told:
                yield _watch(venue, part, run.time_ns, symbol_id, order_id)
            else:
                venue.apply(part, run.time_ns)


def _extent(commands: bytes) -> tuple[int, int]:
    """Return the sequence of the first command of a run, and how many there are."""
    return COMMAND_HEADER.unpack_from(commands)[5], sum(1 for _ in split(commands))


def _parts(commands: bytes, wanted: Sequence[int]) -> Iterator[tuple[bytes, bool]]:
    """Cut a run so that each command that is wanted stands alone; tell of each part whether it is one."""
    if not wanted:
        yield commands, False
        return
    begin = 0
    for offset, length in split(commands):
        if COMMAND_HEADER.unpack_from(commands, offset)[5] in wanted:
            if begin < offset:
                yield commands[begin:offset], False
            begin = offset + length
            yield commands[offset:begin], True
    if begin < len(commands):
        yield commands[begin:], False


def _watch(venue: Venue, command: bytes, time_ns: int, symbol_id: int, order_id: int) -> Moment:
    """Carry one command out and note what was before it, what came of it, and what is after it."""
    before = _view(venue, symbol_id, order_id)
    symbol = before.symbol
    gathered = _gathered(venue, symbol_id) if symbol and symbol.phase is not Phase.CONTINUOUS else None
    state = venue.snapshot() if symbol and symbol.allocation.steps else b""
    events = venue.apply(command, time_ns)
    sharings = _sharings(state, symbol, command, time_ns, events) if symbol and state else ()
    after = _view(venue, symbol_id, order_id)
    return Moment(venue.command_sequence, tuple(decode_events(events)), before, after, sharings, gathered)


def _view(venue: Venue, symbol_id: int, order_id: int) -> View:
    bids, asks = venue.depth(symbol_id, LEVELS_MAX)
    live = venue.order(order_id)
    better = 0
    if live and live.is_shown:
        better = sum(
            level.quantity for level in (bids if live.side is Side.BUY else asks)
            if (level.price > live.price if live.side is Side.BUY else level.price < live.price)
        )  # fmt: skip
    return View(
        venue.directory.symbols.get(SymbolId(symbol_id)),
        venue.time_ns,
        venue.event_sequence,
        bids[:DEPTH],
        asks[:DEPTH],
        structs.replace(live) if live else None,
        venue.place_in_queue(order_id),
        better,
        venue.reference_price(symbol_id),
    )


def _gathered(venue: Venue, symbol_id: int) -> Gathered:
    """Return everybody whom an auction of the symbol could concern, whatever its kind."""
    sides = zip(
        venue.orders(symbol_id), venue.auction_orders(symbol_id), venue.hidden_orders(symbol_id), strict=True
    )
    buys, sells = (
        [structs.replace(order) for order in (*shown, *alone, *hidden)] for shown, alone, hidden in sides
    )
    return Gathered(buys, sells)


def taking_part(gathered: Gathered, kind: AuctionKind) -> Gathered:
    """Return those who take part in an auction of a kind, in their sequence."""
    buys, sells = (
        sorted(
            (o for o in orders if not o.minimum and (not o.is_for_auction or is_for(o, kind))), key=auction_rank
        )
        for orders in gathered
    )  # fmt: skip
    return Gathered(buys, sells)


class _Listener:
    """Shares out by a symbol's own steps, and keeps what it did."""

    def __init__(self, symbol: Symbol) -> None:
        self.allocation = symbol.allocation
        self.heard: list[Sharing] = []

    def allocate(self, quantity: int, orders: Sequence[Standing], lot: int) -> list[int]:
        """Answer as the symbol's allocation does."""
        steps: list[tuple[AllocationStep | None, tuple[int, ...]]] = []
        given = allocate(
            quantity, orders, self.allocation, lot, told=lambda step, has: steps.append((step, tuple(has)))
        )
        self.heard.append(Sharing(quantity, tuple(orders), tuple(given), tuple(steps)))
        return given


def _sharings(
    state: bytes, symbol: Symbol, command: bytes, time_ns: int, events: bytes
) -> tuple[Sharing, ...]:
    """Carry a command out once more in the matcher that is the definition, and listen to how it shares out."""
    venue, listener = Venue.restore(state), _Listener(symbol)
    venue.try_allocator(listener)
    return tuple(listener.heard) if venue.apply(command, time_ns) == events else ()
