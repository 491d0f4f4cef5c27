//! What becomes of an order list when one of its orders trades, is triggered or ends.
//!
//! `src/exchange/matching/order_lists.py` has the rules.

use exchange_wire::events::{
    OrderAccepted, OrderAmended, ORDER_LIST_ENDED, ORDER_LIST_TRIGGERED, SPECIAL_TERMS_ACCEPTED,
};
use exchange_wire::terms::Terms;
use exchange_wire::ClientOrderId;

use crate::market::ACTIVE;
use crate::matcher::cancel_reason;
use crate::order_book::{Order, NOTED, QUOTED};
use crate::reasons::{self as reason, Refusal};
use crate::state::State;
use crate::stop_orders::{is_reached, is_waiting, Triggered};

/// How the orders of a list depend on each other.
pub mod contingency {
    pub const ONE_CANCELS_OTHER: u8 = 1;
    pub const ONE_TRIGGERS_OTHER: u8 = 2;
    pub const BRACKET: u8 = 100;
}

/// Order lists that live at a time; one more is refused.
pub const ORDER_LISTS_MAX: usize = 100_000;

/// Why an order list is over.
mod list_end {
    pub const FILLED: u8 = 1;
    pub const TRIGGERED: u8 = 2;
    pub const CANCELLED: u8 = 3;
    pub const ENTERED: u8 = 4;
    pub const SUSPENDED: u8 = 5;
}

/// A trade of an order that is noted, or with a reason its end. leaves: what it had left after it.
pub struct Note {
    pub order_id: u64,
    pub account_id: u32,
    pub symbol_id: u32,
    pub side: u8,
    pub marks: u8,
    pub quantity: u32,
    pub leaves: u32,
    pub reason: u8,
    /// The order's quantity then.
    pub whole: u32,
}

impl Note {
    fn of(order: &Order, quantity: u32, leaves: u32, reason: u8) -> Self {
        let Order { order_id, account_id, symbol_id, kind, marks, quantity: whole, .. } = *order;
        Self { order_id, account_id, symbol_id, side: kind.side, marks, quantity, leaves, reason, whole }
    }
}

/// An order that waits for an entry; its quantity is 0.
pub struct WaitingOrder {
    pub order: Order,
    pub client_order_id: ClientOrderId,
    pub terms: Terms,
}

/// Orders that depend on each other. first, second: ids of its live orders, 0 for none; filled: by its entry.
///
/// waiting: the orders that wait for the entry; with none it is a pair.
pub struct OrderList {
    pub list_id: u64,
    pub contingency: u8,
    pub account_id: u32,
    pub symbol_id: u32,
    pub first: u64,
    pub second: u64,
    pub filled: u32,
    pub waiting: Vec<WaitingOrder>,
}

impl OrderList {
    /// The ids of its orders, live ones and those that wait.
    fn ids(&self) -> Vec<u64> {
        let live = [self.first, self.second].into_iter().filter(|&order_id| order_id != 0);
        live.chain(self.waiting.iter().map(|waiting| waiting.order.order_id)).collect()
    }
}

fn is_by_a_person(reason: u8) -> bool {
    use cancel_reason::{CANCEL_TIMER, CORPORATE_ACTION, KILL_SWITCH, MASS_CANCEL, OPERATOR, REQUESTED};
    matches!(reason, REQUESTED | OPERATOR | MASS_CANCEL | KILL_SWITCH | CANCEL_TIMER | CORPORATE_ACTION)
}

impl State {
    // --- notes ---------------------------------------------------------------------------------------

    #[cold]
    pub fn note_trade(&mut self, maker: &Order, taker: &Order, quantity: u32) {
        for order in [maker, taker].into_iter().filter(|order| order.marks & NOTED != 0) {
            self.noted.push_back(Note::of(order, quantity, order.leaves, 0));
        }
    }

    #[cold]
    pub fn note_end(&mut self, order: &Order, reason: u8) {
        self.noted.push_back(Note::of(order, 0, 0, reason));
    }

    /// Does to the other orders of a list what follows from a trade, or the end, of one.
    pub fn follow(&mut self, note: &Note) {
        if note.marks & QUOTED != 0 {
            return self.follow_quote(note);
        }
        let Some(&list_id) = self.list_of.get(&note.order_id) else { return };
        let list = &self.order_lists[&list_id];
        if !list.waiting.is_empty() {
            self.follow_entry(list_id, note);
        } else if note.reason != 0 || note.leaves == 0 {
            let end = if note.reason == 0 { list_end::FILLED } else { list_end::CANCELLED };
            self.end_other(list_id, note.order_id, end);
        } else if note.order_id == list.first {
            self.reduce_other(list_id, note.order_id, note.quantity);
        }
    }

    /// Cancels the limit order of a pair whose stop order comes in.
    pub fn end_by_trigger(&mut self, order_id: u64) {
        if let Some(&list_id) = self.list_of.get(&order_id) {
            if self.order_lists[&list_id].second == order_id {
                self.end_other(list_id, order_id, list_end::TRIGGERED);
            }
        }
    }

    /// Takes a list whose orders are about to come in.
    pub fn add_list(&mut self, list: OrderList) {
        for order_id in list.ids() {
            self.list_of.insert(order_id, list.list_id);
        }
        let market = self.market_mut(list.symbol_id);
        market.followed += 1;
        market.needs_care = true;
        self.order_lists.insert(list.list_id, list);
    }

    // --- a pair --------------------------------------------------------------------------------------

    /// Ends a pair, and its other order. That is taken out while it is of the pair, for a stop order reserves nothing.
    fn end_other(&mut self, list_id: u64, order_id: u64, end: u8) {
        let list = &self.order_lists[&list_id];
        let other_id = if order_id == list.first { list.second } else { list.first };
        let other = if let Some(slot) = self.orders.find(other_id) {
            Some(self.take_out(slot))
        } else {
            let place = self.triggered_place(other_id);
            place.and_then(|place| self.triggered.remove(place)).map(|triggered| triggered.order)
        };
        self.end_list(list_id, order_id, end);
        if let Some(other) = other {
            self.order_cancelled(&other, cancel_reason::LINKED);
        }
    }

    fn reduce_other(&mut self, list_id: u64, order_id: u64, quantity: u32) {
        let other_id = self.order_lists[&list_id].second;
        let slot = self.orders.find(other_id);
        let place = self.triggered_place(other_id);
        let other = match (slot, place) {
            (Some(slot), _) => *self.orders.at(slot),
            (None, Some(place)) => self.triggered[place].order,
            (None, None) => unreachable!("an order of a pair is neither live nor triggered"),
        };
        if other.leaves <= quantity {
            return self.end_other(list_id, order_id, list_end::FILLED);
        }
        let reduced = Order { leaves: other.leaves - quantity, quantity: other.quantity - quantity, ..other };
        match (slot, place) {
            (Some(slot), _) => self.orders.reduce(slot, reduced.quantity, reduced.leaves),
            (None, Some(place)) => self.triggered[place].order = reduced,
            (None, None) => {}
        }
        let event = OrderAmended {
            symbol_id: other.symbol_id,
            order_id: other_id,
            account_id: other.account_id,
            side: other.kind.side,
            kept_priority: true,
            old_price: other.price,
            price: other.price,
            quantity: reduced.quantity,
            leaves: reduced.leaves,
        };
        self.events.emit(|header, out| event.write(header, out));
    }

    fn triggered_place(&self, order_id: u64) -> Option<usize> {
        self.triggered.iter().position(|triggered| triggered.order.order_id == order_id)
    }

    // --- an entry ------------------------------------------------------------------------------------

    fn follow_entry(&mut self, list_id: u64, note: &Note) {
        let Some(list) = self.order_lists.get_mut(&list_id) else { return };
        list.filled += note.quantity;
        if note.leaves != 0 {
            return;
        }
        let (symbol_id, filled) = (list.symbol_id, list.filled);
        if filled == 0 || is_by_a_person(note.reason) {
            self.end_list(list_id, note.order_id, list_end::CANCELLED);
        } else if self.market_mut(symbol_id).state != ACTIVE {
            self.end_list(list_id, note.order_id, list_end::SUSPENDED);
        } else {
            self.bring_in(list_id, note.order_id);
        }
    }

    fn bring_in(&mut self, list_id: u64, entry_id: u64) {
        let Some(list) = self.order_lists.get_mut(&list_id) else { return };
        let mut waiting = std::mem::take(&mut list.waiting);
        let (symbol_id, filled) = (list.symbol_id, list.filled);
        for waiting in &mut waiting {
            (waiting.order.quantity, waiting.order.leaves) = (filled, filled);
            waiting.order.entered_ns = self.events.header.time_ns;
        }
        let parts: [&[u8]; 4] = [
            &list_id.to_le_bytes(),
            &list.account_id.to_le_bytes(),
            &entry_id.to_le_bytes(),
            &filled.to_le_bytes(),
        ];
        self.events.write(ORDER_LIST_TRIGGERED, symbol_id, &parts);
        self.list_of.remove(&entry_id);
        if let [limit, stop] = &waiting[..] {
            (list.first, list.second) = (limit.order.order_id, stop.order.order_id);
        } else {
            list.first = waiting[0].order.order_id;
            self.end_list(list_id, entry_id, list_end::ENTERED);
        }
        for waiting in waiting.into_iter().rev() {
            self.enter_waiting(waiting);
        }
    }

    /// Lets an order come in that waited, unless its own time is over.
    ///
    /// A stop price that is reached already triggers it at once.
    fn enter_waiting(&mut self, waiting: WaitingOrder) {
        let WaitingOrder { order, client_order_id, terms } = waiting;
        self.accept_listed(&order, &terms, &client_order_id);
        let market = &self.markets[order.symbol_id as usize - 1];
        let whose = (order.account_id, order.symbol_id);
        if self.check_short_sale(market, whose, order.kind, order.price, (order.leaves, 0)).is_err() {
            return self.order_cancelled(&order, cancel_reason::SHORT_SALE);
        }
        if terms.expires_ns != 0 && terms.expires_ns <= self.events.header.time_ns {
            return self.order_cancelled(&order, cancel_reason::EXPIRED);
        }
        let market = self.market_mut(order.symbol_id);
        market.needs_care = true;
        let last_price = market.last_price;
        let is_stop = is_waiting(order.kind);
        if is_stop && last_price != 0 && is_reached(order.kind.side, terms.stop_price, last_price) {
            self.triggered.push_back(Triggered { order, client_order_id, terms, last_price });
        } else {
            self.let_in(order, terms, &client_order_id);
        }
    }

    // --- what they share -----------------------------------------------------------------------------

    /// Says that an order of a list is taken, and with which terms.
    pub fn accept_listed(&mut self, order: &Order, terms: &Terms, client_order_id: &ClientOrderId) {
        let Order { order_id, account_id, symbol_id, kind, price, quantity, .. } = *order;
        let accepted = OrderAccepted { symbol_id, order_id, account_id, kind, price, quantity };
        self.events.emit(|header, out| accepted.write(header, client_order_id, out));
        self.events.counters.orders += 1;
        if order.has_terms {
            let (order, account) = (order_id.to_le_bytes(), account_id.to_le_bytes());
            self.events.write(SPECIAL_TERMS_ACCEPTED, symbol_id, &[&order, &account, &terms.bytes()]);
        }
    }

    fn end_list(&mut self, list_id: u64, order_id: u64, end: u8) {
        let Some(list) = self.order_lists.remove(&list_id) else { return };
        for known in list.ids() {
            self.list_of.remove(&known);
        }
        self.market_mut(list.symbol_id).followed -= 1;
        let parts: [&[u8]; 4] =
            [&list_id.to_le_bytes(), &list.account_id.to_le_bytes(), &order_id.to_le_bytes(), &[end]];
        self.events.write(ORDER_LIST_ENDED, list.symbol_id, &parts);
    }

    /// Whether an order is the stop order of a pair, for which the limit order reserves what it needs.
    pub fn reserves_nothing(&self, order: &Order) -> bool {
        let list = self.list_of.get(&order.order_id).filter(|_| is_waiting(order.kind));
        list.is_some_and(|list_id| self.order_lists[list_id].second == order.order_id)
    }

    /// Checks that an order of a pair keeps the quantity that both have.
    #[inline(always)]
    pub fn check_in_list(&self, order: &Order, quantity: u32, due: u32) -> Result<(), Refusal> {
        match order.marks & NOTED {
            0 => Ok(()),
            _ => self.check_in_pair(order, quantity, due),
        }
    }

    #[cold]
    fn check_in_pair(&self, order: &Order, quantity: u32, due: u32) -> Result<(), Refusal> {
        let list = self.list_of.get(&order.order_id).map(|list_id| &self.order_lists[list_id]);
        if quantity == due || list.is_none_or(|list| !list.waiting.is_empty()) {
            return Ok(());
        }
        Err(Refusal::limited(reason::LIST_QUANTITIES_DIFFER, quantity, due))
    }

    /// Lets an order stand in its list where the one stood that it replaces.
    #[cold]
    pub fn follow_in_list(&mut self, old: u64, new: u64) {
        let Some(list_id) = self.list_of.remove(&old) else { return };
        self.list_of.insert(new, list_id);
        if let Some(list) = self.order_lists.get_mut(&list_id) {
            for known in [&mut list.first, &mut list.second] {
                if *known == old {
                    *known = new;
                }
            }
        }
    }
}
