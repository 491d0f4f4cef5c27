"""Order lists in: all orders of one are checked before any of them comes in."""

from __future__ import annotations

from msgspec import structs
from xxhash import xxh3_128_digest

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import CLIENT_ORDER_ID_PATTERN, NO_TERMS, OrderType, Side
from exchange.domain.order_list import ORDER_LISTS_MAX, ORDERS_OF, Contingency, ListedOrder
from exchange.domain.reasons import Reason
from exchange.domain.symbol import SymbolState
from exchange.domain.units import public_id
from exchange.matching.client_order_ids import FirstUse
from exchange.matching.market import Market
from exchange.matching.matcher import Matcher
from exchange.matching.order_book import LINKED, RestingOrder
from exchange.matching.order_checks import (
    ALL_OR_NONE,
    HIDDEN,
    ORDER_TYPES,
    RESTING_TIMES_IN_FORCE,
    SIDES,
    TIMES_IN_FORCE,
    Refusal,
    first_stop_price,
    may_rest,
    refusal_of_handling,
    refusal_of_kind,
    refusal_of_market_to_limit,
    refusal_of_post_only,
    refusal_of_session,
    refusal_of_special,
    refusal_of_terms,
)
from exchange.matching.risk_checks import Proposal, RiskChecks
from exchange.matching.short_sale_desk import ShortSaleDesk
from exchange.matching.stop_orders import STOPS, trails
from exchange.matching.venue_state import OrderList, VenueState
from exchange.wire.records import COMMAND_HEADER, encode_command, number_of

LIST_NUMBER = number_of(c.EnterOrderList)
WAITING_TYPES = (OrderType.LIMIT, *STOPS)


class ListEntry:
    """Judges order lists and lets them in. Enum fields may come as numbers that mean nothing."""

    def __init__(self, state: VenueState, matcher: Matcher) -> None:
        self._state = state
        self._events = state.events
        self._matcher = matcher
        self._risk = RiskChecks(state)
        self._short_sales = ShortSaleDesk(state)

    def reserve(self, command: c.ReserveOrderId) -> None:
        """Keep the id that an order of this command would have for one of the next command."""
        state, sequence = self._state, self._events.command_sequence
        state.reserved_count = state.ids_reserved() + 1
        state.reserved_last = sequence

    def enter(self, command: c.EnterOrderList) -> None:
        """Take an order list as a whole, or say which of its orders is refused and why."""
        body = xxh3_128_digest(encode_command(command)[COMMAND_HEADER.size :]) + bytes(4)
        if self._is_repetition(command, body):
            return
        place, refusal = self._refusal(command)
        if refusal:
            self._events.command_rejected(
                LIST_NUMBER, refusal.reason, subject=place, measured=refusal.measured, limit=refusal.limit,
                symbol_id=command.symbol_id if command.symbol_id in self._state.markets else 0,
            )  # fmt: skip
            return
        market = self._state.markets[command.symbol_id]
        orders = [self._order(command, place, row) for place, row in enumerate(command.orders)]
        for order in orders:
            if order.client_order_id:
                first = FirstUse(order.order_id, LIST_NUMBER, body)
                self._state.client_order_ids.remember(order.account_id, order.client_order_id, first)
        self._events.write(
            e.OrderListAccepted, symbol_id=market.symbol_id, list_id=orders[0].order_id,
            account_id=command.account_id, contingency=command.contingency, orders=command.orders,
        )  # fmt: skip
        self._let_in(market, command, orders)

    def _let_in(self, market: Market, command: c.EnterOrderList, orders: list[RestingOrder]) -> None:
        is_pair = command.contingency == Contingency.ONE_CANCELS_OTHER
        order_list = OrderList(
            orders[0].order_id, command.contingency, command.account_id, market.symbol_id, orders[0].order_id,
            orders[1].order_id if is_pair else 0, 0, [] if is_pair else orders[1:],
        )  # fmt: skip
        for order in order_list.waiting:
            order.quantity = order.leaves = order.entered_ns = 0
        self._matcher.order_lists.add(order_list)
        if is_pair:
            self._accept(market, orders[1])
        self._accept(market, orders[0])

    def _accept(self, market: Market, order: RestingOrder) -> None:
        if trails(order.terms):
            stop_price = first_stop_price(market, order.side, order.terms)
            order.terms = structs.replace(order.terms, stop_price=stop_price)
        self._matcher.order_lists.accept(order)
        self._matcher.execute(market, order)

    def _order(self, command: c.EnterOrderList, place: int, row: ListedOrder) -> RestingOrder:
        """Make an order of a list. Each but the only one that waits for an entry depends on another."""
        waits_alone = place and command.contingency == Contingency.ONE_TRIGGERS_OTHER
        flags = row.flags
        if (flags & ALL_OR_NONE or row.minimum_quantity) and may_rest(row.order_type, row.time_in_force):
            flags |= HIDDEN
        order_id = self._id_at(place)
        terms = row.terms
        return RestingOrder(
            order_id, command.account_id, command.symbol_id, SIDES[row.side], ORDER_TYPES[row.order_type],
            TIMES_IN_FORCE[row.time_in_force], flags, row.price, row.quantity, row.quantity, row.client_order_id,
            self._events.time_ns, NO_TERMS if terms == NO_TERMS else terms, 0, 0 if waits_alone else LINKED,
        )  # fmt: skip

    def _id_at(self, place: int) -> int:
        """Return the id of an order of the list: the command's, then those that were reserved for it."""
        return public_id(self._events.partition, self._events.command_sequence - place)

    def _is_repetition(self, command: c.EnterOrderList, body: bytes) -> bool:
        """Answer a list that came before under its client order ids; tell whether it did."""
        for row in command.orders:
            if row.client_order_id:
                first = self._state.client_order_ids.find(command.account_id, row.client_order_id)
                if first is None or (first.command_type, first.body) != (LIST_NUMBER, body):
                    return False
                self._events.write(e.OrderDuplicated, order_id=first.order_id, account_id=command.account_id)
                return True
        return False

    # --- checks --------------------------------------------------------------------------------------

    def _refusal(self, command: c.EnterOrderList) -> tuple[int, Refusal | None]:
        """Return the first thing that is wrong, with the place of its order in the list, 0 where it is the list's."""
        due = ORDERS_OF.get(command.contingency, 0)  # type: ignore[call-overload]
        if not due or len(command.orders) != due:
            return 0, Refusal(Reason.ORDER_LIST_INVALID, len(command.orders), due)
        if self._state.ids_reserved() < due - 1:
            return 0, Refusal(Reason.ORDER_IDS_MISSING, self._state.ids_reserved(), due - 1)
        for place, row in enumerate(command.orders):
            waits = place > 0 and command.contingency != Contingency.ONE_CANCELS_OTHER
            if refusal := self._refusal_of_order(command, place, row, waits=waits):
                return place + 1, refusal
        market = self._state.markets[command.symbol_id]
        for place, row in enumerate(command.orders):
            if refusal := refusal_of_place(command, market, place, row):
                return place + 1, refusal
        if len(self._state.order_lists) >= ORDER_LISTS_MAX:
            return 0, Refusal(Reason.DIRECTORY_FULL, len(self._state.order_lists), ORDER_LISTS_MAX)
        return 1, self._refusal_of_risk(command, market)

    def _refusal_of_order(
        self, command: c.EnterOrderList, place: int, row: ListedOrder, *, waits: bool
    ) -> Refusal | None:
        state, now_ns = self._state, self._events.time_ns
        kind = (row.order_type, row.time_in_force, row.flags)
        market = state.markets.get(command.symbol_id)
        refusal = refusal_of_kind(row.side, *kind)
        if refusal is None and command.account_id not in state.directory.accounts:
            refusal = Refusal(Reason.UNKNOWN_ACCOUNT, command.account_id)
        if refusal is None and market is None:
            refusal = Refusal(Reason.UNKNOWN_SYMBOL, command.symbol_id)
        if refusal or market is None:
            return refusal
        side = SIDES[row.side]
        refusal = (
            self._refusal_of_client_order_id(command, place, row.client_order_id)
            or self._risk.refusal_of_access(command.account_id, command.symbol_id, row.client_order_id)
            or refusal_of_waiting_session(market, *kind, waits=waits)
            or refusal_of_terms(market, row.order_type, row.price, row.quantity)
            or (None if waits else refusal_of_market_to_limit(market, side, row.order_type, row.quantity))
            or refusal_of_handling(row.order_type, row.time_in_force, row.flags)
            or refusal_of_special(market, side, *kind, row.quantity, row.terms, now_ns)
            or (None if waits else self._short_sales.refusal_of_order(
                market, command.account_id, row.side, row.order_type, row.flags, row.price, row.quantity
            ))
        )  # fmt: skip
        if waits:
            is_reached = refusal and refusal.reason is Reason.STOP_ALREADY_REACHED
            return None if is_reached else refusal
        return refusal or refusal_of_post_only(market, side, row.flags, row.price, row.quantity)

    def _refusal_of_client_order_id(
        self, command: c.EnterOrderList, place: int, client_order_id: str
    ) -> Refusal | None:
        if not client_order_id:
            return None
        if not CLIENT_ORDER_ID_PATTERN.match(client_order_id):
            return Refusal(Reason.CLIENT_ORDER_ID_INVALID)
        used = self._state.client_order_ids
        if first := used.find(command.account_id, client_order_id):
            return Refusal(Reason.CLIENT_ORDER_ID_REUSED, first.order_id)
        before = [row.client_order_id for row in command.orders[:place]]
        if client_order_id in before:
            return Refusal(Reason.CLIENT_ORDER_ID_REUSED, self._id_at(before.index(client_order_id)))
        count = used.count(command.account_id) + len([each for each in before if each])
        return (
            Refusal(Reason.CLIENT_ORDER_ID_TABLE_FULL, count, used.maximum) if count >= used.maximum else None
        )

    def _refusal_of_risk(self, command: c.EnterOrderList, market: Market) -> Refusal | None:
        """Check the order that comes in first against the limits; the others are when they come in."""
        if not self._state.risk_books:
            return None
        row = command.orders[0]
        return self._risk.refusal_of_order(market, Proposal(
            command.account_id, SIDES[row.side], row.order_type, row.flags, row.price, row.quantity, row.quantity,
            row.time_in_force,
        ))  # fmt: skip


def refusal_of_waiting_session(
    market: Market, order_type: int, time_in_force: int, flags: int, *, waits: bool
) -> Refusal | None:
    """Check that the symbol trades, and of an order that comes in at once that its phase takes it."""
    if not waits:
        return refusal_of_session(market, order_type, time_in_force, flags)
    return None if market.state is SymbolState.ACTIVE else Refusal(Reason.SYMBOL_SUSPENDED)


def refusal_of_place(
    command: c.EnterOrderList, market: Market, place: int, row: ListedOrder
) -> Refusal | None:
    """Check an order, right in itself, against its place in the list."""
    contingency, first = command.contingency, command.orders[0]
    is_pair = contingency == Contingency.ONE_CANCELS_OTHER
    is_plain = not row.flags & ~HIDDEN and not row.minimum_quantity and row.order_type in WAITING_TYPES
    if (is_pair or place) and not (is_plain and row.time_in_force in RESTING_TIMES_IN_FORCE):
        return Refusal(Reason.LIST_ORDER_INVALID, place + 1)
    if not is_pair and place and trails(row.terms):
        return Refusal(Reason.LIST_ORDER_INVALID, place + 1)
    in_pair = place if is_pair else place - 1
    if contingency != Contingency.ONE_TRIGGERS_OTHER and in_pair >= 0:
        if (row.order_type in STOPS) != (in_pair == 1):
            return Refusal(Reason.LIST_ORDER_INVALID, place + 1)
        if in_pair == 1 and not is_behind(market, command.orders[place - 1], row):
            return Refusal(Reason.LIST_ORDER_INVALID, place + 1)
        if not is_pair and row.side == first.side:
            return Refusal(Reason.LIST_SIDES_INVALID, place + 1)
    if row.quantity != first.quantity:
        return Refusal(Reason.LIST_QUANTITIES_DIFFER, row.quantity, first.quantity)
    return None


def is_behind(market: Market, limit: ListedOrder, stop: ListedOrder) -> bool:
    """Tell whether two orders are of one side, and the stop price is worse for it than the limit."""
    side = SIDES[stop.side]
    stop_price = first_stop_price(market, side, stop.terms) if trails(stop.terms) else stop.stop_price
    is_worse = stop_price > limit.price if side is Side.BUY else stop_price < limit.price
    return is_worse and limit.side == stop.side
