//! Business dates: what happens when one ends and the next begins, by command or when its time is over.

use exchange_wire::commands::START_BUSINESS_DAY;
use exchange_wire::events::BUSINESS_DAY_STARTED;

use crate::auction::is_auction_time;
use crate::matcher::cancel_reason;
use crate::order_checks::DAY;
use crate::reasons::{self as reason, Refusal};
use crate::state::State;

const DAY_NS: u64 = 86_400_000_000_000;
/// So that a date never leaves the calendar however often it rolls: times end in 2554.
const YEAR_MAX: u32 = 2999;

impl State {
    /// Begins a date by command.
    pub fn start_business_day(&mut self, date: u32, ends_ns: u64) {
        let ends_later = ends_ns == 0 || ends_ns > self.events.header.time_ns;
        if !(date > self.business_date && is_date(date) && ends_later) {
            let refusal = Refusal::limited(reason::BUSINESS_DATE_NOT_LATER, date, self.business_date);
            return self.events.command_rejected(START_BUSINESS_DAY, 0, 0, refusal);
        }
        self.begin_date(date, ends_ns);
    }

    /// Begins the date that holds the present, if the last one's time is over.
    pub fn tick(&mut self, now_ns: u64) {
        if self.day_ends_ns == 0 || now_ns < self.day_ends_ns {
            return;
        }
        let days = (now_ns - self.day_ends_ns) / DAY_NS + 1;
        let date = (0..days).fold(self.business_date, |date, _| next_date(date));
        self.begin_date(date, self.day_ends_ns.wrapping_add(days.wrapping_mul(DAY_NS)));
    }

    fn begin_date(&mut self, date: u32, ends_ns: u64) {
        let orders = &self.orders;
        let ending: Vec<u32> =
            orders.live().filter(|&slot| is_of_a_day(orders.at(slot).kind.time_in_force)).collect();
        for slot in ending {
            self.cancel_for(slot, cancel_reason::DAY_ENDED);
        }
        let (orders, lists) = (&self.orders, &self.list_of);
        self.client_order_ids
            .forget_all_but(|order_id| orders.find(order_id).is_some() || lists.contains_key(&order_id));
        self.risk.begin_day();
        (self.business_date, self.day_ends_ns) = (date, ends_ns);
        self.events.write(BUSINESS_DAY_STARTED, 0, &[&date.to_le_bytes(), &ends_ns.to_le_bytes()]);
        self.begin_day_of_volatility();
        self.begin_day_of_short_sales();
    }
}

/// Whether an order of this time in force ends with its business date.
fn is_of_a_day(time_in_force: u8) -> bool {
    time_in_force == DAY || is_auction_time(time_in_force)
}

/// Tells whether YYYYMMDD is a date of the calendar up to `YEAR_MAX`.
fn is_date(number: u32) -> bool {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    (1..=YEAR_MAX).contains(&year) && (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day)
}

fn next_date(number: u32) -> u32 {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    match (month, day < days_in(year, month)) {
        (_, true) => number + 1,
        (12, false) => (year + 1) * 10_000 + 101,
        (_, false) => year * 10_000 + (month + 1) * 100 + 1,
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        for (date, following) in [
            (20_240_228, 20_240_229),
            (20_230_228, 20_230_301),
            (19_000_228, 19_000_301),
            (20_261_231, 20_270_101),
        ] {
            assert_eq!(next_date(date), following);
        }
        assert!(is_date(20_240_229) && !is_date(20_230_229) && !is_date(30_000_101) && !is_date(101));
    }
}
