"""The intake: reads event records, keeps the market by them, and calls the detectors' hooks.

An order is told of when it came in, and again when its command is over and it stands in the book. What a command does
to it in between (fills, the cancel of what may not rest) comes before that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from struct import Struct
from typing import Any, NamedTuple

from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain.corporate_action import Split
from exchange.domain.order import CancelReason, OrderFlag, OrderType
from exchange.domain.phase import CLOSING, Phase
from exchange.domain.trade import TradeCondition
from exchange.domain.units import sequence_of
from exchange.surveillance.detector import Detector, hooks_of
from exchange.surveillance.market import CONTINUOUS, Fill, Indication, Market, PriceChange
from exchange.surveillance.order_book import (
    BUY,
    GAVE_WAY,
    IMMEDIATE,
    IN_PLACE,
    PEGGED,
    QUOTED,
    SECOND_SIDE,
    SELL,
    LiveOrder,
    key_of,
)
from exchange.wire.records import (
    FLAGS_OFFSET,
    LAST_OF_COMMAND,
    LAYOUTS,
    LENGTH,
    VERSION,
    VERSION_OFFSET,
    ProtocolError,
    decode_event,
    number_of,
    split,
    version_refused,
)

_GAVE_WAY, _LINKED = CancelReason.QUOTE_REPLACED.value, CancelReason.LINKED.value
BY_OWNER = frozenset({
    CancelReason.REQUESTED.value, CancelReason.MASS_CANCEL.value, CancelReason.QUOTE_CANCELLED.value, _GAVE_WAY,
})  # fmt: skip
"""Cancels that the owner asked for; all others the market made, but for the second of a pair whose first the owner took
back: it goes with it, in one command."""
_IMMEDIATE = frozenset({CancelReason.IMMEDIATE_OR_CANCEL.value, CancelReason.FILL_OR_KILL.value})
REDUCED_TO_PERCENT = 10
"""An order that is amended to so little of what was left counts as taken back."""
_HIDDEN = OrderFlag.HIDDEN.value
_STOPS = (OrderType.STOP.value, OrderType.STOP_LIMIT.value)
_OVER = (Phase.POST_CLOSE.value, Phase.CLOSED.value)
_CLOSING = tuple(phase.value for phase in CLOSING)
_TYPE_OFFSET = 4
_HEADER = 10
_QUOTE, _ACCEPTED = number_of(e.QuoteAccepted), number_of(e.OrderAccepted)
Take = Callable[[tuple[Any, ...]], None]


class NewSide(NamedTuple):
    """A side of a quote that comes in."""

    order_id: int
    price: int
    quantity: int


def new_sides(records: bytes, offset: int) -> dict[int, NewSide]:
    """Return the sides that the quote whose acceptance stands at an offset brings in, by side; they follow it."""
    accepted = decode_event(records, offset)
    assert isinstance(accepted, e.QuoteAccepted), accepted
    wanted = {accepted.bid_order_id, accepted.ask_order_id} - {0}
    found: dict[int, NewSide] = {}
    unpack = LAYOUTS[e.OrderAccepted].struct.unpack_from
    while len(found) < len(wanted) and not records[offset + FLAGS_OFFSET] & LAST_OF_COMMAND:
        offset += LENGTH.unpack_from(records, offset)[0]
        if records[offset + _TYPE_OFFSET] == _ACCEPTED:
            order_id, _, side, _, _, _, price, quantity, _ = unpack(records, offset)[_HEADER:]
            if order_id in wanted:
                found[side] = NewSide(order_id, price, quantity)
    return found


class EventIntake:
    """Carries event records into a market and its detectors. day_ended: called last at the end of a business date."""

    def __init__(self, market: Market, detectors: Iterable[Detector], day_ended: Callable[[], None]) -> None:
        self._market = market
        self._day_ended = day_ended
        detectors = list(detectors)
        self._entered = hooks_of(detectors, "entered")
        self._rested = hooks_of(detectors, "rested")
        self._withdrawn = hooks_of(detectors, "withdrawn")
        self._renewed = hooks_of(detectors, "renewed")
        self._amended = hooks_of(detectors, "amended")
        self._adjusted = hooks_of(detectors, "adjusted")
        self._ended = hooks_of(detectors, "ended")
        self._traded = hooks_of(detectors, "traded")
        self._unmade = hooks_of(detectors, "unmade")
        self._uncrossed = hooks_of(detectors, "uncrossed")
        self._closed = hooks_of(detectors, "closed")
        self._days = hooks_of(detectors, "day_ended")
        self._passed = hooks_of(detectors, "passed")
        self._incoming: list[LiveOrder] = []
        self._leads = True
        self._taken_back = (0, 0)
        self._new_sides: dict[int, NewSide] = {}
        self._in_place = 0
        self._takers = self._plain_takers()
        self._decoded = self._decoded_takers()

    def take(self, records: bytes, after: int) -> None:
        """Take a run of event records in, leaving out those up to a sequence."""
        market, takers, passed = self._market, self._takers, self._passed
        if len(records) > VERSION_OFFSET and records[VERSION_OFFSET] != VERSION:
            raise ProtocolError(version_refused(VERSION_OFFSET, records[VERSION_OFFSET], VERSION))
        decoded, flags_at, type_at = self._decoded, FLAGS_OFFSET, _TYPE_OFFSET
        ended = LAST_OF_COMMAND
        for offset, _ in split(records):
            kind = records[offset + type_at]
            self._leads, ended = ended > 0, records[offset + flags_at] & LAST_OF_COMMAND
            taker = takers.get(kind)
            if taker is not None:
                unpack, take = taker
                values = unpack(records, offset)
                if values[5] <= after:
                    continue
                market.sequence, market.now_ns = values[5], values[7]
                for hook in passed:
                    hook()
                take(values)
            elif kind in decoded:
                if kind == _QUOTE:
                    self._new_sides = new_sides(records, offset)
                self._take_decoded(decode_event(records, offset), after)
            if self._incoming and ended:
                self._settle()

    def _take_decoded(self, event: e.Event, after: int) -> None:
        if event.sequence > after:
            self._market.sequence, self._market.now_ns = event.sequence, event.time_ns
            for hook in self._passed:
                hook()
            self._decoded[number_of(type(event))](event)

    def _plain_takers(self) -> dict[int, tuple[Callable[..., tuple[Any, ...]], Take]]:
        takers: dict[type, Take] = {
            e.OrderAccepted: self._accept,
            e.SpecialTermsAccepted: self._set_terms,
            e.OrderRepriced: self._reprice,
            e.OrderRefreshed: self._refresh,
            e.OrderTriggered: self._trigger,
            e.OrderCancelled: self._cancel,
            e.OrderAmended: self._amend,
            e.OrderReplaced: self._replace,
            e.TradeExecuted: self._trade,
        }
        found: dict[int, tuple[Callable[..., tuple[Any, ...]], Take]] = {}
        for kind, take in takers.items():
            layout: Struct = LAYOUTS[kind].struct
            found[number_of(kind)] = (layout.unpack_from, take)
        return found

    def _decoded_takers(self) -> dict[int, Callable[[Any], None]]:
        takers: dict[type, Callable[[Any], None]] = {
            e.QuoteAccepted: self._begin_quote,
            e.PegAccepted: self._peg,
            ce.SpecialTermsAdjusted: self._adjust_terms,
            ce.SymbolSplit: self._split,
            ce.DividendPaid: self._pay_dividend,
            ce.SymbolRenamed: self._rename,
            e.BusinessDayStarted: self._begin_day,
            e.SymbolAdded: self._add_symbol,
            e.SymbolConfigured: self._add_symbol,
            e.AccountCreated: lambda event: self._market.add_account(event.account_id, event.participant_id),
            e.SelfTradePreventionSet: lambda event: self._market.set_group(event.participant_id, event.group),
            e.TradeBusted: self._unmake,
            e.TradeCorrected: self._unmake,
            e.PhaseChanged: self._change_phase,
            e.AuctionIndicated: self._indicate,
            e.AuctionExecuted: self._uncross,
        }
        return {number_of(kind): take for kind, take in takers.items()}

    # --- orders -------------------------------------------------------------------------------------

    def _accept(self, values: tuple[Any, ...]) -> None:
        order_id, account_id, side, order_type, _, flags, price, quantity, _ = values[_HEADER:]
        self._come_in(values, order_id, account_id, side, order_type, flags, price, quantity)

    def _come_in(
        self, values: tuple[Any, ...], order_id: int, account_id: int, side: int, order_type: int, flags: int,
        price: int, quantity: int,
    ) -> None:  # fmt: skip
        market, symbol_id = self._market, values[9]
        owner = market.owner_of(account_id)
        key = owner << 16 | symbol_id
        order = LiveOrder(
            order_id, account_id, owner, symbol_id, side, price, quantity, quantity, values[7], values[5], values[6],
            key, key << 1 | (side - 1), 0, 0, order_type in _STOPS, flags & _HIDDEN > 0,
        )  # fmt: skip
        if self._new_sides:
            order.marks = self._marks_in_quote(order)
        market.orders[order_id] = order
        self._incoming.append(order)
        for hook in self._entered:
            hook(order)

    def _settle(self) -> None:
        """Put what came in with this command and is not over into the book."""
        incoming, self._incoming = self._incoming, []
        market = self._market
        for order in incoming:
            if order.leaves <= 0 or order.order_id not in market.orders or order.waits:
                continue
            order.rests = True
            if order.price <= 0 or order.hidden:
                continue
            market.show(order, min(order.leaves, order.display or order.leaves))
            for hook in self._rested:
                hook(order)

    def _set_terms(self, values: tuple[Any, ...]) -> None:
        order = self._market.orders.get(values[10])
        if order is not None:
            order.display = values[13]

    def _reprice(self, values: tuple[Any, ...]) -> None:
        order = self._market.orders.get(values[10])
        if order is not None:
            shown = order.shown
            self._market.show(order, 0)
            order.price = values[14]
            self._market.show(order, shown)

    def _refresh(self, values: tuple[Any, ...]) -> None:
        order = self._market.orders.get(values[10])
        if order is not None:
            order.leaves = values[15]
            self._market.show(order, values[14])

    def _trigger(self, values: tuple[Any, ...]) -> None:
        order = self._market.orders.get(values[10])
        if order is not None:
            order.waits, order.price, order.leaves = False, values[16], values[17]
            self._incoming.append(order)

    def _cancel(self, values: tuple[Any, ...]) -> None:
        order_id, _, _, reason, _, _ = values[_HEADER:]
        order = self._market.orders.get(order_id)
        if order is None:
            return
        by_owner, act = reason in BY_OWNER, (values[6], order.key)
        if by_owner:
            self._taken_back = act
        elif reason == _LINKED and act == self._taken_back:
            by_owner = True
        elif reason in _IMMEDIATE:
            order.marks |= IMMEDIATE
        if reason == _GAVE_WAY:
            self._give_way(order)
        elif by_owner and order.rests:
            for hook in self._withdrawn:
                hook(order)
        self._end(order, by_owner)

    def _give_way(self, order: LiveOrder) -> None:
        """Take the side of a quote back, unless the side that takes its place is as near and of like size."""
        order.marks |= GAVE_WAY
        self._in_place = IN_PLACE
        new = self._new_sides.get(order.side)
        nearer = new is not None and (new.price - order.price) * (1 if order.side == BUY else -1) >= 0
        if new is not None and nearer and new.quantity * 100 > REDUCED_TO_PERCENT * order.leaves:
            for hook in self._renewed:
                hook(order, new.order_id)
        elif order.rests:
            for hook in self._withdrawn:
                hook(order)

    def _end(self, order: LiveOrder, by_owner: bool) -> None:
        for hook in self._ended:
            hook(order, by_owner)
        self._market.show(order, 0)
        del self._market.orders[order.order_id]

    def _amend(self, values: tuple[Any, ...]) -> None:
        order_id, _, side, _, _, price, quantity, leaves = values[_HEADER:]
        order = self._market.orders.get(order_id)
        if order is None:
            return
        if not self._leads:
            self._change_by_market(order, price, quantity, leaves)
            return
        moves_away = price < order.price if side == BUY else price > order.price
        if order.rests and (moves_away or leaves * 100 <= REDUCED_TO_PERCENT * order.leaves):
            for hook in self._withdrawn:
                hook(order)
        self._market.show(order, 0)
        order.price, order.quantity, order.leaves = price, quantity, leaves
        for hook in self._amended:
            hook(order)
        if order.rests and not order.hidden:
            self._incoming.append(order)

    def _change_by_market(self, order: LiveOrder, price: int, quantity: int, leaves: int) -> None:
        """Keep up with what the market changed: by a split or dividend, a pair's other order, or a prevented match."""
        shown = order.shown
        self._market.show(order, 0)
        order.price, order.quantity, order.leaves = price, quantity, leaves
        if shown or (order.rests and not order.hidden):
            self._incoming.append(order)

    def _replace(self, values: tuple[Any, ...]) -> None:
        order_id, new_order_id, account_id, side, order_type, _, flags, _, price, quantity, _ = values[
            _HEADER:
        ]
        order = self._market.orders.get(order_id)
        if order is not None:
            if order.rests:
                for hook in self._withdrawn:
                    hook(order)
            self._end(order, True)
        self._come_in(values, new_order_id, account_id, side, order_type, flags, price, quantity)
        if order is not None:
            self._incoming[-1].display = order.display

    # --- quotes, pegs, corporate actions --------------------------------------------------------------

    def _begin_quote(self, event: e.QuoteAccepted) -> None:
        self._in_place = 0

    def _marks_in_quote(self, order: LiveOrder) -> int:
        """Return the marks of an order that the quote in hand brings in, 0 for another order."""
        new = self._new_sides.get(order.side)
        if new is None or new.order_id != order.order_id:
            return 0
        is_second = order.side == SELL and BUY in self._new_sides
        return QUOTED | self._in_place | (SECOND_SIDE if is_second else 0)

    def _peg(self, event: e.PegAccepted) -> None:
        order = self._market.orders.get(event.order_id)
        if order is not None:
            order.hidden = True
            order.marks |= PEGGED

    def _adjust_terms(self, event: ce.SpecialTermsAdjusted) -> None:
        order = self._market.orders.get(event.order_id)
        if order is not None:
            order.display = event.display_quantity

    def _split(self, event: ce.SymbolSplit) -> None:
        self._adjust(event.symbol_id, PriceChange(Split(event.new_shares, event.old_shares)))

    def _pay_dividend(self, event: ce.DividendPaid) -> None:
        self._adjust(event.symbol_id, PriceChange(Split(1, 1), event.amount))

    def _adjust(self, symbol_id: int, change: PriceChange) -> None:
        self._market.adjust(symbol_id, change)
        for hook in self._adjusted:
            hook(symbol_id, change)

    def _rename(self, event: ce.SymbolRenamed) -> None:
        self._market.names[event.symbol_id] = event.symbol

    # --- trades -------------------------------------------------------------------------------------

    def _trade(self, values: tuple[Any, ...]) -> None:
        (
            maker_order_id, taker_order_id, maker_account_id, taker_account_id, price, quantity, reference_price,
            maker_leaves, taker_leaves, taker_side, condition,
        ) = values[_HEADER:]  # fmt: skip
        market, symbol_id = self._market, values[9]
        maker = self._known(maker_order_id, maker_account_id, symbol_id, 3 - taker_side, price, quantity)
        taker = self._known(taker_order_id, taker_account_id, symbol_id, taker_side, price, quantity)
        fill = Fill(
            values[5], values[6], values[7], symbol_id, price, quantity, market.last_prices.get(symbol_id, 0),
            reference_price, taker_side, condition == TradeCondition.AUCTION, maker, taker,
        )  # fmt: skip
        for hook in self._traded:
            hook(fill)
        market.last_prices[symbol_id] = price
        for order, leaves in ((maker, maker_leaves), (taker, taker_leaves)):
            order.leaves = leaves
            if order.shown:
                market.show(order, max(0, order.shown - quantity))
            if not leaves and order.order_id in market.orders:
                self._end(order, False)

    def _known(
        self, order_id: int, account_id: int, symbol_id: int, side: int, price: int, quantity: int
    ) -> LiveOrder:
        """Return an order, or one that stands for an order from before the first event that was seen."""
        market = self._market
        found = market.orders.get(order_id)
        if found is None:
            owner = market.owner_of(account_id)
            key = key_of(owner, symbol_id)
            found = LiveOrder(
                order_id, account_id, owner, symbol_id, side, price, quantity, quantity, 0, 0, 0, key,
                key << 1 | (side - 1),
            )  # fmt: skip
        return found

    def _unmake(self, event: e.TradeBusted | e.TradeCorrected) -> None:
        for hook in self._unmade:
            hook(sequence_of(event.match_id))

    # --- days, phases, auctions, names ----------------------------------------------------------------

    def _begin_day(self, event: e.BusinessDayStarted) -> None:
        market = self._market
        if market.business_date:
            for symbol_id in market.last_prices:
                if market.phases.get(symbol_id, CONTINUOUS) not in _OVER:
                    self._close(symbol_id)
            for hook in self._days:
                hook()
            self._day_ended()
        market.business_date = event.date

    def _change_phase(self, event: e.PhaseChanged) -> None:
        if not event.symbol_id:
            return
        before = self._market.phases.get(event.symbol_id, CONTINUOUS)
        if event.phase in _OVER and before not in _OVER:
            self._close(event.symbol_id)
        self._market.phases[event.symbol_id] = event.phase.value
        self._market.indications.pop(event.symbol_id, None)

    def _close(self, symbol_id: int) -> None:
        for hook in self._closed:
            hook(symbol_id)

    def _indicate(self, event: e.AuctionIndicated) -> None:
        self._market.indications[event.symbol_id] = Indication(event.price, event.paired, event.sequence)

    def _uncross(self, event: e.AuctionExecuted) -> None:
        for hook in self._uncrossed:
            hook(event.symbol_id, event.price)

    def _add_symbol(self, event: e.SymbolAdded | e.SymbolConfigured) -> None:
        self._market.ticks[event.symbol_id] = [(row.from_price, row.tick) for row in event.ticks]
        self._market.names[event.symbol_id] = event.symbol
