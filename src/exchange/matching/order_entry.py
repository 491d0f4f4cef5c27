"""Orders in, changed and out: enter, cancel, amend, replace and cancel en masse."""

from __future__ import annotations

from typing import Any

from msgspec import structs
from xxhash import xxh3_128_digest

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import NO_TERMS, CancelReason, OrderType, SpecialTerms, TimeInForce
from exchange.domain.reasons import Reason
from exchange.domain.units import SEQUENCE_BITS
from exchange.matching.client_order_ids import FirstUse
from exchange.matching.matcher import Matcher
from exchange.matching.order_book import LINKED, PEGGED, QUOTED, RestingOrder
from exchange.matching.order_checks import (
    ALL_OR_NONE,
    HIDDEN,
    NO_CLIENT_ORDER_ID,
    ORDER_TYPES,
    SIDES,
    TIMES_IN_FORCE,
    Refusal,
    first_stop_price,
    may_rest,
    read_client_order_id,
    refusal_of_cancel,
    refusal_of_change,
    refusal_of_display,
    refusal_of_handling,
    refusal_of_kind,
    refusal_of_market_to_limit,
    refusal_of_post_only,
    refusal_of_session,
    refusal_of_special,
    refusal_of_terms,
)
from exchange.matching.order_lists import renamed
from exchange.matching.risk_checks import Proposal, RiskChecks
from exchange.matching.short_sale_desk import SHORT_FLAGS, ShortSaleDesk
from exchange.matching.stop_orders import STOPS, trails
from exchange.matching.venue_state import VenueState
from exchange.wire.records import COMMAND_HEADER, LAYOUTS, number_of

ENTER, ENTER_NUMBER = LAYOUTS[c.EnterOrder].struct, number_of(c.EnterOrder)
SPECIAL, SPECIAL_NUMBER = LAYOUTS[c.EnterSpecialOrder].struct, number_of(c.EnterSpecialOrder)
CANCEL, CANCEL_NUMBER = LAYOUTS[c.CancelOrder].struct, number_of(c.CancelOrder)
AMEND, AMEND_NUMBER = LAYOUTS[c.AmendOrder].struct, number_of(c.AmendOrder)
REPLACE, REPLACE_NUMBER = LAYOUTS[c.ReplaceOrder].struct, number_of(c.ReplaceOrder)
BODY_BEFORE_CLIENT_ORDER_ID = slice(COMMAND_HEADER.size, COMMAND_HEADER.size + 20)
"""Of an entry and of a replace alike: what must be the same for a repetition to be one."""
GOOD_TILL_DATE = TimeInForce.GTD


class OrderEntry:
    """Judges and carries out what members do with orders; participant 0, the exchange, may touch any."""

    def __init__(self, state: VenueState, matcher: Matcher) -> None:
        self._state = state
        self._events = state.events
        self._accounts = state.directory.accounts
        self._markets = state.markets
        self._orders = state.orders
        self._client_order_ids = state.client_order_ids
        self._matcher = matcher
        self._risk = RiskChecks(state)
        self._short_sales = ShortSaleDesk(state)
        self._risk_books, self._blocks = state.risk_books, state.directory.blocks
        self._partition_bits = state.events.partition << SEQUENCE_BITS

    # --- enter ---------------------------------------------------------------------------------------

    def enter(self, record: bytes) -> None:
        """Take an `EnterOrder` record, or say why not."""
        self._enter(record, ENTER_NUMBER, ENTER.unpack(record), NO_TERMS)

    def enter_special(self, record: bytes) -> None:
        """Take an `EnterSpecialOrder` record, or say why not."""
        values = SPECIAL.unpack(record)
        minimum, display, stop_price, trail_amount, trail_bps, expires_ns = values[15:]
        terms = SpecialTerms(
            minimum_quantity=minimum, display_quantity=display, stop_price=stop_price,
            trail_amount=trail_amount, trail_bps=trail_bps, expires_ns=expires_ns,
        )  # fmt: skip
        self._enter(record, SPECIAL_NUMBER, values[:15], terms)

    def _enter(self, record: bytes, number: int, values: tuple[Any, ...], terms: SpecialTerms) -> None:
        (
            _, _, _, _, _, sequence, account_id, symbol_id, side, order_type, time_in_force, flags, price,
            quantity, padded_id,
        ) = values  # fmt: skip
        client_order_id: str | None = ""
        first: FirstUse | None = None
        if padded_id != NO_CLIENT_ORDER_ID:
            client_order_id = read_client_order_id(padded_id)
            first = self._client_order_ids.find(account_id, client_order_id or "")
            if first and self._is_repetition(first, number, account_id, record):
                return
        market = self._markets.get(symbol_id)
        is_special = flags or time_in_force == GOOD_TILL_DATE or order_type in STOPS or terms is not NO_TERMS
        refusal = (
            refusal_of_kind(side, order_type, time_in_force, flags)
            or self.refusal_of_place(account_id, symbol_id)
            or self.refusal_of_client_order_id(account_id, client_order_id, first)
            or self._refusal_of_access(account_id, symbol_id, client_order_id)
            or (market and refusal_of_session(market, order_type, time_in_force, flags))
            or refusal_of_terms(market, order_type, price, quantity)
            or (market and refusal_of_market_to_limit(market, SIDES[side], order_type, quantity))
            or refusal_of_handling(order_type, time_in_force, flags)
            or (is_special and market and refusal_of_special(
                market, SIDES[side], order_type, time_in_force, flags, quantity, terms, self._events.time_ns
            ))
            or (market and (flags & SHORT_FLAGS or market.short_sales.terms.needs_marking) and (
                self._short_sales.refusal_of_order(market, account_id, side, order_type, flags, price, quantity)
            ))
            or (flags and market and refusal_of_post_only(market, SIDES[side], flags, price, quantity))
            or (self._risk_books and market and self._risk.refusal_of_order(
                market, Proposal(
                    account_id, SIDES[side], order_type, flags, price, quantity, quantity, time_in_force
                )
            ))
        )  # fmt: skip
        order_id = self._partition_bits | sequence
        if refusal:
            self._events.order_rejected(
                refusal.reason, measured=refusal.measured, limit=refusal.limit, symbol_id=symbol_id,
                order_id=order_id, account_id=account_id, side=side, order_type=order_type,
                time_in_force=time_in_force, flags=flags, price=price, quantity=quantity,
                client_order_id=client_order_id or "",
            )  # fmt: skip
            return
        assert market is not None, "an order in an unknown symbol was refused"
        assert client_order_id is not None, "an order with a nonsensical client order id was refused"
        if trails(terms):
            terms = structs.replace(terms, stop_price=first_stop_price(market, SIDES[side], terms))
        if (flags & ALL_OR_NONE or terms.minimum_quantity) and may_rest(order_type, time_in_force):
            flags |= HIDDEN
        order = RestingOrder(
            order_id, account_id, symbol_id, SIDES[side], ORDER_TYPES[order_type],
            TIMES_IN_FORCE[time_in_force], flags, price, quantity, quantity, client_order_id,
            self._events.time_ns, terms,
        )  # fmt: skip
        self._events.order_accepted(order, padded_id)
        if terms is not NO_TERMS:
            self._events.write(
                e.SpecialTermsAccepted, symbol_id=symbol_id, order_id=order_id, account_id=account_id,
                **structs.asdict(terms),
            )  # fmt: skip
            self._state.expiries.add(terms.expires_ns, order_id)
        if client_order_id:
            self._remember(number, order, record)
        self._matcher.execute(market, order)

    def refusal_of_place(self, account_id: int, symbol_id: int) -> Refusal | None:
        """Check that there are such an account and such a symbol."""
        if account_id not in self._accounts:
            return Refusal(Reason.UNKNOWN_ACCOUNT, account_id)
        if symbol_id not in self._markets:
            return Refusal(Reason.UNKNOWN_SYMBOL, symbol_id)
        return None

    def _refusal_of_access(self, account_id: int, symbol_id: int, text: str | None) -> Refusal | None:
        is_guarded = self._blocks or self._risk_books
        return self._risk.refusal_of_access(account_id, symbol_id, text) if is_guarded else None

    # --- client order ids ----------------------------------------------------------------------------

    def _is_repetition(self, first: FirstUse, command_type: int, account_id: int, record: bytes) -> bool:
        """Answer a command that came before under its client order id; tell whether it did."""
        if first.command_type != command_type or first.body != body_to_compare(command_type, record):
            return False
        self._events.write(e.OrderDuplicated, order_id=first.order_id, account_id=account_id)
        return True

    def refusal_of_client_order_id(
        self, account_id: int, client_order_id: str | None, first: FirstUse | None
    ) -> Refusal | None:
        """Check that a client order id is one, and free. client_order_id: nothing where it is none."""
        if client_order_id is None:
            return Refusal(Reason.CLIENT_ORDER_ID_INVALID)
        if client_order_id == "":
            return None
        if first is not None:
            return Refusal(Reason.CLIENT_ORDER_ID_REUSED, first.order_id)
        used, maximum = self._client_order_ids.count(account_id), self._client_order_ids.maximum
        return Refusal(Reason.CLIENT_ORDER_ID_TABLE_FULL, used, maximum) if used >= maximum else None

    def _remember(self, command_type: int, order: RestingOrder, record: bytes) -> None:
        first = FirstUse(order.order_id, command_type, body_to_compare(command_type, record))
        self._client_order_ids.remember(order.account_id, order.client_order_id, first)

    # --- cancel --------------------------------------------------------------------------------------

    def cancel(self, record: bytes) -> None:
        """Take a `CancelOrder` record, or say why not."""
        *_, order_id, participant_id = CANCEL.unpack(record)
        order = self._own_order(order_id, participant_id)
        if order is None:
            self._refuse(CANCEL_NUMBER, order_id, None, Refusal(Reason.UNKNOWN_ORDER, order_id))
            return
        if participant_id and self._risk_books:
            self._risk.count_cancel(order.account_id)
        if participant_id and (refusal := refusal_of_cancel(self._markets[order.symbol_id])):
            self._refuse(CANCEL_NUMBER, order_id, order, refusal)
            return
        self.cancel_for(order, CancelReason.REQUESTED if participant_id else CancelReason.OPERATOR)

    def cancel_orders(self, command: c.CancelOrders) -> None:
        """Cancel every live order that fits, in the sequence of their entry, and say how many.

        A member's orders that cannot be cancelled in their phase stay.
        """
        refusal = self._refusal_of_cancel_orders(command)
        if refusal:
            self._refuse(number_of(type(command)), command.participant_id, None, refusal)
            return
        reason = CancelReason.MASS_CANCEL if command.participant_id else CancelReason.OPERATOR
        fitting = self._state.live_orders(lambda order: self._fits(order, command))
        for order in fitting:
            self.cancel_for(order, reason)
        self._events.write(
            e.OrdersCancelled,
            symbol_id=command.symbol_id,
            participant_id=command.participant_id,
            count=len(fitting),
        )

    def expire(self, now_ns: int) -> None:
        """Take out the orders that are good till a time that is over, the soonest first."""
        expiries = self._state.expiries
        while order_id := expiries.take_due(now_ns):
            self.cancel_for(self._orders[order_id], CancelReason.EXPIRED)

    def cancel_for(self, order: RestingOrder, reason: CancelReason) -> None:
        """Take a live order out of the book and say why."""
        self._matcher.take_out(order)
        self._events.order_cancelled(order, reason)

    def take_out(self, order: RestingOrder) -> None:
        """Take a live order out without a word, to be put back by `Matcher.put_back` or told of by who asked."""
        self._matcher.take_out(order)

    def _refusal_of_cancel_orders(self, command: c.CancelOrders) -> Refusal | None:
        account = self._accounts.get(command.account_id)
        if command.side and command.side not in SIDES:
            return Refusal(Reason.SIDE_INVALID, command.side)
        if command.account_id and (
            account is None or command.participant_id not in (0, account.participant_id)
        ):
            return Refusal(Reason.UNKNOWN_ACCOUNT, command.account_id)
        if command.symbol_id and command.symbol_id not in self._markets:
            return Refusal(Reason.UNKNOWN_SYMBOL, command.symbol_id)
        if command.participant_id and command.participant_id not in self._state.directory.participants:
            return Refusal(Reason.UNKNOWN_PARTICIPANT, command.participant_id)
        return None

    def _fits(self, order: RestingOrder, command: c.CancelOrders) -> bool:
        return (
            command.account_id in (0, order.account_id)
            and command.symbol_id in (0, order.symbol_id)
            and command.side in (0, order.side)
            and command.participant_id in (0, self._state.owner_of(order.account_id))
            and not (command.participant_id and refusal_of_cancel(self._markets[order.symbol_id]))
            and (not isinstance(command, c.CancelOrdersWithin) or is_priced_within(order.price, command))
        )

    # --- amend and replace ---------------------------------------------------------------------------

    def amend(self, record: bytes) -> None:
        """Take an `AmendOrder` record, or say why not; a refused amend leaves the order as it was."""
        *_, order_id, participant_id, price, quantity = AMEND.unpack(record)
        order = self._own_order(order_id, participant_id)
        filled = order.filled if order else 0
        refusal = self._refusal_of_change(order, order_id, price, quantity, leaves=max(quantity - filled, 0))
        if not refusal and order and (price, quantity) == (order.price, order.quantity):
            refusal = Refusal(Reason.NOTHING_TO_AMEND)
        if not refusal and order and quantity <= order.filled:
            refusal = Refusal(Reason.AMEND_BELOW_FILLED, quantity, order.filled)
        if not refusal and order and order.marks & LINKED:
            refusal = self._refusal_in_list(order, quantity, order.quantity)
        if not refusal and order and self._risk_books:
            refusal = self._refusal_of_risk(order, price, quantity, quantity - order.filled)
        if refusal:
            self._refuse(AMEND_NUMBER, order_id, order, refusal)
            return
        assert order is not None, "an amend of an unknown order was refused"
        leaves = quantity - order.filled
        keeps_priority = price == order.price and quantity < order.quantity
        self._events.write(
            e.OrderAmended, symbol_id=order.symbol_id, order_id=order_id, account_id=order.account_id,
            side=order.side, kept_priority=keeps_priority, old_price=order.price, price=price,
            quantity=quantity, leaves=leaves,
        )  # fmt: skip
        market = self._markets[order.symbol_id]
        if keeps_priority:
            if self._risk_books:
                self._risk.reduced(order, order.leaves - leaves)
            if order.is_waiting or order.is_for_auction:
                order.leaves = leaves
            else:
                market.book.home_of(order).reduce(order, order.leaves - leaves)
            order.quantity = quantity
        else:
            self._matcher.take_out(order)
            order.price, order.quantity, order.leaves = price, quantity, leaves
            self._matcher.execute(market, order)

    def replace(self, record: bytes) -> None:
        """Take a `ReplaceOrder` record, or say why not; a refused replace leaves the order as it was."""
        *_, sequence, order_id, participant_id, price, quantity, padded_id = REPLACE.unpack(record)
        order = self._own_order(order_id, participant_id)
        account_id = order.account_id if order else self._account_of_replaced(order_id, participant_id)
        client_order_id: str | None = ""
        first: FirstUse | None = None
        if padded_id != NO_CLIENT_ORDER_ID:
            client_order_id = read_client_order_id(padded_id)
            first = self._client_order_ids.find(account_id, client_order_id or "")
            if first and self._is_repetition(first, REPLACE_NUMBER, account_id, record):
                return
        refusal = self.refusal_of_client_order_id(account_id, client_order_id, first)
        refusal = refusal or self._refusal_of_change(order, order_id, price, quantity, leaves=quantity)
        if not refusal and order and order.marks & LINKED:
            refusal = self._refusal_in_list(order, quantity, order.leaves)
        if not refusal and order and self._risk_books:
            refusal = self._refusal_of_risk(order, price, quantity, quantity)
        if refusal:
            self._refuse(REPLACE_NUMBER, order_id, order, refusal)
            return
        assert order is not None, "a replace of an unknown order was refused"
        assert client_order_id is not None, "a replace with a nonsensical client order id was refused"
        new = RestingOrder(
            self._partition_bits | sequence, account_id, order.symbol_id, order.side, order.order_type,
            order.time_in_force, order.flags, price, quantity, quantity, client_order_id,
            self._events.time_ns, order.terms, 0, order.marks,
        )  # fmt: skip
        self._matcher.take_out(order)
        self._follow_in_list(order, new)
        self._events.order_replaced(order, new, padded_id)
        self._state.expiries.add(new.terms.expires_ns, new.order_id)
        if client_order_id:
            self._remember(REPLACE_NUMBER, new, record)
        self._matcher.execute(self._markets[new.symbol_id], new)

    def _refusal_of_change(
        self, order: RestingOrder | None, order_id: int, price: int, quantity: int, *, leaves: int
    ) -> Refusal | None:
        """Check the new terms of a live order; of one that is none, only what holds for all orders."""
        if order is None:
            refusal = refusal_of_terms(None, OrderType.LIMIT, price, quantity)
            return refusal or Refusal(Reason.UNKNOWN_ORDER, order_id)
        market = self._markets[order.symbol_id]
        if order.marks & PEGGED:
            return Refusal(Reason.PEG_NOT_CHANGED, order_id)
        if order.marks & QUOTED:
            return Refusal(Reason.QUOTE_NOT_CHANGED, order_id)
        return (
            self._refusal_of_access(order.account_id, order.symbol_id, order.client_order_id)
            or refusal_of_change(market)
            or refusal_of_terms(market, order.order_type, price, quantity)
            or refusal_of_display(order.terms.display_quantity, quantity)
            or ((order.flags & SHORT_FLAGS or market.short_sales.terms.needs_marking) and (
                self._short_sales.refusal_of_order(
                    market, order.account_id, order.side, order.order_type, order.flags, price, leaves, order.leaves
                )
            ))
            or refusal_of_post_only(market, order.side, order.flags, price, leaves)
        )  # fmt: skip

    def _refusal_of_risk(self, order: RestingOrder, price: int, quantity: int, leaves: int) -> Refusal | None:
        """Check a live order's new terms, right in themselves, against the limits."""
        proposal = Proposal(
            order.account_id, order.side, order.order_type, order.flags, price, quantity, leaves,
            order.time_in_force, order,
        )  # fmt: skip
        return self._risk.refusal_of_order(self._markets[order.symbol_id], proposal)

    def _refusal_in_list(self, order: RestingOrder, quantity: int, due: int) -> Refusal | None:
        """Check that an order of a pair keeps the quantity that both have."""
        order_list = self._state.list_of.get(order.order_id)
        if order_list is None or order_list.waiting or quantity == due:
            return None
        return Refusal(Reason.LIST_QUANTITIES_DIFFER, quantity, due)

    def _follow_in_list(self, old: RestingOrder, new: RestingOrder) -> None:
        """Let an order stand in its list where the one stood that it replaces."""
        order_list = self._state.list_of.pop(old.order_id, None)
        if order_list:
            renamed(order_list, old.order_id, new.order_id)
            self._state.list_of[new.order_id] = order_list

    # --- what they share -----------------------------------------------------------------------------

    def _own_order(self, order_id: int, participant_id: int) -> RestingOrder | None:
        """Return a live order if it belongs to the participant; nobody learns that another's order exists."""
        order = self._orders.get(order_id)
        if order and participant_id and self._accounts[order.account_id].participant_id != participant_id:
            return None
        return order

    def _account_of_replaced(self, order_id: int, participant_id: int) -> int:
        account_id = self._client_order_ids.account_of_replaced(order_id)
        if account_id and participant_id in (0, self._state.owner_of(account_id)):
            return account_id
        return 0

    def _refuse(self, command_type: int, subject: int, order: RestingOrder | None, refusal: Refusal) -> None:
        self._events.command_rejected(
            command_type, refusal.reason, subject=subject, measured=refusal.measured,
            limit=refusal.limit, symbol_id=order.symbol_id if order else 0,
        )  # fmt: skip


def body_to_compare(command_type: int, record: bytes) -> bytes:
    """Return the 20 bytes by which a command with a client order id is known when it comes again."""
    if command_type == SPECIAL_NUMBER:
        return xxh3_128_digest(record[COMMAND_HEADER.size :]) + bytes(4)
    return record[BODY_BEFORE_CLIENT_ORDER_ID]


def is_priced_within(price: int, command: c.CancelOrdersWithin) -> bool:
    """Tell whether a price lies in a mass cancel's range; that of an order without one is 0."""
    return command.lowest_price <= price and (not command.highest_price or price <= command.highest_price)
