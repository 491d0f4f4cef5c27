//! The phases of every symbol's market: by command, by schedule, by a halt, and when their time is over.
//!
//! `src/exchange/matching/phases.py` has the rules.

use exchange_wire::commands::{self as c, AuctionTerms, ResumeTrading, SchedulePhase};
use exchange_wire::events::{self as e, Header};

use crate::auction::{indicate, Indication, Outcome};
use crate::market::{Market, ACTIVE, BASIS_POINTS};
use crate::names::is_valid_name;
use crate::order_checks::PRICE_MAX;
use crate::phase::{
    auction_between, auction_of, cause, drawn, gathers, is_indicated, is_settable, CALL_NS_MAX,
    COLLAR_BPS_MAX, CONTINUOUS, EXTENSIONS_MAX, HALTED, REOPENING_AUCTION, SCHEDULE_ROWS_MAX,
    VOLATILITY_AUCTION,
};
use crate::price_guard::{Corridor, Guard, PAUSE_NS};
use crate::reasons::{self as reason, Refusal};
use crate::state::State;
use crate::volatility::Breaker;

const TIME_NS_MAX: u64 = i64::MAX as u64;

/// A phase that is to begin; symbol_id: 0 for all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScheduledPhase {
    pub at_ns: u64,
    pub symbol_id: u32,
    pub phase: u8,
}

/// A phase that is to begin, and what is said of it.
#[derive(Clone, Copy)]
struct Change<'a> {
    phase: u8,
    cause: u8,
    reason: &'a str,
    ends_ns: u64,
}

impl Change<'_> {
    fn new(phase: u8, cause: u8) -> Self {
        Self { phase, cause, reason: "", ends_ns: 0 }
    }
}

impl State {
    // --- commands ------------------------------------------------------------------------------------

    pub fn set_phase(&mut self, symbol_id: u32, phase: u8, text: &str) {
        let check = self.check_place(symbol_id, text).and_then(|()| {
            let is_there = symbol_id != 0 && self.market_mut(symbol_id).phase == phase;
            if !is_settable(phase) || is_there {
                return Err(Refusal::measured(reason::PHASE_INVALID, phase));
            }
            self.market(symbol_id).map_or(Ok(()), check_no_standstill)
        });
        if let Err(refusal) = check {
            return self.events.command_rejected(c::SET_PHASE, symbol_id.into(), symbol_id, refusal);
        }
        let change = Change { phase, cause: cause::OPERATOR, reason: text, ends_ns: 0 };
        if symbol_id == 0 {
            self.schedule_market(change);
            self.end_stop(&[REOPENING_AUCTION]);
        }
        for symbol_id in self.symbol_ids(symbol_id) {
            let market = self.market_mut(symbol_id);
            market.scheduled_phase = phase;
            if check_no_standstill(market).is_ok() && market.phase != phase {
                self.enter_phase(symbol_id, change, false);
            }
        }
    }

    pub fn schedule_phase(&mut self, command: &SchedulePhase) {
        let &SchedulePhase { symbol_id, phase, at_ns, random_ns_max, seed } = command;
        let now_ns = self.events.header.time_ns;
        let check = self.check_place(symbol_id, "").and_then(|()| {
            if !is_settable(phase) {
                return Err(Refusal::measured(reason::PHASE_INVALID, phase));
            }
            if !(now_ns < at_ns && at_ns <= TIME_NS_MAX) {
                return Err(Refusal::limited(reason::PHASE_TIME_INVALID, at_ns, now_ns));
            }
            if random_ns_max > CALL_NS_MAX {
                return Err(Refusal::limited(reason::PHASE_TIME_INVALID, random_ns_max, CALL_NS_MAX));
            }
            let (rows, most) = (self.schedule.len() as u64, SCHEDULE_ROWS_MAX as u64);
            if rows >= most {
                return Err(Refusal::limited(reason::DIRECTORY_FULL, rows, most));
            }
            Ok(())
        });
        if let Err(refusal) = check {
            return self.events.command_rejected(c::SCHEDULE_PHASE, symbol_id.into(), symbol_id, refusal);
        }
        let row = ScheduledPhase { at_ns: at_ns + drawn(seed, random_ns_max), symbol_id, phase };
        let place = self.schedule.partition_point(|other| *other <= row);
        self.schedule.insert(place, row);
        let parts: [&[u8]; 3] = [&[phase], &at_ns.to_le_bytes(), &random_ns_max.to_le_bytes()];
        self.events.write(e::PHASE_SCHEDULED, symbol_id, &parts);
    }

    pub fn clear_schedule(&mut self, symbol_id: u32) {
        if let Err(refusal) = self.check_place(symbol_id, "") {
            return self.events.command_rejected(c::CLEAR_SCHEDULE, symbol_id.into(), symbol_id, refusal);
        }
        let before = self.schedule.len();
        self.schedule.retain(|row| symbol_id != 0 && symbol_id != row.symbol_id);
        let count = (before - self.schedule.len()) as u32;
        self.events.write(e::SCHEDULE_CLEARED, symbol_id, &[&count.to_le_bytes()]);
    }

    pub fn set_auction_terms(&mut self, symbol_id: u32, terms: AuctionTerms) {
        let AuctionTerms { collar_bps, extension_ns, extensions_max } = terms;
        let is_too_much = collar_bps > COLLAR_BPS_MAX || extensions_max > EXTENSIONS_MAX;
        let has_bad_time = extension_ns > CALL_NS_MAX || (extensions_max > 0 && extension_ns == 0);
        let refusal = if !self.directory.has_symbol(symbol_id) {
            Some(Refusal::measured(reason::UNKNOWN_SYMBOL, symbol_id))
        } else if is_too_much || has_bad_time {
            Some(Refusal::limited(reason::AUCTION_TERMS_INVALID, collar_bps, COLLAR_BPS_MAX))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            let subject = symbol_id.into();
            return self.events.command_rejected(c::SET_AUCTION_TERMS, subject, symbol_id, refusal);
        }
        self.events.write_to_directory(e::AUCTION_TERMS_SET, symbol_id, &[&auction_terms_body(&terms)]);
        self.market_mut(symbol_id).auction_terms = terms;
    }

    pub fn halt_trading(&mut self, symbol_id: u32, text: &str) {
        let check = self.check_place(symbol_id, text).and_then(|()| match self.market(symbol_id) {
            Some(market) if market.phase == HALTED => Err(Refusal::measured(reason::NOT_HALTED, HALTED)),
            _ => Ok(()),
        });
        if let Err(refusal) = check {
            return self.events.command_rejected(c::HALT_TRADING, symbol_id.into(), symbol_id, refusal);
        }
        let change = Change { phase: HALTED, cause: cause::HALT, reason: text, ends_ns: 0 };
        if symbol_id == 0 {
            self.change_market(change);
            self.end_stop(&[HALTED, REOPENING_AUCTION]);
        }
        for symbol_id in self.symbol_ids(symbol_id) {
            if self.market_mut(symbol_id).phase != HALTED {
                self.begin_phase(symbol_id, change, 0);
            }
        }
    }

    pub fn resume_trading(&mut self, command: &ResumeTrading) {
        let &ResumeTrading { symbol_id, call_ns, random_ns_max, seed, reason: text } = command;
        let check = self.check_place(symbol_id, text).and_then(|()| {
            let longest = call_ns.max(random_ns_max);
            if longest > CALL_NS_MAX {
                return Err(Refusal::limited(reason::PHASE_TIME_INVALID, longest, CALL_NS_MAX));
            }
            match self.market(symbol_id) {
                Some(market) if market.phase != HALTED => {
                    Err(Refusal::measured(reason::NOT_HALTED, market.phase))
                }
                Some(market) if market.state != ACTIVE => Err(Refusal::new(reason::SYMBOL_SUSPENDED)),
                _ => Ok(()),
            }
        });
        if let Err(refusal) = check {
            return self.events.command_rejected(c::RESUME_TRADING, symbol_id.into(), symbol_id, refusal);
        }
        if symbol_id == 0 {
            let phase = self.market_scheduled_phase;
            self.change_market(Change { phase, cause: cause::RESUMPTION, reason: text, ends_ns: 0 });
            self.end_stop(&[HALTED]);
        }
        for symbol_id in self.symbol_ids(symbol_id) {
            let market = self.market_mut(symbol_id);
            if market.phase != HALTED || market.state != ACTIVE {
                continue;
            }
            let (mut phase, mut ends_ns) = (market.scheduled_phase, 0);
            if phase == CONTINUOUS && call_ns > 0 {
                phase = REOPENING_AUCTION;
                ends_ns = self.events.header.time_ns + call_ns + drawn(seed, random_ns_max);
            }
            let change = Change { phase, cause: cause::RESUMPTION, reason: text, ends_ns };
            self.enter_phase(symbol_id, change, false);
        }
    }

    // --- time ----------------------------------------------------------------------------------------

    /// When the next phase begins or ends by itself, 0 for never.
    pub fn next_phase_ns(&self) -> u64 {
        let ends = self.phase_ends.first().map(|end| end.0);
        let begins = self.schedule.first().map(|row| row.at_ns);
        let guards = self.guards_due.first().map(|due| due.0);
        ends.into_iter().chain(begins).chain(guards).min().unwrap_or(0)
    }

    /// Does what time asks for: phases as they come, before each the orders that end and then the business date.
    pub fn pass_time(&mut self) {
        let now_ns = self.events.header.time_ns;
        loop {
            let at_ns = self.next_phase_ns();
            if at_ns == 0 || at_ns > now_ns {
                break;
            }
            self.expire(at_ns);
            self.expire_timers(at_ns);
            self.tick(at_ns);
            self.settle();
            let ended: Vec<u32> =
                self.phase_ends.iter().take_while(|end| end.0 <= at_ns).map(|end| end.1).collect();
            for symbol_id in ended {
                self.end_phase(symbol_id);
            }
            while self.schedule.first().is_some_and(|row| row.at_ns <= at_ns) {
                let row = self.schedule.remove(0);
                self.begin_scheduled(row);
            }
            self.tick_guards(at_ns);
        }
        self.expire(now_ns);
        self.expire_timers(now_ns);
        self.tick(now_ns);
        self.settle();
    }

    /// Ends a phase whose time is over; a suspended symbol waits.
    fn end_phase(&mut self, symbol_id: u32) {
        self.set_phase_end(symbol_id, 0);
        let market = self.market_mut(symbol_id);
        if market.state == ACTIVE {
            let change = Change::new(market.scheduled_phase, cause::TIME_OVER);
            self.enter_phase(symbol_id, change, true);
        }
    }

    fn begin_scheduled(&mut self, row: ScheduledPhase) {
        let change = Change::new(row.phase, cause::SCHEDULE);
        if row.symbol_id == 0 {
            self.schedule_market(change);
        }
        for symbol_id in self.symbol_ids(row.symbol_id) {
            let market = self.market_mut(symbol_id);
            market.scheduled_phase = row.phase;
            let waits = market.phase_ends_ns != 0 && !gathers(row.phase);
            if !waits && check_no_standstill(market).is_ok() && market.phase != row.phase {
                self.enter_phase(symbol_id, change, true);
            }
        }
    }

    // --- what others ask for -------------------------------------------------------------------------

    /// Lets a new symbol begin where the market stands.
    pub fn begin_listed(&mut self, symbol_id: u32) {
        self.market_mut(symbol_id).scheduled_phase = self.market_scheduled_phase;
        let Breaker { stop_phase, stop_ends_ns, .. } = self.breaker;
        let is_stopping = self.breaker.is_stopping(self.events.header.time_ns);
        let is_concerned = match stop_phase {
            HALTED => self.market_phase != HALTED,
            _ => self.market_phase == CONTINUOUS,
        };
        if is_stopping && is_concerned {
            let change =
                Change { phase: stop_phase, cause: cause::BREAKER, reason: "", ends_ns: stop_ends_ns };
            self.begin_phase(symbol_id, change, 0);
        } else if self.market_phase != CONTINUOUS {
            self.begin_phase(symbol_id, Change::new(self.market_phase, cause::LISTING), 0);
        }
    }

    /// Lets a symbol that is no longer suspended go to where the schedule has got.
    pub fn follow_state(&mut self, symbol_id: u32) {
        let market = self.market_mut(symbol_id);
        let stands = check_no_standstill(market).is_err();
        if !stands && market.phase_ends_ns == 0 && market.phase != market.scheduled_phase {
            let change = Change::new(market.scheduled_phase, cause::RESUMPTION);
            self.enter_phase(symbol_id, change, true);
        }
    }

    /// Tells how auctions would end now, of those symbols that the command's events so far concern.
    #[cold]
    pub fn tell_indications(&mut self) {
        for symbol_id in self.events.symbols_concerned() {
            let Some(market) = self.market(symbol_id).filter(|market| is_indicated(market.phase)) else {
                continue;
            };
            let Some(auction) = auction_of(market.phase) else { continue };
            let (_, told) = indicate(&self.orders, market, auction);
            if told == market.indicated {
                continue;
            }
            self.market_mut(symbol_id).indicated = told;
            let parts: [&[u8]; 7] = [
                &[auction],
                &told.price.to_le_bytes(),
                &told.far_price.to_le_bytes(),
                &told.reference_price.to_le_bytes(),
                &told.paired.to_le_bytes(),
                &told.imbalance.to_le_bytes(),
                &[told.side],
            ];
            self.events.write(e::AUCTION_INDICATED, symbol_id, &parts);
        }
    }

    // --- from phase to phase -------------------------------------------------------------------------

    /// Goes to a phase, by an auction where one is due. is_checked: the auction has a collar.
    fn enter_phase(&mut self, symbol_id: u32, change: Change, is_checked: bool) {
        let market = &self.markets[symbol_id as usize - 1];
        let Some(auction) = auction_between(market.phase, change.phase) else {
            return self.begin_phase(symbol_id, change, 0);
        };
        let (outcome, _) = indicate(&self.orders, market, auction);
        if is_checked && gathers(market.phase) {
            if let Some(collar) = self.collar_to_widen(symbol_id, auction, outcome) {
                self.extend_auction(symbol_id, outcome, collar, PAUSE_NS);
                return self.widen(symbol_id, outcome);
            }
        }
        let can_extend = market.extensions < market.auction_terms.extensions_max;
        if is_checked && gathers(market.phase) && can_extend && outcome.volume > 0 {
            let (lowest, highest) = collar(market);
            if !(lowest..=highest).contains(&outcome.price) {
                let extension_ns = market.auction_terms.extension_ns;
                return self.extend_auction(symbol_id, outcome, (lowest, highest), extension_ns);
            }
        }
        self.uncross(symbol_id, auction, outcome);
        self.begin_phase(symbol_id, change, outcome.price);
        if change.phase == CONTINUOUS && outcome.volume > 0 {
            self.trigger(symbol_id, outcome.price);
            self.settle();
            self.market_mut(symbol_id).note_care();
        }
    }

    /// Begins a phase. auction_price: of the auction that led to it, 0 for none.
    fn begin_phase(&mut self, symbol_id: u32, change: Change, auction_price: u32) {
        let market = self.market_mut(symbol_id);
        market.phase = change.phase;
        market.extensions = 0;
        market.indicated = Indication::default();
        market.note_care();
        self.set_phase_end(symbol_id, change.ends_ns);
        self.indicated.remove(&symbol_id);
        if is_indicated(change.phase) {
            self.indicated.insert(symbol_id);
        }
        self.say_phase(symbol_id, change);
        if change.phase != CONTINUOUS && !self.market_mut(symbol_id).pegs.is_empty() {
            self.park_pegs(symbol_id);
        }
        self.follow_phase(symbol_id, auction_price);
    }

    /// Stops every symbol that trades, or will when its pause is over, until a time; to halt stops all of them.
    pub fn stop_market(&mut self, phase: u8, ends_ns: u64) {
        self.breaker.stop(phase, ends_ns);
        for symbol_id in self.symbol_ids(0) {
            let now = self.market_mut(symbol_id).phase;
            let trades = matches!(now, CONTINUOUS | VOLATILITY_AUCTION | REOPENING_AUCTION);
            if trades || (phase == HALTED && now != HALTED) {
                let change = Change { phase, cause: cause::BREAKER, reason: "", ends_ns };
                self.begin_phase(symbol_id, change, 0);
            }
        }
    }

    /// Lets symbols that are listed from now on not begin in the phase in which the breaker stopped the others.
    fn end_stop(&mut self, phases: &[u8]) {
        if phases.contains(&self.breaker.stop_phase) {
            self.breaker.stop(0, 0);
        }
    }

    /// Lets orders gather, for a price limit was reached: for a trading pause, or as long as the corridor says.
    pub fn pause(&mut self, symbol_id: u32) {
        let Header { sequence, time_ns, .. } = self.events.header;
        let call_ns = match self.market_mut(symbol_id).guard.as_deref() {
            Some(Guard::Corridor(Corridor { terms, seed, .. })) => {
                terms.call_ns + drawn(seed.wrapping_add(sequence), terms.random_ns_max)
            }
            _ => PAUSE_NS,
        };
        let (phase, cause) = (VOLATILITY_AUCTION, cause::PRICE_LIMIT);
        self.begin_phase(symbol_id, Change { phase, cause, reason: "", ends_ns: time_ns + call_ns }, 0);
    }

    fn extend_auction(
        &mut self,
        symbol_id: u32,
        outcome: Outcome,
        (lowest, highest): (u32, u32),
        extension_ns: u64,
    ) {
        let now_ns = self.events.header.time_ns;
        let market = self.market_mut(symbol_id);
        market.extensions = market.extensions.saturating_add(1);
        let (number, auction) = (market.extensions, auction_of(market.phase).unwrap_or(0));
        let ends_ns = now_ns + extension_ns;
        self.set_phase_end(symbol_id, ends_ns);
        let parts: [&[u8]; 5] = [
            &[auction],
            &outcome.price.to_le_bytes(),
            &[lowest.to_le_bytes(), highest.to_le_bytes()].concat(),
            &[number],
            &ends_ns.to_le_bytes(),
        ];
        self.events.write(e::AUCTION_EXTENDED, symbol_id, &parts);
    }

    /// Notes where the schedule has got; a market that is halted as a whole stays so.
    fn schedule_market(&mut self, mut change: Change) {
        self.market_scheduled_phase = change.phase;
        if self.market_phase == HALTED {
            change.phase = HALTED;
        }
        self.change_market(change);
    }

    fn change_market(&mut self, change: Change) {
        self.market_phase = change.phase;
        self.say_phase(0, change);
    }

    fn say_phase(&mut self, symbol_id: u32, change: Change) {
        let body = phase_body(change.phase, change.cause, change.ends_ns, change.reason);
        self.events.write_to_directory(e::PHASE_CHANGED, symbol_id, &[&body]);
    }

    pub fn set_phase_end(&mut self, symbol_id: u32, ends_ns: u64) {
        let market = &mut self.markets[symbol_id as usize - 1];
        self.phase_ends.remove(&(market.phase_ends_ns, symbol_id));
        market.phase_ends_ns = ends_ns;
        if ends_ns != 0 {
            self.phase_ends.insert((ends_ns, symbol_id));
        }
    }

    // --- what they share -----------------------------------------------------------------------------

    /// One symbol, or for 0 all of them.
    fn symbol_ids(&self, symbol_id: u32) -> std::ops::RangeInclusive<u32> {
        match symbol_id {
            0 => 1..=self.markets.len() as u32,
            _ => symbol_id..=symbol_id,
        }
    }

    fn check_place(&self, symbol_id: u32, text: &str) -> Result<(), Refusal> {
        if symbol_id != 0 && !self.directory.has_symbol(symbol_id) {
            return Err(Refusal::measured(reason::UNKNOWN_SYMBOL, symbol_id));
        }
        if !text.is_empty() && !is_valid_name(text) {
            return Err(Refusal::new(reason::NAME_INVALID));
        }
        Ok(())
    }
}

/// Checks that a symbol may change its phase: it is neither suspended nor halted.
fn check_no_standstill(market: &Market) -> Result<(), Refusal> {
    if market.state != ACTIVE {
        return Err(Refusal::new(reason::SYMBOL_SUSPENDED));
    }
    match market.phase {
        HALTED => Err(Refusal::new(reason::SYMBOL_HALTED)),
        _ => Ok(()),
    }
}

/// The lowest and highest price of an auction: the collar around the reference, wider by each extension.
fn collar(market: &Market) -> (u32, u32) {
    let (bps, reference) = (u64::from(market.auction_terms.collar_bps), u64::from(market.reference.price));
    if bps == 0 {
        return (0, PRICE_MAX);
    }
    let width = reference * bps * (1 + u64::from(market.extensions)) / BASIS_POINTS;
    (reference.saturating_sub(width) as u32, (reference + width).min(PRICE_MAX.into()) as u32)
}

/// The body and tail of a PhaseChanged event.
pub fn phase_body(phase: u8, cause: u8, ends_ns: u64, text: &str) -> Vec<u8> {
    let mut body = vec![phase, cause];
    body.extend(ends_ns.to_le_bytes());
    body.extend((text.len() as u16).to_le_bytes());
    body.extend(text.as_bytes());
    body
}

/// The body of an AuctionTermsSet event.
pub fn auction_terms_body(terms: &AuctionTerms) -> Vec<u8> {
    let mut body = Vec::from(terms.collar_bps.to_le_bytes());
    body.extend(terms.extension_ns.to_le_bytes());
    body.push(terms.extensions_max);
    body
}
