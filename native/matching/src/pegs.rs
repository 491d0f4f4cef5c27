//! Pegged orders: unseen, at a price that follows the best prices shown.
//!
//! `src/exchange/matching/pegs.py` and `peg_entry.py` have the rules.

use exchange_wire::commands::{EnterOrder, ENTER_PEGGED_ORDER};
use exchange_wire::events::{Kind, OrderAccepted, PEG_ACCEPTED};
use exchange_wire::listed::EnterPeggedOrder;
use exchange_wire::{has_client_order_id, ClientOrderId};
use xxhash_rust::xxh3::xxh3_128;

use crate::client_order_ids::FirstUse;
use crate::market::{Market, PegPrices, ACTIVE};
use crate::matcher::reprice_reason;
use crate::order_book::{public_id, Order, BUY, HIDDEN, PEGGED};
use crate::order_checks::{
    check_kind, check_session, check_terms, DAY, GOOD_TILL_CANCELLED, LIMIT, MARKET, NOTIONAL_MAX, PRICE_MAX,
};
use crate::phase::CONTINUOUS;
use crate::reasons::{self as reason, Refusal};
use crate::risk_checks::Proposal;
use crate::state::State;

/// Pegged orders of one symbol; one more is refused.
const PEGS_MAX: usize = 1_000;
/// A pegged order may get any price.
const QUANTITY_MAX: u64 = NOTIONAL_MAX / PRICE_MAX as u64;
const MIDPOINT: u8 = 2;
const AT_MARKET: u8 = 4;
const PRIMARY: u8 = 5;

type Check = Result<(), Refusal>;

/// How a pegged order gets its price. offset: added to what it is pegged to; limit: of its price, 0 for none.
#[derive(Clone, Copy)]
pub struct Peg {
    pub kind: u8,
    pub offset: i32,
    pub limit: u32,
}

/// Whether a peg is to something there is.
pub fn is_peg_kind(kind: u8) -> bool {
    matches!(kind, MIDPOINT | AT_MARKET | PRIMARY)
}

impl State {
    // --- in ------------------------------------------------------------------------------------------

    /// Takes a pegged order, or says why not.
    #[cold]
    pub fn enter_pegged(&mut self, command: &EnterPeggedOrder) {
        let EnterPeggedOrder { account_id, symbol_id, client_order_id, quantity, .. } = *command;
        let mut body = [0; 20];
        body[..16].copy_from_slice(&xxh3_128(command.body).to_be_bytes());
        let has_id = has_client_order_id(&client_order_id);
        let mut first = FirstUse { order_id: 0, command_type: ENTER_PEGGED_ORDER, body };
        if has_id && self.is_repetition(account_id, &client_order_id, first) {
            return;
        }
        let header = &self.events.header;
        let order_id = public_id(header.partition, header.command_sequence);
        let (side, time_in_force) = (command.side, command.time_in_force);
        let kind = Kind { side, order_type: LIMIT, time_in_force, flags: HIDDEN };
        if let Err(refusal) = self.check_pegged(command) {
            let price = command.limit;
            let entry = EnterOrder { account_id, symbol_id, kind, price, quantity, client_order_id, body };
            return self.order_rejected(&entry, order_id, refusal);
        }
        if has_id {
            first.order_id = order_id;
            self.client_order_ids.remember(account_id, client_order_id, first);
        }
        let order = Order {
            order_id,
            entered_ns: self.events.header.time_ns,
            account_id,
            symbol_id,
            quantity,
            leaves: quantity,
            kind,
            marks: PEGGED,
            has_client_order_id: has_id,
            is_special: true,
            ..Order::default()
        };
        let peg = Peg { kind: command.kind, offset: command.offset, limit: command.limit };
        self.let_pegged_in(order, peg, &client_order_id);
    }

    fn let_pegged_in(&mut self, mut order: Order, peg: Peg, client_order_id: &ClientOrderId) {
        let Order { order_id, account_id, symbol_id, kind, price, quantity, .. } = order;
        let accepted = OrderAccepted { symbol_id, order_id, account_id, kind, price, quantity };
        self.events.emit(|header, out| accepted.write(header, client_order_id, out));
        self.events.counters.orders += 1;
        let parts: [&[u8]; 5] = [
            &order_id.to_le_bytes(),
            &account_id.to_le_bytes(),
            &[peg.kind],
            &peg.offset.to_le_bytes(),
            &peg.limit.to_le_bytes(),
        ];
        self.events.write(PEG_ACCEPTED, symbol_id, &parts);
        self.pegged.insert(symbol_id);
        let market = self.market_mut(symbol_id);
        market.pegs.insert(order_id, peg);
        if market.phase == CONTINUOUS {
            let price = pegged_price(market, kind.side, &peg, prices_followed(market));
            if price != 0 {
                self.reprice(&mut order, price, reprice_reason::PEG);
            }
        }
        self.let_peg_in(order, client_order_id);
        self.settle();
    }

    fn check_pegged(&mut self, command: &EnterPeggedOrder) -> Check {
        let EnterPeggedOrder { account_id, symbol_id, side, time_in_force, limit, quantity, .. } = *command;
        let kind = Kind { side, order_type: LIMIT, time_in_force, flags: 0 };
        check_kind(kind)?;
        if !self.directory.has_account(account_id) {
            return Err(Refusal::measured(reason::UNKNOWN_ACCOUNT, account_id));
        }
        let Some(market) = self.market(symbol_id) else {
            return Err(Refusal::measured(reason::UNKNOWN_SYMBOL, symbol_id));
        };
        if has_client_order_id(&command.client_order_id) {
            self.check_client_order_id(account_id, &command.client_order_id)?;
        }
        self.check_access(account_id, symbol_id, &command.client_order_id)?;
        check_session(market, kind)?;
        check_terms(Some(market), if limit == 0 { MARKET } else { LIMIT }, limit, quantity)?;
        if u64::from(quantity) > QUANTITY_MAX {
            return Err(Refusal::limited(reason::NOTIONAL_OVERFLOW, quantity, QUANTITY_MAX));
        }
        if !is_peg_kind(command.kind) {
            return Err(Refusal::measured(reason::PEG_INVALID, command.kind));
        }
        if command.kind == MIDPOINT && command.offset != 0 {
            return Err(Refusal::measured(reason::PEG_INVALID, command.offset));
        }
        if !matches!(time_in_force, DAY | GOOD_TILL_CANCELLED) {
            return Err(Refusal::measured(reason::PEG_INVALID, time_in_force));
        }
        if market.short_sales.terms.needs_marking {
            self.check_short_sale(market, (account_id, symbol_id), kind, limit, (quantity, 0))?;
        }
        let count = market.pegs.len() as u64;
        if count >= PEGS_MAX as u64 {
            return Err(Refusal::limited(reason::DIRECTORY_FULL, count, PEGS_MAX as u64));
        }
        if !self.risk.has_books {
            return Ok(());
        }
        let price = if limit == 0 { market.reference.price } else { limit };
        let kind = Kind { flags: HIDDEN, ..kind };
        let proposal =
            Proposal { account_id, symbol_id, kind, price, quantity, leaves: quantity, replaces: None };
        self.check_risk(&proposal)
    }

    // --- as the best prices move ---------------------------------------------------------------------

    /// Moves the pegged orders of those symbols that the command's events concern, until all stand.
    ///
    /// What stop orders did that one symbol's moves triggered may have taken quotes out of another.
    #[cold]
    pub fn follow_pegs(&mut self) {
        let mut followed = None;
        while followed != Some(self.events.header.sequence) {
            followed = Some(self.events.header.sequence);
            for symbol_id in self.events.symbols_concerned() {
                if self.pegged.contains(&symbol_id) {
                    self.follow_pegs_of(symbol_id);
                }
            }
        }
    }

    /// Takes every pegged order of a symbol aside, for orders gather from now on.
    #[cold]
    pub fn park_pegs(&mut self, symbol_id: u32) {
        let market = self.market_mut(symbol_id);
        market.peg_prices = None;
        let order_ids: Vec<u64> = market.pegs.keys().copied().collect();
        for order_id in order_ids {
            if self.orders.find(order_id).is_some_and(|slot| self.orders.at(slot).price != 0) {
                self.move_peg(order_id, 0);
            }
        }
    }

    fn follow_pegs_of(&mut self, symbol_id: u32) {
        loop {
            let (orders, market) = (&self.orders, &mut self.markets[symbol_id as usize - 1]);
            market.pegs.retain(|&order_id, _| orders.find(order_id).is_some());
            if market.pegs.is_empty() {
                self.pegged.remove(&symbol_id);
                return;
            }
            let prices = if market.phase == CONTINUOUS { prices_followed(market) } else { (0, 0, 0, 0) };
            if market.state != ACTIVE || market.peg_prices == Some(prices) {
                return;
            }
            market.peg_prices = Some(prices);
            let pegs: Vec<(u64, Peg)> = market.pegs.iter().map(|(&order_id, &peg)| (order_id, peg)).collect();
            for (order_id, peg) in pegs {
                let Some(slot) = self.orders.find(order_id) else { continue };
                let (side, now) = (self.orders.at(slot).kind.side, self.orders.at(slot).price);
                let price = pegged_price(&self.markets[symbol_id as usize - 1], side, &peg, prices);
                if price != now {
                    self.move_peg(order_id, price);
                }
            }
            self.settle();
        }
    }

    fn move_peg(&mut self, order_id: u64, price: u32) {
        let slot = self.orders.find(order_id).expect("a pegged order that moves is live");
        let client_order_id = *self.orders.client_order_id(slot);
        let mut order = self.take_out(slot);
        self.reprice(&mut order, price, reprice_reason::PEG);
        self.let_peg_in(order, &client_order_id);
    }

    /// Lets a pegged order come in, or wait aside where it has no price.
    fn let_peg_in(&mut self, order: Order, client_order_id: &ClientOrderId) {
        self.market_mut(order.symbol_id).needs_care = true;
        if order.price != 0 {
            return self.come_in(order, client_order_id);
        }
        if self.risk.has_books {
            self.risk_opened(&order);
        }
        let market = &mut self.markets[order.symbol_id as usize - 1];
        self.orders.rest_at(&mut market.parked, 0, order, client_order_id);
    }
}

/// All that the prices of pegged orders depend on, as the market stands.
fn prices_followed(market: &Market) -> PegPrices {
    let (bids, asks) = (&market.book.bids, &market.book.asks);
    let best = |side: &crate::order_book::BookSide| side.best_rank().map_or(0, |rank| side.rank(rank));
    let (lowest, highest) = market.guard.as_deref().map_or((0, PRICE_MAX), |guard| market.limits(guard));
    (best(bids), best(asks), lowest, highest)
}

/// The price of a pegged order, 0 for none; never beyond the symbol's bands or corridor.
fn pegged_price(market: &Market, side: u8, peg: &Peg, prices: PegPrices) -> u32 {
    let (bid, ask, lowest, highest) = prices;
    let is_buy = side == BUY;
    let (own, opposite) = if is_buy { (bid, ask) } else { (ask, bid) };
    let worse = |one: u32, other: u32| if is_buy { one.min(other) } else { one.max(other) };
    let mut price = 0;
    if peg.kind == MIDPOINT {
        if bid != 0 && ask != 0 {
            price = (bid + ask + u32::from(!is_buy)) / 2;
        }
    } else {
        let pegged_to = if peg.kind == PRIMARY { own } else { opposite };
        if pegged_to != 0 {
            price = on_tick(market, i64::from(pegged_to) + i64::from(peg.offset), side);
            if price != 0 && opposite != 0 {
                price = match market.price_behind(opposite, side) {
                    0 => 0,
                    behind => worse(price, behind),
                };
            }
        }
    }
    if price != 0 && peg.limit != 0 {
        price = worse(price, peg.limit);
    }
    if price != 0 && is_buy && price > highest {
        price = on_tick(market, highest.into(), side);
    } else if price != 0 && !is_buy && price < lowest {
        price = on_tick(market, lowest.into(), side);
    }
    if price <= PRICE_MAX {
        price
    } else {
        0
    }
}

/// The nearest price on a tick that is not better for the others than this one, 0 for none.
fn on_tick(market: &Market, price: i64, side: u8) -> u32 {
    if !(1..=i64::from(PRICE_MAX)).contains(&price) {
        return 0;
    }
    let price = price as u32;
    if price % market.tick_at(price) == 0 {
        return price;
    }
    market.price_behind(price, side)
}
