//! The commands of volatility protection: a symbol's bands or corridor, the market's breaker.
//!
//! `src/exchange/matching/volatility.py` has the rules.

use exchange_wire::commands::{self as c, CorridorTerms};
use exchange_wire::events as e;

use crate::market::BASIS_POINTS;
use crate::phase::{CALL_NS_MAX, CONTINUOUS, HALTED, REOPENING_AUCTION};
use crate::price_guard::{
    breaker_level, Bands, Corridor, Guard, BREAKER_BPS, BREAKER_HALT_NS, BREAKER_LATE_NS, CORRIDOR_BPS_MAX,
    INDEX_LEVEL_MAX, TIERS_MAX,
};
use crate::reasons::{self as reason, Refusal};
use crate::state::State;

/// What stops the whole market. close_level: 0 for nothing; last_level: 0 before the first of the day.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Breaker {
    pub close_level: u64,
    pub last_level: u64,
    /// The highest level that has tripped on this business date, 0 for none.
    pub tripped: u8,
    /// In which all symbols are since it tripped, 0 where it has stopped none or an operator has ended that.
    pub stop_phase: u8,
    /// When that ends, 0 where an operator does.
    pub stop_ends_ns: u64,
}

impl Breaker {
    /// Notes in which phase all symbols are, and until when; 0 and 0 for that no more.
    pub fn stop(&mut self, phase: u8, ends_ns: u64) {
        (self.stop_phase, self.stop_ends_ns) = (phase, ends_ns);
    }

    /// Whether its stop lasts.
    pub fn is_stopping(&self, now_ns: u64) -> bool {
        self.stop_phase != 0 && (self.stop_ends_ns == 0 || now_ns < self.stop_ends_ns)
    }
}

impl State {
    pub fn set_price_bands(&mut self, symbol_id: u32, tier: u8) {
        let check = self.check_listed(symbol_id).and_then(|()| match tier > TIERS_MAX {
            true => Err(Refusal::limited(reason::PRICE_BANDS_INVALID, tier, TIERS_MAX)),
            false => Ok(()),
        });
        if let Err(refusal) = check {
            return self.events.command_rejected(c::SET_PRICE_BANDS, symbol_id.into(), symbol_id, refusal);
        }
        self.events.write_to_directory(e::PRICE_BANDS_SET, symbol_id, &[&[tier]]);
        let base = self.market_mut(symbol_id).reference.price;
        let guard = (tier != 0).then(|| Guard::Bands(Bands::new(tier, base)));
        self.set_guard(symbol_id, guard);
    }

    pub fn set_price_corridor(&mut self, symbol_id: u32, terms: CorridorTerms, seed: u64) {
        let widest = terms.dynamic_bps.max(terms.static_bps);
        let has_bad_time =
            (widest != 0 && terms.call_ns == 0) || terms.call_ns.max(terms.random_ns_max) > CALL_NS_MAX;
        let check =
            self.check_listed(symbol_id).and_then(|()| match has_bad_time || widest > CORRIDOR_BPS_MAX {
                true => Err(Refusal::limited(reason::PRICE_CORRIDOR_INVALID, widest, CORRIDOR_BPS_MAX)),
                false => Ok(()),
            });
        if let Err(refusal) = check {
            let subject = symbol_id.into();
            return self.events.command_rejected(c::SET_PRICE_CORRIDOR, subject, symbol_id, refusal);
        }
        self.events.write_to_directory(e::PRICE_CORRIDOR_SET, symbol_id, &[&terms.bytes()]);
        let static_price = self.market_mut(symbol_id).reference.price;
        let guard = Guard::Corridor(Corridor { terms, seed, static_price, left: None });
        self.set_guard(symbol_id, (widest != 0).then_some(guard));
    }

    fn set_guard(&mut self, symbol_id: u32, guard: Option<Guard>) {
        let market = &mut self.markets[symbol_id as usize - 1];
        if let Some(Guard::Bands(old)) = market.guard.as_deref() {
            self.guards_due.remove(&(old.due_ns, symbol_id));
        }
        market.guard = guard.map(Box::new);
        market.note_care();
        match market.guard.is_some() {
            true => self.guarded.insert(symbol_id),
            false => self.guarded.remove(&symbol_id),
        };
        self.follow_phase(symbol_id, 0);
    }

    // --- the breaker ---------------------------------------------------------------------------------

    pub fn set_market_breaker(&mut self, close_level: u64) {
        if close_level > INDEX_LEVEL_MAX {
            let refusal = Refusal::limited(reason::INDEX_LEVEL_INVALID, close_level, INDEX_LEVEL_MAX);
            return self.events.command_rejected(c::SET_MARKET_BREAKER, 0, 0, refusal);
        }
        self.begin_breaker(close_level);
    }

    pub fn report_index_level(&mut self, level: u64) {
        let close_level = self.breaker.close_level;
        let refusal = if close_level == 0 {
            Some(Refusal::new(reason::NO_BREAKER))
        } else if level == 0 || level > INDEX_LEVEL_MAX {
            Some(Refusal::limited(reason::INDEX_LEVEL_INVALID, level, INDEX_LEVEL_MAX))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return self.events.command_rejected(c::REPORT_INDEX_LEVEL, 0, 0, refusal);
        }
        self.breaker.last_level = level;
        let fall = u128::from(close_level.saturating_sub(level)) * u128::from(BASIS_POINTS);
        let fall = (fall / u128::from(close_level)) as u16;
        self.events.write(e::INDEX_LEVEL_REPORTED, 0, &[&level.to_le_bytes(), &fall.to_le_bytes()]);
        let reached = breaker_level(close_level, level);
        let is_last = usize::from(reached) == BREAKER_BPS.len();
        let is_open = self.market_scheduled_phase == CONTINUOUS;
        if reached <= self.breaker.tripped || !(is_last || (is_open && !self.is_late(0, BREAKER_LATE_NS))) {
            return;
        }
        self.breaker.tripped = reached;
        let (phase, ends_ns) = match is_last {
            true => (HALTED, self.day_ends_ns),
            false => (REOPENING_AUCTION, self.events.header.time_ns + BREAKER_HALT_NS),
        };
        let parts: [&[u8]; 3] = [&[reached], &level.to_le_bytes(), &ends_ns.to_le_bytes()];
        self.events.write(e::MARKET_BREAKER_TRIPPED, 0, &parts);
        self.stop_market(phase, ends_ns);
    }

    /// Begins a business date: the index' last level is its close, and no level of the breaker has tripped.
    pub fn begin_day_of_volatility(&mut self) {
        self.begin_day_of_guards();
        if self.breaker.last_level != 0 {
            self.begin_breaker(self.breaker.last_level);
        }
        self.breaker.tripped = 0;
    }

    fn begin_breaker(&mut self, close_level: u64) {
        (self.breaker.close_level, self.breaker.last_level) = (close_level, 0);
        self.events.write_to_directory(e::MARKET_BREAKER_SET, 0, &[&close_level.to_le_bytes()]);
    }

    fn check_listed(&self, symbol_id: u32) -> Result<(), Refusal> {
        match self.directory.has_symbol(symbol_id) {
            true => Ok(()),
            false => Err(Refusal::measured(reason::UNKNOWN_SYMBOL, symbol_id)),
        }
    }
}
