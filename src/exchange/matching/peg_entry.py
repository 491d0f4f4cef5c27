"""Pegged orders in."""

from __future__ import annotations

from xxhash import xxh3_128_digest

from exchange.domain import commands as c
from exchange.domain import events as e
from exchange.domain.order import (
    CLIENT_ORDER_ID_PATTERN,
    NO_TERMS,
    PEGS_MAX,
    OrderType,
    Peg,
    PegKind,
    RepriceReason,
    TimeInForce,
)
from exchange.domain.phase import Phase
from exchange.domain.reasons import Reason
from exchange.domain.units import NOTIONAL_MAX, PRICE_MAX, public_id
from exchange.matching.client_order_ids import FirstUse
from exchange.matching.market import Market
from exchange.matching.matcher import Matcher
from exchange.matching.order_book import PEGGED, RestingOrder
from exchange.matching.order_checks import (
    HIDDEN,
    SIDES,
    TIMES_IN_FORCE,
    Refusal,
    refusal_of_kind,
    refusal_of_session,
    refusal_of_terms,
)
from exchange.matching.order_entry import OrderEntry
from exchange.matching.pegs import pegged_price, prices_followed
from exchange.matching.risk_checks import Proposal, RiskChecks
from exchange.matching.short_sale_desk import ShortSaleDesk
from exchange.matching.venue_state import VenueState
from exchange.wire.records import COMMAND_HEADER, encode_command, number_of

PEG_NUMBER = number_of(c.EnterPeggedOrder)
PEG_KINDS = {kind.value: kind for kind in PegKind}
QUANTITY_MAX = NOTIONAL_MAX // PRICE_MAX
"""A pegged order may get any price."""
GOOD_FOR = (TimeInForce.DAY, TimeInForce.GTC)


class PegEntry:
    """Judges pegged orders and lets them in. Enum fields may come as numbers that mean nothing."""

    def __init__(self, state: VenueState, matcher: Matcher, orders: OrderEntry) -> None:
        self._state = state
        self._events = state.events
        self._matcher = matcher
        self._orders = orders
        self._risk = RiskChecks(state)
        self._short_sales = ShortSaleDesk(state)

    def enter(self, command: c.EnterPeggedOrder) -> None:
        """Take a pegged order, or say why not."""
        body = xxh3_128_digest(encode_command(command)[COMMAND_HEADER.size :]) + bytes(4)
        account_id, text = command.account_id, command.client_order_id
        client_order_id = text if not text or CLIENT_ORDER_ID_PATTERN.match(text) else None
        first = self._state.client_order_ids.find(account_id, client_order_id) if client_order_id else None
        if first and (first.command_type, first.body) == (PEG_NUMBER, body):
            self._events.write(e.OrderDuplicated, order_id=first.order_id, account_id=account_id)
            return
        order_id = public_id(self._events.partition, self._events.command_sequence)
        refusal = self._refusal(command, client_order_id, first)
        if refusal:
            self._events.order_rejected(
                refusal.reason, measured=refusal.measured, limit=refusal.limit, symbol_id=command.symbol_id,
                order_id=order_id, account_id=account_id, side=command.side, order_type=OrderType.LIMIT,
                time_in_force=command.time_in_force, flags=HIDDEN, price=command.limit,
                quantity=command.quantity,
                client_order_id=client_order_id or "",
            )  # fmt: skip
            return
        market = self._state.markets[command.symbol_id]
        order = RestingOrder(
            order_id, account_id, command.symbol_id, SIDES[command.side], OrderType.LIMIT,
            TIMES_IN_FORCE[command.time_in_force], HIDDEN, 0, command.quantity, command.quantity,
            client_order_id or "", self._events.time_ns, NO_TERMS, 0, PEGGED,
        )  # fmt: skip
        if client_order_id:
            self._state.client_order_ids.remember(
                account_id, client_order_id, FirstUse(order_id, PEG_NUMBER, body)
            )
        self._let_in(market, order, Peg(PEG_KINDS[command.kind], command.offset, command.limit))

    def _let_in(self, market: Market, order: RestingOrder, peg: Peg) -> None:
        self._events.order_accepted(order, order.client_order_id.encode().ljust(36, b"\0"))
        self._events.write(
            e.PegAccepted, symbol_id=market.symbol_id, order_id=order.order_id, account_id=order.account_id,
            kind=peg.kind, offset=peg.offset, limit=peg.limit,
        )  # fmt: skip
        market.pegs[order.order_id] = peg
        self._state.pegged[market.symbol_id] = None
        if market.phase is Phase.CONTINUOUS:
            order.price = pegged_price(market, order, peg, prices_followed(market))
        if order.price:
            self._events.write(
                e.OrderRepriced, symbol_id=market.symbol_id, order_id=order.order_id,
                account_id=order.account_id, side=order.side, reason=RepriceReason.PEG, price=order.price,
            )  # fmt: skip
        self._matcher.let_in(market, order)
        self._matcher.settle()

    def _refusal(
        self, command: c.EnterPeggedOrder, client_order_id: str | None, first: FirstUse | None
    ) -> Refusal | None:
        kind = (OrderType.LIMIT, command.time_in_force, 0)
        refusal = refusal_of_kind(command.side, *kind) or self._orders.refusal_of_place(
            command.account_id, command.symbol_id
        )
        if refusal:
            return refusal
        market = self._state.markets[command.symbol_id]
        terms_of = OrderType.LIMIT if command.limit else OrderType.MARKET
        refusal = (
            self._orders.refusal_of_client_order_id(command.account_id, client_order_id, first)
            or self._risk.refusal_of_access(command.account_id, command.symbol_id, client_order_id)
            or refusal_of_session(market, *kind)
            or refusal_of_terms(market, terms_of, command.limit, command.quantity)
            or refusal_of_peg(command)
            or self._short_sales.refusal_of_order(
                market, command.account_id, command.side, OrderType.LIMIT, 0, command.limit, command.quantity
            )
        )
        if refusal:
            return refusal
        if len(market.pegs) >= PEGS_MAX:
            return Refusal(Reason.DIRECTORY_FULL, len(market.pegs), PEGS_MAX)
        return self._refusal_of_risk(command, market)

    def _refusal_of_risk(self, command: c.EnterPeggedOrder, market: Market) -> Refusal | None:
        """Check a pegged order against the limits, at its limit, or without one at the reference price."""
        if not self._state.risk_books:
            return None
        return self._risk.refusal_of_order(market, Proposal(
            command.account_id, SIDES[command.side], OrderType.LIMIT, HIDDEN, command.limit or market.reference.price,
            command.quantity, command.quantity, command.time_in_force,
        ))  # fmt: skip


def refusal_of_peg(command: c.EnterPeggedOrder) -> Refusal | None:
    """Check that an order is pegged to something there is, and rests."""
    if command.quantity > QUANTITY_MAX:
        return Refusal(Reason.NOTIONAL_OVERFLOW, command.quantity, QUANTITY_MAX)
    if command.kind not in PEG_KINDS:
        return Refusal(Reason.PEG_INVALID, command.kind)
    if command.kind == PegKind.MIDPOINT and command.offset:
        return Refusal(Reason.PEG_INVALID, command.offset)
    return None if command.time_in_force in GOOD_FOR else Refusal(Reason.PEG_INVALID, command.time_in_force)
