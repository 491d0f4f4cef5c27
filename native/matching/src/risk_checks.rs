//! What stands before the match: who is blocked, and the limits of account, participant and symbol.
//!
//! Where nobody is blocked and no limit is set, nothing here is asked.

use std::collections::BTreeMap;

use exchange_wire::events::{Kind, RISK_ALERTED, TRADING_BLOCKED};
use exchange_wire::ouch::reference;
use exchange_wire::ClientOrderId;

use crate::auction::is_auction_time;
use crate::holdings::CASH;
use crate::market::BASIS_POINTS;
use crate::matcher::cancel_reason;
use crate::order_book::{Order, BUY, LINKED, REPRICE, SELL};
use crate::order_checks::{reaches, LIMIT, MARKET, MARKET_TO_LIMIT, STOP_LIMIT};
use crate::reasons::{self as reason, int64, Refusal};
use crate::risk_book::{kind, CancelTimers, RiskBook, MS_NS};
use crate::state::State;
use crate::stop_orders::is_waiting;

type Check = Result<(), Refusal>;

/// Of whom a block or a limit speaks.
pub mod scope {
    pub const MARKET: u8 = 1;
    pub const SYMBOL: u8 = 2;
    pub const PARTICIPANT: u8 = 3;
    pub const ACCOUNT: u8 = 4;
    /// The orders of one OUCH session, by the id of its key.
    pub const SESSION: u8 = 5;
}

pub const BY_ORDER: u8 = 1;
const BY_EXECUTIONS: u8 = 2;
/// Where an alert is told, highest first.
const ALERT_PERCENTS: [u8; 3] = [100, 90, 70];

/// Scope and subject.
pub type Subject = (u8, u32);

/// Who may not trade since when. role: of the key that pulled the switch, 0 where the market did it itself.
pub struct Block {
    pub key_id: u32,
    pub role: u8,
    pub cause: u8,
    pub note: String,
}

#[derive(Default)]
pub struct Risk {
    /// Whether a limit is set.
    pub has_books: bool,
    pub books: BTreeMap<Subject, RiskBook>,
    pub blocks: BTreeMap<Subject, Block>,
    pub timers: CancelTimers,
}

impl Risk {
    pub fn begin_day(&mut self) {
        self.books.values_mut().for_each(RiskBook::begin_day);
    }
}

/// An order as it would be. leaves: what would be unfilled of it; replaces: price and leaves of the live order whose
/// place it takes.
pub struct Proposal {
    pub account_id: u32,
    pub symbol_id: u32,
    pub kind: Kind,
    pub price: u32,
    pub quantity: u32,
    pub leaves: u32,
    pub replaces: Option<(u32, u32)>,
}

impl Proposal {
    fn freed(&self) -> i128 {
        self.replaces.map_or(0, |(_, leaves)| leaves.into())
    }

    fn freed_notional(&self) -> i128 {
        self.replaces.map_or(0, |(price, leaves)| i128::from(price) * i128::from(leaves))
    }

    /// Whether it is the order before with less quantity: there is less risk than there was.
    fn is_less(&self) -> bool {
        self.replaces.is_some_and(|(price, leaves)| self.price == price && self.leaves < leaves)
    }
}

impl State {
    /// The subjects of an account that have books.
    fn subjects_of(&self, account_id: u32) -> [Subject; 2] {
        [(scope::PARTICIPANT, self.directory.owner_of(account_id)), (scope::ACCOUNT, account_id)]
    }

    // --- access --------------------------------------------------------------------------------------

    /// Checks that neither market, participant, account, session nor symbol is blocked, nor the symbol barred.
    #[inline(always)]
    pub fn check_access(&self, account_id: u32, symbol_id: u32, id: &ClientOrderId) -> Check {
        if self.risk.has_books || !self.risk.blocks.is_empty() {
            return self.check_guarded_access(account_id, symbol_id, session_of(id));
        }
        Ok(())
    }

    #[cold]
    fn check_guarded_access(&self, account_id: u32, symbol_id: u32, session: u32) -> Check {
        let owner = self.directory.owner_of(account_id);
        for (subject, number, measured) in [
            ((scope::MARKET, 0), reason::MARKET_BLOCKED, 0),
            ((scope::PARTICIPANT, owner), reason::PARTICIPANT_BLOCKED, owner),
            ((scope::ACCOUNT, account_id), reason::ACCOUNT_BLOCKED, account_id),
            ((scope::SESSION, session), reason::SESSION_BLOCKED, session),
            ((scope::SYMBOL, symbol_id), reason::SYMBOL_BLOCKED, 0),
        ] {
            if self.risk.blocks.contains_key(&subject) {
                return Err(Refusal::measured(number, measured));
            }
        }
        let barred = |book: &RiskBook| book.limits.contains_key(&(kind::SYMBOL_BARRED, symbol_id));
        if self.subjects_of(account_id).iter().filter_map(|key| self.risk.books.get(key)).any(barred) {
            return Err(Refusal::new(reason::SYMBOL_BARRED));
        }
        Ok(())
    }

    // --- the order -----------------------------------------------------------------------------------

    /// Checks an order that is right in itself against all limits; less of what there is only counts as a message.
    #[cold]
    pub fn check_risk(&mut self, order: &Proposal) -> Check {
        let own = self.subjects_of(order.account_id);
        if order.is_less() {
            return self.check_messages(own);
        }
        let all = [(scope::SYMBOL, order.symbol_id), own[0], own[1]];
        let worst = i128::from(self.worst_price(order));
        let notional = worst * i128::from(order.leaves);
        self.check_quantity(all, order)?;
        self.check_notional(all, notional)?;
        self.check_collar(all, order)?;
        self.check_duplicates(own, order)?;
        self.check_messages(own)?;
        self.check_position(own[1], order)?;
        self.check_buying_power(own[1], order, notional)?;
        self.check_gross(own, order, notional)?;
        self.check_loss(own[1])
    }

    /// Checks a triggered stop order once more: blocks, and what it may cost.
    #[inline(always)]
    pub fn why_not_triggered(&self, order: &Order, id: &ClientOrderId) -> Option<u8> {
        if self.risk.has_books || !self.risk.blocks.is_empty() {
            return self.why_guarded_not_triggered(order, id);
        }
        None
    }

    #[cold]
    fn why_guarded_not_triggered(&self, order: &Order, id: &ClientOrderId) -> Option<u8> {
        let Order { account_id, symbol_id, kind, price, quantity, leaves, .. } = *order;
        if self.check_access(account_id, symbol_id, id).is_err() {
            return Some(cancel_reason::KILL_SWITCH);
        }
        let proposal = Proposal { account_id, symbol_id, kind, price, quantity, leaves, replaces: None };
        let own = self.subjects_of(account_id);
        let notional = i128::from(self.worst_price(&proposal)) * i128::from(leaves);
        let checked = self
            .check_notional([(scope::SYMBOL, symbol_id), own[0], own[1]], notional)
            .and_then(|()| self.check_buying_power(own[1], &proposal, notional))
            .and_then(|()| self.check_gross(own, &proposal, notional));
        checked.is_err().then_some(cancel_reason::RISK_LIMIT)
    }

    /// Counts a member's cancel of its live order as a message; it passes whatever the rate.
    #[cold]
    pub fn count_cancel(&mut self, slot: u32) {
        let now_ns = self.events.header.time_ns;
        for subject in self.subjects_of(self.orders.at(slot).account_id) {
            if let Some(book) = self.risk.books.get_mut(&subject) {
                if let Some(limit) = book.limit(kind::MESSAGES, 0) {
                    book.count_message(now_ns, limit, true);
                }
            }
        }
    }

    /// What of an account's cash or shares may not be withdrawn, for its open orders need it.
    pub fn reserved(&self, account_id: u32, symbol_id: u32) -> i128 {
        let Some(book) = self.risk.books.get(&(scope::ACCOUNT, account_id)) else { return 0 };
        match book.limit(kind::BUYING_POWER, 0) {
            None => 0,
            Some(credit) if symbol_id == CASH => (book.open_notional(BUY) - i128::from(credit.value)).max(0),
            Some(_) if book.limit(kind::SHORT_SALES, symbol_id).is_some() => 0,
            Some(_) => book.open_shares(symbol_id, SELL),
        }
    }

    /// The highest price at which an order could trade now, 0 where it cannot; a waiting one's own price.
    fn worst_price(&self, order: &Proposal) -> u32 {
        let market = &self.markets[order.symbol_id as usize - 1];
        let Kind { side, order_type, flags, .. } = order.kind;
        if is_waiting(order.kind) {
            return order.price;
        }
        let gathers = market.gathers() || is_auction_time(order.kind.time_in_force);
        if order_type == MARKET && gathers {
            return market.reference.price;
        }
        if order_type == MARKET && side == BUY {
            let highest = market.book.highest_ask();
            return match market.protective_price(side) {
                0 => highest,
                protective => protective.min(highest),
            };
        }
        if order_type != MARKET && order_type != MARKET_TO_LIMIT && side == BUY {
            return order.price;
        }
        let Some(best) = self.orders.best_willing_price(&market.book, side, order.leaves) else {
            return order.price;
        };
        if flags & REPRICE != 0 && reaches(side, order.price, best) {
            return market.price_behind(best, side);
        }
        order.price.max(best)
    }

    fn check_quantity(&self, all: [Subject; 3], order: &Proposal) -> Check {
        self.each_limit(&all, kind::MAX_QUANTITY, |_, limit| {
            let quantity = order.quantity;
            refused_if(i64::from(quantity) > limit, reason::MAX_QUANTITY, quantity, limit)
        })
    }

    fn check_notional(&self, all: [Subject; 3], notional: i128) -> Check {
        self.each_limit(&all, kind::MAX_NOTIONAL, |_, limit| {
            refused_if(notional > i128::from(limit), reason::MAX_NOTIONAL, notional, limit)
        })
    }

    fn check_collar(&self, all: [Subject; 3], order: &Proposal) -> Check {
        if !matches!(order.kind.order_type, LIMIT | STOP_LIMIT) {
            return Ok(());
        }
        let reference = i64::from(self.markets[order.symbol_id as usize - 1].reference.price);
        let price = i64::from(order.price);
        self.each_limit(&all, kind::COLLAR, |_, bps| {
            let band = reference * bps / BASIS_POINTS as i64;
            let is_buy = order.kind.side == BUY;
            let edge = if is_buy { reference + band } else { reference - band };
            let is_beyond = if is_buy { price > edge } else { price < edge };
            refused_if(is_beyond, reason::PRICE_COLLAR, price, edge)
        })
    }

    fn check_duplicates(&mut self, own: [Subject; 2], order: &Proposal) -> Check {
        if order.replaces.is_some() {
            return Ok(());
        }
        let now_ns = self.events.header.time_ns;
        let same = (order.kind.side, order.symbol_id, order.price, order.quantity);
        for subject in own {
            let Some(book) = self.risk.books.get_mut(&subject) else { continue };
            let Some(limit) = book.limit(kind::DUPLICATES, 0) else { continue };
            let count = book.count_order(same, now_ns, limit.span);
            refused_if(i64::from(count) > limit.value, reason::DUPLICATE_ORDERS, count, limit.value)?;
        }
        Ok(())
    }

    fn check_messages(&mut self, own: [Subject; 2]) -> Check {
        let now_ns = self.events.header.time_ns;
        for subject in own {
            let Some(book) = self.risk.books.get_mut(&subject) else { continue };
            let Some(limit) = book.limit(kind::MESSAGES, 0) else { continue };
            let early_ns = book.count_message(now_ns, limit, false);
            refused_if(early_ns > 0, reason::MESSAGE_RATE, (early_ns + MS_NS - 1) / MS_NS, limit.value)?;
        }
        Ok(())
    }

    fn check_position(&self, account: Subject, order: &Proposal) -> Check {
        let Some(book) = self.risk.books.get(&account) else { return Ok(()) };
        let Some(limit) = book.limit(kind::POSITION, order.symbol_id) else { return Ok(()) };
        let held = self.holdings.balance(order.account_id, order.symbol_id);
        let side = order.kind.side;
        let coming = book.open_shares(order.symbol_id, side) - order.freed() + i128::from(order.leaves);
        let worst = coming + if side == BUY { held } else { -held };
        refused_if(worst > i128::from(limit.value), reason::POSITION_LIMIT, worst, limit.value)
    }

    fn check_buying_power(&self, account: Subject, order: &Proposal, notional: i128) -> Check {
        let Some(book) = self.risk.books.get(&account) else { return Ok(()) };
        let Some(credit) = book.limit(kind::BUYING_POWER, 0) else { return Ok(()) };
        if order.kind.side == BUY {
            let reserved = book.open_notional(BUY) - order.freed_notional();
            let cash = self.holdings.balance(order.account_id, CASH);
            let available = cash + i128::from(credit.value) - reserved;
            return refused_if(notional > available, reason::BUYING_POWER, notional, available);
        }
        if book.limit(kind::SHORT_SALES, order.symbol_id).is_some() {
            return Ok(());
        }
        let reserved = book.open_shares(order.symbol_id, SELL) - order.freed();
        let available = self.holdings.balance(order.account_id, order.symbol_id) - reserved;
        refused_if(i128::from(order.leaves) > available, reason::SHORT_SALE, order.leaves, available)
    }

    fn check_gross(&self, own: [Subject; 2], order: &Proposal, notional: i128) -> Check {
        self.each_limit(&own, kind::GROSS, |book, limit| {
            let open = book.open_notional(BUY) + book.open_notional(SELL) - order.freed_notional();
            let measured = book.gross + open + notional;
            refused_if(measured > i128::from(limit), reason::GROSS_LIMIT, measured, limit)
        })
    }

    fn check_loss(&self, account: Subject) -> Check {
        self.each_limit(&[account], kind::LOSS, |book, limit| {
            let loss = self.loss_of(book);
            refused_if(loss >= i128::from(limit), reason::LOSS_LIMIT, loss, limit)
        })
    }

    /// Asks each subject that has a limit of a kind, in sequence.
    fn each_limit(&self, subjects: &[Subject], kind: u8, check: impl Fn(&RiskBook, i64) -> Check) -> Check {
        for book in subjects.iter().filter_map(|subject| self.risk.books.get(subject)) {
            if let Some(limit) = book.limit(kind, 0) {
                check(book, limit.value)?;
            }
        }
        Ok(())
    }

    pub fn loss_of(&self, book: &RiskBook) -> i128 {
        book.loss(|symbol_id| self.market(symbol_id).map_or(0, |market| market.reference.price))
    }

    // --- the books -----------------------------------------------------------------------------------

    /// Notes that an order is live, with what it has left.
    #[cold]
    pub fn risk_opened(&mut self, order: &Order) {
        if order.marks & LINKED != 0 && self.reserves_nothing(order) {
            return;
        }
        for subject in self.subjects_of(order.account_id) {
            if let Some(book) = self.risk.books.get_mut(&subject) {
                book.open(order.kind.side, order.symbol_id, order.price, order.leaves.into());
            }
        }
    }

    /// Notes that so much of a live order is gone without a trade.
    #[cold]
    pub fn risk_reduced(&mut self, order: &Order, quantity: u32) {
        if order.marks & LINKED != 0 && self.reserves_nothing(order) {
            return;
        }
        for subject in self.subjects_of(order.account_id) {
            if let Some(book) = self.risk.books.get_mut(&subject) {
                book.open(order.kind.side, order.symbol_id, order.price, -i128::from(quantity));
            }
        }
    }

    /// Notes a trade of two orders that both rested, at an auction's price.
    #[cold]
    pub fn risk_traded_in_auction(&mut self, maker: &Order, taker: &Order, price: u32, quantity: u32) {
        self.risk_reduced(maker, quantity);
        self.risk_reduced(taker, quantity);
        self.risk_noted([maker, taker], price, quantity);
    }

    /// Notes a trade at the resting order's price in both members' books; then tells what limits are nearly used up.
    #[cold]
    pub fn risk_traded(&mut self, resting: &Order, incoming: &Order, quantity: u32) {
        self.risk_reduced(resting, quantity);
        self.risk_noted([resting, incoming], resting.price, quantity);
    }

    fn risk_noted(&mut self, orders: [&Order; 2], price: u32, quantity: u32) {
        for order in orders {
            for subject in self.subjects_of(order.account_id) {
                if let Some(book) = self.risk.books.get_mut(&subject) {
                    book.trade(order.kind.side, order.symbol_id, price, quantity);
                }
            }
        }
        for order in orders {
            for subject in self.subjects_of(order.account_id) {
                self.after_trade(subject, order.kind.side);
            }
        }
    }

    fn after_trade(&mut self, subject: Subject, side: u8) {
        let now_ns = self.events.header.time_ns;
        let Some(book) = self.risk.books.get_mut(&subject) else { return };
        if let Some(limit) = book.limit(kind::EXECUTIONS, 0) {
            if i64::from(book.count_execution(side, now_ns, limit.span)) >= limit.value {
                self.block_for_executions(subject);
            }
        }
        let book = &self.risk.books[&subject];
        let gross = book.limit(kind::GROSS, 0).map(|limit| (book.gross, limit.value));
        let loss = book.limit(kind::LOSS, 0).map(|limit| (self.loss_of(book), limit.value));
        self.alert(subject, kind::GROSS, gross);
        self.alert(subject, kind::LOSS, loss);
    }

    fn block_for_executions(&mut self, subject: Subject) {
        if self.risk.blocks.contains_key(&subject) {
            return;
        }
        let block = Block { key_id: 0, role: 0, cause: BY_EXECUTIONS, note: String::new() };
        self.events.write_to_directory(TRADING_BLOCKED, 0, &[&block_body(subject, &block, 0)]);
        self.risk.blocks.insert(subject, block);
    }

    fn alert(&mut self, subject: Subject, kind: u8, measured: Option<(i128, i64)>) {
        let Some((measured, limit)) = measured else { return };
        let is_over = |&&percent: &&u8| measured * 100 >= i128::from(limit) * i128::from(percent);
        let percent = ALERT_PERCENTS.iter().find(is_over).copied().unwrap_or(0);
        let book = self.risk.books.get_mut(&subject).expect("a subject that traded has its book");
        let alerted = &mut book.alerted[usize::from(kind == kind::LOSS)];
        if percent <= *alerted {
            return;
        }
        *alerted = percent;
        let parts: [&[u8]; 5] = [
            &[subject.0],
            &subject.1.to_le_bytes(),
            &[kind, percent],
            &int64(measured).to_le_bytes(),
            &limit.to_le_bytes(),
        ];
        self.events.write(RISK_ALERTED, 0, &parts);
    }
}

fn refused_if(is_broken: bool, number: u16, measured: impl Into<i128>, limit: impl Into<i128>) -> Check {
    if is_broken {
        return Err(Refusal::limited(number, measured, limit));
    }
    Ok(())
}

/// The body and tail of a `TradingBlocked`.
/// The session of an order, which is the id of its key, by its client order id; 0 where it has none.
pub fn session_of(id: &ClientOrderId) -> u32 {
    reference::read(id).map_or(0, |(session, _)| session)
}

pub fn block_body((scope, subject_id): Subject, block: &Block, count: u32) -> Vec<u8> {
    let mut body = vec![scope];
    body.extend(subject_id.to_le_bytes());
    body.extend(block.key_id.to_le_bytes());
    body.extend([block.role, block.cause]);
    body.extend(count.to_le_bytes());
    body.extend((block.note.len() as u16).to_le_bytes());
    body.extend(block.note.as_bytes());
    body
}
