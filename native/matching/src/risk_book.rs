//! What a participant or an account has open and has done lately, as far as its limits ask for it; and cancel timers.

use std::collections::{BTreeMap, BTreeSet};

use crate::order_book::{BUY, SELL};

/// Different orders counted in one window of the duplicates check.
const DUPLICATES_KINDS_MAX: usize = 4_096;
const SECOND_NS: i128 = 1_000_000_000;
pub const MS_NS: i128 = 1_000_000;

/// What a limit measures, in the order in which an order is checked.
pub mod kind {
    pub const SYMBOL_BARRED: u8 = 1;
    pub const MAX_QUANTITY: u8 = 2;
    pub const MAX_NOTIONAL: u8 = 3;
    pub const COLLAR: u8 = 4;
    pub const DUPLICATES: u8 = 5;
    pub const MESSAGES: u8 = 6;
    pub const POSITION: u8 = 7;
    pub const BUYING_POWER: u8 = 8;
    pub const SHORT_SALES: u8 = 9;
    pub const GROSS: u8 = 10;
    pub const LOSS: u8 = 11;
    pub const EXECUTIONS: u8 = 12;
}

/// A limit in force. span: milliseconds, or the burst.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    pub value: i64,
    pub span: u32,
}

/// An order as the duplicates check counts it: (side, symbol, price, quantity).
pub type Same = (u8, u32, u32, u32);

/// The limits of one subject with what they measure.
#[derive(Default)]
pub struct RiskBook {
    /// By kind and symbol, 0 for any symbol.
    pub limits: BTreeMap<(u8, u32), Limit>,
    /// Unfilled shares of live orders by symbol and side.
    open_quantity: BTreeMap<(u32, u8), i128>,
    /// Price times unfilled quantity of live orders: of buys and of sales.
    open_notional: [i128; 2],
    /// When the next message would be on time if all came evenly.
    pub messages_due_ns: u64,
    pub duplicates_from_ns: u64,
    pub duplicates: BTreeMap<Same, u32>,
    pub executions_from_ns: u64,
    pub executions: [u32; 2],
    /// Notional traded today, both sides.
    pub gross: i128,
    pub day_cash: i128,
    /// Shares bought less shares sold by symbol.
    pub day_shares: BTreeMap<u32, i128>,
    /// The percentages told last, of gross and of loss.
    pub alerted: [u8; 2],
}

fn place(side: u8) -> usize {
    usize::from(side != BUY)
}

impl RiskBook {
    /// Forgets what a business date has added up.
    pub fn begin_day(&mut self) {
        (self.gross, self.day_cash) = (0, 0);
        self.day_shares.clear();
        self.alerted = [0, 0];
    }

    /// A limit: that of the symbol, else that of any.
    pub fn limit(&self, kind: u8, symbol_id: u32) -> Option<Limit> {
        self.limits.get(&(kind, symbol_id)).or_else(|| self.limits.get(&(kind, 0))).copied()
    }

    // --- open orders ---------------------------------------------------------------------------------

    /// Notes that so much more is open, less where negative.
    pub fn open(&mut self, side: u8, symbol_id: u32, price: u32, quantity: i128) {
        *self.open_quantity.entry((symbol_id, side)).or_insert(0) += quantity;
        self.open_notional[place(side)] += i128::from(price) * quantity;
    }

    pub fn open_shares(&self, symbol_id: u32, side: u8) -> i128 {
        self.open_quantity.get(&(symbol_id, side)).copied().unwrap_or(0)
    }

    pub fn open_notional(&self, side: u8) -> i128 {
        self.open_notional[place(side)]
    }

    // --- trades --------------------------------------------------------------------------------------

    /// Adds a trade to the day.
    pub fn trade(&mut self, side: u8, symbol_id: u32, price: u32, quantity: u32) {
        let notional = i128::from(price) * i128::from(quantity);
        let sign = if side == SELL { -1 } else { 1 };
        self.gross += notional;
        self.day_cash -= sign * notional;
        *self.day_shares.entry(symbol_id).or_insert(0) += sign * i128::from(quantity);
    }

    /// What the day's trades have lost, negative for a gain. price_of: a symbol's price now.
    pub fn loss(&self, price_of: impl Fn(u32) -> u32) -> i128 {
        let worth = |(&symbol_id, &shares): (&u32, &i128)| shares * i128::from(price_of(symbol_id));
        -(self.day_cash + self.day_shares.iter().map(worth).sum::<i128>())
    }

    /// Counts a trade; gives how many there were on its side in this window.
    pub fn count_execution(&mut self, side: u8, now_ns: u64, window_ms: u32) -> u32 {
        if is_over(self.executions_from_ns, now_ns, window_ms) {
            (self.executions_from_ns, self.executions) = (now_ns, [0, 0]);
        }
        let count = &mut self.executions[place(side)];
        *count += 1;
        *count
    }

    // --- messages ------------------------------------------------------------------------------------

    /// Counts a message; gives how many nanoseconds too early it is, 0 where it passes. One too early is not counted.
    ///
    /// A message that must pass leaves nothing of the burst, but no debt either.
    pub fn count_message(&mut self, now_ns: u64, limit: Limit, must_pass: bool) -> i128 {
        let (now, due) = (i128::from(now_ns), i128::from(self.messages_due_ns));
        let (interval, burst) = (SECOND_NS / i128::from(limit.value), i128::from(limit.span));
        let early = due - now - (burst - 1) * interval;
        if early > 0 && !must_pass {
            return early;
        }
        self.messages_due_ns = (due.max(now) + interval).min(now + burst * interval) as u64;
        0
    }

    /// Counts an order; gives how many such came in this window.
    pub fn count_order(&mut self, same: Same, now_ns: u64, window_ms: u32) -> u32 {
        if is_over(self.duplicates_from_ns, now_ns, window_ms) {
            self.duplicates_from_ns = now_ns;
            self.duplicates.clear();
        }
        let count = self.duplicates.get(&same).copied().unwrap_or(0) + 1;
        if count > 1 || self.duplicates.len() < DUPLICATES_KINDS_MAX {
            self.duplicates.insert(same, count);
        }
        count
    }
}

fn is_over(from_ns: u64, now_ns: u64, window_ms: u32) -> bool {
    i128::from(now_ns) - i128::from(from_ns) >= i128::from(window_ms) * MS_NS
}

/// When each participant's timer ends, at most one each.
#[derive(Default)]
pub struct CancelTimers {
    pub expires_ns: BTreeMap<u32, u64>,
    sorted: BTreeSet<(u64, u32)>,
}

impl CancelTimers {
    /// Lets a participant's timer end then, and no longer when it was to; 0: it has none.
    pub fn set(&mut self, participant_id: u32, expires_ns: u64) {
        if let Some(before) = self.expires_ns.remove(&participant_id) {
            self.sorted.remove(&(before, participant_id));
        }
        if expires_ns != 0 {
            self.expires_ns.insert(participant_id, expires_ns);
            self.sorted.insert((expires_ns, participant_id));
        }
    }

    pub fn next_ns(&self) -> u64 {
        self.sorted.first().map_or(0, |&(expires_ns, _)| expires_ns)
    }

    /// Takes out the timer that ends soonest, of several the lowest participant's, if its time is over.
    pub fn take_due(&mut self, now_ns: u64) -> Option<u32> {
        let (_, participant_id) = *self.sorted.first().filter(|timer| timer.0 <= now_ns)?;
        self.set(participant_id, 0);
        Some(participant_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancel_uses_up_the_burst_and_leaves_no_debt() {
        let (mut book, limit) = (RiskBook::default(), Limit { value: 10, span: 2 });
        let now = 1_000_000_000;
        for _ in 0..5 {
            assert_eq!(book.count_message(now, limit, true), 0);
        }
        assert_eq!(book.count_message(now, limit, false), 100_000_000);
        assert_eq!(book.count_message(now + 100_000_000, limit, false), 0);
    }

    #[test]
    fn a_timer_set_again_ends_later() {
        let mut timers = CancelTimers::default();
        timers.set(1, 5);
        timers.set(2, 6);
        timers.set(1, 9);
        assert_eq!((timers.next_ns(), timers.take_due(5)), (6, None));
        assert_eq!((timers.take_due(9), timers.take_due(9), timers.take_due(9)), (Some(2), Some(1), None));
    }
}
