//! Price-time priority: an incoming order trades with the best price first, there with the oldest order first.
//!
//! Every trade is at the resting order's price. What is left rests if the order is a limit order for the day or good
//! till cancelled, and is cancelled otherwise. A fill-or-kill order trades whole or not at all.

use exchange_wire::events::{OrderCancelled, TradeExecuted};
use exchange_wire::ClientOrderId;

use crate::holdings::Exchanged;
use crate::order_book::{public_id, Order, BUY, WORST_RANK};
use crate::order_checks::{FILL_OR_KILL, IMMEDIATE_OR_CANCEL, LIMIT};
use crate::state::State;

/// Why an order, or what was left of it, went without trading.
pub mod cancel_reason {
    pub const REQUESTED: u8 = 1;
    pub const IMMEDIATE_OR_CANCEL: u8 = 2;
    pub const FILL_OR_KILL: u8 = 3;
    pub const DAY_ENDED: u8 = 4;
    pub const OPERATOR: u8 = 5;
    pub const MASS_CANCEL: u8 = 6;
}

impl State {
    /// Trades an incoming order as far as it goes; then rests what is left, or cancels it.
    #[inline(always)]
    pub fn execute(&mut self, mut incoming: Order, client_order_id: &ClientOrderId) {
        let market = &mut self.markets[incoming.symbol_id as usize - 1];
        let opposite = market.book.opposite_side(incoming.kind.side);
        let is_limit = incoming.kind.order_type == LIMIT;
        let worst_rank = if is_limit { opposite.rank(incoming.price) } else { WORST_RANK };
        if incoming.kind.time_in_force == FILL_OR_KILL {
            let wanted = incoming.leaves.into();
            if self.orders.quantity_down_to(opposite, worst_rank, wanted) < wanted {
                self.order_cancelled(&incoming, cancel_reason::FILL_OR_KILL);
                return;
            }
        }
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
            self.order_cancelled(&incoming, cancel_reason::IMMEDIATE_OR_CANCEL);
        }
    }

    /// Fills an incoming order from the opposite side while both have something left that fits.
    fn trade(&mut self, worst_rank: u32, incoming: &mut Order) {
        let market = &mut self.markets[incoming.symbol_id as usize - 1];
        let opposite = market.book.opposite_side(incoming.kind.side);
        let reference_price = market.reference.price;
        while incoming.leaves > 0 && opposite.best_rank().is_some_and(|best| best >= worst_rank) {
            let fill = self.orders.fill_best(opposite, incoming.leaves);
            incoming.leaves -= fill.quantity;
            let event = TradeExecuted {
                symbol_id: incoming.symbol_id,
                maker_order_id: fill.order_id,
                taker_order_id: incoming.order_id,
                maker_account_id: fill.account_id,
                taker_account_id: incoming.account_id,
                price: fill.price,
                quantity: fill.quantity,
                reference_price,
                maker_leaves: fill.leaves,
                taker_leaves: incoming.leaves,
                taker_side: incoming.kind.side,
                state: market.state,
            };
            self.events.emit(|header, out| event.write(header, out));
            let match_id = public_id(self.events.header.partition, self.events.header.sequence);
            self.events.counters.trades += 1;
            market.reference.trade(match_id, fill.price, reference_price);
            let (buyer, seller) = if incoming.kind.side == BUY {
                (incoming.account_id, fill.account_id)
            } else {
                (fill.account_id, incoming.account_id)
            };
            let (symbol_id, price, quantity) = (incoming.symbol_id, fill.price, fill.quantity);
            self.holdings.trade(Exchanged { buyer, seller, symbol_id, price, quantity });
        }
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
    }

    /// Takes a live order out of its book.
    #[inline(always)]
    pub fn take_out(&mut self, slot: u32) -> Order {
        let (symbol_id, side) = {
            let order = self.orders.at(slot);
            (order.symbol_id, order.kind.side)
        };
        let market = &mut self.markets[symbol_id as usize - 1];
        self.orders.take(market.book.own_side(side), slot)
    }

    /// Takes a live order out of its book and says why.
    #[inline(always)]
    pub fn cancel_for(&mut self, slot: u32, reason: u8) {
        let order = self.take_out(slot);
        self.order_cancelled(&order, reason);
    }
}
