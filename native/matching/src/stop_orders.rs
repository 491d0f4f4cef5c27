//! The stop orders of one symbol, which wait until the last trade reaches their stop price.

use exchange_wire::events::{Kind, ORDER_TRIGGERED};
use exchange_wire::terms::Terms;
use exchange_wire::ClientOrderId;

use crate::market::BASIS_POINTS;
use crate::matcher::cancel_reason;
use crate::order_book::{BookSide, Order, BUY, LINKED};
use crate::order_checks::{LIMIT, MARKET, STOP, STOP_LIMIT};
use crate::short_sales::check_short_price;
use crate::state::State;

/// Trailing stops of one symbol; one more is refused.
pub const TRAILING_STOPS_MAX: usize = 1_000;

/// What waits, queued by stop price; trailing: how many follow the last trade.
pub struct StopOrders {
    pub buys: BookSide,
    pub sells: BookSide,
    pub trailing: usize,
}

impl Default for StopOrders {
    fn default() -> Self {
        Self { buys: BookSide::lowest_first(), sells: BookSide::default(), trailing: 0 }
    }
}

impl StopOrders {
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.buys.is_empty() && self.sells.is_empty()
    }

    pub fn side(&mut self, side: u8) -> &mut BookSide {
        if side == BUY {
            &mut self.buys
        } else {
            &mut self.sells
        }
    }
}

/// A stop order that is to come in within this command, with the price that triggered it.
pub struct Triggered {
    pub order: Order,
    pub client_order_id: ClientOrderId,
    pub terms: Terms,
    pub last_price: u32,
}

/// Whether an order waits for its stop price.
#[inline(always)]
pub fn is_waiting(kind: Kind) -> bool {
    kind.order_type == STOP || kind.order_type == STOP_LIMIT
}

/// Whether a stop follows the last trade.
pub fn trails(terms: &Terms) -> bool {
    terms.trail_amount != 0 || terms.trail_bps != 0
}

/// The stop price at the order's distance from a price; below 1 where there is none.
pub fn trailed_price(side: u8, terms: &Terms, price: u32) -> i64 {
    let share = u64::from(price) * u64::from(terms.trail_bps) / BASIS_POINTS;
    let distance = if terms.trail_amount != 0 { i64::from(terms.trail_amount) } else { share.max(1) as i64 };
    if side == BUY {
        i64::from(price) + distance
    } else {
        i64::from(price) - distance
    }
}

/// Whether a trade at a price reaches a stop price.
pub fn is_reached(side: u8, stop_price: u32, price: u32) -> bool {
    if side == BUY {
        price >= stop_price
    } else {
        price <= stop_price
    }
}

impl State {
    /// Lets a stop order wait, last at its stop price.
    #[cold]
    pub fn wait(&mut self, order: Order, terms: Terms, client_order_id: &ClientOrderId) {
        let stops = &mut self.markets[order.symbol_id as usize - 1].stops;
        stops.trailing += usize::from(trails(&terms));
        let side = stops.side(order.kind.side);
        let slot = self.orders.rest_at(side, terms.stop_price, order, client_order_id);
        self.orders.keep_terms(slot, terms);
    }

    /// Takes a stop order out of where it waits.
    #[cold]
    pub fn take_waiting(&mut self, slot: u32) -> Order {
        let order = *self.orders.at(slot);
        let terms = self.orders.terms(&order);
        let stops = &mut self.markets[order.symbol_id as usize - 1].stops;
        stops.trailing -= usize::from(trails(&terms));
        self.orders.take(stops.side(order.kind.side), slot)
    }

    /// Takes out what a trade at this price triggers; lets what trails follow it.
    #[cold]
    pub fn trigger(&mut self, symbol_id: u32, price: u32) {
        for side in [BUY, crate::order_book::SELL] {
            let place = symbol_id as usize - 1;
            while let Some((slot, stop_price)) = self.markets[place].stops.side(side).first(&self.orders) {
                if !is_reached(side, stop_price, price) {
                    break;
                }
                let client_order_id = *self.orders.client_order_id(slot);
                let terms = self.orders.terms(self.orders.at(slot));
                let order = self.take_waiting(slot);
                if self.risk.has_books {
                    self.risk_reduced(&order, order.leaves);
                }
                self.triggered.push_back(Triggered { order, client_order_id, terms, last_price: price });
            }
        }
        if self.markets[symbol_id as usize - 1].stops.trailing > 0 {
            self.trail(symbol_id, price);
        }
    }

    fn trail(&mut self, symbol_id: u32, price: u32) {
        let stops = &self.markets[symbol_id as usize - 1].stops;
        let waiting = self.orders.in_sequence(&stops.buys).chain(self.orders.in_sequence(&stops.sells));
        let all: Vec<u32> = waiting.collect();
        for slot in all {
            let order = *self.orders.at(slot);
            let terms = self.orders.terms(&order);
            if !trails(&terms) {
                continue;
            }
            let stop_price = trailed_price(order.kind.side, &terms, price);
            let now = i64::from(terms.stop_price);
            let is_nearer = if order.kind.side == BUY { stop_price < now } else { stop_price > now };
            if is_nearer {
                let client_order_id = *self.orders.client_order_id(slot);
                let taken = self.take_waiting(slot);
                self.wait(taken, Terms { stop_price: stop_price as u32, ..terms }, &client_order_id);
            }
        }
    }

    /// Follows what happened to orders on which others depend; lets in what that triggered, one after the other.
    #[cold]
    pub fn settle(&mut self) {
        loop {
            if let Some(note) = self.noted.pop_front() {
                self.follow(&note);
            } else if let Some(triggered) = self.triggered.pop_front() {
                self.let_in_triggered(triggered);
            } else {
                return;
            }
        }
    }

    fn let_in_triggered(&mut self, triggered: Triggered) {
        let Triggered { mut order, client_order_id, terms, last_price } = triggered;
        order.kind.order_type = if order.kind.order_type == STOP { MARKET } else { LIMIT };
        let (order_id, account_id) = (order.order_id.to_le_bytes(), order.account_id.to_le_bytes());
        let prices = (terms.stop_price.to_le_bytes(), last_price.to_le_bytes());
        let parts: [&[u8]; 7] = [
            &order_id,
            &account_id,
            &order.kind.bytes(),
            &order.price.to_le_bytes(),
            &order.leaves.to_le_bytes(),
            &prices.0,
            &prices.1,
        ];
        self.events.write(ORDER_TRIGGERED, order.symbol_id, &parts);
        if order.marks & LINKED != 0 {
            self.end_by_trigger(order.order_id);
        }
        self.let_in(order, terms, &client_order_id);
    }

    /// Lets an order come in that was taken before, if the limits let it.
    pub fn let_in(&mut self, order: Order, terms: Terms, client_order_id: &ClientOrderId) {
        let market = &self.markets[order.symbol_id as usize - 1];
        let restricted = check_short_price(market, order.kind, order.price).is_err();
        let why_not = self.why_not_triggered(&order, client_order_id);
        if let Some(reason) = why_not.or(restricted.then_some(cancel_reason::SHORT_SALE)) {
            self.order_cancelled(&order, reason);
        } else if is_waiting(order.kind) {
            if self.risk.has_books {
                self.risk_opened(&order);
            }
            self.wait(order, terms, client_order_id);
        } else {
            self.terms_in_hand = terms;
            self.come_in(order, client_order_id);
        }
    }
}
