"""The event stream as ITCH 5.0: what happens to every resting order, day by day, for those who build books themselves.

A business date is a session of its own: it begins with the symbols, their states and the orders that rest from before,
and ends with `S`/`C`. Where ITCH has no word for what happens here:

- An order that is amended and loses its place goes on under another reference: bits 40 to 55 of it count up.
- A corrected trade is a broken trade (`B`) and a new one (`P`) with the event of the correction as its match number.
- While orders gather for an auction the book may be crossed. Its trades are `C` messages that are not printed, and one
  `Q` for all of them; what is told of an auction (`I`) comes with every change.
- A symbol that gathers orders because the whole market stopped is `Q` with the reason of the breaker's level.
- A new ticker is a stock directory message (`R`) with the same locate code; what follows has the new name. What the
  shared configuration lists or changes is `R` and `H` too.
- What the kill switch blocks, a symbol or the market, is halted (`H`) until it is let go.
- A split or a dividend shows as what it does to each order, which goes on under another reference.
- An order that meets the book before it rests appears with what is left of it.
"""

from __future__ import annotations

import msgspec

from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain import volatility_events as v
from exchange.domain.directory import Directory
from exchange.domain.order import Side
from exchange.domain.phase import AuctionKind, Phase, PhaseCause
from exchange.domain.risk import RiskScope
from exchange.domain.symbol import Symbol, SymbolState
from exchange.domain.trade import TradeCondition
from exchange.domain.units import public_id
from exchange.domain.volatility import BREAKER_BPS
from exchange.market_data.book import BookOrder
from exchange.market_data.book_builder import BookBuilder
from exchange.wire import itch
from exchange.wire import soupbintcp as soup
from exchange.wire.fields import RECORD_START, field_struct, kind_of
from exchange.wire.records import LAST_OF_COMMAND, ProtocolError, decode_event

MOVE_SHIFT = 40
MOVES_MAX = 1 << 16
"""An order's reference carries how often it has lost its place; after so many times the count begins anew."""

_STAMP = field_struct(e.Event, "command_sequence", "time_ns")
_EXECUTED = field_struct(e.TradeExecuted, "partition", "sequence", "price", "state")
_MOVES = (kind_of(e.OrderAmended), kind_of(e.OrderReplaced))
_SIDES = {Side.BUY: b"B", Side.SELL: b"S"}
_ACTIONS = {
    Phase.CONTINUOUS: b"T", Phase.HALTED: b"H", Phase.CLOSED: b"H", Phase.POST_CLOSE: b"H",
    Phase.VOLATILITY_AUCTION: b"P",
}  # fmt: skip
_CROSSES = {
    AuctionKind.OPENING: b"O", AuctionKind.CLOSING: b"C", AuctionKind.REOPENING: b"H", AuctionKind.VOLATILITY: b"H",
}  # fmt: skip
_LOOKED_AT = {
    kind_of(kind): kind
    for kind in (
        e.SymbolAdded,
        e.SymbolConfigured,
        e.SymbolStateChanged,
        ce.SymbolRenamed,
        ce.ShortSaleTermsSet,
        ce.ShortSaleRestricted,
        e.TradingBlocked,
        e.TradingUnblocked,
        e.BusinessDayStarted,
        e.TradeBusted,
        e.TradeCorrected,
        e.PhaseChanged,
        e.AuctionIndicated,
        e.AuctionExecuted,
        e.AuctionExtended,
        v.PriceBandsSet,
        v.PriceCorridorSet,
        v.AuctionCollarSet,
        v.MarketBreakerSet,
        v.MarketBreakerTripped,
    )
}
_UINT64_MAX = 2**64 - 1
_NOTHING_MOVED = (-1, 0)
_NO_REASON = itch.text("", 4)
_VOLATILITY_PAUSE = itch.text("LUDP", 4)
_TIERS = {0: b" ", 1: b"1", 2: b"2"}
_LEVEL_UNITS = 10_000
"""Of an index level in `V`, which has eight decimals, in one of ours, which has four."""


class DayPart(msgspec.Struct, frozen=True):
    """Messages of one business date, YYYYMMDD, in order. begins, ends: whether the date's first or last is here.

    packets: the messages, each as an `S` packet of SoupBinTCP; count: how many.
    """

    date: int
    packets: bytes
    count: int
    begins: bool = False
    ends: bool = False

    @property
    def messages(self) -> list[bytes]:
        """Return the messages by themselves."""
        return soup.payloads(self.packets)


class Snapshot(msgspec.Struct, array_like=True):
    """The state of a stream between two commands."""

    date: int
    symbols: list[Symbol]
    books: bytes
    refs: dict[int, int]
    matches: dict[int, int]
    blocked: list[int] = []
    breaker_close: int = 0


class ItchStream:
    """Turns event records into ITCH messages. builder: the books as its messages make them."""

    def __init__(self) -> None:
        self.builder = BookBuilder(self)
        self.date = 0
        self._directory = Directory()
        self._refs: dict[int, int] = {}
        self._matches: dict[int, int] = {}
        self._blocked: dict[int, None] = {}
        """Symbols that the kill switch blocks, 0 for the whole market."""
        self._messages: list[bytes] = []
        self._parts: list[DayPart] = []
        self._begins = False
        self._command = 0
        self._gone: dict[int, int] = {}
        self._moved = _NOTHING_MOVED
        self._breaker_level = 0

    def apply(self, events: bytes) -> list[DayPart]:
        """Take event records of whole commands in; return the messages they make."""
        begin = offset = 0
        waiting: list[int] = []
        while offset < len(events):
            length, kind, flags = RECORD_START.unpack_from(events, offset)
            if kind in _LOOKED_AT:
                waiting.append(offset)
            offset += length
            if waiting and flags & LAST_OF_COMMAND:
                self.builder.apply(events[begin:offset])
                for each in waiting:
                    self._take(decode_event(events, each))
                begin, waiting = offset, []
        self.builder.apply(events[begin:])
        self._close_part(ends=False)
        parts, self._parts = self._parts, []
        return parts

    @property
    def sequence(self) -> int:
        """Return the sequence of the last event taken in."""
        return self.builder.sequence

    @property
    def time_ns(self) -> int:
        """Return the time of the last event taken in."""
        return self.builder.time_ns

    def begin(self, directory: Directory, books: bytes, date: int) -> list[DayPart]:
        """Begin in the middle of a market, a date with what stands there; return its first messages.

        books: what `BookBuilder.snapshot` gives.
        """
        self._directory.symbols.update(directory.symbols)
        self._directory.breaker_close = directory.breaker_close
        self._blocked = dict.fromkeys(blocked_in(directory))
        self.builder = BookBuilder.restore(books, self)
        self._start_day(date, self.builder.time_ns)
        self._close_part(ends=False)
        parts, self._parts = self._parts, []
        return parts

    def snapshot(self) -> bytes:
        """Write the state between two commands."""
        symbols = list(self._directory.symbols.values())
        books = self.builder.snapshot()
        return msgspec.msgpack.encode(Snapshot(
            self.date, symbols, books, self._refs, self._matches, list(self._blocked), self._directory.breaker_close
        ))  # fmt: skip

    @classmethod
    def restore(cls, data: bytes) -> ItchStream:
        """Read what `snapshot` wrote. Raise `ProtocolError` where it is something else."""
        state = read_snapshot(data)
        stream = cls()
        stream.builder = BookBuilder.restore(state.books, stream)
        stream.date, stream._refs, stream._matches = state.date, state.refs, state.matches
        stream._directory.symbols.update((symbol.symbol_id, symbol) for symbol in state.symbols)
        stream._directory.breaker_close = state.breaker_close
        stream._blocked = dict.fromkeys(state.blocked)
        return stream

    # --- what the builder tells -------------------------------------------------------------------

    def order_added(self, order: BookOrder, events: bytes, offset: int) -> None:
        """See `OrderWatcher`."""
        time_ns = self._at(events, offset)
        old_ref = self._gone.get(order.order_id)
        ref = order.order_id if old_ref is None else _next_ref(old_ref)
        if ref != order.order_id:
            self._refs[order.order_id] = ref
        moved_at, moved_ref = self._moved
        if moved_at == len(self._messages) > 0:
            self._messages[-1] = itch.REPLACE.pack(
                order.symbol_id, time_ns, moved_ref, ref, order.leaves, order.price
            )
        else:
            self._add(order, ref, time_ns)

    def order_executed(self, order: BookOrder, leaves: int, events: bytes, offset: int) -> None:
        """See `OrderWatcher`."""
        time_ns, shares = self._at(events, offset), order.leaves - leaves
        partition, sequence, price, condition = _EXECUTED.unpack_from(events, offset)
        match = public_id(partition, sequence)
        if condition == TradeCondition.AUCTION:
            self._execute_in_auction(order, leaves, time_ns, match, price)
            return
        if order.hidden:
            self._print(order.symbol_id, time_ns, shares, order.price, match)
            return
        ref = self._take_ref(order.order_id) if not leaves else self._ref(order.order_id)
        self._send(itch.EXECUTED.pack(order.symbol_id, time_ns, ref, shares, match))

    def _execute_in_auction(
        self, order: BookOrder, leaves: int, time_ns: int, match: int, price: int
    ) -> None:
        """Tell of a shown order's trade; the cross trade that follows tells of the volume."""
        if order.hidden:
            return
        ref = self._take_ref(order.order_id) if not leaves else self._ref(order.order_id)
        shares = order.leaves - leaves
        self._send(itch.EXECUTED_AT.pack(order.symbol_id, time_ns, ref, shares, match, b"N", price))

    def order_reduced(self, order: BookOrder, leaves: int, events: bytes, offset: int) -> None:
        """See `OrderWatcher`."""
        time_ns = self._at(events, offset)
        if leaves:
            ref = self._ref(order.order_id)
            if leaves != order.leaves:
                self._send(itch.CANCEL.pack(order.symbol_id, time_ns, ref, order.leaves - leaves))
            return
        ref = self._take_ref(order.order_id)
        self._send(itch.DELETE.pack(order.symbol_id, time_ns, ref))
        if RECORD_START.unpack_from(events, offset)[1] in _MOVES:
            self._moved = len(self._messages), ref

    # --- what else happens ------------------------------------------------------------------------

    def _take(self, event: e.Event) -> None:
        self._directory.apply(event)
        match event:
            case e.SymbolAdded() | e.SymbolConfigured() | ce.SymbolRenamed():
                symbol = self._directory.symbols[event.symbol_id]
                self._list(symbol, event.time_ns)
                self._tell_state(symbol, event.time_ns)
            case e.PhaseChanged(symbol_id=0):
                pass
            case e.TradingBlocked() | e.TradingUnblocked():
                self._note_block(event)
            case ce.ShortSaleTermsSet():
                pass
            case ce.ShortSaleRestricted():
                action = b"0" if not event.is_restricted else b"1" if event.price else b"2"
                self._tell_restriction(event.symbol_id, event.time_ns, action)
            case e.AuctionIndicated() | e.AuctionExecuted() | e.AuctionExtended():
                self._tell_auction(event)
            case e.SymbolStateChanged():
                self._tell_state(self._directory.symbols[event.symbol_id], event.time_ns)
            case e.PhaseChanged():
                symbol = self._directory.symbols[event.symbol_id]
                self._tell_state(symbol, event.time_ns, self._reason_of(event.cause))
            case v.PriceBandsSet() | v.PriceCorridorSet():
                self._list(self._directory.symbols[event.symbol_id], event.time_ns)
            case v.AuctionCollarSet():
                self._tell_collar(event, event.reference_price, event.upper, event.lower, event.extension)
            case v.MarketBreakerSet():
                self._tell_breaker(event.time_ns)
            case v.MarketBreakerTripped():
                self._breaker_level = event.level
                self._send(itch.BREAKER_BREACH.pack(0, event.time_ns, b"%d" % event.level))
            case e.BusinessDayStarted():
                self._start_day(event.date, event.time_ns)
            case e.TradeBusted():
                match = self._matches.pop(event.match_id, event.match_id)
                self._send(itch.BROKEN_TRADE.pack(event.symbol_id, event.time_ns, match))
            case e.TradeCorrected():
                self._correct(event)

    def _note_block(self, event: e.TradingBlocked | e.TradingUnblocked) -> None:
        """Tell of a symbol, or of all, that the kill switch stops or lets go; of a member nobody is told."""
        if event.scope not in (RiskScope.MARKET, RiskScope.SYMBOL):
            return
        self._blocked.pop(event.subject_id, None)
        if isinstance(event, e.TradingBlocked):
            self._blocked[event.subject_id] = None
        for symbol in self._directory.symbols.values():
            if event.subject_id in (0, symbol.symbol_id):
                self._tell_state(symbol, event.time_ns)

    def _start_day(self, date: int, time_ns: int) -> None:
        if self.date:
            self._system(time_ns, "MEC")
            self._close_part(ends=True)
        self.date, self._begins = date, True
        self._system(time_ns, "O")
        self._tell_breaker(time_ns)
        for symbol in self._directory.symbols.values():
            self._list(symbol, time_ns)
        for symbol in self._directory.symbols.values():
            self._tell_state(symbol, time_ns)
            if symbol.short_sales.trigger_bps:
                action = b"2" if symbol.is_short_restricted else b"0"
                self._tell_restriction(symbol.symbol_id, time_ns, action)
        for _, book in sorted(self.builder.books.items()):
            for queue in book.queues():
                for order in queue:
                    self._add(order, self._ref(order.order_id), time_ns)
        self._system(time_ns, "SQ")

    def _correct(self, event: e.TradeCorrected) -> None:
        match = self._matches.get(event.match_id, event.match_id)
        self._send(itch.BROKEN_TRADE.pack(event.symbol_id, event.time_ns, match))
        match = self._matches[event.match_id] = public_id(event.partition, event.sequence)
        self._print(event.symbol_id, event.time_ns, event.new_quantity, event.new_price, match)

    # --- what is sent -----------------------------------------------------------------------------

    def _add(self, order: BookOrder, ref: int, time_ns: int) -> None:
        symbol_id, side = order.symbol_id, _SIDES[Side(order.side)]
        stock = self._stock(symbol_id)
        self._send(itch.ADD_ORDER.pack(symbol_id, time_ns, ref, side, order.leaves, stock, order.price))

    def _list(self, symbol: Symbol, time_ns: int) -> None:
        stock = self._stock(symbol.symbol_id)
        self._send(
            itch.STOCK_DIRECTORY.pack(
                symbol.symbol_id, time_ns, stock, b" ", b"N", symbol.round_lot, b"N", b"C", b"Z ", b"P", b"N",
                b"N", _TIERS[symbol.volatility.tier], b"N", 1, b"N",
            )
        )  # fmt: skip

    def _reason_of(self, cause: PhaseCause) -> bytes:
        if cause is PhaseCause.PRICE_LIMIT:
            return _VOLATILITY_PAUSE
        return itch.text(f"MWC{self._breaker_level}", 4) if cause is PhaseCause.BREAKER else _NO_REASON

    def _tell_breaker(self, time_ns: int) -> None:
        close_level = self._directory.breaker_close
        if close_level:
            falls = (10_000 - bps for bps in BREAKER_BPS)
            levels = (close_level * left * _LEVEL_UNITS // 10_000 for left in falls)
            self._send(itch.BREAKER_LEVELS.pack(0, time_ns, *(min(level, _UINT64_MAX) for level in levels)))

    def _tell_collar(self, event: e.Event, reference: int, upper: int, lower: int, extension: int) -> None:
        stock = self._stock(event.symbol_id)
        self._send(
            itch.AUCTION_COLLAR.pack(
                event.symbol_id, event.time_ns, stock, reference, upper, lower, extension
            )
        )

    def _tell_state(self, symbol: Symbol, time_ns: int, reason: bytes = _NO_REASON) -> None:
        is_blocked = 0 in self._blocked or symbol.symbol_id in self._blocked
        stock, state = self._stock(symbol.symbol_id), b"H" if is_blocked else _action_of(symbol)
        self._send(itch.TRADING_ACTION.pack(symbol.symbol_id, time_ns, stock, state, b" ", reason))

    def _tell_restriction(self, symbol_id: int, time_ns: int, action: bytes) -> None:
        """Tell of short sales: 0 not restricted, 1 from now on, 2 still, from an earlier day."""
        self._send(itch.REG_SHO.pack(symbol_id, time_ns, self._stock(symbol_id), action))

    def _tell_auction(self, event: e.AuctionIndicated | e.AuctionExecuted | e.AuctionExtended) -> None:
        symbol_id, time_ns, stock = event.symbol_id, event.time_ns, self._stock(event.symbol_id)
        cross = _CROSSES[event.auction]
        match event:
            case e.AuctionIndicated():
                direction = _SIDES[Side(event.side)] if event.side else b"N" if event.paired else b"O"
                self._send(itch.IMBALANCE.pack(
                    symbol_id, time_ns, event.paired, event.imbalance, direction, stock, event.far_price,
                    event.price, event.reference_price, cross, variation_of(event.price, event.reference_price),
                ))  # fmt: skip
            case e.AuctionExecuted():
                match = public_id(event.partition, event.sequence)
                self._send(
                    itch.CROSS_TRADE.pack(symbol_id, time_ns, event.volume, stock, event.price, match, cross)
                )
            case e.AuctionExtended() if event.auction not in self._own_collars(event.symbol_id):
                self._tell_collar(event, event.price, event.highest, event.lowest, event.number)

    def _own_collars(self, symbol_id: int) -> tuple[AuctionKind, ...]:
        """Return the auctions whose collars are told by themselves: those after a pause that bands led to."""
        return (AuctionKind.VOLATILITY,) if self._directory.symbols[symbol_id].volatility.tier else ()

    def _print(self, symbol_id: int, time_ns: int, shares: int, price: int, match: int) -> None:
        """Tell of a trade that is no execution of an order in the feed."""
        stock = self._stock(symbol_id)
        self._send(itch.TRADE.pack(symbol_id, time_ns, 0, b"B", shares, stock, price, match))

    def _system(self, time_ns: int, codes: str) -> None:
        for code in codes:
            self._send(itch.SYSTEM_EVENT.pack(0, time_ns, code.encode("ascii")))

    def _send(self, message: bytes) -> None:
        """Put a message out; before the first business date there is no session that could hear it."""
        if self.date:
            self._messages.append(message)

    def _close_part(self, *, ends: bool) -> None:
        if self._messages:
            packets = b"".join([soup.packet(soup.SEQUENCED, message) for message in self._messages])
            self._parts.append(DayPart(self.date, packets, len(self._messages), self._begins, ends))
            self._messages, self._begins = [], False
        self._moved = _NOTHING_MOVED

    def _stock(self, symbol_id: int) -> bytes:
        return itch.text(self._directory.symbols[symbol_id].symbol)

    # --- references -------------------------------------------------------------------------------

    def _at(self, events: bytes, offset: int) -> int:
        """Return the time of an event; forget what belongs to the command before it."""
        command, time_ns = _STAMP.unpack_from(events, offset)
        if command != self._command:
            self._command, self._moved = command, _NOTHING_MOVED
            self._gone.clear()
        return int(time_ns)

    def _ref(self, order_id: int) -> int:
        return self._refs.get(order_id, order_id)

    def _take_ref(self, order_id: int) -> int:
        ref = self._gone[order_id] = self._refs.pop(order_id, order_id)
        return ref


def read_snapshot(data: bytes) -> Snapshot:
    """Read the state that `ItchStream.snapshot` wrote. Raise `ProtocolError` where it is something else."""
    try:
        return msgspec.msgpack.decode(data, type=Snapshot)
    except msgspec.DecodeError as error:
        raise ProtocolError(f"snapshot of ITCH: {error}") from error


def variation_of(price: int, reference_price: int) -> bytes:
    """Return how far an indicated price is from the reference price, as NOII's code; a blank for none."""
    if not price:
        return b" "
    percent = abs(price - reference_price) * 100 // reference_price
    return (
        b"L" if not percent else b"%d" % percent if percent < 10 else b"ABC"[min(percent // 10, 3) - 1 :][:1]
    )


def blocked_in(directory: Directory) -> list[int]:
    """Return the symbols that the kill switch blocks, 0 for the whole market."""
    scopes = (RiskScope.MARKET, RiskScope.SYMBOL)
    return [subject_id for scope, subject_id in directory.blocks if scope in scopes]


def _action_of(symbol: Symbol) -> bytes:
    """Return the state of a trading action: T trading, Q orders gather, P paused for its price, H nothing trades."""
    if symbol.state is not SymbolState.ACTIVE:
        return b"H"
    return _ACTIONS.get(symbol.phase, b"Q")


def order_id_of(ref: int) -> int:
    """Return the order that a reference is of, however often it has moved."""
    return ref & ~((MOVES_MAX - 1) << MOVE_SHIFT)


def _next_ref(ref: int) -> int:
    moves = (ref >> MOVE_SHIFT) % MOVES_MAX
    return order_id_of(ref) | (moves + 1) % MOVES_MAX << MOVE_SHIFT
