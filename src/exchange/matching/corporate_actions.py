"""Corporate actions: a split, a new ticker, a cash dividend; what they do to prices, orders, limits and holdings.

They are taken where nothing trades: the symbol is closed, halted or suspended. Every order that rests or waits is
adjusted, buys rounded down to the tick and sales up, so that no book is crossed by it; one that is left without a
price or a lot is cancelled. Where prices fall the buys go first, else the sales: no book looks crossed in between.
An order that was adjusted is last at its price, behind those adjusted before it, which is their sequence as it was.
What an order has traded already is not restated: only what is left of it is split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import structs

from exchange.domain import commands as c
from exchange.domain import corporate_events as ce
from exchange.domain import events as e
from exchange.domain.corporate_action import SPLIT_SHARES_MAX, HoldingCause, Split
from exchange.domain.order import NO_TERMS, CancelReason, OrderFlag, Side, SpecialTerms, TimeInForce
from exchange.domain.participant import is_valid_name
from exchange.domain.phase import Phase
from exchange.domain.reasons import Reason
from exchange.domain.risk import LimitKind, RiskLimit, RiskScope
from exchange.domain.symbol import SYMBOL_PATTERN, SymbolState
from exchange.domain.units import MONEY_MAX, NOTIONAL_MAX, PRICE_MAX, QUANTITY_MAX
from exchange.matching.event_stream import int64
from exchange.matching.market import Market
from exchange.matching.matcher import Matcher
from exchange.matching.order_book import LINKED, PEGGED, RestingOrder
from exchange.matching.order_checks import Refusal, least_display
from exchange.matching.order_entry import OrderEntry
from exchange.matching.price_limits import PriceLimits
from exchange.matching.stop_orders import trails
from exchange.matching.venue_state import VenueState
from exchange.risk.holdings import CASH
from exchange.wire.records import number_of

QUIET = (Phase.CLOSED, Phase.HALTED)
"""Phases in which a corporate action is taken; of a suspended symbol in any."""
OPEN_ORDERS = (TimeInForce.GTC, TimeInForce.GTD)
"""Times in force that outlive the day, so that a dividend lowers them. FINRA 5330."""
DO_NOT_REDUCE = OrderFlag.DO_NOT_REDUCE.value


class CorporateActions:
    """Judges and carries out corporate actions, each whole or not at all."""

    def __init__(
        self, state: VenueState, matcher: Matcher, order_entry: OrderEntry, limits: PriceLimits
    ) -> None:
        self._state = state
        self._events = state.events
        self._matcher = matcher
        self._order_entry = order_entry
        self._limits = limits

    # --- commands ------------------------------------------------------------------------------------

    def split(self, command: c.SplitSymbol) -> None:
        """Split a symbol."""
        split = Split(command.new_shares, command.old_shares)
        market = self._state.markets.get(command.symbol_id)
        refusal = self._refusal_of_place(market, command.symbol_id, command.note) or refusal_of_time(market)
        refusal = refusal or refusal_of_split(market, split, command.cash_price)
        refusal = refusal or self._refusal_of_holdings(command.symbol_id, lambda old: split.shares(old)[0])
        if refusal or market is None:
            self._refuse(command, refusal)
            return
        old, reference = market.reference.price, market.price_down(split.price(market.reference.price))
        cash_price = command.cash_price or reference
        event = self._events.write(
            ce.SymbolSplit, symbol_id=command.symbol_id, new_shares=split.new_shares, old_shares=split.old_shares,
            old_reference=old, reference_price=reference, cash_price=cash_price, note=command.note,
        )  # fmt: skip
        self._state.directory.apply(event)
        market.split_sequence = event.sequence
        market.reference.set(reference)
        market.short_sales.close_at(min(max(split.price(market.short_sales.closing_price), 1), PRICE_MAX))
        market.last_price = min(max(split.price(market.last_price), 1), PRICE_MAX) if market.last_price else 0
        self._cancel_dependent(command.symbol_id)
        sides = (Side.BUY, Side.SELL) if split.lowers_prices else (Side.SELL, Side.BUY)
        orders = [order for side in sides for order in orders_of(market, side)]
        self._adjust(market, orders, lambda order: split_order(market, split, order))
        self._limits.follow_action(market)
        self._split_limits(command.symbol_id, split)
        self._split_day(command.symbol_id, split, cash_price)
        for account_id, shares in self._holders(command.symbol_id):
            whole, rest = split.shares(shares)
            self._move(command, HoldingCause.SPLIT, account_id, command.symbol_id, whole - shares)
            self._move(command, HoldingCause.CASH_IN_LIEU, account_id, CASH, split.cash(rest, cash_price))

    def rename(self, command: c.RenameSymbol) -> None:
        """Give a symbol another ticker."""
        market = self._state.markets.get(command.symbol_id)
        refusal = self._refusal_of_place(market, command.symbol_id, command.name)
        refusal = refusal or self._refusal_of_ticker(command) or refusal_of_time(market)
        if refusal:
            self._refuse(command, refusal)
            return
        symbol = self._state.directory.symbols[command.symbol_id]
        self._state.directory.apply(self._events.write(
            ce.SymbolRenamed, symbol_id=command.symbol_id, old_symbol=symbol.symbol, symbol=command.symbol,
            name=command.name or symbol.name,
        ))  # fmt: skip

    def pay_dividend(self, command: c.PayDividend) -> None:
        """Let a symbol go ex dividend; who is long gets the amount per share, who is short pays it."""
        market, amount = self._state.markets.get(command.symbol_id), command.amount
        refusal = self._refusal_of_place(market, command.symbol_id, command.note) or refusal_of_time(market)
        refusal = refusal or refusal_of_dividend(market, amount)
        refusal = refusal or self._refusal_of_holdings(command.symbol_id, lambda old: old * amount)
        if refusal or market is None:
            self._refuse(command, refusal)
            return
        old, reference = market.reference.price, market.price_down(market.reference.price - amount)
        self._state.directory.apply(self._events.write(
            ce.DividendPaid, symbol_id=command.symbol_id, amount=amount, old_reference=old, reference_price=reference,
            note=command.note,
        ))  # fmt: skip
        market.reference.set(reference)
        market.short_sales.close_at(max(market.short_sales.closing_price - amount, 1))
        market.last_price = max(market.last_price - amount, 1) if market.last_price else 0
        orders = [order for side in Side for order in orders_of(market, side) if is_reduced(order)]
        self._adjust(market, orders, lambda order: reduce_order(market, amount, order))
        self._limits.follow_action(market)
        for account_id, shares in self._holders(command.symbol_id):
            self._move(command, HoldingCause.DIVIDEND, account_id, CASH, shares * amount)

    # --- orders --------------------------------------------------------------------------------------

    def _cancel_dependent(self, symbol_id: int) -> None:
        """Cancel what a split cannot adjust by itself: pegs, quotes, and entries with the orders that wait for them."""
        lists = self._state.list_of
        for order in self._state.live_orders(lambda order: order.symbol_id == symbol_id and order.marks != 0):
            order_list = lists.get(order.order_id)
            if order.marks != LINKED or (order_list is not None and order_list.waiting):
                self._order_entry.cancel_for(order, CancelReason.CORPORATE_ACTION)

    def _adjust(
        self,
        market: Market,
        orders: list[RestingOrder],
        adjusted: Callable[[RestingOrder], RestingOrder | None],
    ) -> None:
        """Put orders back as they are from now on, in this sequence; none of them is a top order any more."""
        changed_ids = {order.order_id for order in orders}
        tops = {side: 0 if top in changed_ids else top for side, top in market.tops.items()}
        for order in orders:
            self._order_entry.take_out(order)
        for order in orders:
            new = adjusted(order)
            if new is None:
                self._events.order_cancelled(order, CancelReason.CORPORATE_ACTION)
                continue
            if new.terms != order.terms:
                self._events.write(
                    ce.SpecialTermsAdjusted, symbol_id=order.symbol_id, order_id=order.order_id,
                    account_id=order.account_id, **structs.asdict(new.terms),
                )  # fmt: skip
            self._events.write(
                e.OrderAmended, symbol_id=order.symbol_id, order_id=order.order_id, account_id=order.account_id,
                side=order.side, kept_priority=False, old_price=order.price, price=new.price,
                quantity=new.quantity, leaves=new.leaves,
            )  # fmt: skip
            self._matcher.put_back(market, new)
        market.tops = tops

    # --- limits and holdings -------------------------------------------------------------------------

    def _split_limits(self, symbol_id: int, split: Split) -> None:
        """Split the limits that count shares of this symbol alone; see rulebook 9.4."""
        limits = sorted(self._state.directory.risk_limits.items())
        for key, limit in [item for item in limits if counts_shares_of(item[1], symbol_id)]:
            least = 0 if limit.kind is LimitKind.POSITION else 1
            value = min(max(split.shares(limit.value)[0], least), QUANTITY_MAX)
            if value == limit.value:
                continue
            self._state.directory.apply(self._events.write(
                e.RiskLimitSet, scope=limit.scope, subject_id=limit.subject_id, kind=limit.kind, is_set=True,
                value=value, span=limit.span, symbol_id=limit.symbol_id,
            ))  # fmt: skip
            self._state.risk_books[key[:2]].limits[limit.kind, limit.symbol_id] = (value, limit.span)

    def _split_day(self, symbol_id: int, split: Split, cash_price: int) -> None:
        """Split what the day's trades bought and sold, by which the day's loss is measured."""
        for book in self._state.risk_books.values():
            if shares := book.day_shares.get(symbol_id, 0):
                whole, rest = split.shares(shares)
                book.day_shares[symbol_id] = whole
                book.day_cash += split.cash(rest, cash_price)

    def _holders(self, symbol_id: int) -> list[tuple[int, int]]:
        """Return (account id, shares) of all that have shares of a symbol or are short of them, by account."""
        balances = self._state.holdings.balances.items()
        return sorted(
            (account, shares) for (account, asset), shares in balances if asset == symbol_id and shares
        )

    def _move(
        self,
        command: c.SplitSymbol | c.PayDividend,
        cause: HoldingCause,
        account_id: int,
        asset: int,
        amount: int,
    ) -> None:
        if not amount:
            return
        balance = self._state.holdings.add(account_id, asset, amount)
        self._events.write(
            ce.HoldingAdjusted, symbol_id=command.symbol_id, account_id=account_id, cause=cause, asset=asset,
            amount=int64(amount), balance=int64(balance),
        )  # fmt: skip

    # --- refusals ------------------------------------------------------------------------------------

    def _refusal_of_place(self, market: Market | None, symbol_id: int, text: str) -> Refusal | None:
        if market is None:
            return Refusal(Reason.UNKNOWN_SYMBOL, symbol_id)
        return Refusal(Reason.NAME_INVALID) if text and not is_valid_name(text) else None

    def _refusal_of_ticker(self, command: c.RenameSymbol) -> Refusal | None:
        directory = self._state.directory
        if not SYMBOL_PATTERN.match(command.symbol):
            return Refusal(Reason.SYMBOL_INVALID)
        if command.symbol in directory.symbol_ids:
            return Refusal(Reason.SYMBOL_TAKEN)
        owner = directory.former_names.get(command.symbol, command.symbol_id)
        return Refusal(Reason.SYMBOL_RENAMED, owner) if owner != command.symbol_id else None

    def _refusal_of_holdings(self, symbol_id: int, amount_of: Callable[[int], int]) -> Refusal | None:
        """Check that no account gets more shares, or more money, than there may be."""
        for account_id, shares in self._holders(symbol_id):
            if abs(amount_of(shares)) > MONEY_MAX:
                return Refusal(Reason.HOLDING_TOO_LARGE, account_id, MONEY_MAX)
        return None

    def _refuse(
        self, command: c.SplitSymbol | c.RenameSymbol | c.PayDividend, refusal: Refusal | None
    ) -> None:
        assert refusal is not None, "a corporate action without a market was refused"
        self._events.command_rejected(
            number_of(type(command)), refusal.reason, subject=command.symbol_id, measured=refusal.measured,
            limit=refusal.limit, symbol_id=command.symbol_id,
        )  # fmt: skip


def refusal_of_time(market: Market | None) -> Refusal | None:
    """Check that nothing trades."""
    if market is None or market.state is not SymbolState.ACTIVE or market.phase in QUIET:
        return None
    return Refusal(Reason.CORPORATE_ACTION_NOT_NOW, market.phase)


def refusal_of_split(market: Market | None, split: Split, cash_price: int) -> Refusal | None:
    """Check a split's numbers."""
    new, old = split
    in_range = 1 <= new <= SPLIT_SHARES_MAX and 1 <= old <= SPLIT_SHARES_MAX and new != old
    if not market or not in_range or cash_price > PRICE_MAX:
        return Refusal(Reason.SPLIT_INVALID, new, old)
    has_price = 0 < market.price_down(split.price(market.reference.price)) <= PRICE_MAX
    return None if has_price else Refusal(Reason.SPLIT_INVALID, new, old)


def refusal_of_dividend(market: Market | None, amount: int) -> Refusal | None:
    """Check that a dividend leaves a price."""
    if market and amount > 0 and market.price_down(market.reference.price - amount) > 0:
        return None
    return Refusal(Reason.DIVIDEND_INVALID, amount, market.reference.price if market else 0)


def orders_of(market: Market, side: Side) -> Iterable[RestingOrder]:
    """Give all live orders of a side: what is shown, what is hidden, what waits for a stop price or an auction."""
    book = market.book
    shown, hidden = (book.bids, book.hidden_bids) if side is Side.BUY else (book.asks, book.hidden_asks)
    yield from shown.orders()
    yield from hidden.orders()
    yield from market.stops.of_side(side)
    yield from market.auction.of_side(side)


def split_order(market: Market, split: Split, order: RestingOrder) -> RestingOrder | None:
    """Return an order as a split leaves it; nothing where it would have no price or no lot."""
    is_buy, price = order.side is Side.BUY, 0
    if order.price:
        price = (
            market.price_down(split.price(order.price))
            if is_buy
            else market.price_up(split.price_up(order.price))
        )
    leaves = split.shares(order.leaves)[0] // market.round_lot * market.round_lot
    terms = order.terms if order.terms is NO_TERMS else split_terms(market, split, order, leaves)
    quantity = order.filled + leaves
    fits = leaves > 0 and quantity <= QUANTITY_MAX and price * leaves <= NOTIONAL_MAX
    return changed(order, price, quantity, leaves, terms) if fits else None


def split_terms(market: Market, split: Split, order: RestingOrder, leaves: int) -> SpecialTerms:
    """Return an order's special terms as a split leaves them; a stop price may be none that there is."""
    terms, lot, is_buy = order.terms, market.round_lot, order.side is Side.BUY
    display, stop_price = 0, terms.stop_price
    if terms.display_quantity:
        in_lots = split.shares(terms.display_quantity)[0] // lot * lot
        display = max(in_lots, lot, -(-least_display(leaves) // lot) * lot)
    if stop_price:
        stop_price = split.price_up(stop_price) if is_buy else split.price(stop_price)
        if not trails(terms):
            stop_price = market.price_up(stop_price) if is_buy else market.price_down(stop_price)
    return structs.replace(
        terms,
        minimum_quantity=min(max(split.shares(terms.minimum_quantity)[0], 1), QUANTITY_MAX)
        if terms.minimum_quantity
        else 0,
        display_quantity=min(display, QUANTITY_MAX),
        stop_price=stop_price,
        trail_amount=min(max(split.price(terms.trail_amount), 1), PRICE_MAX) if terms.trail_amount else 0,
    )


def is_reduced(order: RestingOrder) -> bool:
    """Tell whether a dividend lowers an order: buys with a limit, and stops to sell, that outlive the day; no pegs."""
    if order.time_in_force not in OPEN_ORDERS or order.flags & DO_NOT_REDUCE or order.marks & PEGGED:
        return False
    return order.is_waiting if order.side is Side.SELL else not order.is_waiting


def reduce_order(market: Market, amount: int, order: RestingOrder) -> RestingOrder | None:
    """Return an order lowered by a dividend; nothing where it would have no price."""
    price, terms = order.price, order.terms
    if price:
        price = market.price_down(price - amount)
        if price <= 0:
            return None
    if terms.stop_price:
        stop_price = terms.stop_price - amount
        stop_price = stop_price if trails(terms) else market.price_down(stop_price)
        terms = structs.replace(terms, stop_price=max(stop_price, 0))
    return changed(order, price, order.quantity, order.leaves, terms)


def changed(
    order: RestingOrder, price: int, quantity: int, leaves: int, terms: SpecialTerms
) -> RestingOrder | None:
    """Return an order with other numbers and nothing in reserve yet; nothing where a price is none that there is."""
    has_no_price = order.price and not 0 < price <= PRICE_MAX
    has_no_stop = order.terms.stop_price and not 0 < terms.stop_price <= PRICE_MAX
    if has_no_price or has_no_stop:
        return None
    return structs.replace(order, price=price, quantity=quantity, leaves=leaves, terms=terms, reserve=0)


def counts_shares_of(limit: RiskLimit, symbol_id: int) -> bool:
    """Tell whether a limit counts shares of this symbol and of no other."""
    if limit.kind is LimitKind.POSITION:
        return limit.symbol_id == symbol_id
    return limit.kind is LimitKind.MAX_QUANTITY and (limit.scope, limit.subject_id) == (
        RiskScope.SYMBOL,
        symbol_id,
    )
