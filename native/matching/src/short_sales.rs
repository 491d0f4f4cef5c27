//! Short sales: what a symbol asks of them, what an order must be, and when a restriction begins and ends.

use exchange_wire::commands::{ShortSaleTerms, SET_SHORT_SALE_TERMS};
use exchange_wire::events::{Kind, SHORT_SALE_RESTRICTED, SHORT_SALE_TERMS_SET};

use crate::market::{Market, BASIS_POINTS};
use crate::order_book::{BUY, LOCATED, SELL, SHORT, SHORT_EXEMPT};
use crate::order_checks::{MARKET, MARKET_TO_LIMIT};
use crate::reasons::{self as reason, Refusal};
use crate::risk_book::kind;
use crate::risk_checks::scope;
use crate::state::State;
use crate::stop_orders::is_waiting;

/// The largest decline that restricts short sales.
pub const TRIGGER_BPS_MAX: u16 = 9_999;
/// Business dates for which a restriction holds, the one in which it begins included.
pub const RESTRICTED_DAYS: u8 = 2;
const MARKED: u8 = SHORT | SHORT_EXEMPT;
pub const SHORT_FLAGS: u8 = MARKED | LOCATED;

type Check = Result<(), Refusal>;

/// One symbol's short sales. closing_price: 0 without a trigger; days: for which a restriction holds, 0 for none.
#[derive(Default)]
pub struct ShortSales {
    pub terms: ShortSaleTerms,
    pub closing_price: u32,
    pub days: u8,
    /// A trade at this price or below restricts short sales; 0 where none would change anything.
    pub trigger_price: u32,
}

impl ShortSales {
    fn set(&mut self, terms: ShortSaleTerms, reference_price: u32) {
        self.terms = terms;
        if terms.trigger_bps == 0 {
            (self.closing_price, self.days) = (0, 0);
        }
        self.close_at(if self.closing_price == 0 { reference_price } else { self.closing_price });
    }

    /// Measures from another closing price.
    pub fn close_at(&mut self, price: u32) {
        self.closing_price = if self.terms.trigger_bps == 0 { 0 } else { price };
        self.settle();
    }

    /// Takes over what a snapshot holds.
    pub fn restore(&mut self, closing_price: u32, days: u8) {
        (self.closing_price, self.days) = (closing_price, days);
        self.settle();
    }

    fn settle(&mut self) {
        let left = BASIS_POINTS - u64::from(self.terms.trigger_bps);
        let is_armed = self.closing_price != 0 && self.days < RESTRICTED_DAYS;
        self.trigger_price =
            if is_armed { (u64::from(self.closing_price) * left / BASIS_POINTS) as u32 } else { 0 };
    }
}

impl State {
    /// Sets what a symbol asks of short sales; without a trigger a restriction ends.
    pub fn set_short_sale_terms(&mut self, symbol_id: u32, terms: ShortSaleTerms) {
        let refusal = if !self.directory.has_symbol(symbol_id) {
            Some(Refusal::measured(reason::UNKNOWN_SYMBOL, symbol_id))
        } else if terms.trigger_bps > TRIGGER_BPS_MAX {
            Some(Refusal::limited(reason::SHORT_TERMS_INVALID, terms.trigger_bps, TRIGGER_BPS_MAX))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            let subject = symbol_id.into();
            return self.events.command_rejected(SET_SHORT_SALE_TERMS, subject, symbol_id, refusal);
        }
        let market = self.market_mut(symbol_id);
        let (was_restricted, reference) = (market.short_sales.days > 0, market.reference.price);
        market.short_sales.set(terms, reference);
        market.note_care();
        let (closing, days) = (market.short_sales.closing_price, market.short_sales.days);
        let parts: [&[u8]; 2] = [&terms.bytes(), &closing.to_le_bytes()];
        self.events.write_to_directory(SHORT_SALE_TERMS_SET, symbol_id, &parts);
        if was_restricted && days == 0 {
            self.tell_restriction(symbol_id, 0);
        }
    }

    /// Checks an order's marking as a short sale, and its price where these are restricted.
    ///
    /// freed: what is open already of the order whose place it takes.
    #[cold]
    pub fn check_short_sale(
        &self,
        market: &Market,
        (account_id, symbol_id): (u32, u32),
        kind: Kind,
        price: u32,
        (leaves, freed): (u32, u32),
    ) -> Check {
        let marked = kind.flags & MARKED;
        if kind.flags & SHORT_FLAGS != 0 && (kind.side != SELL || marked == 0 || marked == MARKED) {
            return Err(Refusal::measured(reason::SHORT_FLAG_INVALID, kind.flags));
        }
        let terms = market.short_sales.terms;
        let book = self.risk.books.get(&(scope::ACCOUNT, account_id));
        if marked == 0 {
            if kind.side == BUY || !terms.needs_marking {
                return Ok(());
            }
            let reserved = book.map_or(0, |book| book.open_shares(symbol_id, SELL) - i128::from(freed));
            let available = self.holdings.balance(account_id, symbol_id) - reserved;
            return match i128::from(leaves) > available {
                true => Err(Refusal::limited(reason::SHORT_SALE_UNMARKED, leaves, available)),
                false => Ok(()),
            };
        }
        if book.and_then(|book| book.limit(kind::SHORT_SALES, symbol_id)).is_none() {
            return Err(Refusal::new(reason::SHORT_SALE_NOT_PERMITTED));
        }
        if terms.needs_locate && kind.flags & LOCATED == 0 {
            return Err(Refusal::new(reason::LOCATE_MISSING));
        }
        if is_waiting(kind) {
            return Ok(());
        }
        check_short_price(market, kind, price)
    }

    /// Restricts short sales where a trade at a price has reached the trigger price.
    #[cold]
    pub fn note_decline(&mut self, symbol_id: u32, price: u32) {
        let short_sales = &mut self.market_mut(symbol_id).short_sales;
        if price <= short_sales.trigger_price {
            short_sales.days = RESTRICTED_DAYS;
            short_sales.settle();
            self.tell_restriction(symbol_id, price);
        }
    }

    /// Begins a business date: measures from new closing prices, and ends restrictions whose time is over.
    pub fn begin_day_of_short_sales(&mut self) {
        for symbol_id in 1..=self.markets.len() as u32 {
            let market = self.market_mut(symbol_id);
            if market.short_sales.terms.trigger_bps == 0 {
                continue;
            }
            let (reference, was_restricted) = (market.reference.price, market.short_sales.days > 0);
            market.short_sales.days = market.short_sales.days.saturating_sub(1);
            market.short_sales.close_at(reference);
            market.note_care();
            if was_restricted {
                self.tell_restriction(symbol_id, 0);
            }
        }
    }

    fn tell_restriction(&mut self, symbol_id: u32, price: u32) {
        let ShortSales { days, closing_price, .. } = self.market_mut(symbol_id).short_sales;
        let parts: [&[u8]; 3] =
            [&[u8::from(days > 0), days], &price.to_le_bytes(), &closing_price.to_le_bytes()];
        self.events.write_to_directory(SHORT_SALE_RESTRICTED, symbol_id, &parts);
    }
}

/// Checks that a short sale is above the best bid, where short sales are restricted; asked in continuous trading.
pub fn check_short_price(market: &Market, kind: Kind, price: u32) -> Check {
    if market.short_sales.days == 0 || kind.flags & SHORT == 0 || market.gathers() {
        return Ok(());
    }
    let best_bid = market.book.bids.best_rank().unwrap_or(0);
    if matches!(kind.order_type, MARKET | MARKET_TO_LIMIT) || price <= best_bid {
        return Err(Refusal::limited(reason::SHORT_SALE_PRICE, price, best_bid));
    }
    Ok(())
}
