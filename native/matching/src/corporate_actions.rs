//! Corporate actions: a split, a new ticker, a cash dividend; what they do to prices, orders, limits and holdings.

use exchange_wire::commands::{
    PayDividend, RenameSymbol, SplitSymbol, PAY_DIVIDEND, RENAME_SYMBOL, SPLIT_SYMBOL,
};
use exchange_wire::events::{self as e, OrderAmended};
use exchange_wire::terms::Terms;

use crate::administration::Check;
use crate::holdings::CASH;
use crate::market::{Market, ACTIVE};
use crate::matcher::cancel_reason;
use crate::names::{is_valid_name, is_valid_symbol};
use crate::order_book::{Order, BUY, DO_NOT_REDUCE, LINKED, PEGGED, SELL};
use crate::order_checks::{least_display, GOOD_TILL_CANCELLED, GOOD_TILL_DATE, NOTIONAL_MAX, PRICE_MAX};
use crate::phase::{CLOSED, HALTED};
use crate::reasons::{self as reason, int64, Refusal};
use crate::risk_book::{kind, Limit};
use crate::risk_checks::{scope, Subject};
use crate::risk_desk::limit_body;
use crate::state::State;
use crate::stop_orders::{is_waiting, trails};

const SPLIT_SHARES_MAX: u16 = 10_000;
const MONEY_MAX: i128 = 1_000_000_000_000_000_000;
const QUANTITY_MAX: u64 = u32::MAX as u64;

/// Why a corporate action changed what an account has.
mod cause {
    pub const SPLIT: u8 = 1;
    pub const CASH_IN_LIEU: u8 = 2;
    pub const DIVIDEND: u8 = 3;
}

/// So many new shares for so many old ones.
#[derive(Clone, Copy)]
struct Split {
    new: u16,
    old: u16,
}

impl Split {
    /// The whole shares that become of old ones, and what is left over in parts of `old`, both towards zero.
    fn shares(self, old: i128) -> (i128, i128) {
        let parts = old * i128::from(self.new);
        (parts / i128::from(self.old), parts % i128::from(self.old))
    }

    fn quantity(self, old: u32) -> u64 {
        u64::from(old) * u64::from(self.new) / u64::from(self.old)
    }

    fn price(self, old: u32) -> u64 {
        u64::from(old) * u64::from(self.old) / u64::from(self.new)
    }

    fn price_up(self, old: u32) -> u64 {
        (u64::from(old) * u64::from(self.old)).div_ceil(self.new.into())
    }

    /// What a rest is worth at a price, rounded towards zero.
    fn cash(self, rest: i128, price: u32) -> i128 {
        rest * i128::from(price) / i128::from(self.old)
    }
}

/// What a corporate action leaves of an order.
struct Adjusted {
    price: u32,
    quantity: u32,
    leaves: u32,
    terms: Terms,
}

impl State {
    // --- commands ------------------------------------------------------------------------------------

    pub fn split_symbol(&mut self, command: &SplitSymbol) {
        let SplitSymbol { symbol_id, new_shares, old_shares, cash_price, note } = *command;
        let split = Split { new: new_shares, old: old_shares };
        let checked = self.check_corporate_action(symbol_id, note).and_then(|()| {
            self.check_time(symbol_id)?;
            let reference = self.check_split(symbol_id, split, cash_price)?;
            self.check_holdings(symbol_id, |shares| split.shares(shares).0)?;
            Ok(reference)
        });
        let reference = match checked {
            Ok(reference) => reference,
            Err(refusal) => {
                return self.events.command_rejected(SPLIT_SYMBOL, symbol_id.into(), symbol_id, refusal)
            }
        };
        let old_reference = self.market_mut(symbol_id).reference.price;
        let cash_price = if cash_price == 0 { reference } else { cash_price };
        let mut body = Vec::from(new_shares.to_le_bytes());
        body.extend(old_shares.to_le_bytes());
        for price in [old_reference, reference, cash_price] {
            body.extend(price.to_le_bytes());
        }
        self.write_with_text(e::SYMBOL_SPLIT, symbol_id, body, note);
        self.directory.symbols[symbol_id as usize - 1].reference_price = reference;
        let sequence = self.events.header.sequence;
        let market = self.market_mut(symbol_id);
        market.split_sequence = sequence;
        market.reference.set(reference);
        let closing = split.price(market.short_sales.closing_price).clamp(1, PRICE_MAX.into()) as u32;
        market.short_sales.close_at(closing);
        if market.last_price != 0 {
            market.last_price = split.price(market.last_price).clamp(1, PRICE_MAX.into()) as u32;
        }
        self.cancel_dependent(symbol_id);
        let sides = if new_shares > old_shares { [BUY, SELL] } else { [SELL, BUY] };
        let orders: Vec<u64> = sides.into_iter().flat_map(|side| self.orders_of(symbol_id, side)).collect();
        self.adjust(symbol_id, &orders, |market, order, terms| split_order(market, split, order, terms));
        self.follow_action(symbol_id);
        self.split_limits(symbol_id, split);
        for book in self.risk.books.values_mut() {
            if let Some(shares) = book.day_shares.get_mut(&symbol_id) {
                let (whole, rest) = split.shares(*shares);
                *shares = whole;
                book.day_cash += split.cash(rest, cash_price);
            }
        }
        for (account_id, shares) in self.holders(symbol_id) {
            let (whole, rest) = split.shares(shares);
            self.move_by(symbol_id, cause::SPLIT, account_id, symbol_id, whole - shares);
            self.move_by(symbol_id, cause::CASH_IN_LIEU, account_id, CASH, split.cash(rest, cash_price));
        }
    }

    pub fn rename_symbol(&mut self, command: &RenameSymbol) {
        let RenameSymbol { symbol_id, symbol, name } = *command;
        let checked = self
            .check_corporate_action(symbol_id, name)
            .and_then(|()| self.check_ticker(symbol_id, symbol))
            .and_then(|()| self.check_time(symbol_id));
        if let Err(refusal) = checked {
            return self.events.command_rejected(RENAME_SYMBOL, symbol_id.into(), symbol_id, refusal);
        }
        let listed = &self.directory.symbols[symbol_id as usize - 1];
        let (old, name) =
            (listed.symbol.clone(), if name.is_empty() { &listed.name } else { name }.to_owned());
        let body = renamed_body(&old, symbol);
        self.write_with_text(e::SYMBOL_RENAMED, symbol_id, body, &name);
        self.directory.rename(symbol_id, &old, symbol, &name);
    }

    pub fn pay_dividend(&mut self, command: &PayDividend) {
        let PayDividend { symbol_id, amount, note } = *command;
        let checked = self.check_corporate_action(symbol_id, note).and_then(|()| {
            self.check_time(symbol_id)?;
            let reference = self.check_dividend(symbol_id, amount)?;
            self.check_holdings(symbol_id, |shares| shares * i128::from(amount))?;
            Ok(reference)
        });
        let reference = match checked {
            Ok(reference) => reference,
            Err(refusal) => {
                return self.events.command_rejected(PAY_DIVIDEND, symbol_id.into(), symbol_id, refusal)
            }
        };
        let mut body = Vec::from(amount.to_le_bytes());
        body.extend(self.market_mut(symbol_id).reference.price.to_le_bytes());
        body.extend(reference.to_le_bytes());
        self.write_with_text(e::DIVIDEND_PAID, symbol_id, body, note);
        self.directory.symbols[symbol_id as usize - 1].reference_price = reference;
        let market = self.market_mut(symbol_id);
        market.reference.set(reference);
        let closing = market.short_sales.closing_price.saturating_sub(amount).max(1);
        market.short_sales.close_at(closing);
        if market.last_price != 0 {
            market.last_price = market.last_price.saturating_sub(amount).max(1);
        }
        let all = [BUY, SELL].into_iter().flat_map(|side| self.orders_of(symbol_id, side));
        let is_open =
            |order_id: &u64| self.orders.find(*order_id).is_some_and(|slot| is_reduced(self.orders.at(slot)));
        let orders: Vec<u64> = all.filter(is_open).collect();
        self.adjust(symbol_id, &orders, |market, order, terms| reduce_order(market, amount, order, terms));
        self.follow_action(symbol_id);
        for (account_id, shares) in self.holders(symbol_id) {
            self.move_by(symbol_id, cause::DIVIDEND, account_id, CASH, shares * i128::from(amount));
        }
    }

    // --- orders --------------------------------------------------------------------------------------

    /// The ids of all live orders of a side: shown, hidden, waiting for a stop price or for an auction.
    fn orders_of(&self, symbol_id: u32, side: u8) -> Vec<u64> {
        let market = &self.markets[symbol_id as usize - 1];
        let (book, stops) = (&market.book, &market.stops);
        let sides = match side {
            BUY => [&book.bids, &book.hidden_bids, &stops.buys, &market.auction_bids],
            _ => [&book.asks, &book.hidden_asks, &stops.sells, &market.auction_asks],
        };
        let slots = sides.into_iter().flat_map(|side| self.orders.in_sequence(side));
        slots.map(|slot| self.orders.at(slot).order_id).collect()
    }

    /// Cancels what a split cannot adjust by itself: pegs, quotes, and entries with the orders that wait for them.
    fn cancel_dependent(&mut self, symbol_id: u32) {
        let is_entry = |order_id: u64| {
            let list = self.list_of.get(&order_id).map(|list_id| &self.order_lists[list_id]);
            list.is_some_and(|list| !list.waiting.is_empty())
        };
        let live = self.orders.live().map(|slot| self.orders.at(slot));
        let of_symbol = live.filter(|order| order.symbol_id == symbol_id && order.marks != 0);
        let dependent = of_symbol.filter(|order| order.marks != LINKED || is_entry(order.order_id));
        let mut order_ids: Vec<u64> = dependent.map(|order| order.order_id).collect();
        order_ids.sort_unstable();
        for order_id in order_ids {
            let slot = self.orders.find(order_id).expect("an order that is cancelled is live");
            self.cancel_for(slot, cancel_reason::CORPORATE_ACTION);
        }
    }

    /// Puts orders back as they are from now on, in this sequence; none of them is a top order any more.
    fn adjust(
        &mut self,
        symbol_id: u32,
        order_ids: &[u64],
        adjusted: impl Fn(&Market, &Order, &Terms) -> Option<Adjusted>,
    ) {
        let tops = self.markets[symbol_id as usize - 1].tops;
        let mut taken = Vec::with_capacity(order_ids.len());
        for &order_id in order_ids {
            let slot = self.orders.find(order_id).expect("an order to be adjusted is live");
            let (client_order_id, terms) =
                (*self.orders.client_order_id(slot), self.orders.terms(self.orders.at(slot)));
            taken.push((self.take_out(slot), client_order_id, terms));
        }
        for (order, client_order_id, terms) in taken {
            let Some(new) = adjusted(&self.markets[symbol_id as usize - 1], &order, &terms) else {
                self.order_cancelled(&order, cancel_reason::CORPORATE_ACTION);
                continue;
            };
            if new.terms != terms {
                let (order_id, account_id) = (order.order_id.to_le_bytes(), order.account_id.to_le_bytes());
                let parts: [&[u8]; 3] = [&order_id, &account_id, &new.terms.bytes()];
                self.events.write(e::SPECIAL_TERMS_ADJUSTED, symbol_id, &parts);
            }
            let Adjusted { price, quantity, leaves, terms } = new;
            let event = OrderAmended {
                symbol_id,
                order_id: order.order_id,
                account_id: order.account_id,
                side: order.kind.side,
                kept_priority: false,
                old_price: order.price,
                price,
                quantity,
                leaves,
            };
            self.events.emit(|header, out| event.write(header, out));
            self.terms_in_hand = terms;
            self.put_back(Order { price, quantity, leaves, reserve: 0, ..order }, &client_order_id);
        }
        let market = self.market_mut(symbol_id);
        market.tops = tops.map(|top| if order_ids.contains(&top) { 0 } else { top });
        market.note_care();
    }

    // --- limits and holdings -------------------------------------------------------------------------

    /// Splits the limits that count shares of this symbol alone.
    fn split_limits(&mut self, symbol_id: u32, split: Split) {
        let mut changed = Vec::new();
        for (&subject, book) in &self.risk.books {
            for (&(kind, of), &limit) in &book.limits {
                if counts_shares_of(subject, kind, of, symbol_id) {
                    let least = i128::from(kind != kind::POSITION);
                    let value = split.shares(limit.value.into()).0.clamp(least, QUANTITY_MAX.into()) as i64;
                    if value != limit.value {
                        changed.push((subject, of, kind, Limit { value, ..limit }));
                    }
                }
            }
        }
        changed.sort_by_key(|&(subject, of, kind, _)| (subject, of, kind));
        for (subject, of, kind, limit) in changed {
            self.events.write_to_directory(e::RISK_LIMIT_SET, of, &[&limit_body(subject, kind, true, limit)]);
            self.risk.books.entry(subject).or_default().limits.insert((kind, of), limit);
        }
    }

    /// (account id, shares) of all that have shares of a symbol or are short of them, by account.
    fn holders(&self, symbol_id: u32) -> Vec<(u32, i128)> {
        let all = self.holdings.sorted().into_iter();
        all.filter(|row| row.1 == symbol_id).map(|(account_id, _, shares)| (account_id, shares)).collect()
    }

    fn move_by(&mut self, symbol_id: u32, cause: u8, account_id: u32, asset: u32, amount: i128) {
        if amount == 0 {
            return;
        }
        let balance = int64(self.holdings.add(account_id, asset, amount));
        let (account, asset) = (account_id.to_le_bytes(), asset.to_le_bytes());
        let (amount, balance) = (int64(amount).to_le_bytes(), balance.to_le_bytes());
        self.events.write(e::HOLDING_ADJUSTED, symbol_id, &[&account, &[cause], &asset, &amount, &balance]);
    }

    fn write_with_text(&mut self, number: u8, symbol_id: u32, mut body: Vec<u8>, text: &str) {
        body.extend((text.len() as u16).to_le_bytes());
        body.extend(text.as_bytes());
        self.events.write_to_directory(number, symbol_id, &[&body]);
    }

    // --- refusals ------------------------------------------------------------------------------------

    fn check_corporate_action(&self, symbol_id: u32, text: &str) -> Check {
        if !self.directory.has_symbol(symbol_id) {
            return Err(Refusal::measured(reason::UNKNOWN_SYMBOL, symbol_id));
        }
        if !text.is_empty() && !is_valid_name(text) {
            return Err(Refusal::new(reason::NAME_INVALID));
        }
        Ok(())
    }

    /// Checks that nothing trades.
    fn check_time(&self, symbol_id: u32) -> Check {
        let market = &self.markets[symbol_id as usize - 1];
        match market.state != ACTIVE || matches!(market.phase, CLOSED | HALTED) {
            true => Ok(()),
            false => Err(Refusal::measured(reason::CORPORATE_ACTION_NOT_NOW, market.phase)),
        }
    }

    /// Checks a split's numbers; gives the reference price that it leaves.
    fn check_split(&self, symbol_id: u32, split: Split, cash_price: u32) -> Result<u32, Refusal> {
        let Split { new, old } = split;
        let in_range = |shares: u16| (1..=SPLIT_SHARES_MAX).contains(&shares);
        if in_range(new) && in_range(old) && new != old && cash_price <= PRICE_MAX {
            let market = &self.markets[symbol_id as usize - 1];
            let reference = market.price_down(split.price(market.reference.price));
            if (1..=u64::from(PRICE_MAX)).contains(&reference) {
                return Ok(reference as u32);
            }
        }
        Err(Refusal::limited(reason::SPLIT_INVALID, new, old))
    }

    /// Checks that a dividend leaves a price, and gives it.
    fn check_dividend(&self, symbol_id: u32, amount: u32) -> Result<u32, Refusal> {
        let market = &self.markets[symbol_id as usize - 1];
        let reference = market.price_down(market.reference.price.saturating_sub(amount).into());
        if amount > 0 && reference > 0 {
            return Ok(reference as u32);
        }
        Err(Refusal::limited(reason::DIVIDEND_INVALID, amount, market.reference.price))
    }

    fn check_ticker(&self, symbol_id: u32, symbol: &[u8]) -> Check {
        if !is_valid_symbol(symbol) {
            return Err(Refusal::new(reason::SYMBOL_INVALID));
        }
        if self.directory.symbol_ids.contains_key(symbol) {
            return Err(Refusal::new(reason::SYMBOL_TAKEN));
        }
        match self.directory.former_names.get(symbol) {
            Some(&owner) if owner != symbol_id => Err(Refusal::measured(reason::SYMBOL_RENAMED, owner)),
            _ => Ok(()),
        }
    }

    /// Checks that no account gets more shares, or more money, than there may be.
    fn check_holdings(&self, symbol_id: u32, amount_of: impl Fn(i128) -> i128) -> Check {
        for (account_id, shares) in self.holders(symbol_id) {
            if amount_of(shares).abs() > MONEY_MAX {
                return Err(Refusal::limited(reason::HOLDING_TOO_LARGE, account_id, MONEY_MAX));
            }
        }
        Ok(())
    }
}

/// The body of a `SymbolRenamed` without its text.
pub fn renamed_body(old: &[u8], symbol: &[u8]) -> Vec<u8> {
    let mut body = old.to_vec();
    body.resize(8, 0);
    body.extend(symbol);
    body.resize(16, 0);
    body
}

/// An order as a split leaves it; nothing where it would have no price or no lot.
fn split_order(market: &Market, split: Split, order: &Order, terms: &Terms) -> Option<Adjusted> {
    let lot = u64::from(market.round_lot);
    let price = match (order.price, order.kind.side) {
        (0, _) => 0,
        (price, BUY) => market.price_down(split.price(price)),
        (price, _) => market.price_up(split.price_up(price)),
    };
    let leaves = split.quantity(order.leaves) / lot * lot;
    let quantity = u64::from(order.filled()) + leaves;
    let fits = leaves > 0 && quantity <= QUANTITY_MAX;
    if !fits || u128::from(price) * u128::from(leaves) > u128::from(NOTIONAL_MAX) {
        return None;
    }
    let (terms, stop_price) = match order.has_terms {
        true => split_terms(market, split, order, terms, leaves),
        false => (*terms, 0),
    };
    changed(order, price, (quantity as u32, leaves as u32), terms, stop_price)
}

/// An order's special terms as a split leaves them but for the stop price, and that.
fn split_terms(market: &Market, split: Split, order: &Order, terms: &Terms, leaves: u64) -> (Terms, u64) {
    let (lot, is_buy) = (u64::from(market.round_lot), order.kind.side == BUY);
    let mut new = *terms;
    if terms.display_quantity != 0 {
        let in_lots = split.quantity(terms.display_quantity) / lot * lot;
        let least = u64::from(least_display(leaves as u32)).div_ceil(lot) * lot;
        new.display_quantity = in_lots.max(lot).max(least).min(QUANTITY_MAX) as u32;
    }
    if terms.minimum_quantity != 0 {
        new.minimum_quantity = split.quantity(terms.minimum_quantity).clamp(1, QUANTITY_MAX) as u32;
    }
    if terms.trail_amount != 0 {
        new.trail_amount = split.price(terms.trail_amount).clamp(1, PRICE_MAX.into()) as u32;
    }
    let mut stop_price = 0;
    if terms.stop_price != 0 {
        stop_price = if is_buy { split.price_up(terms.stop_price) } else { split.price(terms.stop_price) };
        if !trails(terms) {
            stop_price = if is_buy { market.price_up(stop_price) } else { market.price_down(stop_price) };
        }
    }
    (new, stop_price)
}

/// Whether a dividend lowers an order: buys with a limit, and stops to sell, that outlive the day.
fn is_reduced(order: &Order) -> bool {
    let kind = order.kind;
    let is_open = matches!(kind.time_in_force, GOOD_TILL_CANCELLED | GOOD_TILL_DATE);
    is_open
        && order.marks & PEGGED == 0
        && kind.flags & DO_NOT_REDUCE == 0
        && is_waiting(kind) == (kind.side == SELL)
}

/// An order lowered by a dividend; nothing where it would have no price.
fn reduce_order(market: &Market, amount: u32, order: &Order, terms: &Terms) -> Option<Adjusted> {
    let price = market.price_down(order.price.saturating_sub(amount).into());
    let stop_price = u64::from(terms.stop_price.saturating_sub(amount));
    let stop_price = if trails(terms) { stop_price } else { market.price_down(stop_price) };
    changed(order, price, (order.quantity, order.leaves), *terms, stop_price)
}

/// An order with other numbers; nothing where a price is none that there is. quantities: (whole, left).
fn changed(
    order: &Order,
    price: u64,
    (quantity, leaves): (u32, u32),
    terms: Terms,
    stop_price: u64,
) -> Option<Adjusted> {
    let is_price = |price: u64| (1..=u64::from(PRICE_MAX)).contains(&price);
    let has_no_price = order.price != 0 && !is_price(price);
    let has_no_stop = terms.stop_price != 0 && !is_price(stop_price);
    if has_no_price || has_no_stop {
        return None;
    }
    let terms = Terms { stop_price: if terms.stop_price == 0 { 0 } else { stop_price as u32 }, ..terms };
    Some(Adjusted { price: price as u32, quantity, leaves, terms })
}

/// Whether a limit counts shares of this symbol and of no other.
fn counts_shares_of(subject: Subject, kind: u8, of: u32, symbol_id: u32) -> bool {
    match kind {
        kind::POSITION => of == symbol_id,
        kind::MAX_QUANTITY => subject == (scope::SYMBOL, symbol_id),
        _ => false,
    }
}
