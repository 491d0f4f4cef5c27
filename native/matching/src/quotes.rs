//! Market makers' quotes: taken, replaced and withdrawn as a whole, and protected.
//!
//! `src/exchange/matching/quotes.py` and `quote_entry.py` have the rules.

use exchange_wire::commands::{CANCEL_QUOTES, MASS_QUOTE, RESET_QUOTE_PROTECTION, SET_QUOTE_PROTECTION};
use exchange_wire::events::{
    Kind, QUOTES_CANCELLED, QUOTE_ACCEPTED, QUOTE_PROTECTION_REACHED, QUOTE_PROTECTION_RESET,
    QUOTE_PROTECTION_SET, QUOTE_REJECTED,
};
use exchange_wire::quotes::{CancelQuotes, MassQuote, Protection, Quote, SetQuoteProtection};
use exchange_wire::terms::Terms;
use exchange_wire::NO_CLIENT_ORDER_ID;

use crate::matcher::cancel_reason;
use crate::order_book::{Order, BUY, QUOTED, SELL};
use crate::order_checks::{check_cancels, check_session, check_terms, DAY, LIMIT};
use crate::order_lists::Note;
use crate::reasons::{self as reason, int64, Refusal};
use crate::risk_checks::Proposal;
use crate::state::State;

/// Symbols of one mass quote.
const QUOTES_MAX: usize = 100;
/// The longest window in which a protection counts.
const PROTECTION_WINDOW_MS_MAX: u32 = 3_600_000;
/// Protections that hold at a time; one more is refused.
const PROTECTIONS_MAX: usize = 100_000;
const MS_NS: u64 = 1_000_000;
const BASIS_POINTS: u64 = 10_000;

type Check = Result<(), Refusal>;

/// An account's quote in a symbol, or under symbol 0 what holds for all of them, and its protection.
///
/// bid, ask: order ids, which may have ended; the rest is of the window that began at `from_ns`; bought: less sold.
#[derive(Clone, Copy, Default)]
pub struct QuoteDesk {
    pub bid: u64,
    pub ask: u64,
    pub limits: Protection,
    pub from_ns: u64,
    pub quantity: u64,
    pub executions: u32,
    pub percent_bps: u64,
    pub bought: i64,
    pub is_reached: bool,
}

impl QuoteDesk {
    /// Whether nothing is to be remembered.
    pub fn is_empty(&self) -> bool {
        self.bid == 0 && self.ask == 0 && self.limits.window_ms == 0
    }

    fn begin_window(&mut self) {
        (self.from_ns, self.quantity, self.executions, self.percent_bps, self.bought) = (0, 0, 0, 0, 0);
    }

    fn count(&mut self, note: &Note, now_ns: u64) {
        let window_ns = u64::from(self.limits.window_ms) * MS_NS;
        if self.executions == 0 || now_ns - self.from_ns >= window_ns {
            self.begin_window();
            self.from_ns = now_ns;
        }
        let quantity = u64::from(note.quantity);
        self.quantity += quantity;
        self.executions += 1;
        self.percent_bps += quantity * BASIS_POINTS / u64::from(note.whole);
        self.bought += if note.side == BUY { quantity as i64 } else { -(quantity as i64) };
    }

    /// The first limit that is reached: its kind, what was measured, and the limit.
    fn reached(&self) -> Option<(u8, u64, u32)> {
        let limits = self.limits;
        let all = [
            (1, self.quantity, limits.quantity),
            (2, self.executions.into(), limits.executions),
            (3, self.percent_bps, limits.percent_bps),
            (4, self.bought.unsigned_abs(), limits.delta),
        ];
        all.into_iter().find(|&(_, measured, limit)| limit != 0 && measured >= u64::from(limit))
    }
}

impl State {
    // --- quote ---------------------------------------------------------------------------------------

    /// Takes the quotes of a mass quote, each by itself, or says why not.
    #[cold]
    pub fn mass_quote(&mut self, command: &MassQuote) {
        let account_id = command.account_id;
        if let Err(refusal) = self.check_mass_quote(command) {
            return self.events.command_rejected(MASS_QUOTE, account_id.into(), 0, refusal);
        }
        for (place, quote) in command.quotes.iter().enumerate() {
            match self.check_quote(account_id, quote) {
                Ok(()) => self.take_quote(command, place, quote),
                Err(refusal) => self.quote_rejected(command, quote.symbol_id, refusal),
            }
        }
    }

    fn quote_rejected(&mut self, command: &MassQuote, symbol_id: u32, refusal: Refusal) {
        self.events.counters.rejects[usize::from(refusal.reason)] += 1;
        let parts: [&[u8]; 5] = [
            &command.account_id.to_le_bytes(),
            &command.quote_id.to_le_bytes(),
            &refusal.reason.to_le_bytes(),
            &int64(refusal.measured).to_le_bytes(),
            &int64(refusal.limit).to_le_bytes(),
        ];
        self.events.write(QUOTE_REJECTED, symbol_id, &parts);
    }

    fn take_quote(&mut self, command: &MassQuote, place: usize, quote: &Quote) {
        let (account_id, symbol_id) = (command.account_id, quote.symbol_id);
        let sides = [(BUY, quote.bid, self.id_at(2 * place)), (SELL, quote.ask, self.id_at(2 * place + 1))];
        let [bid_id, ask_id] = sides.map(|(_, (_, quantity), id)| if quantity == 0 { 0 } else { id });
        let parts: [&[u8]; 4] = [
            &account_id.to_le_bytes(),
            &command.quote_id.to_le_bytes(),
            &bid_id.to_le_bytes(),
            &ask_id.to_le_bytes(),
        ];
        self.events.write(QUOTE_ACCEPTED, symbol_id, &parts);
        self.withdraw_quotes(account_id, &[symbol_id], cancel_reason::QUOTE_REPLACED);
        let key = (account_id, symbol_id);
        self.quote_desks.entry(key).or_default();
        let market = self.market_mut(symbol_id);
        market.has_quotes = true;
        market.needs_care = true;
        for (side, (price, quantity), order_id) in sides {
            if quantity == 0 {
                continue;
            }
            let order = Order {
                order_id,
                entered_ns: self.events.header.time_ns,
                account_id,
                symbol_id,
                price,
                quantity,
                leaves: quantity,
                kind: Kind { side, order_type: LIMIT, time_in_force: DAY, flags: 0 },
                marks: QUOTED,
                is_special: true,
                ..Order::default()
            };
            self.accept_listed(&order, &Terms::default(), &NO_CLIENT_ORDER_ID);
            if self.is_quote_protection_reached(account_id, symbol_id) {
                self.order_cancelled(&order, cancel_reason::QUOTE_PROTECTION);
                continue;
            }
            let desk = self.quote_desks.entry(key).or_default();
            if side == BUY {
                desk.bid = order_id;
            } else {
                desk.ask = order_id;
            }
            self.execute(order, &NO_CLIENT_ORDER_ID);
        }
    }

    fn check_mass_quote(&self, command: &MassQuote) -> Check {
        let count = command.quotes.len();
        if !self.directory.has_account(command.account_id) {
            return Err(Refusal::measured(reason::UNKNOWN_ACCOUNT, command.account_id));
        }
        let mut symbols: Vec<u32> = command.quotes.iter().map(|quote| quote.symbol_id).collect();
        symbols.sort_unstable();
        symbols.dedup();
        if !(1..=QUOTES_MAX).contains(&count) || symbols.len() < count {
            return Err(Refusal::limited(reason::QUOTE_INVALID, count as u64, QUOTES_MAX as u64));
        }
        let (reserved, due) = (self.ids_reserved(), 2 * count as u64 - 1);
        if u64::from(reserved) < due {
            return Err(Refusal::limited(reason::ORDER_IDS_MISSING, reserved, due));
        }
        Ok(())
    }

    fn check_quote(&mut self, account_id: u32, quote: &Quote) -> Check {
        let symbol_id = quote.symbol_id;
        let Some(market) = self.market(symbol_id) else {
            return Err(Refusal::measured(reason::UNKNOWN_SYMBOL, symbol_id));
        };
        self.check_access(account_id, symbol_id, &NO_CLIENT_ORDER_ID)?;
        check_session(market, Kind { side: BUY, order_type: LIMIT, time_in_force: DAY, flags: 0 })?;
        for (price, quantity) in [quote.bid, quote.ask].into_iter().filter(|side| side.1 != 0) {
            check_terms(Some(market), LIMIT, price, quantity)?;
        }
        if self.is_quote_protection_reached(account_id, symbol_id) {
            return Err(Refusal::new(reason::QUOTES_NOT_RESET));
        }
        if quote.bid.1 == 0 && quote.ask.1 == 0 {
            return Err(Refusal::new(reason::QUOTE_INVALID));
        }
        if quote.bid.1 != 0 && quote.ask.1 != 0 && quote.bid.0 >= quote.ask.0 {
            return Err(Refusal::limited(reason::QUOTE_CROSSED, quote.bid.0, quote.ask.0));
        }
        if quote.ask.1 != 0 && market.short_sales.terms.needs_marking {
            let desk = self.quote_desks.get(&(account_id, symbol_id)).copied().unwrap_or_default();
            let freed = self.orders.find(desk.ask).map_or(0, |slot| self.orders.at(slot).leaves);
            let kind = Kind { side: SELL, order_type: LIMIT, time_in_force: DAY, flags: 0 };
            self.check_short_sale(market, (account_id, symbol_id), kind, quote.ask.0, (quote.ask.1, freed))?;
        }
        self.check_quote_risk(account_id, quote)
    }

    /// Checks each side against the limits, in place of the one that it replaces.
    fn check_quote_risk(&mut self, account_id: u32, quote: &Quote) -> Check {
        if !self.risk.has_books {
            return Ok(());
        }
        let symbol_id = quote.symbol_id;
        let desk = self.quote_desks.get(&(account_id, symbol_id)).copied().unwrap_or_default();
        for (side, (price, quantity), before) in [(BUY, quote.bid, desk.bid), (SELL, quote.ask, desk.ask)] {
            if quantity == 0 {
                continue;
            }
            let slot = self.orders.find(before);
            let replaces = slot.map(|slot| (self.orders.at(slot).price, self.orders.at(slot).leaves));
            let kind = Kind { side, order_type: LIMIT, time_in_force: DAY, flags: 0 };
            let proposal =
                Proposal { account_id, symbol_id, kind, price, quantity, leaves: quantity, replaces };
            self.check_risk(&proposal)?;
        }
        Ok(())
    }

    // --- withdraw ------------------------------------------------------------------------------------

    /// Withdraws an account's quotes, where its owner or the exchange asks for it.
    #[cold]
    pub fn cancel_quotes(&mut self, command: &CancelQuotes) {
        let CancelQuotes { participant_id, account_id, symbol_id } = *command;
        let owned = self.directory.has_account(account_id)
            && (participant_id == 0 || participant_id == self.directory.owner_of(account_id));
        let checked = match owned {
            true => self.check_quote_symbol(symbol_id),
            false => Err(Refusal::measured(reason::UNKNOWN_ACCOUNT, account_id)),
        };
        if let Err(refusal) = checked {
            return self.events.command_rejected(CANCEL_QUOTES, account_id.into(), 0, refusal);
        }
        let mut symbols = if symbol_id == 0 { self.quoted_symbols(account_id) } else { vec![symbol_id] };
        if participant_id != 0 {
            symbols.retain(|&symbol_id| check_cancels(&self.markets[symbol_id as usize - 1]).is_ok());
        }
        let count = self.withdraw_quotes(account_id, &symbols, cancel_reason::QUOTE_CANCELLED);
        let parts: [&[u8]; 2] = [&account_id.to_le_bytes(), &count.to_le_bytes()];
        self.events.write(QUOTES_CANCELLED, symbol_id, &parts);
    }

    /// Cancels the orders of an account's quotes in some symbols; gives how many there were.
    fn withdraw_quotes(&mut self, account_id: u32, symbol_ids: &[u32], reason: u8) -> u32 {
        let mut count = 0;
        for &symbol_id in symbol_ids {
            let Some(desk) = self.quote_desks.get_mut(&(account_id, symbol_id)) else { continue };
            let sides = [std::mem::take(&mut desk.bid), std::mem::take(&mut desk.ask)];
            for slot in sides.map(|order_id| self.orders.find(order_id)).into_iter().flatten() {
                self.cancel_for(slot, reason);
                count += 1;
            }
        }
        count
    }

    /// The symbols in which an account has quoted, by their ids.
    fn quoted_symbols(&self, account_id: u32) -> Vec<u32> {
        let desks = self.quote_desks.range((account_id, 1)..=(account_id, u32::MAX));
        desks.map(|(&(_, symbol_id), _)| symbol_id).collect()
    }

    // --- protect -------------------------------------------------------------------------------------

    /// Protects an account's quotes from now on, counting from nothing; or ends that.
    #[cold]
    pub fn set_quote_protection(&mut self, command: &SetQuoteProtection) {
        let SetQuoteProtection { account_id, symbol_id, limits } = *command;
        if let Err(refusal) = self.check_protection(command) {
            let symbol_id = if self.directory.has_symbol(symbol_id) { symbol_id } else { 0 };
            let subject = account_id.into();
            return self.events.command_rejected(SET_QUOTE_PROTECTION, subject, symbol_id, refusal);
        }
        let desk = self.quote_desks.entry((account_id, symbol_id)).or_default();
        (desk.limits, desk.is_reached) = (limits, false);
        desk.begin_window();
        let parts: [&[u8]; 2] = [&account_id.to_le_bytes(), &limits.bytes()];
        self.events.write(QUOTE_PROTECTION_SET, symbol_id, &parts);
    }

    fn check_protection(&self, command: &SetQuoteProtection) -> Check {
        self.check_quote_account(command.account_id)?;
        self.check_quote_symbol(command.symbol_id)?;
        let Protection { quantity, executions, percent_bps, delta, window_ms } = command.limits;
        let has_limit = quantity != 0 || executions != 0 || percent_bps != 0 || delta != 0;
        if window_ms > PROTECTION_WINDOW_MS_MAX || has_limit != (window_ms != 0) {
            return Err(Refusal::limited(
                reason::QUOTE_PROTECTION_INVALID,
                window_ms,
                PROTECTION_WINDOW_MS_MAX,
            ));
        }
        let is_protected = |desk: &&QuoteDesk| desk.limits.window_ms != 0;
        let held = if window_ms == 0 { 0 } else { self.quote_desks.values().filter(is_protected).count() };
        if held >= PROTECTIONS_MAX {
            return Err(Refusal::limited(reason::DIRECTORY_FULL, held as u64, PROTECTIONS_MAX as u64));
        }
        Ok(())
    }

    /// Lets an account quote again whose protection was reached.
    #[cold]
    pub fn reset_quote_protection(&mut self, account_id: u32, symbol_id: u32) {
        let checked = self.check_quote_account(account_id).and_then(|()| self.check_quote_symbol(symbol_id));
        let desk = self.quote_desks.get_mut(&(account_id, symbol_id)).filter(|desk| desk.is_reached);
        let refusal = match (checked, desk) {
            (Ok(()), Some(desk)) => {
                desk.is_reached = false;
                desk.begin_window();
                return self.events.write(QUOTE_PROTECTION_RESET, symbol_id, &[&account_id.to_le_bytes()]);
            }
            (Err(refusal), _) => refusal,
            (Ok(()), None) => Refusal::new(reason::QUOTE_PROTECTION_INVALID),
        };
        self.events.command_rejected(RESET_QUOTE_PROTECTION, account_id.into(), 0, refusal);
    }

    /// Counts a trade of a quote for the protections of its symbol and of all symbols together.
    pub fn follow_quote(&mut self, note: &Note) {
        if note.quantity == 0 {
            return;
        }
        let now_ns = self.events.header.time_ns;
        for symbol_id in [note.symbol_id, 0] {
            let Some(desk) = self.quote_desks.get_mut(&(note.account_id, symbol_id)) else { continue };
            if desk.limits.window_ms == 0 || desk.is_reached {
                continue;
            }
            desk.count(note, now_ns);
            if let Some(reached) = desk.reached() {
                desk.is_reached = true;
                self.stop_quotes(note.account_id, symbol_id, reached);
            }
        }
    }

    fn stop_quotes(&mut self, account_id: u32, symbol_id: u32, (kind, measured, limit): (u8, u64, u32)) {
        let measured = int64(measured.into());
        let parts: [&[u8]; 4] =
            [&account_id.to_le_bytes(), &[kind], &measured.to_le_bytes(), &i64::from(limit).to_le_bytes()];
        self.events.write(QUOTE_PROTECTION_REACHED, symbol_id, &parts);
        let symbols = if symbol_id == 0 { self.quoted_symbols(account_id) } else { vec![symbol_id] };
        self.withdraw_quotes(account_id, &symbols, cancel_reason::QUOTE_PROTECTION);
    }

    // --- what they share -----------------------------------------------------------------------------

    fn is_quote_protection_reached(&self, account_id: u32, symbol_id: u32) -> bool {
        let desk = |symbol_id| self.quote_desks.get(&(account_id, symbol_id));
        [symbol_id, 0].into_iter().any(|symbol_id| desk(symbol_id).is_some_and(|desk| desk.is_reached))
    }

    fn check_quote_account(&self, account_id: u32) -> Check {
        match self.directory.has_account(account_id) {
            true => Ok(()),
            false => Err(Refusal::measured(reason::UNKNOWN_ACCOUNT, account_id)),
        }
    }

    fn check_quote_symbol(&self, symbol_id: u32) -> Check {
        match symbol_id == 0 || self.directory.has_symbol(symbol_id) {
            true => Ok(()),
            false => Err(Refusal::measured(reason::UNKNOWN_SYMBOL, symbol_id)),
        }
    }
}
