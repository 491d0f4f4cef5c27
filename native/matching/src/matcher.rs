//! How an incoming order trades: with the best price first, there with what is shown first, then with the oldest.
//!
//! Every trade is at the resting order's price. `src/exchange/matching/matcher.py` has the rules.

use exchange_wire::events::{OrderCancelled, TradeExecuted, ORDER_REFRESHED, ORDER_REPRICED};
use exchange_wire::ClientOrderId;

use crate::allocation::{allocate, standing, Standing};
use crate::auction::{is_auction_time, is_for_auction};
use crate::event_stream::EventStream;
use crate::holdings::{Exchanged, Holdings};
use crate::market::top_place;
use crate::order_book::{public_id, Fill, Meets, Order, BUY, HIDDEN, NOTED, PEGGED, REPRICE, SELL};
use crate::order_checks::{
    may_rest, reaches, FILL_OR_KILL, IMMEDIATE_OR_CANCEL, LIMIT, MARKET, MARKET_TO_LIMIT,
};
use crate::price_guard::Guard;
use crate::reference_price::ReferencePrice;
use crate::self_trade::{Group, CANCEL_OLDEST};
use crate::state::State;
use crate::stop_orders::is_waiting;

/// Of trades: inside the limits of a price guard.
const WITHIN_LIMITS: u8 = 4;

/// Why an order, or what was left of it, went without trading.
pub mod cancel_reason {
    pub const REQUESTED: u8 = 1;
    pub const IMMEDIATE_OR_CANCEL: u8 = 2;
    pub const FILL_OR_KILL: u8 = 3;
    pub const DAY_ENDED: u8 = 4;
    pub const OPERATOR: u8 = 5;
    pub const MASS_CANCEL: u8 = 6;
    pub const EXPIRED: u8 = 17;
    pub const MINIMUM_QUANTITY: u8 = 18;
    pub const PROTECTION: u8 = 19;
    pub const NO_OPPOSITE: u8 = 20;
    pub const SELF_TRADE: u8 = 21;
    pub const AUCTION_ENDED: u8 = 40;
    pub const LINKED: u8 = 50;
    pub const QUOTE_REPLACED: u8 = 51;
    pub const QUOTE_CANCELLED: u8 = 52;
    pub const QUOTE_PROTECTION: u8 = 53;
    pub const PRICE_LIMIT: u8 = 41;
    pub const KILL_SWITCH: u8 = 30;
    pub const CANCEL_TIMER: u8 = 31;
    pub const RISK_LIMIT: u8 = 32;
    pub const CORPORATE_ACTION: u8 = 60;
    pub const SHORT_SALE: u8 = 61;
}

/// Why the market gave an order a price that its owner did not name.
pub mod reprice_reason {
    pub const MARKET_TO_LIMIT: u8 = 1;
    pub const POST_ONLY: u8 = 2;
    pub const PEG: u8 = 50;
    pub const PRICE_LIMIT: u8 = 40;
}

impl State {
    /// Lets an order come in, then those stop orders that its trades triggered, one after the other.
    ///
    /// Its special terms, where it has some, are `terms_in_hand`.
    #[inline(always)]
    pub fn execute(&mut self, mut incoming: Order, client_order_id: &ClientOrderId) {
        let is_watched = !self.self_trade_groups.is_empty() || self.risk.has_books;
        let market = &mut self.markets[incoming.symbol_id as usize - 1];
        if market.needs_care || incoming.is_special || is_watched {
            return self.execute_with_care(incoming, client_order_id);
        }
        let is_limit = incoming.kind.order_type == LIMIT;
        let opposite = market.book.opposite_side(incoming.kind.side);
        let worst_rank =
            if is_limit { opposite.rank(incoming.price) } else { market.protective_rank(incoming.kind.side) };
        let opposite = market.book.opposite_side(incoming.kind.side);
        if opposite.best_rank().is_some_and(|best| best >= worst_rank) {
            self.trade(worst_rank, &mut incoming);
            if incoming.leaves == 0 {
                return;
            }
        }
        if is_limit && incoming.kind.time_in_force != IMMEDIATE_OR_CANCEL {
            let market = &mut self.markets[incoming.symbol_id as usize - 1];
            self.orders.rest(market.book.own_side(incoming.kind.side), incoming, client_order_id);
        } else {
            let reason = self.why_no_more(&incoming);
            self.order_cancelled(&incoming, reason);
        }
    }

    /// Does what `execute` does where the order is no plain one, or may meet what is none.
    #[cold]
    #[inline(never)]
    fn execute_with_care(&mut self, incoming: Order, client_order_id: &ClientOrderId) {
        let symbol_id = incoming.symbol_id;
        if is_waiting(incoming.kind) {
            self.put_back(incoming, client_order_id);
        } else {
            self.come_in(incoming, client_order_id);
        }
        self.settle();
        self.market_mut(symbol_id).note_care();
    }

    /// Trades an incoming order as far as it goes; then rests what is left, or cancels it.
    pub fn come_in(&mut self, mut incoming: Order, client_order_id: &ClientOrderId) {
        let market = &self.markets[incoming.symbol_id as usize - 1];
        if market.gathers() || is_auction_time(incoming.kind.time_in_force) {
            return self.gather(incoming, client_order_id);
        }
        let needs_price = incoming.kind.order_type == MARKET_TO_LIMIT || incoming.kind.flags & REPRICE != 0;
        if needs_price && !self.give_price(&mut incoming) {
            return;
        }
        let market = &mut self.markets[incoming.symbol_id as usize - 1];
        let opposite = market.book.opposite_side(incoming.kind.side);
        let is_limit = incoming.kind.order_type == LIMIT;
        let worst_rank =
            if is_limit { opposite.rank(incoming.price) } else { market.protective_rank(incoming.kind.side) };
        let must_fill = incoming.kind.time_in_force == FILL_OR_KILL;
        let may_rest = is_limit && !must_fill && incoming.kind.time_in_force != IMMEDIATE_OR_CANCEL;
        let own_rank = worst_rank;
        let limits = market.guard.as_deref().map(|guard| market.limits(guard));
        let is_guarded = limits.is_some();
        let worst_rank = match limits {
            Some(limits) => self.limited_rank(&mut incoming, limits, own_rank, may_rest),
            None => own_rank,
        };
        if (must_fill || incoming.asked_minimum != 0) && !self.finds_enough(&incoming, worst_rank) {
            return self.trade_nothing(incoming, client_order_id);
        }
        let market = &mut self.markets[incoming.symbol_id as usize - 1];
        let is_plain = !is_guarded && !market.asks_for_care() && !self.risk.has_books;
        if !is_plain || self.group_of(incoming.account_id).number != 0 {
            self.trade_with_care(worst_rank, &mut incoming);
        } else {
            self.trade(worst_rank, &mut incoming);
        }
        if incoming.leaves == 0 {
            return;
        }
        let limits = limits.filter(|_| worst_rank > own_rank);
        let is_stopped = limits.is_some_and(|limits| self.is_stopped(&incoming, limits, own_rank));
        if may_rest {
            self.rest(incoming, client_order_id);
        } else if is_stopped {
            self.order_cancelled(&incoming, cancel_reason::PRICE_LIMIT);
        } else {
            let reason = self.why_no_more(&incoming);
            self.order_cancelled(&incoming, reason);
        }
    }

    /// Lets an order that was taken out rest or wait again, last at its price; its terms are those in hand.
    #[cold]
    pub fn put_back(&mut self, order: Order, client_order_id: &ClientOrderId) {
        if !is_waiting(order.kind) {
            return self.gather(order, client_order_id);
        }
        if self.risk.has_books {
            self.risk_opened(&order);
        }
        self.wait(order, self.terms_in_hand, client_order_id);
    }

    /// Lets an order wait for an auction.
    #[cold]
    fn gather(&mut self, incoming: Order, client_order_id: &ClientOrderId) {
        if is_for_auction(incoming.kind) {
            self.gather_apart(incoming, client_order_id);
        } else {
            self.rest(incoming, client_order_id);
        }
    }

    // --- before it trades ----------------------------------------------------------------------------

    /// Prices a market-to-limit order, or a post-only one that would trade; tells whether it goes on.
    fn give_price(&mut self, incoming: &mut Order) -> bool {
        let market = &self.markets[incoming.symbol_id as usize - 1];
        let side = incoming.kind.side;
        let best = self.orders.best_willing_price(&market.book, side, incoming.leaves);
        if incoming.kind.order_type == MARKET_TO_LIMIT {
            let Some(best) = best else {
                self.order_cancelled(incoming, cancel_reason::NO_OPPOSITE);
                return false;
            };
            incoming.kind.order_type = LIMIT;
            self.reprice(incoming, best, reprice_reason::MARKET_TO_LIMIT);
        } else if let Some(best) = best.filter(|&best| reaches(side, incoming.price, best)) {
            let price = market.price_behind(best, side);
            self.reprice(incoming, price, reprice_reason::POST_ONLY);
        }
        true
    }

    pub fn reprice(&mut self, incoming: &mut Order, price: u32, reason: u8) {
        incoming.price = price;
        let (order_id, account_id) = (incoming.order_id.to_le_bytes(), incoming.account_id.to_le_bytes());
        let kind = [incoming.kind.side, reason];
        let parts: [&[u8]; 4] = [&order_id, &account_id, &kind, &price.to_le_bytes()];
        self.events.write(ORDER_REPRICED, incoming.symbol_id, &parts);
    }

    /// The rank of the worst price that an order and a price guard allow; bands price what may rest anew.
    fn limited_rank(
        &mut self,
        incoming: &mut Order,
        (lowest, highest): (u32, u32),
        own_rank: u32,
        may_rest: bool,
    ) -> u32 {
        let market = &self.markets[incoming.symbol_id as usize - 1];
        let side = incoming.kind.side;
        let (limit, other) = if side == BUY { (highest, lowest) } else { (lowest, highest) };
        let opposite = market.book.opposite_sides(side).0;
        let best = self.orders.best_willing_price(&market.book, side, incoming.leaves);
        let best_rank = best.map_or(0, |price| opposite.rank(price));
        let is_beyond_other = best_rank > opposite.rank(other);
        let rank = if is_beyond_other { best_rank + 1 } else { opposite.rank(limit) };
        if rank <= own_rank {
            return own_rank;
        }
        if may_rest && matches!(market.guard.as_deref(), Some(Guard::Bands(_))) {
            self.reprice(incoming, limit, reprice_reason::PRICE_LIMIT);
        }
        rank
    }

    /// Whether a price limit keeps an order from trading on; leaves the corridor where it does.
    /// limits: as they were when the order came in; its own trades move those of a corridor.
    fn is_stopped(&mut self, incoming: &Order, (lowest, highest): (u32, u32), own_rank: u32) -> bool {
        let market = &mut self.markets[incoming.symbol_id as usize - 1];
        let side = incoming.kind.side;
        let best = self.orders.best_willing_price(&market.book, side, incoming.leaves);
        let Some(best) = best.filter(|&best| market.book.opposite_sides(side).0.rank(best) >= own_rank)
        else {
            return false;
        };
        if let Some(Guard::Corridor(corridor)) = market.guard.as_deref_mut() {
            corridor.left.get_or_insert([best, lowest, highest]);
        }
        true
    }

    /// Whether an order finds as much as it wants at least.
    fn finds_enough(&self, incoming: &Order, worst_rank: u32) -> bool {
        let must_fill = incoming.kind.time_in_force == FILL_OR_KILL;
        let wanted = if must_fill { incoming.leaves } else { incoming.minimum() };
        let market = &self.markets[incoming.symbol_id as usize - 1];
        let (sides, shares_out) = (market.book.opposite_sides(incoming.kind.side), market.shares_out());
        let group = self.group_of(incoming.account_id);
        let available = if group.number == 0 {
            self.orders.available(sides, worst_rank, incoming.leaves, wanted)
        } else {
            let meets = |resting: &Order| match self.is_own(group, resting) {
                false => Meets::Another,
                true if group.mode == CANCEL_OLDEST => Meets::OwnThatGoes,
                true if shares_out && resting.kind.flags & HIDDEN == 0 => Meets::OwnThatEndsAll,
                true => Meets::OwnThatEnds,
            };
            self.orders.available_until_own(sides, worst_rank, (incoming.leaves, wanted), meets)
        };
        available >= u64::from(wanted)
    }

    /// Lets an order wait that did not find what it wants at least, or cancels it.
    fn trade_nothing(&mut self, incoming: Order, client_order_id: &ClientOrderId) {
        if may_rest(incoming.kind) {
            self.rest(incoming, client_order_id);
        } else if incoming.kind.time_in_force == FILL_OR_KILL {
            self.order_cancelled(&incoming, cancel_reason::FILL_OR_KILL);
        } else {
            self.order_cancelled(&incoming, cancel_reason::MINIMUM_QUANTITY);
        }
    }

    // --- trade ---------------------------------------------------------------------------------------

    /// Fills an incoming order from what is shown while both have something left that fits.
    fn trade(&mut self, worst_rank: u32, incoming: &mut Order) {
        let market = &mut self.markets[incoming.symbol_id as usize - 1];
        let opposite = market.book.opposite_side(incoming.kind.side);
        let at_arrival = AtArrival { reference_price: market.reference.price, state: market.state };
        while incoming.leaves > 0 && opposite.best_rank().is_some_and(|best| best >= worst_rank) {
            let fill = self.orders.fill_best(opposite, incoming.leaves);
            incoming.leaves -= fill.quantity;
            note_trade(
                &mut self.events,
                &mut market.reference,
                &mut self.holdings,
                incoming,
                &fill,
                &at_arrival,
            );
            if fill.is_used_up {
                refreshed(&mut self.events, self.orders.refresh(fill.slot));
            }
            market.last_price = fill.price;
        }
    }

    /// Does what `trade` does where some orders are hidden or wait, or some members are in groups.
    #[cold]
    #[inline(never)]
    fn trade_with_care(&mut self, worst_rank: u32, incoming: &mut Order) {
        let place = incoming.symbol_id as usize - 1;
        let market = &self.markets[place];
        let state = if market.guard.is_some() { WITHIN_LIMITS } else { market.state };
        let at_arrival = AtArrival { reference_price: market.reference.price, state };
        let group = self.group_of(incoming.account_id);
        while incoming.leaves > 0 {
            let market = &mut self.markets[place];
            let (shown, hidden) = market.book.opposite_sides(incoming.kind.side);
            let Some(slot) = self.orders.willing(shown, hidden, incoming.leaves) else { return };
            let resting = self.orders.at(slot);
            if shown.rank(resting.price) < worst_rank {
                return;
            }
            let (kind, resting) = (resting.kind, *resting);
            if market.shares_out() && kind.flags & HIDDEN == 0 {
                self.share_out(incoming, group, &at_arrival);
                continue;
            }
            if self.is_own(group, &resting) {
                self.prevent(slot, incoming, group.mode);
                continue;
            }
            self.fill_with_care(slot, incoming, incoming.leaves, &at_arrival);
        }
    }

    /// Trades so much with a resting order, but no more than stands in its queue; shows its next part, triggers stops.
    fn fill_with_care(&mut self, slot: u32, incoming: &mut Order, wanted: u32, at_arrival: &AtArrival) {
        let market = &mut self.markets[incoming.symbol_id as usize - 1];
        let resting = *self.orders.at(slot);
        let kind = resting.kind;
        let fill = self.orders.fill(market.book.home(kind), slot, wanted);
        incoming.leaves -= fill.quantity;
        note_trade(&mut self.events, &mut market.reference, &mut self.holdings, incoming, &fill, at_arrival);
        if fill.is_used_up {
            refreshed(&mut self.events, self.orders.refresh(fill.slot));
            market.lose_top(kind.side, fill.order_id);
        }
        market.last_price = fill.price;
        if let Some(guard) = market.guard.as_deref_mut() {
            guard.note_trade(fill.price);
        }
        let has_stops = !market.stops.is_empty();
        let has_declined = fill.price <= market.short_sales.trigger_price;
        if (resting.marks | incoming.marks) & NOTED != 0 {
            self.note_trade(&Order { leaves: fill.leaves, ..resting }, incoming, fill.quantity);
        }
        if self.risk.has_books {
            self.risk_traded(&resting, incoming, fill.quantity);
        }
        if has_declined {
            self.note_decline(incoming.symbol_id, fill.price);
        }
        if has_stops {
            self.trigger(incoming.symbol_id, fill.price);
        }
    }

    /// Trades with the orders shown at the best price what the allocation gives them, the oldest first.
    ///
    /// Where it would give something to an own order, only this match is prevented, and all is shared out anew.
    #[cold]
    #[inline(never)]
    fn share_out(&mut self, incoming: &mut Order, group: Group, at_arrival: &AtArrival) {
        let market = &self.markets[incoming.symbol_id as usize - 1];
        let opposite = if incoming.kind.side == BUY { SELL } else { BUY };
        let top = market.tops[top_place(opposite)];
        let (shown, _) = market.book.opposite_sides(incoming.kind.side);
        let slots = self.orders.best_queue(shown);
        let level: Vec<Standing> = slots.iter().map(|&slot| standing(self.orders.at(slot), top)).collect();
        let given = allocate(incoming.leaves, &level, &market.allocation, market.round_lot);
        let gets = || slots.iter().zip(&given).filter(|(_, &quantity)| quantity != 0);
        if let Some((&slot, _)) = gets().find(|(&slot, _)| self.is_own(group, self.orders.at(slot))) {
            return self.prevent(slot, incoming, group.mode);
        }
        for (&slot, &quantity) in gets() {
            self.fill_with_care(slot, incoming, quantity, at_arrival);
        }
    }

    // --- after it traded -----------------------------------------------------------------------------

    /// Puts what is left of an order into the book.
    fn rest(&mut self, incoming: Order, client_order_id: &ClientOrderId) {
        if self.risk.has_books {
            self.risk_opened(&incoming);
        }
        if incoming.has_terms {
            return self.rest_with_terms(incoming, client_order_id);
        }
        let market = &mut self.markets[incoming.symbol_id as usize - 1];
        if market.shares_out() && incoming.kind.flags & HIDDEN == 0 {
            market.note_top(&incoming);
        }
        self.orders.rest(market.book.home(incoming.kind), incoming, client_order_id);
    }

    /// Puts an order into the book, an iceberg order with a fresh part shown.
    fn rest_with_terms(&mut self, mut order: Order, client_order_id: &ClientOrderId) {
        let terms = self.terms_in_hand;
        let display = if terms.display_quantity == 0 { order.leaves } else { terms.display_quantity };
        order.reserve = order.leaves.saturating_sub(display);
        let market = &mut self.markets[order.symbol_id as usize - 1];
        if market.shares_out() && order.kind.flags & HIDDEN == 0 {
            market.note_top(&order);
        }
        let slot = self.orders.rest(market.book.home(order.kind), order, client_order_id);
        self.orders.keep_terms(slot, terms);
    }

    /// Why an order that may not rest does not trade more.
    fn why_no_more(&mut self, incoming: &Order) -> u8 {
        let market = &mut self.markets[incoming.symbol_id as usize - 1];
        let is_protected = incoming.kind.order_type == MARKET && market.protection_bps != 0;
        if is_protected && !market.book.opposite_side(incoming.kind.side).is_empty() {
            return cancel_reason::PROTECTION;
        }
        cancel_reason::IMMEDIATE_OR_CANCEL
    }

    /// Says that what was left of an order is gone.
    #[inline(always)]
    pub fn order_cancelled(&mut self, order: &Order, reason: u8) {
        self.events.counters.cancels += 1;
        let event = OrderCancelled {
            symbol_id: order.symbol_id,
            order_id: order.order_id,
            account_id: order.account_id,
            side: order.kind.side,
            reason,
            price: order.price,
            quantity: order.leaves,
        };
        self.events.emit(|header, out| event.write(header, out));
        if order.marks & NOTED != 0 {
            self.note_end(order, reason);
        }
    }

    /// Takes a live order out of its book.
    #[inline(always)]
    pub fn take_out(&mut self, slot: u32) -> Order {
        if self.risk.has_books {
            let order = *self.orders.at(slot);
            self.risk_reduced(&order, order.leaves);
        }
        let order = self.orders.at(slot);
        if order.is_special {
            return self.take_out_special(slot);
        }
        let (symbol_id, side) = (order.symbol_id, order.kind.side);
        let market = &mut self.markets[symbol_id as usize - 1];
        self.orders.take(market.book.own_side(side), slot)
    }

    #[cold]
    #[inline(never)]
    fn take_out_special(&mut self, slot: u32) -> Order {
        let Order { symbol_id, kind, marks, price, .. } = *self.orders.at(slot);
        if is_waiting(kind) {
            return self.take_waiting(slot);
        }
        let market = &mut self.markets[symbol_id as usize - 1];
        if is_for_auction(kind) {
            return self.orders.take(market.auction_side(kind.side), slot);
        }
        if marks & PEGGED != 0 && price == 0 {
            return self.orders.take(&mut market.parked, slot);
        }
        self.orders.take(market.book.home(kind), slot)
    }

    /// Takes out the orders that are good till a time that is over, the soonest first.
    pub fn expire(&mut self, now_ns: u64) {
        while let Some((expires_ns, order_id)) = self.orders.next_expiry() {
            if expires_ns > now_ns {
                break;
            }
            let slot = self.orders.find(order_id).expect("an order that is to end is live");
            self.cancel_for(slot, cancel_reason::EXPIRED);
        }
    }

    /// Takes a live order out of its book and says why.
    #[inline(always)]
    pub fn cancel_for(&mut self, slot: u32, reason: u8) {
        let order = self.take_out(slot);
        self.order_cancelled(&order, reason);
    }
}

/// What holds for all trades of an incoming order.
struct AtArrival {
    reference_price: u32,
    state: u8,
}

/// Says that two orders traded, both reduced already, and moves what they exchanged.
#[inline(always)]
fn note_trade(
    events: &mut EventStream,
    reference: &mut ReferencePrice,
    holdings: &mut Holdings,
    incoming: &Order,
    fill: &Fill,
    at_arrival: &AtArrival,
) {
    let (symbol_id, price, quantity) = (incoming.symbol_id, fill.price, fill.quantity);
    let event = TradeExecuted {
        symbol_id,
        maker_order_id: fill.order_id,
        taker_order_id: incoming.order_id,
        maker_account_id: fill.account_id,
        taker_account_id: incoming.account_id,
        price,
        quantity,
        reference_price: at_arrival.reference_price,
        maker_leaves: fill.leaves,
        taker_leaves: incoming.leaves,
        taker_side: incoming.kind.side,
        state: at_arrival.state,
    };
    events.emit(|header, out| event.write(header, out));
    let match_id = public_id(events.header.partition, events.header.sequence);
    events.counters.trades += 1;
    reference.trade(match_id, price, at_arrival.reference_price);
    let (buyer, seller) = if incoming.kind.side == BUY {
        (incoming.account_id, fill.account_id)
    } else {
        (fill.account_id, incoming.account_id)
    };
    holdings.trade(Exchanged { buyer, seller, symbol_id, price, quantity });
}

/// Says that the next part of an order is shown.
#[cold]
pub fn refreshed(events: &mut EventStream, order: &Order) {
    let (order_id, account_id) = (order.order_id.to_le_bytes(), order.account_id.to_le_bytes());
    let displayed = (order.leaves - order.reserve).to_le_bytes();
    let (price, leaves) = (order.price.to_le_bytes(), order.leaves.to_le_bytes());
    let parts: [&[u8]; 6] = [&order_id, &account_id, &[order.kind.side], &price, &displayed, &leaves];
    events.write(ORDER_REFRESHED, order.symbol_id, &parts);
}
